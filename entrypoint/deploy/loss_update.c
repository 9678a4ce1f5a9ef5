#include "deploy/loss_update.h"

#include "deploy/loss_weigh.h"
#include "postgres/query.h"
#include "sql/quote.h"

enum { NAME_MOST = 4 * IDENTIFIER_SIZE, COLUMNS_MOST = 4096 };

/* Which columns of the table $1, of the names $2, were there before, as keys. */
static const struct query ASSIGNED = {
    .name = "loss_assigned",
    .parameters = 2,
    .sql =
        "SELECT n.nspname, c.relname, a.attname, pg_catalog.concat(c.oid, '.', a.attnum)"
        " FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n"
        "  ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) c.oid"
        "  AND a.attname::pg_catalog.text OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.text[])"
        " WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1) ORDER BY a.attnum",
};

bool loss_read_update(struct loss_guard *guard, struct connection *conn, const struct change *change,
                      struct error *err)
{
    struct assigned *out = &guard->assigned;
    auto_text struct text name = text_init(NAME_MOST);
    auto_text struct text columns = text_init(COLUMNS_MOST);
    auto_result struct result *rows = NULL;

    if (change->key.count == 0)
        return true;
    quote_qualified(change->table.schema, change->table.name, &name);
    for (size_t i = 0; i < change->key.count; i++) {
        text_add_string(&columns, i == 0 ? "{" : ",");
        quote_element(change->key.columns[i], &columns);
    }
    text_add_string(&columns, "}");
    if (!query_run(conn, &ASSIGNED, (const char *[]) { name.at, columns.at }, &rows, err))
        return false;
    for (int i = 0; i < result_rows(rows); i++) {
        const struct victim victim = { result_text(rows, i, 0), result_text(rows, i, 1),
                                       result_text(rows, i, 2) };

        out->is_known = true;
        text_copy_cut(out->schema, sizeof out->schema, victim.schema);
        text_copy_cut(out->table, sizeof out->table, victim.table);
        if (loss_is_listed(&guard->keys, result_text(rows, i, 3)) && !loss_is_allowed(guard, &victim))
            text_copy_cut(out->column, sizeof out->column, victim.column);
    }
    return true;
}
