/*
 * A cancel request on its way to the server, over a connection of its own. Of this room.
 *
 * Never waited for: the network that lets a statement hang may let this hang as well. From libpq 17 on it is
 * as encrypted as the session; an older one knows only PQcancel(), which blocks and has no deadline, so that
 * it gets a thread of its own.
 */
#ifndef POSTGRES_CANCEL_H
#define POSTGRES_CANCEL_H

#include <libpq-fe.h>
#include <stddef.h>

struct cancel;

/* Begins one for what runs on `pg`. Never NULL. */
struct cancel *cancel_begin(PGconn *pg) __attribute__((returns_nonnull));

/* For poll(): what cancel_continue() waits for; -1 = nothing. */
int cancel_descriptor(const struct cancel *cancel);
short cancel_events(const struct cancel *cancel);

/* Goes as far as possible without waiting. Delivered: the server has taken it, though what it cancels may not
 * have ended yet. Failed: `why`, of `size` bytes, gets the reason. */
enum cancel_state { CANCEL_PENDING, CANCEL_DELIVERED, CANCEL_FAILED };
enum cancel_state cancel_continue(struct cancel *cancel, char *why, size_t size);

/* Frees it; one that is still pending may arrive all the same. NULL is fine. */
void cancel_end(struct cancel *cancel);

#endif
