/*
 * The order of migrations: that in which Prisma's command line sorts names since 6.6, JavaScript's
 * localeCompare under the root locale (before that: bytewise). With 14-digit time stamps in front both agree.
 * Pure.
 */
#ifndef HISTORY_ORDER_H
#define HISTORY_ORDER_H

/* Less than, equal to or greater than zero, as strcmp(). Total: only equal bytes are equal. Names must be
 * valid UTF-8. */
int order_compare(const char *one, const char *other);

#endif
