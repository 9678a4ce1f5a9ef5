#include "shadow/content.h"

#include <string.h>

#include "postgres/query.h"

/* Below it are the oids of what every database has. */
#define OLDEST "16383"

/* What contains all the rest: a schema takes along what is in it; in "public", which stays, each object
 * counts. What belongs to another object goes with that (a partitioned table also to itself). */
#define CONTENT                                                                                              \
    "WITH found(catalog, oid) AS ("                                                                          \
    " SELECT 'pg_catalog.pg_event_trigger'::pg_catalog.regclass::pg_catalog.oid, oid"                        \
    "   FROM pg_catalog.pg_event_trigger"                                                                    \
    " UNION ALL SELECT 'pg_catalog.pg_publication'::pg_catalog.regclass, oid FROM pg_catalog.pg_publication" \
    " UNION ALL SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass, oid FROM pg_catalog.pg_namespace"     \
    "   WHERE nspname OPERATOR(pg_catalog.!~) '^pg_(temp|toast)' AND nspname OPERATOR(pg_catalog.<>) "       \
    "'public'"                                                                                               \
    " UNION ALL SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, c.oid FROM pg_catalog.pg_class AS c"      \
    "   WHERE c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace('public')"                    \
    "     AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,S,f}'::pg_catalog.\"char\"[])"                 \
    " UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, oid FROM pg_catalog.pg_proc"               \
    "   WHERE pronamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace('public')"                      \
    " UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, oid FROM pg_catalog.pg_type"               \
    "   WHERE typnamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace('public')"                      \
    "     AND typtype OPERATOR(pg_catalog.=) ANY ('{c,d,e,r}'::pg_catalog.\"char\"[])"                       \
    " UNION ALL SELECT 'pg_catalog.pg_operator'::pg_catalog.regclass, oid FROM pg_catalog.pg_operator"       \
    "   WHERE oprnamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace('public')"                      \
    " UNION ALL SELECT 'pg_catalog.pg_opfamily'::pg_catalog.regclass, oid FROM pg_catalog.pg_opfamily"       \
    "   WHERE opfnamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace('public')"                      \
    " UNION ALL SELECT 'pg_catalog.pg_collation'::pg_catalog.regclass, oid FROM pg_catalog.pg_collation"     \
    "   WHERE collnamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace('public')"                     \
    " UNION ALL SELECT 'pg_catalog.pg_ts_config'::pg_catalog.regclass, oid FROM pg_catalog.pg_ts_config"     \
    "   WHERE cfgnamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace('public')"                      \
    " UNION ALL SELECT 'pg_catalog.pg_ts_dict'::pg_catalog.regclass, oid FROM pg_catalog.pg_ts_dict"         \
    "   WHERE dictnamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace('public')"                     \
    " UNION ALL SELECT 'pg_catalog.pg_ts_template'::pg_catalog.regclass, oid FROM pg_catalog.pg_ts_template" \
    "   WHERE tmplnamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace('public')"                     \
    " UNION ALL SELECT 'pg_catalog.pg_ts_parser'::pg_catalog.regclass, oid FROM pg_catalog.pg_ts_parser"     \
    "   WHERE prsnamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace('public')"                      \
    " UNION ALL SELECT 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass, oid"                       \
    "   FROM pg_catalog.pg_foreign_data_wrapper"                                                             \
    " UNION ALL SELECT 'pg_catalog.pg_foreign_server'::pg_catalog.regclass, oid"                             \
    "   FROM pg_catalog.pg_foreign_server"                                                                   \
    " UNION ALL SELECT 'pg_catalog.pg_conversion'::pg_catalog.regclass, oid FROM pg_catalog.pg_conversion"   \
    "   WHERE connamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace('public')"                      \
    " UNION ALL SELECT 'pg_catalog.pg_language'::pg_catalog.regclass, oid FROM pg_catalog.pg_language"       \
    " UNION ALL SELECT 'pg_catalog.pg_am'::pg_catalog.regclass, oid FROM pg_catalog.pg_am"                   \
    " UNION ALL SELECT 'pg_catalog.pg_cast'::pg_catalog.regclass, oid FROM pg_catalog.pg_cast"               \
    " UNION ALL SELECT 'pg_catalog.pg_extension'::pg_catalog.regclass, oid FROM pg_catalog.pg_extension"     \
    "), own AS (SELECT f.catalog, f.oid FROM found AS f"                                                     \
    "  WHERE f.oid OPERATOR(pg_catalog.>) $1::pg_catalog.oid"                                                \
    "    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d"                                              \
    "      WHERE d.classid OPERATOR(pg_catalog.=) f.catalog AND d.objid OPERATOR(pg_catalog.=) f.oid"        \
    "        AND d.refobjid OPERATOR(pg_catalog.<>) f.oid"                                                   \
    "        AND d.deptype OPERATOR(pg_catalog.=) ANY ('{a,e,i}'::pg_catalog.\"char\"[]))) "

static const struct query FIND = {
    .name = "shadow_content",
    .parameters = 1,
    .sql = CONTENT
    "SELECT pg_catalog.pg_describe_object(catalog, oid, 0) FROM own"
    " WHERE catalog OPERATOR(pg_catalog.<>)"
    "       'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid LIMIT 1",
};

static const struct query LIST = {
    .name = "shadow_removals",
    .parameters = 1,
    .sql = CONTENT
    "SELECT pg_catalog.format('DROP %s IF EXISTS %s CASCADE',"
    "  CASE WHEN i.type OPERATOR(pg_catalog.=) 'composite type' THEN 'type'"
    "  ELSE pg_catalog.replace(i.type, '-', ' ') END, i.identity)"
    " FROM own, pg_catalog.pg_identify_object(own.catalog, own.oid, 0) AS i"
    " ORDER BY own.catalog OPERATOR(pg_catalog.<>)"
    "          'pg_catalog.pg_event_trigger'::pg_catalog.regclass::pg_catalog.oid",
};

bool content_find(struct connection *conn, bool *is_empty, struct text *out, struct error *err)
{
    auto_result struct result *rows = NULL;

    if (!query_run(conn, &FIND, (const char *const[]) { OLDEST }, &rows, err))
        return false;
    *is_empty = result_rows(rows) == 0;
    if (!*is_empty)
        text_add_string(out, result_text(rows, 0, 0));
    return true;
}

bool content_remove(struct connection *conn, const char *oid, struct error *err)
{
    auto_result struct result *rows = NULL;
    bool is_removed = true;

    if (!query_run(conn, &LIST, (const char *const[]) { oid }, &rows, err))
        return false;
    for (int i = 0; i < result_rows(rows) && is_removed; i++) {
        const struct query query = { .name = "shadow_remove", .sql = result_text(rows, i, 0) };

        is_removed = query_run(conn, &query, NULL, NULL, err);
    }
    return is_removed;
}
