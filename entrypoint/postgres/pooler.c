#include "postgres/pooler.h"

#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/signals.h"
#include "postgres/query.h"
#include "sql/quote.h"

/* A pool hands out the session that was returned last, or each in turn: within this many rounds, two clients
 * that can share one will have done so. */
enum { LOOKS_MOST = 50, ANSWER_MS = 3000 };

static const struct query BACKEND = { .name = "backend_pid", .sql = "SELECT pg_catalog.pg_backend_pid()" };

static bool ask(struct connection *conn, int *pid, struct error *err)
{
    auto_result struct result *result = NULL;

    if (!query_run(conn, &BACKEND, NULL, &result, err))
        return false;
    *pid = (int)result_number(result, 0, 0);
    return true;
}

static const struct query SELF = { .name = "session", .sql = POOLER_OWN_SESSION };

bool pooler_is_between(struct connection *conn, bool *is_between, struct error *err)
{
    auto_result struct result *self = NULL;

    if (!query_run(conn, &SELF, NULL, &self, err))
        return false;
    *is_between = (int)result_number(self, 0, 0) != connection_backend_pid(conn) ||
                  strcmp(result_text(self, 0, 1), POOLER_OWN_TYPE) != 0;
    return true;
}

/* Two clients of the pooler. `ours` was served by session `pid` last. */
static enum pooling compare(struct connection *ours, int pid, struct connection *other)
{
    struct error ignored;

    for (int i = 0; i < LOOKS_MOST && signals_pending() == 0; i++) {
        int now;
        int theirs;
        struct deadline patience = deadline_in(ANSWER_MS);
        bool is_answered = ask(other, &theirs, &ignored);

        /* An error, or the answer to another question, is an answer, too: what we have asked was overwritten
         * by somebody else. */
        if (!is_answered && !deadline_passed(patience))
            return POOLING_TRANSACTION;
        /* The other one is waiting for a session. A client that is answered while behind it in the queue has
         * its own. */
        if (!is_answered)
            return ask(ours, &now, &ignored) && now == pid ? POOLING_NONE : POOLING_TRANSACTION;
        if (theirs == pid || !ask(ours, &now, &ignored) || now != pid)
            return POOLING_TRANSACTION;
    }
    return POOLING_NONE;
}

/* In statement mode every statement may run in a different session, so nothing can be kept. */
static bool check_transactions(struct connection *conn, struct error *err)
{
    static const struct query begin = { .name = "begin", .sql = "BEGIN" };
    static const struct query rollback = { .name = "rollback", .sql = "ROLLBACK" };

    if (query_run(conn, &begin, NULL, NULL, err) && query_run(conn, &rollback, NULL, NULL, err))
        return true;
    /* PgBouncer's words, with which it closes the connection in statement mode. */
    if (err->class == ERROR_INTERRUPTED ||
        (err->class == ERROR_LOST && strstr(err->message, "transaction blocks not allowed") == NULL))
        return false;
    error_set(err, ERROR_USAGE, "the database URL leads to a pooler that does not support transactions");
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "Set DIRECT_URL to the database's own address.");
}

bool pooler_detect(struct connection *conn, const struct endpoint *where, int64_t timeout_ms,
                   enum pooling *out, struct error *err)
{
    auto_connection struct connection *other = NULL;
    struct connect_deadlines none = { .reach = deadline_in(0), .room = deadline_in(0) };
    struct error refused;
    int pid;

    if (!check_transactions(conn, err) || !ask(conn, &pid, err))
        return false;
    other = connection_reach(connection_begin(where, timeout_ms), none, &refused);
    *out = POOLING_TRANSACTION;
    if (other != NULL) {
        connection_limit_answers(conn, ANSWER_MS);
        connection_limit_answers(other, ANSWER_MS);
        *out = compare(conn, pid, other);
        connection_limit_answers(conn, 0);
    } else {
        log_debug("a second connection through the pooler was refused: %s", refused.message);
    }
    return signals_pending() == 0 || signals_error(err);
}

/* A name for each. Statements that the pooler itself has prepared for others are not SQL's. */
#define HELD                                                                                                 \
    "ARRAY(SELECT pg_catalog.concat_ws(' ', 'lock', l.classid, l.objid, l.objsubid, l.mode)"                 \
    "  FROM pg_catalog.pg_locks AS l"                                                                        \
    " WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted"                                      \
    "   AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()"                                        \
    " UNION ALL SELECT pg_catalog.concat_ws(' ', 'statement', s.name)"                                       \
    "  FROM pg_catalog.pg_prepared_statements AS s WHERE s.from_sql)"

/* A key of 64 bits is shown as two halves with objsubid 1 (documentation, "pg_locks"); a lock that was taken
 * several times stays until it was released as often. */
static const char RELEASE[] =
    "DECLARE before CONSTANT pg_catalog.text[] := {before};"
    " it pg_catalog.record;"
    " wide bigint;"
    "BEGIN"
    " FOR i IN 1 .. 100000 LOOP"
    "  SELECT l.classid, l.objid, l.objsubid, l.mode INTO it FROM pg_catalog.pg_locks AS l"
    "   WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted"
    "     AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()"
    "     AND pg_catalog.concat_ws(' ', 'lock', l.classid, l.objid, l.objsubid, l.mode)"
    "         OPERATOR(pg_catalog.<>) ALL (before) LIMIT 1;"
    "  EXIT WHEN NOT FOUND;"
    "  wide := (it.classid::bigint OPERATOR(pg_catalog.<<) 32) OPERATOR(pg_catalog.|) it.objid::bigint;"
    "  IF it.mode OPERATOR(pg_catalog.=) 'ShareLock' AND it.objsubid OPERATOR(pg_catalog.=) 1 THEN"
    "   PERFORM pg_catalog.pg_advisory_unlock_shared(wide);"
    "  ELSIF it.mode OPERATOR(pg_catalog.=) 'ShareLock' THEN"
    "   PERFORM pg_catalog.pg_advisory_unlock_shared(it.classid::integer, it.objid::integer);"
    "  ELSIF it.objsubid OPERATOR(pg_catalog.=) 1 THEN"
    "   PERFORM pg_catalog.pg_advisory_unlock(wide);"
    "  ELSE"
    "   PERFORM pg_catalog.pg_advisory_unlock(it.classid::integer, it.objid::integer);"
    "  END IF;"
    " END LOOP;"
    " FOR it IN SELECT s.name FROM pg_catalog.pg_prepared_statements AS s"
    "            WHERE s.from_sql"
    "              AND pg_catalog.concat_ws(' ', 'statement', s.name) OPERATOR(pg_catalog.<>) ALL (before) LOOP"
    "  EXECUTE pg_catalog.format('DEALLOCATE %I', it.name);"
    " END LOOP;"
    "END";

void pooler_add_look(struct text *sql)
{
    text_add_string(sql, "SELECT " HELD ";");
}

/* Ends with the transaction. */
#define KEPT "'tidelock.held'"

void pooler_add_note(struct text *sql)
{
    text_add_string(sql, "SELECT pg_catalog.set_config(" KEPT ", " HELD "::pg_catalog.text, true);");
}

void pooler_add_check(struct text *sql)
{
    text_add_string(sql, "SELECT 1 OPERATOR(pg_catalog./) (" HELD
                         " OPERATOR(pg_catalog.<@)"
                         " pg_catalog.current_setting(" KEPT ")::pg_catalog.text[])::pg_catalog.int4;");
}

void pooler_add_release(const struct text *before, struct text *sql)
{
    auto_text struct text held = text_init(sql->most);
    auto_text struct text body = text_init(sql->most);

    quote_literal(before->at, &held);
    text_add_filled(&body, RELEASE, "{before}", held.at);
    text_add_string(sql, "DO ");
    quote_literal(body.at, sql);
}
