#include "schema/catalog.h"

#include <string.h>

#include "base/patience.h"
#include "postgres/query.h"
#include "schema/catalog_setting.h"
#include "schema/catalog_sql.h"

enum { SQL_MOST = 256 * 1024, QUERIES_MOST = 96, PATIENCE_MS = 3000, PAUSE_MS = 50 };

static const struct catalog_query *const TABLES[] = { CATALOG_RELATIONS, CATALOG_OBJECTS, CATALOG_EXTENDING,
                                                      CATALOG_REMOTE, CATALOG_ACCESS };

static bool is_for(const struct catalog_query *query, const struct catalog_extent *extent)
{
    return extent->major >= query->since && (query->until == 0 || extent->major <= query->until) &&
           query->scope != (extent->is_alone ? SCOPE_DATABASE : SCOPE_SCHEMA);
}

/* Adds a query or a question, with or without what only a narrow one says. */
static void add_for_extent(const char *query, const struct catalog_extent *extent, struct text *sql)
{
    const char *begin;

    while (!extent->is_narrow && (begin = strstr(query, NARROW_BEGIN)) != NULL) {
        text_add(sql, query, (size_t)(begin - query));
        query = strstr(begin, NARROW_END) + strlen(NARROW_END);
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

static void list_questions(const struct catalog_extent *extent, struct kinds *out)
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
static size_t add_queries(const struct catalog_extent *extent, const struct kinds *kinds, bool takes_locks,
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

void catalog_form(int major, const char *alone, char hex[SHA256_HEX_SIZE])
{
    const struct catalog_extent extent = { major, alone != NULL, alone != NULL };
    auto_text struct text sql = text_init(SQL_MOST);
    struct kinds kinds;

    catalog_add_setting_form(alone, &sql);
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
    struct catalog_extent extent;
    struct facts *out;
    struct kinds kinds;
    bool is_looked_for; /* they are known */
    struct patience patience;
};

/* Some queries, each behind a semicolon, in a transaction of their own. */
static bool ask(struct reading *reading, const char *queries, size_t count, struct error *err)
{
    struct result *rows[CATALOG_SETTINGS_MOST + QUERIES_MOST] = { NULL };
    auto_text struct text sql = text_init(SQL_MOST);
    bool is_read;

    count += catalog_add_settings(reading->wanted, &reading->extent, &sql);
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

/* How many tables, indexes and the like there are to look at, but for the server's own of long values; and
 * whether to look for what there is, or, where these are few of many, in another way. */
#define COUNTED_NARROW                                                                                       \
    " FROM (SELECT (SELECT pg_catalog.count(*) FROM pg_catalog.unnest(" OIDS_OF(CATALOG_RELATIONS_WITHIN) "))" \
    " OPERATOR(pg_catalog.+) (SELECT pg_catalog.count(*) FROM pg_catalog.pg_index AS i WHERE i.indrelid" EQ  \
    "ANY (" OIDS_OF(CATALOG_RELATIONS_WITHIN) ")), true) AS w (own, is_asked)"
#define COUNTED                                                                                              \
    " FROM (SELECT f.own, f.total OPERATOR(pg_catalog.<) 10000 OR"                                           \
    " f.own OPERATOR(pg_catalog.*) 4 OPERATOR(pg_catalog.>) f.total FROM ("                                  \
    "SELECT pg_catalog.count(*) FILTER (WHERE NOT ("
#define COUNTED_END                                                                                          \
    ")), pg_catalog.count(*) FROM pg_catalog.pg_class AS c WHERE c.relnamespace" NE                          \
    "'pg_toast'::pg_catalog.regnamespace) AS f (own, total)) AS w (own, is_asked)"

static void add_count(const struct reading *reading, struct text *sql)
{
    text_add_string(sql, COUNTED);
    if (reading->wanted->own_schema == NULL)
        text_add_string(sql, "false");
    else
        catalog_add_neighbour(reading->wanted, "c.relnamespace", sql);
    text_add_string(sql, COUNTED_END);
}

/* Asks how many there are, and what there is; how many answers that has. */
static size_t add_look(const struct reading *reading, struct text *sql)
{
    const struct kinds *kinds = &reading->kinds;
    size_t settings = 0;

    if (reading->extent.is_narrow)
        settings = catalog_add_settings(reading->wanted, &reading->extent, sql);
    else
        catalog_add_session(reading->extent.major, sql);
    text_add_string(sql, "; SELECT w.own, w.is_asked");
    for (size_t i = 0; i < kinds->count; i++) {
        text_add_string(sql, ", w.is_asked AND EXISTS (");
        add_for_extent(kinds->asked[i], &reading->extent, sql);
        text_add_string(sql, ")");
    }
    if (reading->extent.is_narrow)
        text_add_string(sql, COUNTED_NARROW);
    else
        add_count(reading, sql);
    return settings + 1;
}

/* Most databases have few of the kinds: what to ask of the others costs the server more than to look. */
static bool look_for_kinds(struct reading *reading, struct error *err)
{
    struct result *rows[CATALOG_SETTINGS_MOST + 1] = { NULL };
    auto_text struct text sql = text_init(SQL_MOST);
    struct kinds *kinds = &reading->kinds;
    const struct result *found;
    size_t count;
    bool is_read;

    list_questions(&reading->extent, kinds);
    count = add_look(reading, &sql);
    is_read = query_several(reading->conn, &(const struct query) { .name = "facts_kinds", .sql = sql.at },
                            rows, count, err);
    if (is_read) {
        found = rows[count - 1];
        reading->out->are_too_many = reading->wanted->relations_most > 0 &&
                                     result_number(found, 0, 0) > reading->wanted->relations_most;
        reading->is_looked_for = result_bool(found, 0, 1);
        for (size_t i = 0; i < kinds->count; i++)
            kinds->is_there[i] = result_bool(found, 0, (int)i + 2);
    }
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

static bool find_kinds(struct reading *reading, struct error *err)
{
    while (!look_for_kinds(reading, err)) {
        if (!may_ask_again(reading, err))
            return false;
    }
    if (reading->is_looked_for || reading->out->are_too_many)
        return true;
    reading->extent.is_narrow = true;
    return find_kinds(reading, err);
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
        .extent = { connection_server_version(conn) / 10000, wanted->alone != NULL, wanted->alone != NULL },
        .out = out,
        .patience = { .until = deadline_in(PATIENCE_MS) },
    };

    *out = (struct facts) { .major = reading.extent.major };
    if (!find_kinds(&reading, err))
        return false;
    if (out->are_too_many)
        return true;
    if (!ask_for(&reading, false, err) || !ask_for(&reading, true, err))
        return false;
    facts_sort(out);
    return true;
}
