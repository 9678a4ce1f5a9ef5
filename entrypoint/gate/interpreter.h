/*
 * What the kernel will do with the application's file, looked at before anything is changed: a script names
 * its interpreter in its first line, and that may be missing.
 *
 * Only what is certain to fail is refused. What is no script and no text (a program, whatever it is for) is
 * the kernel's to judge: it may know formats of its own (binfmt_misc).
 */
#ifndef GATE_INTERPRETER_H
#define GATE_INTERPRETER_H

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

enum { INTERPRETER_LINE_MOST = 256 }; /* the bytes of a file that the kernel looks at */

enum first_line {
    FIRST_LINE_PROGRAM,    /* no script */
    FIRST_LINE_SCRIPT,     /* it names an interpreter */
    FIRST_LINE_EMPTY,      /* an empty file */
    FIRST_LINE_MARKED,     /* "#!" comes behind a byte order mark */
    FIRST_LINE_TEXT,       /* text without "#!" */
    FIRST_LINE_INCOMPLETE, /* "#!" and nothing, or a name that is longer than the kernel reads */
    FIRST_LINES
};

/* Judges the first bytes of a file, at most INTERPRETER_LINE_MOST. Of a script, `interpreter` is what the
 * kernel executes and `argument` what it passes on, as a whole; empty when there is none. Pure. */
enum first_line interpreter_parse(struct slice head, struct slice *interpreter, struct slice *argument);

/* Whether the file and its interpreters can be executed, as far as that can be known without doing it.
 * ERROR_NOT_FOUND, ERROR_NOT_EXECUTABLE. */
must_use bool interpreter_check(struct arena *arena, const char *file, struct error *err);

#endif
