/*
 * What a script says about a backfill: an UPDATE of many rows that runs as many small transactions.
 *
 *     -- tidelock: backfill orders key=id target=10ms rows=1..50000 rest=50%
 *     -- tidelock: throttle lag=5s lag-size=64MB slot=2GB active=80%
 *     -- tidelock: verify NOT EXISTS (SELECT FROM orders WHERE status_new IS NULL)
 *     UPDATE orders SET status_new = upper(status) WHERE status_new IS NULL;
 */
#ifndef SQL_BACKFILL_H
#define SQL_BACKFILL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "sql/name.h"

enum { BACKFILL_KEYS_MOST = 4 };

struct backfill_wish {
    bool is_said;
    char schema[IDENTIFIER_SIZE]; /* empty = not given */
    char table[IDENTIFIER_SIZE];
    char keys[BACKFILL_KEYS_MOST][IDENTIFIER_SIZE];
    size_t key_count;   /* 0 = the primary key */
    int64_t target_ms;  /* how long a batch should take */
    int64_t rows_least; /* of a batch */
    int64_t rows_most;
    int64_t rest_percent; /* of a batch's duration, as a pause after it */
};

/* When it pauses; 0 = never for this reason. */
struct throttle_wish {
    bool is_said;
    int64_t lag_ms;         /* a replica lags by more than this … */
    int64_t lag_size;       /* … or by more bytes */
    int64_t slot_size;      /* a replication slot has fewer bytes left than this */
    int64_t active_percent; /* the share of the server's connections that are active */
};

extern const struct backfill_wish BACKFILL_DEFAULTS;
extern const struct throttle_wish THROTTLE_DEFAULTS;

/* Parse what follows "backfill" and "throttle" on their lines. On failure *at is the place. */
must_use bool backfill_wish_parse(struct slice words, struct backfill_wish *out, const char **at,
                                  struct error *err);
must_use bool throttle_wish_parse(struct slice words, struct throttle_wish *out, const char **at,
                                  struct error *err);

#endif
