#include "status_json.h"

#include <stddef.h>
#include <string.h>

#include "exits.h"
#include "sides.h"

/* Made by the build from status.schema.json. */
const char *const STATUS_SCHEMA[] = {
#include "status.schema.json.h"
    NULL,
};

static struct json *leader_json(const struct overview *overview)
{
    const struct leader *leader = &overview->leader;
    struct json *object;

    if (leader->pid == 0)
        return NULL;
    object = json_new_object();
    json_set_number(object, "pid", leader->pid);
    json_set_text(object, "application", leader->name);
    json_set_text(object, "address", leader->address[0] == '\0' ? NULL : leader->address);
    json_set_text(object, "since", overview->since[0] == '\0' ? NULL : overview->since);
    json_set_text(object, "statement", overview->at_work);
    return object;
}

/* An object, or null. */
static void set_object(struct json *parent, const char *key, struct json *object)
{
    if (object == NULL)
        json_set_text(parent, key, NULL);
    else
        json_set(parent, key, object);
}

static struct json *origin_json(const struct origin *origin)
{
    struct json *object;

    if (origin == NULL)
        return NULL;
    object = json_new_object();
    json_set_text(object, "host", origin->host);
    json_set_text(object, "version", origin->version);
    json_set_text(object, "release", origin->release);
    return object;
}

/* A number, or null. */
static void set_known(struct json *object, const char *key, bool is_known, int64_t number)
{
    if (is_known)
        json_set_number(object, key, number);
    else
        json_set_text(object, key, NULL);
}

static struct json *progress_json(const struct advancement *at)
{
    struct json *object;

    if (!at->is_known)
        return NULL;
    object = json_new_object();
    set_known(object, "statements_done", !at->is_atomic, (int64_t)at->done);
    set_known(object, "statements", at->statements > 0, (int64_t)at->statements);
    set_known(object, "rows_changed", at->rows >= 0, at->rows);
    return object;
}

static struct json *failure_json(const struct account *account)
{
    struct json *object;

    if (account->reason == NULL && account->persists == NULL)
        return NULL;
    object = json_new_object();
    json_set_text(object, "reason", account->reason);
    json_set_text(object, "persists", account->persists);
    return object;
}

static struct json *refusal_json(const struct error *refusal)
{
    struct json *object;

    if (refusal->class == ERROR_NONE)
        return NULL;
    object = json_new_object();
    json_set_number(object, "exit_code", exit_code_of(refusal));
    json_set_text(object, "code", refusal->code[0] == '\0' ? NULL : refusal->code);
    json_set_text(object, "message", refusal->message);
    json_set_text(object, "detail", refusal->detail[0] == '\0' ? NULL : refusal->detail);
    json_set_text(object, "next", refusal->hint);
    return object;
}

static bool needs_baseline(const struct overview *overview)
{
    return !overview->ledger.exists && overview->refusal.class == ERROR_REFUSED &&
           overview->refusal.cause == CAUSE_NO_LEDGER;
}

static struct json *account_json(const struct account *account)
{
    const struct ledger_row *row = account->row;
    bool is_applied = row != NULL && row->is_finished;
    struct json *object = json_new_object();

    json_set_text(object, "name", account->name);
    json_set_text(object, "state", VERDICT_NAMES[account->verdict]);
    json_set_bool(object, "in_folder", account->is_in_folder);
    json_set_bool(object, "out_of_order", account->item != NULL && account->item->is_out_of_order);
    json_set_bool(object, "rolled_back_before", account->item != NULL && account->item->was_rolled_back);
    json_set_bool(object, "script_unreadable", account->item != NULL && account->item->is_unread);
    json_set_bool(object, "recorded_by_hand", account_is_recorded(account));
    json_set_text(object, "started_at", account->started_at);
    json_set_text(object, "applied_at", is_applied ? row->finished_at : NULL);
    set_known(object, "duration_ms", is_applied && !account_is_recorded(account) && row->took_ms >= 0,
              is_applied ? row->took_ms : 0);
    set_object(object, "by", origin_json(account->origin));
    json_set_text(object, "floor", account->floor);
    set_object(object, "progress", progress_json(&account->advancement));
    set_object(object, "failure", failure_json(account));
    return object;
}

static struct json *counts_json(const struct overview *overview)
{
    struct json *counts = json_new_object();

    for (int i = 0; i < VERDICTS; i++)
        json_set_number(counts, VERDICT_NAMES[i], (int64_t)overview->counts[i]);
    return counts;
}

/* Names of those in one of these states. */
static struct json *names_json(const struct overview *overview, unsigned verdicts)
{
    struct json *names = json_new_array();

    for (size_t i = 0; i < overview->count; i++) {
        if ((verdicts & 1u << overview->accounts[i].verdict) != 0)
            json_append_text(names, overview->accounts[i].name);
    }
    return names;
}

static struct json *drift_json(const struct overview *overview)
{
    const struct drift *drift = &overview->drift;
    struct json *object;
    struct json *differences;

    if (overview->no_drift != NULL && overview->no_drift[0] == '\0')
        return NULL;
    object = json_new_object();
    differences = json_new_array();
    for (size_t i = 0; overview->no_drift == NULL && i < drift->diff.count; i++)
        json_append(differences, sides_difference_json(&drift->diff.items[i]));
    json_set_text(object, "unknown_because", overview->no_drift);
    json_set_text(object, "recorded_at", drift->recorded.exists ? drift->recorded.at : NULL);
    json_set(object, "differences", differences);
    return object;
}

static struct json *ledger_json(const struct ledger *ledger)
{
    struct json *object = json_new_object();

    json_set_text(object, "tool", ledger->dialect->tool);
    json_set_text(object, "format", FORMAT_NAMES[ledger->dialect->format]);
    json_set_text(object, "schema", ledger->schema);
    json_set_text(object, "table", ledger->dialect->ledger_name);
    return object;
}

static struct json *floor_json(const struct overview *overview)
{
    struct json *object;

    if (overview->floor == NULL)
        return NULL;
    object = json_new_object();
    json_set_text(object, "release", overview->floor->release);
    json_set_text(object, "migration", overview->floor->key);
    if (overview->release == NULL)
        json_set_text(object, "allows_this_release", NULL);
    else
        json_set_bool(object, "allows_this_release", !overview_is_too_old(overview));
    return object;
}

struct json *status_json(const struct overview *overview)
{
    struct json *migrations = json_new_array();
    struct json *root = json_new_object();

    for (size_t i = 0; i < overview->count; i++)
        json_append(migrations, account_json(&overview->accounts[i]));
    json_set_text(root, "database", overview->ledger.database);
    json_set_text(root, "schema", overview->ledger.default_schema);
    json_set_text(root, "folder", overview->target->folder.path);
    json_set(root, "ledger", ledger_json(&overview->ledger));
    json_set_bool(root, "has_ledger", overview->ledger.exists);
    json_set_bool(root, "needs_baseline", needs_baseline(overview));
    json_set_bool(root, "up_to_date", overview_is_up_to_date(overview));
    json_set_bool(root, "running", overview->leader.pid != 0);
    set_object(root, "leader", leader_json(overview));
    json_set_text(root, "release", overview->release);
    set_object(root, "floor", floor_json(overview));
    set_object(root, "refusal", refusal_json(&overview->refusal));
    set_object(root, "drift", drift_json(overview));
    json_set(root, "counts", counts_json(overview));
    json_set(root, "migrations", migrations);
    json_set(root, "missing", names_json(overview, 1u << VERDICT_MISSING));
    json_set(root, "failed", names_json(overview, 1u << VERDICT_FAILED | 1u << VERDICT_INTERRUPTED));
    return root;
}
