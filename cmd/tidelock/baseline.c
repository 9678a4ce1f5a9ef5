#include <string.h>

#include "base/log.h"
#include "command.h"
#include "config/options.h"
#include "deploy/drift.h"
#include "deploy/target.h"
#include "history/compare.h"
#include "history/folder.h"
#include "history/ledger.h"
#include "history/script_file.h"
#include "lock/acquire.h"
#include "lock/tool_lock.h"
#include "postgres/advisory.h"
#include "postgres/query_failure.h"
#include "print.h"
#include "reporting.h"

/* One call of the command. */
struct recording {
    const struct config *config;
    struct connection *conn;
    const struct folder *folder;
    struct ledger ledger;
    struct history history;
    size_t end;   /* of what the schema already holds, in the folder */
    size_t count; /* of that, what the ledger does not know yet */
};

/* In a new ledger, one row stands for all up to the last, where the tool has such a row; but not for those
 * that are applied again. */
static enum ledger_statement write_of(const struct recording *recording, size_t index)
{
    const struct dialect *dialect = recording->folder->dialect;
    const bool repeats = dialect_repeats(dialect, recording->folder->items[index].name);
    const bool has_row = dialect->ledger->writes[LEDGER_INSERT_BASELINE].sql != NULL;

    return has_row && recording->ledger.size.rows == 0 && !repeats ? LEDGER_INSERT_BASELINE
                                                                   : LEDGER_INSERT_MARKED;
}

/* Whether the row of a later one stands for it. */
static bool stands_behind(const struct recording *recording, size_t index)
{
    return write_of(recording, index) == LEDGER_INSERT_BASELINE && index + 1 < recording->end &&
           write_of(recording, index + 1) == LEDGER_INSERT_BASELINE;
}

/* What is written together. */
struct recorded_items {
    struct batch_item *items;
    size_t count;
    const struct migration *last; /* the one that was added last, or NULL */
};

/* One row to write; its texts live in the arena. */
struct mark {
    char id[UUID_SIZE];
    char checksum[CHECKSUM_SIZE];
    struct ledger_parameters parameters;
    struct floor_record floor;
};

/* Adds the items to `*count` that are there. */
static bool prepare_mark(struct arena *arena, const struct recording *recording, size_t index,
                         struct recorded_items *out, struct error *err)
{
    const struct ledger *ledger = &recording->ledger;
    const struct migration *migration = &recording->folder->items[index];
    auto_text struct text bytes = text_init(SCRIPT_BYTES_MOST);
    const struct journal journal = { recording->conn, ledger->schema, ledger->lock_key };
    struct mark *mark = arena_alloc(arena, 1, sizeof *mark);
    struct script_wishes ignored;

    if (!migration_read(ledger->dialect, migration, &bytes, err))
        return false;
    migration_checksum(recording->folder, migration, text_slice(&bytes), mark->checksum);
    if (!migration_prepare(recording->folder, migration, &bytes, &ignored, err) ||
        !floor_take(migration->script_path, text_slice(&bytes), &mark->floor, err) ||
        !floor_prepare(&journal, &mark->floor, err))
        return false;
    ledger_make_id(ledger, migration->key, mark->id);
    const char *const row[ROW_VALUES] = {
        [ROW_ID] = mark->id,
        [ROW_CHECKSUM] = mark->checksum,
        ROW_OF_MIGRATION(migration),
        [ROW_ANCHOR] = ledger_anchor(ledger, migration, out->last),
    };
    out->count +=
        ledger_add_items(ledger, write_of(recording, index), row, &mark->parameters, out->items + out->count);
    out->count +=
        floor_add_items(&mark->floor, &ledger->floors, mark->id, migration->key, out->items + out->count);
    out->last = migration;
    return true;
}

static bool refuse_failed(const struct folder *folder, const struct history *history, struct error *err)
{
    for (size_t i = 0; i < folder->count; i++) {
        const char *name = folder->items[i].name;

        if (!verdict_is_due(history->items[i].verdict) || history->items[i].row == NULL)
            continue;
        log_context(LOG_MIGRATION, name); /* for the record of the failure */
        error_set(err, ERROR_REFUSED, "migration \"%s\" failed and has not been resolved", name);
        error_code(err, folder->dialect->codes.unresolved);
        error_cause(err, CAUSE_UNRESOLVED);
        if (history->items[i].was_finished)
            return error_hint(err, "Resolve it first: tidelock resolve --rolled-back \"%s\"", name);
        return error_hint(err, "Resolve it first: tidelock resolve --applied \"%s\" or --rolled-back \"%s\"",
                          name, name);
    }
    return true;
}

/* Whoever forgets the name would have migrations recorded that are still to be applied. */
static bool check_wish(const struct recording *recording, struct error *err)
{
    size_t applied = recording->history.counts[VERDICT_APPLIED] + recording->history.missing_count;

    if (applied == 0 || recording->config->to != NULL || recording->config->wants_all)
        return true;
    error_set(err, ERROR_REFUSED,
              "the ledger already says that %zu migration%s applied: baseline needs --to NAME, or --all",
              applied, applied == 1 ? " is" : "s are");
    return error_hint(
        err,
        "To apply what is pending: tidelock deploy. If the schema already holds the first ones of it: tidelock "
        "baseline --to NAME, with the last of these.");
}

static bool check_schema(const struct recording *recording, struct error *err)
{
    bool is_empty;

    if (!ledger_find_empty(recording->conn, &recording->ledger, &is_empty, err))
        return false;
    if (!is_empty)
        return true;
    error_set(err, ERROR_REFUSED, "schema \"%s\" is empty: no migration has made anything in it",
              recording->ledger.default_schema);
    return error_hint(
        err,
        "To apply the migrations: tidelock deploy. Those that make nothing in this schema can be "
        "recorded by name: tidelock resolve --applied NAME");
}

static bool write_marks(const struct recording *recording, struct error *err)
{
    auto_arena struct arena *arena = arena_new();
    const struct ledger *ledger = &recording->ledger;
    const size_t most = 1 + (LEDGER_ITEMS_MOST + FLOOR_ITEMS_MOST) * recording->count;
    struct recorded_items all = { .items = arena_alloc(arena, most, sizeof *all.items), .count = 1 };
    const char *const none[ROW_VALUES] = { NULL };

    all.items[0] = (struct batch_item) { .query = &ADVISORY_HOLD, .parameters = &ledger->lock_key };
    for (size_t i = 0; i < recording->end; i++) {
        if (recording->history.items[i].verdict != VERDICT_PENDING || stands_behind(recording, i))
            continue;
        if (!prepare_mark(arena, recording, i, &all, err))
            return false;
    }
    if (ledger_batch(
            recording->conn, ledger,
            &(const struct batch) { .items = all.items, .count = all.count, .cancellable = all.count }, none,
            err))
        return true;
    error_context(err, "recording %zu migration%s as applied", recording->count,
                  text_plural(recording->count));
    return ledger_say_changed(recording->conn, ledger, err);
}

/* A ledger without a row says that the schema is as it is: the next migrations can be deployed. */
static bool write(const struct recording *recording, struct error *err)
{
    if (!recording->ledger.exists && !ledger_create(recording->conn, &recording->ledger, err))
        return false;
    return recording->count == 0 || write_marks(recording, err);
}

/* What there is now is what the next deployment finds, unless somebody changes it. */
static void record_schema(const struct recording *recording)
{
    if (recording->count > 0 || !recording->ledger.exists)
        drift_record_edit(&(const struct drift_request) {
            recording->config, recording->conn, &recording->ledger, recording->config->drift != DRIFT_FAIL });
}

static void print_marks(const struct recording *recording)
{
    bool is_dry_run = recording->config->is_dry_run;
    size_t others = recording->end - recording->count;

    print_line("%zu of %zu migration%s %srecorded as applied, %zu already %s%s", recording->count,
               recording->folder->count, text_plural(recording->folder->count), is_dry_run ? "would be " : "",
               others, others == 1 ? "was" : "were", recording->count == 0 ? "." : ":");
    for (size_t i = 0; i < recording->end; i++) {
        if (recording->history.items[i].verdict == VERDICT_PENDING)
            print_line_of(recording->folder->items[i].name, "  %s", recording->folder->items[i].name);
    }
    if (is_dry_run)
        print_line("\nNothing was changed.");
}

static bool mark(struct arena *arena, struct recording *recording, struct error *err)
{
    struct ledger *ledger = &recording->ledger;

    history_compare(arena, recording->folder, ledger->rows, ledger->count, &recording->history);
    if (!refuse_failed(recording->folder, &recording->history, err))
        return false;
    for (size_t i = 0; i < recording->end; i++)
        recording->count += recording->history.items[i].verdict == VERDICT_PENDING;
    if ((recording->count > 0 && !check_wish(recording, err)) ||
        ((recording->count > 0 || !ledger->exists) && !check_schema(recording, err)))
        return error_holds(err, "Nothing was changed.");
    if (!recording->config->is_dry_run && !write(recording, err))
        return false;
    if (!recording->config->is_dry_run)
        record_schema(recording);
    print_marks(recording);
    reporting_count("recorded", recording->config->is_dry_run ? 0 : recording->count);
    return true;
}

static bool record(struct arena *arena, const struct config *config, struct error *err)
{
    auto_connection struct connection *conn = NULL;
    struct target target;
    struct recording recording = { .config = config, .folder = &target.folder };

    if (!target_find(arena, config, true, &target, err) ||
        (config->to != NULL && !folder_limit(&target.folder, config->to, err)))
        return false;
    recording.end = target.folder.count - target.folder.beyond;
    reporting_log_edit(&target);
    conn = acquire_session(config, &target.endpoint, target.folder.dialect->lock_key, err);
    recording.conn = conn;
    const struct ledger_request wanted = { &target.folder, target.endpoint.schema, LEDGER_NAMES, false };
    return conn != NULL && ledger_read(arena, conn, &wanted, &recording.ledger, err) &&
           (config->is_dry_run || tool_lock_take(conn, &recording.ledger, err)) &&
           mark(arena, &recording, err);
}

static bool baseline_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    (void)exit_code;
    if (config->to != NULL && config->wants_all) {
        error_set(err, ERROR_USAGE, "baseline takes --to NAME or --all, not both");
        return error_hint(err, "Leave --all out to record the migrations up to \"%s\".", config->to);
    }
    return record(arena, config, err) || query_failure_explain(err, "Nothing was changed.");
}

const struct command COMMAND_BASELINE = {
    .name = "baseline",
    .usage = "[--to NAME | --all] [--dry-run]",
    .summary = "record migrations as applied where the schema already exists",
    .about =
        "For a database whose schema was created without a ledger (P3005): records every migration in the "
        "folder, or those up to and including NAME, as applied, and lists them. None of their SQL is run. Where "
        "the ledger already says that some are applied, NAME or --all has to be given. An empty schema is refused: "
        "there, the migrations are to be deployed.",
    .example = "tidelock baseline --to 20260105090000_guestbook",
    .options = FOR_BASELINE,
    .run = baseline_run,
};
