#include "schema/catalog_sql.h"

/* What may be said of a server: never how one logs in. */
#define HARMLESS                                                                                             \
    "'^(host|hostaddr|port|dbname|service|schema_name|table_name|fetch_size|use_remote_estimate|updatable)='"

#define FROM_TYPES                                                                                           \
    " FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid" EQ                            \
    "t.typnamespace AND " OF_PEOPLE " AND " OF_NO_EXTENSION("pg_type", "t.oid")

#define FROM_ROUTINES                                                                                        \
    " FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid" EQ                            \
    "p.pronamespace AND " OF_PEOPLE " AND " OF_ITS_OWN("pg_proc", "p.oid")

#define ROUTINE_NAME                                                                                         \
    "pg_catalog.concat(" WITHIN("n.nspname", "p.proname") ", '(',"                                           \
    " pg_catalog.pg_get_function_identity_arguments(p.oid), ')')"

const struct catalog_query CATALOG_OBJECTS[] = {
    { .sql = "SELECT 'schema', pg_catalog.quote_ident(n.nspname), ''"
             " FROM pg_catalog.pg_namespace AS n WHERE " OF_PEOPLE
             " AND " OF_NO_EXTENSION("pg_namespace", "n.oid") },
    { .sql = "SELECT CASE WHEN t.typtype" EQ "'e' THEN 'enum' WHEN t.typtype" EQ
             "'d' THEN 'domain' ELSE 'range' END, " WITHIN(
                 "n.nspname",
                 "t.typname") ","
                              " pg_catalog.concat_ws('\n',"
                              " (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(l.enumlabel), ', '"
                              "   ORDER BY l.enumsortorder) FROM pg_catalog.pg_enum AS l WHERE l.enumtypid" EQ
                              "t.oid),"
                              " CASE WHEN t.typtype" EQ
                              "'d' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END,"
                              " CASE WHEN t.typtype" EQ "'d' AND t.typnotnull THEN 'not null' END,"
                              " 'default '::pg_catalog.text OPERATOR(pg_catalog.||) t.typdefault,"
                              " (SELECT pg_catalog.concat_ws(' ', pg_catalog.format_type(r.rngsubtype, NULL),"
                              "   CASE WHEN r.rngcanonical" NE "0 THEN r.rngcanonical::pg_catalog.text END,"
                              "   CASE WHEN r.rngsubdiff" NE "0 THEN r.rngsubdiff::pg_catalog.text END)"
                              "   FROM pg_catalog.pg_range AS r WHERE r.rngtypid" EQ "t.oid))" FROM_TYPES
                              " WHERE t.typtype" EQ "ANY ('{e,d,r}'::pg_catalog.\"char\"[])" },
    { .sql = "SELECT 'composite', " RELATION_NAME ", (SELECT pg_catalog.string_agg("
             "  pg_catalog.concat(pg_catalog.quote_ident(a.attname), ' ',"
             "   pg_catalog.format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)"
             "  FROM pg_catalog.pg_attribute AS a WHERE a.attrelid" EQ
             "c.oid AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped)" FROM_RELATIONS
             " AND c.relkind" EQ "'c'" },
    { .sql = "SELECT CASE WHEN p.prokind" EQ "'p' THEN 'procedure' ELSE 'function' END,"
             " " ROUTINE_NAME ", pg_catalog.rtrim(pg_catalog.pg_get_functiondef(p.oid), '\n')" FROM_ROUTINES
             " WHERE p.prokind" NE "'a'" },
    { .sql = "SELECT 'aggregate', " ROUTINE_NAME ", pg_catalog.concat_ws(' ',"
             " a.aggtransfn::pg_catalog.text, pg_catalog.format_type(a.aggtranstype, NULL),"
             " a.aggfinalfn::pg_catalog.text, a.aggcombinefn::pg_catalog.text, a.agginitval)" FROM_ROUTINES
             " JOIN pg_catalog.pg_aggregate AS a ON a.aggfnoid" EQ "p.oid" },
    { .sql = "SELECT 'extension', pg_catalog.quote_ident(x.extname), pg_catalog.concat("
             " x.extversion, ' in ', pg_catalog.quote_ident(m.nspname))"
             " FROM pg_catalog.pg_extension AS x JOIN pg_catalog.pg_namespace AS m ON m.oid" EQ
             "x.extnamespace" },
    { .sql = "SELECT 'event-trigger', pg_catalog.quote_ident(t.evtname), pg_catalog.concat_ws(' ',"
             " t.evtevent, t.evtenabled::pg_catalog.text, t.evtfoid::pg_catalog.regproc,"
             " t.evttags::pg_catalog.text) FROM pg_catalog.pg_event_trigger AS t"
             " WHERE " OF_NO_EXTENSION("pg_event_trigger", "t.oid") },
    { .sql = "SELECT 'publication', pg_catalog.quote_ident(p.pubname), pg_catalog.concat_ws(' ',"
             " CASE WHEN p.puballtables THEN 'all tables' END, CASE WHEN p.pubinsert THEN 'insert' END,"
             " CASE WHEN p.pubupdate THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END,"
             " CASE WHEN p.pubtruncate THEN 'truncate' END, CASE WHEN p.pubviaroot THEN 'via root' END)"
             " FROM pg_catalog.pg_publication AS p" },
    { .sql = "SELECT 'published', pg_catalog.concat(pg_catalog.quote_ident(p.pubname), ' ',"
             " r.prrelid::pg_catalog.regclass), ''"
             " FROM pg_catalog.pg_publication_rel AS r"
             " JOIN pg_catalog.pg_publication AS p ON p.oid" EQ "r.prpubid",
      .until = 14 },
    { .sql = "SELECT 'published', pg_catalog.concat(pg_catalog.quote_ident(p.pubname), ' ',"
             " r.prrelid::pg_catalog.regclass), pg_catalog.concat_ws(' ',"
             " 'where '::pg_catalog.text OPERATOR(pg_catalog.||)"
             "  pg_catalog.pg_get_expr(r.prqual, r.prrelid),"
             " (SELECT pg_catalog.concat('columns ', pg_catalog.string_agg("
             "   pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum))"
             "   FROM pg_catalog.pg_attribute AS a WHERE a.attrelid" EQ "r.prrelid AND a.attnum" EQ
             "ANY (r.prattrs::pg_catalog.int2[]) HAVING pg_catalog.count(*)"
             "   OPERATOR(pg_catalog.>) 0)) FROM pg_catalog.pg_publication_rel AS r"
             " JOIN pg_catalog.pg_publication AS p ON p.oid" EQ "r.prpubid"
             " UNION ALL SELECT 'published', pg_catalog.concat(pg_catalog.quote_ident(p.pubname),"
             " ' schema ', s.pnnspid::pg_catalog.regnamespace), ''"
             " FROM pg_catalog.pg_publication_namespace AS s"
             " JOIN pg_catalog.pg_publication AS p ON p.oid" EQ "s.pnpubid",
      .since = 15 },
    /* How it connects holds a password, and is shown to no one. */
    { .sql = "SELECT 'subscription', pg_catalog.quote_ident(s.subname), pg_catalog.concat_ws(' ',"
             " CASE WHEN s.subenabled THEN 'enabled' ELSE 'disabled' END,"
             " s.subpublications::pg_catalog.text, s.subslotname)"
             " FROM pg_catalog.pg_subscription AS s WHERE s.subdbid" EQ "(SELECT d.oid"
             "  FROM pg_catalog.pg_database AS d WHERE d.datname" EQ "pg_catalog.current_database())" },
    { .sql = "SELECT 'server', pg_catalog.quote_ident(s.srvname), pg_catalog.concat_ws(' ',"
             " w.fdwname, s.srvtype, s.srvversion, (SELECT pg_catalog.string_agg("
             "  CASE WHEN o OPERATOR(pg_catalog.~) " HARMLESS " THEN o ELSE"
             "   pg_catalog.split_part(o, '=', 1) END, ', ' ORDER BY o COLLATE pg_catalog.\"C\")"
             "  FROM pg_catalog.unnest(s.srvoptions) AS o))"
             " FROM pg_catalog.pg_foreign_server AS s"
             " JOIN pg_catalog.pg_foreign_data_wrapper AS w ON w.oid" EQ "s.srvfdw"
             " WHERE " OF_NO_EXTENSION("pg_foreign_server", "s.oid") },
    { .sql = "SELECT 'collation', " WITHIN(
          "n.nspname", "k.collname") ", pg_catalog.concat_ws(' ',"
                                     " k.collprovider::pg_catalog.text, k.collcollate, k.collctype,"
                                     " CASE WHEN NOT k.collisdeterministic THEN 'not deterministic' END)"
                                     " FROM pg_catalog.pg_collation AS k"
                                     " JOIN pg_catalog.pg_namespace AS n ON n.oid" EQ
                                     "k.collnamespace AND " OF_PEOPLE
                                     " AND " OF_NO_EXTENSION("pg_collation", "k.oid") },
    { .sql = "SELECT 'cast', pg_catalog.concat(pg_catalog.format_type(k.castsource, NULL), ' as ',"
             " pg_catalog.format_type(k.casttarget, NULL)), pg_catalog.concat_ws(' ',"
             " CASE WHEN k.castfunc" NE "0 THEN k.castfunc::pg_catalog.regprocedure::pg_catalog.text"
             " END, k.castcontext::pg_catalog.text, k.castmethod::pg_catalog.text)"
             " FROM pg_catalog.pg_cast AS k WHERE k.oid OPERATOR(pg_catalog.>=) 16384"
             " AND " OF_ITS_OWN("pg_cast", "k.oid") },
    { .sql = "SELECT 'operator', pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', o.oprname,"
             " '(', pg_catalog.format_type(o.oprleft, NULL), ',',"
             " pg_catalog.format_type(o.oprright, NULL), ')'), o.oprcode::pg_catalog.text"
             " FROM pg_catalog.pg_operator AS o"
             " JOIN pg_catalog.pg_namespace AS n ON n.oid" EQ "o.oprnamespace AND " OF_PEOPLE
             " AND " OF_NO_EXTENSION("pg_operator", "o.oid") },
    { .sql = "SELECT 'text-search', " WITHIN(
          "n.nspname",
          "s.cfgname") ", (SELECT"
                       " pg_catalog.string_agg(pg_catalog.concat(m.maptokentype, ' ',"
                       "  m.mapdict::pg_catalog.regdictionary), ', ' ORDER BY m.maptokentype, m.mapseqno)"
                       "  FROM pg_catalog.pg_ts_config_map AS m WHERE m.mapcfg" EQ "s.oid)"
                       " FROM pg_catalog.pg_ts_config AS s"
                       " JOIN pg_catalog.pg_namespace AS n ON n.oid" EQ "s.cfgnamespace AND " OF_PEOPLE
                       " AND " OF_NO_EXTENSION("pg_ts_config", "s.oid") },
    { .sql = NULL },
};
