/*
 * The order of migrations: that in which Prisma's command line sorts names since 6.6, JavaScript's
 * localeCompare under the root locale (before that: bytewise). With 14-digit time stamps in front both agree.
 * Pure.
 */
#ifndef HISTORY_ORDER_H
#define HISTORY_ORDER_H

#include <stdbool.h>

/* Less than, equal to or greater than zero, as strcmp(). Total: only equal bytes are equal. Names must be
 * valid UTF-8. */
int order_compare(const char *one, const char *other);

/* Whether every character's place is known: false beyond ASCII, Latin-1, Latin Extended-A and one combining
 * accent a letter. Between such names order_compare() may decide otherwise than Prisma. */
bool order_is_certain(const char *name);

#endif
