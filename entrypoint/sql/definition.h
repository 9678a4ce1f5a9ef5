/*
 * Statements that only define: a table, a type, an index. Pure.
 */
#ifndef SQL_DEFINITION_H
#define SQL_DEFINITION_H

#include <stdbool.h>

#include "base/text.h"

/* Whether its text shows that all it does is to create, alter, drop or describe objects of a schema: it reads
 * and writes no rows but those of tables that it names, runs no code that the script brings along, and sets
 * nothing in its session. What the text does not show (event triggers, functions in defaults) remains. */
bool statement_is_definition(struct slice statement);

#endif
