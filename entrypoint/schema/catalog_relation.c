#include "schema/catalog_sql.h"

/* Most have none of what is asked for below, which the server finds out faster from the row itself. */
#define IF(condition, what) "CASE WHEN " condition " THEN " what " END"

/* Options of a relation, index or column, in a fixed order. Some versions keep one of their own in a column's
 * (pg_attver), which says nothing. */
#define OPTIONS(options)                                                                                              \
    IF(options " IS NOT NULL",                                                                                        \
       "(SELECT pg_catalog.concat('with (', pg_catalog.string_agg(o, ', ' ORDER BY o COLLATE pg_catalog.\"C\"), ')')" \
       " FROM pg_catalog.unnest(" options                                                                             \
       ") AS o WHERE o OPERATOR(pg_catalog.!~) '^pg_attver='"                                                         \
       " HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0)")

#define TABLESPACE(relation)                                                                                 \
    IF(relation ".reltablespace" NE "0",                                                                     \
       "(SELECT pg_catalog.concat('tablespace ', pg_catalog.quote_ident(s.spcname))"                         \
       " FROM pg_catalog.pg_tablespace AS s WHERE s.oid" EQ relation ".reltablespace)")

#define ONE_OF(kinds) " AND c.relkind" EQ "ANY ('{" kinds "}'::pg_catalog.\"char\"[])"

#define STORED                                                                                               \
    " CASE WHEN c.relpersistence" EQ "'u' THEN 'unlogged' END,"                                              \
    " (SELECT pg_catalog.concat('clustered on ', pg_catalog.quote_ident(x.relname)) FROM pg_catalog.pg_index AS i"                   \
    "   JOIN pg_catalog.pg_class AS x ON x.oid" EQ "i.indexrelid"                                            \
    "   WHERE i.indrelid" EQ "c.oid AND i.indisclustered),"                                                  \
    " (SELECT pg_catalog.concat('access method ', pg_catalog.quote_ident(m.amname)) FROM pg_catalog.pg_am AS m"                      \
    "   WHERE m.oid" EQ "c.relam AND m.amname" NE "'heap'),"                                                 \
    " " TABLESPACE("c") ","                                                                                  \
    " " OPTIONS("c.reloptions") ","                                                                          \
    " (SELECT pg_catalog.concat('toast ', " OPTIONS("o.reloptions") ") FROM pg_catalog.pg_class AS o"        \
    "   WHERE o.oid" EQ "c.reltoastrelid AND o.reloptions IS NOT NULL)"

#define PARENTS                                                                                              \
    " (SELECT pg_catalog.concat(CASE WHEN c.relispartition THEN 'partition of ' ELSE"                        \
    "   'inherits ' END, pg_catalog.string_agg(i.inhparent::pg_catalog.regclass::pg_catalog.text,"           \
    "   ', ' ORDER BY i.inhseqno)) FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid" EQ                     \
    "c.oid HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0),"                                            \
    " CASE WHEN c.relispartition THEN pg_catalog.pg_get_expr(c.relpartbound, c.oid) END"

#define COLUMN_NAMES                                                                                         \
    " (SELECT pg_catalog.concat('columns ', pg_catalog.string_agg("                                          \
    "    pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum))"                                        \
    "    FROM pg_catalog.pg_attribute AS a WHERE a.attrelid" EQ                                              \
    "c.oid AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped)"

/* a is a column of c, t its type, d its default. */
#define FROM_COLUMNS                                                                                         \
    " JOIN pg_catalog.pg_attribute AS a ON a.attrelid" EQ                                                    \
    "c.oid AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped"                                     \
    " JOIN pg_catalog.pg_type AS t ON t.oid" EQ                                                              \
    "a.atttypid"                                                                                             \
    " LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid" EQ "a.attrelid AND d.adnum" EQ "a.attnum"
#define COLUMN_TRAITS                                                                                        \
    "CASE WHEN a.attstorage" NE "t.typstorage THEN"                                                          \
    "  pg_catalog.concat('storage ', a.attstorage::pg_catalog.text) END,"                                    \
    " CASE WHEN COALESCE(a.attstattarget, -1) OPERATOR(pg_catalog.>=) 0 THEN"                                \
    "  pg_catalog.concat('statistics ', a.attstattarget) END,"                                               \
    " " OPTIONS("a.attoptions") ","                              \
    " " IF("a.attfdwoptions IS NOT NULL", FOREIGN_OPTIONS("a.attfdwoptions"))

/* What ALTER INDEX has set: of the index x. */
#define INDEX_TRAITS                                                                                         \
    " " TABLESPACE("x") ","                                                                                  \
    " (SELECT pg_catalog.string_agg(pg_catalog.concat('statistics ', a.attnum, ' ', a.attstattarget), '\n'"  \
    "   ORDER BY a.attnum) FROM pg_catalog.pg_attribute AS a WHERE a.attrelid" EQ                            \
    "x.oid AND COALESCE(a.attstattarget, -1) OPERATOR(pg_catalog.>=) 0)"

/* A foreign key to a partitioned table has copies for the partitions, which are numbered as they came. */
#define IS_COPY                                                                                              \
    "(k.conparentid" NE "0 AND EXISTS (SELECT FROM pg_catalog.pg_constraint AS p WHERE p.oid" EQ             \
    "k.conparentid AND p.conrelid" EQ "k.conrelid))"

/* Most names of NOT NULL are made up, and PostgreSQL 17 and older have none. */
#define IS_NAMED                                                                                             \
    "(k.contype" EQ                                                                                          \
    "'n' AND (NOT k.convalidated OR k.connoinherit OR k.conname"                                             \
    " OPERATOR(pg_catalog.!~) '_not_null[0-9]*$'))"

const struct catalog_query CATALOG_RELATIONS[] = {
    { .sql = "SELECT 'table', " RELATION_NAME ", pg_catalog.concat_ws('\n',"
             " CASE WHEN c.relrowsecurity THEN 'row level security' END,"
             " CASE WHEN c.relforcerowsecurity THEN 'row level security for the owner, too' END,"
             " CASE WHEN c.relreplident" NE "'d' THEN"
             "  pg_catalog.concat('replica identity ', c.relreplident::pg_catalog.text,"
             "   (SELECT ' '::pg_catalog.text OPERATOR(pg_catalog.||) pg_catalog.quote_ident(x.relname)"
             "      FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS x ON x.oid" EQ
             "i.indexrelid WHERE i.indrelid" EQ "c.oid AND i.indisreplident)) END," STORED ","
             " CASE WHEN c.reloftype" NE "0 THEN"
             "  pg_catalog.concat('of ', pg_catalog.format_type(c.reloftype, NULL)) END,"
             " CASE WHEN c.relkind" EQ "'p' THEN"
             "  pg_catalog.concat('partition by ', pg_catalog.pg_get_partkeydef(c.oid)) END," PARENTS
             "," COLUMN_NAMES ")" FROM_RELATIONS ONE_OF("r,p") },
    { .sql = "SELECT 'foreign-table', " RELATION_NAME ", pg_catalog.concat_ws('\n',"
             " pg_catalog.concat('server ', pg_catalog.quote_ident(s.srvname)),"
             " " FOREIGN_OPTIONS(
                 "f.ftoptions") "," PARENTS "," COLUMN_NAMES ")" FROM_RELATIONS
                                " JOIN pg_catalog.pg_foreign_table AS f ON f.ftrelid" EQ "c.oid"
                                " JOIN pg_catalog.pg_foreign_server AS s ON s.oid" EQ "f.ftserver",
      .if_any = MADE("pg_foreign_server") },
    { .sql =
          "SELECT CASE WHEN c.relkind" EQ "'v' THEN 'view' ELSE 'materialized-view' END, " RELATION_NAME ","
          " pg_catalog.concat_ws('\n'," STORED "," COLUMN_NAMES
          ", pg_catalog.pg_get_viewdef(c.oid))" FROM_RELATIONS ONE_OF("v,m"),
      .takes_locks = true,
      .if_any = MADE_AS("pg_class", "relkind", "v,m") OF_RELATIONS("oid") },
    { .sql = "SELECT 'detach-pending', " RELATION_NAME ", ''" FROM_RELATIONS
             " JOIN pg_catalog.pg_inherits AS i ON i.inhrelid" EQ "c.oid AND i.inhdetachpending",
      .since = 14,
      .if_any = "SELECT FROM pg_catalog.pg_inherits AS m WHERE m.inhdetachpending" OF_RELATIONS("inhrelid") },
    /* The expression, which may be anything, stands last. */
    { .sql = "SELECT 'column', " PART_NAME(
          "a.attname") ", pg_catalog.concat_ws(' ',"
                       " pg_catalog.format_type(a.atttypid, a.atttypmod),"
                       " CASE WHEN a.attcollation" NE "t.typcollation THEN (SELECT"
                       "  pg_catalog.concat('collate ', " WITHIN(
                           "m.nspname",
                           "k.collname") ")"
                                         "   FROM pg_catalog.pg_collation AS k JOIN pg_catalog.pg_namespace AS m ON m.oid" EQ
                                         "k.collnamespace WHERE k.oid" EQ "a.attcollation) END,"
                                         " CASE WHEN a.attnotnull THEN 'not null' END,"
                                         " CASE WHEN a.attidentity" EQ
                                         "'a' THEN 'generated always as identity'"
                                         "      WHEN a.attidentity" EQ
                                         "'d' THEN 'generated by default as identity' END, " COLUMN_TRAITS
                                         ", CASE WHEN a.attgenerated" EQ
                                         "'s' THEN 'stored' WHEN a.attgenerated" EQ
                                         "'v' THEN 'virtual' WHEN d.oid IS NOT NULL THEN 'default' END,"
                                         " pg_catalog.pg_get_expr(d.adbin, d.adrelid))" FROM_RELATIONS ONE_OF(
                                             "r,p,f,c") FROM_COLUMNS },
    /* The query of a view tells the rest. */
    { .sql = "SELECT 'view-column', v.name, v.definition FROM (SELECT " PART_NAME(
          "a.attname") ","
                       " pg_catalog.concat_ws(' ', " COLUMN_TRAITS ","
                       " 'default '::pg_catalog.text OPERATOR(pg_catalog.||)"
                       "  pg_catalog.pg_get_expr(d.adbin, d.adrelid))" FROM_RELATIONS ONE_OF("v,m")
                           FROM_COLUMNS ") AS v (name, definition) WHERE v.definition" NE "''",
      .if_any = MADE_AS("pg_class", "relkind", "v,m") OF_RELATIONS("oid") },
    /* An index has that of the moment in which it was created, which says nothing. */
    { .sql =
          "SELECT 'compression', " PART_NAME("a.attname") ", a.attcompression::pg_catalog.text" FROM_RELATIONS
              ONE_OF("r,p,f,m") " JOIN pg_catalog.pg_attribute AS a ON a.attrelid" EQ
                                "c.oid AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped"
                                " AND a.attcompression" NE "''",
      .since = 14,
      .if_any = ANY_COLUMN_GRANT_OR_COMPRESSION },
    { .sql = "SELECT 'constraint', " PART_NAME(
          "k.conname") ", pg_catalog.concat_ws('\n',"
                       " pg_catalog.pg_get_constraintdef(k.oid),"
                       " " IF(
                           "k.contype" EQ "'f' OR k.condeferrable",
                           "(SELECT pg_catalog.string_agg(DISTINCT pg_catalog.concat('triggers enabled ', t.tgenabled::pg_catalog.text), '\n')"
                           "   FROM pg_catalog.pg_trigger AS t WHERE t.tgconstraint" EQ
                           "k.oid AND t.tgenabled" NE
                           "'O')") ","
                                   " " OPTIONS(
                                       "x.reloptions") "," INDEX_TRAITS ")" FROM_RELATIONS
                                                       " JOIN pg_catalog.pg_constraint AS k ON k.conrelid" EQ
                                                       "c.oid AND (k.contype" EQ
                                                       "ANY ('{c,f,p,u,x}'::pg_catalog.\"char\"[]) OR " IS_NAMED
                                                       ") AND NOT " IS_COPY
                                                       " LEFT JOIN pg_catalog.pg_class AS x ON x.oid" EQ
                                                       "k.conindid AND k.contype" NE "'f'" },
    { .sql = "SELECT 'constraint', pg_catalog.concat(" WITHIN(
          "n.nspname",
          "t.typname") ","
                       "  '.', pg_catalog.quote_ident(k.conname)), pg_catalog.pg_get_constraintdef(k.oid)"
                       " FROM pg_catalog.pg_constraint AS k JOIN pg_catalog.pg_type AS t ON t.oid" EQ
                       "k.contypid"
                       " JOIN pg_catalog.pg_namespace AS n ON n.oid" EQ "t.typnamespace AND " OF_PEOPLE
                           NARROWED("t.oid", CATALOG_TYPES_WITHIN) " AND " OF_NO_EXTENSION(
                               "pg_type", "t.oid") " WHERE k.contype" EQ "'c' OR " IS_NAMED,
      .if_any = MADE("pg_constraint") " AND m.contypid" NE "0" OF_TYPES("contypid") },
    /* Those of a constraint are facts of that. */
    { .sql = "SELECT 'index', " WITHIN(
          "n.nspname",
          "x.relname") ", pg_catalog.concat_ws('\n',"
                       " pg_catalog.pg_get_indexdef(i.indexrelid),"
                       " CASE WHEN NOT i.indisvalid THEN 'invalid' END,"
                       " (SELECT pg_catalog.concat('partition of ', h.inhparent::pg_catalog.regclass)"
                       "   FROM pg_catalog.pg_inherits AS h WHERE h.inhrelid" EQ "x.oid)," INDEX_TRAITS
                       ")" FROM_RELATIONS " JOIN pg_catalog.pg_index AS i ON i.indrelid" EQ "c.oid"
                       " JOIN pg_catalog.pg_class AS x ON x.oid" EQ "i.indexrelid"
                       " WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conrelid" EQ
                       "i.indrelid AND k.conindid" EQ "i.indexrelid AND k.contype" EQ
                       "ANY ('{p,u,x}'::pg_catalog.\"char\"[]))" ONE_OF("r,p,m") },
    { .sql = "SELECT 'sequence', " RELATION_NAME ", pg_catalog.concat_ws('\n',"
             " pg_catalog.concat('as ', pg_catalog.format_type(s.seqtypid, NULL), ' start ', s.seqstart,"
             "  ' increment ', s.seqincrement, ' minvalue ', s.seqmin, ' maxvalue ', s.seqmax,"
             "  ' cache ', s.seqcache, CASE WHEN s.seqcycle THEN ' cycle' END),"
             " CASE WHEN c.relpersistence" EQ "'u' AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d"
             "   WHERE d.classid" EQ "'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid" EQ
             "c.oid AND d.deptype" EQ "ANY ('{a,i}'::pg_catalog.\"char\"[])) THEN 'unlogged' END,"
             " (SELECT pg_catalog.concat(CASE WHEN d.deptype" EQ
             "'i' THEN 'identity of ' ELSE 'owned by ' END, d.refobjid::pg_catalog.regclass, '.',"
             "   pg_catalog.quote_ident(a.attname)) FROM pg_catalog.pg_depend AS d"
             "   JOIN pg_catalog.pg_attribute AS a ON a.attrelid" EQ "d.refobjid AND a.attnum" EQ
             "d.refobjsubid WHERE d.classid" EQ "'pg_catalog.pg_class'::pg_catalog.regclass"
             "   AND d.objid" EQ "c.oid AND d.deptype" EQ
             "ANY ('{a,i}'::pg_catalog.\"char\"[]) AND d.refclassid" EQ
             "'pg_catalog.pg_class'::pg_catalog.regclass))" FROM_RELATIONS
             " JOIN pg_catalog.pg_sequence AS s ON s.seqrelid" EQ "c.oid",
      .if_any = MADE_BY("pg_sequence", "seqrelid") OF_RELATIONS("seqrelid") },
    { .sql = "SELECT 'trigger', " PART_NAME(
          "t.tgname") ", pg_catalog.concat_ws('\n',"
                      " pg_catalog.pg_get_triggerdef(t.oid), CASE WHEN t.tgenabled" NE "'O' THEN"
                      "  pg_catalog.concat('enabled ', t.tgenabled::pg_catalog.text) END)" FROM_RELATIONS
                      " JOIN pg_catalog.pg_trigger AS t ON t.tgrelid" EQ "c.oid AND NOT t.tgisinternal"
                      " AND t.tgparentid" EQ "0",
      .if_any = MADE("pg_trigger") " AND NOT m.tgisinternal" OF_RELATIONS("tgrelid") },
    /* A partition's follow from its parent's, but for this. Up to 14 they are internal. */
    { .sql = "SELECT 'trigger', " PART_NAME(
          "t.tgname") ","
                      " pg_catalog.concat('enabled ', t.tgenabled::pg_catalog.text)" FROM_RELATIONS
                      " JOIN pg_catalog.pg_trigger AS t ON t.tgrelid" EQ "c.oid AND t.tgconstrrelid" EQ
                      "0 AND t.tgconstrindid" EQ "0 JOIN pg_catalog.pg_trigger AS p ON p.oid" EQ
                      "t.tgparentid AND p.tgenabled" NE "t.tgenabled",
      .if_any = MADE("pg_trigger") " AND m.tgparentid" NE "0" OF_RELATIONS("tgrelid") },
    { .sql = "SELECT 'rule', " PART_NAME(
          "w.rulename") ", pg_catalog.concat_ws('\n',"
                        " pg_catalog.pg_get_ruledef(w.oid), CASE WHEN w.ev_enabled" NE "'O' THEN"
                        "  pg_catalog.concat('enabled ', w.ev_enabled::pg_catalog.text) END)" FROM_RELATIONS
                        " JOIN pg_catalog.pg_rewrite AS w ON w.ev_class" EQ "c.oid AND (w.rulename" NE
                        "'_RETURN' OR w.ev_enabled" NE "'O')",
      .takes_locks = true,
      .if_any = MADE("pg_rewrite") " AND (m.rulename" NE "'_RETURN' OR m.ev_enabled" NE
                                   "'O')" OF_RELATIONS("ev_class") },
    { .sql = "SELECT 'policy', " PART_NAME(
          "p.polname") ", pg_catalog.concat_ws('\n',"
                       " pg_catalog.concat(CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,"
                       "  ' for ', p.polcmd::pg_catalog.text, ' to ', (SELECT pg_catalog.string_agg("
                       "   CASE WHEN r" EQ "0 THEN 'public' ELSE"
                       "    pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(r)) END, ', ' ORDER BY CASE WHEN r" EQ
                       "0 THEN '' ELSE pg_catalog.pg_get_userbyid(r)::pg_catalog.text END"
                       "   COLLATE pg_catalog.\"C\") FROM pg_catalog.unnest(p.polroles) AS r)),"
                       " 'using '::pg_catalog.text OPERATOR(pg_catalog.||)"
                       "  pg_catalog.pg_get_expr(p.polqual, p.polrelid),"
                       " 'with check '::pg_catalog.text OPERATOR(pg_catalog.||)"
                       "  pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))" FROM_RELATIONS
                       " JOIN pg_catalog.pg_policy AS p ON p.polrelid" EQ "c.oid",
      .takes_locks = true,
      .if_any = MADE("pg_policy") OF_RELATIONS("polrelid") },
    { .sql = "SELECT 'statistics', " WITHIN(
          "n.nspname",
          "s.stxname") ", pg_catalog.concat_ws('\n',"
                       " pg_catalog.pg_get_statisticsobjdef(s.oid), CASE WHEN COALESCE(s.stxstattarget, -1)"
                       "  OPERATOR(pg_catalog.>=) 0 THEN pg_catalog.concat('statistics ', s.stxstattarget) END)"
                       " FROM pg_catalog.pg_statistic_ext AS s"
                       " JOIN pg_catalog.pg_namespace AS n ON n.oid" EQ "s.stxnamespace AND " OF_PEOPLE,
      .if_any = MADE("pg_statistic_ext") OF_SCHEMA("stxnamespace") },
    { .sql = NULL },
};
