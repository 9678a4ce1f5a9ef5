/*
 * What a command works on: the database and the folder, from the configuration.
 */
#ifndef DEPLOY_TARGET_H
#define DEPLOY_TARGET_H

#include "base/error.h"
#include "base/memory.h"
#include "config/config.h"
#include "config/url.h"
#include "history/ledger.h"
#include "history/migration.h"
#include "postgres/connection.h"
#include "schema/facts.h"

struct target {
    struct endpoint endpoint;
    struct folder folder;
    struct connection *begun; /* started by connection_begin() while the folder was read, or NULL */
};

/* Reads URL, provider file and folder, which holds at least one migration unless it `may_be_empty`;
 * ERROR_USAGE or ERROR_REFUSED. Everything lives in the arena. */
must_use bool target_find(struct arena *arena, const struct config *config, bool may_be_empty,
                          struct target *out, struct error *err);

/* Only the folder, where no database is asked for: `out` is all zero, or has one already. */
must_use bool target_find_folder(struct arena *arena, const struct config *config, struct target *out,
                                 struct error *err);

/* Only where the database is, and whose folder it would be: for a run that says so before it looks for the
 * folder, or needs none. */
must_use bool target_find_database(struct arena *arena, const struct config *config, struct target *out,
                                   struct error *err);

/* The rest of it, but limits the folder to what --to asks for, and starts connecting before it reads it: for
 * the start of an application, where every millisecond is spent in every pod. deployment_run() takes over the
 * connection. */
must_use bool target_find_and_begin(struct arena *arena, const struct config *config, struct target *out,
                                    struct error *err);

/* The same without the checks of provider and layout, which "resolve --rolled-back" does not need. */
must_use bool target_find_unchecked(struct arena *arena, const struct config *config, struct target *out,
                                    struct error *err);

/* After target_find_database(), for a command that needs no folder: whose ledger the database has, unless
 * --format says it. ERROR_USAGE if it has several. */
must_use bool target_find_ledger(const struct config *config, struct connection *conn, struct target *out,
                                 struct error *err);

/* Connects to the database that the configuration names, and reads its facts into the arena. */
must_use bool target_read_facts(struct arena *arena, const struct config *config, struct facts *out,
                                struct error *err);

/* Logs which database this is, and names it in the log's context; `ledger` has been read from it. */
void target_log_database(const struct ledger *ledger, const struct connection *conn);

#endif
