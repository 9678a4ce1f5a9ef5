/*
 * What the database says of what a script will do: sizes, who is in the way now, and what the text alone
 * could not tell.
 *
 * It reads catalogs only: it neither takes nor waits for the lock of any table. So sizes are those of the
 * last VACUUM or ANALYZE.
 */
#ifndef DEPLOY_LIVE_H
#define DEPLOY_LIVE_H

#include "base/error.h"
#include "base/memory.h"
#include "history/ledger.h"
#include "postgres/connection.h"
#include "schema/forecast.h"

/* A table as it is now. */
struct live_table {
    struct relation name; /* as the script writes it */
    bool exists;
    int64_t rows;  /* -1 = not known */
    int64_t bytes; /* of its partitions, too */
    int64_t index_bytes;
    int64_t indexes;
    int64_t partitions;
    char oid[16];
};

/* Who is asked, and what has been looked up (which begins zeroed, and lives in the arena). */
struct live {
    struct arena *arena;
    struct connection *conn;
    const struct ledger *ledger;
    struct live_table **tables;
    size_t count;
    size_t capacity;
    struct relation *created; /* by pending migrations */
    size_t created_count;
    size_t created_capacity;
};

/* Completes the findings of a forecast; forecasts come in the order of their migrations. What cannot be
 * looked up stays as the text has it. */
must_use bool live_look(struct live *live, struct forecast *forecast, struct error *err);

#endif
