#include "backfill/key.h"

#include <stdlib.h>
#include <string.h>

#include "sql/quote.h"

/* The columns of the best index for the walk: of table $1, beginning with the columns $2 or, if that is null,
 * a unique one, preferably the primary key. None of them may be null. With several columns, all must be in
 * ascending order, as in a row comparison. Order and operators are those of the type's default operator
 * class and the column's collation, which ORDER BY uses.
 *
 * The last column is the identity of the order. A collation's rules may change with its version, an enum's
 * with its labels, and lc_monetary says what a text of money means. */
static const struct query KEY = {
    .name = "backfill_key",
    .parameters = 2,
    .sql =
        "WITH RECURSIVE indexes AS ("
        " SELECT i.indexrelid, i.indrelid, i.indkey, i.indoption, i.indclass, i.indcollation, i.indnkeyatts,"
        " i.indisprimary, i.indisunique,"
        " COALESCE(pg_catalog.cardinality($2::pg_catalog.text[]), i.indnkeyatts) AS length"
        " FROM pg_catalog.pg_index AS i"
        " JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid"
        " JOIN pg_catalog.pg_am AS m ON m.oid OPERATOR(pg_catalog.=) c.relam"
        " WHERE i.indrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)"
        " AND m.amname OPERATOR(pg_catalog.=) 'btree' AND i.indisvalid"
        " AND i.indpred IS NULL AND i.indexprs IS NULL AND ($2 IS NOT NULL OR i.indisunique)"
        "), best AS ("
        " SELECT i.*, n.names FROM indexes AS i, LATERAL ("
        " SELECT pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY k) AS names,"
        " pg_catalog.bool_and(a.attnotnull AND o.opcdefault"
        " AND i.indcollation[k OPERATOR(pg_catalog.-) 1] OPERATOR(pg_catalog.=) a.attcollation"
        " AND (i.length OPERATOR(pg_catalog.=) 1"
        " OR i.indoption[k OPERATOR(pg_catalog.-) 1] OPERATOR(pg_catalog.=) 0)) AS is_fit"
        " FROM pg_catalog.generate_series(1, i.length) AS k"
        " JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) i.indrelid"
        " AND a.attnum OPERATOR(pg_catalog.=) i.indkey[k OPERATOR(pg_catalog.-) 1]"
        " JOIN pg_catalog.pg_opclass AS o"
        " ON o.oid OPERATOR(pg_catalog.=) i.indclass[k OPERATOR(pg_catalog.-) 1]"
        " ) AS n"
        " WHERE i.length OPERATOR(pg_catalog.<=) LEAST(i.indnkeyatts::pg_catalog.int4, 4) AND n.is_fit"
        " AND ($2 IS NULL OR n.names OPERATOR(pg_catalog.=) $2::pg_catalog.text[])"
        " ORDER BY i.indisprimary DESC, i.indisunique DESC, i.indnkeyatts, i.indexrelid LIMIT 1"
        "), columns AS ("
        " SELECT k, a.attrelid, a.attname, a.atttypid, a.atttypmod, a.attcollation, best.indclass[k OPERATOR(pg_catalog.-) 1] AS opclass"
        " FROM best, pg_catalog.generate_series(1, best.length) AS k"
        " JOIN pg_catalog.pg_attribute AS a ON true"
        " WHERE a.attrelid OPERATOR(pg_catalog.=) best.indrelid AND NOT a.attisdropped"
        " AND a.attname::pg_catalog.text OPERATOR(pg_catalog.=) best.names[k]"
        "), bases AS ("
        " SELECT c.k, c.atttypid AS typid, c.atttypmod AS typmod FROM columns AS c"
        " UNION ALL"
        " SELECT b.k, t.typbasetype, t.typtypmod FROM bases AS b"
        " JOIN pg_catalog.pg_type AS t"
        " ON t.oid OPERATOR(pg_catalog.=) b.typid AND t.typtype OPERATOR(pg_catalog.=) 'd'"
        ") "
        "SELECT c.attname,"
        " t.typnamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace"
        " AND t.typname OPERATOR(pg_catalog.=)"
        " ANY ('{int2,int4,int8,numeric,float4,float8}'::pg_catalog.name[]),"
        " CASE WHEN t.typnamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace"
        " AND t.typname OPERATOR(pg_catalog.~) '^reg' THEN 'pg_catalog.oid'"
        " ELSE pg_catalog.format_type(b.typid, b.typmod) END,"
        " pg_catalog.format('OPERATOR(%I.', n.nspname),"
        " pg_catalog.concat_ws(' ', pg_catalog.quote_ident(c.attname),"
        " pg_catalog.format_type(c.atttypid, c.atttypmod),"
        " (SELECT pg_catalog.concat_ws(' ', 'COLLATE', pg_catalog.quote_ident(l.collname),"
        " pg_catalog.pg_collation_actual_version(l.oid))"
        " FROM pg_catalog.pg_collation AS l WHERE l.oid OPERATOR(pg_catalog.=) c.attcollation),"
        " (SELECT pg_catalog.md5(pg_catalog.string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder))"
        " FROM pg_catalog.pg_enum AS e WHERE e.enumtypid OPERATOR(pg_catalog.=) b.typid),"
        " CASE WHEN t.typname OPERATOR(pg_catalog.~) 'money'"
        " THEN pg_catalog.current_setting('lc_monetary') END),"
        " c.attrelid"
        " FROM columns AS c"
        " JOIN bases AS b ON b.k OPERATOR(pg_catalog.=) c.k"
        " JOIN pg_catalog.pg_type AS t"
        " ON t.oid OPERATOR(pg_catalog.=) b.typid AND t.typtype OPERATOR(pg_catalog.<>) 'd'"
        " JOIN pg_catalog.pg_opclass AS o ON o.oid OPERATOR(pg_catalog.=) c.opclass"
        " JOIN pg_catalog.pg_amop AS p ON p.amopfamily OPERATOR(pg_catalog.=) o.opcfamily"
        " AND p.amoplefttype OPERATOR(pg_catalog.=) o.opcintype"
        " AND p.amoprighttype OPERATOR(pg_catalog.=) o.opcintype"
        " AND p.amopstrategy OPERATOR(pg_catalog.=) 5"
        " JOIN pg_catalog.pg_operator AS q ON q.oid OPERATOR(pg_catalog.=) p.amopopr"
        " AND q.oprname OPERATOR(pg_catalog.=) '>'"
        " JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) q.oprnamespace"
        " ORDER BY c.k",
};

void key_columns_free(struct key_columns *columns)
{
    text_clear(&columns->identity);
}

/* The columns that the directive names, as an array: quoted identifiers are quoted in the same way there,
 * except for doubled quotes. */
static void add_wanted(const struct backfill_wish *wish, struct text *out)
{
    text_add_string(out, "{");
    for (size_t i = 0; i < wish->key_count; i++) {
        text_add_string(out, i == 0 ? "\"" : ",\"");
        for (const char *at = wish->keys[i]; *at != '\0'; at++)
            text_add_format(out, "%s%c", *at == '"' || *at == '\\' ? "\\" : "", *at);
        text_add_string(out, "\"");
    }
    text_add_string(out, "}");
}

bool key_columns_read(struct connection *conn, const char *table, const struct backfill_wish *wish,
                      struct key_columns *out, struct error *err)
{
    auto_text struct text wanted = text_init(QUALIFIED_NAME_SIZE * BACKFILL_KEYS_MOST);
    auto_result struct result *rows = NULL;

    add_wanted(wish, &wanted);
    const char *const parameters[] = { table, wish->key_count == 0 ? NULL : wanted.at };
    if (!query_run(conn, &KEY, parameters, &rows, err))
        return false;
    for (int row = 0; row < result_rows(rows) && out->count < BACKFILL_KEYS_MOST; row++) {
        struct key_column *column = &out->list[out->count++];

        text_copy_cut(column->name, sizeof column->name, result_text(rows, row, 0));
        text_copy_cut(column->type, sizeof column->type, result_text(rows, row, 2));
        text_copy_cut(column->operators, sizeof column->operators, result_text(rows, row, 3));
        text_add_format(&out->identity, "%s%s", row == 0 ? "" : ", ", result_text(rows, row, 4));
    }
    if (out->count > 0)
        text_add_format(&out->identity, ", of table %s", result_text(rows, 0, 5));
    out->is_number = out->count == 1 && result_bool(rows, 0, 1);
    return true;
}

/* A column as its constants are: regclass as oid, a domain as what it is of. */
static void add_column(const struct key_column *column, const char *alias, struct text *out)
{
    quote_qualified(alias, column->name, out);
    text_add_format(out, "::%s", column->type);
}

static void add_texts(const struct key_columns *columns, const char *alias, struct text *out)
{
    for (size_t i = 0; i < columns->count; i++) {
        text_add_string(out, i == 0 ? "" : ", ");
        add_column(&columns->list[i], alias, out);
        text_add_string(out, "::pg_catalog.text");
    }
}

static void add_operator(const struct key_column *column, const char *name, struct text *out)
{
    text_add_format(out, " %s%s) ", column->operators, name);
}

void key_add_listed(const struct key_columns *columns, const char *alias, struct text *out)
{
    text_add_string(out, "ARRAY[");
    add_texts(columns, alias, out);
    text_add_string(out, "]::pg_catalog.text, ");
    add_texts(columns, alias, out);
    for (size_t i = columns->count; i < BACKFILL_KEYS_MOST; i++)
        text_add_string(out, ", NULL::pg_catalog.text");
    for (size_t i = 0; i < columns->count; i++) {
        const struct key_column *column = &columns->list[i];

        text_add_string(out, i == 0 ? ", " : " AND ");
        add_column(column, alias, out);
        text_add_format(out, "::pg_catalog.text::%s", column->type);
        add_operator(column, "=", out);
        quote_qualified(alias, column->name, out);
    }
}

void key_add_order(const struct key_columns *columns, const char *alias, bool is_descending, struct text *out)
{
    for (size_t i = 0; i < columns->count; i++) {
        text_add_string(out, i == 0 ? "" : ", ");
        quote_qualified(alias, columns->list[i].name, out);
        text_add_string(out, is_descending ? " DESC" : "");
    }
}

void key_free(struct backfill_key *key)
{
    if (!key->is_known)
        return;
    text_clear(&key->array);
    for (size_t i = 0; i < key->count; i++)
        text_clear(&key->values[i]);
    key->is_known = false;
}

void key_take(const struct key_columns *columns, const struct result *result, int row, int column,
              struct backfill_key *key)
{
    key_free(key);
    if (result_is_null(result, row, column))
        return;
    *key = (struct backfill_key) { .is_known = true,
                                   .count = columns->count,
                                   .array = text_init(BACKFILL_SQL_MOST),
                                   .number = strtod(result_text(result, row, column + 1), NULL) };
    text_add_string(&key->array, result_text(result, row, column));
    for (size_t i = 0; i < columns->count; i++) {
        key->values[i] = text_init(BACKFILL_SQL_MOST);
        quote_literal(result_text(result, row, column + 1 + (int)i), &key->values[i]);
        text_add_format(&key->values[i], "::%s", columns->list[i].type);
    }
}

void key_copy(const struct backfill_key *from, struct backfill_key *to)
{
    key_free(to);
    *to = (struct backfill_key) {
        .is_known = true, .count = from->count, .array = text_init(BACKFILL_SQL_MOST), .number = from->number
    };
    text_add_string(&to->array, from->array.at);
    for (size_t i = 0; i < from->count; i++) {
        to->values[i] = text_init(BACKFILL_SQL_MOST);
        text_add_string(&to->values[i], from->values[i].at);
    }
}

void key_describe(const struct backfill_key *key, struct text *out)
{
    text_add_string(out, key->count > 1 ? "(" : "");
    for (size_t i = 0; i < key->count; i++)
        text_add_format(out, "%s%s", i == 0 ? "" : ", ", key->values[i].at);
    text_add_string(out, key->count > 1 ? ")" : "");
}

/* Columns of one side of a comparison, or `key`'s values. */
static void add_side(const struct key_columns *columns, const char *alias, const struct backfill_key *key,
                     struct text *out)
{
    text_add_string(out, columns->count > 1 ? "(" : "");
    for (size_t i = 0; i < columns->count; i++) {
        text_add_string(out, i == 0 ? "" : ", ");
        if (key == NULL)
            quote_qualified(alias, columns->list[i].name, out);
        else
            text_add_string(out, key->values[i].at);
    }
    text_add_string(out, columns->count > 1 ? ")" : "");
}

/* One column against its value. */
static void add_one(const struct key_columns *columns, const char *alias, size_t i, const char *name,
                    struct text *out)
{
    quote_qualified(alias, columns->list[i].name, out);
    add_operator(&columns->list[i], name, out);
}

static bool has_one_schema(const struct key_columns *columns)
{
    for (size_t i = 1; i < columns->count; i++) {
        if (strcmp(columns->list[i].operators, columns->list[0].operators) != 0)
            return false;
    }
    return true;
}

/* "key > value" or "key <= value": a row comparison names one operator, so columns whose operators are in
 * different schemas are compared one after the other, the first one so that an index serves it. */
static void add_comparison(const struct key_columns *columns, const char *alias, bool is_after,
                           const struct backfill_key *key, struct text *out)
{
    size_t last = columns->count - 1;

    if (has_one_schema(columns)) {
        add_side(columns, alias, NULL, out);
        add_operator(&columns->list[0], is_after ? ">" : "<=", out);
        add_side(columns, alias, key, out);
        return;
    }
    add_one(columns, alias, 0, is_after ? ">=" : "<=", out);
    text_add_format(out, "%s AND (", key->values[0].at);
    for (size_t i = 0; i < last; i++) {
        add_one(columns, alias, i, is_after ? ">" : "<", out);
        text_add_format(out, "%s OR ", key->values[i].at);
        add_one(columns, alias, i, "=", out);
        text_add_format(out, "%s AND (", key->values[i].at);
    }
    add_one(columns, alias, last, is_after ? ">" : "<=", out);
    text_add_string(out, key->values[last].at);
    for (size_t i = 0; i <= last; i++)
        text_add_string(out, ")");
}

void key_add_range(const struct key_columns *columns, const char *alias, struct key_range range,
                   struct text *out)
{
    text_add_string(out, "(");
    if (range.after != NULL && range.after->is_known) {
        add_comparison(columns, alias, true, range.after, out);
        text_add_string(out, range.until != NULL ? " AND " : "");
    }
    if (range.until != NULL)
        add_comparison(columns, alias, false, range.until, out);
    text_add_string(out, ")");
}
