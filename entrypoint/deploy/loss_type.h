/*
 * What a column's new type does not keep of its values: those are changed there and back again, and compared.
 * Of this room.
 */
#ifndef DEPLOY_LOSS_TYPE_H
#define DEPLOY_LOSS_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "postgres/connection.h"

/* ALTER COLUMN … TYPE. */
struct retyping {
    const char *table;       /* quoted */
    const char *column;      /* quoted */
    const char *old_type;    /* as SQL */
    struct slice definition; /* what follows TYPE in the script: the new one, COLLATE, USING */
};

/* How many values come back as others: `most` + 1 = more than that. -1 = nobody can tell, as one of them
 * cannot be changed so. In a transaction, which goes on. */
must_use bool loss_count_retyped(struct connection *conn, const struct retyping *retyping, int64_t most,
                                 int64_t *count, struct error *err);

#endif
