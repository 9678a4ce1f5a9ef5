#include <string.h>

#include "dialect/dialect.h"
#include "dialect/prisma_checksum.h"
#include "dialect/prisma_config.h"
#include "dialect/prisma_ledger.h"
#include "dialect/prisma_lock_file.h"
#include "dialect/prisma_order.h"
#include "dialect/prisma_resolve.h"

static const char *const PLACES[] = { "prisma/migrations", "prisma/schema/migrations", "migrations", NULL };

/* What version 7.10 looks for; version 6 knows fewer, and package.json. */
static const char *const CONFIG_STEMS[] = { "prisma7.config", ".config/prisma7",       "prisma.config",
                                            ".config/prisma", ".config/prisma.config", NULL };
static const char *const CONFIG_EXTENSIONS[] = { ".js", ".ts", ".mjs", ".cjs", ".mts", ".cts", NULL };
static const char *const PACKAGE_STEMS[] = { "package", NULL };
static const char *const PACKAGE_EXTENSIONS[] = { ".json", NULL };

static const struct own_file OWN_FILES[] = {
    { CONFIG_STEMS, CONFIG_EXTENSIONS, prisma_config_read },
    { PACKAGE_STEMS, PACKAGE_EXTENSIONS, prisma_config_read_package },
    { NULL, NULL, NULL },
};

/* Every directory, hidden ones too. */
static enum entry_kind entry_kind_of(const char *entry, bool is_directory)
{
    (void)entry;
    return is_directory ? ENTRY_MIGRATION : ENTRY_OTHER;
}

/* Drizzle's newer folders hold such directories, too, each with a snapshot. */
static bool recognises(const struct folder_look *look)
{
    for (size_t i = 0; i < look->count; i++) {
        if (look->entries[i].has_script)
            return !look->entries[i].has_snapshot;
        if (strcmp(look->entries[i].name, "migration_lock.toml") == 0)
            return true;
    }
    return false;
}

static bool check_lock_file(const struct dialect *dialect, const char *path, struct slice text,
                            struct error *err)
{
    (void)dialect;
    return prisma_lock_file_parse(path, text, err);
}

static int compare_keys(const void *one, const void *other)
{
    return prisma_order_compare_keys(one, other);
}

const struct dialect DIALECT_PRISMA = {
    .format = FORMAT_PRISMA,
    .tool = "Prisma",
    .codes = {
        .failed = "P3018",
        .unresolved = "P3009",
        .not_empty = "P3005",
        .script_missing = "P3015",
        .unknown_name = "P3017",
        .no_shadow = "P3014",
        .not_replayed = "P3006",
    },

    .recognises = recognises,
    .layout = LAYOUT_DIRECTORIES,
    .places = PLACES,
    .beside_schema = "migrations",
    .own_files = OWN_FILES,
    .copy = "COPY prisma ./prisma",
    .script_name = "migration.sql",
    .script_rule = "Each migration is a directory with a readable migration.sql",
    .name_most = 255, /* migration_name VARCHAR(255) */
    .entry_kind_of = entry_kind_of,

    .inverse = "down.sql", /* as Prisma's guide to down migrations calls it */
    .invalid_text = "silently replaces such bytes by U+FFFD and applies the result",
    .lock_file = "migration_lock.toml",
    .check_lock_file = check_lock_file,

    .order_key_of = prisma_order_key_of,
    .compare_keys = compare_keys,
    .is_order_certain = prisma_order_is_certain,

    .checksum_of = prisma_checksum_of,
    .checksum_matches = prisma_checksum_matches,

    .ledger_name = "_prisma_migrations",
    .ledger = &PRISMA_LEDGER,
    .keeps_attempts = true,
    .has_checksums = true,
    .needs_empty = true,
    .check_applied = prisma_resolve_check_applied,
    .check_rolled_back = prisma_resolve_check_rolled_back,
    .check_pending = prisma_resolve_check_pending,

    .lock_key = "72707369",
    .lock_switch = "PRISMA_SCHEMA_DISABLE_ADVISORY_LOCK",
};
