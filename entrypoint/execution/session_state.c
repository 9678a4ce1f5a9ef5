#include "execution/session_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "lock/beacon.h"
#include "postgres/advisory.h"
#include "sql/segment.h"
#include "sql/session_statement.h"

/* Before the script's role is set aside: who it works as. Ends with the transaction. */
static const struct query STASH = {
    .name = "session_stash",
    .sql =
        "SELECT pg_catalog.set_config('tidelock.role', pg_catalog.current_setting('role'), true),"
        " pg_catalog.set_config('tidelock.user', session_user::pg_catalog.text, true)",
};

/* What was set in this session, but for what ends with every transaction. Values are in the server's units.
 */
#define SET_HERE                                                                                             \
    " s.source OPERATOR(pg_catalog.=) 'session' AND NOT pg_catalog.starts_with(s.name, 'tidelock.')"         \
    " AND NOT (s.name OPERATOR(pg_catalog.=) ANY ('{transaction_isolation,transaction_read_only,"            \
    "transaction_deferrable}'::pg_catalog.text[]))"

/* Limits that are suspended and set again around some statements belong to it in any case. */
static const struct query BASELINE = {
    .name = "session_baseline",
    .sql =
        "SELECT (COALESCE(pg_catalog.jsonb_object_agg(s.name, s.setting), '{}') OPERATOR(pg_catalog.||)"
        "        pg_catalog.jsonb_build_object('tidelock.role', pg_catalog.current_setting('role'),"
        "                                      'tidelock.user', session_user::pg_catalog.text))::pg_catalog.text"
        "  FROM pg_catalog.pg_settings AS s WHERE" SET_HERE
        "    OR s.name OPERATOR(pg_catalog.=)"
        "       ANY ('{statement_timeout,transaction_timeout}'::pg_catalog.text[])",
};

/* What no other session can have; $6 is the leader lock's key, or null where no other advisory lock is looked
 * for. */
#define KEPT                                                                                                 \
    "(SELECT COALESCE(pg_catalog.jsonb_agg(DISTINCT pg_catalog.jsonb_build_array(k.kind, k.name)), '[]')"    \
    "   FROM (SELECT 'temporary table' AS kind, c.relname::pg_catalog.text AS name"                          \
    "           FROM pg_catalog.pg_class AS c"                                                               \
    "          WHERE pg_catalog.pg_my_temp_schema() OPERATOR(pg_catalog.<>) 0"                               \
    "            AND c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()"                   \
    "            AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,v,S,m,p,f}'::pg_catalog.\"char\"[])"          \
    "         UNION ALL SELECT 'temporary function', p.proname::pg_catalog.text"                             \
    "           FROM pg_catalog.pg_proc AS p"                                                                \
    "          WHERE pg_catalog.pg_my_temp_schema() OPERATOR(pg_catalog.<>) 0"                               \
    "            AND p.pronamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()"                   \
    "         UNION ALL SELECT 'prepared statement', e.name FROM pg_catalog.pg_prepared_statements AS e"     \
    "          WHERE e.from_sql"                                                                             \
    "         UNION ALL SELECT 'cursor', o.name FROM pg_catalog.pg_cursors AS o WHERE o.is_holdable"         \
    "         UNION ALL SELECT 'LISTEN', n FROM pg_catalog.pg_listening_channels() AS n"                     \
    "         UNION ALL SELECT 'advisory lock', 'advisory' FROM pg_catalog.pg_locks AS l"                    \
    "          WHERE $6::pg_catalog.int8 IS NOT NULL AND l.locktype OPERATOR(pg_catalog.=) 'advisory'"       \
    "            AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()"                               \
    "            AND l.classid OPERATOR(pg_catalog.<>) " BEACON_CLASS                                        \
    "            AND NOT (l.objsubid OPERATOR(pg_catalog.=) 1::pg_catalog.int2"                              \
    "                 AND ((l.classid::pg_catalog.int8 OPERATOR(pg_catalog.<<) 32)"                          \
    "                      OPERATOR(pg_catalog.|) l.objid::pg_catalog.int8)"                                 \
    "                     OPERATOR(pg_catalog.=) $6::pg_catalog.int8)) AS k)"

/* Null where it is that of the baseline: another user may resume, with a role of its own. */
#define OTHER(name)                                                                                          \
    "CASE WHEN NOT (pg_catalog.current_setting('" name                                                       \
    "') OPERATOR(pg_catalog.=)"                                                                              \
    " ($3::pg_catalog.jsonb OPERATOR(pg_catalog.->>) '" name "')) THEN pg_catalog.current_setting('" name    \
    "') END"

/* $3 is the baseline, $4 the lock_timeout that we have set since. */
#define STATE                                                                                                \
    "(SELECT pg_catalog.jsonb_build_object("                                                                 \
    "   'role', " OTHER("tidelock.role") ", 'user', " OTHER("tidelock.user") ","                             \
    "   'settings', COALESCE((SELECT pg_catalog.jsonb_object_agg(s.name, s.setting)"                         \
    "                           FROM pg_catalog.pg_settings AS s WHERE" SET_HERE                             \
    "    AND NOT (s.name OPERATOR(pg_catalog.=) 'lock_timeout'"                                              \
    "             AND s.setting OPERATOR(pg_catalog.=) $4::pg_catalog.text)"                                 \
    "    AND NOT COALESCE(s.setting OPERATOR(pg_catalog.=)"                                                  \
    "                     ($3::pg_catalog.jsonb OPERATOR(pg_catalog.->>) s.name), false)), '{}'),"           \
    "   'kept', " KEPT ") AS state)"

/* $1 is the ledger row, $2 the first statement of the transaction, $5 whether that is open. */
static const struct query NOTE = {
    .name = "session_note",
    .is_in_journal = true,
    .parameters = 6,
    .sql =
        "UPDATE {journal}.session AS t"
        "   SET state = CASE WHEN $5::pg_catalog.bool THEN t.state ELSE now.state END,"
        "       pending = CASE WHEN $5::pg_catalog.bool THEN now.state END,"
        "       pending_from = $2::pg_catalog.int4, updated_at = pg_catalog.clock_timestamp()"
        "  FROM " STATE
        " AS now"
        " WHERE t.ledger_id OPERATOR(pg_catalog.=) $1::pg_catalog.text"
        "   AND (NOT (t.state OPERATOR(pg_catalog.=) now.state) OR t.pending IS NOT NULL)"
        " RETURNING true",
};

static const struct query FIRST = {
    .name = "session_first",
    .is_in_journal = true,
    .parameters = 6,
    .sql =
        "INSERT INTO {journal}.session (ledger_id, state, pending_from)"
        " SELECT $1::pg_catalog.text, now.state, CASE WHEN $5::pg_catalog.bool THEN $2::pg_catalog.int4 END"
        "   FROM " STATE " AS now ON CONFLICT (ledger_id) DO NOTHING RETURNING true",
};

/* Whether what the session is like now is what was noted as pending. What a session alone can have is looked
 * at by name. */
static const struct query IS_PENDING = {
    .name = "session_is_pending",
    .is_in_journal = true,
    .parameters = 6,
    .sql =
        "SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*)::pg_catalog.int4 FROM {journal}.session AS t, " STATE
        " AS now WHERE t.ledger_id OPERATOR(pg_catalog.=) $1::pg_catalog.text AND $2::pg_catalog.int4 IS NOT NULL"
        "   AND $5::pg_catalog.bool AND (t.pending OPERATOR(pg_catalog.-) 'kept')"
        "                               OPERATOR(pg_catalog.=) (now.state OPERATOR(pg_catalog.-) 'kept')",
};

static const struct query READ = {
    .name = "session_read",
    .is_in_journal = true,
    .parameters = 1,
    .sql =
        "SELECT t.pending IS NOT NULL, t.pending_from, t.state OPERATOR(pg_catalog.->>) 'role',"
        "       t.state OPERATOR(pg_catalog.->>) 'user', k.value OPERATOR(pg_catalog.->>) 0,"
        "       k.value OPERATOR(pg_catalog.->>) 1"
        "  FROM {journal}.session AS t LEFT JOIN LATERAL pg_catalog.jsonb_array_elements("
        "         COALESCE(t.pending, t.state) OPERATOR(pg_catalog.->) 'kept') AS k (value) ON true"
        " WHERE t.ledger_id OPERATOR(pg_catalog.=) $1::pg_catalog.text",
};

/* All or nothing, and the role last: it may see less. */
static const struct query RESTORE[] = {
    { .name = "session_restore",
      .is_in_journal = true,
      .parameters = 1,
      .sql = "SELECT pg_catalog.count(pg_catalog.set_config(e.key, e.value, false))"
             "  FROM {journal}.session AS t,"
             "       pg_catalog.jsonb_each_text(t.state OPERATOR(pg_catalog.->) 'settings') AS e"
             " WHERE t.ledger_id OPERATOR(pg_catalog.=) $1::pg_catalog.text" },
    { .name = "session_restore_user",
      .parameters = 1,
      .sql = "SELECT CASE WHEN $1::pg_catalog.text IS NOT NULL"
             "            THEN pg_catalog.set_config('session_authorization', $1, false) END" },
    { .name = "session_restore_role",
      .parameters = 1,
      .sql = "SELECT CASE WHEN $1::pg_catalog.text IS NOT NULL"
             "            THEN pg_catalog.set_config('role', $1, false) END" },
};

static const struct query REINSTATE = {
    .name = "session_reinstate",
    .parameters = 3,
    .sql =
        "SELECT pg_catalog.count(pg_catalog.set_config(b.key,"
        "         CASE WHEN b.key OPERATOR(pg_catalog.=) 'lock_timeout' THEN $2 ELSE b.value END,"
        "         $3::pg_catalog.bool))"
        "  FROM pg_catalog.jsonb_each_text($1::pg_catalog.jsonb) AS b"
        "  JOIN pg_catalog.pg_settings AS s ON s.name OPERATOR(pg_catalog.=) b.key"
        " WHERE s.source OPERATOR(pg_catalog.<>) 'session'",
};

static const struct query BEGIN = { .name = "begin", .sql = "BEGIN" };
static const struct query COMMIT = { .name = "commit", .sql = "COMMIT" };

size_t session_state_add_stash(const struct execution *execution, struct batch_item *items)
{
    if (!execution->is_state_kept)
        return 0;
    items[0] = (struct batch_item) { .query = &STASH };
    return 1;
}

static struct batch_item item_of(const struct execution *execution, const struct query *query,
                                 bool is_pending, struct session_note *note)
{
    (void)snprintf(note->statement, sizeof note->statement, "%zu", execution->course.recorded);
    (void)snprintf(note->lock_timeout, sizeof note->lock_timeout, "%lld",
                   (long long)execution->lock_wait.lock_timeout_ms);
    note->parameters[0] = execution->id;
    note->parameters[1] = note->statement;
    note->parameters[2] = execution->baseline;
    note->parameters[3] = note->lock_timeout;
    note->parameters[4] = is_pending ? "true" : "false";
    note->parameters[5] = execution->has_advisory ? execution->ledger->lock_key : NULL;
    note->reinstate[0] = execution->baseline;
    note->reinstate[1] = note->lock_timeout;
    note->reinstate[2] = execution->mode == MODE_ATOMIC ? "true" : "false";
    return (struct batch_item) { .query = query, .parameters = note->parameters };
}

size_t session_state_add_note(const struct execution *execution, bool is_pending, struct session_note *note,
                              struct batch_item *items)
{
    struct batch_item item = item_of(execution, &NOTE, is_pending, note);
    size_t count = 0;

    if (execution->has_resets)
        items[count++] = (struct batch_item) { .query = &REINSTATE, .parameters = note->reinstate };
    if (execution->is_state_kept)
        items[count++] = item;
    return count;
}

/* Those queries in a transaction that looks at the session as the script left it; begun, unless it is open.
 */
static bool look(struct execution *execution, const struct batch_item *queries, size_t count, bool is_open,
                 struct error *err)
{
    struct batch_item items[4 + SESSION_ASIDES + 2];
    size_t at = 0;

    if (!is_open)
        items[at++] = (struct batch_item) { .query = &BEGIN };
    items[at++] = (struct batch_item) { .query = &ADVISORY_HOLD, .parameters = &execution->ledger->lock_key };
    items[at++] = (struct batch_item) { .query = &STASH };
    for (size_t i = 0; i < SESSION_ASIDES; i++)
        items[at++] = (struct batch_item) { .query = &SESSION_ASIDE[i] };
    for (size_t i = 0; i < count; i++)
        items[at++] = queries[i];
    items[at++] = (struct batch_item) { .query = &COMMIT };
    if (query_batch(execution->conn, &(const struct batch) { .items = items, .count = at }, err))
        return true;
    execution_roll_back(execution->conn);
    return false;
}

bool session_state_settle(struct execution *execution, struct error *err)
{
    struct session_note note = { .parameters = { NULL } };
    const struct batch_item item = item_of(execution, &NOTE, false, &note);

    return look(execution, &item, 1, false, err) ||
           error_context(err, "recording what the script has set in its session");
}

bool session_state_reinstate(struct execution *execution, struct slice statement, struct error *err)
{
    static const struct query role = { .name = "default_role", .sql = "SET role = DEFAULT" };
    struct session_note note = { .parameters = { NULL } };
    const struct batch_item item = item_of(execution, &REINSTATE, false, &note);

    /* That of --set-role, which RESET ALL spares. */
    if (session_statement_mentions(statement, "discard") && session_statement_mentions(statement, "all") &&
        !query_run(execution->conn, &role, NULL, NULL, err))
        return false;
    return query_run(execution->conn, item.query, note.reinstate, NULL, err);
}

static bool read_baseline(struct execution *execution, struct error *err)
{
    auto_result struct result *result = NULL;
    const char *text;

    if (!query_run(execution->conn, &BASELINE, NULL, &result, err))
        return false;
    text = result_text(result, 0, 0);
    execution->baseline = memory_copy(text, strlen(text));
    return true;
}

/* Whether a run that stops halfway could be resumed: more than one part commits. */
static bool has_parts(const struct execution *execution)
{
    struct segment_reader segments = segment_reader_of(execution_reader(execution), 0, &execution->rules);
    struct segment segment;
    struct error ignored;
    size_t count = 0;

    while (count < 2 && segment_next(&segments, &segment, &ignored) == SEGMENT_FOUND)
        count++;
    return count == 2;
}

static bool refuse(const struct execution *execution, const char *why, struct error *err)
{
    error_set(err, ERROR_REFUSED, "migration \"%s\" cannot be resumed at statement %zu: %s",
              execution->migration->name, execution->course.resumed + 1, why);
    error_code(err, execution->ledger->dialect->codes.unresolved);
    error_cause(err, CAUSE_UNRESOLVED);
    return error_hint(err,
                      "Finish it by hand and type: tidelock resolve --applied \"%s\"; or undo what persists "
                      "and type: tidelock resolve --rolled-back \"%s\"",
                      execution->migration->name, execution->migration->name);
}

/* The script from statement `first` on. */
static struct slice rest_of(const struct execution *execution, size_t first)
{
    struct script_reader reader = execution_reader(execution);
    struct statement statement;
    struct error ignored;

    for (size_t i = 0; i <= first; i++) {
        if (script_next(&reader, &statement, &ignored) != SCRIPT_STATEMENT)
            return (struct slice) { .at = "", .length = 0 };
    }
    return (struct slice) { execution->script.at + statement.start,
                            execution->script.length - statement.start };
}

/* What a session alone had, and the rest of the script names. */
static bool find_kept(const struct result *rows, struct slice rest, char *why, size_t size)
{
    for (int row = 0; row < result_rows(rows); row++) {
        const char *name = result_text(rows, row, 5);

        if (name[0] == '\0' || !session_statement_mentions(rest, name))
            continue;
        (void)snprintf(why, size,
                       "the %s \"%.300s\" ended with the session of that run, and the rest needs it",
                       result_text(rows, row, 4), name);
        return true;
    }
    return false;
}

static bool check_kept(const struct execution *execution, const struct result *rows, struct error *err)
{
    char why[512];

    return !find_kept(rows, rest_of(execution, execution->course.resumed), why, sizeof why) ||
           refuse(execution, why, err);
}

bool session_state_is_lost(struct execution *execution, char *why, size_t size)
{
    const char *const id = execution->id;
    auto_result struct result *rows = NULL;
    struct error ignored;

    return execution->is_state_kept && !connection_is_lost(execution->conn) &&
           query_run(execution->conn, &READ, &id, &rows, &ignored) &&
           find_kept(rows, rest_of(execution, execution->course.done), why, size);
}

/* Nothing was kept: it may resume only if its text shows that it had set nothing. */
static bool check_unknown(const struct execution *execution, struct error *err)
{
    const struct journal journal = execution_journal(execution);
    struct script_reader reader = execution_reader(execution);
    struct error why = { .class = ERROR_NONE };
    struct statement statement;

    for (size_t i = 0; i < execution->course.resumed; i++) {
        if (script_next(&reader, &statement, &why) != SCRIPT_STATEMENT)
            break;
        if (!session_statement_is_lasting(execution_text(execution, &statement)))
            continue;
        (void)refuse(execution,
                     "it had set something in its session, and what that was could not be recorded", err);
        return error_detail(
            err, "Line %zu sets something for the whole session.%s%s", statement.line,
            journal_check(&journal, JOURNAL_USE_ALL, &why) ? "" : " To have that recorded in future: ",
            why.hint);
    }
    return true;
}

static bool restore(struct execution *execution, const struct result *rows, struct error *err)
{
    const char *const id = execution->id;
    const char *const role = result_is_null(rows, 0, 2) ? NULL : result_text(rows, 0, 2);
    const char *const user = result_is_null(rows, 0, 3) ? NULL : result_text(rows, 0, 3);
    const struct batch_item items[] = { { &RESTORE[0], &id },
                                        { &RESTORE[1], &user },
                                        { &RESTORE[2], &role } };
    char why[128];

    if (query_batch(execution->conn, &(const struct batch) { .items = items, .count = array_length(items) },
                    err))
        return true;
    if (err->class == ERROR_LOST || err->class == ERROR_INTERRUPTED)
        return false;
    /* The server's message may name a value. */
    (void)snprintf(why, sizeof why, "what it had set in its session could not be restored (SQLSTATE %s)",
                   err->sqlstate);
    return refuse(execution, why, err);
}

/* The part whose COMMIT was the last thing that happened: its settings are said again. */
static bool replay(struct execution *execution, size_t from, struct error *err)
{
    struct script_reader reader = execution_reader(execution);
    struct session_note notes[2] = { { .parameters = { NULL } } };
    const struct batch_item items[] = { item_of(execution, &IS_PENDING, true, &notes[0]),
                                        item_of(execution, &NOTE, false, &notes[1]) };
    struct statement statement;

    if (!query_run(execution->conn, &BEGIN, NULL, NULL, err))
        return false;
    for (size_t i = 0; i < execution->course.resumed; i++) {
        if (script_next(&reader, &statement, err) != SCRIPT_STATEMENT)
            return false;
        if (i >= from && statement.kind == KIND_PLAIN &&
            session_statement_is_repeatable(execution_text(execution, &statement),
                                            execution->ledger->has_standard_strings) &&
            !execution_send(execution, statement.start, statement.end, i, err))
            return false;
    }
    if (look(execution, items, array_length(items), true, err))
        return true;
    if (strcmp(err->sqlstate, "22012") != 0)
        return false;
    return refuse(execution, "it was interrupted before what it had set in its session was known", err);
}

static bool take_up(struct execution *execution, struct error *err)
{
    auto_result struct result *rows = NULL;
    const char *const id = execution->id;
    size_t from;

    if (!query_run(execution->conn, &READ, &id, &rows, err))
        return false;
    if (result_rows(rows) == 0)
        return check_unknown(execution, err);
    if (!check_kept(execution, rows, err) || !restore(execution, rows, err))
        return false;
    from = (size_t)result_number(rows, 0, 1);
    return !result_bool(rows, 0, 0) || replay(execution, from, err);
}

bool session_state_begin(struct execution *execution, struct error *err)
{
    const struct journal journal = execution_journal(execution);
    struct session_note note = { .parameters = { NULL } };
    struct batch_item item;

    execution->beacon->is_unknown |= execution->has_advisory;
    if (execution->mode == MODE_ATOMIC || execution->mode == MODE_BACKFILL ||
        (execution->course.resumed == 0 && !has_parts(execution)))
        return !execution->has_resets || read_baseline(execution, err);
    if (!read_baseline(execution, err) || !journal_open(&journal, &execution->is_state_kept, err))
        return false;
    if (!execution->is_state_kept)
        return check_unknown(execution, err);
    if (execution->course.resumed > 0 && !take_up(execution, err))
        return false;
    item = item_of(execution, &FIRST, false, &note);
    return look(execution, &item, 1, false, err);
}
