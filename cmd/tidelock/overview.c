#include "overview.h"

#include <string.h>

#include "base/text.h"
#include "deploy/validate.h"
#include "history/folder.h"
#include "history/journal.h"
#include "history/script_file.h"
#include "lock/beacon.h"
#include "postgres/query.h"
#include "postgres/reach.h"
#include "sql/persisted.h"
#include "sql/script.h"
#include "traffic/statement_progress.h"
#include "traffic/watch_question.h"

enum { TEXT_MOST = 64 * 1024, SQL_MOST = 4096 };

bool overview_is_up_to_date(const struct overview *overview)
{
    return overview->history.due_count == 0;
}

bool account_is_recorded(const struct account *account)
{
    return account->row != NULL && account->row->is_finished && account->row->steps == 0 &&
           account->row->logs != NULL && account->row->logs[0] == '\0';
}

static const char *keep(struct arena *arena, const struct text *text)
{
    return arena_copy(arena, text->at, text->length);
}

static bool look(struct arena *arena, struct connection *conn, struct overview *out, struct error *err)
{
    const struct folder *folder = &out->target->folder;
    const struct ledger_request wanted = { folder->dialect, out->target->endpoint.schema, LEDGER_DETAILS,
                                           .is_only_read = true };

    if (!ledger_read(arena, conn, &wanted, &out->ledger, err))
        return false;
    history_compare(arena, folder, out->ledger.rows, out->ledger.count, &out->history);
    return true;
}

/* An unfinished row that nobody works on may have been finished between the two looks: the ledger is read
 * again. */
static bool look_for_leader(struct arena *arena, struct connection *conn, struct overview *out,
                            struct error *err)
{
    if (out->history.due_count + out->history.stray_count == 0)
        return true;
    if (!leader_find(conn, out->ledger.lock_key, &out->leader, err))
        return false;
    return out->leader.pid != 0 || out->history.failed_count == 0 || look(arena, conn, out, err);
}

/* What it applies right now. An older version and other tools light no beacon: then it is the row that tells
 * of no end. */
static bool is_running(const struct overview *overview, const struct beacons *beacons, const char *name,
                       const struct ledger_row *row)
{
    if (overview->leader.pid == 0)
        return false;
    return beacon_is_lit(beacons, name) ||
           (beacons->count == 0 && row != NULL && !row->is_finished && ledger_row_is_interrupted(row));
}

static bool judge(struct connection *conn, struct overview *out, struct beacons *beacons, struct error *err)
{
    const struct folder *folder = &out->target->folder;

    for (size_t i = 0; i < folder->count; i++) {
        if (!history_check_edited(&out->history, folder, i, err))
            return false;
    }
    if (out->leader.pid == 0)
        return true;
    if (!beacon_find(conn, out->leader.pid, beacons, err))
        return false;
    for (size_t i = 0; i < folder->count; i++) {
        const struct history_item *item = &out->history.items[i];

        if (verdict_is_due(item->verdict) && is_running(out, beacons, folder->items[i].name, item->row))
            history_mark_running(&out->history, i);
    }
    return true;
}

/* Best effort: the views show only sessions of the same role to one without pg_read_all_stats. */
static void find_work(struct arena *arena, struct connection *conn, struct overview *out)
{
    auto_text struct text sql = text_init(SQL_MOST);
    auto_text struct text said = text_init(SQL_MOST);
    auto_result struct result *seen = NULL;
    struct statement_progress progress = { .command = "" };
    struct error ignored;

    if (out->leader.pid == 0)
        return;
    watch_progress_add(out->leader.pid, &sql);
    if (!query_run(conn, &(const struct query) { .name = "progress", .sql = sql.at }, NULL, &seen,
                   &ignored) ||
        result_rows(seen) == 0 || result_text(seen, 0, 0)[0] == '\0')
        return;
    statement_progress_see(&progress, &(const struct progress_sample) {
                                          .command = result_text(seen, 0, 0),
                                          .phase = result_text(seen, 0, 1),
                                          .done = (double)result_number(seen, 0, 2),
                                          .total = (double)result_number(seen, 0, 3),
                                      });
    statement_progress_describe(&progress, &said);
    out->at_work = keep(arena, &said);
}

/* Rows that a backfill has changed so far, or -1. */
static int64_t rows_of(struct connection *conn, const struct ledger_row *row)
{
    struct error ignored;
    int64_t changed;

    return backfill_count_changed(conn, row->id, &changed, &ignored) ? changed : -1;
}

/* Reads the script of an unfinished row: how many statements it has, and which of those that are done last.
 */
static void read_script(const struct overview *overview, struct connection *conn, struct account *account,
                        struct text *list, size_t *lasting)
{
    const struct folder *folder = &overview->target->folder;
    const struct migration *migration = folder_find(folder, account->name);
    auto_text struct text script = text_init(SCRIPT_BYTES_MOST);
    struct script_summary summary;
    struct script_reader reader;
    struct slice bytes;
    struct error ignored;

    if (migration == NULL || !migration_read(folder->dialect, migration, &script, &ignored) ||
        !folder->dialect->checksum_matches(account->row->checksum, text_slice(&script)))
        return;
    bytes = script_without_bom(text_slice(&script));
    reader = script_reader_of(migration->script_path, bytes, connection_server_version(conn),
                              overview->ledger.has_standard_strings);
    if (!script_summarize(reader, &summary, &ignored))
        return;
    account->advancement.statements = summary.statements;
    *lasting = persisted_add(bytes, reader, account->advancement.done, list);
}

static void tell_persists(struct arena *arena, struct account *account, const struct text *list,
                          size_t lasting)
{
    const struct advancement *at = &account->advancement;
    auto_text struct text said = text_init(TEXT_MOST);

    if (at->rows >= 0 && at->done == 0)
        text_add_format(&said, "what the backfill has changed so far: %lld row%s", (long long)at->rows,
                        text_plural((size_t)at->rows));
    else if (at->statements == 0)
        text_add_format(&said, "the first %zu statement%s of the script as it was", at->done,
                        text_plural(at->done));
    else if (at->done == 0)
        text_add_format(&said, "none of its %zu statement%s is recorded as done", at->statements,
                        text_plural(at->statements));
    else
        text_add_format(&said, "%zu of %zu statement%s done%s%s", at->done, at->statements,
                        text_plural(at->statements), lasting == 0 ? "" : "; what persists:", list->at);
    account->persists = keep(arena, &said);
}

/* Only of rows that we have written is it known how far they are. */
static void advance(struct arena *arena, struct connection *conn, const struct overview *overview,
                    bool has_journal, struct account *account)
{
    auto_text struct text list = text_init(TEXT_MOST);
    size_t lasting = 0;

    account->reason = ledger_row_reason(account->row);
    if (!ledger_row_is_resumable(account->row))
        return;
    account->advancement = (struct advancement) { .is_known = true,
                                                  .done = (size_t)account->row->steps,
                                                  .rows = has_journal ? rows_of(conn, account->row) : -1 };
    read_script(overview, conn, account, &list, &lasting);
    if (account->verdict != VERDICT_RUNNING)
        tell_persists(arena, account, &list, lasting);
}

static struct account account_of_item(const struct overview *overview, size_t i)
{
    const struct history_item *item = &overview->history.items[i];

    return (struct account) {
        .name = overview->target->folder.items[i].name,
        .verdict = item->verdict,
        .is_in_folder = true,
        .item = item,
        .row = item->row,
        .reason = item->verdict == VERDICT_PENDING && item->last_try != NULL
                      ? ledger_row_reason(item->last_try)
                      : NULL,
    };
}

static struct account account_of_row(const struct overview *overview, const struct beacons *beacons,
                                     const struct ledger_row *row)
{
    enum verdict verdict = row->is_finished                                ? VERDICT_MISSING
                           : is_running(overview, beacons, row->name, row) ? VERDICT_RUNNING
                           : ledger_row_is_interrupted(row)                ? VERDICT_INTERRUPTED
                                                                           : VERDICT_FAILED;

    return (struct account) { .name = row->name, .verdict = verdict, .row = row };
}

static void list_all(struct arena *arena, const struct beacons *beacons, struct overview *out)
{
    const struct history *history = &out->history;
    size_t missing = 0;
    size_t strays = 0;

    out->accounts =
        arena_alloc(arena, out->target->folder.count + history->missing_count + history->stray_count,
                    sizeof *out->accounts);
    for (size_t i = 0; i < out->target->folder.count; i++)
        out->accounts[out->count++] = account_of_item(out, i);
    /* Rows are in one array, by age. */
    while (missing < history->missing_count || strays < history->stray_count) {
        bool is_missing =
            strays == history->stray_count ||
            (missing < history->missing_count && history->missing[missing] < history->strays[strays]);

        out->accounts[out->count++] = account_of_row(
            out, beacons, is_missing ? history->missing[missing++] : history->strays[strays++]);
    }
}

static void complete(struct arena *arena, struct connection *conn, struct overview *out)
{
    struct origins origins = { .count = 0 };

    if (out->ledger.exists)
        origins = origin_read(arena, conn, out->ledger.schema);
    for (size_t i = 0; i < out->count; i++) {
        struct account *account = &out->accounts[i];

        out->counts[account->verdict]++;
        if (account->row == NULL)
            continue;
        account->origin = origin_find(&origins, account->row->id);
        if (!account->row->is_finished)
            advance(arena, conn, out, origins.has_journal, account);
    }
}

/* A schema with tables and no ledger is for `baseline`; deploy would refuse it. */
static bool look_for_tables(struct arena *arena, struct connection *conn, struct overview *out,
                            struct error *err)
{
    if (out->ledger.exists || ledger_check_empty(conn, &out->ledger, err))
        return true;
    if (err->class != ERROR_REFUSED)
        return false;
    out->not_empty = arena_copy(arena, err->message, strlen(err->message));
    out->instead = arena_copy(arena, err->hint, strlen(err->hint));
    return true;
}

bool overview_read(struct arena *arena, const struct config *config, struct target *target,
                   struct overview *out, struct error *err)
{
    auto_connection struct connection *conn = reach_database(config, &target->endpoint, NULL, err);
    struct beacons beacons = { .count = 0 };

    *out = (struct overview) { .target = target };
    if (conn == NULL || !look(arena, conn, out, err) || !look_for_leader(arena, conn, out, err) ||
        !judge(conn, out, &beacons, err) || !look_for_tables(arena, conn, out, err))
        return false;
    list_all(arena, &beacons, out);
    complete(arena, conn, out);
    find_work(arena, conn, out);
    return true;
}
