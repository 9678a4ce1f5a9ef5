#include "schema/catalog_sql.h"

#define KIND                                                                                                 \
    "CASE WHEN c.relkind" EQ "'v' THEN 'view' WHEN c.relkind" EQ                                             \
    "'m' THEN 'materialized-view' WHEN"                                                                      \
    " c.relkind" EQ "'f' THEN 'foreign-table' ELSE 'table' END"

#define IS_TABLE " AND c.relkind" EQ "ANY ('{r,p,f,v,m}'::pg_catalog.\"char\"[])"

/* Options of a relation, index or column, in a fixed order. Some versions keep one of their own in a column's
 * (pg_attver), which says nothing. */
#define OPTIONS(options)                                                                                           \
    "(SELECT pg_catalog.concat('with (', pg_catalog.string_agg(o, ', ' ORDER BY o COLLATE pg_catalog.\"C\"), ')')" \
    " FROM pg_catalog.unnest(" options                                                                             \
    ") AS o WHERE o OPERATOR(pg_catalog.!~) '^pg_attver='"                                                         \
    " HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0)"

const struct catalog_query CATALOG_RELATIONS[] = {
    { .query = { .name = "facts_relations",
                 .sql =
                     "SELECT " KIND ", " RELATION_NAME ", pg_catalog.concat_ws('\n',"
                     " CASE WHEN c.relpersistence" EQ "'u' THEN 'unlogged' END,"
                     " CASE WHEN c.relrowsecurity THEN 'row level security' END,"
                     " CASE WHEN c.relforcerowsecurity THEN 'row level security for the owner, too' END,"
                     " CASE WHEN c.relreplident" NE "'d' AND c.relkind" EQ
                     "ANY ('{r,p}'::pg_catalog.\"char\"[]) THEN"
                     "  pg_catalog.concat('replica identity ', c.relreplident::pg_catalog.text,"
                     "   (SELECT ' '::pg_catalog.text OPERATOR(pg_catalog.||) x.relname::pg_catalog.text"
                     "      FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS x ON x.oid" EQ
                     "i.indexrelid WHERE i.indrelid" EQ "c.oid AND i.indisreplident)) END,"
                     " (SELECT pg_catalog.concat('clustered on ', x.relname) FROM pg_catalog.pg_index AS i"
                     "   JOIN pg_catalog.pg_class AS x ON x.oid" EQ "i.indexrelid"
                     "   WHERE i.indrelid" EQ "c.oid AND i.indisclustered),"
                     " (SELECT pg_catalog.concat('access method ', m.amname) FROM pg_catalog.pg_am AS m"
                     "   WHERE m.oid" EQ "c.relam AND m.amname" NE "'heap'),"
                     " (SELECT pg_catalog.concat('server ', s.srvname)"
                     "    FROM pg_catalog.pg_foreign_table AS f JOIN pg_catalog.pg_foreign_server AS s ON s.oid" EQ
                     "f.ftserver WHERE f.ftrelid" EQ "c.oid),"
                     " CASE WHEN c.reloftype" NE "0 THEN"
                     "  pg_catalog.concat('of ', pg_catalog.format_type(c.reloftype, NULL)) END,"
                     " " OPTIONS(
                         "c.reloptions") ","
                                         " CASE WHEN c.relkind" EQ "'p' THEN"
                                         "  pg_catalog.concat('partition by ', pg_catalog.pg_get_partkeydef(c.oid)) END,"
                                         " (SELECT pg_catalog.concat(CASE WHEN c.relispartition THEN 'partition of ' ELSE"
                                         "   'inherits ' END, pg_catalog.string_agg(i.inhparent::pg_catalog.regclass::pg_catalog.text,"
                                         "   ', ' ORDER BY i.inhseqno)) FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid" EQ
                                         "c.oid HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0),"
                                         " CASE WHEN c.relispartition THEN pg_catalog.pg_get_expr(c.relpartbound, c.oid) END,"
                                         " (SELECT pg_catalog.concat('columns ', pg_catalog.string_agg("
                                         "    pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum))"
                                         "    FROM pg_catalog.pg_attribute AS a WHERE a.attrelid" EQ
                                         "c.oid AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped),"
                                         " CASE WHEN c.relkind" EQ "ANY ('{v,m}'::pg_catalog.\"char\"[]) THEN"
                                         "  pg_catalog.pg_get_viewdef(c.oid) END)" FROM_RELATIONS
                                             IS_TABLE } },
    { .query = { .name = "facts_columns",
                 .sql = "SELECT 'column', " PART_NAME(
                     "a.attname") ", pg_catalog.concat_ws(' ',"
                                  " pg_catalog.format_type(a.atttypid, a.atttypmod),"
                                  " CASE WHEN a.attcollation" NE "t.typcollation THEN (SELECT"
                                  "  pg_catalog.concat('collate ', pg_catalog.quote_ident(m.nspname), '.',"
                                  "   pg_catalog.quote_ident(k.collname)) FROM pg_catalog.pg_collation AS k"
                                  "   JOIN pg_catalog.pg_namespace AS m ON m.oid" EQ
                                  "k.collnamespace WHERE k.oid" EQ "a.attcollation) END,"
                                  " CASE WHEN a.attnotnull THEN 'not null' END,"
                                  " CASE WHEN a.attidentity" EQ "'a' THEN 'generated always as identity'"
                                  "      WHEN a.attidentity" EQ
                                  "'d' THEN 'generated by default as identity' END,"
                                  " CASE WHEN a.attgenerated" EQ "'s' THEN 'stored' WHEN a.attgenerated" EQ
                                  "'v' THEN 'virtual' WHEN d.oid IS NOT NULL THEN 'default' END,"
                                  " pg_catalog.pg_get_expr(d.adbin, d.adrelid),"
                                  " CASE WHEN a.attstorage" NE "t.typstorage THEN"
                                  "  pg_catalog.concat('storage ', a.attstorage::pg_catalog.text) END,"
                                  " CASE WHEN COALESCE(a.attstattarget, -1) OPERATOR(pg_catalog.>=) 0 THEN"
                                  "  pg_catalog.concat('statistics ', a.attstattarget) END,"
                                  " CASE WHEN a.attoptions IS NOT NULL THEN " OPTIONS(
                                      "a.attoptions") " END)" FROM_RELATIONS " AND c.relkind" EQ
                                                      "ANY ('{r,p,f,c}'::pg_catalog.\"char\"[])"
                                                      " JOIN pg_catalog.pg_attribute AS a ON a.attrelid" EQ
                                                      "c.oid AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped"
                                                      " JOIN pg_catalog.pg_type AS t ON t.oid" EQ "a.atttypid"
                                                      " LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid" EQ
                                                      "a.attrelid AND d.adnum" EQ "a.attnum" } },
    { .query = { .name = "facts_compression",
                 .sql = "SELECT 'compression', " PART_NAME(
                     "a.attname") ", a.attcompression::pg_catalog.text" FROM_RELATIONS
                                  " JOIN pg_catalog.pg_attribute AS a ON a.attrelid" EQ
                                  "c.oid AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped"
                                  " AND a.attcompression" NE "''" },
      .since = 14 },
    { .query = { .name = "facts_constraints",
                 .sql = "SELECT 'constraint', " PART_NAME(
                     "k.conname") ","
                                  " pg_catalog.pg_get_constraintdef(k.oid)" FROM_RELATIONS
                                  " JOIN pg_catalog.pg_constraint AS k ON k.conrelid" EQ "c.oid"
                                  " AND k.contype" EQ "ANY ('{c,f,p,u,x}'::pg_catalog.\"char\"[])"
                                  " UNION ALL SELECT 'constraint', pg_catalog.concat(" WITHIN(
                                      "n.nspname",
                                      "t.typname") ","
                                                   "  '.', pg_catalog.quote_ident(k.conname)), pg_catalog.pg_get_constraintdef(k.oid)"
                                                   " FROM pg_catalog.pg_constraint AS k"
                                                   " JOIN pg_catalog.pg_type AS t ON t.oid" EQ "k.contypid"
                                                   " JOIN pg_catalog.pg_namespace AS n ON n.oid" EQ
                                                   "t.typnamespace AND " OF_PEOPLE " AND " OF_NO_EXTENSION(
                                                       "pg_type", "t.oid") " WHERE k.contype" EQ "'c'" } },
    /* Those of a constraint are facts of that. */
    { .query = { .name = "facts_indexes",
                 .sql = "SELECT 'index', " WITHIN(
                     "n.nspname",
                     "x.relname") ", pg_catalog.concat_ws('\n',"
                                  " pg_catalog.pg_get_indexdef(i.indexrelid),"
                                  " CASE WHEN NOT i.indisvalid THEN 'invalid' END)" FROM_RELATIONS
                                  " JOIN pg_catalog.pg_index AS i ON i.indrelid" EQ "c.oid"
                                  " JOIN pg_catalog.pg_class AS x ON x.oid" EQ "i.indexrelid"
                                  " WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid" EQ
                                  "i.indexrelid AND k.contype" EQ "ANY ('{p,u,x}'::pg_catalog.\"char\"[]))"
                                  " AND c.relkind" EQ "ANY ('{r,p,m}'::pg_catalog.\"char\"[])" } },
    { .query = { .name = "facts_sequences",
                 .sql =
                     "SELECT 'sequence', " RELATION_NAME ", pg_catalog.concat_ws('\n',"
                     " pg_catalog.concat('as ', pg_catalog.format_type(s.seqtypid, NULL), ' start ', s.seqstart,"
                     "  ' increment ', s.seqincrement, ' minvalue ', s.seqmin, ' maxvalue ', s.seqmax,"
                     "  ' cache ', s.seqcache, CASE WHEN s.seqcycle THEN ' cycle' END),"
                     " (SELECT pg_catalog.concat('owned by ', d.refobjid::pg_catalog.regclass, '.',"
                     "   pg_catalog.quote_ident(a.attname)) FROM pg_catalog.pg_depend AS d"
                     "   JOIN pg_catalog.pg_attribute AS a ON a.attrelid" EQ "d.refobjid AND a.attnum" EQ
                     "d.refobjsubid WHERE d.classid" EQ "'pg_catalog.pg_class'::pg_catalog.regclass"
                     "   AND d.objid" EQ "c.oid AND d.deptype" EQ
                     "ANY ('{a,i}'::pg_catalog.\"char\"[]) AND d.refclassid" EQ
                     "'pg_catalog.pg_class'::pg_catalog.regclass))" FROM_RELATIONS
                     " JOIN pg_catalog.pg_sequence AS s ON s.seqrelid" EQ "c.oid" } },
    /* A partition's follow from its parent's. */
    { .query = { .name = "facts_triggers",
                 .sql = "SELECT 'trigger', " PART_NAME(
                     "t.tgname") ", pg_catalog.concat_ws('\n',"
                                 " pg_catalog.pg_get_triggerdef(t.oid), CASE WHEN t.tgenabled" NE "'O' THEN"
                                 "  pg_catalog.concat('enabled ', t.tgenabled::pg_catalog.text) END)" FROM_RELATIONS
                                 " JOIN pg_catalog.pg_trigger AS t ON t.tgrelid" EQ
                                 "c.oid AND NOT t.tgisinternal"
                                 " AND t.tgparentid" EQ "0" } },
    { .query = { .name = "facts_rules",
                 .sql = "SELECT 'rule', " PART_NAME(
                     "w.rulename") ", pg_catalog.concat_ws('\n',"
                                   " pg_catalog.pg_get_ruledef(w.oid), CASE WHEN w.ev_enabled" NE "'O' THEN"
                                   "  pg_catalog.concat('enabled ', w.ev_enabled::pg_catalog.text) END)" FROM_RELATIONS
                                   " JOIN pg_catalog.pg_rewrite AS w ON w.ev_class" EQ
                                   "c.oid AND w.rulename" NE "'_RETURN'" } },
    { .query = { .name = "facts_policies",
                 .sql = "SELECT 'policy', " PART_NAME(
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
                                  " JOIN pg_catalog.pg_policy AS p ON p.polrelid" EQ "c.oid" } },
    { .query = { .name = "facts_statistics",
                 .sql = "SELECT 'statistics', " WITHIN(
                     "n.nspname",
                     "s.stxname") ","
                                  " pg_catalog.pg_get_statisticsobjdef(s.oid) FROM pg_catalog.pg_statistic_ext AS s"
                                  " JOIN pg_catalog.pg_namespace AS n ON n.oid" EQ
                                  "s.stxnamespace AND " OF_PEOPLE } },
    { .query = { .name = NULL } },
};
