#include "deploy/live_question.h"

#include <string.h>

#include "deploy/live_column.h"
#include "postgres/query.h"
#include "sql/quote.h"

/* Whether what is equal to PostgreSQL is equal by the operator of pg_catalog, for the columns $2 to $5 of a
 * table; an extension's type may have its own idea (citext). */
static const struct query COMPARABLE = {
    .name = "plan_comparable",
    .parameters = 1 + KEY_COLUMNS_MOST,
    .sql =
        "SELECT COALESCE(pg_catalog.bool_and(t.typtype OPERATOR(pg_catalog.=) 'e' OR n.nspname"
        "        OPERATOR(pg_catalog.=) 'pg_catalog'), false)"
        "  FROM pg_catalog.pg_attribute AS a"
        "  JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) a.atttypid"
        "  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace"
        " WHERE a.attrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid"
        "   AND a.attname::pg_catalog.text OPERATOR(pg_catalog.=)"
        "       ANY (ARRAY[$2, $3, $4, $5]::pg_catalog.text[])",
};

static const struct query PRIMARY_KEY = {
    .name = "plan_primary_key",
    .parameters = 1,
    .sql =
        "SELECT a.attname FROM pg_catalog.pg_index AS i"
        "  CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS k (number, at)"
        "  JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) i.indrelid"
        "   AND a.attnum OPERATOR(pg_catalog.=) k.number"
        " WHERE i.indrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1) AND i.indisprimary"
        "   AND k.at OPERATOR(pg_catalog.<=) i.indnkeyatts"
        " ORDER BY k.at",
};

static const struct query FOREIGN_KEY = {
    .name = "plan_foreign_key",
    .parameters = 2,
    .sql =
        "SELECT a.attname, b.attname, n.nspname, c.relname FROM pg_catalog.pg_constraint AS k"
        "  CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey))"
        "             WITH ORDINALITY AS u (own, theirs, at)"
        "  JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) k.conrelid"
        "   AND a.attnum OPERATOR(pg_catalog.=) u.own"
        "  JOIN pg_catalog.pg_attribute AS b ON b.attrelid OPERATOR(pg_catalog.=) k.confrelid"
        "   AND b.attnum OPERATOR(pg_catalog.=) u.theirs"
        "  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) k.confrelid"
        "  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " WHERE k.conrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid"
        "   AND k.conname::pg_catalog.text OPERATOR(pg_catalog.=) $2 AND k.contype OPERATOR(pg_catalog.=) 'f'"
        "   AND k.confmatchtype OPERATOR(pg_catalog.=) 's' AND NOT k.convalidated"
        " ORDER BY u.at",
};

enum { NAME_MOST = 1024 };

static void add_column(const char *alias, const char *column, struct text *sql)
{
    text_add_string(sql, alias);
    quote_identifier(column, sql);
}

/* "a" IS NOT NULL AND "b" IS NOT NULL */
static void add_all_given(const struct key *key, const char *alias, struct text *sql)
{
    for (size_t i = 0; i < key->count; i++) {
        text_add_string(sql, i == 0 ? "" : " AND ");
        add_column(alias, key->columns[i], sql);
        text_add_string(sql, " IS NOT NULL");
    }
}

static void add_null_query(const struct live *live, const struct change *change, struct text *sql)
{
    text_add_string(sql, "SELECT EXISTS (SELECT FROM ");
    live_add_name(live->ledger, &change->table, sql);
    text_add_string(sql, " WHERE ");
    quote_identifier(change->object, sql);
    text_add_string(sql, " IS NULL)");
}

static void add_row_query(const struct live *live, const struct change *change, struct text *sql)
{
    text_add_string(sql, "SELECT EXISTS (SELECT FROM ");
    live_add_name(live->ledger, &change->table, sql);
    text_add_string(sql, ")");
}

/* Grouping compares as the index will: by the operator class of the type. */
static void add_double_query(const struct live *live, const struct change *change, struct text *sql)
{
    if (change->key.count == 0)
        return;
    text_add_string(sql, "SELECT EXISTS (SELECT FROM ");
    live_add_name(live->ledger, &change->table, sql);
    text_add_string(sql, " WHERE ");
    add_all_given(&change->key, "", sql);
    text_add_string(sql, " GROUP BY ");
    for (size_t i = 0; i < change->key.count; i++) {
        text_add_string(sql, i == 0 ? "" : ", ");
        quote_identifier(change->key.columns[i], sql);
    }
    text_add_string(sql, " HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1)");
}

struct foreign_key {
    struct key own;
    struct key theirs;
    struct relation referenced;
};

static void add_orphan_query(const struct live *live, const struct relation *table,
                             const struct foreign_key *key, struct text *sql)
{
    if (key->own.count == 0 || key->own.count != key->theirs.count)
        return;
    text_add_string(sql, "SELECT EXISTS (SELECT FROM ");
    live_add_name(live->ledger, table, sql);
    text_add_string(sql, " AS c WHERE ");
    add_all_given(&key->own, "c.", sql);
    text_add_string(sql, " AND NOT EXISTS (SELECT FROM ");
    live_add_name(live->ledger, &key->referenced, sql);
    text_add_string(sql, " AS p WHERE ");
    for (size_t i = 0; i < key->own.count; i++) {
        text_add_string(sql, i == 0 ? "" : " AND ");
        add_column("p.", key->theirs.columns[i], sql);
        text_add_string(sql, " OPERATOR(pg_catalog.=) ");
        add_column("c.", key->own.columns[i], sql);
    }
    text_add_string(sql, "))");
}

static bool is_comparable(struct live *live, const struct live_table *table, const struct key *key,
                          bool *comparable, struct error *err)
{
    const char *parameters[1 + KEY_COLUMNS_MOST] = { table->oid };
    auto_result struct result *rows = NULL;

    for (size_t i = 0; i < key->count; i++)
        parameters[1 + i] = key->columns[i];
    if (!live_ask(live, &COMPARABLE, parameters, &rows, err))
        return false;
    *comparable = result_bool(rows, 0, 0);
    return true;
}

/* The columns of a result that holds one in each row; none when there are too many. */
static struct key key_of_rows(const struct result *rows, int column)
{
    struct key key = { .count = 0 };

    if (result_rows(rows) > KEY_COLUMNS_MOST)
        return key;
    for (int i = 0; i < result_rows(rows); i++)
        text_copy_cut(key.columns[key.count++], IDENTIFIER_SIZE, result_text(rows, i, column));
    return key;
}

/* Of a foreign key that is added: where it names no columns, it means the primary key. */
static bool read_new_key(struct live *live, const struct change *change, struct foreign_key *out,
                         struct error *err)
{
    auto_text struct text name = text_init(NAME_MOST);
    auto_result struct result *rows = NULL;

    *out =
        (struct foreign_key) { .own = change->key, .theirs = change->other_key, .referenced = change->other };
    if (out->theirs.count > 0)
        return true;
    live_add_name(live->ledger, &change->other, &name);
    if (!live_ask(live, &PRIMARY_KEY, (const char *[]) { name.at }, &rows, err))
        return false;
    out->theirs = key_of_rows(rows, 0);
    return true;
}

/* Of a constraint that is there and not valid; without columns when it is no foreign key. */
static bool read_known_key(struct live *live, const struct finding *finding, struct foreign_key *out,
                           struct error *err)
{
    const char *const parameters[] = { finding->table->oid, finding->change.object };
    auto_result struct result *rows = NULL;

    *out = (struct foreign_key) { .own = { .count = 0 } };
    if (!live_ask(live, &FOREIGN_KEY, parameters, &rows, err))
        return false;
    if (result_rows(rows) == 0)
        return true;
    out->own = key_of_rows(rows, 0);
    out->theirs = key_of_rows(rows, 1);
    text_copy_cut(out->referenced.schema, IDENTIFIER_SIZE, result_text(rows, 0, 2));
    text_copy_cut(out->referenced.name, IDENTIFIER_SIZE, result_text(rows, 0, 3));
    return true;
}

static bool ask_for_orphans(struct live *live, const struct finding *finding, struct text *sql,
                            struct error *err)
{
    const struct change *change = &finding->change;
    bool is_new = change->action == ACTION_ADD_FOREIGN_KEY;
    struct foreign_key key;
    bool comparable;

    if (!(is_new ? read_new_key(live, change, &key, err) : read_known_key(live, finding, &key, err)))
        return false;
    if (key.own.count == 0)
        return true;
    if (!is_comparable(live, finding->table, &key.own, &comparable, err))
        return false;
    if (comparable)
        add_orphan_query(live, &change->table, &key, sql);
    return true;
}

bool live_question_of(struct live *live, const struct finding *finding, struct text *sql,
                      struct row_question *out, struct error *err)
{
    static const struct row_question nulls = { "a row has NULL there now, so it would fail",
                                               "no row has NULL there now", LEVELS };
    static const struct row_question doubles = { "two rows are equal there now, so it would fail",
                                                 "no two rows are equal there now", LEVELS };
    static const struct row_question orphans = {
        "a row refers to one that is not there now, so it would fail",
        "every row refers to one that is there now", LEVELS
    };
    static const struct row_question late_orphans = {
        "a row refers to one that is not there now, so VALIDATE would fail",
        "every row refers to one that is there now", LEVELS
    };
    static const struct row_question any = { "the table has a row now, so it would fail",
                                             "the table is empty now", LEVEL_CAREFUL };
    const struct change *change = &finding->change;

    switch (change->action) {
    case ACTION_SET_NOT_NULL:
        *out = nulls;
        add_null_query(live, change, sql);
        return true;
    case ACTION_ADD_UNIQUE:
    case ACTION_ADD_PRIMARY_KEY:
    case ACTION_CREATE_INDEX:
        *out = doubles;
        add_double_query(live, change, sql);
        return true;
    case ACTION_ADD_FOREIGN_KEY:
        *out = (change->traits & TRAIT_NOT_VALID) != 0 ? late_orphans : orphans;
        return ask_for_orphans(live, finding, sql, err);
    case ACTION_VALIDATE_CONSTRAINT:
        *out = orphans;
        return ask_for_orphans(live, finding, sql, err);
    case ACTION_ADD_COLUMN:
        *out = any;
        if ((change->traits & TRAIT_NOT_NULL) != 0)
            add_row_query(live, change, sql);
        return true;
    default:
        return true;
    }
}
