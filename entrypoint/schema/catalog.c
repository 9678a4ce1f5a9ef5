#include "schema/catalog.h"

#include <string.h>

#include "base/patience.h"
#include "postgres/query.h"
#include "schema/catalog_sql.h"
#include "sql/quote.h"

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
    " (SELECT FROM pg_catalog.pg_class AS j WHERE j.relnamespace" EQ "n.oid AND j.relname" EQ "'intent'))"
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

enum { SQL_MOST = 256 * 1024, QUERIES_MOST = 96, SETTINGS_MOST = 3, PATIENCE_MS = 3000, PAUSE_MS = 50 };

static const struct catalog_query *const TABLES[] = { CATALOG_RELATIONS, CATALOG_OBJECTS, CATALOG_EXTENDING,
                                                      CATALOG_REMOTE, CATALOG_ACCESS };

/* Of which server, and how much of it: of one schema alone, or all. */
struct extent {
    int major;
    bool is_alone;
};

static bool is_for(const struct catalog_query *query, const struct extent *extent)
{
    return extent->major >= query->since && (query->until == 0 || extent->major <= query->until) &&
           query->scope != (extent->is_alone ? SCOPE_DATABASE : SCOPE_SCHEMA);
}

/* Adds a query or a question, without what is only said of one schema alone unless that is asked for. */
static void add_for_extent(const char *query, const struct extent *extent, struct text *sql)
{
    const char *begin;

    while (!extent->is_alone && (begin = strstr(query, ALONE_BEGIN)) != NULL) {
        text_add(sql, query, (size_t)(begin - query));
        query = strstr(begin, ALONE_END) + strlen(ALONE_END);
    }
    text_add_string(sql, query);
}

/* The questions of if_any for that version, each once, and their answers. */
struct kinds {
    const char *asked[QUERIES_MOST];
    bool is_there[QUERIES_MOST];
    size_t count;
};

static bool is_asked(const struct kinds *kinds, const char *question, size_t *at)
{
    for (size_t i = 0; i < kinds->count; i++) {
        if (strcmp(kinds->asked[i], question) == 0) {
            *at = i;
            return true;
        }
    }
    return false;
}

static void list_questions(const struct extent *extent, struct kinds *out)
{
    size_t at;

    *out = (struct kinds) { .count = 0 };
    for (size_t i = 0; i < array_length(TABLES); i++) {
        for (const struct catalog_query *query = TABLES[i]; query->sql != NULL; query++) {
            if (is_for(query, extent) && query->if_any != NULL && out->count < QUERIES_MOST &&
                !is_asked(out, query->if_any, &at))
                out->asked[out->count++] = query->if_any;
        }
    }
}

static bool finds_nothing(const struct catalog_query *query, const struct kinds *kinds)
{
    size_t at;

    return kinds != NULL && query->if_any != NULL && is_asked(kinds, query->if_any, &at) &&
           !kinds->is_there[at];
}

/* Adds the queries that take locks, or those that take none; how many. Those that
 * would find nothing are left out, unless `kinds` is NULL. */
static size_t add_queries(const struct extent *extent, const struct kinds *kinds, bool takes_locks,
                          struct text *sql)
{
    size_t count = 0;

    for (size_t i = 0; i < array_length(TABLES); i++) {
        for (const struct catalog_query *query = TABLES[i]; query->sql != NULL; query++) {
            if (!is_for(query, extent) || query->takes_locks != takes_locks || count == QUERIES_MOST ||
                finds_nothing(query, kinds))
                continue;
            text_add_string(sql, "; ");
            add_for_extent(query->sql, extent, sql);
            count++;
        }
    }
    return count;
}

/* In a database without an encoding texts may be anything. */
static const char *valid(struct arena *arena, const char *value)
{
    auto_text struct text text = text_init(SIZE_MAX);
    size_t bad;

    if (utf8_is_valid(value, strlen(value), &bad))
        return value;
    text_add_valid(&text, value, strlen(value));
    return arena_copy(arena, text.at, text.length);
}

static void add_facts(struct arena *arena, const struct result *rows, struct facts *out)
{
    for (int i = 0; i < result_rows(rows); i++)
        facts_add(arena, out,
                  &(struct fact) { .kind = result_text(rows, i, 0),
                                   .name = valid(arena, result_text(rows, i, 1)),
                                   .definition = valid(arena, result_text(rows, i, 2)) });
}

static void add_session(int major, struct text *sql)
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

/* Which schemas are read: that one, or all but those with a ledger of somebody else's. */
static void add_choice(const struct catalog_request *wanted, struct text *sql)
{
    if (wanted->alone != NULL) {
        text_add_string(sql, " AND n.nspname" EQ);
        quote_literal(wanted->alone, sql);
        return;
    }
    if (wanted->own_schema == NULL)
        return;
    text_add_string(sql, " AND NOT (n.nspname" NE);
    quote_literal(wanted->own_schema, sql);
    text_add_string(sql, " AND EXISTS (SELECT FROM pg_catalog.pg_class AS l WHERE l.relnamespace" EQ
                         "n.oid AND l.relkind" EQ "'r' AND l.relname" EQ);
    quote_literal(wanted->dialect->ledger_name, sql);
    text_add_string(sql, "::pg_catalog.name))");
}

/* Sets what is read; the answers have no rows: how many there are. */
static size_t add_settings(const struct catalog_request *wanted, int major, struct text *sql)
{
    auto_text struct text names = text_init(SQL_MOST);

    add_names(wanted->dialect, &names);
    add_session(major, sql);
    text_add_string(sql, "; SET LOCAL " CATALOG_LEDGER_NAMES " = ");
    quote_literal(names.at, sql);
    text_add_string(sql, "; " PEOPLE);
    add_choice(wanted, sql);
    text_add_string(sql, PEOPLE_END "; " LEFT_OUT);
    if (wanted->alone == NULL)
        return SETTINGS_MOST - 1;
    text_add_string(sql, "; " OIDS_WITHIN);
    return SETTINGS_MOST;
}

void catalog_form(int major, bool is_alone, char hex[SHA256_HEX_SIZE])
{
    const struct extent extent = { major, is_alone };
    auto_text struct text sql = text_init(SQL_MOST);
    struct kinds kinds;

    text_add_string(&sql, PEOPLE PEOPLE_END "; " LEFT_OUT);
    if (is_alone)
        text_add_string(&sql, "; " OIDS_WITHIN);
    (void)add_queries(&extent, NULL, false, &sql);
    (void)add_queries(&extent, NULL, true, &sql);
    list_questions(&extent, &kinds);
    for (size_t i = 0; i < kinds.count; i++) {
        text_add_string(&sql, "; ");
        add_for_extent(kinds.asked[i], &extent, &sql);
    }
    sha256_of(text_slice(&sql), hex);
}

bool catalog_find_neighbours(struct arena *arena, struct connection *conn,
                             const struct catalog_request *wanted, struct neighbours *out, struct error *err)
{
    static const struct query others = {
        .name = "facts_neighbours",
        .parameters = 2,
        .sql =
            "SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_namespace AS n"
            " JOIN pg_catalog.pg_class AS l ON l.relnamespace" EQ "n.oid AND l.relkind" EQ
            "'r' AND l.relname" EQ "$2::pg_catalog.name WHERE n.nspname" NE "$1::pg_catalog.name",
    };
    const char *const values[] = { wanted->own_schema, wanted->dialect->ledger_name };
    auto_result struct result *rows = NULL;

    if (!query_run(conn, &others, values, &rows, err))
        return false;
    *out = (struct neighbours) { .count = (size_t)result_rows(rows) };
    out->schemas = arena_alloc(arena, out->count, sizeof *out->schemas);
    for (size_t i = 0; i < out->count; i++)
        out->schemas[i] =
            arena_copy(arena, result_text(rows, (int)i, 0), strlen(result_text(rows, (int)i, 0)));
    return true;
}

struct reading {
    struct arena *arena;
    struct connection *conn;
    const struct catalog_request *wanted;
    struct extent extent;
    struct facts *out;
    struct kinds kinds;
    struct patience patience;
};

/* Some queries, each behind a semicolon, in a transaction of their own. */
static bool ask(struct reading *reading, const char *queries, size_t count, struct error *err)
{
    struct result *rows[SETTINGS_MOST + QUERIES_MOST] = { NULL };
    auto_text struct text sql = text_init(SQL_MOST);
    bool is_read;

    count += add_settings(reading->wanted, reading->extent.major, &sql);
    text_add_string(&sql, queries);
    is_read = query_several(reading->conn, &(const struct query) { .name = "facts", .sql = sql.at }, rows,
                            count, err);
    for (size_t i = 0; i < count; i++) {
        if (is_read)
            add_facts(reading->arena, rows[i], reading->out);
        result_free(rows[i]);
    }
    return is_read;
}

/* Adds the beginning of the question what there is: how many tables, indexes and the like; how many answers
 * there will be. */
static size_t add_count(const struct reading *reading, struct text *sql)
{
    if (!reading->extent.is_alone) {
        add_session(reading->extent.major, sql);
        text_add_string(sql, "; SELECT (SELECT pg_catalog.count(*) FROM pg_catalog.pg_class)");
        return 1;
    }
    size_t settings = add_settings(reading->wanted, reading->extent.major, sql);

    text_add_string(sql, "; SELECT (SELECT pg_catalog.count(*) FROM pg_catalog.unnest(" OIDS_OF(
                             CATALOG_RELATIONS_WITHIN) ")) OPERATOR(pg_catalog.+) (SELECT pg_catalog.count(*)"
                         " FROM pg_catalog.pg_index AS i WHERE i.indrelid" EQ "ANY (" OIDS_OF(
                             CATALOG_RELATIONS_WITHIN) "))");
    return settings + 1;
}

/* Most databases have few of the kinds: what to ask of the others costs the server more than to look. */
static bool look_for_kinds(struct reading *reading, struct error *err)
{
    struct result *rows[SETTINGS_MOST + 1] = { NULL };
    auto_text struct text sql = text_init(SQL_MOST);
    struct kinds *kinds = &reading->kinds;
    size_t count = add_count(reading, &sql);
    const struct result *found;
    bool is_read;

    list_questions(&reading->extent, kinds);
    for (size_t i = 0; i < kinds->count; i++) {
        text_add_string(&sql, ", EXISTS (");
        add_for_extent(kinds->asked[i], &reading->extent, &sql);
        text_add_string(&sql, ")");
    }
    is_read = query_several(reading->conn, &(const struct query) { .name = "facts_kinds", .sql = sql.at },
                            rows, count, err);
    found = rows[count - 1];
    for (size_t i = 0; is_read && i < kinds->count; i++)
        kinds->is_there[i] = result_bool(found, 0, (int)i + 1);
    reading->out->are_too_many = is_read && reading->wanted->relations_most > 0 &&
                                 result_number(found, 0, 0) > reading->wanted->relations_most;
    for (size_t i = 0; i < count; i++)
        result_free(rows[i]);
    return is_read;
}

/* The server's functions look at the catalog as it is now, the queries as it was: of what was dropped in
 * between they say "cache lookup failed" or "does not exist". */
static bool was_dropped(const struct error *err)
{
    return strcmp(err->sqlstate, "XX000") == 0 || strcmp(err->sqlstate, "42P01") == 0 ||
           strcmp(err->sqlstate, "42704") == 0;
}

static bool may_ask_again(struct reading *reading, struct error *err)
{
    bool may_help = err->class == ERROR_TABLE_LOCK || was_dropped(err);

    return may_help && !patience_is_over(&reading->patience) &&
           patience_pause(&reading->patience, PAUSE_MS, err);
}

/* Those that take locks come last, so that these are held for as short a time as possible. */
static bool ask_for(struct reading *reading, bool takes_locks, struct error *err)
{
    auto_text struct text sql = text_init(SQL_MOST);
    size_t count = add_queries(&reading->extent, &reading->kinds, takes_locks, &sql);

    while (count > 0 && !ask(reading, sql.at, count, err)) {
        if (!may_ask_again(reading, err))
            return false;
    }
    return true;
}

bool catalog_read(struct arena *arena, struct connection *conn, const struct catalog_request *wanted,
                  struct facts *out, struct error *err)
{
    struct reading reading = {
        .arena = arena,
        .conn = conn,
        .wanted = wanted,
        .extent = { connection_server_version(conn) / 10000, wanted->alone != NULL },
        .out = out,
        .patience = { .until = deadline_in(PATIENCE_MS) },
    };

    *out = (struct facts) { .major = reading.extent.major };
    while (!look_for_kinds(&reading, err)) {
        if (!may_ask_again(&reading, err))
            return false;
    }
    if (out->are_too_many)
        return true;
    if (!ask_for(&reading, false, err) || !ask_for(&reading, true, err))
        return false;
    facts_sort(out);
    return true;
}
