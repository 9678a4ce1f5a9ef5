#include "history/guard.h"

#include <string.h>

#include "history/owner.h"
#include "history/shape.h"
#include "postgres/query.h"
#include "sql/quote.h"

enum { SQL_MOST = 16 * 1024 };

/* Of table c: a policy for this role that shows every row, and none that takes some away. */
#define IS_OPEN(commands)                                                                                    \
    "(c.relrowsecurity AND EXISTS (SELECT FROM pg_catalog.pg_policy AS p"                                    \
    "  WHERE p.polrelid OPERATOR(pg_catalog.=) c.oid AND p.polpermissive"                                    \
    "    AND p.polcmd OPERATOR(pg_catalog.=) ANY ('" commands                                                \
    "'::pg_catalog.\"char\"[])"                                                                              \
    "    AND pg_catalog.pg_get_expr(p.polqual, p.polrelid) OPERATOR(pg_catalog.=) 'true'"                    \
    "    AND COALESCE(pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), 'true')"                           \
    "        OPERATOR(pg_catalog.=) 'true'"                                                                  \
    "    AND EXISTS (SELECT FROM pg_catalog.unnest(p.polroles) AS u (oid)"                                   \
    "         WHERE u.oid OPERATOR(pg_catalog.=) 0 OR pg_catalog.pg_has_role(u.oid, 'USAGE')))"              \
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_policy AS p"                                                 \
    "  WHERE p.polrelid OPERATOR(pg_catalog.=) c.oid AND NOT p.polpermissive))"

void guard_add(const struct guard *guard, struct text *sql)
{
    text_add_string(sql,
                    "SELECT pg_catalog.set_config('search_path',"
                    " c.relnamespace::pg_catalog.regnamespace::pg_catalog.text, true),"
                    " pg_catalog.set_config('row_security', CASE WHEN ");
    text_add_string(sql, guard->use == GUARD_GLANCE  ? "false"
                         : guard->use == GUARD_WRITE ? IS_OPEN("{*}")
                                                     : IS_OPEN("{*,r}"));
    text_add_string(sql, " THEN 'on' ELSE 'off' END, true), CASE WHEN ");
    text_add_string(sql, OWNER_IS_TRUSTED("c.relowner"));
    if (guard->is_only_read && guard->is_schema_given)
        text_add_string(sql, " OR " IS_PLAIN_AND_OF_SCHEMA_OWNER);
    if (guard->use == GUARD_WRITE)
        text_add_string(sql, " AND NOT EXISTS (SELECT" TRIGGERS_OF_STRANGERS("c.oid") ")");
    /* The server has no function that only fails. The text is part of its error; it depends on the row, so
     * that it is not computed beforehand. */
    text_add_string(sql,
                    " THEN 0 ELSE ('not a trusted ledger, owner: ' OPERATOR(pg_catalog.||)"
                    " pg_catalog.pg_get_userbyid(c.relowner)::pg_catalog.text)::integer END");
    if (guard->tells_shape)
        text_add_string(sql, ", " SHAPE_OF_TABLE);
    text_add_string(sql, " FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) ");
    quote_literal(guard->table, sql);
    text_add_string(sql, "::pg_catalog.regclass;");
}

char *guard_schema(struct arena *arena, const struct result *guarded)
{
    const char *quoted = result_text(guarded, 0, 0);
    char *name = arena_copy(arena, quoted, strlen(quoted));
    char *to = name;

    if (quoted[0] != '"')
        return name;
    for (const char *from = quoted + 1; *from != '\0' && (*from != '"' || from[1] == '"'); from++) {
        *to++ = *from;
        from += *from == '"';
    }
    *to = '\0';
    return name;
}

enum {
    COLUMN_SCHEMA,
    COLUMN_TABLE,
    COLUMN_OWNER,
    COLUMN_IS_OWNER_TRUSTED,
    COLUMN_STRANGER, /* whose trigger function it has; null = nobody's */
    COLUMN_TRIGGER,
    COLUMN_IS_FILTERED,
    COLUMN_POLICIES,
    COLUMN_ROLE,
    COLUMN_IS_OURS
};

/* Of the table $1. */
static const struct query LEDGER_OWNER = {
    .name = "ledger_owner",
    .parameters = 1,
    .sql =
        "SELECT n.nspname, c.relname, pg_catalog.pg_get_userbyid(c.relowner), " OWNER_IS_TRUSTED("c.relowner")
        ", s.owner, s.name, pg_catalog.row_security_active(c.oid),"
        " (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(p.polname), ', ' ORDER BY p.polname)"
        "    FROM pg_catalog.pg_policy AS p WHERE p.polrelid OPERATOR(pg_catalog.=) c.oid),"
        " CURRENT_USER, pg_catalog.pg_has_role(c.relowner, 'USAGE')"
        "  FROM pg_catalog.pg_class AS c"
        "  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        "  LEFT JOIN LATERAL (SELECT pg_catalog.pg_get_userbyid(f.proowner), t.tgname" TRIGGERS_OF_STRANGERS("c.oid") "  LIMIT 1) AS s (owner, name) ON true"
        " WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)",
};

static bool explain_stranger(const struct result *found, const char *table, struct error *err)
{
    auto_text struct text role = text_init(256);
    auto_text struct text owner = text_init(256);

    quote_identifier(result_text(found, 0, COLUMN_ROLE), &role);
    quote_identifier(result_text(found, 0, COLUMN_OWNER), &owner);
    if (!result_bool(found, 0, COLUMN_IS_OWNER_TRUSTED)) {
        error_set(err, ERROR_REFUSED, "the ledger %s belongs to role %s, which is not trusted with it", table,
                  owner.at);
        error_cause(err, CAUSE_STRANGER);
        error_holds(err, "Nothing was read from it, and nothing was changed.");
        return error_hint(
            err,
            "Find out who made it. If it is the right one, run tidelock with --set-role %s, or let "
            "an administrator type: ALTER TABLE %s OWNER TO %s; otherwise drop it.",
            owner.at, table, role.at);
    }
    error_set(err, ERROR_REFUSED,
              "the ledger %s has a trigger \"%s\" whose function belongs to role \"%s\", "
              "which is not trusted with it",
              table, result_text(found, 0, COLUMN_TRIGGER), result_text(found, 0, COLUMN_STRANGER));
    error_cause(err, CAUSE_STRANGER);
    error_holds(err, "Nothing was read from it, and nothing was changed.");
    return error_hint(err,
                      "Type as the table's owner: DROP TRIGGER \"%s\" ON %s; and REVOKE TRIGGER ON %s from "
                      "roles that do not migrate.",
                      result_text(found, 0, COLUMN_TRIGGER), table, table);
}

static bool explain_row_security(const struct result *found, const char *table, struct error *err)
{
    auto_text struct text role = text_init(256);

    quote_identifier(result_text(found, 0, COLUMN_ROLE), &role);
    error_set(err, ERROR_REFUSED, "row security hides rows of the ledger %s from role %s", table, role.at);
    if (result_is_null(found, 0, COLUMN_POLICIES))
        error_detail(err, "It has no policy, so the role sees no row.");
    else
        error_detail(err, "Its policies: %s", result_text(found, 0, COLUMN_POLICIES));
    error_holds(err, "Nothing was read from it, and nothing was changed.");
    if (result_bool(found, 0, COLUMN_IS_OURS))
        return error_hint(err, "Type as its owner: ALTER TABLE %s NO FORCE ROW LEVEL SECURITY;", table);
    return error_hint(err,
                      "Run tidelock as the table's owner, or let an administrator type one of: ALTER ROLE %s "
                      "BYPASSRLS; CREATE POLICY tidelock ON %s TO %s USING (true);",
                      role.at, table, role.at);
}

bool guard_explain(struct connection *conn, const struct guard *guard, struct error *err)
{
    const char *const parameters[] = { guard->table };
    auto_result struct result *found = NULL;
    auto_text struct text table = text_init(SQL_MOST);
    bool is_stranger = strcmp(err->sqlstate, "22P02") == 0;
    struct error ignored;

    if (!is_stranger && strcmp(err->sqlstate, "42501") != 0)
        return false;
    if (!query_run(conn, &LEDGER_OWNER, parameters, &found, &ignored) || result_rows(found) == 0)
        return false;
    quote_qualified(result_text(found, 0, COLUMN_SCHEMA), result_text(found, 0, COLUMN_TABLE), &table);
    if (is_stranger)
        return explain_stranger(found, table.at, err);
    return result_bool(found, 0, COLUMN_IS_FILTERED) && explain_row_security(found, table.at, err);
}
