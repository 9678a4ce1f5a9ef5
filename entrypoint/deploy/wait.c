#include "deploy/wait.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/patience.h"
#include "config/endpoint.h"
#include "deploy/floor_check.h"
#include "deploy/validate.h"
#include "history/compare.h"
#include "history/ledger.h"
#include "lock/follow.h"
#include "lock/leader.h"
#include "postgres/handover.h"
#include "postgres/identity.h"
#include "postgres/query.h"
#include "postgres/query_failure.h"
#include "postgres/reach.h"

enum { PAUSE_MOST_MS = 3000, HOST_SIZE = 320, REPLICA_PAUSE_MOST_MS = 1000 };

struct waiting {
    const struct config *config;
    const struct target *target;
    struct progress *progress;
    struct patience patience;
    struct leader holder;
    size_t wanted;  /* all of the folder, or up to --to */
    size_t missing; /* … from the database */
    size_t least;   /* … when it held most of them, on this server: */
    struct identity server;
    const char *first; /* of those */
    size_t failed;
    bool is_database_known;
    bool is_replica;
    char replica[HOST_SIZE]; /* where it is, and … */
    char lag[HOST_SIZE];     /* … what keeps it, as a clause */
};

/* A role that may only read needs to know which privileges that takes. */
static bool explain_denial(const struct target *target, struct error *err)
{
    const char *fixed = target->folder.dialect->ledger_schema;
    const char *named = fixed != NULL ? fixed : target->endpoint.schema;
    const char *schema = named == NULL ? "public" : named;
    const char *user = endpoint_value(&target->endpoint, "user");
    const char *role = user == NULL ? "ROLE" : user;

    if (strcmp(err->sqlstate, "42501") != 0)
        return false;
    return error_hint(err,
                      "Let the role read the ledger: GRANT USAGE ON SCHEMA \"%s\" TO \"%s\"; GRANT SELECT ON "
                      "\"%s\".%s TO \"%s\";",
                      schema, role, schema, target->folder.dialect->ledger_name, role);
}

static void count(struct waiting *waiting, const struct ledger *ledger, const struct history *history)
{
    const struct folder *folder = &waiting->target->folder;

    waiting->missing = 0;
    waiting->first = NULL;
    waiting->failed = history->failed_count;
    for (size_t i = folder->count - folder->beyond; i-- > 0;) {
        if (ledger->exists && !history->items[i].is_due)
            continue;
        waiting->missing++;
        waiting->first = folder->items[i].name;
    }
    /* A standby that is behind is no other state of the database. */
    if (waiting->is_replica)
        return;
    waiting->progress->is_compared = true;
    memcpy(waiting->progress->migrations, history->counts, sizeof history->counts);
}

/* Whether it is a standby, whether its replay is paused, and how old the last transaction is that it has
 * replayed, in seconds. */
static const struct query REPLICA_STATE = {
    .name = "replica_state",
    .sql =
        "SELECT pg_catalog.pg_is_in_recovery(),"
        " CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_is_wal_replay_paused() END,"
        " EXTRACT(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)"
        " pg_catalog.pg_last_xact_replay_timestamp())::bigint",
};

/* Best effort. */
static void look_at_replica(struct waiting *waiting, struct connection *conn)
{
    auto_text struct text host = text_init(HOST_SIZE);
    auto_result struct result *state = NULL;
    struct error ignored;

    connection_add_server(conn, &host);
    text_copy_cut(waiting->replica, sizeof waiting->replica, host.at);
    if (!query_run(conn, &REPLICA_STATE, NULL, &state, &ignored))
        waiting->lag[0] = '\0';
    else if (!result_bool(state, 0, 0))
        (void)snprintf(waiting->lag, sizeof waiting->lag, "it is no standby");
    else if (result_bool(state, 0, 1))
        (void)snprintf(waiting->lag, sizeof waiting->lag, "its replay is paused");
    else if (!result_is_null(state, 0, 2))
        (void)snprintf(waiting->lag, sizeof waiting->lag,
                       "the last transaction that it has replayed is %s s old", result_text(state, 0, 2));
}

/* Somebody may have rolled back what is missing now; but not on a server that was promoted or restored. */
static bool check_server(struct waiting *waiting, struct connection *conn, struct error *err)
{
    struct identity now;

    if (waiting->missing == 0 || (waiting->least != 0 && waiting->missing == waiting->least))
        return true;
    now = identity_ask(conn);
    if (waiting->missing > waiting->least && waiting->least != 0 &&
        (identity_is_other_system(&waiting->server, &now) ||
         identity_is_other_timeline(&waiting->server, &now))) {
        error_set(err, ERROR_REFUSED,
                  "the database lacks %zu migration%s that it held while this process waited",
                  waiting->missing - waiting->least, text_plural(waiting->missing - waiting->least));
        error_cause(err, CAUSE_BEHIND);
        error_detail(err, "Another server answers, or a standby was promoted, or a backup was restored.");
        error_holds(err, "Nothing was changed.");
        return error_hint(err, "Find out which server is the right one. If it is this one: deploy again.");
    }
    waiting->least = waiting->missing;
    waiting->server = now;
    return true;
}

/* One look; the connection is closed in any case. */
static bool look(struct waiting *waiting, struct connection *conn, struct error *err)
{
    auto_arena struct arena *arena = arena_new();
    const struct target *target = waiting->target;
    const struct ledger_request wanted = { &target->folder, target->endpoint.schema, LEDGER_NAMES,
                                           .is_only_read = true };
    struct ledger ledger;
    struct history history;

    if (!ledger_glance(arena, conn, &wanted, &ledger, err)) {
        explain_denial(target, err);
        return error_context(err, "reading the ledger");
    }
    if (!waiting->is_database_known && ledger.database != NULL) {
        waiting->is_database_known = true;
        if (!waiting->is_replica)
            target_log_database(&ledger, conn);
    }
    if (!floor_check(waiting->config, &ledger, err))
        return false;
    history_compare(arena, &target->folder, ledger.rows, ledger.count, &history);
    count(waiting, &ledger, &history);
    if (waiting->is_replica) {
        look_at_replica(waiting, conn);
        return true;
    }
    if (!check_server(waiting, conn, err))
        return false;
    if (waiting->missing == 0)
        validate_warn_of_strays(&history);
    waiting->holder = (struct leader) { .pid = 0 };
    return waiting->missing == 0 || leader_find(conn, ledger.lock_key, &waiting->holder, err);
}

/* A connection that broke, or a lock that somebody holds on the ledger, only costs one look. */
static bool may_look_again(struct waiting *waiting, struct error *err)
{
    (void)query_failure_explain(err, "Nothing was changed.");
    if ((err->class != ERROR_LOST && err->class != ERROR_TABLE_LOCK) || patience_is_over(&waiting->patience))
        return false;
    if (patience_has_word(&waiting->patience, err->message))
        log_info("%s; looking again", err->message);
    return true;
}

static void say(struct waiting *waiting)
{
    char missing[32];

    (void)snprintf(missing, sizeof missing, "%zu", waiting->missing);
    if (!patience_has_word(&waiting->patience, missing))
        return;
    if (waiting->is_replica)
        log_wait("waiting for the replica at %s: it lacks %zu migration%s, first %s; %s", waiting->replica,
                 waiting->missing, text_plural(waiting->missing), waiting->first, waiting->lag);
    else if (waiting->holder.pid != 0)
        log_wait("waiting for %zu migration%s, first %s; pid %d (\"%s\") leads", waiting->missing,
                 text_plural(waiting->missing), waiting->first, waiting->holder.pid, waiting->holder.name);
    else
        log_wait("waiting for %zu migration%s, first %s; %s", waiting->missing, text_plural(waiting->missing),
                 waiting->first,
                 waiting->failed > 0 ? "the ledger holds a failed migration" : "no deployment is running");
}

static bool give_up_replica(const struct waiting *waiting, struct error *err)
{
    error_set(err, ERROR_LEADER, "the replica at %s still lacks %zu of %zu migration%s", waiting->replica,
              waiting->missing, waiting->wanted, text_plural(waiting->wanted));
    error_detail(err, "%c%s.", waiting->lag[0] == 'i' ? 'I' : 'T', waiting->lag + 1);
    error_holds(err, "The database itself holds all of them. The first that the replica lacks is \"%s\".",
                waiting->first);
    return error_hint(
        err,
        "Look at its replication: SELECT * FROM pg_stat_wal_receiver; and, if its replay is "
        "paused: SELECT pg_wal_replay_resume(); on the replica. To wait longer: --leader-timeout.");
}

static bool give_up(const struct waiting *waiting, struct error *err)
{
    if (waiting->is_replica && waiting->replica[0] != '\0')
        return give_up_replica(waiting, err);
    error_set(err, ERROR_LEADER, "the database still lacks %zu of %zu migration%s", waiting->missing,
              waiting->wanted, text_plural(waiting->wanted));
    error_holds(err, "The first missing migration is \"%s\".%s", waiting->first,
                waiting->failed > 0 ? " The ledger holds a failed migration." : "");
    if (waiting->holder.pid != 0)
        return error_hint(err, "pid %d (\"%s\") leads; to wait longer: --leader-timeout.",
                          waiting->holder.pid, waiting->holder.name);
    return error_hint(err, "To see the state of the deployment that applies them: tidelock status");
}

static bool pause_once(struct waiting *waiting, struct error *err)
{
    if (patience_is_over(&waiting->patience))
        return give_up(waiting, err);
    return patience_back_off(&waiting->patience, waiting->is_replica ? REPLICA_PAUSE_MOST_MS : PAUSE_MOST_MS,
                             err);
}

static bool wait_for(const struct config *config, struct target *target, bool is_replica,
                     struct progress *progress, struct error *err)
{
    /* Until the first look all count as missing. */
    struct waiting waiting = { .config = config,
                               .target = target,
                               .progress = progress,
                               .is_replica = is_replica,
                               .patience = { .until = deadline_in(config->leader_timeout_ms) },
                               .wanted = target->folder.count - target->folder.beyond,
                               .missing = target->folder.count - target->folder.beyond,
                               .first = target->folder.count > 0 ? target->folder.items[0].name : "" };
    struct connection *begun = steal(&target->begun);

    progress_enter(progress, PROGRESS_CONNECTING);
    for (;;) {
        auto_connection struct connection *conn =
            reach_database(config, &target->endpoint, steal(&begun), err);
        bool is_seen = conn != NULL && look(&waiting, conn, err);

        if (!is_seen && (conn == NULL || !may_look_again(&waiting, err)))
            return query_failure_explain(err, "Nothing was changed.");
        if (is_seen && waiting.missing == 0) {
            handover_leave(config->handover, &target->endpoint, steal(&conn), true);
            return true;
        }
        connection_close(steal(&conn));
        progress_enter(progress, PROGRESS_WAITING_LEADER);
        if (is_seen && !patience_is_over(&waiting.patience))
            say(&waiting);
        if (!pause_once(&waiting, err))
            return query_failure_explain(err, "Nothing was changed.");
    }
}

bool wait_for_level(const struct config *config, struct target *target, struct progress *progress,
                    struct error *err)
{
    return wait_for(config, target, false, progress, err);
}

static bool wait_for_replica(const struct config *config, const struct target *target, const char *url,
                             struct progress *progress, struct error *err)
{
    struct target replica = { .folder = target->folder };
    struct config beside;

    return endpoint_find_beside(config, url, &beside, &replica.endpoint, err) &&
           wait_for(&beside, &replica, true, progress, err);
}

/* The URL that comes next, or NULL; *at begins at the list. */
static const char *next_replica(const struct config *config, const char **at)
{
    const char *url;
    size_t length;

    if (*at == NULL)
        return NULL;
    *at += strspn(*at, CONFIG_BLANKS);
    length = strcspn(*at, CONFIG_BLANKS);
    if (length == 0)
        return NULL;
    url = arena_copy(config->arena, *at, length);
    *at += length;
    return url;
}

bool wait_check_replicas(const struct config *config, struct error *err)
{
    const char *at = config->replicas_at;
    const char *url;

    while ((url = next_replica(config, &at)) != NULL) {
        struct endpoint endpoint;
        struct config beside;

        if (!endpoint_find_beside(config, url, &beside, &endpoint, err))
            return error_context(err, "reading --replica");
    }
    return true;
}

bool wait_for_replicas(const struct config *config, const struct target *target, struct progress *progress,
                       struct error *err)
{
    const char *at = config->replicas_at;
    const char *url;

    while ((url = next_replica(config, &at)) != NULL) {
        if (!wait_for_replica(config, target, url, progress, err))
            return error_context(err, "waiting for a replica");
    }
    return true;
}
