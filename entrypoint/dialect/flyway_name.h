/*
 * Flyway's names: V (versioned), B (a baseline script) and R (repeatable), and the keys of their rows.
 *
 * A key is "1.2" of V001_2_0__x.sql (numbers without leading zeros, no zeros at the end), "B1.2" of a
 * baseline script, "R__x" of a repeatable, and "baseline 1.2" of the row that the command baseline writes.
 */
#ifndef DIALECT_FLYWAY_NAME_H
#define DIALECT_FLYWAY_NAME_H

#include "dialect/dialect.h"

enum flyway_kind { FLYWAY_OTHER, FLYWAY_VERSIONED, FLYWAY_BASELINE, FLYWAY_REPEATABLE };

/* The parts of a name, with or without the folders before it, or of a key; slices of it. */
struct flyway_name {
    enum flyway_kind kind;
    struct slice version;     /* as it is written, but of repeatables, which have none */
    struct slice description; /* as it is written, may be empty */
};

struct flyway_name flyway_name_of(const char *name);

/* See dialect.h. */
enum entry_kind flyway_entry_kind_of(const char *entry, bool is_directory);
void flyway_key_of(const char *name, char out[KEY_SIZE]);
void flyway_describe(const char *name, char out[KEY_SIZE]);
int flyway_compare_keys(const void *one, const void *other);
struct order_key flyway_order_key_of(const char *name);
bool flyway_repeats(const char *name);
bool flyway_is_baseline(const char *name);

#endif
