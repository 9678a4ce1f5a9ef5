/*
 * What is different between two schemas. Pure.
 */
#ifndef SCHEMA_DIFF_H
#define SCHEMA_DIFF_H

#include <stddef.h>

#include "base/memory.h"
#include "schema/facts.h"

/* A fact that only one of them has, or that is another in the other. Points to their facts. */
struct difference {
    const struct fact *from; /* NULL = only the other one has it */
    const struct fact *to;
};

struct diff {
    struct difference *items; /* by kind and name */
    size_t count;
    size_t capacity;
};

/* Compares sorted facts. The differences live in the arena. */
void diff_facts(struct arena *arena, const struct facts *from, const struct facts *to, struct diff *out);

/* The fact that is different: as it was, or as it is where it was not. */
const struct fact *diff_fact(const struct difference *difference);

/* What happened to it, on the way from one to the other: "added", "removed" or "changed". */
const char *diff_change(const struct difference *difference);

/* Takes out the facts that a pattern of the list fits: a kind, or "KIND NAME" as a shell's pattern
 * ("grant", "comment table public.*"). Patterns are separated by commas; NULL leaves all. */
void facts_ignore(struct facts *facts, const char *patterns);

/* Takes out the facts of a schema, written as it stands in names, and of all that is in it. */
void facts_leave_out_schema(struct facts *facts, const char *schema);

#endif
