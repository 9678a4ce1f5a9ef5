/*
 * What the database says of what a script will do: sizes, who is in the way now, and what the text alone
 * could not tell.
 *
 * It reads catalogs only: it neither takes nor waits for the lock of any table. So sizes are those of the
 * last VACUUM or ANALYZE. What only the rows can tell is in deploy/live_rows.h.
 */
#ifndef DEPLOY_LIVE_H
#define DEPLOY_LIVE_H

#include "base/error.h"
#include "base/memory.h"
#include "history/ledger.h"
#include "postgres/connection.h"
#include "postgres/query.h"
#include "schema/forecast.h"

/* How much others do with a table: counters of the server, or how fast they grow. */
struct live_use {
    bool is_known;
    int64_t at_ms;
    double reads;  /* scans */
    double writes; /* rows */
};

/* A table as it is now. */
struct live_table {
    struct relation name; /* as the script writes it */
    bool exists;
    int64_t rows;  /* -1 = not known */
    int64_t bytes; /* of its partitions, too */
    int64_t index_bytes;
    int64_t indexes;
    int64_t partitions; /* and other children */
    int64_t rows_now;   /* as the statistics count them, with every write */
    bool is_plain;      /* so are all its partitions: neither views nor foreign tables */
    char oid[16];
    bool is_sampled;
    struct duration_table measured; /* once it is */
    struct live_use before;         /* as it was read first */
    struct live_use use;            /* in a second, or unknown */
};

/* Whether how long a statement takes is decided by the size of its own table. Pure. */
bool live_works_on_table(const struct finding *finding);

/* Whether it is known to be so small that whatever is done to all of it takes a moment. Pure. */
bool live_is_small(const struct live_table *table);

/* Who is asked, and what has been looked up (which begins zeroed, and lives in the arena). */
struct live {
    struct arena *arena;
    struct connection *conn;
    bool is_aside; /* the session has something else to do: each question is a transaction of its own, with
                      limits */
    const struct ledger *ledger;
    struct live_table **tables;
    size_t asked; /* so many are known, the others expected */
    size_t count;
    size_t capacity;
    struct relation *created; /* by pending migrations */
    size_t created_count;
    size_t created_capacity;
    struct relation *changed; /* whose rows pending migrations change */
    size_t changed_count;
    size_t changed_capacity;
    struct relation *indexed; /* tables to which pending statements before this one add an index */
    size_t indexed_count;
    size_t indexed_capacity;
    bool has_code;           /* what is pending may change the rows of any table */
    struct proof *validated; /* constraints, by pending migrations */
    size_t validated_count;
    size_t validated_capacity;
    bool may_have_dropped; /* a pending statement before it may have dropped what uses a column */
    bool is_brief;         /* nobody wants to know who is in the way now */
};

/* One round trip. `out` gets the rows. */
must_use bool live_ask(struct live *live, const struct query *query, const char *const *parameters,
                       struct result **out, struct error *err);

/* Notes the tables that live_look() will ask for: all that are noted by then are asked for in one round trip.
 */
void live_expect(struct live *live, const struct forecast *forecast);

/* The table of that name, asked for once. Belongs to the arena; NULL on failure. */
must_use struct live_table *live_table_of(struct live *live, const struct relation *relation,
                                          struct error *err);

/* Adds to what the database says of a finding. */
void live_add_note(struct live *live, struct finding *finding, const char *note);

/* Completes the findings of a forecast; forecasts come in the order of their migrations. What cannot be
 * looked up stays as the text has it. */
must_use bool live_look(struct live *live, struct forecast *forecast, struct error *err);

#endif
