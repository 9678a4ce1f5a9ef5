/*
 * The SQL that turns one schema into another, from their facts alone. Pure.
 *
 * It is a whole script or none: what it cannot express is listed instead. Its statements may run in one
 * transaction unless they say CONCURRENTLY, or use a value that they add to an enum.
 */
#ifndef SCHEMA_SCRIPT_H
#define SCHEMA_SCRIPT_H

#include "base/memory.h"
#include "base/text.h"
#include "schema/facts.h"

struct script_request {
    const struct facts *from;
    const struct facts *to;
    bool are_grants_ignored; /* the facts hold none, whatever is granted */
    bool is_online;          /* tables in use are not locked for long: CONCURRENTLY, NOT VALID */
};

/* What no script can express. */
struct script_refusal {
    const char *kind;
    const char *name;
    const char *reason;
};

struct script_result {
    struct text script; /* empty when something is refused, or nothing is different */
    struct script_refusal *refusals;
    size_t refusal_count;
    size_t refusal_capacity;
    const char **warnings; /* what will not be quite the same */
    size_t warning_count;
    size_t warning_capacity;
};

/* The facts of a database in which nothing has been made yet, of the version and with the owner of another.
 */
void script_initial(struct arena *arena, const struct facts *other, struct facts *out);

/* The lists live in the arena; free the script with text_clear(). */
void script_write(struct arena *arena, const struct script_request *request, struct script_result *out);

#endif
