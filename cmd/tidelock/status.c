#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "command.h"
#include "config/options.h"
#include "deploy/target.h"
#include "deploy/validate.h"
#include "exits.h"
#include "fleet.h"
#include "history/folder.h"
#include "overview.h"
#include "postgres/query_failure.h"
#include "print.h"
#include "status_json.h"

enum { REMEDY_MOST = 2048, LINE_MOST = 4096 };

static const char *note_of(const struct account *account)
{
    const struct history_item *item = account->item;

    if (!account->is_in_folder && account->verdict != VERDICT_MISSING)
        return "  (not in the folder)";
    if (account->verdict == VERDICT_EDITED)
        return "  (after it was applied)";
    if (account->verdict == VERDICT_INTERRUPTED || account->verdict == VERDICT_FAILED)
        return ledger_row_is_resumable(account->row)
                   ? "  (halfway; the next deployment resumes it, or says what a person has to decide)"
                   : "";
    if (item == NULL)
        return "";
    if (item->is_unread)
        return "  (its script is missing or cannot be read: edited or not, nobody knows)";
    if (account->verdict == VERDICT_PENDING && item->was_rolled_back)
        return "  (rolled back before)";
    return item->is_out_of_order ? "  (older than the last applied)" : "";
}

/* "pid 4711 ("tidelock web-1 shop")" */
static void add_leader(const struct leader *leader, struct text *out)
{
    text_add_format(out, "pid %d (\"%s\")", leader->pid, leader->name);
}

static void add_advancement(const struct advancement *at, struct text *out)
{
    if (!at->is_known)
        return;
    if (at->is_atomic && at->statements > 0)
        text_add_format(out, "; %zu statement%s in one transaction", at->statements,
                        text_plural(at->statements));
    else if (at->rows >= 0)
        text_add_format(out, "; %lld row%s changed so far", (long long)at->rows,
                        text_plural((size_t)at->rows));
    else if (at->statements > at->done)
        text_add_format(out, "; statement %zu of %zu", at->done + 1, at->statements);
    else if (at->statements == 0)
        text_add_format(out, "; statement %zu", at->done + 1);
}

/* Texts of others may have several lines. */
static void print_part(const char *label, const char *text)
{
    while (text != NULL && *text != '\0') {
        size_t length = strcspn(text, "\n");

        print_line("              %-9s %.*s", label, (int)length, text);
        label = "";
        text += length + (text[length] == '\n');
    }
}

/* What there is to say about one that is not done: beneath its line. */
static void print_details(const struct overview *overview, const struct account *account)
{
    auto_text struct text line = text_init(LINE_MOST);

    if (account->verdict == VERDICT_RUNNING) {
        add_leader(&overview->leader, &line);
        add_advancement(&account->advancement, &line);
        if (overview->at_work != NULL)
            text_add_format(&line, "; %s", overview->at_work);
        print_line("              by        %s", line.at);
        return;
    }
    print_part("reason", account->reason);
    print_part("persists", account->persists);
    if (account->persists == NULL && account->row != NULL && !account->row->is_finished)
        print_part("persists", "not known: another tool began it");
}

/* Widths of the columns of --all. */
struct columns {
    int name;
    int took;
};

static void add_took(const struct account *account, struct text *out)
{
    char took[32];

    if (account_is_recorded(account) || account->row->took_ms < 0)
        text_add_string(out, "-");
    else
        text_add_string(out, duration_text(account->row->took_ms, took, sizeof took));
}

static struct columns measure(const struct overview *overview)
{
    struct columns columns = { .name = 0, .took = 0 };

    for (size_t i = 0; i < overview->count; i++) {
        const struct account *account = &overview->accounts[i];
        auto_text struct text took = text_init(LINE_MOST);
        int name = (int)utf8_count(account->name, strlen(account->name));

        if (account->row == NULL || !account->row->is_finished)
            continue;
        add_took(account, &took);
        columns.name = name > columns.name ? name : columns.name;
        columns.took = (int)took.length > columns.took ? (int)took.length : columns.took;
    }
    return columns;
}

/* Some ledgers do not say it. */
static const char *finished_at(const struct account *account)
{
    return account->row->finished_at == NULL ? "-" : account->row->finished_at;
}

/* When it was applied, how long that took, by whom. */
static void print_applied(const struct account *account, struct columns columns)
{
    int padding = columns.name - (int)utf8_count(account->name, strlen(account->name));
    auto_text struct text took = text_init(LINE_MOST);
    auto_text struct text by = text_init(LINE_MOST);

    add_took(account, &took);
    if (account_is_recorded(account))
        text_add_string(&by, "recorded by hand");
    else if (account->origin != NULL)
        text_add_format(&by, "%s, tidelock %s", account->origin->host, account->origin->version);
    else
        text_add_string(&by, "-");
    if (account->origin != NULL && account->origin->release != NULL && !account_is_recorded(account))
        text_add_format(&by, ", release %s", account->origin->release);
    if (account->floor != NULL)
        text_add_format(&by, "; floor %s", account->floor);
    print_line_of(account->name, "  %-11s %s%*s  %s  %-*s  %s", VERDICT_NAMES[account->verdict],
                  account->name, padding, "", finished_at(account), columns.took, took.at, by.at);
}

static void print_accounts(const struct overview *overview, bool is_all)
{
    struct columns columns = measure(overview);

    for (size_t i = 0; i < overview->count; i++) {
        const struct account *account = &overview->accounts[i];
        bool is_unread = account->item != NULL && account->item->is_unread;

        if (!is_all && account->verdict == VERDICT_APPLIED && !is_unread)
            continue;
        if (is_all && account->row != NULL && account->row->is_finished) {
            print_applied(account, columns);
            continue;
        }
        print_line_of(account->name, "  %-11s %s%s", VERDICT_NAMES[account->verdict], account->name,
                      note_of(account));
        print_details(overview, account);
    }
}

/* One that a deployment would not stop at: it resumes it or, as it is not in the folder, leaves it alone. */
static void print_failed_advice(const struct overview *overview, const struct ledger_row *row)
{
    const struct folder *folder = &overview->target->folder;
    auto_text struct text next = text_init(REMEDY_MOST);

    if (folder_find(folder, row->name) == NULL) {
        validate_add_remedy(folder, &overview->history, row, &next);
        print_line("\n%s", next.at);
        return;
    }
    print_line("\nA migration stopped halfway. To resume it: tidelock deploy");
    print_line("Or finish or undo it by hand, then type one of:");
    print_line("  tidelock resolve --rolled-back \"%s\"   none of it is there", row->name);
    print_line("  tidelock resolve --applied \"%s\"       all of it is there", row->name);
}

/* Missing migrations of an older release may be part of what is pending. */
static void print_replacement_advice(const struct overview *overview)
{
    auto_text struct text missing = text_init(REMEDY_MOST);
    auto_text struct text command = text_init(REMEDY_MOST);
    const char *condition = validate_add_replacement(&overview->target->folder, &overview->history, &command);

    validate_add_missing(&overview->history, &missing);
    print_line("\n%s%s", missing.at, condition == NULL ? "." : ";");
    if (condition == NULL)
        return;
    print_line("%s:", condition);
    print_line("  %s", command.at);
}

static void print_pending_advice(const struct overview *overview)
{
    const struct history *history = &overview->history;
    size_t applied = history->counts[VERDICT_APPLIED] + history->counts[VERDICT_EDITED];

    if (history->missing_count > 0 && !history->is_ahead)
        print_replacement_advice(overview);
    print_line("\nTo apply what is pending: tidelock deploy");
    if (overview->ledger.exists && applied + history->missing_count == 0)
        print_line(
            "If the schema already holds what all of them make: tidelock baseline; if the first ones "
            "only: tidelock baseline --to NAME, with the last of these");
}

/* A failure's reason stands with its migration. */
static bool is_said(const struct overview *overview, const char *detail)
{
    for (size_t i = 0; i < overview->count; i++) {
        const char *reason = overview->accounts[i].reason;

        if (reason != NULL && strstr(reason, detail) != NULL)
            return true;
    }
    return false;
}

/* What a deployment would say, in its words. */
static void print_refusal(const struct overview *overview)
{
    const struct error *refusal = &overview->refusal;

    print_line(overview_is_up_to_date(overview)
                   ? "\nNothing is pending, but a deployment would be refused: %s."
                   : "\nA deployment would be refused: %s.",
               refusal->message);
    if (refusal->place.line > 0)
        print_line("%s:%zu:%zu: %s", refusal->place.file, refusal->place.line, refusal->place.column,
                   refusal->place.source);
    if (refusal->detail[0] != '\0' && !is_said(overview, refusal->detail))
        print_line("%s", refusal->detail);
    if (refusal->hint[0] != '\0')
        print_line("%s", refusal->hint);
}

/* The file is not what was run; nothing here can tell whether that matters. */
static void print_edited_advice(const struct overview *overview)
{
    size_t edited = overview->counts[VERDICT_EDITED];

    if (edited > 0)
        print_line(
            "\nWarning: %zu migration%s edited after %s applied; the edit was not run. Restore the "
            "file%s, and put the change into a new migration; or, if it changes nothing: tidelock resolve "
            "--accept-edit NAME",
            edited, edited == 1 ? " was" : "s were", edited == 1 ? "it was" : "they were",
            text_plural(edited));
}

static void print_drift(const struct overview *overview)
{
    const struct drift *drift = &overview->drift;
    size_t count = drift->diff.count;

    if (overview->no_drift != NULL || count == 0)
        return;
    print_line("\nWarning: the schema is not as the deployment of %s left it: %zu difference%s:",
               drift->recorded.at, count, text_plural(count));
    for (size_t i = 0; i < count && i < DRIFT_SHOWN_MOST; i++) {
        auto_text struct text line = text_init(LINE_MOST);

        drift_add_line(&drift->diff.items[i], &line);
        print_line("  %s", line.at);
    }
    print_line("To see %s: tidelock drift", count > DRIFT_SHOWN_MOST ? "all of them" : "how");
}

static void print_advice(const struct overview *overview)
{
    const struct history *history = &overview->history;

    print_drift(overview);
    print_edited_advice(overview);
    if (overview_is_up_to_date(overview) && overview->refusal.class == ERROR_NONE &&
        !overview_is_too_old(overview))
        print_line("\nDatabase schema is up to date!");
    if (overview->leader.pid != 0) {
        auto_text struct text who = text_init(LINE_MOST);

        add_leader(&overview->leader, &who);
        print_line("\nA deployment is running: %s%s%s.", who.at,
                   overview->since[0] == '\0' ? "" : ", at work since ", overview->since);
    } else if (overview->refusal.class != ERROR_NONE)
        print_refusal(overview);
    else if (history->failed_count > 0)
        print_failed_advice(overview, history->failed[0]);
    else if (history->counts[VERDICT_PENDING] > 0)
        print_pending_advice(overview);
}

/* "2 pending, 1 running": the rare ones only where there are any. */
static void add_counts(const struct overview *overview, struct text *out)
{
    static const struct {
        enum verdict verdict;
        bool is_rare;
    } shown[] = { { VERDICT_APPLIED, false },    { VERDICT_PENDING, false }, { VERDICT_RUNNING, true },
                  { VERDICT_INTERRUPTED, true }, { VERDICT_FAILED, false },  { VERDICT_EDITED, false } };

    for (size_t i = 0; i < array_length(shown); i++) {
        size_t count = overview->counts[shown[i].verdict];

        if (count > 0 || !shown[i].is_rare)
            text_add_format(out, "%s%zu %s", i == 0 ? "" : ", ", count, VERDICT_NAMES[shown[i].verdict]);
    }
}

static const char *ledger_note(const struct overview *overview)
{
    if (overview->ledger.exists)
        return "";
    return overview->refusal.cause == CAUSE_NO_LEDGER ? " (no ledger; if it has another name: --ledger)"
                                                      : " (no ledger)";
}

static void print_floor(const struct overview *overview)
{
    const struct floor *floor = overview->floor;

    if (floor != NULL)
        print_line("Runs on this schema: release %s or newer (%s)%s%s", floor->release, floor->key,
                   overview->release == NULL ? "" : "; this is release ",
                   overview->release == NULL ? "" : overview->release);
}

static void print_overview(const struct overview *overview, bool is_all)
{
    auto_text struct text counts = text_init(LINE_MOST);

    add_counts(overview, &counts);
    print_line("Database \"%s\", schema \"%s\" at %s%s", overview->ledger.database,
               overview->ledger.default_schema, overview->server, ledger_note(overview));
    if (overview->ledger.dialect->format != DIALECTS[0]->format)
        print_line("Ledger of %s: %s", overview->ledger.dialect->tool, overview->ledger.table);
    print_line("%zu migration%s found in %s: %s; %zu missing", overview->target->folder.count,
               text_plural(overview->target->folder.count), overview->target->folder.path, counts.at,
               overview->counts[VERDICT_MISSING]);
    print_floor(overview);
    print_accounts(overview, is_all);
    print_advice(overview);
}

/* What --exit-code asks. */
static bool lacks_something(const struct overview *overview)
{
    return !overview_is_up_to_date(overview) || overview_is_too_old(overview);
}

/* What needs attention first; empty = nothing. */
static void summarize(const struct overview *overview, struct text *out)
{
    static const enum verdict said[] = { VERDICT_FAILED, VERDICT_INTERRUPTED, VERDICT_RUNNING,
                                         VERDICT_PENDING, VERDICT_EDITED };

    for (size_t i = 0; i < array_length(said); i++) {
        if (overview->counts[said[i]] > 0)
            text_add_format(out, "%s%zu %s", out->length == 0 ? "" : ", ", overview->counts[said[i]],
                            VERDICT_NAMES[said[i]]);
    }
    if (overview->no_drift == NULL && overview->drift.diff.count > 0)
        text_add_format(out, "%sdrift", out->length == 0 ? "" : ", ");
    if (overview->refusal.class != ERROR_NONE)
        text_add_format(out, "%srefused: %s", out->length == 0 ? "" : ", ", overview->refusal.message);
}

static bool status_tenant(const struct tenant_run *run, struct error *err)
{
    auto_text struct text said = text_init(LINE_MOST);
    struct overview overview;
    struct target target;

    if (!target_find(run->arena, run->config, false, &target, err) ||
        !overview_read(run->arena, run->config, &target, &overview, err))
        return query_failure_explain(err, "Nothing was changed.");
    summarize(&overview, &said);
    fleet_say(run,
              overview.counts[VERDICT_PENDING] + overview.counts[VERDICT_FAILED] +
                  overview.counts[VERDICT_INTERRUPTED],
              "%s", said.length == 0 ? "up to date" : said.at);
    fleet_judge(run, said.length == 0, lacks_something(&overview));
    if (run->config->wants_json)
        fleet_attach(run, status_json(&overview));
    return true;
}

static bool status_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    struct overview overview;
    struct target target;

    if (config->wants_json_schema && !tenants_are_asked_for(config)) {
        print_each(STATUS_SCHEMA);
        return true;
    }
    if (tenants_are_asked_for(config))
        return fleet_run(config,
                         &(const struct fleet_words) { .run = status_tenant,
                                                       .counted = "not_applied",
                                                       .details = "status",
                                                       .fine = "up to date",
                                                       .other = "to look at",
                                                       .is_no = config->wants_exit_code },
                         NULL, exit_code, err);
    if (!target_find(arena, config, false, &target, err) ||
        !overview_read(arena, config, &target, &overview, err))
        return query_failure_explain(err, "Nothing was changed.");
    if (config->wants_json)
        print_json(status_json(&overview));
    else
        print_overview(&overview, config->wants_all);
    if (config->wants_exit_code && lacks_something(&overview))
        *exit_code = EXIT_NO;
    return true;
}

const struct command COMMAND_STATUS = {
    .name = "status",
    .usage = "[--all] [--json] [--exit-code]",
    .summary = "compare the folder with the ledger; change nothing",
    .about =
        "Lists what is pending, running, interrupted, failed, edited after it was applied, or missing from "
        "the folder; with --all and in JSON, every migration with when it was applied, how long that took, "
        "and by whom. With --exit-code, or as \"tidelock migrate status\", exits with 1 if the database "
        "does not hold every migration of the folder, or if --release is too old for it.",
    .example = "tidelock status --exit-code",
    .options = FOR_STATUS,
    .run = status_run,
};
