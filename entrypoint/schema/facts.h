/*
 * What a schema is, in a canonical form: a list of facts, the same for the same schema whatever made it.
 * Pure.
 *
 * As text it is stable and can be compared line by line: the kind and name of a fact on a line, its
 * definition indented below it. Its last line says how many facts there are, so that a file which was cut off
 * is noticed.
 */
#ifndef SCHEMA_FACTS_H
#define SCHEMA_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"

/* "column", "public.orders.id", "integer not null" */
struct fact {
    const char *kind;
    const char *name;
    const char *definition; /* may have several lines, or none */
};

struct facts {
    int major; /* of the server: what it says of itself may differ from one to the next; 0 = of none */
    struct fact *items;
    size_t count;
    size_t capacity;
    bool are_too_many; /* they were not read */
};

/* Adds one; the texts are copied into the arena. */
void facts_add(struct arena *arena, struct facts *facts, const struct fact *fact);

/* By kind, name and definition. */
void facts_sort(struct facts *facts);

/* The SHA-256 of sorted facts, as hexadecimal digits. */
void facts_digest(const struct facts *facts, char hex[SHA256_HEX_SIZE]);

/* Adds sorted facts as text. */
void facts_write(const struct facts *facts, struct text *out);

/* Reads what facts_write() made; `file` is its name, for errors. ERROR_USAGE with the place when it is not
 * that. The facts point into the arena. */
must_use bool facts_read(struct arena *arena, const char *file, struct slice text, struct facts *out,
                         struct error *err);

#endif
