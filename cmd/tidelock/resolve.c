#include <stddef.h>
#include <string.h>

#include "base/log.h"
#include "base/random.h"
#include "command.h"
#include "config/options.h"
#include "deploy/drift.h"
#include "deploy/target.h"
#include "deploy/validate.h"
#include "history/compare.h"
#include "history/edit.h"
#include "history/folder.h"
#include "history/journal.h"
#include "history/ledger.h"
#include "history/marker.h"
#include "history/origin.h"
#include "history/script_file.h"
#include "lock/acquire.h"
#include "lock/tool_lock.h"
#include "postgres/advisory.h"
#include "postgres/query_failure.h"
#include "print.h"
#include "print_edit.h"
#include "repair/interrupted.h"
#include "reporting.h"

enum { WRITES_MOST = 2 };

/* One migration to be resolved. Its texts live in the arena. */
struct resolved {
    const char *name;
    const struct migration *migration; /* NULL where its script does not matter */
    struct slice script;
    char checksum[CHECKSUM_SIZE];
    char id[UUID_SIZE];
    bool is_idle; /* the ledger says so already */
    const char *row[ROW_VALUES];
    struct ledger_parameters parameters[WRITES_MOST];
    struct floor_record floor;
};

/* One call of the command. */
struct resolving {
    struct arena *arena;
    const struct config *config;
    const struct way *way;
    struct target target;
    struct connection *conn;
    struct ledger ledger;
    struct resolved *items;
    size_t count;
};

/* What an interrupted statement left would stay: nobody runs that statement again as applied, and once the
 * row is closed nobody knows any more whose it is. */
static bool check_leftover(const struct resolving *all, const struct ledger_row *row, struct slice script,
                           struct error *err)
{
    struct leftover left;

    if (!interrupted_look(all->conn, &all->ledger, &(const struct interrupted) { row, script }, &left, err))
        return false;
    if (left.what[0] == '\0')
        return true;
    error_set(err, ERROR_REFUSED, "migration \"%s\" cannot be resolved yet: its interrupted statement %s %s",
              row->name, left.is_ours ? "left" : "may have left", left.what);
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "%sype: %s; look at the schema, and type the same again.",
                      ledger_row_is_resumable(row) && !row->is_rolled_back
                          ? "Let the next deployment finish it (tidelock deploy), or t"
                          : "T",
                      left.remedy);
}

static bool check_leftovers(const struct resolving *all, const struct resolved *item, struct error *err)
{
    for (size_t i = 0; i < all->ledger.count; i++) {
        const struct ledger_row *row = &all->ledger.rows[i];

        if (!row->is_finished && strcmp(row->name, item->name) == 0 &&
            !check_leftover(all, row, item->script, err))
            return false;
    }
    return true;
}

static bool look_applied(const struct resolving *all, struct resolved *item, struct error *err)
{
    const struct migration *after = item == all->items ? NULL : item[-1].migration;

    ledger_make_id(&all->ledger, item->row[ROW_NAME], item->id);
    return all->ledger.dialect->check_applied(all->ledger.rows, all->ledger.count, item->name, err) &&
           marker_check(&all->ledger, item->migration, after, &item->row[ROW_ANCHOR], err) &&
           check_leftovers(all, item, err);
}

static bool look_rolled_back(const struct resolving *all, struct resolved *item, struct error *err)
{
    return all->ledger.dialect->check_rolled_back(all->ledger.rows, all->ledger.count, item->name, err) &&
           check_leftovers(all, item, err);
}

/* It is neither recorded as applied nor pending: what to do about it is known elsewhere. */
static bool refuse_unfinished(const struct resolving *all, const struct ledger_row *row, struct error *err)
{
    auto_text struct text next = text_init(2 * sizeof err->hint);
    struct history history;

    history_compare(all->arena, &all->target.folder, all->ledger.rows, all->ledger.count, &history);
    validate_add_remedy(&all->target.folder, &history, row, &next);
    error_set(err, ERROR_REFUSED, "migration \"%s\" is not recorded as applied: it %s", row->name,
              ledger_row_is_interrupted(row) ? "was interrupted" : "failed");
    error_code(err, all->ledger.dialect->codes.unresolved);
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "%s.", next.at);
}

/* Of what an earlier try recorded, whose row somebody has closed. */
static bool find_half_done(const struct resolving *all, const struct ledger_row *row, bool *is_half_done,
                           struct error *err)
{
    const struct journal journal = { .conn = all->conn, .ledger_schema = all->ledger.schema };
    bool has_journal = false;
    int64_t changed = 0;

    *is_half_done = row->steps > 0 || (row->logs != NULL && ledger_row_is_interrupted(row));
    if (*is_half_done)
        return true;
    if (!journal_exists(&journal, &has_journal, err) ||
        (has_journal && !backfill_count_changed(all->conn, row->id, &changed, err)))
        return false;
    *is_half_done = changed > 0;
    return true;
}

/* Then it would be done again. */
static bool check_half_done(const struct resolving *all, const struct ledger_row *row, struct error *err)
{
    bool is_half_done;

    if (row->is_finished)
        return true;
    if (!find_half_done(all, row, &is_half_done, err))
        return false;
    if (!is_half_done)
        return true;
    error_set(err, ERROR_REFUSED, "migration \"%s\" was half done before it was recorded as applied",
              row->name);
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "Complete it by hand, or undo it with another migration.");
}

/* Only what was recorded by hand has never run: the tool counts a step of what it applies. */
static bool check_never_run(const struct resolving *all, const struct ledger_row *row, struct error *err)
{
    const char *const parameters[] = { row->id, row->name };
    auto_result struct result *result = NULL;

    if (!query_run(all->conn, &all->ledger.row, parameters, &result, err))
        return false;
    if (result_number(result, 0, 1) == 0)
        return true;
    error_set(err, ERROR_REFUSED, "migration \"%s\" was applied, not only recorded as applied", row->name);
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "To undo what it has done, write another migration.");
}

/* One row of what is to be pending. */
static bool check_taken_back(const struct resolving *all, const struct ledger_row *row, bool *is_applied,
                             struct error *err)
{
    if (row->is_rolled_back)
        return true;
    if (!row->is_finished)
        return refuse_unfinished(all, row, err);
    *is_applied = true;
    return check_never_run(all, row, err);
}

static bool look_pending(const struct resolving *all, struct resolved *item, struct error *err)
{
    const struct ledger *ledger = &all->ledger;
    bool is_applied = false;

    if (!ledger->dialect->check_pending(ledger->rows, ledger->count, item->name, err))
        return false;
    for (size_t i = 0; i < ledger->count; i++) {
        if (strcmp(ledger->rows[i].name, item->name) == 0 &&
            !check_taken_back(all, &ledger->rows[i], &is_applied, err))
            return false;
    }
    for (size_t i = 0; i < ledger->count && is_applied; i++) {
        if (strcmp(ledger->rows[i].name, item->name) == 0 && !check_half_done(all, &ledger->rows[i], err))
            return false;
    }
    item->row[ROW_LOGS] =
        LEDGER_OURS "it was recorded as applied without having run, and that was taken back";
    item->is_idle = !is_applied;
    return true;
}

static bool look_accept_edit(const struct resolving *all, struct resolved *item, struct error *err)
{
    struct history history;
    const struct history_item *found;
    const struct origin *origin;
    struct origins origins;
    enum edit edit;

    if (!all->ledger.dialect->has_checksums) {
        error_set(err, ERROR_REFUSED, "the ledger of %s holds no checksums: no edit has to be accepted",
                  all->ledger.dialect->tool);
        return error_holds(err, "Nothing was changed.");
    }
    history_compare(all->arena, &all->target.folder, all->ledger.rows, all->ledger.count, &history);
    found = &history.items[item->migration - all->target.folder.items];
    if (found->verdict != VERDICT_APPLIED) {
        error_set(err, ERROR_REFUSED, "migration \"%s\" is not applied but %s", item->name,
                  VERDICT_NAMES[found->verdict]);
        error_holds(err, "Nothing was changed.");
        return error_hint(err,
                          "Only an applied migration has a checksum to be replaced. See: tidelock status");
    }
    origins = origin_read(all->arena, all->conn, &all->ledger);
    origin = origin_find(&origins, found->row->id);
    edit = edit_find(all->ledger.dialect,
                     &(const struct edit_facts) {
                         .checksum = found->row->checksum,
                         .gist = origin == NULL ? NULL : origin->gist,
                         .has_standard_strings = all->ledger.has_standard_strings,
                     },
                     item->script);
    print_edit(item->migration, edit, found->row->checksum);
    item->is_idle = edit == EDIT_NONE;
    item->row[ROW_ID] = found->row->id;
    item->row[ROW_STORED] = found->row->checksum;
    return true;
}

static const struct way {
    size_t names; /* the field of struct config */
    bool takes_script;
    bool makes_ledger; /* where there is none yet */
    enum ledger_depth depth;
    bool (*look)(const struct resolving *all, struct resolved *item, struct error *err);
    enum ledger_statement writes[WRITES_MOST];
    size_t write_count;
    const char *result; /* "Migration x …" */
} WAYS[] = {
    { .names = offsetof(struct config, applied),
      .takes_script = true,
      .makes_ledger = true,
      .look = look_applied,
      .writes = { LEDGER_ROLL_BACK, LEDGER_INSERT_MARKED },
      .write_count = 2,
      .result = "marked as applied" },
    { .names = offsetof(struct config, rolled_back),
      .look = look_rolled_back,
      .writes = { LEDGER_ROLL_BACK },
      .write_count = 1,
      .result = "marked as rolled back" },
    { .names = offsetof(struct config, pending),
      .look = look_pending,
      .writes = { LEDGER_TAKE_BACK },
      .write_count = 1,
      .result = "marked as pending" },
    { .names = offsetof(struct config, accept_edit),
      .takes_script = true,
      .depth = LEDGER_CHECKSUMS,
      .look = look_accept_edit,
      .writes = { LEDGER_ACCEPT },
      .write_count = 1,
      .result = "recorded as it is now" },
};

static const struct names *names_of(const struct config *config, const struct way *way)
{
    return (const struct names *)(const void *)((const char *)config + way->names);
}

/* The one that was asked for, or NULL if it is none or several. */
static const struct way *choose(const struct config *config)
{
    const struct way *chosen = NULL;

    for (size_t i = 0; i < array_length(WAYS); i++) {
        if (names_of(config, &WAYS[i])->count == 0)
            continue;
        if (chosen != NULL)
            return NULL;
        chosen = &WAYS[i];
    }
    return chosen;
}

static bool find_script(const struct resolving *all, struct resolved *item, struct error *err)
{
    const struct folder *folder = &all->target.folder;
    auto_text struct text bytes = text_init(SCRIPT_BYTES_MOST);
    struct script_wishes wishes;

    item->migration = folder_expect(folder, item->name, err);
    if (item->migration == NULL)
        return false;
    if (!migration_read(folder->dialect, item->migration, &bytes, err)) {
        error_holds(err, "Nothing was changed.");
        return error_code(err, folder->dialect->codes.unknown_name);
    }
    if (!migration_prepare(folder, item->migration, &bytes, &wishes, err))
        return error_holds(err, "Nothing was changed.");
    if (!floor_take(item->migration->script_path, text_slice(&bytes), &item->floor, err))
        return error_holds(err, "Nothing was changed.");
    memcpy(item->checksum, wishes.checksum, sizeof item->checksum);
    item->script = (struct slice) { arena_copy(all->arena, bytes.at, bytes.length), bytes.length };
    return true;
}

static bool find_items(struct resolving *all, struct error *err)
{
    const struct names *names = names_of(all->config, all->way);

    all->items = arena_alloc(all->arena, names->count, sizeof *all->items);
    all->count = names->count;
    for (size_t i = 0; i < all->count; i++) {
        struct resolved *item = &all->items[i];

        *item = (struct resolved) { .name = names->items[i], .script = slice_of("") };
        log_context(LOG_MIGRATION, item->name);
        if (all->way->takes_script && !find_script(all, item, err))
            return false;
        item->row[ROW_ID] = item->id;
        item->row[ROW_CHECKSUM] = item->checksum;
        item->name = ledger_name_row(&all->target.folder, item->name, item->row);
    }
    log_context(LOG_MIGRATION, NULL);
    return true;
}

/* All of them or none: one transaction. */
static bool write_all(const struct resolving *all, struct error *err)
{
    const struct journal journal = { all->conn, all->ledger.schema, all->ledger.lock_key };
    const size_t most = 1 + all->count * (WRITES_MOST * LEDGER_ITEMS_MOST + FLOOR_ITEMS_MOST);
    struct batch_item *items = arena_alloc(all->arena, most, sizeof *items);
    const char *const nobody[ROW_VALUES] = { NULL };
    size_t count = 1;

    items[0] = (struct batch_item) { .query = &ADVISORY_HOLD, .parameters = &all->ledger.lock_key };
    for (size_t i = 0; i < all->count; i++) {
        struct resolved *item = &all->items[i];

        for (size_t j = 0; j < all->way->write_count && !item->is_idle; j++)
            count += ledger_add_items(&all->ledger, all->way->writes[j], item->row, &item->parameters[j],
                                      items + count);
        if (!all->way->takes_script || item->is_idle)
            continue;
        if (!floor_prepare(&journal, &item->floor, err))
            return false;
        count += floor_add_items(&item->floor, &all->ledger.floors, item->row[ROW_ID], item->row[ROW_NAME],
                                 items + count);
    }
    return count == 1 ||
           ledger_batch(all->conn, &all->ledger,
                        &(const struct batch) { .items = items, .count = count, .cancellable = count },
                        all->count == 1 ? all->items[0].row : nobody, err) ||
           ledger_say_changed(all->conn, &all->ledger, err);
}

static bool edit_ledger(struct resolving *all, struct error *err)
{
    const bool is_dry_run = all->config->is_dry_run;

    for (size_t i = 0; i < all->count; i++) {
        log_context(LOG_MIGRATION, all->items[i].name);
        if (!all->way->look(all, &all->items[i], err))
            return false;
    }
    log_context(LOG_MIGRATION, NULL);
    if (!is_dry_run &&
        ((all->way->makes_ledger && !all->ledger.exists && !ledger_create(all->conn, &all->ledger, err)) ||
         !write_all(all, err)))
        return false;
    for (size_t i = 0; i < all->count; i++)
        print_line_of(all->items[i].name, "Migration %s %s%s.", all->items[i].name,
                      is_dry_run ? "would be " : "", all->way->result);
    if (is_dry_run)
        print_line("Nothing was changed.");
    reporting_count("recorded", is_dry_run ? 0 : all->count);
    if (all->way->makes_ledger && !is_dry_run)
        drift_record_edit(&(const struct drift_request) { all->config, all->conn, &all->ledger, true });
    return true;
}

static bool resolve_all(struct arena *arena, const struct config *config, const struct way *way,
                        struct error *err)
{
    auto_connection struct connection *conn = NULL;
    struct resolving all = { .arena = arena, .config = config, .way = way };

    if (!(way->takes_script ? target_find(arena, config, false, &all.target, err)
                            : target_find_unchecked(arena, config, &all.target, err)) ||
        !find_items(&all, err))
        return false;
    reporting_log_edit(&all.target);
    const struct dialect *dialect = all.target.folder.dialect;
    const struct ledger_request wanted = { &all.target.folder, all.target.endpoint.schema, way->depth,
                                           false };
    conn = acquire_session(config, &all.target.endpoint, dialect->lock_key, err);
    all.conn = conn;
    return conn != NULL && ledger_read(arena, conn, &wanted, &all.ledger, err) &&
           (config->is_dry_run || tool_lock_take(conn, &all.ledger, err)) && edit_ledger(&all, err);
}

static bool resolve_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    const struct way *way = choose(config);

    (void)exit_code;
    if (way == NULL) {
        error_set(
            err, ERROR_USAGE,
            "resolve needs --applied NAME or --rolled-back NAME, --pending NAME or --accept-edit NAME, and "
            "only one of these");
        return error_hint(
            err,
            "Use --applied if the schema holds all of the migration, --rolled-back if it holds none of it.");
    }
    return resolve_all(arena, config, way, err) || query_failure_explain(err, "Nothing was changed.");
}

const struct command COMMAND_RESOLVE = {
    .name = "resolve",
    .usage = "--applied NAME... | --rolled-back NAME... | --pending NAME... | --accept-edit NAME...",
    .summary = "resolve a failed migration; change only the ledger",
    .about =
        "For a migration that failed halfway, after you have checked the schema: --applied records it as "
        "applied, --rolled-back lets the next deployment run it again. --pending takes back an --applied that "
        "was not true. --accept-edit records that the script of an applied migration was changed on purpose. "
        "Their SQL is neither run nor undone. Of several names, all are recorded or none.",
    .example = "tidelock resolve --rolled-back 20260406120000_double_toll",
    .options = FOR_RESOLVE,
    .run = resolve_run,
};
