/*
 * The session of a command that edits the ledger by hand (resolve, baseline): that of a leader.
 */
#ifndef LOCK_ACQUIRE_H
#define LOCK_ACQUIRE_H

#include "base/error.h"
#include "config/config.h"
#include "config/url.h"
#include "postgres/connection.h"

/* A connection that holds the leader lock, the caller's to close; follows while another process has it. For a
 * dry run it takes no lock, may be read-only, and a leader is only warned of. NULL and `err` on failure.
 * ERROR_USAGE behind a pooler in transaction mode, which would keep the lock after this process has ended. */
must_use struct connection *acquire_session(const struct config *config, struct endpoint *endpoint,
                                            const char *lock_key, struct error *err);

#endif
