#include "shadow/inverses.h"

#include <string.h>

#include "base/log.h"
#include "history/inverse.h"
#include "history/script_file.h"
#include "schema/catalog.h"
#include "shadow/internal.h"
#include "shadow/replay.h"

/* What a migration is tried with. */
struct trial {
    struct replay replay;
    struct arena *arena;
    const struct folder *folder;
    inverses_note *note;
    struct facts facts; /* as they are before it */
};

static bool read_facts(struct trial *trial, struct facts *out, struct error *err)
{
    *out = (struct facts) { .count = 0 };
    return catalog_read(trial->arena, trial->replay.shadow->conn,
                        &(const struct catalog_request) { .dialect = trial->folder->dialect }, out, err);
}

static bool is_same(const struct facts *one, const struct facts *other)
{
    char first[SHA256_HEX_SIZE];
    char second[SHA256_HEX_SIZE];

    facts_digest(one, first);
    facts_digest(other, second);
    return strcmp(first, second) == 0;
}

/* Whether it has one with a statement; a missing one is no error here. */
static bool find_inverse(struct trial *trial, size_t index, struct migration *inverse, bool *has_one,
                         struct error *err)
{
    auto_text struct text bytes = text_init(SCRIPT_BYTES_MOST);
    const struct connection *conn = trial->replay.shadow->conn;
    struct script_wishes wishes;
    struct script_summary summary;
    struct error ignored;

    *has_one = false;
    if (!inverse_of(trial->arena, trial->folder->dialect, &trial->folder->items[index], inverse, &ignored))
        return true;
    if (!migration_read(trial->folder->dialect, inverse, &bytes, err) ||
        !migration_prepare(trial->folder, inverse, &bytes, &wishes, err) ||
        !script_summarize(script_reader_of(inverse->script_path, script_without_bom(text_slice(&bytes)),
                                           connection_server_version(conn), true),
                          &summary, err))
        return false;
    *has_one = summary.statements > 0;
    return true;
}

static bool try_again(struct trial *trial, size_t index, const struct migration *inverse, struct facts *twice,
                      struct error *err)
{
    struct facts undone;

    if (!replay_inverse(&trial->replay, index, inverse, err) || !read_facts(trial, &undone, err))
        return false;
    trial->note(inverse, &trial->facts, &undone);
    return (replay_one(&trial->replay, index, err) ||
            error_context(err, "applying it again after its inverse")) &&
           read_facts(trial, twice, err);
}

static bool try_one(struct trial *trial, size_t index, struct inverses_finding *out, struct error *err)
{
    struct migration inverse;
    bool has_inverse;

    if (!replay_one(&trial->replay, index, err) || !find_inverse(trial, index, &inverse, &has_inverse, err) ||
        !read_facts(trial, &out->once, err))
        return false;
    out->tried += has_inverse;
    out->without += !has_inverse;
    if (has_inverse && !try_again(trial, index, &inverse, &out->twice, err))
        return false;
    if (has_inverse && !is_same(&out->once, &out->twice))
        out->name = inverse.name;
    trial->facts = out->once;
    return true;
}

static bool try_all(struct trial *trial, struct inverses_finding *out, struct error *err)
{
    const struct folder *folder = trial->folder;

    if (!read_facts(trial, &trial->facts, err))
        return false;
    for (size_t i = 0; i < folder->count - folder->beyond && out->name == NULL; i++) {
        if (!try_one(trial, i, out, err))
            return false;
    }
    return true;
}

bool shadow_try_inverses(const struct shadow_request *wanted, const struct folder *folder,
                         inverses_note *note, struct inverses_finding *out, struct error *err)
{
    struct trial trial = { .arena = wanted->config->arena, .folder = folder, .note = note };
    struct shadow shadow;
    bool is_tried;

    *out = (struct inverses_finding) { .name = NULL };
    if (!inverse_check(folder->dialect, err) || !shadow_open(trial.arena, wanted, &shadow, err))
        return false;
    log_info("trying the inverses in the shadow database \"%s\"", shadow.name);
    is_tried = replay_begin(&trial.replay, &shadow, folder, shadow_schema_of(wanted, &shadow), err) &&
               try_all(&trial, out, err);
    replay_end(&trial.replay);
    shadow_close(&shadow);
    return is_tried;
}
