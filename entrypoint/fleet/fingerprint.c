#include "fleet/fingerprint.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "deploy/target.h"
#include "history/folder.h"
#include "history/script_file.h"

enum { RULES_MOST = 64 * 1024 };

/* With the NUL at its end: two texts do not run into each other. */
static void add(struct sha256 *sha256, const char *text)
{
    sha256_add(sha256, text == NULL ? "" : text, text == NULL ? 1 : strlen(text) + 1);
}

/* The options that decide what is applied, where it is written down, and what is refused. */
static void add_rules(struct sha256 *sha256, const struct config *config)
{
    const int64_t numbers[] = {
        config->format,        config->strict, config->is_strict_said,    config->is_unrelated_allowed,
        config->refuse,        config->drift,  config->require_backup_ms, config->wants_restore_point,
        config->makes_missing,
    };
    const char *const texts[] = {
        config->ledger,    config->set_role,         config->to,
        config->release,   config->rule_levels.text, config->backup_check,
        config->made_from, config->made_for,         config->ignored_facts,
    };
    auto_text struct text rules = text_init(RULES_MOST);

    for (size_t i = 0; i < array_length(numbers); i++)
        text_add_format(&rules, "%" PRId64 " ", numbers[i]);
    add(sha256, rules.at);
    for (size_t i = 0; i < array_length(texts); i++)
        add(sha256, texts[i]);
}

static void add_text(struct sha256 *sha256, const struct text *script)
{
    char checksum[SHA256_HEX_SIZE];

    sha256_of(text_slice(script), checksum);
    add(sha256, checksum);
}

/* As it is, and as its tool reads it: with values of the environment, and what a file beside it says. */
static bool add_script(struct sha256 *sha256, const struct folder *folder, const struct migration *migration,
                       struct error *err)
{
    auto_text struct text script = text_init(SCRIPT_BYTES_MOST);
    struct script_wishes wishes;

    if (!migration_read(folder->dialect, migration, &script, err))
        return false;
    add(sha256, migration->name);
    add(sha256, migration->key);
    add_text(sha256, &script);
    if (folder->dialect->read_script == NULL)
        return true;
    if (!migration_prepare(folder, migration, &script, &wishes, err))
        return false;
    add_text(sha256, &script);
    return true;
}

/* The ledger's schema may be one that a variable of the tool's names. */
static bool add_target(struct sha256 *sha256, const struct target *target, struct error *err)
{
    const struct folder *folder = &target->folder;

    add(sha256, target->endpoint.schema);
    add(sha256, FORMAT_NAMES[folder->dialect->format]);
    add(sha256, folder->dialect->ledger_schema);
    add(sha256, folder->dialect->ledger_name);
    for (size_t i = 0; i < folder->count - folder->beyond; i++) {
        if (!add_script(sha256, folder, &folder->items[i], err))
            return false;
    }
    return true;
}

/* Each tenant says what there is to say of the folder. */
static bool read_folder(const struct config *config, struct target *out, struct error *err)
{
    bool is_read;

    *out = (struct target) { .begun = NULL };
    log_be_brief(true);
    is_read = target_find_folder(config->arena, config, out, err) &&
              (config->to == NULL || folder_limit(&out->folder, config->to, err));
    log_be_brief(false);
    return is_read;
}

bool fingerprint_make(const struct config *config, char out[SHA256_HEX_SIZE], struct error *err)
{
    auto_arena struct arena *arena = arena_new();
    struct config own = *config;
    unsigned char digest[SHA256_BYTES];
    struct sha256 sha256;
    struct target target;
    bool is_made;

    own.arena = arena;
    if (!read_folder(&own, &target, err))
        return false;
    sha256_begin(&sha256);
    add_rules(&sha256, config);
    is_made = add_target(&sha256, &target, err);
    sha256_end(&sha256, digest);
    if (is_made)
        sha256_hex(digest, out);
    return is_made;
}
