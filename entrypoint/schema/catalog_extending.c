#include "schema/catalog_sql.h"

/* An aggregate is written as in CREATE AGGREGATE. */
#define ARGUMENT(name, value) "'" name " = '::pg_catalog.text OPERATOR(pg_catalog.||) " value
#define FUNCTION(name, function)                                                                             \
    "CASE WHEN " function NE "0 THEN pg_catalog.concat('" name " = ', " function ") END"
#define FINAL(name, function, modifies)                                                                      \
    FUNCTION(name, function)                                                                                 \
    ", CASE WHEN a.agg" modifies NE "CASE WHEN a.aggkind" EQ                                                 \
    "'n' THEN 'r'::pg_catalog.\"char\" ELSE 'w'::pg_catalog.\"char\" END THEN"                               \
    " pg_catalog.concat('" name "_modify = ', a.agg" modifies "::pg_catalog.text) END"

#define MEMBER_TYPES(left, right)                                                                            \
    "pg_catalog.format_type(" left ", NULL), ', ', pg_catalog.format_type(" right ", NULL)"

const struct catalog_query CATALOG_EXTENDING[] = {
    { .sql = "SELECT 'aggregate', pg_catalog.concat(" WITHIN(
          "n.nspname",
          "p.proname") ", '(',"
                       " pg_catalog.pg_get_function_identity_arguments(p.oid), ')'), pg_catalog.concat_ws(', ',"
                       " " FUNCTION(
                           "sfunc",
                           "a.aggtransfn") ","
                                           " pg_catalog.concat('stype = ', pg_catalog.format_type(a.aggtranstype, NULL)),"
                                           " CASE WHEN a.aggtransspace" NE
                                           "0 THEN pg_catalog.concat('sspace = ', a.aggtransspace) END,"
                                           " " FINAL("finalfunc", "a.aggfinalfn",
                                                     "finalmodify") ","
                                                                    " CASE WHEN a.aggfinalextra THEN 'finalfunc_extra' END,"
                                                                    " " FUNCTION("combinefunc", "a.aggcombinefn") "," FUNCTION(
                                                                        "serialfunc",
                                                                        "a.aggserialfn") ","
                                                                                         " " FUNCTION("deserialfunc", "a.aggdeserialfn") ","
                                                                                                                                         " " ARGUMENT("initcond", "pg_catalog.quote_literal(a.agginitval)") ","
                                                                                                                                                                                                            " " FUNCTION("msfunc", "a.aggmtransfn") "," FUNCTION("minvfunc", "a.aggminvtransfn") ","
                                                                                                                                                                                                                                                                                                 " CASE WHEN a.aggmtranstype" NE
                                                                                                                                                                                                                                                                                                 "0 THEN"
                                                                                                                                                                                                                                                                                                 "  pg_catalog.concat('mstype = ', pg_catalog.format_type(a.aggmtranstype, NULL)) END,"
                                                                                                                                                                                                                                                                                                 " CASE WHEN a.aggmtransspace" NE "0 THEN pg_catalog.concat('msspace = ', a.aggmtransspace) END,"
                                                                                                                                                                                                                                                                                                 " " FINAL("mfinalfunc",
                                                                                                                                                                                                                                                                                                           "a.aggmfinalfn", "mfinalmodify") ","
                                                                                                                                                                                                                                                                                                                                            " CASE WHEN a.aggmfinalextra THEN 'mfinalfunc_extra' END,"
                                                                                                                                                                                                                                                                                                                                            " " ARGUMENT(
                                                                                                                                                                                                                                                                                                                                                "minitcond",
                                                                                                                                                                                                                                                                                                                                                "pg_catalog.quote_literal(a.aggminitval)") ","
                                                                                                                                                                                                                                                                                                                                                                                           " CASE WHEN a.aggsortop" NE
                                                                                                                                                                                                                                                                                                                                                                                           "0 THEN"
                                                                                                                                                                                                                                                                                                                                                                                           "  pg_catalog.concat('sortop = ', a.aggsortop::pg_catalog.regoperator) END,"
                                                                                                                                                                                                                                                                                                                                                                                           " CASE WHEN p.proparallel" NE
                                                                                                                                                                                                                                                                                                                                                                                           "'u' THEN"
                                                                                                                                                                                                                                                                                                                                                                                           "  pg_catalog.concat('parallel = ', p.proparallel::pg_catalog.text) END,"
                                                                                                                                                                                                                                                                                                                                                                                           " CASE WHEN a.aggkind" EQ
                                                                                                                                                                                                                                                                                                                                                                                           "'h' THEN 'hypothetical' END)"
                                                                                                                                                                                                                                                                                                                                                                                           " FROM pg_catalog.pg_aggregate AS a JOIN pg_catalog.pg_proc AS p ON p.oid" EQ "a.aggfnoid" FROM_SCHEMAS(
                                                                                                                                                                                                                                                                                                                                                                                               "p.pronamespace") NARROWED("p.oid",
                                                                                                                                                                                                                                                                                                                                                                                                                          CATALOG_ROUTINES_WITHIN) " WHERE " OF_NO_EXTENSION("pg_proc",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                             "p.oid"),
      .if_any = MADE_BY("pg_aggregate", "aggfnoid") OF_ROUTINES("aggfnoid") },
    { .sql = "SELECT 'cast', pg_catalog.concat(pg_catalog.format_type(k.castsource, NULL), ' as ',"
             " pg_catalog.format_type(k.casttarget, NULL)), pg_catalog.concat_ws(' ',"
             " CASE WHEN k.castfunc" NE "0 THEN k.castfunc::pg_catalog.regprocedure::pg_catalog.text"
             " END, k.castcontext::pg_catalog.text, k.castmethod::pg_catalog.text)"
             " FROM pg_catalog.pg_cast AS k WHERE k.oid OPERATOR(pg_catalog.>=) 16384"
             " AND " OF_ITS_OWN("pg_cast", "k.oid"),
      .scope = SCOPE_DATABASE,
      .if_any = MADE("pg_cast") },
    /* One that was only mentioned, as a commutator, has no function. */
    { .sql =
          "SELECT 'operator', pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', o.oprname,"
          " '(', pg_catalog.format_type(o.oprleft, NULL), ',',"
          " pg_catalog.format_type(o.oprright, NULL), ')'), pg_catalog.concat_ws(', ', o.oprcode,"
          " CASE WHEN o.oprcom" NE "0 THEN"
          "  pg_catalog.concat('commutator ', o.oprcom::pg_catalog.regoperator) END,"
          " CASE WHEN o.oprnegate" NE "0 THEN"
          "  pg_catalog.concat('negator ', o.oprnegate::pg_catalog.regoperator) END,"
          " " UNLESS_NONE("restrict", "o.oprrest") ", " UNLESS_NONE(
              "join",
              "o.oprjoin") ","
                           " CASE WHEN o.oprcanhash THEN 'hashes' END, CASE WHEN o.oprcanmerge THEN 'merges' END)"
                           " FROM pg_catalog.pg_operator AS o" FROM_SCHEMAS(
                               "o.oprnamespace") " WHERE o.oprcode" NE
                                                 "0 AND " OF_NO_EXTENSION("pg_operator", "o.oid"),
      .if_any = MADE("pg_operator") OF_SCHEMA("oprnamespace") },
    { .sql = "SELECT 'operator-class', pg_catalog.concat(" WITHIN(
          "n.nspname",
          "o.opcname") ", ' using ',"
                       " m.amname), pg_catalog.concat_ws(' ', CASE WHEN o.opcdefault THEN 'default' END, 'for type',"
                       " pg_catalog.format_type(o.opcintype, NULL), 'family', (SELECT " WITHIN(
                           "s.nspname",
                           "f.opfname") "  FROM pg_catalog.pg_opfamily AS f JOIN pg_catalog.pg_namespace AS s ON s.oid" EQ
                                        "f.opfnamespace WHERE f.oid" EQ
                                        "o.opcfamily), CASE WHEN o.opckeytype" NE "0 THEN"
                                        "  pg_catalog.concat('storage ', pg_catalog.format_type(o.opckeytype, NULL)) END)"
                                        " FROM pg_catalog.pg_opclass AS o JOIN pg_catalog.pg_am AS m ON m.oid" EQ
                                        "o.opcmethod" FROM_SCHEMAS(
                                            "o.opcnamespace") " WHERE " OF_NO_EXTENSION("pg_opclass",
                                                                                        "o.oid"),
      .if_any = MADE("pg_opclass") OF_SCHEMA("opcnamespace") },
    { .sql = "SELECT 'operator-family', pg_catalog.concat(" WITHIN(
          "n.nspname",
          "f.opfname") ", ' using ',"
                       " m.amname), (SELECT pg_catalog.string_agg(l.line, '\n' ORDER BY l.line COLLATE pg_catalog.\"C\")"
                       "  FROM (SELECT pg_catalog.concat('operator ', o.amopstrategy, ' ',"
                       "   o.amopopr::pg_catalog.regoperator, CASE WHEN o.amopsortfamily" NE
                       "0 THEN ' for order by' END)"
                       "   FROM pg_catalog.pg_amop AS o WHERE o.amopfamily" EQ "f.oid"
                       "  UNION ALL SELECT pg_catalog.concat('function ', p.amprocnum, ' (',"
                       "   " MEMBER_TYPES(
                           "p.amproclefttype",
                           "p.amprocrighttype") ", ') ',"
                                                "   p.amproc::pg_catalog.oid::pg_catalog.regprocedure)"
                                                "   FROM pg_catalog.pg_amproc AS p WHERE p.amprocfamily" EQ
                                                "f.oid) AS l (line))"
                                                " FROM pg_catalog.pg_opfamily AS f JOIN pg_catalog.pg_am AS m ON m.oid" EQ
                                                "f.opfmethod" FROM_SCHEMAS(
                                                    "f.opfnamespace") " WHERE " OF_NO_EXTENSION("pg_opfamily",
                                                                                                "f.oid"),
      .if_any = MADE("pg_opfamily") OF_SCHEMA("opfnamespace") },
    { .sql = "SELECT 'text-search-configuration', " WITHIN(
          "n.nspname",
          "s.cfgname") ","
                       " pg_catalog.concat_ws('\n', (SELECT pg_catalog.concat('parser ', " WITHIN(
                           "w.nspname",
                           "q.prsname") ")"
                                        "   FROM pg_catalog.pg_ts_parser AS q JOIN pg_catalog.pg_namespace AS w ON w.oid" EQ
                                        "q.prsnamespace WHERE q.oid" EQ "s.cfgparser), (SELECT"
                                        " pg_catalog.string_agg(pg_catalog.concat(k.alias, ' with ',"
                                        "  m.mapdict::pg_catalog.regdictionary), '\n' ORDER BY m.maptokentype, m.mapseqno)"
                                        "  FROM pg_catalog.pg_ts_config_map AS m JOIN pg_catalog.ts_token_type(s.cfgparser) AS k"
                                        "  ON k.tokid" EQ "m.maptokentype WHERE m.mapcfg" EQ "s.oid))"
                                        " FROM pg_catalog.pg_ts_config AS s" FROM_SCHEMAS(
                                            "s.cfgnamespace") " WHERE " OF_NO_EXTENSION("pg_ts_config",
                                                                                        "s.oid"),
      .if_any = MADE("pg_ts_config") OF_SCHEMA("cfgnamespace") },
    { .sql = "SELECT 'text-search-dictionary', " WITHIN(
          "n.nspname",
          "k.dictname") ","
                        " pg_catalog.concat_ws(' ', 'template', (SELECT " WITHIN(
                            "w.nspname",
                            "q.tmplname") "   FROM pg_catalog.pg_ts_template AS q JOIN pg_catalog.pg_namespace AS w ON w.oid" EQ
                                          "q.tmplnamespace WHERE q.oid" EQ
                                          "k.dicttemplate), k.dictinitoption)"
                                          " FROM pg_catalog.pg_ts_dict AS k" FROM_SCHEMAS(
                                              "k.dictnamespace") " WHERE " OF_NO_EXTENSION("pg_ts_dict",
                                                                                           "k.oid"),
      .if_any = MADE("pg_ts_dict") OF_SCHEMA("dictnamespace") },
    { .sql = "SELECT 'text-search-parser', " WITHIN(
          "n.nspname", "q.prsname") ", pg_catalog.concat_ws(' ',"
                                    " q.prsstart, q.prstoken, q.prsend, q.prsheadline, q.prslextype)"
                                    " FROM pg_catalog.pg_ts_parser AS q" FROM_SCHEMAS(
                                        "q.prsnamespace") " WHERE " OF_NO_EXTENSION("pg_ts_parser", "q.oid"),
      .if_any = MADE("pg_ts_parser") OF_SCHEMA("prsnamespace") },
    { .sql = "SELECT 'text-search-template', " WITHIN(
          "n.nspname", "q.tmplname") ","
                                     " pg_catalog.concat_ws(' ', q.tmplinit, q.tmpllexize)"
                                     " FROM pg_catalog.pg_ts_template AS q" FROM_SCHEMAS(
                                         "q.tmplnamespace") " WHERE " OF_NO_EXTENSION("pg_ts_template",
                                                                                      "q.oid"),
      .if_any = MADE("pg_ts_template") OF_SCHEMA("tmplnamespace") },
    { .sql =
          "SELECT 'language', pg_catalog.quote_ident(l.lanname), pg_catalog.concat_ws(' ',"
          " CASE WHEN l.lanpltrusted THEN 'trusted' END, " UNLESS_NONE(
              "handler",
              "l.lanplcallfoid") ","
                                 " " UNLESS_NONE("inline", "l.laninline") ", " UNLESS_NONE(
                                     "validator",
                                     "l.lanvalidator") ")"
                                                       " FROM pg_catalog.pg_language AS l WHERE l.oid OPERATOR(pg_catalog.>=) 16384"
                                                       " AND " OF_NO_EXTENSION("pg_language", "l.oid"),
      .scope = SCOPE_DATABASE,
      .if_any = MADE("pg_language") },
    { .sql = "SELECT 'conversion', " WITHIN(
          "n.nspname", "k.conname") ", pg_catalog.concat_ws(' ',"
                                    " CASE WHEN k.condefault THEN 'default' END, 'for',"
                                    " pg_catalog.pg_encoding_to_char(k.conforencoding), 'to',"
                                    " pg_catalog.pg_encoding_to_char(k.contoencoding), 'from', k.conproc)"
                                    " FROM pg_catalog.pg_conversion AS k" FROM_SCHEMAS(
                                        "k.connamespace") " WHERE " OF_NO_EXTENSION("pg_conversion", "k.oid"),
      .if_any = MADE("pg_conversion") OF_SCHEMA("connamespace") },
    { .sql =
          "SELECT 'transform', pg_catalog.concat(pg_catalog.format_type(t.trftype, NULL), ' language ',"
          " pg_catalog.quote_ident(l.lanname)), pg_catalog.concat_ws(' ',"
          " " UNLESS_NONE("from sql", "t.trffromsql") ", " UNLESS_NONE(
              "to sql",
              "t.trftosql") ")"
                            " FROM pg_catalog.pg_transform AS t JOIN pg_catalog.pg_language AS l ON l.oid" EQ
                            "t.trflang"
                            " WHERE " OF_NO_EXTENSION("pg_transform", "t.oid"),
      .scope = SCOPE_DATABASE,
      .if_any = MADE("pg_transform") },
    { .sql = "SELECT 'access-method', pg_catalog.quote_ident(m.amname), pg_catalog.concat_ws(' ',"
             " CASE WHEN m.amtype" EQ "'t' THEN 'table' ELSE 'index' END, 'handler', m.amhandler)"
             " FROM pg_catalog.pg_am AS m WHERE m.oid OPERATOR(pg_catalog.>=) 16384"
             " AND " OF_NO_EXTENSION("pg_am", "m.oid"),
      .scope = SCOPE_DATABASE,
      .if_any = MADE("pg_am") },
    { .sql = "SELECT 'base-type', " WITHIN(
          "n.nspname",
          "t.typname") ", pg_catalog.concat_ws(' ',"
                       " " UNLESS_NONE("input", "t.typinput") ", " UNLESS_NONE(
                           "output",
                           "t.typoutput") ","
                                          " " UNLESS_NONE("receive", "t.typreceive") ", " UNLESS_NONE(
                                              "send",
                                              "t.typsend") ","
                                                           " " UNLESS_NONE("typmod in", "t.typmodin") ", " UNLESS_NONE(
                                                               "typmod out",
                                                               "t.typmodout") ","
                                                                              " " UNLESS_NONE(
                                                                                  "analyze",
                                                                                  "t.typanalyze") ", 'length', t.typlen, CASE WHEN t.typbyval THEN"
                                                                                                  "  'by value' END, 'align', t.typalign::pg_catalog.text, 'storage',"
                                                                                                  " t.typstorage::pg_catalog.text, 'category', t.typcategory::pg_catalog.text, CASE WHEN"
                                                                                                  "  t.typispreferred THEN 'preferred' END, 'delimiter', t.typdelim::pg_catalog.text,"
                                                                                                  " CASE WHEN t.typelem" NE
                                                                                                  "0 THEN pg_catalog.concat('of ',"
                                                                                                  "  pg_catalog.format_type(t.typelem, NULL)) END, CASE WHEN t.typcollation" NE
                                                                                                  "0 THEN"
                                                                                                  "  'collatable' END, 'default '::pg_catalog.text OPERATOR(pg_catalog.||) t.typdefault)"
                                                                                                  " FROM pg_catalog.pg_type AS t" FROM_SCHEMAS(
                                                                                                      "t.typnamespace")
                                                                                                      NARROWED(
                                                                                                          "t.oid",
                                                                                                          CATALOG_TYPES_WITHIN) " WHERE t.typtype" EQ
                                                                                                                                "'b'"
                                                                                                                                " AND NOT EXISTS (SELECT FROM pg_catalog.pg_type AS e WHERE e.typarray" EQ
                                                                                                                                "t.oid)"
                                                                                                                                " AND " OF_NO_EXTENSION(
                                                                                                                                    "pg_type",
                                                                                                                                    "t.oid"),
      .if_any = MADE_AS("pg_type", "typtype", "b") " AND m.typarray" NE "0" OF_TYPES("oid") },
    { .sql = NULL },
};
