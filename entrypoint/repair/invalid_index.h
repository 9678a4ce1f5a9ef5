/*
 * Indexes that a broken statement may have left: finding them, proving whose they are, dropping them.
 */
#ifndef REPAIR_INVALID_INDEX_H
#define REPAIR_INVALID_INDEX_H

#include "history/journal.h"
#include "repair/leftover.h"
#include "sql/index_statement.h"

/* What is looked for. */
struct index_search {
    const struct index_statement *index;
    const struct intent *intent;
    const char *definition; /* as invalid_index_definition() has it; "" = not compared */
};

struct found_index {
    bool is_found;
    bool is_valid;
    bool is_younger;                /* than the intent */
    bool is_same;                   /* its definition is the one that was looked for */
    bool is_taken;                  /* somebody works on it, a constraint or an extension rests on it */
    char name[QUALIFIED_NAME_SIZE]; /* qualified and quoted */
};

/* What `sql`, a CREATE INDEX that was parsed to `index`, would make, in a form that can be compared: the
 * server builds it on an empty copy of the table, which is rolled back. Empty when it can't be told. */
must_use bool invalid_index_definition(const struct broken *broken, struct slice sql,
                                       const struct index_statement *index, struct text *out,
                                       struct error *err);

/* The index of that table and name; when the statement names none, one of that definition which is younger
 * than the intent. */
must_use bool invalid_index_find(const struct broken *broken, const struct index_search *search,
                                 struct found_index *out, struct error *err);

/* Drops it concurrently. */
must_use bool invalid_index_drop(const struct broken *broken, const char *name, struct error *err);

/* The definition of index `oid` (an SQL expression) as invalid_index_definition() has it. */
#define INDEX_DEFINITION(oid)                                                                                \
    "(SELECT ROW(a.amname, r.reloptions, r.reltablespace, d.indisunique, d.indnkeyatts, d.indclass,"         \
    "            d.indcollation, d.indoption, pg_catalog.to_jsonb(d) -> 'indnullsnotdistinct',"              \
    "            ARRAY(SELECT pg_catalog.pg_get_indexdef(d.indexrelid, k, false)"                            \
    "                    FROM pg_catalog.generate_series(1, d.indnatts) AS k),"                              \
    "            pg_catalog.pg_get_expr(d.indpred, d.indrelid))::text"                                       \
    "   FROM pg_catalog.pg_index AS d"                                                                       \
    "   JOIN pg_catalog.pg_class AS r ON r.oid = d.indexrelid"                                               \
    "   JOIN pg_catalog.pg_am AS a ON a.oid = r.relam"                                                       \
    "  WHERE d.indexrelid = " oid ")"

/* Whether row version `xmin` is younger than the intent's transaction `txid`, a bigint or null: rows carry
 * the lower half of an id, and age() compares those rightly across a wrap-around. */
#define YOUNGER_THAN_INTENT(xmin, txid)                                                                      \
    "(" txid " IS NOT NULL AND pg_catalog.age(" xmin                                                         \
    ") <="                                                                                                   \
    " pg_catalog.age(((" txid " & 4294967295)::text)::pg_catalog.xid))"

/* Whether index `oid` is somebody's: built or dropped right now, backing a constraint, part of an extension.
 * Whoever reads or writes the table holds weaker locks. */
#define INDEX_IS_TAKEN(oid)                                                                                   \
    "(EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index AS p"                                      \
    "          WHERE p.index_relid = " oid                                                                    \
    " AND p.pid <> pg_catalog.pg_backend_pid())"                                                              \
    " OR EXISTS (SELECT FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_database AS b ON b.oid = l.database" \
    "          WHERE b.datname = pg_catalog.current_database() AND l.relation = " oid                         \
    "            AND l.pid <> pg_catalog.pg_backend_pid()"                                                    \
    "            AND l.mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock',"            \
    "                           'ExclusiveLock', 'AccessExclusiveLock'))"                                     \
    " OR EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid = " oid                           \
    ")"                                                                                                       \
    " OR EXISTS (SELECT FROM pg_catalog.pg_depend AS e"                                                       \
    "          WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = " oid               \
    "            AND e.deptype = 'e'))"

#endif
