#include "schema/catalog_sql.h"

#define PUBLICATIONS(more)                                                                                   \
    "SELECT 'publication', pg_catalog.quote_ident(p.pubname), pg_catalog.concat_ws(' ',"                     \
    " CASE WHEN p.puballtables THEN 'all tables' END, CASE WHEN p.pubinsert THEN 'insert' END,"              \
    " CASE WHEN p.pubupdate THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END,"                     \
    " CASE WHEN p.pubtruncate THEN 'truncate' END, CASE WHEN p.pubviaroot THEN 'via root' END" more          \
    ") FROM pg_catalog.pg_publication AS p"

#define PUBLISHED_NAME                                                                                       \
    "pg_catalog.concat(pg_catalog.quote_ident(p.pubname), ' ', r.prrelid::pg_catalog.regclass)"
#define FROM_PUBLISHED                                                                                       \
    " FROM pg_catalog.pg_publication_rel AS r JOIN pg_catalog.pg_publication AS p ON p.oid" EQ "r.prpubid"

#define FROM_SUBSCRIPTIONS                                                                                   \
    " FROM pg_catalog.pg_subscription AS s WHERE s.subdbid" EQ                                               \
    "(SELECT d.oid"                                                                                          \
    " FROM pg_catalog.pg_database AS d WHERE d.datname" EQ "pg_catalog.current_database())"
#define SUBSCRIPTION_OPTION(name, value)                                                                     \
    "SELECT 'subscription-option', pg_catalog.concat(pg_catalog.quote_ident(s.subname), ' " name             \
    "'), " value "::pg_catalog.text" FROM_SUBSCRIPTIONS

const struct catalog_query CATALOG_REMOTE[] = {
    { .sql = PUBLICATIONS(""), .until = 17, .scope = SCOPE_DATABASE, .if_any = MADE("pg_publication") },
    { .sql = PUBLICATIONS(", CASE WHEN p.pubgencols" EQ "'s' THEN 'stored generated columns' END"),
      .since = 18,
      .scope = SCOPE_DATABASE,
      .if_any = MADE("pg_publication") },
    { .sql = "SELECT 'published', " PUBLISHED_NAME ", ''" FROM_PUBLISHED,
      .until = 14,
      .scope = SCOPE_DATABASE,
      .if_any = MADE("pg_publication") },
    { .sql = "SELECT 'published', " PUBLISHED_NAME ", pg_catalog.concat_ws(' ',"
             " 'where '::pg_catalog.text OPERATOR(pg_catalog.||)"
             "  pg_catalog.pg_get_expr(r.prqual, r.prrelid),"
             " (SELECT pg_catalog.concat('columns ', pg_catalog.string_agg("
             "   pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum))"
             "   FROM pg_catalog.pg_attribute AS a WHERE a.attrelid" EQ "r.prrelid AND a.attnum" EQ
             "ANY (r.prattrs::pg_catalog.int2[]) HAVING pg_catalog.count(*)"
             "   OPERATOR(pg_catalog.>) 0))" FROM_PUBLISHED
             " UNION ALL SELECT 'published', pg_catalog.concat(pg_catalog.quote_ident(p.pubname),"
             " ' schema ', s.pnnspid::pg_catalog.regnamespace), ''"
             " FROM pg_catalog.pg_publication_namespace AS s"
             " JOIN pg_catalog.pg_publication AS p ON p.oid" EQ "s.pnpubid",
      .since = 15,
      .scope = SCOPE_DATABASE,
      .if_any = MADE("pg_publication") },
    /* How it connects holds a password, and is shown to no one. */
    { .sql = "SELECT 'subscription', pg_catalog.quote_ident(s.subname), pg_catalog.concat_ws(' ',"
             " CASE WHEN s.subenabled THEN 'enabled' ELSE 'disabled' END,"
             " s.subpublications::pg_catalog.text, s.subslotname)" FROM_SUBSCRIPTIONS,
      .scope = SCOPE_DATABASE,
      .if_any = ANY_SUBSCRIPTION },
    { .sql = SUBSCRIPTION_OPTION("binary", "s.subbinary"),
      .since = 14,
      .scope = SCOPE_DATABASE,
      .if_any = ANY_SUBSCRIPTION },
    { .sql = SUBSCRIPTION_OPTION("streaming", "s.substream"),
      .since = 14,
      .scope = SCOPE_DATABASE,
      .if_any = ANY_SUBSCRIPTION },
    { .sql = SUBSCRIPTION_OPTION("synchronous_commit", "s.subsynccommit"),
      .since = 14,
      .scope = SCOPE_DATABASE,
      .if_any = ANY_SUBSCRIPTION },
    /* While it is being enabled, it is already wanted. */
    { .sql = SUBSCRIPTION_OPTION("two_phase", "(s.subtwophasestate" NE "'d')"),
      .since = 15,
      .scope = SCOPE_DATABASE,
      .if_any = ANY_SUBSCRIPTION },
    { .sql = SUBSCRIPTION_OPTION("disable_on_error", "s.subdisableonerr"),
      .since = 15,
      .scope = SCOPE_DATABASE,
      .if_any = ANY_SUBSCRIPTION },
    { .sql = SUBSCRIPTION_OPTION("origin", "s.suborigin"),
      .since = 16,
      .scope = SCOPE_DATABASE,
      .if_any = ANY_SUBSCRIPTION },
    { .sql = SUBSCRIPTION_OPTION("password_required", "s.subpasswordrequired"),
      .since = 16,
      .scope = SCOPE_DATABASE,
      .if_any = ANY_SUBSCRIPTION },
    { .sql = SUBSCRIPTION_OPTION("run_as_owner", "s.subrunasowner"),
      .since = 16,
      .scope = SCOPE_DATABASE,
      .if_any = ANY_SUBSCRIPTION },
    { .sql = SUBSCRIPTION_OPTION("failover", "s.subfailover"),
      .since = 17,
      .scope = SCOPE_DATABASE,
      .if_any = ANY_SUBSCRIPTION },
    { .sql = "SELECT 'foreign-data-wrapper', pg_catalog.quote_ident(w.fdwname), pg_catalog.concat_ws('\n',"
             " " UNLESS_NONE("handler", "w.fdwhandler") ", " UNLESS_NONE(
                 "validator",
                 "w.fdwvalidator") ","
                                   " " FOREIGN_OPTIONS(
                                       "w.fdwoptions") ") FROM pg_catalog.pg_foreign_data_wrapper AS w"
                                                       " WHERE " OF_NO_EXTENSION("pg_foreign_data_wrapper",
                                                                                 "w.oid"),
      .scope = SCOPE_DATABASE,
      .if_any = MADE("pg_foreign_data_wrapper") },
    { .sql = "SELECT 'server', pg_catalog.quote_ident(s.srvname), pg_catalog.concat_ws(' ',"
             " pg_catalog.quote_ident(w.fdwname), 'type '::pg_catalog.text OPERATOR(pg_catalog.||) s.srvtype,"
             " 'version '::pg_catalog.text OPERATOR(pg_catalog.||) s.srvversion,"
             " " FOREIGN_OPTIONS("s.srvoptions") ") FROM pg_catalog.pg_foreign_server AS s"
                                                 " JOIN pg_catalog.pg_foreign_data_wrapper AS w ON w.oid" EQ
                                                 "s.srvfdw"
                                                 " WHERE " OF_NO_EXTENSION("pg_foreign_server", "s.oid"),
      .scope = SCOPE_DATABASE,
      .if_any = MADE("pg_foreign_server") },
    /* Its options hold a password, and most roles may not read them. */
    { .sql = "SELECT 'user-mapping', pg_catalog.concat(pg_catalog.quote_ident(m.srvname), ' for ',"
             " pg_catalog.quote_ident(m.usename)), '' FROM pg_catalog.pg_user_mappings AS m",
      .scope = SCOPE_DATABASE,
      .if_any = MADE("pg_foreign_server") },
    { .sql = NULL },
};
