#include "traffic/lock_wish.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

enum { JSON_MOST = 16 * 1024 * 1024, NUMBER_SIZE = 24, CALM_MS = 1000 };

/* The age of the oldest transaction; usually it is young, and this is a tenth of the work of looking for what
 * it holds. One that is prepared is never young. */
static const struct query OLDEST = {
    .name = "oldest_transaction",
    .sql =
        "SELECT (EXTRACT(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)"
        "                pg_catalog.min(a.xact_start)) OPERATOR(pg_catalog.*) 1000)::pg_catalog.int8,"
        " EXISTS (SELECT FROM pg_catalog.pg_prepared_xacts)"
        " FROM pg_catalog.pg_stat_activity AS a"
        " WHERE a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()"
        "   AND a.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()",
};

/* An index is locked with its table, a table with its partitions and with those that inherit from it.
 * Prepared transactions have no process, but an age. */
static const struct query HELD = {
    .name = "lock_wishes",
    .parameters = 2,
    .sql =
        "WITH RECURSIVE wished AS ("
        " SELECT COALESCE(i.indrelid, pg_catalog.to_regclass(w.relation)::pg_catalog.oid) AS relation,"
        "  w.number, w.mode, w.conflicts, w.foreign_key"
        "  FROM pg_catalog.json_to_recordset($1::pg_catalog.json) AS w(number pg_catalog.int8,"
        "   relation pg_catalog.text, mode pg_catalog.text, conflicts pg_catalog.text,"
        "   foreign_key pg_catalog.text)"
        "  LEFT JOIN pg_catalog.pg_index AS i"
        "    ON i.indexrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(w.relation)::pg_catalog.oid"
        "), target AS ("
        " SELECT w.relation, w.number, w.mode, w.conflicts FROM wished AS w"
        " UNION"
        " SELECT k.confrelid, w.number, w.mode, w.conflicts FROM wished AS w"
        "  JOIN pg_catalog.pg_constraint AS k ON k.conrelid OPERATOR(pg_catalog.=) w.relation"
        "   AND k.contype OPERATOR(pg_catalog.=) 'f'"
        "  WHERE w.foreign_key OPERATOR(pg_catalog.=) ''"
        "     OR w.foreign_key OPERATOR(pg_catalog.=) k.conname::pg_catalog.text"
        " UNION"
        " SELECT i.inhrelid, t.number, t.mode, t.conflicts FROM target AS t"
        "  JOIN pg_catalog.pg_inherits AS i ON i.inhparent OPERATOR(pg_catalog.=) t.relation"
        ")"
        " SELECT t.relation, t.mode, t.relation::pg_catalog.regclass, t.number"
        "  FROM target AS t"
        "  JOIN pg_catalog.pg_locks AS l ON l.relation OPERATOR(pg_catalog.=) t.relation"
        "  LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid OPERATOR(pg_catalog.=) l.pid" BLOCKER_PREPARED
        " WHERE l.granted AND l.locktype OPERATOR(pg_catalog.=) 'relation'"
        "   AND l.mode OPERATOR(pg_catalog.=) ANY (t.conflicts::pg_catalog.text[])"
        "   AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database AS d"
        "                      WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())"
        "   AND (l.pid IS NULL OR l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid())"
        "   AND COALESCE(a.xact_start, p.prepared) OPERATOR(pg_catalog.<)"
        "       (pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) $2::pg_catalog.interval)"
        " ORDER BY t.number LIMIT 1",
};

/* A table that many statements change is asked for once. */
static bool is_said(const struct lock_wishes *wishes, size_t first, size_t number)
{
    const struct lock_wish *wish = &wishes->items[number];

    for (size_t i = 0; i < number; i++) {
        const struct lock_wish *other = &wishes->items[i];

        if (other->statement >= first && strcmp(other->mode, wish->mode) == 0 &&
            strcmp(other->relation, wish->relation) == 0 && wish->foreign_key == NULL)
            return true;
    }
    return false;
}

static size_t add_wishes(const struct lock_question *question, struct text *out)
{
    struct json *list = json_new_array();
    size_t count = 0;

    for (size_t i = 0; i < question->wishes->count; i++) {
        const struct lock_wish *wish = &question->wishes->items[i];
        struct json *row;

        if (wish->statement < question->first || wish->statement >= question->end ||
            is_said(question->wishes, question->first, i))
            continue;
        row = json_new_object();
        json_set_number(row, "number", (int64_t)wish->statement);
        json_set_text(row, "relation", wish->relation);
        json_set_text(row, "mode", wish->mode);
        json_set_text(row, "conflicts", lock_conflicts(wish->mode));
        json_set_text(row, "foreign_key", wish->foreign_key);
        json_append(list, row);
        count++;
    }
    json_write(list, false, out);
    return count;
}

static bool find_held(struct connection *conn, const char *list, const char *age, struct held_wish *out,
                      struct error *err)
{
    const char *const parameters[] = { list, age };
    auto_result struct result *result = NULL;

    if (!query_run(conn, &HELD, parameters, &result, err))
        return false;
    if (result_rows(result) == 0)
        return true;
    out->lock.is_known = true;
    text_copy_cut(out->lock.oid, sizeof out->lock.oid, result_text(result, 0, 0));
    text_copy_cut(out->lock.mode, sizeof out->lock.mode, result_text(result, 0, 1));
    text_copy_cut(out->lock.relation, sizeof out->lock.relation, result_text(result, 0, 2));
    out->statement = (size_t)result_number(result, 0, 3);
    return true;
}

/* Whether there is an old transaction. When not, how long it takes until one can be is noted. */
static bool find_old(struct connection *conn, const struct lock_question *question, bool *has_old,
                     struct error *err)
{
    auto_result struct result *result = NULL;
    int64_t age_ms;

    *has_old = false;
    if (!deadline_passed(*question->calm_until))
        return true;
    if (!query_run(conn, &OLDEST, NULL, &result, err))
        return false;
    age_ms = result_number(result, 0, 0);
    *has_old = age_ms >= question->old_ms || result_bool(result, 0, 1);
    if (!*has_old && age_ms < CALM_MS)
        *question->calm_until = deadline_in(CALM_MS - age_ms);
    return true;
}

bool lock_wish_find_held(struct connection *conn, const struct lock_question *question, struct held_wish *out,
                         struct error *err)
{
    auto_text struct text list = text_init(JSON_MOST);
    char age[NUMBER_SIZE];
    bool has_old;

    *out = (struct held_wish) { .statement = 0 };
    (void)snprintf(age, sizeof age, "%lld ms", (long long)question->old_ms);
    if (add_wishes(question, &list) == 0)
        return true;
    return find_old(conn, question, &has_old, err) && (!has_old || find_held(conn, list.at, age, out, err));
}
