#include <string.h>

#include "dialect/dbmate_ledger.h"
#include "dialect/dbmate_script.h"
#include "dialect/dialect.h"
#include "dialect/numbered.h"
#include "dialect/tool_checks.h"

static const char *const PLACES[] = { "db/migrations", "migrations", NULL };

static size_t digits_of(const char *name)
{
    return strspn(name, "0123456789");
}

static enum entry_kind entry_kind_of(const char *entry, bool is_directory)
{
    return !is_directory && digits_of(entry) > 0 && text_ends_with(entry, ".sql") ? ENTRY_MIGRATION
                                                                                  : ENTRY_OTHER;
}

static bool recognises(const struct folder_look *look)
{
    return dbmate_script_is_one(look->script);
}

/* The version is text: 1, 01 and 001 are three. */
static void key_of(const char *name, char out[KEY_SIZE])
{
    size_t digits = digits_of(name);

    if (digits >= KEY_SIZE)
        digits = KEY_SIZE - 1;
    memcpy(out, name, digits);
    out[digits] = '\0';
}

static struct order_key order_key_of(const char *name)
{
    return (struct order_key) { .name = name };
}

/* By the whole name, byte for byte: 10_b comes before 1_a. */
static int compare_keys(const void *one, const void *other)
{
    return strcmp(((const struct order_key *)one)->name, ((const struct order_key *)other)->name);
}

const struct dialect DIALECT_DBMATE = {
    .format = FORMAT_DBMATE,
    .tool = "dbmate",
    .codes = NO_CODES,

    .recognises = recognises,
    .layout = LAYOUT_FILES,
    .places = PLACES,
    .beside_schema = "migrations",
    .own_files = NO_OWN_FILES,
    .folder_variable = "DBMATE_MIGRATIONS_DIR",
    .copy = "COPY db/migrations ./db/migrations",
    .script_name = "",
    .script_rule = "Each migration is a file NUMBER_name.sql",
    .name_most = 255,
    .entry_kind_of = entry_kind_of,
    .key_of = key_of,

    .order_key_of = order_key_of,
    .compare_keys = compare_keys,
    .is_order_certain = numbered_is_order_certain,

    .inverse = "",
    .read_script = dbmate_script_read,
    .transaction_hint = "Write \"-- migrate:up transaction:false\".",

    .checksum_of = tool_checksum_of,
    .checksum_matches = tool_checksum_matches,

    .ledger_name = "schema_migrations",
    .ledger_variable = "DBMATE_MIGRATIONS_TABLE",
    .ledger_search = SEARCH_FIRST_SCHEMA,
    .takes_search_path = true,
    .ledger = &DBMATE_LEDGER,
    .check_applied = tool_check_applied,
    .check_rolled_back = tool_check_rolled_back,
    .check_pending = tool_check_pending,

    .lock_key = TIDELOCK_KEY,
};
