/*
 * The content of a Kubernetes Lease, and changes to it. Pure. (Kubernetes API reference, "Lease"; client-go's
 * leader election also writes such objects.)
 *
 * Fields that this code does not know are written back as they were read.
 */
#ifndef LOCK_LEASE_OBJECT_H
#define LOCK_LEASE_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/text.h"

/* A time as the API takes it: RFC 3339 in UTC with exactly six fractional digits. */
enum { LEASE_TIME_SIZE = 40 };
void lease_time(double seconds, char out[LEASE_TIME_SIZE]);

/* Who holds it; "" when nobody does. Lives as long as the object. */
const char *lease_holder(const struct json *lease);

/* How long it is valid after a change was seen; 0 if not given. */
int64_t lease_duration_ms(const struct json *lease);

/* Adds what is compared to see whether its holder is alive: never the times themselves, since clocks
 * differ. */
void lease_add_record(const struct json *lease, struct text *out);

/* A new one, held by `holder` from `now` on. */
struct json *lease_new(const char *namespace, const char *name, const char *holder, int64_t duration_seconds,
                       const char *now);

/* Writes `holder` into it: for the first time, which counts as a transition, or again, which is a renewal. */
void lease_claim(struct json *lease, const char *holder, int64_t duration_seconds, const char *now);

/* Releases it, so that the next holder does not have to wait until it expires. */
void lease_give_back(struct json *lease, const char *now);

#endif
