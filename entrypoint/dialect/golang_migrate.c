#include <string.h>

#include "dialect/dialect.h"
#include "dialect/foreign.h"
#include "dialect/golang_migrate_ledger.h"
#include "dialect/golang_migrate_name.h"
#include "dialect/numbered.h"
#include "dialect/tool_checks.h"

static const char *const PLACES[] = { "migrations", "db/migrations", "sql/migrations", NULL };

static enum entry_kind entry_kind_of(const char *entry, bool is_directory)
{
    if (is_directory)
        return ENTRY_OTHER;
    switch (golang_migrate_direction_of(entry)) {
    case DIRECTION_UP:
        return ENTRY_MIGRATION;
    case DIRECTION_DOWN:
        return ENTRY_WAY_BACK;
    default:
        return ENTRY_OTHER;
    }
}

static bool recognises(const struct folder_look *look)
{
    for (size_t i = 0; i < look->count; i++) {
        if (entry_kind_of(look->entries[i].name, look->entries[i].is_directory) != ENTRY_OTHER)
            return foreign_tool_of("", look->script) == NULL;
    }
    return false;
}

/* A version without a way up is recorded, and nothing is run. */
static bool read_script(const struct script_source *source, struct text *script, struct script_wishes *out,
                        struct error *err)
{
    (void)out;
    if (golang_migrate_direction_of(source->name) == DIRECTION_DOWN)
        text_reset(script);
    if (numbered_number_of(source->name) <= INT64_MAX)
        return true;
    error_set(err, ERROR_CLEAN, "its version is greater than 9223372036854775807, the greatest of a bigint");
    return error_hint(err, "Give it a smaller version.");
}

/* Only a folder that has it knows what comes before. -1 is what the tool marks on the way back to nothing. */
static bool check_rolled_back(const struct ledger_row *rows, size_t count, const char *name,
                              struct error *err)
{
    if (!tool_check_rolled_back(rows, count, name, err))
        return false;
    if (numbered_has_number(name) || name[0] == '-')
        return true;
    error_set(err, ERROR_REFUSED, "version %s is not in this folder, so the version before it is not known",
              name);
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "Use the image that has it, or golang-migrate: migrate force VERSION");
}

static bool check_pending(const struct ledger_row *rows, size_t count, const char *name, struct error *err)
{
    return tool_check_pending(rows, count, name, err) ||
           error_hint(err,
                      "If it has not run, let golang-migrate set the version before it: migrate force "
                      "VERSION");
}

const struct dialect DIALECT_GOLANG_MIGRATE = {
    .format = FORMAT_GOLANG_MIGRATE,
    .tool = "golang-migrate",
    .codes = NO_CODES,

    .recognises = recognises,
    .layout = LAYOUT_FILES,
    .places = PLACES,
    .beside_schema = "migrations",
    .own_files = NO_OWN_FILES,
    .copy = "COPY migrations ./migrations",
    .script_name = "",
    .script_rule = "Each migration is a file VERSION_title.up.sql",
    .name_most = 255,
    .entry_kind_of = entry_kind_of,
    .key_of = numbered_key_of,

    .order_key_of = golang_migrate_order_key_of,
    .compare_keys = numbered_compare_keys,
    .is_order_certain = numbered_is_order_certain,

    .inverse = ".down.sql",
    .script_ending = ".up.sql",
    .read_script = read_script,
    .refuses_missing = true,

    .checksum_of = tool_checksum_of,
    .checksum_matches = tool_checksum_matches,

    .ledger_name = "schema_migrations",
    .ledger = &GOLANG_MIGRATE_LEDGER,
    .is_marker = true,
    .ledger_search = SEARCH_CURRENT_SCHEMA,
    .takes_search_path = true,
    .takes_url_table = true,
    .check_applied = tool_check_applied,
    .check_rolled_back = check_rolled_back,
    .check_pending = check_pending,

    .lock_key = TIDELOCK_KEY,
    .tool_keys_of = golang_migrate_keys_of,
    .lock_table = "schema_lock",
};
