#include "repair/reindex.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "postgres/query.h"
#include "repair/invalid_index.h"
#include "sql/quote.h"

/* INVALID copies of indexes in the scope of the statement ($1 its kind, $2 its name) that are younger than
 * the intent ($3, null if there is none): their names, whether each is a new one, and whether it is proven to
 * be a copy: on the same table stands an index of the same definition whose name it carries. A long name is
 * cut off before the ending. A table's scope is that of its partitions, and of what is stored beside them
 * (TOAST). */
static const struct query COPIES = {
    .name = "index_copies",
    .parameters = 3,
    .sql =
        "WITH RECURSIVE " INHERITANCE_TREE(
            "SELECT CASE WHEN $1 OPERATOR(pg_catalog.=) 'index' THEN ("
            "         SELECT x.indrelid FROM pg_catalog.pg_index AS x"
            " WHERE x.indexrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($2))"
            "              WHEN $1 OPERATOR(pg_catalog.=) 'table'"
            " THEN pg_catalog.to_regclass($2)::pg_catalog.oid END") ", tables (oid) AS ("
        "  SELECT t.oid FROM pg_catalog.pg_class AS t"
        "   WHERE CASE WHEN $1 OPERATOR(pg_catalog.=) 'database' THEN true"
        "              WHEN $1 OPERATOR(pg_catalog.=) 'schema' THEN t.relnamespace OPERATOR(pg_catalog.=) ("
        "         SELECT n.oid FROM pg_catalog.pg_namespace AS n"
        "         WHERE n.nspname OPERATOR(pg_catalog.=) $2)"
        "              ELSE t.oid OPERATOR(pg_catalog.=) ANY (SELECT tree.oid FROM tree) END"
        "), scope (oid) AS ("
        "  SELECT tables.oid FROM tables"
        "  UNION"
        "  SELECT t.reltoastrelid FROM pg_catalog.pg_class AS t JOIN tables"
        " ON tables.oid OPERATOR(pg_catalog.=) t.oid"
        "), definition (oid, text) AS NOT MATERIALIZED (" INDEX_DEFINITIONS
        ") "
        "SELECT n.nspname, c.relname, c.relname OPERATOR(pg_catalog.~) '_ccnew[0-9]*$',"
        "       NOT " INDEX_IS_TAKEN("c.oid")
        "       AND EXISTS (SELECT FROM pg_catalog.pg_index AS s"
        "         JOIN pg_catalog.pg_class AS o ON o.oid OPERATOR(pg_catalog.=) s.indexrelid"
        "         WHERE s.indrelid OPERATOR(pg_catalog.=) i.indrelid"
        " AND s.indexrelid OPERATOR(pg_catalog.<>) i.indexrelid"
        "         AND pg_catalog.starts_with(o.relname::pg_catalog.text,"
        "         pg_catalog.regexp_replace(c.relname::pg_catalog.text, '_cc(new|old)[0-9]*$', ''))"
        "   AND (SELECT f.text FROM definition AS f"
        " WHERE f.oid OPERATOR(pg_catalog.=) s.indexrelid) OPERATOR(pg_catalog.=)"
        "       (SELECT f.text FROM definition AS f WHERE f.oid OPERATOR(pg_catalog.=) i.indexrelid))"
        "  FROM pg_catalog.pg_index AS i"
        "  JOIN scope ON scope.oid OPERATOR(pg_catalog.=) i.indrelid"
        "  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid"
        "  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " WHERE NOT i.indisvalid AND c.relname OPERATOR(pg_catalog.~) '_cc(new|old)[0-9]*$'"
        "   AND ($3::bigint IS NULL OR " YOUNGER_THAN_INTENT("c.xmin", "$3::bigint") ")"
        " ORDER BY 4, 1, 2",
};

static const char *const KINDS[SUBJECT_KINDS] = {
    [SUBJECT_INDEX] = "index",
    [SUBJECT_TABLE] = "table",
    [SUBJECT_SCHEMA] = "schema",
    [SUBJECT_DATABASE] = "database",
};

static bool find(const struct broken *broken, const struct subject *subject, const struct intent *intent,
                 struct result **out, struct error *err)
{
    auto_text struct text name = text_init(QUALIFIED_NAME_SIZE);
    bool is_relation = subject->kind == SUBJECT_INDEX || subject->kind == SUBJECT_TABLE;

    if (is_relation)
        quote_qualified(subject->schema, subject->name, &name);
    else
        text_add_string(&name, subject->name);
    const char *const parameters[] = { KINDS[subject->kind], name.at,
                                       intent->is_known ? intent->txid : NULL };
    return query_run(broken->conn, &COPIES, parameters, out, err);
}

static void name_copy(const struct result *copies, int row, struct leftover *left, struct text *name)
{
    quote_qualified(result_text(copies, row, 0), result_text(copies, row, 1), name);
    (void)snprintf(left->what, sizeof left->what, "the INVALID index %s", name->at);
    (void)snprintf(left->remedy, sizeof left->remedy, "DROP INDEX CONCURRENTLY %s", name->at);
}

/* Without an intent nothing is ours, but a copy that nobody uses is named. */
static bool look(const struct result *copies, struct leftover *left)
{
    for (int row = 0; row < result_rows(copies); row++) {
        auto_text struct text name = text_init(QUALIFIED_NAME_SIZE);

        if (!result_bool(copies, row, 3))
            continue;
        name_copy(copies, row, left, &name);
        return false;
    }
    return true;
}

/* Drops the copies that are proven, and counts the new ones among them. On the first that is not proven, or
 * can't be dropped, it stops with its name in `left`. */
static bool clear(const struct broken *broken, const struct result *copies, size_t *new_ones,
                  struct leftover *left, struct error *err)
{
    *new_ones = 0;
    for (int row = 0; row < result_rows(copies); row++) {
        auto_text struct text name = text_init(QUALIFIED_NAME_SIZE);
        bool is_ours = result_bool(copies, row, 3);

        name_copy(copies, row, left, &name);
        left->is_ours = is_ours;
        if (!is_ours)
            return error_set(
                err, ERROR_CLEAN,
                "the index %s is INVALID, and it is not certain that this migration left it behind", name.at);
        if (broken->may_only_look)
            return false;
        log_warn("dropping the INVALID index %s that an interrupted REINDEX left behind", name.at);
        if (!invalid_index_drop(broken, name.at, err))
            return false;
        *new_ones += result_bool(copies, row, 2);
    }
    return true;
}

/* If only old ones are left, every new one is complete. A schema or a database is more than one piece of
 * work: there, this says nothing about later tables. */
enum repair_answer reindex_before(const struct broken *broken, const struct subject *subject,
                                  const struct intent *intent, struct error *err)
{
    auto_result struct result *copies = NULL;
    bool is_whole = subject->kind == SUBJECT_INDEX || subject->kind == SUBJECT_TABLE;
    struct leftover left;
    size_t new_ones;

    if (!intent->is_known)
        return REPAIR_RUN;
    if (!find(broken, subject, intent, &copies, err))
        return REPAIR_ERROR;
    if (clear(broken, copies, &new_ones, &left, err))
        return is_whole && result_rows(copies) > 0 && new_ones == 0 ? REPAIR_DONE : REPAIR_RUN;
    if (left.is_ours)
        return REPAIR_ERROR;
    broken_point(broken, err);
    error_hint(err, "Check that nobody is building it, then type: %s; and deploy again.", left.remedy);
    return REPAIR_REFUSED;
}

bool reindex_after(const struct broken *broken, const struct subject *subject, const struct intent *intent,
                   struct leftover *left)
{
    auto_result struct result *copies = NULL;
    struct error err;
    size_t new_ones;

    if (!find(broken, subject, intent, &copies, &err))
        return leftover_unknown(left, intent->is_known, &err);
    if (!intent->is_known)
        return look(copies, left);
    return clear(broken, copies, &new_ones, left, &err);
}
