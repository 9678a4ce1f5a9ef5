#include "dialect/dialect.h"
#include "dialect/flyway_ledger.h"
#include "dialect/flyway_name.h"
#include "dialect/flyway_script.h"
#include "dialect/numbered.h"
#include "dialect/tool_checks.h"

static const char *const PLACES[] = { "db/migration", "src/main/resources/db/migration", "sql", "migrations",
                                      NULL };

static const char *const SCHEMA_VARIABLES[] = { "FLYWAY_DEFAULT_SCHEMA", "FLYWAY_SCHEMAS", NULL };

static bool recognises(const struct folder_look *look)
{
    for (size_t i = 0; i < look->count; i++) {
        if (flyway_entry_kind_of(look->entries[i].name, look->entries[i].is_directory) == ENTRY_MIGRATION)
            return true;
    }
    return false;
}

const struct dialect DIALECT_FLYWAY = {
    .format = FORMAT_FLYWAY,
    .tool = "Flyway",
    .codes = NO_CODES,

    .recognises = recognises,
    .layout = LAYOUT_TREE,
    .places = PLACES,
    .beside_schema = "migration",
    .own_files = NO_OWN_FILES,
    .copy = "COPY db/migration ./db/migration",
    .script_name = "",
    .script_rule = "Each migration is a file V1__name.sql, B1__name.sql or R__name.sql",
    .name_most = 1000,
    .entry_kind_of = flyway_entry_kind_of,
    .program_is = "is a migration in Java or another language",
    .forbidden_is = "is a callback",
    .key_of = flyway_key_of,
    .describe = flyway_describe,

    .order_key_of = flyway_order_key_of,
    .compare_keys = flyway_compare_keys,
    .is_order_certain = numbered_is_order_certain,

    .read_script = flyway_script_read,
    .settings_suffix = ".conf",
    .transaction_hint = "Take executeInTransaction=true out of the file beside it.",
    .refuses_edited = true,
    .refuses_missing = true,
    .refuses_out_of_order = true,
    .late_switch = "FLYWAY_OUT_OF_ORDER",
    .needs_empty = true,
    .repeats = flyway_repeats,
    .is_baseline = flyway_is_baseline,

    .checksum_of = flyway_checksum_of,
    .checksum_matches = flyway_checksum_matches,

    .ledger_name = "flyway_schema_history",
    .ledger_variable = "FLYWAY_TABLE",
    .schema_variables = SCHEMA_VARIABLES,
    .ledger = &FLYWAY_LEDGER,
    .has_checksums = true,
    .check_applied = tool_check_applied,
    .check_rolled_back = tool_check_rolled_back,
    .check_pending = tool_check_pending,

    .lock_key = TIDELOCK_KEY,
    .tool_keys_of = flyway_keys_of,
};
