#include "deploy/wait.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/patience.h"
#include "deploy/validate.h"
#include "history/compare.h"
#include "history/ledger.h"
#include "lock/follow.h"
#include "lock/leader.h"
#include "postgres/query_failure.h"
#include "postgres/reach.h"

enum { PAUSE_MOST_MS = 3000 };

struct waiting {
    const struct target *target;
    struct progress *progress;
    struct patience patience;
    struct leader holder;
    size_t wanted;     /* all of the folder, or up to --to */
    size_t missing;    /* … from the database */
    const char *first; /* of those */
    size_t failed;
    bool is_database_known;
};

/* A role that may only read needs to know which privileges that takes. */
static bool explain_denial(const struct target *target, struct error *err)
{
    const char *schema = target->endpoint.schema == NULL ? "public" : target->endpoint.schema;
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
    waiting->progress->is_compared = true;
    memcpy(waiting->progress->migrations, history->counts, sizeof history->counts);
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
        target_log_database(&ledger, conn);
    }
    history_compare(arena, &target->folder, ledger.rows, ledger.count, &history);
    count(waiting, &ledger, &history);
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
    if (waiting->holder.pid != 0)
        log_wait("waiting for %zu migration%s, first %s; pid %d (\"%s\") leads", waiting->missing,
                 text_plural(waiting->missing), waiting->first, waiting->holder.pid, waiting->holder.name);
    else
        log_wait("waiting for %zu migration%s, first %s; %s", waiting->missing, text_plural(waiting->missing),
                 waiting->first,
                 waiting->failed > 0 ? "the ledger holds a failed migration" : "no deployment is running");
}

static bool give_up(const struct waiting *waiting, struct error *err)
{
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
    return patience_back_off(&waiting->patience, PAUSE_MOST_MS, err);
}

bool wait_for_level(const struct config *config, struct target *target, struct progress *progress,
                    struct error *err)
{
    /* Until the first look all count as missing. */
    struct waiting waiting = { .target = target,
                               .progress = progress,
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
        connection_close(steal(&conn));
        if (is_seen && waiting.missing == 0)
            return true;
        progress_enter(progress, PROGRESS_WAITING_LEADER);
        if (is_seen)
            say(&waiting);
        if (!pause_once(&waiting, err))
            return query_failure_explain(err, "Nothing was changed.");
    }
}
