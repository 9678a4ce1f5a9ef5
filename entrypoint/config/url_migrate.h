/*
 * What golang-migrate, and the drivers it uses, take from the database URL beside libpq's parameters: the
 * table of its ledger, and the search_path of the session. Pure.
 *
 * Only a tool that knows these parameters hears them: see dialect.h.
 */
#ifndef CONFIG_URL_MIGRATE_H
#define CONFIG_URL_MIGRATE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/memory.h"
#include "config/url.h"

enum url_migrate_parameter {
    MIGRATE_SEARCH_PATH,
    MIGRATE_TABLE,        /* x-migrations-table */
    MIGRATE_TABLE_QUOTED, /* x-migrations-table-quoted */
    MIGRATE_LIMIT,        /* x-statement-timeout */
    MIGRATE_LOCK_TABLE,   /* x-lock-table */
    MIGRATE_PARAMETERS
};

/* The values, NULL where the URL has none, into the endpoint. ERROR_USAGE (P1013) if the table cannot be
 * read. */
must_use bool url_migrate_take(struct arena *arena, const char *const values[MIGRATE_PARAMETERS],
                               struct endpoint *out, struct error *err);

#endif
