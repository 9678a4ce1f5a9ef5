/*
 * The dialects that a folder or a database may be of.
 */
#ifndef DEPLOY_CANDIDATE_H
#define DEPLOY_CANDIDATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/memory.h"
#include "config/config.h"
#include "config/url.h"
#include "dialect/dialect.h"
#include "postgres/connection.h"

/* A dialect that the folder or the database may be of, with the ledger and the session that its tool would
 * have. */
struct candidate {
    const struct dialect *dialect;
    struct endpoint endpoint;
};

struct candidates {
    struct candidate items[FORMATS];
    size_t count;
};

/* Of the format that is asked for, or of any: the first. */
const struct dialect *candidate_first(const struct config *config);

/* Adds a dialect with what the URL, --ledger and the variables of its tool say. Lives in the configuration's
 * arena. ERROR_USAGE. */
must_use bool candidates_add(const struct config *config, const struct endpoint *endpoint,
                             const struct dialect *dialect, struct candidates *out, struct error *err);

/* The dialect with the ledger that --ledger names, or its tool's own variable. ERROR_USAGE. */
must_use bool candidate_set_ledger(struct arena *arena, const struct config *config,
                                   const struct dialect **dialect, struct error *err);

/* Whether the session is the same whosever the folder is. */
bool candidate_has_one_session(const struct config *config, const struct endpoint *endpoint);

/* Leaves those whose ledger the database has. */
must_use bool candidates_keep_with_ledger(struct connection *conn, struct candidates *all, struct error *err);

#endif
