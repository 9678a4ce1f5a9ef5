#include "deploy/live_cascade.h"

#include <inttypes.h>

#include "postgres/query.h"
#include "sql/quote.h"

enum { TEXT_MOST = 4096, NAMED_MOST = 4 };

/* Whether a table that a foreign key k is of, or a partition of it, has no index that finds the rows of a
 * value: the columns of a partition may have other numbers. */
#define HAS_NO_INDEX                                                                                         \
    "EXISTS (WITH RECURSIVE " INHERITANCE_TREE(                                                              \
        "SELECT k.conrelid") " SELECT FROM tree AS t JOIN pg_catalog.pg_class AS l"                          \
                             " ON l.oid OPERATOR(pg_catalog.=) t.oid AND l.relkind OPERATOR(pg_catalog.=) 'r'"  \
                             " AND (l.relispartition OR l.oid OPERATOR(pg_catalog.=) k.conrelid)"            \
                             " WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_index AS i"                       \
                             " JOIN pg_catalog.pg_class AS x ON x.oid OPERATOR(pg_catalog.=) i.indexrelid"   \
                             " JOIN pg_catalog.pg_am AS m ON m.oid OPERATOR(pg_catalog.=) x.relam"           \
                             " AND m.amname OPERATOR(pg_catalog.=) ANY ('{btree,hash}'::pg_catalog.name[])"  \
                             " JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) t.oid" \
                             " AND a.attnum OPERATOR(pg_catalog.=) i.indkey[0]"                              \
                             " JOIN pg_catalog.pg_attribute AS f ON f.attrelid OPERATOR(pg_catalog.=)"       \
                             " k.conrelid AND f.attname OPERATOR(pg_catalog.=) a.attname"                    \
                             " AND f.attnum OPERATOR(pg_catalog.=) ANY (k.conkey)"                           \
                             " WHERE i.indrelid OPERATOR(pg_catalog.=) t.oid AND i.indisvalid"               \
                             " AND i.indpred IS NULL))"

/* From the tables whose rows go, whatever refers to them; of copies for partitions, the first. $2 says
 * whether rows go from every table that refers to one. What inherits from a table that is named goes with it.
 */
static const struct query KEYS = {
    .name = "plan_foreign_keys",
    .parameters = 2,
    .sql =
        "WITH RECURSIVE reached (oid, is_named) AS (SELECT $1::pg_catalog.oid, true"
        " UNION SELECT n.oid, n.is_named FROM reached AS r CROSS JOIN LATERAL ("
        "  SELECT i.inhrelid, r.is_named FROM pg_catalog.pg_inherits AS i"
        "   JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.inhrelid"
        "   WHERE i.inhparent OPERATOR(pg_catalog.=) r.oid AND (r.is_named OR c.relispartition)"
        "  UNION ALL SELECT k.conrelid, false FROM pg_catalog.pg_constraint AS k"
        "   WHERE k.confrelid OPERATOR(pg_catalog.=) r.oid AND k.contype OPERATOR(pg_catalog.=) 'f'"
        "    AND ($2::pg_catalog.bool OR k.confdeltype OPERATOR(pg_catalog.=) 'c')) AS n (oid, is_named))"
        " SELECT n.nspname, c.relname, k.confdeltype, " HAS_NO_INDEX
        ", pg_catalog.quote_ident(COALESCE((SELECT p.conname"
        "   FROM pg_catalog.pg_constraint AS p WHERE p.oid OPERATOR(pg_catalog.=) k.conparentid"
        "    AND p.conrelid OPERATOR(pg_catalog.=) k.conrelid), k.conname))"
        "  FROM pg_catalog.pg_constraint AS k"
        "  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) k.conrelid"
        "  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " WHERE k.contype OPERATOR(pg_catalog.=) 'f'"
        "  AND k.confrelid OPERATOR(pg_catalog.=) ANY (SELECT r.oid FROM reached AS r)"
        "  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS p JOIN reached AS r"
        "   ON r.oid OPERATOR(pg_catalog.=) p.confrelid WHERE p.oid OPERATOR(pg_catalog.=) k.conparentid)"
        " ORDER BY n.nspname, c.relname, k.conname",
};

/* The tables of which something is to be said, each once. */
struct list {
    const struct live_table *tables[NAMED_MOST];
    size_t count; /* also of those that are too many to be named */
};

struct reach {
    struct list gone;
    struct list changed;
    struct list searched;
    const char *key; /* of the first that is searched */
};

static void list_table(struct list *list, const struct live_table *table)
{
    for (size_t i = 0; i < list->count && i < NAMED_MOST; i++) {
        if (list->tables[i] == table)
            return;
    }
    if (list->count < NAMED_MOST)
        list->tables[list->count] = table;
    list->count++;
}

static void add_tables(const struct list *list, struct text *out)
{
    for (size_t i = 0; i < list->count && i < NAMED_MOST; i++) {
        const struct live_table *table = list->tables[i];

        text_add_string(out, i == 0 ? "" : ", ");
        quote_qualified(table->name.schema, table->name.name, out);
        if (table->rows > 0)
            text_add_format(out, " (about %" PRId64 " row%s)", table->rows, text_plural((size_t)table->rows));
    }
    if (list->count > NAMED_MOST)
        text_add_format(out, " and %zu more", list->count - NAMED_MOST);
}

static bool is_indexed(const struct live *live, const struct relation *relation)
{
    for (size_t i = 0; i < live->indexed_count; i++) {
        struct relation indexed = live->indexed[i];

        if (indexed.schema[0] == '\0')
            text_copy_cut(indexed.schema, sizeof indexed.schema, live->ledger->default_schema);
        if (relation_is_same(&indexed, relation))
            return true;
    }
    return false;
}

static void judge_key(const struct live *live, const struct live_table *table, const struct result *rows,
                      int row, struct reach *reach)
{
    char action = result_text(rows, row, 2)[0];

    if (action == 'c')
        list_table(&reach->gone, table);
    else if (action == 'n' || action == 'd')
        list_table(&reach->changed, table);
    if (!result_bool(rows, row, 3) || live_is_small(table) || is_indexed(live, &table->name))
        return;
    if (reach->searched.count == 0)
        reach->key = result_text(rows, row, 4);
    list_table(&reach->searched, table);
}

static bool take_keys(struct live *live, const struct result *rows, bool is_truncate, struct reach *reach,
                      struct error *err)
{
    for (int i = 0; i < result_rows(rows); i++) {
        struct relation relation;
        const struct live_table *table;

        text_copy_cut(relation.schema, sizeof relation.schema, result_text(rows, i, 0));
        text_copy_cut(relation.name, sizeof relation.name, result_text(rows, i, 1));
        table = live_table_of(live, &relation, err);
        if (table == NULL)
            return false;
        if (is_truncate)
            list_table(&reach->gone, table);
        else
            judge_key(live, table, rows, i, reach);
    }
    return true;
}

static void note_list(struct live *live, struct finding *finding, const char *words, const struct list *list)
{
    auto_text struct text note = text_init(TEXT_MOST);

    if (list->count == 0)
        return;
    text_add_string(&note, words);
    add_tables(list, &note);
    live_add_note(live, finding, note.at);
}

static void note_search(struct live *live, struct finding *finding, const struct reach *reach)
{
    auto_text struct text note = text_init(TEXT_MOST);

    if (reach->searched.count == 0)
        return;
    text_add_string(&note, "each row that it deletes costs a scan of ");
    add_tables(&reach->searched, &note);
    text_add_format(&note, ": no index begins with a column of the foreign key %s; create one first",
                    reach->key);
    live_add_note(live, finding, note.at);
    if (!finding->is_level_set)
        finding->level = LEVEL_DANGEROUS;
}

bool live_follow_keys(struct live *live, struct finding *finding, struct error *err)
{
    bool is_truncate = finding->rule->action == ACTION_TRUNCATE;
    auto_result struct result *rows = NULL;
    struct reach reach = { .key = NULL };

    if (finding->rule->action != ACTION_DELETE &&
        (!is_truncate || (finding->change.traits & TRAIT_CASCADE) == 0))
        return true;
    if (!live_ask(live, &KEYS, (const char *[]) { finding->table->oid, is_truncate ? "true" : "false" },
                  &rows, err) ||
        !take_keys(live, rows, is_truncate, &reach, err))
        return false;
    note_list(live, finding, is_truncate ? "foreign keys empty " : "foreign keys delete rows of ",
              &reach.gone);
    note_list(live, finding, "foreign keys change rows of ", &reach.changed);
    note_search(live, finding, &reach);
    return true;
}
