#include <string.h>

#include "base/log.h"
#include "command.h"
#include "config/options.h"
#include "deploy/target.h"
#include "deploy/validate.h"
#include "exits.h"
#include "history/compare.h"
#include "history/folder.h"
#include "history/ledger.h"
#include "lock/leader.h"
#include "postgres/query_failure.h"
#include "postgres/reach.h"
#include "print.h"

enum { REMEDY_MOST = 2048 };

/* What both output formats show. */
struct overview {
    const struct target *target;
    struct ledger ledger;
    struct history history;
    struct leader leader; /* pid 0 = none */
};

static bool overview_read(struct arena *arena, const struct config *config, struct target *target,
                          struct overview *out, struct error *err)
{
    auto_connection struct connection *conn = reach_database(config, &target->endpoint, NULL, err);
    const struct ledger_request wanted = { target->folder.dialect, target->endpoint.schema, LEDGER_CHECKSUMS,
                                           .is_only_read = true };

    out->target = target;
    if (conn == NULL || !ledger_read(arena, conn, &wanted, &out->ledger, err))
        return false;
    history_compare(arena, &target->folder, out->ledger.rows, out->ledger.count, &out->history);
    for (size_t i = 0; i < target->folder.count; i++) {
        if (!history_check_edited(&out->history, &target->folder, i, err))
            return false;
    }
    /* An unfinished row has failed or is being applied right now: only the leader lock tells which. */
    return out->history.failed_count == 0 || leader_find(conn, out->ledger.lock_key, &out->leader, err);
}

/* The answer for --exit-code: does the database hold everything that this folder needs? */
static bool is_up_to_date(const struct overview *overview)
{
    return overview->history.counts[VERDICT_PENDING] == 0 && overview->history.counts[VERDICT_FAILED] == 0;
}

static const char *item_note(const struct overview *overview, const struct history_item *item)
{
    if (item->verdict == VERDICT_FAILED && overview->leader.pid != 0)
        return "  (running)";
    if (item->verdict == VERDICT_FAILED)
        return ledger_row_is_resumable(item->row)
                   ? "  (halfway; the next deployment resumes it, or says what a person has to decide)"
                   : "";
    if (item->was_rolled_back && item->verdict == VERDICT_PENDING)
        return "  (failed before, rolled back)";
    return item->is_out_of_order ? "  (older than the last applied)" : "";
}

static void print_findings(const struct overview *overview)
{
    const struct history *history = &overview->history;

    for (size_t i = 0; i < overview->target->folder.count; i++) {
        const struct history_item *item = &history->items[i];

        if (item->verdict != VERDICT_APPLIED)
            print_line("  %-8s %s%s", VERDICT_NAMES[item->verdict], overview->target->folder.items[i].name,
                       item_note(overview, item));
    }
    for (size_t i = 0; i < history->stray_count; i++)
        print_line("  %-8s %s  (%snot in the folder)", VERDICT_NAMES[VERDICT_FAILED],
                   history->strays[i]->name, overview->leader.pid != 0 ? "running; " : "");
    for (size_t i = 0; i < history->missing_count; i++)
        print_line("  %-8s %s", VERDICT_NAMES[VERDICT_MISSING], history->missing[i]->name);
}

/* Where only one of the two answers can work. */
static void print_only_advice(const struct overview *overview, const struct ledger_row *row)
{
    auto_text struct text next = text_init(REMEDY_MOST);

    validate_add_remedy(&overview->target->folder, &overview->history, row, &next);
    print_line("\n%s", next.at);
}

static void print_failed_advice(const struct overview *overview, const struct ledger_row *row)
{
    const struct folder *folder = &overview->target->folder;
    const struct migration *migration = folder_find(folder, row->name);

    if (migration == NULL || overview->history.items[migration - folder->items].was_finished) {
        print_only_advice(overview, row);
        return;
    }
    if (ledger_row_is_resumable(row)) {
        print_line("\nA migration stopped halfway. To resume it: tidelock deploy");
        print_line("Or finish or undo it by hand, then type one of:");
    } else {
        print_line("\nA migration failed halfway. Check the schema, then type one of:");
    }
    print_line("  tidelock resolve --rolled-back \"%s\"   none of it is there", row->name);
    print_line("  tidelock resolve --applied \"%s\"       all of it is there", row->name);
}

/* Missing migrations of an older release may be part of what is pending. */
static void print_replacement_advice(const struct overview *overview)
{
    auto_text struct text missing = text_init(REMEDY_MOST);
    auto_text struct text command = text_init(REMEDY_MOST);

    validate_add_missing(&overview->history, &missing);
    validate_add_replacement(&overview->target->folder, &overview->history, &command);
    print_line("\n%s.", missing.at);
    print_line("If a pending one replaces them, and the database already holds all of it:");
    print_line("  %s", command.at);
}

static void print_pending_advice(const struct overview *overview)
{
    const struct history *history = &overview->history;
    size_t applied = history->counts[VERDICT_APPLIED] + history->counts[VERDICT_EDITED];

    if (history->missing_count > 0 && !history->is_ahead)
        print_replacement_advice(overview);
    print_line("\nTo apply what is pending: tidelock deploy");
    if (applied + history->missing_count == 0)
        print_line("If the database already holds the schema: tidelock baseline");
}

static void print_advice(const struct overview *overview)
{
    const struct history *history = &overview->history;

    if (is_up_to_date(overview))
        print_line("\nDatabase schema is up to date!");
    if (history->failed_count > 0 && overview->leader.pid != 0)
        print_line("\nA deployment is running: pid %d (\"%s\").", overview->leader.pid,
                   overview->leader.name);
    else if (history->failed_count > 0)
        print_failed_advice(overview, history->failed[0]);
    else if (history->counts[VERDICT_PENDING] > 0)
        print_pending_advice(overview);
}

static void print_overview(const struct overview *overview)
{
    const struct history *history = &overview->history;

    print_line("Database \"%s\", schema \"%s\" at %s%s", overview->ledger.database, overview->ledger.schema,
               overview->target->endpoint.label, overview->ledger.exists ? "" : " (no ledger)");
    print_line("%zu migration%s found in %s: %zu applied, %zu pending, %zu failed, %zu edited; %zu missing",
               overview->target->folder.count, text_plural(overview->target->folder.count),
               overview->target->folder.path, history->counts[VERDICT_APPLIED],
               history->counts[VERDICT_PENDING], history->counts[VERDICT_FAILED] + history->stray_count,
               history->counts[VERDICT_EDITED], history->missing_count);
    print_findings(overview);
    print_advice(overview);
}

static struct json *names_json(const struct ledger_row *const *rows, size_t count)
{
    struct json *names = json_new_array();

    for (size_t i = 0; i < count; i++)
        json_append_text(names, rows[i]->name);
    return names;
}

static void print_overview_json(const struct overview *overview)
{
    const struct history *history = &overview->history;
    struct json *migrations = json_new_array();
    struct json *root = json_new_object();

    for (size_t i = 0; i < overview->target->folder.count; i++) {
        const struct history_item *item = &history->items[i];
        struct json *entry = json_new_object();

        json_set_text(entry, "name", overview->target->folder.items[i].name);
        json_set_text(entry, "state", VERDICT_NAMES[item->verdict]);
        json_set_bool(entry, "out_of_order", item->is_out_of_order);
        json_set_bool(entry, "rolled_back_before", item->was_rolled_back);
        json_append(migrations, entry);
    }
    json_set_text(root, "database", overview->ledger.database);
    json_set_text(root, "schema", overview->ledger.schema);
    json_set_bool(root, "has_ledger", overview->ledger.exists);
    json_set_bool(root, "up_to_date", is_up_to_date(overview));
    json_set_text(root, "folder", overview->target->folder.path);
    json_set(root, "migrations", migrations);
    json_set(root, "missing", names_json(history->missing, history->missing_count));
    json_set(root, "failed", names_json(history->failed, history->failed_count));
    json_set_bool(root, "running", overview->leader.pid != 0);
    print_json(root);
}

static bool status_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    struct overview overview = { .target = NULL };
    struct target target;

    if (!target_find(arena, config, false, &target, err) ||
        !overview_read(arena, config, &target, &overview, err))
        return query_failure_explain(err, "Nothing was changed.");
    if (config->wants_json)
        print_overview_json(&overview);
    else
        print_overview(&overview);
    if (config->wants_exit_code && !is_up_to_date(&overview))
        *exit_code = EXIT_NO;
    return true;
}

const struct command COMMAND_STATUS = {
    .name = "status",
    .usage = "[--json] [--exit-code]",
    .summary = "compare the folder with the ledger; change nothing",
    .about =
        "Lists what is pending, failed, edited after it was applied, or missing from the folder. With "
        "--exit-code, or as \"tidelock migrate status\", exits with 1 if something is pending or failed.",
    .example = "tidelock status --exit-code",
    .options = FOR_STATUS,
    .run = status_run,
};
