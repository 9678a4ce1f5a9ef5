#include <string.h>

#include "base/log.h"
#include "command.h"
#include "config/options.h"
#include "deploy/target.h"
#include "history/folder.h"
#include "history/ledger.h"
#include "history/script_file.h"
#include "lock/acquire.h"
#include "postgres/advisory.h"
#include "postgres/query_failure.h"
#include "print.h"

/* Marks the failed rows as rolled back and inserts an applied one: both or neither. */
static bool mark_applied(struct connection *conn, const struct ledger *ledger, const char *name,
                         const char *checksum, struct error *err)
{
    char id[UUID_SIZE];
    const char *const row[ROW_VALUES] = { [ROW_ID] = id, [ROW_CHECKSUM] = checksum, [ROW_NAME] = name };
    struct ledger_parameters parameters[2];
    struct batch_item items[1 + 2 * LEDGER_ITEMS_MOST] = { { .query = &ADVISORY_HOLD,
                                                             .parameters = &ledger->lock_key } };
    size_t count = 1;

    random_uuid(id);
    count += ledger_add_items(ledger, LEDGER_ROLL_BACK, row, &parameters[0], items + count);
    count += ledger_add_items(ledger, LEDGER_INSERT_MARKED, row, &parameters[1], items + count);
    return ledger_batch(conn, ledger,
                        &(const struct batch) { .items = items, .count = count, .cancellable = count }, row,
                        err) ||
           ledger_say_changed(conn, ledger, err);
}

/* A row is recorded as applied with the checksum of its script, so it takes the script. */
static bool find_script(const struct folder *folder, const char *name, char checksum[CHECKSUM_SIZE],
                        struct error *err)
{
    const struct migration *migration = folder_find(folder, name);
    auto_text struct text bytes = text_init(SCRIPT_BYTES_MOST);

    if (migration != NULL && migration_read(folder->dialect, migration, &bytes, err)) {
        folder->dialect->checksum_of(text_slice(&bytes), checksum);
        return true;
    }
    error_set(err, ERROR_REFUSED, "could not find a migration \"%s\" with a readable script in %s", name,
              folder->path);
    error_code(err, folder->dialect->codes.unknown_name);
    return error_hint(
        err,
        "Name a directory in that folder, without a path (to see all names: tidelock status). If "
        "another image has it, type this there.");
}

static bool resolve_applied(struct arena *arena, const struct config *config, struct target *target,
                            struct error *err)
{
    const char *name = config->resolve_applied;
    char checksum[CHECKSUM_SIZE];
    auto_connection struct connection *conn = NULL;
    const struct ledger_request wanted = { target->folder.dialect, target->endpoint.schema, LEDGER_NAMES,
                                           false };
    struct ledger ledger;

    if (!find_script(&target->folder, name, checksum, err))
        return false;
    conn = acquire_leader(config, &target->endpoint, target->folder.dialect->lock_key, err);
    if (conn == NULL || !ledger_read(arena, conn, &wanted, &ledger, err))
        return false;
    if (!ledger.exists && !ledger_create(conn, &ledger, true, err))
        return false;
    if (!ledger.dialect->check_applied(ledger.rows, ledger.count, name, err) ||
        !mark_applied(conn, &ledger, name, checksum, err))
        return false;
    print_line("Migration %s marked as applied.", name);
    return true;
}

static bool resolve_rolled_back(struct arena *arena, const struct config *config, struct target *target,
                                struct error *err)
{
    const char *name = config->resolve_rolled_back;
    const char *const row[ROW_VALUES] = { [ROW_NAME] = name };
    auto_connection struct connection *conn =
        acquire_leader(config, &target->endpoint, target->folder.dialect->lock_key, err);
    const struct ledger_request wanted = { target->folder.dialect, target->endpoint.schema, LEDGER_NAMES,
                                           false };
    struct ledger ledger;

    if (conn == NULL || !ledger_read(arena, conn, &wanted, &ledger, err) ||
        !ledger.dialect->check_rolled_back(ledger.rows, ledger.count, name, err))
        return false;
    if (!ledger_write(conn, &ledger, LEDGER_ROLL_BACK, row, err))
        return ledger_say_changed(conn, &ledger, err);
    print_line("Migration %s marked as rolled back.", name);
    return true;
}

static bool resolve_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    struct target target;
    bool is_done;

    (void)exit_code;
    if ((config->resolve_applied == NULL) == (config->resolve_rolled_back == NULL)) {
        error_set(err, ERROR_USAGE, "resolve needs either --applied NAME or --rolled-back NAME");
        return error_hint(
            err,
            "Use --applied if the schema holds all of the migration, --rolled-back if it holds none of it.");
    }
    if (config->resolve_applied != NULL)
        is_done =
            target_find(arena, config, false, &target, err) && resolve_applied(arena, config, &target, err);
    else
        is_done = target_find_unchecked(arena, config, &target, err) &&
                  resolve_rolled_back(arena, config, &target, err);
    return is_done || query_failure_explain(err, "Nothing was changed.");
}

const struct command COMMAND_RESOLVE = {
    .name = "resolve",
    .usage = "--applied NAME | --rolled-back NAME",
    .summary = "resolve a failed migration; change only the ledger",
    .about =
        "For a migration that failed halfway, after you have checked the schema: --applied records it as "
        "applied, --rolled-back lets the next deployment run it again. Its SQL is neither run nor undone.",
    .example = "tidelock resolve --rolled-back 20260406120000_double_toll",
    .options = FOR_RESOLVE,
    .run = resolve_run,
};
