#include "deploy/candidate.h"

#include <stdlib.h>
#include <string.h>

#include "config/endpoint.h"
#include "config/variable.h"
#include "history/other_ledger.h"

enum { NAME_MOST = 256 };

const struct dialect *candidate_first(const struct config *config)
{
    size_t i = 0;

    if (config->format == FORMAT_AUTO)
        return DIALECTS[0];
    do {
        if (DIALECTS[i]->format == (enum format)config->format)
            return DIALECTS[i];
    } while (DIALECTS[++i] != NULL);
    return DIALECTS[0];
}

/* The dialect with the ledger that its tool finds in the URL. --ledger says more. */
static void set_url(struct arena *arena, const struct config *config, const struct endpoint *endpoint,
                    const struct dialect **dialect)
{
    struct dialect *changed;

    if (!(*dialect)->takes_url_table)
        return;
    changed = arena_alloc(arena, 1, sizeof *changed);
    *changed = **dialect;
    if (endpoint->lock_table != NULL && endpoint->lock_table[0] != '\0')
        changed->lock_table = endpoint->lock_table;
    if (endpoint->ledger_table != NULL && config->ledger == NULL) {
        changed->ledger_name = endpoint->ledger_table;
        changed->ledger_schema = endpoint->ledger_schema;
    }
    *dialect = changed;
}

/* What the tool's own variables say of the schema: the first of a list. */
static const char *schema_said(struct arena *arena, const struct config *config,
                               const struct dialect *dialect)
{
    for (size_t i = 0; dialect->schema_variables != NULL && dialect->schema_variables[i] != NULL; i++) {
        const char *said = variable_of_tool(config, dialect->schema_variables[i]);
        const size_t length = said == NULL ? 0 : strcspn(said, ",");

        if (length > 0)
            return arena_copy(arena, said, length);
    }
    return NULL;
}

/* One part of a name: in double quotes as SQL has them, or up to a dot, as it stands. */
static const char *take_name(const char *at, struct text *out)
{
    const bool is_quoted = *at == '"';

    for (at += is_quoted; *at != '\0' && (is_quoted || *at != '.'); at++) {
        if (*at == '"' && is_quoted && at[1] != '"')
            return at + 1;
        at += *at == '"' && is_quoted;
        text_add(out, at, 1);
    }
    return is_quoted ? NULL : at;
}

static bool refuse_ledger(const char *said, struct error *err)
{
    error_set(err, ERROR_USAGE, "--ledger is not the name of a table: %s", said);
    return error_hint(err, "Write TABLE or SCHEMA.TABLE; a name with a dot in double quotes.");
}

bool candidate_set_ledger(struct arena *arena, const struct config *config, const struct dialect **dialect,
                          struct error *err)
{
    const char *said =
        config->ledger != NULL ? config->ledger : variable_of_tool(config, (*dialect)->ledger_variable);
    auto_text struct text first = text_init(NAME_MOST);
    auto_text struct text second = text_init(NAME_MOST);
    struct dialect *changed;
    const char *end;

    if (said == NULL)
        return true;
    end = take_name(said, &first);
    if (end != NULL && *end == '.')
        end = take_name(end + 1, &second);
    if (end == NULL || *end != '\0' || first.length == 0 ||
        (strchr(said, '.') != NULL && second.length == 0 && said[0] != '"'))
        return refuse_ledger(said, err);
    changed = arena_alloc(arena, 1, sizeof *changed);
    *changed = **dialect;
    changed->ledger_name = second.length > 0 ? arena_copy(arena, second.at, second.length)
                                             : arena_copy(arena, first.at, first.length);
    if (second.length > 0)
        changed->ledger_schema = arena_copy(arena, first.at, first.length);
    *dialect = changed;
    return true;
}

static bool is_plain(struct slice name)
{
    for (size_t i = 0; i < name.length; i++) {
        if (!(name.at[i] >= 'a' && name.at[i] <= 'z') && name.at[i] != '_' &&
            (i == 0 || name.at[i] < '0' || name.at[i] > '9'))
            return false;
    }
    return name.length > 0;
}

/* Where the tool would create the schema that the URL's search_path begins with, so do we. */
static void set_first_schema(struct arena *arena, const char *path, const struct dialect **dialect)
{
    struct slice first = slice_trim((struct slice) { path, path == NULL ? 0 : strcspn(path, ",") });
    struct dialect *changed;

    if ((*dialect)->ledger_search != SEARCH_FIRST_SCHEMA || !is_plain(first))
        return;
    changed = arena_alloc(arena, 1, sizeof *changed);
    *changed = **dialect;
    changed->first_schema = arena_copy(arena, first.at, first.length);
    *dialect = changed;
}

bool candidates_add(const struct config *config, const struct endpoint *endpoint,
                    const struct dialect *dialect, struct candidates *out, struct error *err)
{
    struct arena *arena = config->arena;
    struct candidate *candidate = &out->items[out->count++];
    const struct dialect *changed = dialect;
    bool is_right;

    *candidate = (struct candidate) { dialect, *endpoint };
    set_url(arena, config, endpoint, &changed);
    set_first_schema(arena, endpoint->search_path, &changed);
    if (dialect->takes_search_path)
        endpoint_take_search_path(arena, &candidate->endpoint);
    if (endpoint->schema == NULL)
        candidate->endpoint.schema = schema_said(arena, config, dialect);
    is_right = candidate_set_ledger(arena, config, &changed, err);
    candidate->dialect = changed;
    return is_right;
}

bool candidate_has_one_session(const struct config *config, const struct endpoint *endpoint)
{
    if (endpoint->search_path != NULL)
        return false;
    for (size_t i = 0; endpoint->schema == NULL && DIALECTS[i] != NULL; i++) {
        if (schema_said(config->arena, config, DIALECTS[i]) != NULL)
            return false;
    }
    return true;
}

bool candidates_keep_with_ledger(struct connection *conn, struct candidates *all, struct error *err)
{
    size_t count = 0;

    for (size_t i = 0; i < all->count; i++) {
        bool has_ledger;

        if (!other_ledger_find_own(conn, all->items[i].dialect, all->items[i].endpoint.schema, &has_ledger,
                                   err))
            return false;
        if (has_ledger)
            all->items[count++] = all->items[i];
    }
    all->count = count;
    return true;
}
