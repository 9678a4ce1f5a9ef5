#include "apply/repair.h"

#include <string.h>

#include "base/log.h"
#include "postgres/query.h"
#include "sql/index_statement.h"
#include "sql/quote.h"

enum { NAME_MOST = 1024 };

/* The indexes of table $1 that are named $2, or are INVALID when $2 is null. $3 is the transaction id of the
 * intent: row versions carry the lower half of an id, and age() compares those rightly across a wrap-around.
 */
static const struct query INDEXES = {
    .name = "indexes_of_table",
    .parameters = 3,
    .sql =
        "SELECT n.nspname, c.relname, i.indisvalid,"
        "       $3::bigint IS NOT NULL AND pg_catalog.age(c.xmin) <="
        "         pg_catalog.age((($3::bigint & 4294967295)::text)::pg_catalog.xid),"
        "       EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index AS p"
        "                WHERE p.index_relid = c.oid AND p.pid <> pg_catalog.pg_backend_pid())"
        "       OR EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid = c.oid)"
        "  FROM pg_catalog.pg_index AS i"
        "  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid"
        "  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE i.indrelid = pg_catalog.to_regclass($1)"
        "   AND (c.relname = $2 OR $2 IS NULL AND NOT i.indisvalid)",
};

static const struct query INDEX_EXISTS = {
    .name = "index_exists",
    .parameters = 1,
    .sql = "SELECT pg_catalog.to_regclass($1) IS NOT NULL",
};

/* The first index found that is broken, or else a valid one. */
struct finding {
    bool is_found;
    bool is_valid;
    bool is_younger;      /* than the intent: the interrupted statement made it */
    bool is_busy;         /* somebody builds it, or a constraint rests on it */
    char name[NAME_MOST]; /* qualified and quoted */
};

static void add_name(const char *schema, const char *name, struct text *out)
{
    if (schema != NULL && schema[0] != '\0') {
        quote_identifier(schema, out);
        text_add_string(out, ".");
    }
    quote_identifier(name, out);
}

static bool find_index(const struct applying *applying, const struct index_statement *index,
                       const struct intent *intent, struct finding *out, struct error *err)
{
    auto_text struct text table = text_init(NAME_MOST);
    auto_text struct text name = text_init(NAME_MOST);
    auto_result struct result *result = NULL;

    add_name(index->table_schema, index->table, &table);
    const char *const parameters[] = { table.at, index->name[0] == '\0' ? NULL : index->name,
                                       intent->is_known ? intent->txid : NULL };
    *out = (struct finding) { .is_found = false };
    if (!query_run(applying->conn, &INDEXES, parameters, &result, err))
        return false;
    if (result_rows(result) == 0)
        return true;
    add_name(result_text(result, 0, 0), result_text(result, 0, 1), &name);
    out->is_found = true;
    out->is_valid = result_bool(result, 0, 2);
    out->is_younger = result_bool(result, 0, 3);
    out->is_busy = result_bool(result, 0, 4);
    text_copy_cut(out->name, sizeof out->name, name.at);
    return true;
}

static bool drop_index(const struct applying *applying, const char *name, struct error *err)
{
    auto_text struct text sql = text_init(NAME_MOST + 64);
    const struct query drop = { .name = "drop_invalid_index", .sql = NULL };
    struct query query = drop;

    text_add_format(&sql, "DROP INDEX CONCURRENTLY %s", name);
    query.sql = sql.at;
    return query_run(applying->conn, &query, NULL, NULL, err);
}

static bool parse(const struct applying *applying, const struct statement *statement,
                  struct index_statement *out)
{
    struct slice text = { .at = applying->script.at + statement->start,
                          .length = statement->end - statement->start };

    return index_statement_parse(text, out);
}

static enum repair_answer refuse(const struct applying *applying, const struct statement *statement,
                                 const char *name, struct error *err)
{
    error_set(err, ERROR_PARTIAL,
              "the index %s is INVALID and can't be proven to be a leftover of this migration", name);
    error_point(err, applying->migration->script_path, applying->script.at, applying->script.length,
                statement->start);
    error_hint(err, "See that nobody builds it, then: DROP INDEX CONCURRENTLY %s; and deploy again.", name);
    return REPAIR_REFUSED;
}

static enum repair_answer before_create(const struct applying *applying, const struct statement *statement,
                                        const struct index_statement *index, const struct intent *intent,
                                        struct error *err)
{
    struct finding found;

    if (!find_index(applying, index, intent, &found, err))
        return REPAIR_ERROR;
    if (!found.is_found)
        return REPAIR_RUN;
    if (found.is_valid)
        return found.is_younger ? REPAIR_DONE : REPAIR_RUN;
    if (index->name[0] == '\0' && !found.is_younger)
        return REPAIR_RUN; /* somebody else's, under a name that this statement won't want */
    if (!found.is_younger || found.is_busy)
        return refuse(applying, statement, found.name, err);
    log_warn("dropping the INVALID index %s that an interrupted run left behind", found.name);
    return drop_index(applying, found.name, err) ? REPAIR_RUN : REPAIR_ERROR;
}

/* An interrupted DROP INDEX CONCURRENTLY can simply be run again, unless it had done its work. */
static enum repair_answer before_drop(const struct applying *applying, const struct index_statement *index,
                                      const struct intent *intent, struct error *err)
{
    auto_text struct text name = text_init(NAME_MOST);
    auto_result struct result *result = NULL;

    add_name(index->schema, index->name, &name);
    const char *const parameters[] = { name.at };
    if (!intent->is_known)
        return REPAIR_RUN;
    if (!query_run(applying->conn, &INDEX_EXISTS, parameters, &result, err))
        return REPAIR_ERROR;
    return result_bool(result, 0, 0) ? REPAIR_RUN : REPAIR_DONE;
}

enum repair_answer repair_before(const struct applying *applying, const struct statement *statement,
                                 const struct intent *intent, struct error *err)
{
    struct index_statement index;

    if (statement->alone == ALONE_CREATE_INDEX && parse(applying, statement, &index))
        return before_create(applying, statement, &index, intent, err);
    if (statement->alone == ALONE_DROP_INDEX && parse(applying, statement, &index))
        return before_drop(applying, &index, intent, err);
    return REPAIR_RUN;
}

bool repair_after(const struct applying *applying, const struct statement *statement,
                  const struct intent *intent, struct text *left)
{
    struct index_statement index;
    struct finding found;
    struct error err;

    if (statement->alone != ALONE_CREATE_INDEX || !parse(applying, statement, &index))
        return true;
    if (!find_index(applying, &index, intent, &found, &err)) {
        log_warn("could not look for an INVALID index: %s", err.message);
        return false;
    }
    if (!found.is_found || found.is_valid || (intent->is_known && !found.is_younger))
        return true;
    if (intent->is_known && !found.is_busy && drop_index(applying, found.name, &err)) {
        log_info("dropped the INVALID index %s that the failed statement left", found.name);
        return true;
    }
    text_add_string(left, found.name);
    return false;
}

bool repair_verify(const struct applying *applying, const struct statement *statement, struct error *err)
{
    static const struct intent none = { .is_known = false };
    struct index_statement index;
    struct finding found;

    if (statement->alone != ALONE_CREATE_INDEX || !parse(applying, statement, &index) ||
        index.name[0] == '\0')
        return true;
    if (!find_index(applying, &index, &none, &found, err))
        return false;
    if (!found.is_found || found.is_valid)
        return true;
    (void)refuse(applying, statement, found.name, err);
    return false;
}
