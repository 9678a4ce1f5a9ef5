#include "schema/catalog_sql.h"

#define PRIVILEGES                                                                                           \
    "pg_catalog.string_agg(pg_catalog.concat(g.privilege_type, CASE WHEN g.is_grantable THEN"                \
    " ' with grant option' END), ', ' ORDER BY g.privilege_type COLLATE pg_catalog.\"C\")"
#define GRANTEE                                                                                              \
    "CASE WHEN g.grantee" EQ                                                                                 \
    "0 THEN 'public' ELSE"                                                                                   \
    " pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END"

/* `objects` returns a kind of object, its name, its owner, and its grants; none given means the default ones.
 * What the owner may is no fact. */
#define OWNERS(objects)                                                                                      \
    "SELECT 'owner', pg_catalog.concat(x.type, ' ', x.name),"                                                \
    " pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.owner))"                                           \
    " FROM (" objects ") AS x (type, name, owner, grants)"
#define GRANTS(objects)                                                                                      \
    "SELECT 'grant', pg_catalog.concat(x.type, ' ', x.name, ' to ', " GRANTEE "), " PRIVILEGES               \
    " FROM (" objects                                                                                        \
    ") AS x (type, name, owner, grants)"                                                                     \
    " CROSS JOIN LATERAL pg_catalog.aclexplode(x.grants) AS g WHERE g.grantee" NE                            \
    "x.owner"                                                                                                \
    " GROUP BY x.type, x.name, g.grantee"

#define RELATIONS                                                                                            \
    "SELECT CASE WHEN c.relkind" EQ "'S' THEN 'sequence' ELSE 'table' END, " RELATION_NAME                   \
    ", c.relowner,"                                                                                          \
    " COALESCE(c.relacl, pg_catalog.acldefault(CASE WHEN c.relkind" EQ                                       \
    "'S' THEN 's'::pg_catalog.\"char\" ELSE 'r'::pg_catalog.\"char\" END, c.relowner))" FROM_RELATIONS       \
    " AND c.relkind" EQ "ANY ('{r,p,f,v,m,S}'::pg_catalog.\"char\"[])"
#define COLUMNS                                                                                              \
    "SELECT 'column', " PART_NAME("a.attname") ", c.relowner, a.attacl" FROM_RELATIONS                       \
                                               " JOIN pg_catalog.pg_attribute AS a ON a.attrelid" EQ         \
                                               "c.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped"
#define SCHEMAS                                                                                              \
    "SELECT 'schema', pg_catalog.quote_ident(n.nspname), n.nspowner,"                                        \
    " COALESCE(n.nspacl, pg_catalog.acldefault('n', n.nspowner)) FROM pg_catalog.pg_namespace AS n"          \
    " WHERE " OF_PEOPLE " AND " OF_NO_EXTENSION("pg_namespace", "n.oid")
#define ROUTINES                                                                                             \
    "SELECT 'function', pg_catalog.concat(" WITHIN("n.nspname", "p.proname") ", '(',"                        \
    " pg_catalog.pg_get_function_identity_arguments(p.oid), ')'), p.proowner,"                               \
    " COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner)) FROM pg_catalog.pg_proc AS p"               \
    " JOIN pg_catalog.pg_namespace AS n ON n.oid" EQ "p.pronamespace AND " OF_PEOPLE                         \
    " AND " OF_ITS_OWN("pg_proc", "p.oid")
#define TYPES                                                                                                \
    "SELECT 'type', " WITHIN("n.nspname", "t.typname") ", t.typowner,"                                       \
    " COALESCE(t.typacl, pg_catalog.acldefault('T', t.typowner)) FROM pg_catalog.pg_type AS t"               \
    " JOIN pg_catalog.pg_namespace AS n ON n.oid" EQ "t.typnamespace AND " OF_PEOPLE                         \
    " AND " OF_NO_EXTENSION("pg_type", "t.oid")                                                              \
    " WHERE t.typtype" EQ "ANY ('{e,d,r}'::pg_catalog.\"char\"[])"

const struct catalog_query CATALOG_ACCESS[] = {
    { .sql = OWNERS(RELATIONS) },
    { .sql = OWNERS(SCHEMAS) },
    { .sql = OWNERS(ROUTINES) },
    { .sql = OWNERS(TYPES) },
    { .sql = GRANTS(RELATIONS) },
    { .sql = GRANTS(COLUMNS) },
    { .sql = GRANTS(SCHEMAS) },
    { .sql = GRANTS(ROUTINES) },
    { .sql = GRANTS(TYPES) },
    { .sql = "SELECT 'default-grant', pg_catalog.concat(pg_catalog.quote_ident("
             "  pg_catalog.pg_get_userbyid(d.defaclrole)), ' ', d.defaclobjtype::pg_catalog.text, ' ',"
             "  CASE WHEN d.defaclnamespace" NE "0 THEN"
             "   d.defaclnamespace::pg_catalog.regnamespace::pg_catalog.text END, ' to ', " GRANTEE
             "), " PRIVILEGES " FROM pg_catalog.pg_default_acl AS d"
             " CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) AS g"
             " GROUP BY d.defaclrole, d.defaclobjtype, d.defaclnamespace, g.grantee" },
    /* Objects that initdb made have smaller numbers. */
    { .sql = "SELECT 'comment', pg_catalog.concat(i.type, ' ', i.identity), d.description"
             " FROM pg_catalog.pg_description AS d CROSS JOIN LATERAL"
             " pg_catalog.pg_identify_object(d.classoid, d.objoid, d.objsubid) AS i"
             " WHERE d.objoid OPERATOR(pg_catalog.>=) 16384 AND i.identity IS NOT NULL AND i.type" NE
             "'extension'"
             " AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS e WHERE e.classid" EQ
             "d.classoid AND e.objid" EQ "d.objoid AND e.deptype" EQ "'e')"
             " AND (i.schema IS NULL AND i.type" NE "'schema' OR EXISTS ("
             "  SELECT FROM pg_catalog.pg_namespace AS n WHERE " OF_PEOPLE
             "   AND pg_catalog.quote_ident(n.nspname)" EQ "COALESCE(i.schema, i.identity)))" },
    /* Their values may be secrets. */
    { .sql = "SELECT 'setting', pg_catalog.concat(pg_catalog.split_part(o, '=', 1), CASE WHEN"
             "  s.setrole" NE "0 THEN ' of '::pg_catalog.text OPERATOR(pg_catalog.||)"
             "  pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(s.setrole)) END), ''"
             " FROM pg_catalog.pg_db_role_setting AS s"
             " CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS o WHERE s.setdatabase" EQ
             "(SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname" EQ
             "pg_catalog.current_database())" },
    { .sql = NULL },
};
