/*
 * The order of migrations: that in which Prisma's command line sorts names since 6.6, JavaScript's
 * localeCompare under the root locale (before that: bytewise). With 14-digit time stamps in front both agree.
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
 * accent a letter. Between such names prisma_order_compare() may decide otherwise than Prisma. */
bool prisma_order_is_certain(const char *name);

/* Points to the name. Exact when the first 16 characters, or all that there are, are plain enough to decide.
 */
struct order_key prisma_order_key_of(const char *name);

/* What prisma_order_compare() says of the names. */
int prisma_order_compare_keys(const struct order_key *one, const struct order_key *other);

#endif
