#include "postgres/query_failure.h"

#include <string.h>

#include "base/memory.h"

/* After `why`. Of tables: a query of ours waits for no other locks. */
#define WAITED(why)                                                                                          \
    why " It may have waited for a lock. Those that are held now: SELECT l.relation::regclass, l.mode, "     \
        "a.pid, a.state, a.query FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid) "                 \
        "WHERE l.locktype = 'relation' AND l.mode LIKE '%Exclusive%' AND l.granted; Then type the same again."

/* By SQLSTATE, or the beginning of one; the first match counts. */
static const struct meaning {
    const char *code;
    enum error_class class;
    const char *hint;
} MEANINGS[] = {
    { "57014", ERROR_TABLE_LOCK,
      WAITED("The statement_timeout of the session was over, or somebody cancelled it.") },
    { "55P03", ERROR_TABLE_LOCK, WAITED("The lock_timeout of the session was over.") },
    { "25P04", ERROR_TABLE_LOCK, WAITED("The transaction_timeout of the session was over.") },
    { "40", ERROR_TABLE_LOCK, "Another transaction was in its way: type the same again." },
    { "53", ERROR_UNREACHABLE, "The server is short of something: see its log, then type the same again." },
    { "58", ERROR_UNREACHABLE, "The server's machine has a problem: see its log, then type the same again." },
    { "XX", ERROR_UNREACHABLE, "The server has a problem: see its log, then type the same again." },
    { "", ERROR_DENIED,
      "The server refuses a query of tidelock's own: see its log and what the message names. To see what the "
      "ledger holds: tidelock status" },
};

static const struct meaning *meaning_of(const char *code)
{
    const struct meaning *meaning = MEANINGS;

    while (strncmp(meaning->code, code, strlen(meaning->code)) != 0)
        meaning++;
    return meaning;
}

static bool explain_stop(struct error *err, const char *holds)
{
    if (err->holds[0] == '\0')
        error_holds(err, "%s", holds);
    return err->hint[0] != '\0' ? false : error_hint(err, "Type the same again.");
}

bool query_failure_explain(struct error *err, const char *holds)
{
    const struct meaning *meaning = meaning_of(err->sqlstate);
    bool is_of_query = err->class == ERROR_CLEAN || err->class == ERROR_TABLE_LOCK ||
                       err->class == ERROR_REFUSED || err->class == ERROR_DENIED;

    if (err->class == ERROR_INTERRUPTED)
        return explain_stop(err, holds);
    if (err->sqlstate[0] == '\0' || !is_of_query)
        return false;
    if (err->class == ERROR_CLEAN)
        err->class = meaning->class;
    if (err->holds[0] == '\0')
        error_holds(err, "%s", holds);
    if (err->hint[0] == '\0')
        error_hint(err, "%s", meaning->hint);
    return false;
}
