#include "schema/catalog_sql.h"

#define FROM_TYPES                                                                                           \
    " FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid" EQ                            \
    "t.typnamespace AND " OF_PEOPLE NARROWED("t.oid", CATALOG_TYPES_WITHIN) " AND " OF_NO_EXTENSION(         \
        "pg_type", "t.oid")

#define FROM_ROUTINES                                                                                        \
    " FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid" EQ                            \
    "p.pronamespace AND " OF_PEOPLE NARROWED("p.oid", CATALOG_ROUTINES_WITHIN) " AND " OF_ITS_OWN("pg_proc", \
                                                                                                  "p.oid")

#define ROUTINE_NAME                                                                                         \
    "pg_catalog.concat(" WITHIN("n.nspname", "p.proname") ", '(',"                                           \
    " pg_catalog.pg_get_function_identity_arguments(p.oid), ')')"

#define COLLATIONS(more)                                                                                     \
    "SELECT 'collation', " WITHIN("n.nspname", "k.collname") ", pg_catalog.concat_ws(' ',"                   \
    " k.collprovider::pg_catalog.text, k.collcollate, k.collctype" more ","                                  \
    " CASE WHEN NOT k.collisdeterministic THEN 'not deterministic' END)"                                     \
    " FROM pg_catalog.pg_collation AS k JOIN pg_catalog.pg_namespace AS n ON n.oid" EQ                       \
    "k.collnamespace AND " OF_PEOPLE " AND " OF_NO_EXTENSION("pg_collation", "k.oid")

#define SECURITY_LABELS(from)                                                                                \
    "SELECT 'security-label', pg_catalog.concat(s.provider, ' ', i.type, ' ', i.identity), s.label"          \
    " FROM " from                                                                                            \
    " CROSS JOIN LATERAL"                                                                                    \
    " pg_catalog.pg_identify_object(s.classoid, s.objoid, s.objsubid) AS i"

#define DEPENDENTS(from)                                                                                     \
    "SELECT 'depends', pg_catalog.concat(i.type, ' ', i.identity, ' on extension ',"                         \
    " pg_catalog.quote_ident(x.extname)), '' FROM " from " JOIN pg_catalog.pg_extension AS x ON x.oid" EQ    \
    "d.refobjid CROSS JOIN LATERAL"                                                                          \
    " pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) AS i WHERE d.deptype" EQ                 \
    "'x' AND d.refclassid" EQ "'pg_catalog.pg_extension'::pg_catalog.regclass"
#define ANY_DEPENDENT                                                                                        \
    "SELECT FROM pg_catalog.pg_depend AS m WHERE m.deptype" EQ "'x' AND m.refclassid" EQ                     \
    "'pg_catalog.pg_extension'::pg_catalog.regclass"

const struct catalog_query CATALOG_OBJECTS[] = {
    { .sql = "SELECT 'schema', pg_catalog.quote_ident(n.nspname), ''"
             " FROM pg_catalog.pg_namespace AS n WHERE " OF_PEOPLE
             " AND " OF_NO_EXTENSION("pg_namespace", "n.oid") },
    /* The text of a default is as its author wrote it; what it means is the same wherever it was written. */
    { .sql = "SELECT CASE WHEN t.typtype" EQ "'e' THEN 'enum' WHEN t.typtype" EQ "'d' THEN 'domain' ELSE 'range' END, " WITHIN(
          "n.nspname",
          "t.typname") ","
                       " pg_catalog.concat_ws('\n',"
                       " (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(l.enumlabel), ', '"
                       "   ORDER BY l.enumsortorder) FROM pg_catalog.pg_enum AS l WHERE l.enumtypid" EQ
                       "t.oid),"
                       " CASE WHEN t.typtype" EQ
                       "'d' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END,"
                       " (SELECT pg_catalog.concat('collate ', " WITHIN(
                           "m.nspname",
                           "k.collname") ")"
                                         "   FROM pg_catalog.pg_collation AS k JOIN pg_catalog.pg_namespace AS m ON m.oid" EQ
                                         "k.collnamespace JOIN pg_catalog.pg_type AS b ON b.oid" EQ
                                         "t.typbasetype"
                                         "   WHERE k.oid" EQ "t.typcollation AND k.oid" NE "b.typcollation),"
                                         " CASE WHEN t.typtype" EQ "'d' AND t.typnotnull THEN 'not null' END,"
                                         " 'default '::pg_catalog.text OPERATOR(pg_catalog.||)"
                                         "  COALESCE(pg_catalog.pg_get_expr(t.typdefaultbin, 0), t.typdefault),"
                                         " (SELECT pg_catalog.concat_ws(' ', pg_catalog.format_type(r.rngsubtype, NULL),"
                                         "   CASE WHEN r.rngcanonical" NE
                                         "0 THEN r.rngcanonical::pg_catalog.text END,"
                                         "   CASE WHEN r.rngsubdiff" NE
                                         "0 THEN r.rngsubdiff::pg_catalog.text END,"
                                         "   (SELECT pg_catalog.concat('operator class ', " WITHIN(
                                             "m.nspname",
                                             "o.opcname") ")"
                                                          "     FROM pg_catalog.pg_opclass AS o JOIN pg_catalog.pg_namespace AS m ON m.oid" EQ
                                                          "o.opcnamespace WHERE o.oid" EQ
                                                          "r.rngsubopc AND NOT o.opcdefault),"
                                                          "   (SELECT pg_catalog.concat('collate ', " WITHIN(
                                                              "m.nspname",
                                                              "k.collname") ")"
                                                                            "     FROM pg_catalog.pg_collation AS k JOIN pg_catalog.pg_namespace AS m ON m.oid" EQ
                                                                            "k.collnamespace JOIN pg_catalog.pg_type AS b ON b.oid" EQ
                                                                            "r.rngsubtype"
                                                                            "     WHERE k.oid" EQ
                                                                            "r.rngcollation AND k.oid" NE
                                                                            "b.typcollation))"
                                                                            "   FROM pg_catalog.pg_range AS r WHERE r.rngtypid" EQ
                                                                            "t.oid))" FROM_TYPES
                                                                            " WHERE t.typtype" EQ
                                                                            "ANY ('{e,d,r}'::pg_catalog.\"char\"[])",
      .if_any = MADE_AS("pg_type", "typtype", "e,d,r") OF_TYPES("oid") },
    { .sql = "SELECT 'multirange', pg_catalog.format_type(r.rngmultitypid, NULL),"
             " pg_catalog.concat('of ', " WITHIN(
                 "n.nspname", "t.typname") ")" FROM_TYPES " JOIN pg_catalog.pg_range AS r ON r.rngtypid" EQ
                                           "t.oid",
      .since = 14,
      .if_any = MADE_BY("pg_range", "rngtypid") OF_TYPES("rngtypid") },
    { .sql = "SELECT 'composite', " RELATION_NAME ", (SELECT pg_catalog.string_agg("
             "  pg_catalog.concat(pg_catalog.quote_ident(a.attname), ' ',"
             "   pg_catalog.format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)"
             "  FROM pg_catalog.pg_attribute AS a WHERE a.attrelid" EQ
             "c.oid AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped)" FROM_RELATIONS
             " AND c.relkind" EQ "'c'",
      .if_any = MADE_AS("pg_class", "relkind", "c") OF_RELATIONS("oid") },
    { .sql = "SELECT CASE WHEN p.prokind" EQ "'p' THEN 'procedure' ELSE 'function' END,"
             " " ROUTINE_NAME ", pg_catalog.rtrim(pg_catalog.pg_get_functiondef(p.oid), '\n')" FROM_ROUTINES
             " WHERE p.prokind" NE "'a'",
      .takes_locks = true,
      .if_any = MADE("pg_proc") OF_ROUTINES("oid") },
    { .sql =
          "SELECT 'extension', pg_catalog.quote_ident(x.extname), pg_catalog.concat("
          " x.extversion, ' in ', pg_catalog.quote_ident(m.nspname))"
          " FROM pg_catalog.pg_extension AS x JOIN pg_catalog.pg_namespace AS m ON m.oid" EQ "x.extnamespace",
      .scope = SCOPE_DATABASE },
    { .sql = "SELECT 'event-trigger', pg_catalog.quote_ident(t.evtname), pg_catalog.concat_ws(' ',"
             " t.evtevent, t.evtenabled::pg_catalog.text, t.evtfoid::pg_catalog.regproc,"
             " (SELECT pg_catalog.string_agg(g, ', ' ORDER BY g COLLATE pg_catalog.\"C\")"
             "  FROM pg_catalog.unnest(t.evttags) AS g)) FROM pg_catalog.pg_event_trigger AS t"
             " WHERE " OF_NO_EXTENSION("pg_event_trigger", "t.oid"),
      .scope = SCOPE_DATABASE,
      .if_any = MADE("pg_event_trigger") },
    { .sql = COLLATIONS(""), .until = 14, .if_any = MADE("pg_collation") OF_SCHEMA("collnamespace") },
    { .sql = COLLATIONS(", k.colliculocale"),
      .since = 15,
      .until = 15,
      .if_any = MADE("pg_collation") OF_SCHEMA("collnamespace") },
    { .sql = COLLATIONS(", k.colliculocale, k.collicurules"),
      .since = 16,
      .until = 16,
      .if_any = MADE("pg_collation") OF_SCHEMA("collnamespace") },
    { .sql = COLLATIONS(", k.colllocale, k.collicurules"),
      .since = 17,
      .if_any = MADE("pg_collation") OF_SCHEMA("collnamespace") },
    { .sql = SECURITY_LABELS("pg_catalog.pg_seclabel AS s"),
      .scope = SCOPE_DATABASE,
      .if_any = "SELECT FROM pg_catalog.pg_seclabel AS m" },
    { .sql = SECURITY_LABELS(CATALOG_WITHIN " JOIN pg_catalog.pg_seclabel AS s ON s.classoid" EQ
                                            "w.class AND s.objoid" EQ "w.oid"),
      .scope = SCOPE_SCHEMA,
      .if_any = "SELECT FROM pg_catalog.pg_seclabel AS m" },
    { .sql = DEPENDENTS("pg_catalog.pg_depend AS d"), .scope = SCOPE_DATABASE, .if_any = ANY_DEPENDENT },
    { .sql = DEPENDENTS(CATALOG_WITHIN " JOIN pg_catalog.pg_depend AS d ON d.classid" EQ
                                       "w.class AND d.objid" EQ "w.oid"),
      .scope = SCOPE_SCHEMA,
      .if_any = ANY_DEPENDENT },
    { .sql = NULL },
};
