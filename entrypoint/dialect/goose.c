#include <string.h>

#include "dialect/dialect.h"
#include "dialect/goose_ledger.h"
#include "dialect/goose_script.h"
#include "dialect/numbered.h"
#include "dialect/tool_checks.h"

static const char *const PLACES[] = { "migrations", "db/migrations", "sql/migrations", NULL };

/* Its command line refuses a folder with a script whose version it can't read; its library passes over it. */
static enum entry_kind entry_kind_of(const char *entry, bool is_directory)
{
    const bool has_version =
        numbered_has_number(entry) && numbered_number_of(entry) > 0 && numbered_number_of(entry) <= INT64_MAX;

    if (is_directory)
        return ENTRY_OTHER;
    if (text_ends_with(entry, ".sql"))
        return has_version ? ENTRY_MIGRATION : ENTRY_MISNAMED;
    return has_version && text_ends_with(entry, ".go") && !text_ends_with(entry, "_test.go") ? ENTRY_PROGRAM
                                                                                             : ENTRY_OTHER;
}

static bool recognises(const struct folder_look *look)
{
    return goose_script_is_one(look->script);
}

const struct dialect DIALECT_GOOSE = {
    .format = FORMAT_GOOSE,
    .tool = "goose",
    .codes = NO_CODES,

    .recognises = recognises,
    .layout = LAYOUT_FILES,
    .places = PLACES,
    .beside_schema = "migrations",
    .own_files = NO_OWN_FILES,
    .folder_variable = "GOOSE_MIGRATION_DIR",
    .copy = "COPY migrations ./migrations",
    .script_name = "",
    .script_rule = "Each migration is a file NUMBER_name.sql",
    .name_most = 255,
    .entry_kind_of = entry_kind_of,
    .misnamed_is = "has no version in its name",
    .program_is = "is a migration in Go",
    .key_of = numbered_key_of,

    .order_key_of = numbered_order_key_of,
    .compare_keys = numbered_compare_keys,
    .is_order_certain = numbered_is_order_certain,

    .inverse = "",
    .read_script = goose_script_read,
    .transaction_hint = "Put \"-- +goose NO TRANSACTION\" before \"-- +goose Up\".",
    .refuses_out_of_order = true,

    .checksum_of = tool_checksum_of,
    .checksum_matches = tool_checksum_matches,

    .ledger_name = "goose_db_version",
    .ledger_search = SEARCH_CURRENT_SCHEMA,
    .ledger_variable = "GOOSE_TABLE",
    .takes_search_path = true,
    .ledger = &GOOSE_LEDGER,
    .check_applied = tool_check_applied,
    .check_rolled_back = tool_check_rolled_back,
    .check_pending = tool_check_pending,

    .lock_key = TIDELOCK_KEY,
    .tool_keys_of = goose_keys_of,
    .lease = &GOOSE_LEASE,
};
