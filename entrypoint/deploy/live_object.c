#include "deploy/live_object.h"

#include "postgres/query.h"

/* Of whatever schema: with several of a name, one that is there counts. */
static const struct query OBJECT = {
    .name = "plan_object",
    .parameters = 1,
    .sql =
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_type AS t"
        "  WHERE t.typname::pg_catalog.text OPERATOR(pg_catalog.=) $1)"
        " OR EXISTS (SELECT FROM pg_catalog.pg_proc AS p"
        "  WHERE p.proname::pg_catalog.text OPERATOR(pg_catalog.=) $1)"
        " OR EXISTS (SELECT FROM pg_catalog.pg_namespace AS n"
        "  WHERE n.nspname::pg_catalog.text OPERATOR(pg_catalog.=) $1)"
        " OR EXISTS (SELECT FROM pg_catalog.pg_extension AS e"
        "  WHERE e.extname::pg_catalog.text OPERATOR(pg_catalog.=) $1)"
        " OR EXISTS (SELECT FROM pg_catalog.pg_class AS c"
        "  WHERE c.relname::pg_catalog.text OPERATOR(pg_catalog.=) $1)",
};

static const struct live_table NOWHERE = { .exists = false, .rows = -1 };

static bool is_about_object(const struct finding *finding)
{
    switch (finding->change.action) {
    case ACTION_CREATE_ROUTINE:
    case ACTION_DROP_EXTENSION:
    case ACTION_DROP_ROUTINE:
    case ACTION_DROP_SCHEMA:
    case ACTION_DROP_TYPE:
    case ACTION_ENUM_VALUE:
    case ACTION_GRANT:
    case ACTION_RENAME_OBJECT:
        return finding->rule->lock == TABLE_LOCK_NONE && finding->level > LEVEL_SAFE &&
               finding->change.table.name[0] != '\0';
    default:
        return false;
    }
}

bool live_refine_object(struct live *live, struct finding *finding, struct error *err)
{
    const char *const parameters[] = { finding->change.table.name };
    auto_result struct result *rows = NULL;

    if (!is_about_object(finding))
        return true;
    if (!live_ask(live, &OBJECT, parameters, &rows, err))
        return false;
    if (result_bool(rows, 0, 0))
        return true;
    finding->is_live = true;
    finding->table = &NOWHERE;
    finding->level = LEVEL_SAFE;
    finding->note = "the database does not have it now, so nobody uses it yet";
    return true;
}
