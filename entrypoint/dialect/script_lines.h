/*
 * A script line by line, as tools read it that mark its parts with comments. Of this room.
 */
#ifndef DIALECT_SCRIPT_LINES_H
#define DIALECT_SCRIPT_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/* The line that begins at `offset`, without its line feed. */
struct slice line_at(struct slice script, size_t offset);

/* The offset of the first line: a byte order mark is none of it. */
size_t line_first(struct slice script);

bool line_is_blank(struct slice line);

/* Whether it is nothing but a comment ("-- …"), wherever that begins. */
bool line_is_comment(struct slice line);

/* Makes blanks of what is not run, so that places in errors stay right: all but the ends of lines. */
void line_blank(char *at, size_t length);

#endif
