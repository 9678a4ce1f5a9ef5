/*
 * The log: one event per line, prose for people, on stderr.
 *
 * What machines need (tenant, database, migration, phase) is set once in the log's context by whoever knows
 * it: text leaves it short (only the tenant begins its lines), logfmt and JSON print it as fields, and no
 * call site can forget it. Every secret is registered with the redactor, which is part of the writer:
 * whichever way a secret gets there, "***" comes out.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/redact.h"

/* What a line is: its level, and two kinds of information that a terminal sets apart. */
enum log_level {
    LOG_ERROR,
    LOG_WARN,
    LOG_INFO,
    LOG_DEBUG,
    LOG_LEVELS,
    LOG_DONE = LOG_LEVELS,
    LOG_WAIT,
    LOG_KINDS
};
enum log_format { LOG_TEXT, LOG_LOGFMT, LOG_JSON, LOG_FORMATS };
enum log_field { LOG_TENANT, LOG_DATABASE, LOG_MIGRATION, LOG_PHASE, LOG_FIELDS };

extern const char *const LOG_LEVEL_NAMES[];
extern const char *const LOG_FORMAT_NAMES[];

/* Signs and colour are used only in text on a terminal; colour never when NO_COLOR is set (no-color.org). */
void log_configure(enum log_level most, enum log_format format);

bool log_is_on(enum log_level level);

/* How a line of that level begins on the terminal that stderr is: colour, sign, and the end of the colour.
 * All are empty elsewhere, and the colour where it is not wanted. */
struct log_look {
    const char *color;
    const char *sign;
    const char *end;
};
struct log_look log_look_of(enum log_level level);

void log_error(const char *format, ...) printf_like(1, 2);
void log_warn(const char *format, ...) printf_like(1, 2);
void log_info(const char *format, ...) printf_like(1, 2);
void log_wait(const char *format, ...) printf_like(1, 2);
void log_debug(const char *format, ...) printf_like(1, 2);

/* Sets a context field until it is set again; NULL removes it. The text is copied. */
void log_context(enum log_field field, const char *value);

/* What it is set to; empty = nothing. */
const char *log_context_of(enum log_field field);

/* A context of its own, for a task among others: what is set goes there until another one is entered; NULL
 * enters that of the process. It must outlive that, and begins zeroed. */
enum { LOG_CONTEXT_MOST = 300 };
struct log_scope {
    char fields[LOG_FIELDS][LOG_CONTEXT_MOST];
    bool is_brief; /* LOG_INFO and LOG_DONE count as LOG_DEBUG */
};
void log_scope_enter(struct log_scope *scope);

/* Whether only what needs attention is logged in the context in use: one line is said of the whole. */
void log_be_brief(bool is_brief);

/* A field of one event: logfmt and JSON print it, text leaves it out (the prose says it). */
struct log_value {
    const char *name;
    const char *text; /* NULL: it is the number */
    int64_t number;
};

/* One event with fields of its own. */
void log_event(enum log_level level, const struct log_value *values, size_t count, const char *format, ...)
    printf_like(4, 5);

/* How many characters a passing line can have; 0 without a terminal. COLUMNS counts where the terminal does
 * not tell. */
size_t log_passing_width(void);

/* Shows a line on the terminal that the next passing line replaces and any other line removes; NULL removes
 * it. Does nothing without a terminal. */
void log_passing(const char *line);

/* Which format was configured. */
enum log_format log_format_in_use(void);

#endif
