/*
 * The gate opens: this process becomes the application.
 *
 * Same process, same descriptors, directory, umask and signal mask; as PID 1 it stays PID 1.
 */
#ifndef GATE_EXEC_H
#define GATE_EXEC_H

#include "base/error.h"
#include "base/memory.h"

/* Finds the file that `name` means, as a shell does: with a slash it is a path, without, PATH is searched.
 * The result is the arena's. ERROR_NOT_FOUND, or ERROR_NOT_EXECUTABLE when all that was found may not be
 * executed. */
must_use const char *exec_find(struct arena *arena, const char *name, struct error *err);

/* Replaces this process by the file; returns only on failure. Gives back what the process did with signals
 * before signals_install(). ERROR_INTERRUPTED when a signal came before, ERROR_NOT_FOUND,
 * ERROR_NOT_EXECUTABLE. */
bool exec_replace(const char *file, char *const *words, char *const *environment, struct error *err);

#endif
