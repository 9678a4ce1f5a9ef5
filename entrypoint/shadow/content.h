/*
 * What a database holds beyond what it was created with, and how to remove it.
 *
 * Objects are told apart by their oids, which only grow: what is newer than a mark was made after it. What is
 * granted on the schema "public", default privileges and large objects are not looked at, and stay.
 */
#ifndef SHADOW_CONTENT_H
#define SHADOW_CONTENT_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "postgres/connection.h"

/* Whether there is nothing but extensions; otherwise adds the name of something else ("table public.t"). */
must_use bool content_find(struct connection *conn, bool *is_empty, struct text *out, struct error *err);

/* Removes what is newer than the object of that oid, each thing for itself: a transaction for all of it may
 * need more locks than the server has. */
must_use bool content_remove(struct connection *conn, const char *oid, struct error *err);

#endif
