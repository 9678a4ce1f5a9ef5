#include "repair/index.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "postgres/query.h"
#include "repair/invalid_index.h"
#include "sql/quote.h"

/* $1 is the index's name. */
static const struct query INDEX_STATE = {
    .name = "index_state",
    .parameters = 1,
    .sql =
        "SELECT pg_catalog.to_regclass($1) IS NOT NULL,"
        " EXISTS (SELECT FROM pg_catalog.pg_index AS i"
        "          WHERE i.indexrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)"
        " AND NOT i.indisvalid)",
};

static enum repair_answer refuse(const struct broken *broken, const char *name, const char *what,
                                 struct error *err)
{
    error_set(err, ERROR_CLEAN, "the index %s %s", name, what);
    broken_point(broken, err);
    error_hint(err, "Check that nobody needs it, then type: DROP INDEX CONCURRENTLY %s; and deploy again.",
               name);
    return REPAIR_REFUSED;
}

/* Of a name alone, and of what is not there, nothing is compared. One without a name can only be told by its
 * definition, which is worth the while for who looks at what is left. */
static bool needs_definition(const struct broken *broken, const struct index_search *search,
                             const struct found_index *found)
{
    bool has_name = search->index->name[0] != '\0';

    if (!search->intent->is_known)
        return broken->may_only_look && !has_name;
    return !has_name || (found->is_found && found->is_younger);
}

/* The statement's own index, as the statement is written now or as the interrupted run had it. */
static bool find(const struct broken *broken, struct slice sql, struct index_search search,
                 struct found_index *found, struct error *err)
{
    const struct index_statement *index = search.index;
    auto_text struct text definition = text_init(4096);

    if (!invalid_index_find(broken, &search, found, err))
        return false;
    if (!needs_definition(broken, &search, found))
        return true;
    if (!invalid_index_definition(broken, sql, index, &definition, err))
        return false;
    search.definition = definition.at;
    return definition.length == 0 || invalid_index_find(broken, &search, found, err);
}

/* What the interrupted run created for this statement, which may have been corrected since. */
static bool find_leftover(const struct broken *broken, const struct intent *intent, struct found_index *found,
                          struct error *err)
{
    struct slice sql = slice_of(intent->sql != NULL ? intent->sql : "");
    struct index_statement former;

    *found = (struct found_index) { .is_found = false };
    if (!index_statement_parse(sql, &former) || former.is_drop)
        return true;
    return find(broken, sql, (struct index_search) { &former, intent, "" }, found, err);
}

static bool is_ours(const struct found_index *found)
{
    return found->is_found && !found->is_valid && found->is_younger && found->is_same && !found->is_taken;
}

static enum repair_answer look(const struct broken *broken, const struct index_statement *index,
                               const struct intent *intent, struct error *err)
{
    struct slice sql = broken_text(broken);
    struct found_index found;

    if (!find(broken, sql, (struct index_search) { index, intent, "" }, &found, err))
        return REPAIR_ERROR;
    if (!found.is_found)
        return REPAIR_RUN;
    if (!found.is_valid)
        return refuse(broken, found.name,
                      "is INVALID, and it is not certain that this migration left it behind", err);
    if (!found.is_younger)
        return REPAIR_RUN; /* an older one: the server will report it */
    if (found.is_same)
        return REPAIR_DONE;
    return refuse(
        broken, found.name,
        "was created after this migration was interrupted, but differs from what the script creates now",
        err);
}

enum repair_answer index_create_before(const struct broken *broken, const struct index_statement *index,
                                       const struct intent *intent, struct error *err)
{
    struct found_index leftover;

    if (!find_leftover(broken, intent, &leftover, err))
        return REPAIR_ERROR;
    if (is_ours(&leftover)) {
        log_warn("dropping the INVALID index %s that an interrupted run left behind", leftover.name);
        if (!invalid_index_drop(broken, leftover.name, err))
            return REPAIR_ERROR;
    }
    return look(broken, index, intent, err);
}

bool index_create_after(const struct broken *broken, const struct index_statement *index,
                        const struct intent *intent, struct leftover *left)
{
    struct slice sql = broken_text(broken);
    struct found_index found = { .is_found = false };
    struct error err;

    /* Of the statement as the earlier run had it; otherwise as it is now. */
    if ((broken->may_only_look && !find_leftover(broken, intent, &found, &err)) ||
        (!is_ours(&found) && !find(broken, sql, (struct index_search) { index, intent, "" }, &found, &err)))
        return leftover_unknown(left, intent->is_known, &err);
    if (!found.is_found || (intent->is_known && !found.is_younger) || (found.is_valid && !intent->is_known))
        return true;
    if (found.is_valid) {
        /* Stopped when it was done; another one of that name is not ours. */
        left->is_ours = found.is_same;
        (void)snprintf(left->what, sizeof left->what, "the index %s, which is complete", found.name);
        return !found.is_same;
    }
    if (is_ours(&found) && !broken->may_only_look && invalid_index_drop(broken, found.name, &err)) {
        log_info("dropped the INVALID index %s that the failed statement left", found.name);
        return true;
    }
    left->is_ours = is_ours(&found);
    (void)snprintf(left->what, sizeof left->what, "the INVALID index %s", found.name);
    (void)snprintf(left->remedy, sizeof left->remedy, "DROP INDEX CONCURRENTLY %s", found.name);
    return false;
}

/* It can simply be run again, unless it was already done. */
enum repair_answer index_drop_before(const struct broken *broken, const struct index_statement *index,
                                     const struct intent *intent, struct error *err)
{
    auto_text struct text name = text_init(QUALIFIED_NAME_SIZE);
    auto_result struct result *result = NULL;

    quote_qualified(index->schema, index->name, &name);
    const char *const parameters[] = { name.at };
    if (!intent->is_known)
        return REPAIR_RUN;
    if (!query_run(broken->conn, &INDEX_STATE, parameters, &result, err))
        return REPAIR_ERROR;
    return result_bool(result, 0, 0) ? REPAIR_RUN : REPAIR_DONE;
}

bool index_drop_after(const struct broken *broken, const struct index_statement *index,
                      const struct intent *intent, struct leftover *left)
{
    auto_text struct text name = text_init(QUALIFIED_NAME_SIZE);
    auto_result struct result *result = NULL;
    struct error err;

    quote_qualified(index->schema, index->name, &name);
    const char *const parameters[] = { name.at };
    if (!query_run(broken->conn, &INDEX_STATE, parameters, &result, &err))
        return leftover_unknown(left, intent->is_known, &err);
    if (!result_bool(result, 0, 1))
        return true;
    left->is_ours = intent->is_known;
    (void)snprintf(
        left->what, sizeof left->what,
        "the index %s, which is INVALID: no query uses it, but every write still maintains it (to keep "
        "it: REINDEX INDEX CONCURRENTLY)",
        name.at);
    (void)snprintf(left->remedy, sizeof left->remedy, "DROP INDEX CONCURRENTLY %s", name.at);
    return false;
}

bool index_verify(const struct broken *broken, const struct index_statement *index, struct error *err)
{
    static const struct intent none = { .is_known = false };
    struct found_index found;

    if (index->name[0] == '\0')
        return true;
    if (!invalid_index_find(broken, &(const struct index_search) { index, &none, "" }, &found, err))
        return false;
    if (!found.is_found || found.is_valid)
        return true;
    (void)refuse(broken, found.name, "exists but is INVALID: IF NOT EXISTS accepted it", err);
    return false;
}
