#include "schema/catalog_setting.h"

#include "schema/catalog_sql.h"
#include "sql/quote.h"

enum { NAMES_MOST = 4096 };

/* One message, so one transaction. What the server's functions write must not depend on the session. The lock
 * of a table is not waited for as long as the server takes to look for deadlocks: nobody else is to fail. */
#define SETTINGS                                                                                             \
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL search_path = '';"                \
    " SET LOCAL lock_timeout = '50ms'; SET LOCAL statement_timeout = '1min'; SET LOCAL jit = off;"           \
    " SET LOCAL quote_all_identifiers = off;"                                                                \
    " SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'; SET LOCAL TimeZone = 'UTC';"   \
    " SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex';"                                     \
    " SET LOCAL standard_conforming_strings = on"

#define LEDGER_NAMES "ANY (pg_catalog.current_setting('" CATALOG_LEDGER_NAMES "')::pg_catalog.name[])"

/* Sets something, and finds no row. */
#define SETTING_BEGIN "SELECT '', '', ''"
#define SETTING_END " IS NULL"

/* A database without an encoding holds bytes, which the server would refuse to call UTF-8.
 *
 * The schemas that people use: not the server's, nor the journal of a ledger, nor the mark of a shadow. More
 * conditions may stand between the two. */
#define PEOPLE                                                                                               \
    SETTING_BEGIN                                                                                            \
    " WHERE pg_catalog.concat(pg_catalog.set_config('client_encoding', CASE WHEN"                            \
    "  pg_catalog.current_setting('server_encoding')" EQ                                                     \
    "'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END,"                                                          \
    "  true), pg_catalog.set_config('" CATALOG_PEOPLE                                                        \
    "', (SELECT COALESCE(pg_catalog.array_agg(n.oid), '{}')::pg_catalog.text"                                \
    " FROM pg_catalog.pg_namespace AS n WHERE n.nspname OPERATOR(pg_catalog.!~) '^pg_' AND n.nspname" NE     \
    "ALL ('{information_schema,tidelock,tidelock_shadow}'::pg_catalog.name[])"                               \
    " AND NOT (n.nspname OPERATOR(pg_catalog.~) '^tidelock_' AND EXISTS"                                     \
    " (SELECT FROM pg_catalog.pg_class AS j WHERE j.relnamespace" EQ "n.oid AND j.relname" EQ                \
    "ANY ('{intent,origin,floor}'::pg_catalog.name[])))"
#define PEOPLE_END "), true))" SETTING_END

/* Of many ledgers of that name only those in schemas that are looked at. */
#define FROM_LEDGERS                                                                                         \
    " FROM pg_catalog.pg_class AS l WHERE l.relname" EQ LEDGER_NAMES " AND l.relnamespace" EQ                \
    "ANY (" OIDS_OF(CATALOG_PEOPLE) ")"
#define FROM_EXTENSIONS(class)                                                                               \
    " FROM pg_catalog.pg_depend AS d JOIN pg_catalog." class                                                 \
        " AS m ON m.oid" EQ "d.objid WHERE d.refclassid" EQ                                                  \
        "'pg_catalog.pg_extension'::pg_catalog.regclass AND d.classid" EQ                                    \
        "'pg_catalog." class "'::pg_catalog.regclass AND d.deptype" EQ "'e'"
#define LEFT_OUT                                                                                              \
    SETTING_BEGIN                                                                                             \
    " WHERE pg_catalog.set_config('" CATALOG_LEFT_OUT                                                         \
    "', (SELECT COALESCE(pg_catalog.array_agg(x.oid), '{}')::pg_catalog.text FROM (SELECT l.oid" FROM_LEDGERS \
    " UNION ALL SELECT s.oid FROM (SELECT l.oid" FROM_LEDGERS                                                 \
    ") AS l"                                                                                                  \
    "  JOIN pg_catalog.pg_depend AS d ON d.refclassid" EQ                                                     \
    "'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid" EQ "l.oid AND d.classid" EQ                   \
    "d.refclassid AND d.deptype" EQ                                                                           \
    "ANY ('{a,i}'::pg_catalog.\"char\"[])"                                                                    \
    "  JOIN pg_catalog.pg_class AS s ON s.oid" EQ "d.objid AND s.relkind" EQ                                  \
    "'S' UNION ALL SELECT m.oid" FROM_EXTENSIONS("pg_class") " UNION ALL SELECT m.typrelid" FROM_EXTENSIONS(  \
        "pg_type") " AND m.typrelid" NE "0) AS x), true)" SETTING_END

/* The type of a composite type is what depends on the schema, not its columns. */
#define OIDS_WITHIN                                                                                          \
    SETTING_BEGIN                                                                                            \
    " FROM (SELECT pg_catalog.array_agg(CASE WHEN d.classid" EQ CLASS("pg_class")                            \
    " THEN d.objid ELSE t.typrelid END) FILTER (WHERE d.classid" EQ CLASS("pg_class")                        \
    " OR t.typrelid" NE "0), pg_catalog.array_agg(d.objid) FILTER (WHERE d.classid" EQ CLASS("pg_type")      \
    "), pg_catalog.array_agg(d.objid) FILTER (WHERE d.classid" EQ CLASS("pg_proc")                           \
    ") FROM pg_catalog.pg_depend AS d LEFT JOIN pg_catalog.pg_type AS t ON t.oid" EQ                         \
    "d.objid AND d.classid" EQ CLASS("pg_type") " WHERE d.refclassid" EQ CLASS("pg_namespace")               \
    " AND d.refobjid" EQ "ANY (" OIDS_OF(CATALOG_PEOPLE) ")) AS w (relations, types, routines)"              \
    " WHERE pg_catalog.concat(" SET_OIDS(CATALOG_RELATIONS_WITHIN, "w.relations") ", "                       \
    SET_OIDS(CATALOG_TYPES_WITHIN, "w.types") ", " SET_OIDS(CATALOG_ROUTINES_WITHIN, "w.routines") ")"       \
    SETTING_END
#define SET_OIDS(setting, oids)                                                                              \
    "pg_catalog.set_config('" setting "', COALESCE(" oids ", '{}')::pg_catalog.text, true)"

void catalog_add_session(int major, struct text *sql)
{
    if (major >= 17)
        text_add_string(sql, "SET LOCAL transaction_timeout = 0; ");
    text_add_string(sql, SETTINGS);
}

/* As an element of an array. */
static void add_name(const char *name, struct text *out)
{
    text_add_string(out, out->length == 1 ? "\"" : ",\"");
    for (; *name != '\0'; name++) {
        if (*name == '"' || *name == '\\')
            text_add_string(out, "\\");
        text_add(out, name, 1);
    }
    text_add_string(out, "\"");
}

/* What the ledgers of all dialects are called: who compares databases need not say whose they are. */
static void add_names(const struct dialect *dialect, struct text *out)
{
    text_add_string(out, "{");
    add_name(dialect->ledger_name, out);
    for (size_t i = 0; DIALECTS[i] != NULL; i++)
        add_name(DIALECTS[i]->ledger_name, out);
    text_add_string(out, "}");
}

void catalog_add_neighbour(const struct catalog_request *wanted, const char *oid, struct text *sql)
{
    text_add_string(sql, oid);
    text_add_string(sql, EQ "ANY (SELECT l.relnamespace FROM pg_catalog.pg_class AS l WHERE l.relkind" EQ
                            "'r' AND l.relname" EQ);
    quote_literal(wanted->dialect->ledger_name, sql);
    text_add_string(sql, "::pg_catalog.name AND l.relnamespace" NE
                         "COALESCE((SELECT o.oid FROM pg_catalog.pg_namespace AS o WHERE o.nspname" EQ);
    quote_literal(wanted->own_schema, sql);
    text_add_string(sql, "), 0))");
}

/* Which schemas are read: that one, or all but the neighbours. */
static void add_choice(const struct catalog_request *wanted, struct text *sql)
{
    if (wanted->alone != NULL) {
        text_add_string(sql, " AND n.nspname" EQ);
        quote_literal(wanted->alone, sql);
    } else if (wanted->own_schema != NULL) {
        text_add_string(sql, " AND NOT (");
        catalog_add_neighbour(wanted, "n.oid", sql);
        text_add_string(sql, ")");
    }
}

size_t catalog_add_settings(const struct catalog_request *wanted, const struct catalog_extent *extent,
                            struct text *sql)
{
    auto_text struct text names = text_init(NAMES_MOST);

    add_names(wanted->dialect, &names);
    catalog_add_session(extent->major, sql);
    text_add_string(sql, "; SET LOCAL " CATALOG_LEDGER_NAMES " = ");
    quote_literal(names.at, sql);
    text_add_string(sql, "; " PEOPLE);
    add_choice(wanted, sql);
    text_add_string(sql, PEOPLE_END "; " LEFT_OUT);
    if (!extent->is_narrow)
        return CATALOG_SETTINGS_MOST - 1;
    text_add_string(sql, "; " OIDS_WITHIN);
    return CATALOG_SETTINGS_MOST;
}

void catalog_add_setting_form(const char *alone, struct text *sql)
{
    text_add_string(sql, PEOPLE PEOPLE_END "; " LEFT_OUT);
    if (alone == NULL)
        return;
    text_add_string(sql, "; " OIDS_WITHIN "; SELECT ");
    quote_literal(alone, sql);
}
