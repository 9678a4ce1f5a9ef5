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

/* A database without an encoding holds bytes, which the server would refuse to call UTF-8.
 *
 * The schemas that people use: not the server's, nor the journal of a ledger, nor the mark of a shadow. More
 * conditions may stand between the two. */
#define PEOPLE                                                                                               \
    "SELECT '', '', '' WHERE pg_catalog.concat(pg_catalog.set_config('client_encoding', CASE WHEN"           \
    "  pg_catalog.current_setting('server_encoding')" EQ                                                     \
    "'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END,"                                                          \
    "  true), pg_catalog.set_config('" CATALOG_PEOPLE                                                        \
    "', (SELECT COALESCE(pg_catalog.array_agg(n.oid), '{}')::pg_catalog.text"                                \
    " FROM pg_catalog.pg_namespace AS n WHERE n.nspname OPERATOR(pg_catalog.!~) '^pg_' AND n.nspname" NE     \
    "ALL ('{information_schema,tidelock,tidelock_shadow}'::pg_catalog.name[])"                               \
    " AND NOT (n.nspname OPERATOR(pg_catalog.~) '^tidelock_' AND EXISTS"                                     \
    " (SELECT FROM pg_catalog.pg_class AS j WHERE j.relnamespace" EQ "n.oid AND j.relname" EQ "'intent'))"
#define PEOPLE_END                                                                                           \
    "), true), pg_catalog.set_config('" CATALOG_LEDGERS                                                      \
    "', (SELECT COALESCE(pg_catalog.array_agg(l.oid), '{}')::pg_catalog.text FROM pg_catalog.pg_class AS l"  \
    "  LEFT JOIN pg_catalog.pg_depend AS d ON l.relkind" EQ "'S' AND d.classid" EQ                           \
    "'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid" EQ "l.oid AND d.refclassid" EQ                  \
    "d.classid"                                                                                              \
    "   AND d.deptype" EQ                                                                                    \
    "ANY ('{a,i}'::pg_catalog.\"char\"[])"                                                                   \
    "  LEFT JOIN pg_catalog.pg_class AS o ON o.oid" EQ                                                       \
    "d.refobjid"                                                                                             \
    " WHERE l.relname" EQ LEDGER_NAMES " OR o.relname" EQ LEDGER_NAMES "), true)) IS NULL"

enum { SQL_MOST = 256 * 1024, QUERIES_MOST = 96, PATIENCE_MS = 3000, PAUSE_MS = 50 };

static const struct catalog_query *const TABLES[] = { CATALOG_RELATIONS, CATALOG_OBJECTS, CATALOG_EXTENDING,
                                                      CATALOG_REMOTE, CATALOG_ACCESS };

static bool is_for(const struct catalog_query *query, int major)
{
    return major >= query->since && (query->until == 0 || major <= query->until);
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

static void list_questions(int major, struct kinds *out)
{
    size_t at;

    *out = (struct kinds) { .count = 0 };
    for (size_t i = 0; i < array_length(TABLES); i++) {
        for (const struct catalog_query *query = TABLES[i]; query->sql != NULL; query++) {
            if (is_for(query, major) && query->if_any != NULL && out->count < QUERIES_MOST &&
                !is_asked(out, query->if_any, &at))
                out->asked[out->count++] = query->if_any;
        }
    }
}

/* A function of its own: the lint of our SQL knows by its name what is added. */
static void add_question(const char *question, struct text *sql)
{
    text_add_string(sql, question);
}

static bool finds_nothing(const struct catalog_query *query, const struct kinds *kinds)
{
    size_t at;

    return kinds != NULL && query->if_any != NULL && is_asked(kinds, query->if_any, &at) &&
           !kinds->is_there[at];
}

/* Adds the queries for that major version that take locks, or those that take none; how many. Those that
 * would find nothing are left out, unless `kinds` is NULL. */
static size_t add_queries(int major, const struct kinds *kinds, bool takes_locks, struct text *sql)
{
    size_t count = 0;

    for (size_t i = 0; i < array_length(TABLES); i++) {
        for (const struct catalog_query *query = TABLES[i]; query->sql != NULL; query++) {
            if (!is_for(query, major) || query->takes_locks != takes_locks || count == QUERIES_MOST ||
                finds_nothing(query, kinds))
                continue;
            text_add_format(sql, "; %s", query->sql);
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

/* Sets which schemas people use, and returns no rows. */
static void add_settings(const struct catalog_request *wanted, int major, struct text *sql)
{
    auto_text struct text names = text_init(SQL_MOST);

    add_names(wanted->dialect, &names);
    add_session(major, sql);
    text_add_string(sql, "; SET LOCAL " CATALOG_LEDGER_NAMES " = ");
    quote_literal(names.at, sql);
    text_add_string(sql, "; " PEOPLE " AND NOT (n.nspname" NE);
    quote_literal(wanted->own_schema == NULL ? "" : wanted->own_schema, sql);
    text_add_format(sql,
                    " AND %s AND EXISTS (SELECT FROM pg_catalog.pg_class AS l WHERE l.relnamespace" EQ
                    "n.oid AND l.relkind" EQ "'r' AND l.relname" EQ,
                    wanted->own_schema == NULL ? "false" : "true");
    quote_literal(wanted->dialect->ledger_name, sql);
    text_add_string(sql, "::pg_catalog.name))" PEOPLE_END);
}

void catalog_form(int major, char hex[SHA256_HEX_SIZE])
{
    auto_text struct text sql = text_init(SQL_MOST);
    struct kinds kinds;

    text_add_string(&sql, PEOPLE PEOPLE_END);
    (void)add_queries(major, NULL, false, &sql);
    (void)add_queries(major, NULL, true, &sql);
    list_questions(major, &kinds);
    for (size_t i = 0; i < kinds.count; i++) {
        text_add_string(&sql, "; ");
        add_question(kinds.asked[i], &sql);
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
    struct facts *out;
    struct kinds kinds;
    struct patience patience;
};

/* Some queries, each behind a semicolon, in a transaction of their own. */
static bool ask(struct reading *reading, const char *queries, size_t count, struct error *err)
{
    struct result *rows[1 + QUERIES_MOST] = { NULL };
    auto_text struct text sql = text_init(SQL_MOST);
    bool is_read;

    add_settings(reading->wanted, reading->out->major, &sql);
    text_add_string(&sql, queries);
    is_read = query_several(reading->conn, &(const struct query) { .name = "facts", .sql = sql.at }, rows,
                            1 + count, err);
    for (size_t i = 0; i < 1 + count; i++) {
        if (is_read)
            add_facts(reading->arena, rows[i], reading->out);
        result_free(rows[i]);
    }
    return is_read;
}

/* Most databases have few of the kinds: what to ask of the others costs the server more than to look. */
static bool look_for_kinds(struct reading *reading, struct error *err)
{
    auto_text struct text sql = text_init(SQL_MOST);
    auto_result struct result *row = NULL;
    struct kinds *kinds = &reading->kinds;

    list_questions(reading->out->major, kinds);
    add_session(reading->out->major, &sql);
    text_add_string(&sql, "; SELECT (SELECT pg_catalog.count(*) FROM pg_catalog.pg_class)");
    for (size_t i = 0; i < kinds->count; i++) {
        text_add_string(&sql, ", EXISTS (");
        add_question(kinds->asked[i], &sql);
        text_add_string(&sql, ")");
    }
    if (!query_several(reading->conn, &(const struct query) { .name = "facts_kinds", .sql = sql.at }, &row, 1,
                       err))
        return false;
    for (size_t i = 0; i < kinds->count; i++)
        kinds->is_there[i] = result_bool(row, 0, (int)i + 1);
    reading->out->are_too_many =
        reading->wanted->relations_most > 0 && result_number(row, 0, 0) > reading->wanted->relations_most;
    return true;
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
    size_t count = add_queries(reading->out->major, &reading->kinds, takes_locks, &sql);

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
        .out = out,
        .patience = { .until = deadline_in(PATIENCE_MS) },
    };

    *out = (struct facts) { .major = connection_server_version(conn) / 10000 };
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
