#include "history/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "dialect/attempts.h"
#include "dialect/known_ledger.h"
#include "history/attempts.h"
#include "history/guard.h"
#include "history/other_ledger.h"
#include "history/rows.h"
#include "postgres/denial.h"
#include "sql/quote.h"

enum { QUERY_MOST = 32 * 1024 };

/* In this order. */
enum { RESULT_SESSION, RESULT_FLOORS, RESULT_GUARD, RESULT_ROWS, LEDGER_RESULTS };

/* What the session is like, and the first schema of its search_path that exists: a ledger that is not there
 * yet would be created in it. Nothing here is read from a table, since each that a new session reads costs it
 * more than the rest of a statement. */
#define SESSION_QUERY                                                                                                        \
    "SELECT pg_catalog.current_database(), pg_catalog.current_setting('transaction_read_only') OPERATOR(pg_catalog.=) 'on'," \
    " pg_catalog.current_setting('standard_conforming_strings') OPERATOR(pg_catalog.=) 'on',"                                \
    " pg_catalog.current_schema(), pg_catalog.pg_backend_pid(), CURRENT_USER,"                                               \
    " pg_catalog.current_setting('synchronous_standby_names') OPERATOR(pg_catalog.<>) '',"                                   \
    " COALESCE(pg_catalog.current_setting('pgaudit.log', true), 'none') OPERATOR(pg_catalog.<>) 'none';"

/* Of its row. */
enum {
    SESSION_DATABASE,
    SESSION_IS_READ_ONLY,
    SESSION_HAS_STANDARD_STRINGS,
    SESSION_SCHEMA,
    SESSION_PID,
    SESSION_ROLE,
    SESSION_WAITS_FOR_STANDBY,
    SESSION_IS_AUDITED
};

/* The text with the table's name in it. */
static void add_sql(const char *sql, const char *table, struct text *out)
{
    text_add_filled(out, sql, "{ledger}", table);
}

static const char *qualified(struct arena *arena, const struct dialect *dialect, const char *schema)
{
    auto_text struct text name = text_init(QUERY_MOST);

    if (schema != NULL) {
        quote_identifier(schema, &name);
        text_add_string(&name, ".");
    }
    if (dialect->ledger_name[strspn(dialect->ledger_name, "abcdefghijklmnopqrstuvwxyz_0123456789")] == '\0')
        text_add_string(&name, dialect->ledger_name);
    else
        quote_identifier(dialect->ledger_name, &name);
    return arena_copy(arena, name.at, name.length);
}

static char *copy_value(struct arena *arena, const struct result *result, int row, int column)
{
    const char *value;

    if (result_is_null(result, row, column))
        return NULL;
    value = result_text(result, row, column);
    return arena_copy(arena, value, strlen(value));
}

/* The last that is applied. */
static void note_anchor(const struct ledger_row *row, struct ledger *out)
{
    if (row->is_finished && row->id != NULL && strlen(row->id) < sizeof out->anchor)
        text_copy_cut(out->anchor, sizeof out->anchor, row->id);
}

void ledger_take_rows(struct arena *arena, const struct result *result, struct ledger *out)
{
    int rows = result_rows(result);

    out->rows = arena_alloc(arena, (size_t)rows, sizeof *out->rows);
    out->count = (size_t)rows;
    out->size = (struct ledger_size) { .rows = out->count };
    for (int i = 0; i < rows; i++) {
        out->rows[i] = (struct ledger_row) {
            .name = copy_value(arena, result, i, COLUMN_NAME),
            .is_finished = result_bool(result, i, COLUMN_FINISHED),
            .is_rolled_back = result_bool(result, i, COLUMN_ROLLED_BACK),
            .checksum = copy_value(arena, result, i, COLUMN_CHECKSUM),
            .id = copy_value(arena, result, i, COLUMN_ID),
            .started_at = copy_value(arena, result, i, COLUMN_STARTED),
            .steps = result_number(result, i, COLUMN_STEPS),
            .logs = copy_value(arena, result, i, COLUMN_LOGS),
            .finished_at = copy_value(arena, result, i, COLUMN_FINISHED_AT),
            .took_ms = result_is_null(result, i, COLUMN_TOOK) ? -1 : result_number(result, i, COLUMN_TOOK),
        };
        out->rows[i].key = out->rows[i].name;
        note_anchor(&out->rows[i], out);
        out->size.finished += out->rows[i].is_finished;
        out->size.rolled_back += out->rows[i].is_rolled_back;
    }
    if (out->dialect->is_marker)
        out->size.finished = out->count == 0 ? 0 : (size_t)strtoull(out->rows[0].name, NULL, 10);
}

/* For what scripts are told. */
static void note_session(const struct ledger *ledger)
{
    struct script_session *session = ledger->folder->session;

    if (session == NULL || ledger->database == NULL || ledger->default_schema == NULL)
        return;
    text_copy_cut(session->database, sizeof session->database, ledger->database);
    text_copy_cut(session->schema, sizeof session->schema, ledger->default_schema);
    text_copy_cut(session->role, sizeof session->role, ledger->role);
    text_copy_cut(session->table, sizeof session->table, ledger->dialect->ledger_name);
}

/* The tool's own fixed one, or the URL's. */
static const char *schema_of(const struct ledger_request *wanted)
{
    const char *fixed = wanted->folder->dialect->ledger_schema;

    return fixed != NULL ? fixed : wanted->schema;
}

/* Where the ledger is; or would be, as far as the session tells. */
static char *schema_told(struct arena *arena, struct result *const results[LEDGER_RESULTS])
{
    const struct result *guarded = results[RESULT_GUARD];

    return guarded != NULL && result_rows(guarded) > 0
               ? guard_schema(arena, guarded)
               : copy_value(arena, results[RESULT_SESSION], 0, SESSION_SCHEMA);
}

static void read_session(struct arena *arena, const struct ledger_request *wanted,
                         struct result *const results[LEDGER_RESULTS], struct ledger *out)
{
    const struct result *session = results[RESULT_SESSION];
    const char *schema = schema_of(wanted);

    out->database = copy_value(arena, session, 0, SESSION_DATABASE);
    out->is_read_only = result_bool(session, 0, SESSION_IS_READ_ONLY);
    out->has_standard_strings = result_bool(session, 0, SESSION_HAS_STANDARD_STRINGS);
    out->backend_pid = (int)result_number(session, 0, SESSION_PID);
    out->role = copy_value(arena, session, 0, SESSION_ROLE);
    out->waits_for_standby = result_bool(session, 0, SESSION_WAITS_FOR_STANDBY);
    out->is_audited = result_bool(session, 0, SESSION_IS_AUDITED);
    out->schema = schema != NULL ? schema : schema_told(arena, results);
    if (out->dialect->ledger_schema == NULL)
        out->default_schema = out->schema;
    else
        out->default_schema =
            wanted->schema != NULL ? wanted->schema : copy_value(arena, session, 0, SESSION_SCHEMA);
    note_session(out);
}

static bool refuse_no_schema(struct error *err)
{
    error_set(err, ERROR_USAGE, "the session has no current schema: no schema in its search_path exists");
    return error_hint(err, "Add ?schema=NAME to the database URL, or set the role's search_path.");
}

static struct query prepare(struct arena *arena, const char *table, const struct ledger_write *write)
{
    auto_text struct text sql = text_init(QUERY_MOST);

    if (write->sql == NULL)
        return (struct query) { .name = NULL };
    add_sql(write->sql, table, &sql);
    return (struct query) { .name = write->name,
                            .sql = arena_copy(arena, sql.at, sql.length),
                            .parameters = write->count };
}

static void prepare_attempts(struct arena *arena, struct ledger *out)
{
    if (out->dialect->keeps_attempts)
        return;
    out->attempts = attempts_table(arena, out->schema, out->dialect->ledger_name);
    for (int i = 0; i < LEDGER_STATEMENTS; i++) {
        out->attempt_queries[i] = prepare(arena, out->attempts, &ATTEMPTS_LEDGER.writes[i]);
        out->attempt_queries[i].is_in_journal = true;
    }
    for (int i = CHECK_NONE + 1; i < LEDGER_CHECKS; i++) {
        out->attempt_checks[i] = prepare(arena, out->attempts, &ATTEMPTS_LEDGER.checks[i]);
        out->attempt_checks[i].is_in_journal = true;
    }
}

void ledger_prepare_queries(struct arena *arena, struct ledger *out)
{
    const struct ledger_sql *sql = out->dialect->ledger;
    const struct ledger_write row = { .name = "ledger_row", .sql = sql->row, .count = 2 };

    out->table = qualified(arena, out->dialect, out->schema);
    for (int i = 0; i < LEDGER_STATEMENTS; i++)
        out->queries[i] = prepare(arena, out->table, &sql->writes[i]);
    for (int i = CHECK_NONE + 1; i < LEDGER_CHECKS; i++)
        out->checks[i] = prepare(arena, out->table, &sql->checks[i]);
    out->row = prepare(arena, out->table, &row);
    prepare_attempts(arena, out);
}

static bool is_missing(const struct error *err)
{
    return strcmp(err->sqlstate, "42P01") == 0 || strcmp(err->sqlstate, "3F000") == 0;
}

static bool explain_read_failure(struct connection *conn, const struct dialect *dialect,
                                 const struct guard *guard, struct error *err)
{
    char said[sizeof err->message];

    /* Whoever will write to it needs all that these words stand for. */
    denial_explain(conn, guard->is_only_read ? "SELECT" : "SELECT insert, update, delete", err);
    if (strcmp(err->sqlstate, "42703") != 0 && strcmp(err->sqlstate, "42883") != 0)
        return guard_explain(conn, guard, err);
    /* A table of that name that the tool could not read, either. */
    memcpy(said, err->message, sizeof said);
    error_set(err, ERROR_REFUSED, "the table %s exists, but does not have the columns of %s's ledger",
              guard->table, dialect->tool);
    error_detail(err, "%s.", said);
    if (dialect->older_ledger_hint != NULL)
        return error_hint(err, "%s", dialect->older_ledger_hint);
    return error_hint(err, "Compare it with the ledger of a working database (\\d %s in psql).",
                      guard->table);
}

/* Asks about the session, the table's owner and whatever `sql` asks of the table, in one round trip. */
static bool ask(struct connection *conn, const struct guard *guard, const struct query *query,
                struct result *results[LEDGER_RESULTS], struct error *err)
{
    auto_text struct text sql = text_init(QUERY_MOST);
    auto_text struct text literal = text_init(QUERY_MOST);

    quote_literal(guard->table, &literal);
    text_add_string(&sql, SESSION_QUERY);
    floors_add_question(literal.at, &sql);
    guard_add(guard, &sql);
    add_sql(query->sql, guard->table, &sql);
    if (!query_several(conn, &(const struct query) { .name = query->name, .sql = sql.at }, results,
                       LEDGER_RESULTS, err))
        return false;
    if (results[RESULT_ROWS] != NULL)
        return true;
    error_set(err, ERROR_LOST, "the server answered only part of what was asked about the ledger");
    return error_code(err, "P1017");
}

static struct guard guard_of(struct arena *arena, const struct ledger_request *wanted, enum guard_use use)
{
    return (struct guard) { .table = qualified(arena, wanted->folder->dialect, schema_of(wanted)),
                            .is_schema_given = schema_of(wanted) != NULL,
                            .is_only_read = wanted->is_only_read,
                            .use = use,
                            .tells_shape = known_ledger_is_checked(wanted->folder->dialect->format) };
}

static void free_results(struct result *results[LEDGER_RESULTS])
{
    for (int i = 0; i < LEDGER_RESULTS; i++)
        result_free(results[i]);
}

/* A reading of the ledger: `place` is where it is looked for. */
struct question {
    struct query query;
    enum guard_use use;
    struct ledger_request place;
    struct guard guard;
};

static bool ask_there(struct arena *arena, struct connection *conn, struct question *question,
                      struct result *results[LEDGER_RESULTS], struct error *err)
{
    question->guard = guard_of(arena, &question->place, question->use);
    return ask(conn, &question->guard, &question->query, results, err);
}

/* Where only the first schema of the search_path counts, another one may have had a table of that name, or
 * one that keeps from reading it. */
static bool is_of_other_schema(struct arena *arena, const struct question *question,
                               struct result *const results[LEDGER_RESULTS], bool is_read,
                               const struct error *err)
{
    const struct result *session = results[RESULT_SESSION];

    if (question->place.folder->dialect->ledger_search == SEARCH_PATH ||
        schema_of(&question->place) != NULL || session == NULL || result_is_null(session, 0, SESSION_SCHEMA))
        return false;
    return (!is_read && !is_missing(err)) ||
           strcmp(schema_told(arena, results), result_text(session, 0, SESSION_SCHEMA)) != 0;
}

/* Most databases have one ledger: it is looked for in all of the search_path, and the answer says where it
 * is, and where it has to be. */
static bool ask_where_it_is(struct arena *arena, struct connection *conn, struct question *question,
                            struct result *results[LEDGER_RESULTS], struct error *err)
{
    const struct dialect *dialect = question->place.folder->dialect;
    bool is_read;

    if (schema_of(&question->place) == NULL)
        question->place.schema = dialect->first_schema;
    is_read = ask_there(arena, conn, question, results, err);
    if (!is_of_other_schema(arena, question, results, is_read, err))
        return is_read;
    question->place.schema = copy_value(arena, results[RESULT_SESSION], 0, SESSION_SCHEMA);
    free_results(results);
    return ask_there(arena, conn, question, results, err);
}

/* What is known before it is read. */
static struct ledger ledger_of(const struct ledger_request *wanted)
{
    return (struct ledger) { .folder = wanted->folder,
                             .dialect = wanted->folder->dialect,
                             .lock_key = wanted->folder->dialect->lock_key,
                             .is_schema_given = wanted->schema != NULL };
}

static const char *rows_text(const struct ledger_request *wanted)
{
    const struct ledger_sql *texts = wanted->folder->dialect->ledger;

    switch (wanted->depth) {
    case LEDGER_DETAILS:
        return texts->details;
    case LEDGER_CHECKSUMS:
        return texts->checksums;
    default:
        return texts->names;
    }
}

static void find_tool_keys(struct ledger *out)
{
    const struct ledger_place place = { out->database, out->schema, out->dialect->ledger_name };

    if (out->dialect->tool_keys_of != NULL)
        out->dialect->tool_keys_of(&place, &out->tool_keys);
}

/* `guarded` is the row of the guard, NULL if it did not come to that. */
static bool has_shape(struct connection *conn, const struct ledger_request *wanted, const struct guard *guard,
                      const struct result *guarded, struct error *err)
{
    return !guard->tells_shape || guarded == NULL ||
           other_ledger_check_shape(conn, wanted->folder->dialect, guarded, err);
}

bool ledger_read(struct arena *arena, struct connection *conn, const struct ledger_request *wanted,
                 struct ledger *out, struct error *err)
{
    auto_result struct result *session = NULL;
    auto_result struct result *floors = NULL;
    auto_result struct result *guarded = NULL;
    auto_result struct result *rows = NULL;
    struct question question = { .query = { .name = "ledger_read", .sql = rows_text(wanted) },
                                 .use = wanted->is_only_read ? GUARD_READ : GUARD_WRITE,
                                 .place = *wanted };
    struct result *results[LEDGER_RESULTS];
    bool is_read;

    *out = ledger_of(wanted);
    is_read = ask_where_it_is(arena, conn, &question, results, err);
    session = results[RESULT_SESSION];
    floors = results[RESULT_FLOORS];
    guarded = results[RESULT_GUARD];
    rows = results[RESULT_ROWS];
    out->exists = is_read;
    if (!has_shape(conn, wanted, &question.guard, guarded, err))
        return false;
    if (!is_read && (session == NULL || !is_missing(err)))
        return explain_read_failure(conn, wanted->folder->dialect, &question.guard, err);
    read_session(arena, &question.place, results, out);
    if (floors != NULL)
        out->floors = floors_take(arena, floors, out->schema);
    if (out->default_schema == NULL)
        return refuse_no_schema(err);
    if (is_read)
        ledger_take_rows(arena, rows, out);
    ledger_prepare_queries(arena, out);
    find_tool_keys(out);
    rows_expand(arena, out);
    if (!out->dialect->keeps_attempts && !attempts_read(arena, conn, wanted->depth, out, err))
        return false;
    rows_name(arena, out);
    return true;
}

bool ledger_glance(struct arena *arena, struct connection *conn, const struct ledger_request *wanted,
                   struct ledger *out, struct error *err)
{
    struct question question = { .query = { .name = "ledger_glance", .sql = rows_text(wanted) },
                                 .use = GUARD_GLANCE,
                                 .place = *wanted };
    struct result *results[LEDGER_RESULTS];
    bool is_read;
    bool is_ours;

    *out = ledger_of(wanted);
    is_read = ask_where_it_is(arena, conn, &question, results, err);
    if (!is_read && strcmp(err->sqlstate, "42501") == 0) {
        free_results(results);
        question.use = GUARD_READ;
        is_read = ask_there(arena, conn, &question, results, err);
    }
    out->exists = is_read;
    if (results[RESULT_SESSION] != NULL)
        read_session(arena, &question.place, results, out);
    if (results[RESULT_FLOORS] != NULL)
        out->floors = floors_take(arena, results[RESULT_FLOORS], out->schema);
    is_ours = has_shape(conn, wanted, &question.guard, results[RESULT_GUARD], err);
    if (is_read && is_ours) {
        ledger_take_rows(arena, results[RESULT_ROWS], out);
        rows_expand(arena, out);
        rows_name(arena, out);
    }
    free_results(results);
    if (!is_ours)
        return false;
    return is_read || is_missing(err) ||
           explain_read_failure(conn, wanted->folder->dialect, &question.guard, err);
}
