#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "config/endpoint.h"
#include "execution/execution.h"
#include "postgres/query.h"
#include "postgres/reach.h"
#include "shadow/content.h"
#include "shadow/internal.h"
#include "sql/quote.h"

#define SCHEMA "tidelock_shadow"
#define LOCK_KEY "7522868341279621"

enum { SQL_MOST = 256 * 1024, CLOSING_MS = 30 * 1000 };

/* A copy of the live server has its identifier, and the live database's copy its oid: that is refused as
 * well. */
static const struct query WHO = {
    .name = "shadow_who",
    .sql =
        "SELECT s.system_identifier, d.oid, d.datname"
        "  FROM pg_catalog.pg_control_system() AS s, pg_catalog.pg_database AS d"
        " WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()",
};

static const struct query LOCK = {
    .name = "shadow_lock_given",
    .sql = "SELECT pg_catalog.pg_try_advisory_lock(" LOCK_KEY ")",
};

/* Everything that is newer than this schema was made by us. Behind the mark stands what "public" was like;
 * another role's word for that is not taken. */
static const struct query FIND_MARK = {
    .name = "shadow_find_mark",
    .parameters = 1,
    .sql =
        "SELECT n.oid, CASE WHEN pg_catalog.pg_get_userbyid(n.nspowner) OPERATOR(pg_catalog.=) current_user"
        "  THEN pg_catalog.split_part(d.said, '\n', 2) ELSE '' END"
        "  FROM pg_catalog.pg_namespace AS n"
        "  CROSS JOIN LATERAL pg_catalog.obj_description(n.oid, 'pg_namespace') AS d (said)"
        " WHERE n.nspname OPERATOR(pg_catalog.=) '" SCHEMA
        "'"
        "   AND pg_catalog.split_part(d.said, '\n', 1) OPERATOR(pg_catalog.=) $1",
};

/* "public" stays, but a script may have changed whose it is, what is said of it and who may use it, or made a
 * new one. */
static const struct query PUBLIC = {
    .name = "shadow_public",
    .sql =
        "SELECT pg_catalog.jsonb_build_object('owner', pg_catalog.pg_get_userbyid(n.nspowner),"
        "  'comment', pg_catalog.obj_description(n.oid, 'pg_namespace'), 'grants', (SELECT"
        "   pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('grantee', r.rolname, 'what',"
        "     g.privilege_type, 'more', CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)"
        "    ORDER BY r.rolname, g.privilege_type, g.is_grantable)"
        "   FROM pg_catalog.aclexplode(COALESCE(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) AS g"
        "   LEFT JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) g.grantee))"
        "  FROM pg_catalog.pg_namespace AS n WHERE n.nspname OPERATOR(pg_catalog.=) 'public'",
};

#define GRANTEE "COALESCE(pg_catalog.quote_ident(g.grantee), 'PUBLIC')"

/* The statements that make "public" what $1 says, an answer of the one above. */
static const struct query RESTORATION = {
    .name = "shadow_restoration",
    .parameters = 1,
    .sql =
        "SELECT pg_catalog.concat_ws('; ', pg_catalog.format('CREATE SCHEMA IF NOT EXISTS public;"
        " ALTER SCHEMA public OWNER TO %I; COMMENT ON SCHEMA public IS %L', s.owner, s.comment),"
        " (SELECT pg_catalog.string_agg(pg_catalog.format('REVOKE ALL ON SCHEMA public FROM %s CASCADE',"
        "    " GRANTEE
        "), '; ')"
        "   FROM (SELECT r.rolname FROM pg_catalog.pg_namespace AS n"
        "     CROSS JOIN LATERAL pg_catalog.aclexplode(n.nspacl) AS x"
        "     LEFT JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) x.grantee"
        "     WHERE n.nspname OPERATOR(pg_catalog.=) 'public' UNION SELECT s.owner) AS g (grantee)),"
        " (SELECT pg_catalog.string_agg(pg_catalog.format('GRANT %s ON SCHEMA public TO %s%s', g.what,"
        "    " GRANTEE
        ", CASE WHEN g.more OPERATOR(pg_catalog.<>) '' THEN ' WITH GRANT OPTION' END), '; ')"
        "   FROM pg_catalog.jsonb_to_recordset(s.grants) AS g (grantee pg_catalog.name, what pg_catalog.text,"
        "     more pg_catalog.text)"
        "   WHERE g.what OPERATOR(pg_catalog.=) ANY ('{CREATE,USAGE}'::pg_catalog.text[])))"
        " FROM pg_catalog.jsonb_to_record($1::pg_catalog.jsonb) AS s (owner pg_catalog.name,"
        "   comment pg_catalog.text, grants pg_catalog.jsonb)",
};

static const struct query UNMARK = { .name = "shadow_unmark", .sql = "DROP SCHEMA " SCHEMA };

struct identity {
    char server[32];
    char database[16];
};

static bool identify(struct connection *conn, struct identity *out, struct result **row, struct error *err)
{
    if (!query_run(conn, &WHO, NULL, row, err))
        return error_context(err, "telling the shadow database from the live one");
    text_copy_cut(out->server, sizeof out->server, result_text(*row, 0, 0));
    text_copy_cut(out->database, sizeof out->database, result_text(*row, 0, 1));
    return true;
}

static bool check_other(const struct shadow_request *wanted, struct shadow *shadow, struct error *err)
{
    auto_result struct result *of_live = NULL;
    auto_result struct result *of_shadow = NULL;
    struct identity live = { .server = "" };
    struct identity here;

    if ((wanted->conn != NULL && !identify(wanted->conn, &live, &of_live, err)) ||
        !identify(shadow->conn, &here, &of_shadow, err))
        return false;
    shadow->name =
        arena_copy(shadow->arena, result_text(of_shadow, 0, 2), strlen(result_text(of_shadow, 0, 2)));
    shadow->is_on_live_server = strcmp(live.server, here.server) == 0;
    (void)snprintf(shadow->mark, sizeof shadow->mark,
                   "tidelock: what is newer than this schema, in database %s of server %s, is a shadow of no "
                   "value",
                   here.database, here.server);
    if (!shadow->is_on_live_server || strcmp(live.database, here.database) != 0)
        return true;
    error_set(err, ERROR_REFUSED, "the shadow database is the live database itself");
    return error_hint(err, "Give another, empty one: it is emptied at the end.");
}

static bool lock(struct shadow *shadow, struct error *err)
{
    auto_result struct result *row = NULL;

    if (!query_run(shadow->conn, &LOCK, NULL, &row, err))
        return false;
    if (result_bool(row, 0, 0))
        return true;
    error_set(err, ERROR_REFUSED, "another process works in the shadow database \"%s\"", shadow->name);
    return error_hint(err, "Wait until it is done, or give each its own.");
}

/* Reads what "public" is like now; NULL where there is none. */
static bool read_public(struct shadow *shadow, const char **out, struct error *err)
{
    auto_result struct result *row = NULL;

    *out = NULL;
    if (!query_run(shadow->conn, &PUBLIC, NULL, &row, err))
        return false;
    if (result_rows(row) > 0)
        *out = arena_copy(shadow->arena, result_text(row, 0, 0), strlen(result_text(row, 0, 0)));
    return true;
}

/* Only where something is different: whoever may not change it, has not. */
static bool restore_public(struct shadow *shadow, struct error *err)
{
    auto_result struct result *row = NULL;
    const char *now;

    if (shadow->restore == NULL)
        return true;
    if (!read_public(shadow, &now, err))
        return false;
    if (now != NULL && strcmp(now, shadow->restore) == 0)
        return true;
    return query_run(shadow->conn, &RESTORATION, (const char *const[]) { shadow->restore }, &row, err) &&
           query_several(
               shadow->conn,
               &(const struct query) { .name = "shadow_restore_public", .sql = result_text(row, 0, 0) }, NULL,
               0, err);
}

/* Removes what is newer than the mark, and, when all is as it was, the mark; *is_marked tells whether there
 * was one. */
static bool sweep(struct shadow *shadow, bool *is_marked, struct error *err)
{
    auto_result struct result *mark = NULL;

    if (!query_run(shadow->conn, &FIND_MARK, (const char *const[]) { shadow->mark }, &mark, err))
        return false;
    *is_marked = result_rows(mark) > 0;
    if (!*is_marked)
        return restore_public(shadow, err);
    if (shadow->restore == NULL && result_text(mark, 0, 1)[0] != '\0')
        shadow->restore = arena_copy(shadow->arena, result_text(mark, 0, 1), strlen(result_text(mark, 0, 1)));
    return content_remove(shadow->conn, result_text(mark, 0, 0), err) && restore_public(shadow, err) &&
           query_run(shadow->conn, &UNMARK, NULL, NULL, err);
}

static bool check_empty(struct shadow *shadow, struct error *err)
{
    auto_text struct text found = text_init(SQL_MOST);
    bool is_empty;

    if (!content_find(shadow->conn, &is_empty, &found, err))
        return false;
    if (is_empty)
        return true;
    error_set(err, ERROR_REFUSED, "the shadow database \"%s\" is not empty: it holds %s", shadow->name,
              found.at);
    return error_hint(err,
                      "Give an empty one, which may have extensions: everything else in it would be "
                      "removed at the end.");
}

/* Both in one transaction. */
static bool mark(struct shadow *shadow, const struct shadow_request *wanted, struct error *err)
{
    auto_text struct text said = text_init(SQL_MOST);
    auto_text struct text sql = text_init(2 * SQL_MOST);

    text_add_string(&sql, "CREATE SCHEMA " SCHEMA "; COMMENT ON SCHEMA " SCHEMA " IS ");
    text_add_format(&said, "%s\n%s", shadow->mark, shadow->restore == NULL ? "" : shadow->restore);
    quote_literal(said.at, &sql);
    if (query_several(shadow->conn, &(const struct query) { .name = "shadow_mark_given", .sql = sql.at },
                      NULL, 0, err))
        return shadow->is_marked = true;
    if (strcmp(err->sqlstate, "42501") == 0) {
        error_code(err, wanted->dialect->codes.no_shadow);
        error_hint(err, "The role must own the shadow database, or may CREATE in it.");
    }
    return error_context(err, "marking the shadow database as ours");
}

static bool prepare(const struct shadow_request *wanted, struct shadow *shadow, struct error *err)
{
    bool is_marked;
    bool is_swept;

    if (!check_other(wanted, shadow, err) || !lock(shadow, err))
        return false;
    connection_hush(shadow->conn, true);
    is_swept = sweep(shadow, &is_marked, err);
    connection_hush(shadow->conn, false);
    if (!is_swept)
        return error_context(err, "removing what a run that was killed has left in the shadow database");
    if (is_marked)
        log_info("emptied the shadow database \"%s\", in which a run that was killed had left something",
                 shadow->name);
    return check_empty(shadow, err) && read_public(shadow, &shadow->restore, err) &&
           mark(shadow, wanted, err);
}

bool given_open(const struct shadow_request *wanted, struct shadow *shadow, struct error *err)
{
    if (!endpoint_find_beside(wanted->config, wanted->config->shadow, &shadow->config, &shadow->endpoint,
                              err))
        return error_context(err, "reading --shadow, which is a URL or \"create\"");
    shadow->conn = reach_database(&shadow->config, &shadow->endpoint, NULL, err);
    if (shadow->conn == NULL)
        return error_context(err, "connecting to the shadow database");
    return shadow_check_session(&shadow->config, &shadow->endpoint, shadow->conn, "--shadow", err) &&
           prepare(wanted, shadow, err);
}

/* As it was before a script changed its role and its settings; another one if it is gone. */
static bool regain(struct shadow *shadow, struct error *err)
{
    static const struct query reset = {
        .name = "shadow_reset",
        .sql = "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL",
    };

    if (connection_is_lost(shadow->conn)) {
        connection_close(shadow->conn);
        shadow->conn = reach_database(&shadow->config, &shadow->endpoint, NULL, err);
        return shadow->conn != NULL && lock(shadow, err);
    }
    execution_roll_back(shadow->conn);
    return query_several(shadow->conn, &reset, NULL, 0, err);
}

void given_close(struct shadow *shadow)
{
    struct error err;
    bool is_marked;

    if (!shadow->is_marked)
        return;
    connection_shield(shadow->conn, true);
    connection_hush(shadow->conn, true);
    connection_limit_answers(shadow->conn, CLOSING_MS);
    if (!regain(shadow, &err) || !sweep(shadow, &is_marked, &err))
        log_warn("could not empty the shadow database \"%s\": %s. The next run does so.", shadow->name,
                 err.message);
    shadow->is_marked = false;
}
