/*
 * A script while its directives are read, and what every kind of directive needs for that. Of this room.
 */
#ifndef SQL_DIRECTIVE_READING_H
#define SQL_DIRECTIVE_READING_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "sql/directive.h"

enum { DIRECTIVES_MOST = 16 };

/* One script while its directives are read. */
struct directive_reading {
    const char *file;
    struct slice bytes; /* without a byte order mark */
    struct directives found;
    bool is_said[DIRECTIVES_MOST]; /* as in the table */
};

/* Points the error at `at`, in the script. Returns false. */
bool directive_fail(const struct directive_reading *reading, const char *at, struct error *err);

/* Refuses what stands there, with a hint. Returns false. */
bool directive_refuse(const struct directive_reading *reading, const char *at, const char *what,
                      const char *hint, struct error *err);

/* Takes the first word off a trimmed text. */
struct slice directive_next_word(struct slice *words);

#endif
