/*
 * What a script says of a backfill: an UPDATE of many rows that is made in many small transactions.
 *
 *     -- tidelock: backfill orders key=id target=10ms rows=100..50000 rest=50%
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
    char schema[IDENTIFIER_SIZE]; /* empty where it is not said */
    char table[IDENTIFIER_SIZE];
    char keys[BACKFILL_KEYS_MOST][IDENTIFIER_SIZE];
    size_t key_count;   /* 0 = the primary key */
    int64_t target_ms;  /* how long a batch should take */
    int64_t rows_least; /* of a batch */
    int64_t rows_most;
    int64_t rest_percent; /* of a batch's time, after it */
};

/* When it pauses; 0 = never for that. */
struct throttle_wish {
    bool is_said;
    int64_t lag_ms;         /* a replica is behind by more than this … */
    int64_t lag_size;       /* … or by more bytes */
    int64_t slot_size;      /* a replication slot has less room left than these bytes */
    int64_t active_percent; /* so many of the server's connections work */
};

extern const struct backfill_wish BACKFILL_DEFAULTS;
extern const struct throttle_wish THROTTLE_DEFAULTS;

/* Read what stands behind "backfill" and "throttle" on their lines. On failure *at is where. */
must_use bool backfill_wish_parse(struct slice words, struct backfill_wish *out, const char **at,
                                  struct error *err);
must_use bool throttle_wish_parse(struct slice words, struct throttle_wish *out, const char **at,
                                  struct error *err);

#endif
