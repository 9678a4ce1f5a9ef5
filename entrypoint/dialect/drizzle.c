#include "dialect/dialect.h"
#include "dialect/drizzle_folder.h"
#include "dialect/drizzle_journal.h"
#include "dialect/drizzle_ledger.h"
#include "dialect/drizzle_script.h"
#include "dialect/foreign.h"
#include "dialect/numbered.h"
#include "dialect/prisma_checksum.h"
#include "dialect/prisma_order.h"
#include "dialect/tool_checks.h"

static const char *const PLACES[] = { "drizzle", "migrations", NULL };

/* The journal tells, too: it is looked for first. */
static bool recognises(const struct folder_look *look)
{
    const struct foreign_tool *tool = foreign_tool_of("", look->script);

    return tool != NULL && tool->format == FORMAT_DRIZZLE;
}

static enum entry_kind entry_kind_of(const char *entry, bool is_directory)
{
    return is_directory && drizzle_folder_has_time(entry) ? ENTRY_MIGRATION : ENTRY_OTHER;
}

/* Prisma's folders hold such directories, too, but no snapshots. */
static bool recognises_named(const struct folder_look *look)
{
    for (size_t i = 0; i < look->count; i++) {
        if (look->entries[i].has_script)
            return look->entries[i].has_snapshot || look->is_format_said;
    }
    return false;
}

static bool check_journal(const struct dialect *dialect, const char *path, struct slice text,
                          struct error *err)
{
    (void)dialect;
    return drizzle_journal_check(path, text, err);
}

static void key_of(const char *name, char out[KEY_SIZE])
{
    text_copy_cut(out, KEY_SIZE, name);
}

static int compare_keys(const void *one, const void *other)
{
    return prisma_order_compare_keys(one, other);
}

/* Both are programs of Node, which decodes a file as Prisma's does, and sorts names alike. */
#define SHARED                                                                                               \
    .format = FORMAT_DRIZZLE, .tool = "Drizzle", .codes = NO_CODES, .places = PLACES,                        \
    .beside_schema = "drizzle", .own_files = NO_OWN_FILES, .copy = "COPY drizzle ./drizzle",                 \
    .name_most = 255, .read_script = drizzle_script_read, .checksum_of = prisma_checksum_of,                 \
    .checksum_matches = prisma_checksum_matches, .ledger_name = "__drizzle_migrations",                      \
    .ledger_schema = "drizzle", .has_checksums = true, .check_applied = tool_check_applied,                  \
    .check_rolled_back = tool_check_rolled_back, .check_pending = tool_check_pending,                        \
    .lock_key = TIDELOCK_KEY

const struct dialect DIALECT_DRIZZLE = {
    SHARED,
    .recognises = recognises,
    .layout = LAYOUT_INDEX,
    .index = "meta/_journal.json",
    .read_index = drizzle_journal_read,
    .lock_file = "meta/_journal.json",
    .check_lock_file = check_journal,
    .script_name = ".sql",
    .script_rule = "Each entry of meta/_journal.json has a file TAG.sql",
    .order_key_of = numbered_order_key_of,
    .compare_keys = numbered_compare_keys,
    .is_order_certain = numbered_is_order_certain,
    .skips_out_of_order = true,
    .ledger = &DRIZZLE_LEDGER,
};

const struct dialect DIALECT_DRIZZLE_NAMED = {
    SHARED,
    .recognises = recognises_named,
    .layout = LAYOUT_DIRECTORIES,
    .script_name = "migration.sql",
    .script_rule = "Each migration is a directory TIME_name with a readable migration.sql",
    .entry_kind_of = entry_kind_of,
    .key_of = key_of,
    .describe = drizzle_folder_millis, /* what the ledger has of it besides its name */
    .order_key_of = prisma_order_key_of,
    .compare_keys = compare_keys,
    .is_order_certain = prisma_order_is_certain,
    .ledger = &DRIZZLE_NAMED_LEDGER,
    .older_ledger_hint =
        "If it was made by Drizzle before 1.0, let Drizzle convert it first: drizzle-kit migrate.",
};
