/*
 * Indexes that an interrupted statement may have left behind: finding them, proving that they are ours,
 * dropping them.
 */
#ifndef REPAIR_INVALID_INDEX_H
#define REPAIR_INVALID_INDEX_H

#include "history/journal.h"
#include "repair/leftover.h"
#include "sql/index_statement.h"

/* What to look for. */
struct index_search {
    const struct index_statement *index;
    const struct intent *intent;
    const char *definition; /* from invalid_index_definition(); "" = not compared */
};

struct found_index {
    bool is_found;
    bool is_valid;
    bool is_younger; /* than the intent */
    bool is_same;    /* it has the definition that was looked for */
    bool is_taken;   /* in use: being built or dropped, or part of a constraint or an extension */
    char name[QUALIFIED_NAME_SIZE]; /* qualified and quoted */
};

/* The definition of the index that `sql`, a CREATE INDEX parsed into `index`, would create, in a form that
 * can be compared: the server builds it on an empty copy of the table, which is rolled back. Empty if it
 * cannot be determined. */
must_use bool invalid_index_definition(const struct broken *broken, struct slice sql,
                                       const struct index_statement *index, struct text *out,
                                       struct error *err);

/* The index of that table and name; if the statement names none, one of that definition that is younger than
 * the intent or, without an intent, INVALID. */
must_use bool invalid_index_find(const struct broken *broken, const struct index_search *search,
                                 struct found_index *out, struct error *err);

/* Drops it concurrently. */
must_use bool invalid_index_drop(const struct broken *broken, const char *name, struct error *err);

/* Every index, and its definition in the form of invalid_index_definition(). */
#define INDEX_DEFINITIONS                                                                                    \
    "SELECT d.indexrelid, ROW(a.amname, r.reloptions, r.reltablespace, d.indisunique, d.indnkeyatts,"        \
    "         d.indclass, d.indcollation, d.indoption,"                                                      \
    "         pg_catalog.to_jsonb(d) OPERATOR(pg_catalog.->) 'indnullsnotdistinct',"                         \
    "         ARRAY(SELECT pg_catalog.pg_get_indexdef(d.indexrelid, k, false)"                               \
    "                 FROM pg_catalog.generate_series(1, d.indnatts) AS k),"                                 \
    "         pg_catalog.pg_get_expr(d.indpred, d.indrelid))::pg_catalog.text"                               \
    "  FROM pg_catalog.pg_index AS d"                                                                        \
    "  JOIN pg_catalog.pg_class AS r ON r.oid OPERATOR(pg_catalog.=) d.indexrelid"                           \
    "  JOIN pg_catalog.pg_am AS a ON a.oid OPERATOR(pg_catalog.=) r.relam"

/* That of index `oid` (an SQL expression). */
#define INDEX_DEFINITION(oid)                                                                                \
    "(SELECT f.text FROM (" INDEX_DEFINITIONS ") AS f (oid, text) WHERE f.oid OPERATOR(pg_catalog.=) " oid ")"

/* Whether row version `xmin` is younger than the intent's transaction `txid`, a bigint or null: rows carry
 * the lower half of an id, and age() compares those rightly across a wrap-around. */
#define YOUNGER_THAN_INTENT(xmin, txid)                                                                      \
    "(" txid " IS NOT NULL AND pg_catalog.age(" xmin                                                         \
    ") OPERATOR(pg_catalog.<=)"                                                                              \
    " pg_catalog.age(((" txid " OPERATOR(pg_catalog.&) 4294967295)::pg_catalog.text)::pg_catalog.xid))"

/* Whether index `oid` is in use: being built or dropped, backing a constraint, or part of an extension.
 * Sessions that read or write the table hold weaker locks. */
#define INDEX_IS_TAKEN(oid)                                                                                  \
    "(EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index AS p"                                     \
    "          WHERE p.index_relid OPERATOR(pg_catalog.=) " oid                                              \
    " AND p.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid())"                                        \
    " OR EXISTS (SELECT FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_database AS b"                      \
    " ON b.oid OPERATOR(pg_catalog.=) l.database"                                                            \
    "          WHERE b.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()"                         \
    " AND l.relation OPERATOR(pg_catalog.=) " oid                                                            \
    "            AND l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()"                              \
    "            AND l.mode OPERATOR(pg_catalog.=) ANY ('{ShareUpdateExclusiveLock,ShareLock,"               \
    "ShareRowExclusiveLock,ExclusiveLock,AccessExclusiveLock}'::pg_catalog.text[]))"                         \
    " OR EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid OPERATOR(pg_catalog.=) " oid     \
    ")"                                                                                                      \
    " OR EXISTS (SELECT FROM pg_catalog.pg_depend AS e"                                                      \
    "          WHERE e.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass"            \
    " AND e.objid OPERATOR(pg_catalog.=) " oid "            AND e.deptype OPERATOR(pg_catalog.=) 'e'))"

#endif
