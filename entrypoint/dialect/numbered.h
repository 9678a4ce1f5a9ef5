/*
 * Names that begin with a number, and are ordered by it: those of most tools.
 */
#ifndef DIALECT_NUMBERED_H
#define DIALECT_NUMBERED_H

#include <stdbool.h>
#include <stdint.h>

#include "dialect/dialect.h"

/* Whether the name begins with digits and an underscore. */
bool numbered_has_number(const char *name);

/* The number of a name, or of a key; UINT64_MAX where it is larger than that. */
uint64_t numbered_number_of(const char *name);

/* By number; then, so that the order is total, by bytes. */
struct order_key numbered_order_key_of(const char *name);
int numbered_compare_keys(const void *one, const void *other);

/* The key: the number without leading zeros. */
void numbered_key_of(const char *name, char out[KEY_SIZE]);

/* Digits of ASCII sort alike everywhere. */
bool numbered_is_order_certain(const char *name);

#endif
