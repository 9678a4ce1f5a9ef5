#include <string.h>

#include "dialect/dialect.h"
#include "dialect/foreign.h"
#include "dialect/numbered.h"
#include "dialect/sqlx_config.h"
#include "dialect/sqlx_ledger.h"
#include "dialect/tool_checks.h"

static const char *const PLACES[] = { "migrations", NULL };

/* Its first underscore parts the version from the description. */
static bool has_form(const char *entry)
{
    const char *underscore = strchr(entry, '_');

    return underscore != NULL && text_ends_with(underscore + 1, ".sql");
}

static enum entry_kind entry_kind_of(const char *entry, bool is_directory)
{
    if (is_directory || !has_form(entry))
        return ENTRY_OTHER;
    if (!numbered_has_number(entry) || numbered_number_of(entry) > INT64_MAX)
        return ENTRY_MISNAMED;
    return text_ends_with(entry, ".down.sql") ? ENTRY_OTHER : ENTRY_MIGRATION;
}

/* sqlx writes both ways, or neither: a way without its way back is one of golang-migrate. Names are sorted.
 */
static bool is_lone_way(const struct folder_look *look, size_t index)
{
    const char *name = look->entries[index].name;
    const char *before = index == 0 ? "" : look->entries[index - 1].name;
    size_t stem = strlen(name) - strlen("up.sql");

    return text_ends_with(name, ".up.sql") &&
           !(strncmp(before, name, stem) == 0 && strcmp(before + stem, "down.sql") == 0);
}

/* Many tools number their files: one that has left a mark in them is asked first. */
static bool recognises(const struct folder_look *look)
{
    bool has_migration = false;

    for (size_t i = 0; i < look->count; i++) {
        switch (entry_kind_of(look->entries[i].name, look->entries[i].is_directory)) {
        case ENTRY_MIGRATION:
            if (is_lone_way(look, i))
                return false;
            has_migration = true;
            break;
        case ENTRY_MISNAMED:
            return false;
        default:
            break;
        }
    }
    return has_migration && foreign_tool_of("", look->script) == NULL;
}

/* What is between the version and the ending, with blanks for underscores. */
static void describe(const char *name, char out[KEY_SIZE])
{
    const char *const endings[] = { ".up.sql", ".sql" };
    const char *ending = text_ends_with(name, endings[0]) ? endings[0] : endings[1];

    text_copy_cut(out, KEY_SIZE, strchr(name, '_') + 1);
    while (text_ends_with(out, ending))
        out[strlen(out) - strlen(ending)] = '\0';
    for (char *at = out; *at != '\0'; at++) {
        if (*at == '_')
            *at = ' ';
    }
}

/* Only where the file begins with these words: no blank, and no byte order mark, may be before them. */
static bool read_script(const struct script_source *source, struct text *script, struct script_wishes *out,
                        struct error *err)
{
    (void)source;
    (void)err;
    out->transaction = slice_starts_with(text_slice(script), "-- no-transaction") ? SCRIPT_TRANSACTION_OFF
                                                                                  : SCRIPT_TRANSACTION_ON;
    return true;
}

static bool checksum_matches(const char *stored, struct slice script)
{
    char checksum[SHA384_HEX_SIZE];

    sha384_of(script, checksum);
    return strcmp(stored, checksum) == 0;
}

const struct dialect DIALECT_SQLX = {
    .format = FORMAT_SQLX,
    .tool = "sqlx",
    .codes = NO_CODES,

    .recognises = recognises,
    .layout = LAYOUT_FILES,
    .places = PLACES,
    .beside_schema = "migrations",
    .own_files = NO_OWN_FILES,
    .copy = "COPY migrations ./migrations",
    .script_name = "",
    .script_rule = "Each migration is a file NUMBER_name.sql",
    .name_most = 255,
    .entry_kind_of = entry_kind_of,
    .misnamed_is = "does not begin with a number of at most 63 bits",
    .key_of = numbered_key_of,
    .describe = describe,

    .lock_file = "../sqlx.toml",
    .check_lock_file = sqlx_config_check,

    .order_key_of = numbered_order_key_of,
    .compare_keys = numbered_compare_keys,
    .is_order_certain = numbered_is_order_certain,

    .inverse = ".down.sql",
    .script_ending = ".up.sql",
    .read_script = read_script,
    .transaction_hint = "Begin the file with \"-- no-transaction\", before anything else.",
    .refuses_edited = true,
    .refuses_missing = true,

    .checksum_of = sha384_of,
    .checksum_matches = checksum_matches,

    .ledger_name = "_sqlx_migrations",
    .ledger_search = SEARCH_CURRENT_SCHEMA,
    .ledger = &SQLX_LEDGER,
    .has_checksums = true,
    .check_applied = tool_check_applied,
    .check_rolled_back = tool_check_rolled_back,
    .check_pending = tool_check_pending,

    .lock_key = TIDELOCK_KEY,
    .tool_keys_of = sqlx_keys_of,
};
