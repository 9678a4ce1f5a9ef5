/*
 * The order of migrations: that in which Prisma's command line sorts names since 6.6, JavaScript's
 * localeCompare under the root locale (before that: bytewise). With 14-digit timestamps in front, both agree.
 * Pure.
 */
#ifndef DIALECT_PRISMA_ORDER_H
#define DIALECT_PRISMA_ORDER_H

#include <stdbool.h>

#include "dialect/order_key.h"

/* Less than, equal to or greater than zero, as strcmp(). Total: only equal bytes are equal. Names must be
 * valid UTF-8. */
int prisma_order_compare(const char *one, const char *other);

/* Whether every character's place is known: false beyond ASCII, Latin-1, Latin Extended-A and one combining
 * accent a letter. For such names prisma_order_compare() may differ from Prisma. */
bool prisma_order_is_certain(const char *name);

/* Points to the name. Exact when the first 16 characters (or all of them) are enough to decide. */
struct order_key prisma_order_key_of(const char *name);

/* The same result as prisma_order_compare() on the names. */
int prisma_order_compare_keys(const struct order_key *one, const struct order_key *other);

#endif
