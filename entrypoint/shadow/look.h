/*
 * A look at a shadow: its tables, indexes, views and sequences, their files and scans, and the locks that the
 * session holds. What differs between two looks is what a statement did.
 */
#ifndef SHADOW_LOOK_H
#define SHADOW_LOOK_H

#include <stdbool.h>

#include "base/error.h"
#include "base/memory.h"
#include "postgres/connection.h"
#include "schema/measurement.h"

struct look;

/* What is there now, the caller's; NULL on failure. One round trip, also in an open transaction. */
must_use struct look *look_take(struct connection *conn, struct error *err);
void look_free(struct look *look);

/* Whether the open transaction has written to what all databases of the server share, like roles. */
must_use bool look_for_shared(struct connection *conn, bool *is_written, struct error *err);

/* What was done to that which was there at the `first` look, between those right before and after a
 * statement. */
void look_compare(struct arena *arena, const struct look *first, const struct look *before,
                  const struct look *now, struct measurement *out);

#endif
