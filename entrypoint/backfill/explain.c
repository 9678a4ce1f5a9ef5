#include "backfill/explain.h"

#include <string.h>

#include "base/json.h"
#include "postgres/query.h"

/* The names of the table $1, its partitions and its children, and of their indexes on column $2 among others.
 */
static const struct query TREE = {
    .name = "backfill_tree",
    .parameters = 2,
    .sql =
        "WITH RECURSIVE " INHERITANCE_TREE("SELECT pg_catalog.to_regclass($1)::pg_catalog.oid") " "
        "SELECT c.relname, false FROM tree AS t"
        "  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) t.oid"
        " UNION ALL "
        "SELECT c.relname, true FROM tree AS t"
        "  JOIN pg_catalog.pg_index AS i ON i.indrelid OPERATOR(pg_catalog.=) t.oid"
        "  JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) i.indrelid"
        "   AND a.attnum OPERATOR(pg_catalog.=) ANY (i.indkey::pg_catalog.int2[])"
        "   AND a.attname::pg_catalog.text OPERATOR(pg_catalog.=) $2"
        "  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid",
};

struct search {
    const struct result *tree;
    const char *alias;        /* of the table in the statement */
    bool is_large;            /* the server's choice of an index means something */
    const struct json *whole; /* a scan of the table, or of a partition, that the range does not limit */
};

static bool is_in_tree(const struct search *search, const char *name, bool is_index)
{
    for (int row = 0; name != NULL && row < result_rows(search->tree); row++) {
        if (result_bool(search->tree, row, 1) == is_index &&
            strcmp(result_text(search->tree, row, 0), name) == 0)
            return true;
    }
    return false;
}

/* EXPLAIN numbers the aliases of partitions: "orders_1". */
static bool is_target(const struct search *search, const struct json *node)
{
    const char *type = json_get_text(node, "Node Type");
    const char *alias = json_get_text(node, "Alias");
    size_t length = strlen(search->alias);

    if (type == NULL || alias == NULL || strcmp(type, "ModifyTable") == 0 ||
        !is_in_tree(search, json_get_text(node, "Relation Name"), false) ||
        strncmp(alias, search->alias, length) != 0)
        return false;
    alias += length;
    return alias[0] == '\0' ||
           (alias[0] == '_' && alias[1] != '\0' && strspn(alias + 1, "0123456789") == strlen(alias + 1));
}

/* In a small table, another index that the statement's own condition has may be as good as the key's. */
static bool is_limited_itself(const struct search *search, const struct json *node)
{
    const char *condition = json_get_text(node, "Index Cond");

    return condition != NULL &&
           (!search->is_large ||
            (strstr(condition, "<=") != NULL && is_in_tree(search, json_get_text(node, "Index Name"), true)));
}

/* A bitmap's index scans are below it. */
static bool is_limited(const struct search *search, const struct json *node)
{
    const char *type = json_get_text(node, "Node Type");
    const struct json *below = json_get_array(node, "Plans");
    const struct json *item;

    if (type == NULL || strncmp(type, "Bitmap", strlen("Bitmap")) != 0 || is_limited_itself(search, node))
        return is_limited_itself(search, node);
    for (size_t i = 0; (item = json_item(below, i)) != NULL; i++) {
        if (is_limited(search, item))
            return true;
    }
    return false;
}

static void look_through(struct search *search, const struct json *node)
{
    const struct json *below = json_get_array(node, "Plans");
    const struct json *item;

    if (is_target(search, node) && !is_limited(search, node))
        search->whole = node;
    for (size_t i = 0; (item = json_item(below, i)) != NULL; i++)
        look_through(search, item);
}

static bool explain(struct execution *execution, const struct backfill_plan *plan, struct key_range range,
                    struct result **out, struct error *err)
{
    auto_text struct text sql = text_init(BACKFILL_SQL_MOST);
    auto_text struct text condition = text_init(BACKFILL_SQL_MOST);
    bool is_asked;

    key_add_range(&plan->key, plan->update.alias, range, &condition);
    text_add_string(&sql, "BEGIN READ ONLY;");
    if (!plan->is_large)
        text_add_string(&sql, "SET LOCAL enable_seqscan = off;");
    text_add_string(&sql, "EXPLAIN (COSTS OFF, FORMAT JSON) ");
    update_statement_add(plan->sql, &plan->update, condition.at, &sql);
    is_asked = query_several(execution->conn, &(const struct query) { .name = "explain", .sql = sql.at }, out,
                             1, err);
    execution_roll_back_own(execution->conn);
    return is_asked;
}

static enum explained refuse(const struct execution *execution, const struct backfill_plan *plan,
                             const struct json *whole, struct error *err)
{
    error_set(err, ERROR_CLEAN, "the server would read all of %s for each batch", plan->table.at);
    error_detail(err, "Its plan: %s on \"%s\".", json_get_text(whole, "Node Type"),
                 json_get_text(whole, "Relation Name"));
    error_hint(
        err,
        "Name a column that has an index of its own: key=…. If there is one, let the table's owner ANALYZE it.");
    backfill_plan_refuse(execution, plan, err);
    return EXPLAINED_WHOLE;
}

enum explained backfill_explain(struct execution *execution, const struct backfill_plan *plan,
                                struct key_range range, struct error *err)
{
    const char *const parameters[] = { plan->table.at, plan->key.list[0].name };
    auto_result struct result *tree = NULL;
    auto_result struct result *explained = NULL;
    auto_json struct json *read = NULL;
    struct search search = { .alias = plan->update.alias, .is_large = plan->is_large };

    if (!query_run(execution->conn, &TREE, parameters, &tree, err) ||
        !explain(execution, plan, range, &explained, err))
        return EXPLAINED_NOT;
    search.tree = tree;
    read = json_read(slice_of(result_text(explained, 0, 0)));
    look_through(&search, json_get_object(json_item(read, 0), "Plan"));
    return search.whole == NULL ? EXPLAINED_INDEX : refuse(execution, plan, search.whole, err);
}
