/*
 * Output for people: the only writer of stdout, and the layout of an error on stderr.
 */
#ifndef PRINT_H
#define PRINT_H

#include "base/error.h"
#include "base/json.h"

/* Where lines go: nowhere when only warnings and errors are wanted; into the log when that is for machines,
 * which then find everything there. */
enum print_to { PRINT_TO_STDOUT, PRINT_TO_LOG, PRINT_TO_NOBODY };
void print_configure(enum print_to to);

/* Each as it is, with a line of its own; NULL ends them. */
void print_each(const char *const *texts);

/* One line. */
void print_line(const char *format, ...) printf_like(1, 2);

/* The same about one migration, which a record then names in a field of its own. */
void print_line_of(const char *migration, const char *format, ...) printf_like(2, 3);

/* Text that has its own line feeds. */
void print_text(const char *text);

/* The value, indented, or in one line where the log is for machines; frees it. */
void print_json(struct json *value);

/* What is printed only tells what was done: losing it is no failure. For a command whose result is the
 * database, or the exit code. */
void print_is_optional(void);

/* The value on one line, as a part of something longer; frees it. */
void print_json_part(struct json *value);

/* Whether all that was printed has been written; ERROR_OUTPUT. Where the reader of a pipe has gone, the
 * process ends by SIGPIPE, as others do: "tidelock help | head". */
must_use bool print_end(struct error *err);

/* The last output of a run that failed: a block of lines for people, one record for machines. */
void print_failure(const struct error *err);

#endif
