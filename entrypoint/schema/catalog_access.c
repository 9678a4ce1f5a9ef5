#include "schema/catalog_sql.h"

#define PRIVILEGES                                                                                           \
    "pg_catalog.string_agg(pg_catalog.concat(g.privilege_type, CASE WHEN g.is_grantable THEN"                \
    " ' with grant option' END), ', ' ORDER BY g.privilege_type COLLATE pg_catalog.\"C\")"
#define GRANTEE                                                                                              \
    "CASE WHEN g.grantee" EQ                                                                                 \
    "0 THEN 'public' ELSE"                                                                                   \
    " pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END"

/* Kinds of objects: each with its name, its owner, its grants, and what they are unless any were given. */
#define HAVE " AS x (type, name, owner, grants, preset)"
#define PRESET(kind, owner) "pg_catalog.acldefault('" kind "', " owner ")"
#define RELATIONS                                                                                            \
    "SELECT CASE WHEN c.relkind" EQ "'S' THEN 'sequence' ELSE 'table' END, " RELATION_NAME                   \
    ", c.relowner, c.relacl, pg_catalog.acldefault(CASE WHEN c.relkind" EQ                                   \
    "'S' THEN 's'::pg_catalog.\"char\" ELSE 'r'::pg_catalog.\"char\" END, c.relowner)" FROM_RELATIONS        \
    " AND c.relkind" EQ "ANY ('{r,p,f,v,m,S}'::pg_catalog.\"char\"[])"
#define SCHEMAS                                                                                              \
    "SELECT 'schema', pg_catalog.quote_ident(n.nspname), n.nspowner, n.nspacl, " PRESET(                     \
        "n", "n.nspowner") " FROM pg_catalog.pg_namespace AS n WHERE " OF_PEOPLE                             \
                           " AND " OF_NO_EXTENSION("pg_namespace", "n.oid")
#define ROUTINES                                                                                             \
    "SELECT 'function', pg_catalog.concat(" WITHIN("n.nspname", "p.proname") ", '(',"                        \
    " pg_catalog.pg_get_function_identity_arguments(p.oid), ')'), p.proowner, p.proacl, "                    \
    PRESET("f", "p.proowner") " FROM pg_catalog.pg_proc AS p" FROM_SCHEMAS("p.pronamespace") NARROWED("p.oid", CATALOG_ROUTINES_WITHIN)                 \
    " AND " OF_ITS_OWN("pg_proc", "p.oid")
/* Neither the types of rows nor those of arrays. */
#define TYPES                                                                                                \
    "SELECT 'type', " WITHIN("n.nspname", "t.typname") ", t.typowner, t.typacl, " PRESET(                    \
        "T", "t.typowner") " FROM pg_catalog.pg_type AS t" FROM_SCHEMAS("t.typnamespace")                    \
        NARROWED("t.oid", CATALOG_TYPES_WITHIN) " AND " OF_NO_EXTENSION(                                     \
            "pg_type",                                                                                       \
            "t.oid") " WHERE t.typtype" EQ "ANY ('{e,d,r}'::pg_catalog.\"char\"[]) OR t.typtype" EQ          \
                     "'b' AND NOT EXISTS (SELECT FROM pg_catalog.pg_type AS e WHERE e.typarray" EQ           \
                     "t.oid) OR t.typtype" EQ                                                                \
                     "'c' AND EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid" EQ                   \
                     "t.typrelid AND c.relkind" EQ "'c')"
#define MADE_TYPE                                                                                            \
    "SELECT FROM (" MADE("pg_type") " AND (m.typtype" EQ                                                     \
                                    "ANY ('{e,d,r}'::pg_catalog.\"char\"[]) OR m.typtype" EQ                 \
                                    "'b' AND m.typarray" NE                                                  \
                                    "0)" OF_TYPES("oid") " UNION ALL " MADE_AS("pg_class", "relkind", "c")   \
                                        OF_RELATIONS("oid") ") AS m"
#define WRAPPERS                                                                                             \
    "SELECT 'foreign-data-wrapper', pg_catalog.quote_ident(w.fdwname), w.fdwowner, w.fdwacl, "               \
    PRESET("F", "w.fdwowner") " FROM pg_catalog.pg_foreign_data_wrapper AS w"                                \
    " WHERE " OF_NO_EXTENSION("pg_foreign_data_wrapper", "w.oid")
#define SERVERS                                                                                              \
    "SELECT 'server', pg_catalog.quote_ident(s.srvname), s.srvowner, s.srvacl, " PRESET(                     \
        "S",                                                                                                 \
        "s.srvowner") " FROM pg_catalog.pg_foreign_server AS s WHERE " OF_NO_EXTENSION("pg_foreign_server",  \
                                                                                       "s.oid")

/* Those that initdb made belong to it; what may be done with them is as much a fact. */
#define LANGUAGES                                                                                            \
    "SELECT 'language', pg_catalog.quote_ident(l.lanname), l.lanowner, l.lanacl, " PRESET(                   \
        "l", "l.lanowner") " FROM pg_catalog.pg_language AS l WHERE l.lanpltrusted"
/* A copy has another name. */
#define DATABASE                                                                                             \
    "SELECT 'database', NULL, d.datdba, d.datacl, " PRESET(                                                  \
        "d", "d.datdba") " FROM pg_catalog.pg_database AS d WHERE d.datname" EQ                              \
                         "pg_catalog.current_database()"
#define COLUMNS                                                                                              \
    "SELECT 'column', " PART_NAME("a.attname") ", c.relowner, a.attacl, " PRESET(                            \
        "c", "c.relowner") "" FROM_RELATIONS " JOIN pg_catalog.pg_attribute AS a ON a.attrelid" EQ           \
                           "c.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped"

#define ROLE(oid) "pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(" oid "))"
#define OWNERS(objects)                                                                                      \
    "SELECT 'owner', pg_catalog.concat(x.type, ' ', x.name), " ROLE("x.owner") " FROM (" objects ")" HAVE
/* What the owner may is no fact, unless some of it was taken away. */
#define GRANTS(objects)                                                                                      \
    "SELECT 'grant', pg_catalog.concat_ws(' ', x.type, x.name, 'to', " GRANTEE "), " PRIVILEGES              \
    " FROM (" objects ")" HAVE                                                                               \
    " CROSS JOIN LATERAL pg_catalog.aclexplode(COALESCE(x.grants, x.preset)) AS g"                           \
    " WHERE g.grantee" NE "x.owner GROUP BY x.type, x.name, g.grantee"
#define REVOKED(objects)                                                                                     \
    "SELECT 'revoked', pg_catalog.concat_ws(' ', x.type, x.name, 'from', " GRANTEE "), " PRIVILEGES          \
    " FROM (" objects ")" HAVE                                                                               \
    " CROSS JOIN LATERAL pg_catalog.aclexplode(x.preset) AS g"                                               \
    " WHERE x.grants IS NOT NULL AND g.grantee" EQ                                                           \
    "x.owner AND NOT EXISTS ("                                                                               \
    "  SELECT FROM pg_catalog.aclexplode(x.grants) AS h WHERE h.grantee" EQ                                  \
    "g.grantee AND h.privilege_type" EQ "g.privilege_type) GROUP BY x.type, x.name, g.grantee"

/* Of what can only be owned. */
#define OWNER(type, name, owner, catalog)                                                                    \
    "SELECT 'owner', pg_catalog.concat('" type " ', " name                                                   \
    "), " ROLE("o." owner) " FROM pg_catalog." catalog " AS o WHERE " OF_NO_EXTENSION(catalog, "o.oid")
#define OWNER_WITHIN(type, prefix, catalog)                                                                  \
    "SELECT 'owner', pg_catalog.concat('" type " ', " WITHIN("n.nspname", "o." prefix "name") "), " ROLE(    \
        "o." prefix                                                                                          \
        "owner") " FROM pg_catalog." catalog                                                                 \
                 " AS o" FROM_SCHEMAS("o." prefix "namespace") " WHERE " OF_NO_EXTENSION(catalog, "o.oid")
#define OWNER_OF_METHOD(type, prefix, catalog)                                                               \
    "SELECT 'owner', pg_catalog.concat('" type " ', " WITHIN("n.nspname", "o." prefix "name") ", ' using ',"  \
    " m.amname), " ROLE("o." prefix "owner") " FROM pg_catalog." catalog " AS o"                             \
    " JOIN pg_catalog.pg_am AS m ON m.oid" EQ "o." prefix "method" FROM_SCHEMAS("o." prefix "namespace")     \
    " WHERE " OF_NO_EXTENSION(catalog, "o.oid")

#define DEFAULT_GRANTS(condition)                                                                            \
    "SELECT 'default-grant', pg_catalog.concat(pg_catalog.quote_ident("                                      \
    "  pg_catalog.pg_get_userbyid(d.defaclrole)), ' ', d.defaclobjtype::pg_catalog.text, ' ',"               \
    "  CASE WHEN d.defaclnamespace" NE                                                                       \
    "0 THEN"                                                                                                 \
    "   d.defaclnamespace::pg_catalog.regnamespace::pg_catalog.text END, ' to ', CASE WHEN"                  \
    "  g.grantee IS NULL THEN 'nobody' ELSE " GRANTEE " END), COALESCE(" PRIVILEGES                          \
    ", '') FROM pg_catalog.pg_default_acl AS d"                                                              \
    " LEFT JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) AS g ON true WHERE " condition                    \
    " GROUP BY d.defaclrole, d.defaclobjtype, d.defaclnamespace, g.grantee"

#define COMMENTS(from, condition)                                                                            \
    "SELECT 'comment', pg_catalog.concat(i.type, ' ', i.identity), d.description"                            \
    " FROM " from                                                                                            \
    " CROSS JOIN LATERAL"                                                                                    \
    " pg_catalog.pg_identify_object(d.classoid, d.objoid, d.objsubid) AS i WHERE (" condition                \
    ")"                                                                                                      \
    " AND i.identity IS NOT NULL AND i.type" NE                                                              \
    "ALL ('{extension,\"large object\"}'::pg_catalog.text[])"                                                \
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS e WHERE e.classid" EQ "d.classoid AND e.objid" EQ  \
    "d.objoid AND e.deptype" EQ                                                                              \
    "'e')"                                                                                                   \
    " AND (i.schema IS NULL AND i.type" NE                                                                   \
    "'schema' OR EXISTS ("                                                                                   \
    "  SELECT FROM pg_catalog.pg_namespace AS n WHERE " OF_PEOPLE                                            \
    "   AND pg_catalog.quote_ident(n.nspname)" EQ "COALESCE(i.schema, i.identity)))"

#define ANY_COMMENT                                                                                          \
    "SELECT FROM (" MADE_BY("pg_description", "objoid") " UNION ALL"                                         \
    " SELECT FROM pg_catalog.pg_description AS m WHERE m.classoid" EQ                                        \
    "'pg_catalog.pg_namespace'::pg_catalog.regclass AND m.objoid" EQ                                         \
    "pg_catalog.to_regnamespace('public') AND m.description" NE "'standard public schema') AS m"

const struct catalog_query CATALOG_ACCESS[] = {
    { .sql = OWNERS(RELATIONS) },
    { .sql = OWNERS(SCHEMAS) },
    { .sql = OWNERS(ROUTINES), .if_any = MADE("pg_proc") OF_ROUTINES("oid") },
    { .sql = OWNERS(TYPES), .if_any = MADE_TYPE },
    { .sql = OWNERS(WRAPPERS), .scope = SCOPE_DATABASE, .if_any = MADE("pg_foreign_data_wrapper") },
    { .sql = OWNERS(SERVERS), .scope = SCOPE_DATABASE, .if_any = MADE("pg_foreign_server") },
    { .sql = OWNER("language", "pg_catalog.quote_ident(o.lanname)", "lanowner",
                   "pg_language") " AND o.oid OPERATOR(pg_catalog.>=) 16384",
      .scope = SCOPE_DATABASE,
      .if_any = MADE("pg_language") },
    { .sql = OWNER("publication", "pg_catalog.quote_ident(o.pubname)", "pubowner", "pg_publication"),
      .scope = SCOPE_DATABASE,
      .if_any = MADE("pg_publication") },
    { .sql = "SELECT 'owner', pg_catalog.concat('subscription ', pg_catalog.quote_ident(s.subname)), " ROLE(
          "s.subowner") " FROM pg_catalog.pg_subscription AS s WHERE s.subdbid" EQ "(SELECT d.oid"
                        " FROM pg_catalog.pg_database AS d WHERE d.datname" EQ
                        "pg_catalog.current_database())",
      .scope = SCOPE_DATABASE,
      .if_any = ANY_SUBSCRIPTION },
    { .sql = OWNER("event-trigger", "pg_catalog.quote_ident(o.evtname)", "evtowner", "pg_event_trigger"),
      .scope = SCOPE_DATABASE,
      .if_any = MADE("pg_event_trigger") },
    { .sql = OWNER_WITHIN("statistics", "stx", "pg_statistic_ext"),
      .if_any = MADE("pg_statistic_ext") OF_SCHEMA("stxnamespace") },
    { .sql = OWNER_WITHIN("collation", "coll", "pg_collation"),
      .if_any = MADE("pg_collation") OF_SCHEMA("collnamespace") },
    { .sql = OWNER_WITHIN("conversion", "con", "pg_conversion"),
      .if_any = MADE("pg_conversion") OF_SCHEMA("connamespace") },
    { .sql = OWNER_WITHIN("text-search-configuration", "cfg", "pg_ts_config"),
      .if_any = MADE("pg_ts_config") OF_SCHEMA("cfgnamespace") },
    { .sql = OWNER_WITHIN("text-search-dictionary", "dict", "pg_ts_dict"),
      .if_any = MADE("pg_ts_dict") OF_SCHEMA("dictnamespace") },
    { .sql = OWNER_OF_METHOD("operator-class", "opc", "pg_opclass"),
      .if_any = MADE("pg_opclass") OF_SCHEMA("opcnamespace") },
    { .sql = OWNER_OF_METHOD("operator-family", "opf", "pg_opfamily"),
      .if_any = MADE("pg_opfamily") OF_SCHEMA("opfnamespace") },
    { .sql =
          "SELECT 'owner', pg_catalog.concat('operator ', pg_catalog.quote_ident(n.nspname), '.',"
          " o.oprname, '(', pg_catalog.format_type(o.oprleft, NULL), ',',"
          " pg_catalog.format_type(o.oprright, NULL), ')'), " ROLE(
              "o.oprowner") " FROM pg_catalog.pg_operator AS o" FROM_SCHEMAS("o.oprnamespace") " WHERE o.oprcode" NE
                                                                                               "0 AND " OF_NO_EXTENSION(
                                                                                                   "pg_operator",
                                                                                                   "o.oid"),
      .if_any = MADE("pg_operator") OF_SCHEMA("oprnamespace") },
    { .sql = GRANTS(RELATIONS), .if_any = MADE("pg_class") " AND m.relacl IS NOT NULL" OF_RELATIONS("oid") },
    { .sql = GRANTS(COLUMNS), .since = 14, .if_any = ANY_COLUMN_GRANT_OR_COMPRESSION },
    { .sql = GRANTS(COLUMNS),
      .until = 13,
      .if_any = MADE_BY("pg_attribute", "attrelid") " AND m.attacl IS NOT NULL" OF_RELATIONS("attrelid") },
    { .sql = GRANTS(SCHEMAS) },
    { .sql = GRANTS(ROUTINES), .if_any = MADE("pg_proc") OF_ROUTINES("oid") },
    { .sql = GRANTS(TYPES), .if_any = MADE_TYPE },
    { .sql = GRANTS(WRAPPERS), .scope = SCOPE_DATABASE, .if_any = MADE("pg_foreign_data_wrapper") },
    { .sql = GRANTS(SERVERS), .scope = SCOPE_DATABASE, .if_any = MADE("pg_foreign_server") },
    { .sql = GRANTS(LANGUAGES), .scope = SCOPE_DATABASE },
    { .sql = GRANTS(DATABASE), .scope = SCOPE_DATABASE },
    { .sql = REVOKED(RELATIONS), .if_any = MADE("pg_class") " AND m.relacl IS NOT NULL" OF_RELATIONS("oid") },
    { .sql = REVOKED(SCHEMAS) },
    { .sql = REVOKED(ROUTINES), .if_any = MADE("pg_proc") " AND m.proacl IS NOT NULL" OF_ROUTINES("oid") },
    { .sql = REVOKED(TYPES), .if_any = MADE("pg_type") " AND m.typacl IS NOT NULL" OF_TYPES("oid") },
    { .sql = REVOKED(WRAPPERS), .scope = SCOPE_DATABASE, .if_any = MADE("pg_foreign_data_wrapper") },
    { .sql = REVOKED(SERVERS), .scope = SCOPE_DATABASE, .if_any = MADE("pg_foreign_server") },
    { .sql = REVOKED(LANGUAGES), .scope = SCOPE_DATABASE },
    { .sql = REVOKED(DATABASE), .scope = SCOPE_DATABASE },
    { .sql = DEFAULT_GRANTS("true"), .scope = SCOPE_DATABASE, .if_any = MADE("pg_default_acl") },
    { .sql = DEFAULT_GRANTS("d.defaclnamespace" EQ "ANY (" OIDS_OF(CATALOG_PEOPLE) ")"),
      .scope = SCOPE_SCHEMA,
      .if_any = MADE("pg_default_acl") OF_SCHEMA("defaclnamespace") },
    /* Objects that initdb made have smaller numbers; of them, people only describe this one. */
    { .sql = COMMENTS("pg_catalog.pg_description AS d",
                      "d.objoid OPERATOR(pg_catalog.>=) 16384 OR d.classoid" EQ
                      "'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.objoid" EQ
                      "pg_catalog.to_regnamespace('public') AND d.description" NE "'standard public schema'"),
      .scope = SCOPE_DATABASE,
      .if_any = ANY_COMMENT },
    { .sql =
          COMMENTS(CATALOG_WITHIN " JOIN pg_catalog.pg_description AS d ON d.classoid" EQ
                                  "w.class AND d.objoid" EQ "w.oid",
                   "d.objoid OPERATOR(pg_catalog.>=) 16384 OR d.description" NE "'standard public schema'"),
      .scope = SCOPE_SCHEMA,
      .if_any = ANY_COMMENT },
    /* The name of one that an extension has defined has a dot; its value may be a secret. */
    { .sql = "SELECT 'setting', pg_catalog.concat(pg_catalog.split_part(o, '=', 1), CASE WHEN"
             "  s.setrole" NE "0 THEN ' of '::pg_catalog.text OPERATOR(pg_catalog.||)"
             "  pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(s.setrole)) END), CASE WHEN"
             "  pg_catalog.strpos(pg_catalog.split_part(o, '=', 1), '.')" EQ
             "0 THEN pg_catalog.substr(o, pg_catalog.strpos(o, '=') OPERATOR(pg_catalog.+) 1) ELSE '' END"
             " FROM pg_catalog.pg_db_role_setting AS s"
             " CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS o WHERE s.setdatabase" EQ
             "(SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname" EQ
             "pg_catalog.current_database())",
      .scope = SCOPE_DATABASE,
      .if_any = "SELECT FROM pg_catalog.pg_db_role_setting AS m WHERE m.setdatabase" NE "0" },
    { .sql = NULL },
};
