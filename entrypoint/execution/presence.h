/*
 * How much of what a script creates the database holds already: objects by name, columns of tables by name
 * and type.
 */
#ifndef EXECUTION_PRESENCE_H
#define EXECUTION_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "execution/execution.h"

enum { PRESENCE_NAME_SIZE = 512 };

struct presence {
    size_t count; /* of what was looked for */
    size_t there;
    bool has_columns;                /* some of it was columns */
    char absent[PRESENCE_NAME_SIZE]; /* the first that is not there, for people; empty = none */
};

/* One round trip; the session must be idle. False if the script creates nothing that could be looked for, or
 * the server gave no answer. */
must_use bool presence_find(const struct execution *execution, struct presence *out);

/* The same of its first statements, by name alone: whether something is missing whatever schema it was
 * created in. Columns of new tables, and what ends with the session, are not looked for. */
must_use bool presence_find_first(const struct execution *execution, size_t statements, struct presence *out);

#endif
