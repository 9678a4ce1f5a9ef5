#include <string.h>

#include "base/log.h"
#include "command.h"
#include "config/options.h"
#include "deploy/target.h"
#include "history/compare.h"
#include "history/folder.h"
#include "history/ledger.h"
#include "history/script_file.h"
#include "lock/acquire.h"
#include "postgres/advisory.h"
#include "postgres/query_failure.h"
#include "print.h"

/* One row to write; its texts live in the arena. */
struct mark {
    char id[UUID_SIZE];
    char checksum[CHECKSUM_SIZE];
    struct ledger_parameters parameters;
};

static bool prepare_mark(struct arena *arena, const struct migration *migration, const struct ledger *ledger,
                         struct batch_item out[LEDGER_ITEMS_MOST], struct error *err)
{
    auto_text struct text bytes = text_init(SCRIPT_BYTES_MOST);
    struct mark *mark = arena_alloc(arena, 1, sizeof *mark);

    if (!migration_read(ledger->dialect, migration, &bytes, err))
        return false;
    ledger->dialect->checksum_of(text_slice(&bytes), mark->checksum);
    random_uuid(mark->id);
    const char *const row[ROW_VALUES] = {
        [ROW_ID] = mark->id, [ROW_CHECKSUM] = mark->checksum, [ROW_NAME] = migration->name
    };
    return ledger_add_items(ledger, LEDGER_INSERT_MARKED, row, &mark->parameters, out) == LEDGER_ITEMS_MOST;
}

/* The end of the folder's migrations up to and including `to` (all of them if NULL). */
static bool find_end(const struct folder *folder, const char *to, size_t *end, struct error *err)
{
    const struct migration *last = to == NULL ? NULL : folder_find(folder, to);

    if (to != NULL && last == NULL) {
        error_set(err, ERROR_REFUSED, "could not find migration \"%s\" in %s", to, folder->path);
        error_code(err, folder->dialect->codes.unknown_name);
        return error_hint(
            err, "Name a directory in that folder, without a path. To see all names: tidelock status");
    }
    *end = last == NULL ? folder->count : (size_t)(last - folder->items) + 1;
    return true;
}

static bool refuse_failed(const struct folder *folder, const struct history *history, struct error *err)
{
    for (size_t i = 0; i < folder->count; i++) {
        const char *name = folder->items[i].name;

        if (!verdict_is_due(history->items[i].verdict) || history->items[i].row == NULL)
            continue;
        error_set(err, ERROR_REFUSED, "migration \"%s\" failed and has not been resolved", name);
        error_code(err, folder->dialect->codes.unresolved);
        if (history->items[i].was_finished)
            return error_hint(err, "Resolve it first: tidelock resolve --rolled-back \"%s\"", name);
        return error_hint(err, "Resolve it first: tidelock resolve --applied \"%s\" or --rolled-back \"%s\"",
                          name, name);
    }
    return true;
}

static bool write_marks(struct connection *conn, const struct folder *folder, const struct ledger *ledger,
                        size_t end, struct error *err)
{
    auto_arena struct arena *arena = arena_new();
    struct batch_item *items = arena_alloc(arena, 1 + LEDGER_ITEMS_MOST * end, sizeof *items);
    const char *const none[ROW_VALUES] = { NULL };
    struct history history;
    size_t count = 0;

    history_compare(arena, folder, ledger->rows, ledger->count, &history);
    if (!refuse_failed(folder, &history, err))
        return false;
    for (size_t i = 0; i < end; i++) {
        if (history.items[i].verdict == VERDICT_PENDING &&
            !prepare_mark(arena, &folder->items[i], ledger, items + 1 + LEDGER_ITEMS_MOST * count++, err))
            return false;
    }
    items[0] = (struct batch_item) { .query = &ADVISORY_HOLD, .parameters = &ledger->lock_key };
    if (count > 0 && !ledger_batch(conn, ledger,
                                   &(const struct batch) { .items = items,
                                                           .count = 1 + LEDGER_ITEMS_MOST * count,
                                                           .cancellable = 1 + LEDGER_ITEMS_MOST * count },
                                   none, err)) {
        error_context(err, "recording %zu migration%s as applied", count, text_plural(count));
        return ledger_say_changed(conn, ledger, err);
    }
    print_line("%zu of %zu migration%s recorded as applied, %zu already were.", count, folder->count,
               text_plural(folder->count), end - count);
    return true;
}

static bool record(struct arena *arena, const struct config *config, struct error *err)
{
    auto_connection struct connection *conn = NULL;
    struct target target;
    struct ledger ledger;
    size_t end = 0;

    if (!target_find(arena, config, true, &target, err) || !find_end(&target.folder, config->to, &end, err))
        return false;
    conn = acquire_leader(config, &target.endpoint, target.folder.dialect->lock_key, err);
    const struct ledger_request wanted = { target.folder.dialect, target.endpoint.schema, LEDGER_NAMES,
                                           false };
    if (conn == NULL || !ledger_read(arena, conn, &wanted, &ledger, err))
        return false;
    if (!ledger.exists && !ledger_create(conn, &ledger, true, err))
        return false;
    return write_marks(conn, &target.folder, &ledger, end, err);
}

static bool baseline_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    (void)exit_code;
    return record(arena, config, err) || query_failure_explain(err, "Nothing was changed.");
}

const struct command COMMAND_BASELINE = {
    .name = "baseline",
    .usage = "[--to NAME]",
    .summary = "record migrations as applied where the schema already exists",
    .about =
        "For a database whose schema was created without a ledger (P3005): records every migration in the "
        "folder, or those up to and including NAME, as applied. None of their SQL is run.",
    .example = "tidelock baseline --to 20260105090000_guestbook",
    .options = FOR_BASELINE,
    .run = baseline_run,
};
