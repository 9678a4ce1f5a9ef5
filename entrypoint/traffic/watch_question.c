#include "traffic/watch_question.h"

#include "traffic/blockers.h"

/* What a session waits for and who holds it; its process id stands between the two parts. pg_blocking_pids()
 * knows queues as well as holders, and needs no privilege; a prepared transaction is process 0 in it
 * (documentation, "System Information Functions"). Whoever queues for a row waits for the first in the queue,
 * which waits for the transaction that holds it. */
static const char WANTED[] =
    "SELECT w.locktype OPERATOR(pg_catalog.=) 'transactionid', w.mode, COALESCE(w.relation, 0),"
    " COALESCE(w.relation::pg_catalog.regclass::pg_catalog.text, ''),"
    " w.locktype OPERATOR(pg_catalog.=) 'virtualxid',"
    " pg_catalog.bool_or(us.pid OPERATOR(pg_catalog.=) ANY (pg_catalog.pg_blocking_pids(b.pid))),"
    " COALESCE(pg_catalog.max(a.query), ''), " BLOCKER_COLUMNS "  FROM (SELECT ";
static const char WANTED_END[] =
    " AS pid) AS us CROSS JOIN pg_catalog.pg_locks AS w"
    "  CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.pg_blocking_pids(w.pid)) AS b (pid)"
    "  LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid OPERATOR(pg_catalog.=) b.pid"
    "  JOIN pg_catalog.pg_locks AS l ON l.granted AND (l.pid OPERATOR(pg_catalog.=) b.pid"
    "       OR (l.pid IS NULL AND b.pid OPERATOR(pg_catalog.=) 0))"
    "   AND pg_catalog.record_eq(ROW(l.locktype, l.database, l.relation, l.transactionid, l.virtualxid),"
    "                            ROW(w.locktype, w.database, w.relation, w.transactionid, w.virtualxid))" BLOCKER_PREPARED
    " WHERE NOT w.granted AND w.locktype OPERATOR(pg_catalog.<>) ALL ('{tuple,extend}'::pg_catalog.text[])"
    "   AND (w.pid OPERATOR(pg_catalog.=) us.pid"
    "        OR (w.locktype OPERATOR(pg_catalog.=) 'transactionid'"
    "            AND w.pid OPERATOR(pg_catalog.=) ANY (pg_catalog.pg_blocking_pids(us.pid))"
    "            AND EXISTS (SELECT FROM pg_catalog.pg_locks AS o"
    "                         WHERE NOT o.granted AND o.pid OPERATOR(pg_catalog.=) us.pid"
    "                           AND o.locktype OPERATOR(pg_catalog.=) 'tuple')))"
    " GROUP BY w.locktype, w.mode, w.relation, " BLOCKER_GROUPS " LIMIT 16;";

/* How many sessions wait for a table or a row of it, and whether one waits for a table that no statement of
 * rows would lock so. Who waits for the leader lock waits for nothing that the application needs. */
static const char BLOCKED[] =
    "SELECT pg_catalog.count(DISTINCT l.pid),"
    " COALESCE(pg_catalog.bool_or(EXISTS (SELECT FROM pg_catalog.pg_locks AS o"
    "  WHERE o.granted AND o.pid OPERATOR(pg_catalog.=) %d"
    "    AND o.locktype OPERATOR(pg_catalog.=) 'relation'"
    "    AND l.locktype OPERATOR(pg_catalog.=) 'relation'"
    "    AND o.relation OPERATOR(pg_catalog.=) l.relation AND o.mode OPERATOR(pg_catalog.=)"
    "        ANY ('{ShareLock,ShareRowExclusiveLock,ExclusiveLock,AccessExclusiveLock}'"
    "::pg_catalog.text[]))), false)"
    " FROM pg_catalog.pg_locks AS l"
    " WHERE NOT l.granted"
    "   AND l.locktype OPERATOR(pg_catalog.=) ANY ('{relation,tuple,transactionid}'::pg_catalog.text[])"
    "   AND %d OPERATOR(pg_catalog.=) ANY (pg_catalog.pg_blocking_pids(l.pid))";

/* Its progress. A phase that counts nothing has a total of 0. */
static const char PROGRESSED[] =
    "SELECT pg_catalog.lower(command), phase, done, total FROM ("
    "SELECT pid, command, phase, CASE WHEN blocks_total OPERATOR(pg_catalog.>) 0"
    " THEN blocks_done ELSE tuples_done END,"
    "       CASE WHEN blocks_total OPERATOR(pg_catalog.>) 0 THEN blocks_total ELSE tuples_total END"
    "  FROM pg_catalog.pg_stat_progress_create_index"
    " UNION ALL SELECT pid, 'vacuum', phase, heap_blks_scanned, heap_blks_total"
    "  FROM pg_catalog.pg_stat_progress_vacuum"
    " UNION ALL SELECT pid, 'analyze', phase, sample_blks_scanned, sample_blks_total"
    "  FROM pg_catalog.pg_stat_progress_analyze"
    " UNION ALL SELECT pid, command, phase, heap_blks_scanned, heap_blks_total"
    "  FROM pg_catalog.pg_stat_progress_cluster"
    ") AS p (pid, command, phase, done, total) WHERE pid OPERATOR(pg_catalog.=) %d";

void watch_question_add(int pid, struct text *out)
{
    text_add_format(out, "%s%d%s", WANTED, pid, WANTED_END);
    text_add_format(out, BLOCKED, pid, pid);
    text_add_string(out, ";");
    watch_progress_add(pid, out);
}

void watch_progress_add(int pid, struct text *out)
{
    text_add_format(out, PROGRESSED, pid);
}
