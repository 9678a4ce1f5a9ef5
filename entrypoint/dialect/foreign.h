/*
 * Files of other migration tools, which turn up where migrations are expected: whose they are, by their names
 * and by the comments that these tools obey.
 *
 * Pure functions over one table: nothing is read here.
 */
#ifndef DIALECT_FOREIGN_H
#define DIALECT_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/* The tool that `file` (its name without folders) with `text` at its start belongs to, or NULL. The text says
 * more than the name, which several tools share. */
const char *foreign_tool_of(const char *file, struct slice text);

/* The first comment of a script behind which a tool keeps the way back: to PostgreSQL it is a comment, and
 * what follows is run. Fills the tool's name and the comment's offset; false = none. */
bool foreign_find_way_back(struct slice script, const char **tool, size_t *offset);

#endif
