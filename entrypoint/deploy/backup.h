/*
 * Whether there is a recent backup (--require-backup): the server's archiver says it, or a query of the
 * user's.
 */
#ifndef DEPLOY_BACKUP_H
#define DEPLOY_BACKUP_H

#include <stdint.h>

#include "base/error.h"
#include "postgres/connection.h"

struct backup_wish {
    int64_t age_ms;    /* it must be younger; 0 = not said */
    const char *check; /* SQL; NULL = the archiver is asked */
};

/* Asks in a transaction of its own that only reads, for 10 seconds at most. ERROR_REFUSED with the reason
 * when it does not hold, or cannot be known. */
must_use bool backup_check(struct connection *conn, const struct backup_wish *wish, struct error *err);

#endif
