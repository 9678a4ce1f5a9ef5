/*
 * What the queries of the catalog have in common. Of this room.
 *
 * Each returns rows of kind, name and definition, all text. search_path must be empty: the server's own
 * functions leave out the schema of what is found through it.
 */
#ifndef SCHEMA_CATALOG_SQL_H
#define SCHEMA_CATALOG_SQL_H

#include <stdbool.h>
#include <stddef.h>

/* Settings of the transaction, as arrays: how ledgers are called; the oids of the schemas that people use;
 * and of the tables and the like in them that are no facts: ledgers with the sequences of their columns, and
 * what belongs to an extension. */
#define CATALOG_LEDGER_NAMES "tidelock.ledger_names"
#define CATALOG_PEOPLE "tidelock.people"
#define CATALOG_LEFT_OUT "tidelock.left_out"

/* Where few of many are looked at: the oids of the tables and the like in those schemas, composite types with
 * them, of the types, and of the functions. */
#define CATALOG_RELATIONS_WITHIN "tidelock.relations"
#define CATALOG_TYPES_WITHIN "tidelock.types"
#define CATALOG_ROUTINES_WITHIN "tidelock.routines"

#define EQ " OPERATOR(pg_catalog.=) "
#define NE " OPERATOR(pg_catalog.<>) "

/* n is a schema that people use: catalog.c has told which these are. */
#define OF_PEOPLE "n.oid" EQ "ANY (pg_catalog.current_setting('" CATALOG_PEOPLE "')::pg_catalog.oid[])"

#define FROM_SCHEMAS(schema) " JOIN pg_catalog.pg_namespace AS n ON n.oid" EQ schema " AND " OF_PEOPLE

/* What stands between the two is sent only where few of many are looked at. No index of the server's leads
 * from a schema to what it holds; one leads to what depends on it, and from there these oids are. Otherwise
 * all objects of the database would be looked through, for a few. */
#define NARROW_BEGIN "/*<*/"
#define NARROW_END "/*>*/"
#define OIDS_OF(setting) "pg_catalog.current_setting('" setting "')::pg_catalog.oid[]"
#define NARROWED(oid, setting) NARROW_BEGIN " AND " oid EQ "ANY (" OIDS_OF(setting) ")" NARROW_END

/* An object does not belong to an extension, which is a fact of its own. */
#define OF_NO_EXTENSION(class, object)                                                                       \
    "NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS e WHERE e.classid" EQ                                   \
    "'pg_catalog." class "'::pg_catalog.regclass AND e.objid" EQ object " AND e.deptype" EQ "'e')"

/* … nor was it made with another one, as the functions of a range type are. */
#define OF_ITS_OWN(class, object)                                                                            \
    "NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS e WHERE e.classid" EQ                                   \
    "'pg_catalog." class "'::pg_catalog.regclass AND e.objid" EQ object " AND e.deptype" EQ                  \
                         "ANY ('{e,i}'::pg_catalog.\"char\"[]))"

/* c is a table, view, … of people, in the schema n. */
#define FROM_RELATIONS                                                                                       \
    " FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid" EQ                           \
    "c.relnamespace"                                                                                         \
    " AND " OF_PEOPLE " AND c.oid" NE "ALL ((SELECT " OIDS_OF(                                               \
        CATALOG_LEFT_OUT) ")::pg_catalog.oid[])" NARROWED("c.oid", CATALOG_RELATIONS_WITHIN)

#define WITHIN(schema, name)                                                                                 \
    "pg_catalog.concat(pg_catalog.quote_ident(" schema "), '.', pg_catalog.quote_ident(" name "))"
#define RELATION_NAME WITHIN("n.nspname", "c.relname")
#define PART_NAME(name) "pg_catalog.concat(" RELATION_NAME ", '.', pg_catalog.quote_ident(" name "))"

/* What may be said of a foreign table or a server: never how one logs in. */
#define HARMLESS                                                                                                       \
    "'^(host|hostaddr|port|dbname|database|service|sslmode|connect_timeout|application_name|schema|schema_name|table|" \
    "table_name|column_name|collection|updatable|truncatable|fetch_size|batch_size|async_capable|use_remote_estimate|" \
    "analyze_sampling|fdw_startup_cost|fdw_tuple_cost|extensions|keep_connections|parallel_commit|parallel_abort|"     \
    "filename|format|header|delimiter|quote|escape|null|encoding|force_not_null|force_null|on_error|reject_limit|"     \
    "log_verbosity)='"

/* Options of what is foreign, those that may be secrets without their values. */
#define FOREIGN_OPTIONS(options)                                                                                \
    "(SELECT pg_catalog.concat('options (', pg_catalog.string_agg(CASE WHEN o OPERATOR(pg_catalog.~) " HARMLESS \
    " AND o OPERATOR(pg_catalog.!~*) '://|password' THEN o ELSE pg_catalog.split_part(o, '=', 1) END,"          \
    " ', ' ORDER BY o COLLATE pg_catalog.\"C\"), ')') FROM pg_catalog.unnest(" options                          \
    ") AS o HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0)"

/* "NAME FUNCTION", or NULL where there is none. */
#define UNLESS_NONE(name, function)                                                                          \
    "CASE WHEN " function NE "0 THEN pg_catalog.concat('" name " ', " function "::pg_catalog.regproc) END"

/* Objects that initdb did not make: those have smaller numbers. */
#define MADE_BY(catalog, oid)                                                                                \
    "SELECT FROM pg_catalog." catalog " AS m WHERE m." oid " OPERATOR(pg_catalog.>=) 16384"
#define MADE(catalog) MADE_BY(catalog, "oid")
#define MADE_AS(catalog, kind, kinds)                                                                        \
    MADE(catalog) " AND m." kind EQ "ANY ('{" kinds "}'::pg_catalog.\"char\"[])"
#define OF_RELATIONS(oid) NARROWED("m." oid, CATALOG_RELATIONS_WITHIN)
#define OF_TYPES(oid) NARROWED("m." oid, CATALOG_TYPES_WITHIN)
#define OF_ROUTINES(oid) NARROWED("m." oid, CATALOG_ROUTINES_WITHIN)
#define OF_SCHEMA(schema) NARROWED("m." schema, CATALOG_PEOPLE)

/* Both are rare, and to look at all columns twice is not cheap. */
#define ANY_COLUMN_GRANT_OR_COMPRESSION                                                                      \
    MADE_BY("pg_attribute", "attrelid")                                                                      \
    " AND (m.attacl IS NOT NULL OR m.attcompression" NE "'')" OF_RELATIONS("attrelid")

/* Most roles may read only some of its columns. */
#define ANY_SUBSCRIPTION "SELECT FROM pg_catalog.pg_subscription AS m WHERE m.subdbid" NE "0"

/* w: what may have a comment and the like in one schema that is read alone, by its class and oid. */
#define CLASS(name) "'pg_catalog." name "'::pg_catalog.regclass::pg_catalog.oid"
#define CATALOG_WITHIN                                                                                       \
    "(SELECT " CLASS("pg_namespace") " AS class, n.oid FROM pg_catalog.pg_namespace AS n WHERE " OF_PEOPLE   \
    " UNION ALL SELECT d.classid, d.objid FROM pg_catalog.pg_depend AS d WHERE d.refclassid" EQ              \
    CLASS("pg_namespace") " AND d.refobjid" EQ "ANY (" OIDS_OF(CATALOG_PEOPLE) ") AND d.classid" NE          \
    CLASS("pg_class")                                                                                        \
    " UNION ALL SELECT " CLASS("pg_class") ", c.oid FROM pg_catalog.unnest("                                 \
    OIDS_OF(CATALOG_RELATIONS_WITHIN) ") AS c (oid)"                                                         \
    " UNION ALL SELECT " CLASS("pg_class") ", m.indexrelid" WITHIN_RELATIONS("pg_index", "indrelid")         \
    " UNION ALL SELECT " CLASS("pg_constraint") ", m.oid" WITHIN_RELATIONS("pg_constraint", "conrelid")      \
    " UNION ALL SELECT " CLASS("pg_constraint") ", m.oid FROM pg_catalog.pg_constraint AS m WHERE m.contypid" EQ \
    "ANY (" OIDS_OF(CATALOG_TYPES_WITHIN) ")"                                                                \
    " UNION ALL SELECT " CLASS("pg_trigger") ", m.oid" WITHIN_RELATIONS("pg_trigger", "tgrelid")             \
    " UNION ALL SELECT " CLASS("pg_rewrite") ", m.oid" WITHIN_RELATIONS("pg_rewrite", "ev_class")            \
    " UNION ALL SELECT " CLASS("pg_policy") ", m.oid" WITHIN_RELATIONS("pg_policy", "polrelid") ") AS w"
#define WITHIN_RELATIONS(catalog, key)                                                                       \
    " FROM pg_catalog." catalog " AS m WHERE m." key EQ "ANY (" OIDS_OF(CATALOG_RELATIONS_WITHIN) ")"

/* What belongs to the database, or tells things of all of it, is not asked for one schema; what tells the
 * same of that alone, only for that. */
enum catalog_scope { SCOPE_ANY, SCOPE_DATABASE, SCOPE_SCHEMA };

/* A query, and the first and last major version that it is for; 0 = all. */
struct catalog_query {
    const char *sql;
    const char *if_any; /* where that finds no row, this finds none either and is not asked; NULL = it is */
    int since;
    int until;
    enum catalog_scope scope;
    bool takes_locks; /* the server's function locks the tables that a definition mentions, as a reader does,
                         until the transaction ends */
};

/* End with NULL. */
extern const struct catalog_query CATALOG_RELATIONS[];
extern const struct catalog_query CATALOG_OBJECTS[];
extern const struct catalog_query CATALOG_EXTENDING[];
extern const struct catalog_query CATALOG_REMOTE[];
extern const struct catalog_query CATALOG_ACCESS[];

#endif
