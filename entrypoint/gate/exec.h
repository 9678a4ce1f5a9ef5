/*
 * The gate opens: this process becomes the application.
 *
 * Same process, same descriptors, directory, umask and signal mask; as PID 1 it stays PID 1.
 */
#ifndef GATE_EXEC_H
#define GATE_EXEC_H

#include "base/error.h"
#include "base/memory.h"

/* Finds the file of the command `name` as a shell does: with a slash it is a path; otherwise PATH is
 * searched. The result lives in the arena. ERROR_NOT_FOUND, or ERROR_NOT_EXECUTABLE when nothing that was
 * found may be executed. */
must_use const char *exec_find(struct arena *arena, const char *name, struct error *err);

/* Replaces this process by the file; returns only on failure. Restores the signal handling from before
 * signals_install(). ERROR_INTERRUPTED when a signal has come, ERROR_NOT_FOUND, ERROR_NOT_EXECUTABLE. */
bool exec_replace(const char *file, char *const *words, char *const *environment, struct error *err);

#endif
