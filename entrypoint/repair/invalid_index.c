#include "repair/invalid_index.h"

#include <string.h>

#include "base/log.h"
#include "execution/execution.h"
#include "postgres/query.h"
#include "sql/quote.h"

/* The indexes of table $1 that are named $2, or all when $2 is null; $3 is the intent's transaction. If there
 * is no such table any more, an INVALID one of that name that is younger than the intent: the table may have
 * been renamed. */
static const struct query INDEXES = {
    .name = "indexes_of_table",
    .parameters = 3,
    .sql =
        "SELECT n.nspname, c.relname, i.indisvalid, " YOUNGER_THAN_INTENT("c.xmin", "$3::bigint") ","
        "       " INDEX_IS_TAKEN("c.oid") ", " INDEX_DEFINITION("c.oid")
        "  FROM pg_catalog.pg_index AS i"
        "  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid"
        "  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " WHERE c.relkind OPERATOR(pg_catalog.=) 'i'"
        "   AND (c.relname OPERATOR(pg_catalog.=) $2 OR $2 IS NULL)"
        "   AND (i.indrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)"
        "        OR (pg_catalog.to_regclass($1) IS NULL AND $2 IS NOT NULL AND NOT i.indisvalid"
        "            AND " YOUNGER_THAN_INTENT("c.xmin", "$3::bigint") "))"
        " ORDER BY i.indisvalid",
};

/* It takes the weakest lock on the table and blocks nobody. */
bool invalid_index_definition(const struct broken *broken, struct slice sql,
                              const struct index_statement *index, struct text *out, struct error *err)
{
    auto_text struct text trial = text_init(sql.length + 4096);
    auto_result struct result *result = NULL;
    bool is_told;

    text_add_string(&trial,
                    "BEGIN;SET LOCAL lock_timeout = '10s';SET LOCAL client_min_messages = error;"
                    "CREATE TEMPORARY TABLE ");
    quote_identifier(index->table, &trial);
    text_add_string(&trial, " (LIKE ");
    quote_qualified(index->table_schema, index->table, &trial);
    text_add_format(&trial, ");CREATE %sINDEX tidelock_trial ON pg_temp.", index->is_unique ? "UNIQUE " : "");
    quote_identifier(index->table, &trial);
    text_add_format(&trial, "%.*s\n;SELECT ", (int)(sql.length - index->rest), sql.at + index->rest);
    text_add_string(&trial, INDEX_DEFINITION("pg_catalog.to_regclass('pg_temp.tidelock_trial')"));
    text_add_string(&trial, ";ROLLBACK");
    is_told = query_several(
        broken->conn, &(const struct query) { .name = "index_definition", .sql = trial.at }, &result, 1, err);
    execution_roll_back_own(broken->conn);
    if (is_told)
        text_add_string(out, result_text(result, 0, 0));
    else if (err->class == ERROR_LOST || err->class == ERROR_INTERRUPTED)
        return false;
    else
        log_warn("could not determine the definition of the statement's index: %s", err->message);
    return true;
}

/* Without an intent nothing is proven to be younger, but who else would have left one of that definition? */
static bool is_suspect(const struct index_search *search, const struct found_index *found)
{
    return !search->intent->is_known && !found->is_valid && !found->is_taken;
}

bool invalid_index_find(const struct broken *broken, const struct index_search *search,
                        struct found_index *out, struct error *err)
{
    const struct index_statement *index = search->index;
    auto_text struct text table = text_init(QUALIFIED_NAME_SIZE);
    auto_result struct result *result = NULL;

    quote_qualified(index->table_schema, index->table, &table);
    const char *const parameters[] = { table.at, index->name[0] == '\0' ? NULL : index->name,
                                       search->intent->is_known ? search->intent->txid : NULL };
    *out = (struct found_index) { .is_found = false };
    if (!query_run(broken->conn, &INDEXES, parameters, &result, err))
        return false;
    for (int row = 0; row < result_rows(result) && !out->is_found; row++) {
        auto_text struct text name = text_init(QUALIFIED_NAME_SIZE);
        struct found_index found = { .is_found = true,
                                     .is_valid = result_bool(result, row, 2),
                                     .is_younger = result_bool(result, row, 3),
                                     .is_taken = result_bool(result, row, 4),
                                     .is_same =
                                         strcmp(result_text(result, row, 5), search->definition) == 0 };

        quote_qualified(result_text(result, row, 0), result_text(result, row, 1), &name);
        text_copy_cut(found.name, sizeof found.name, name.at);
        if (index->name[0] != '\0' || (found.is_same && (found.is_younger || is_suspect(search, &found))))
            *out = found;
    }
    return true;
}

bool invalid_index_drop(const struct broken *broken, const char *name, struct error *err)
{
    auto_text struct text sql = text_init(QUALIFIED_NAME_SIZE + 64);
    struct query drop = { .name = "drop_invalid_index" };

    text_add_format(&sql, "DROP INDEX CONCURRENTLY IF EXISTS %s", name);
    drop.sql = sql.at;
    if (query_run(broken->conn, &drop, NULL, NULL, err))
        return true;
    err->contexts = 0; /* the name of our query says less */
    return error_context(err, "dropping the INVALID index %s", name);
}
