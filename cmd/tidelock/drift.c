#include "deploy/drift.h"

#include <string.h>

#include "base/log.h"
#include "base/patience.h"
#include "command.h"
#include "config/options.h"
#include "deploy/target.h"
#include "exits.h"
#include "fleet.h"
#include "history/compare.h"
#include "lock/follow.h"
#include "postgres/handover.h"
#include "postgres/query_failure.h"
#include "postgres/reach.h"
#include "sides.h"

enum { NAME_MOST = 128, LOOKS_MOST = 5 };

/* One call of the command. */
struct look {
    struct arena *arena;
    const struct config *config;
    struct connection *conn;
    struct target target;
    bool is_found; /* the target, since the last look */
    struct ledger ledger;
    struct side from;
    struct side to;
};

static bool read_ledger(struct look *look, struct ledger *out, struct error *err)
{
    const struct ledger_request wanted = { &look->target.folder, look->target.endpoint.schema,
                                           LEDGER_CHECKSUMS, true };

    return ledger_read(look->arena, look->conn, &wanted, out, err);
}

/* Half of a migration is no drift: waits for the end of a deployment. */
static bool wait_for_calm(struct look *look, struct error *err)
{
    struct patience patience = { .until = deadline_in(look->config->leader_timeout_ms) };
    struct leader holder;

    for (;;) {
        if (!leader_find(look->conn, look->target.folder.dialect->lock_key, &holder, err))
            return false;
        if (holder.pid == 0)
            return true;
        if (!follow_pause(&patience, &holder, err))
            return false;
    }
}

static bool refuse(const char *why, struct error *err)
{
    error_set(err, ERROR_REFUSED, "there is nothing to compare the schema with: %s", why);
    return error_hint(err,
                      "To compare it with what the folder makes: tidelock drift --shadow create, or an empty "
                      "database's URL. A deployment that applies something records the schema.");
}

static bool compare_recorded(struct look *look, struct error *err)
{
    const struct drift_request wanted = { look->config, look->conn, &look->ledger, false };
    auto_text struct text name = text_init(NAME_MOST);
    struct drift drift;

    if (!drift_find(look->arena, &wanted, &drift, err))
        return false;
    if (drift.unknown != NULL)
        return refuse(drift.unknown, err);
    text_add_format(&name, "the schema recorded at %s", drift.recorded.at);
    look->from = (struct side) { .name = arena_copy(look->arena, name.at, name.length),
                                 .facts = drift.recorded.facts };
    look->to.facts = drift.live;
    return true;
}

/* Pending migrations have made nothing yet. */
static void keep_applied(struct look *look)
{
    struct folder *folder = &look->target.folder;
    struct history history;
    size_t count = 0;

    history_compare(look->arena, folder, look->ledger.rows, look->ledger.count, &history);
    if (history.missing_count > 0)
        log_warn("%zu applied migration%s missing from the folder: what %s made is shown as a difference",
                 history.missing_count, history.missing_count == 1 ? " is" : "s are",
                 history.missing_count == 1 ? "it" : "they");
    for (size_t i = 0; i < folder->count; i++) {
        enum verdict verdict = history.items[i].verdict;

        if (verdict == VERDICT_APPLIED || verdict == VERDICT_EDITED)
            folder->items[count++] = folder->items[i];
    }
    folder->count = count;
    folder->beyond = 0;
}

static bool compare_replayed(struct look *look, struct error *err)
{
    const struct drift_request live = { look->config, look->conn, &look->ledger, false };

    keep_applied(look);
    look->from = (struct side) { .name = "migrations", .is_replayed = true };
    if (!side_replay_target(look->config, &look->target, look->conn, &look->from.facts, err) ||
        !wait_for_calm(look, err) || !drift_read_live(look->arena, &live, &look->to.facts, err))
        return false;
    facts_ignore(&look->from.facts, look->config->ignored_facts);
    return true;
}

/* What was recorded can be compared without the folder. */
static bool find_target(struct look *look, struct error *err)
{
    if (look->config->shadow == NULL)
        return target_find_database(look->arena, look->config, &look->target, err);
    return target_find(look->arena, look->config, true, &look->target, err);
}

/* A deployment that came and went in the meantime has changed the ledger. */
static bool is_calm(struct look *look, bool *is_calm, struct error *err)
{
    char before[SHA256_HEX_SIZE];
    char after[SHA256_HEX_SIZE];
    struct leader holder;
    struct ledger again;

    if (!leader_find(look->conn, look->target.folder.dialect->lock_key, &holder, err) ||
        !read_ledger(look, &again, err))
        return false;
    recorded_ledger(&look->ledger, before);
    recorded_ledger(&again, after);
    *is_calm = holder.pid == 0 && strcmp(before, after) == 0;
    return true;
}

static bool look_once(struct look *look, bool *is_done, struct error *err)
{
    if ((!look->is_found && !find_target(look, err)) ||
        (look->config->shadow == NULL && !target_find_ledger(look->config, look->conn, &look->target, err)) ||
        !wait_for_calm(look, err) || !read_ledger(look, &look->ledger, err))
        return false;
    look->is_found = false;
    if (!look->ledger.exists)
        return refuse("there is no ledger (if it has another name: --ledger)", err);
    return (look->config->shadow == NULL ? compare_recorded(look, err) : compare_replayed(look, err)) &&
           is_calm(look, is_done, err);
}

static bool compare(struct look *look, struct error *err)
{
    bool is_done = false;

    for (int i = 0; i < LOOKS_MOST && !is_done; i++) {
        if (!look_once(look, &is_done, err))
            return false;
    }
    if (is_done)
        return true;
    error_set(err, ERROR_LEADER, "deployments changed the schema while it was being compared");
    return error_hint(err, "Try again when nothing is being deployed.");
}

static bool look(struct look *look, struct error *err)
{
    auto_connection struct connection *conn = NULL;

    if (!sides_check_format(look->config, err) || !find_target(look, err))
        return false;
    look->is_found = true;
    look->conn = conn = reach_database(look->config, &look->target.endpoint, NULL, err);
    if (conn == NULL || !compare(look, err))
        return query_failure_explain(err, "Nothing was changed.");
    handover_leave(look->config->handover, &look->target.endpoint, steal(&conn), true);
    return true;
}

static bool drift_tenant(const struct tenant_run *run, struct error *err)
{
    struct look it = { .arena = run->arena, .config = run->config, .to = { .name = "the database" } };
    struct json *said = NULL;
    size_t count;

    if (!look(&it, err))
        return false;
    count = sides_tell(run->arena, &it.from, &it.to, run->config->wants_json ? &said : NULL);
    if (said != NULL)
        fleet_attach(run, said);
    if (count == 0)
        fleet_say(run, 0, "no difference");
    else
        fleet_say(run, count, "%zu difference%s", count, text_plural(count));
    return true;
}

static bool drift_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    struct look it = { .arena = arena, .config = config, .to = { .name = "the database" } };

    if (tenants_are_asked_for(config))
        return fleet_run(config,
                         &(const struct fleet_words) { .run = drift_tenant,
                                                       .counted = "differences",
                                                       .details = "drift",
                                                       .fine = "without a difference",
                                                       .other = "with differences",
                                                       .is_no = true },
                         NULL, exit_code, err);
    if (!look(&it, err))
        return false;
    if (sides_print(arena, config, &it.from, &it.to) > 0)
        *exit_code = EXIT_NO;
    return true;
}

const struct command COMMAND_DRIFT = {
    .name = "drift",
    .usage = "[--shadow URL] [--ignore PATTERNS] [--json]",
    .summary = "say what was changed in the schema, and by no migration",
    .about =
        "Compares the schema with what the last deployment recorded, or, with --shadow, with what the applied "
        "migrations of the folder make in an empty database. Only the latter needs the folder. Waits for the end of a deployment. Exits with 1 "
        "if something is different. Changes nothing.",
    .example = "tidelock drift --shadow create --ignore grant",
    .options = FOR_DRIFT,
    .run = drift_run,
};
