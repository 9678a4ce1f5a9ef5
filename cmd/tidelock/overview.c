#include "overview.h"

#include <string.h>

#include "base/text.h"
#include "deploy/deployment.h"
#include "deploy/floor_check.h"
#include "deploy/validate.h"
#include "history/folder.h"
#include "history/journal.h"
#include "history/script_file.h"
#include "lock/beacon.h"
#include "postgres/handover.h"
#include "postgres/query.h"
#include "postgres/reach.h"
#include "repair/interrupted.h"
#include "sql/persisted.h"
#include "sql/script.h"
#include "traffic/statement_progress.h"
#include "traffic/watch_question.h"

enum { TEXT_MOST = 64 * 1024, SQL_MOST = 4096 };

bool overview_is_up_to_date(const struct overview *overview)
{
    return overview->history.due_count == 0;
}

bool overview_is_too_old(const struct overview *overview)
{
    return overview->floor != NULL && overview->release != NULL &&
           release_is_older(overview->release, overview->floor->release);
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
    const struct ledger_request wanted = { folder, out->target->endpoint.schema, LEDGER_DETAILS,
                                           .is_only_read = true };

    if (!ledger_read(arena, conn, &wanted, &out->ledger, err) ||
        !ledger_check_schema(conn, &out->ledger, out->target->endpoint.tenant_schema, err))
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

    if (!validate_edited(folder, &out->history, 0, err))
        return false;
    if (out->leader.pid == 0)
        return true;
    if (!beacon_find(conn, out->leader.pid, beacons, err))
        return false;
    out->since = beacons->is_local ? out->leader.since : out->leader.began;
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

/* Reads the script of an unfinished one: how many statements it has, and which of those that are done last.
 */
static void read_script(const struct overview *overview, struct connection *conn, struct account *account,
                        struct text *list, size_t *lasting)
{
    const struct folder *folder = &overview->target->folder;
    const struct migration *migration = folder_find(folder, account->name);
    auto_text struct text script = text_init(SCRIPT_BYTES_MOST);
    struct script_summary summary;
    struct script_reader reader;
    struct script_wishes wishes;
    struct slice bytes;
    struct error ignored;

    if (migration == NULL || !migration_read(folder->dialect, migration, &script, &ignored) ||
        (account->row != NULL && account->row->checksum != NULL &&
         !migration_matches(folder, migration, account->row->checksum, text_slice(&script))) ||
        !migration_prepare(folder, migration, &script, &wishes, &ignored))
        return;
    bytes = script_without_bom(text_slice(&script));
    reader = script_reader_of(migration->script_path, bytes, connection_server_version(conn),
                              overview->ledger.has_standard_strings);
    if (!script_summarize(reader, &summary, &ignored))
        return;
    account->advancement.statements = summary.statements;
    *lasting = persisted_add(bytes, reader, account->advancement.done, list);
}

static void add_persisting(const struct advancement *at, const struct text *list, size_t lasting,
                           struct text *said)
{
    if (at->rows >= 0 && at->done == 0)
        text_add_format(said, "what the backfill has changed so far: %lld row%s", (long long)at->rows,
                        text_plural((size_t)at->rows));
    else if (at->statements == 0 && at->done == 1)
        text_add_string(said, "the first statement of the script as it was");
    else if (at->statements == 0)
        text_add_format(said, "the first %zu statements of the script as it was", at->done);
    else if (at->done == 0 && at->statements == 1)
        text_add_string(said, "its statement is not recorded as done");
    else if (at->done == 0)
        text_add_format(said, "none of its %zu statements is recorded as done", at->statements);
    else
        text_add_format(said, "%zu of %zu statement%s done%s%s", at->done, at->statements,
                        text_plural(at->statements), lasting == 0 ? "" : "; what persists:", list->at);
}

/* What a statement that broke has left in the middle. Best effort: it takes a right to read the journal. */
static void add_leftover(struct connection *conn, const struct overview *overview,
                         const struct ledger_row *row, struct text *said)
{
    struct leftover left;
    struct error ignored;

    if (!interrupted_look(conn, &overview->ledger, &(const struct interrupted) { row, slice_of("") }, &left,
                          &ignored) ||
        left.what[0] == '\0')
        return;
    text_add_format(said, "; statement %lld has left %s", (long long)row->steps + 1, left.what);
    if (left.is_ours)
        text_add_string(said, ", which the next deployment cleans up");
    else
        text_add_format(said, ", to be removed by hand: %s", left.remedy);
}

/* Only of rows that we have written is it known how far they are. */
static void advance(struct arena *arena, struct connection *conn, const struct overview *overview,
                    bool has_journal, struct account *account)
{
    auto_text struct text list = text_init(TEXT_MOST);
    auto_text struct text said = text_init(TEXT_MOST);
    size_t lasting = 0;

    account->reason = ledger_row_reason(account->row);
    if (!ledger_row_is_resumable(account->row))
        return;
    account->advancement = (struct advancement) { .is_known = true,
                                                  .done = (size_t)account->row->steps,
                                                  .rows = has_journal ? rows_of(conn, account->row) : -1 };
    read_script(overview, conn, account, &list, &lasting);
    if (account->verdict == VERDICT_RUNNING)
        return;
    add_persisting(&account->advancement, &list, lasting, &said);
    add_leftover(conn, overview, account->row, &said);
    account->persists = keep(arena, &said);
}

/* Behind "tidelock ", unless the URL sets another application_name. */
static const struct origin *origin_of_leader(struct arena *arena, const struct leader *leader)
{
    static const char OURS[] = "tidelock ";
    const char *host = leader->name + strlen(OURS);
    struct origin *origin;

    if (strncmp(leader->name, OURS, strlen(OURS)) != 0 || *host == '\0')
        return NULL;
    origin = arena_alloc(arena, 1, sizeof *origin);
    *origin = (struct origin) { .host = arena_copy(arena, host, strcspn(host, " ")) };
    return origin;
}

/* One that runs in a transaction has no row yet: only the leader's session tells of it. */
static void tell_atomic(struct arena *arena, struct connection *conn, const struct overview *overview,
                        struct account *account)
{
    auto_text struct text list = text_init(TEXT_MOST);
    size_t lasting;

    account->origin = origin_of_leader(arena, &overview->leader);
    account->started_at = overview->leader.since[0] == '\0' ? NULL : overview->leader.since;
    account->advancement = (struct advancement) { .is_known = true, .is_atomic = true, .rows = -1 };
    read_script(overview, conn, account, &list, &lasting);
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

static const char *floor_of(const struct overview *overview, const struct ledger_row *row)
{
    const struct floor *floor = row->id == NULL ? NULL : floors_find(&overview->ledger.floors, row->id);

    return floor == NULL || !row->is_finished ? NULL : floor->release;
}

static void complete(struct arena *arena, struct connection *conn, struct overview *out)
{
    struct origins origins = { .count = 0 };

    if (out->ledger.exists)
        origins = origin_read(arena, conn, &out->ledger);
    for (size_t i = 0; i < out->count; i++) {
        struct account *account = &out->accounts[i];

        out->counts[account->verdict]++;
        if (account->row == NULL && account->verdict == VERDICT_RUNNING)
            tell_atomic(arena, conn, out, account);
        if (account->row == NULL)
            continue;
        account->started_at = account->row->started_at;
        account->origin = origin_find(&origins, account->row->id);
        account->floor = floor_of(out, account->row);
        if (!account->row->is_finished)
            advance(arena, conn, out, origins.has_journal, account);
    }
}

/* Whether it says something about the folder or the ledger, and not about the way to the database. */
static bool is_refusal(const struct error *err)
{
    return err->class == ERROR_USAGE || err->class == ERROR_CLEAN || err->class == ERROR_PARTIAL ||
           err->class == ERROR_REFUSED;
}

/* What somebody else applies will have changed before the next deployment begins. */
static bool foresee(const struct config *config, struct target *target, struct connection *conn,
                    struct overview *out, struct error *err)
{
    struct error refusal = { .class = ERROR_NONE };

    if (out->leader.pid != 0 || deployment_foresee(config, target, conn, &refusal))
        return true;
    /* What the server does not let this role see, it may show to the one that deploys. */
    if (refusal.class == ERROR_CLEAN && refusal.sqlstate[0] != '\0')
        return true;
    if (is_refusal(&refusal))
        out->refusal = refusal;
    else
        *err = refusal;
    return is_refusal(&refusal);
}

/* Best effort: what is locked, or not to be read, is said. */
static void find_drift(struct arena *arena, const struct config *config, struct connection *conn,
                       struct overview *out)
{
    const struct drift_request wanted = { config, conn, &out->ledger, config->drift != DRIFT_FAIL };
    struct error err;

    out->no_drift = "";
    if (config->drift == DRIFT_OFF)
        return;
    out->no_drift = "a deployment is running";
    if (out->leader.pid != 0)
        return;
    out->no_drift = drift_find(arena, &wanted, &out->drift, &err)
                        ? out->drift.unknown
                        : arena_copy(arena, err.message, strlen(err.message));
}

bool overview_read(struct arena *arena, const struct config *config, struct target *target,
                   struct overview *out, struct error *err)
{
    auto_connection struct connection *conn = reach_database(config, &target->endpoint, NULL, err);
    auto_text struct text server = text_init(TEXT_MOST);
    struct beacons beacons = { .count = 0 };

    *out = (struct overview) { .target = target };
    if (conn == NULL)
        return false;
    connection_add_server(conn, &server);
    out->server = keep(arena, &server);
    if (!look(arena, conn, out, err) || !look_for_leader(arena, conn, out, err) ||
        !judge(conn, out, &beacons, err) || !foresee(config, target, conn, out, err))
        return false;
    out->release = config->release;
    out->floor = floor_highest(&out->ledger);
    list_all(arena, &beacons, out);
    complete(arena, conn, out);
    find_work(arena, conn, out);
    find_drift(arena, config, conn, out);
    handover_leave(config->handover, &target->endpoint, steal(&conn), true);
    return true;
}
