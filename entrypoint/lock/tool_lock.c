#include "lock/tool_lock.h"

#include "lock/lock_table.h"
#include "lock/tool_lease.h"
#include "postgres/query.h"

enum { SQL_MOST = 1024 };

/* Those that were had are given back where another is not to be had. */
static bool release(struct connection *conn, const struct tool_keys *keys, struct error *err)
{
    auto_text struct text sql = text_init(SQL_MOST);

    text_add_string(&sql, "SELECT true");
    for (size_t i = 0; i < keys->count; i++)
        text_add_format(&sql, ", pg_catalog.pg_advisory_unlock(%s)", keys->keys[i]);
    return query_run(conn, &(const struct query) { .name = "tool_lock_release", .sql = sql.at }, NULL, NULL,
                     err);
}

static enum leader_answer try_keys(struct connection *conn, const struct ledger *ledger,
                                   struct leader *holder, struct error *err)
{
    const struct tool_keys *keys = &ledger->tool_keys;
    auto_text struct text sql = text_init(SQL_MOST);
    auto_result struct result *taken = NULL;
    struct tool_keys had = { .count = 0 };
    size_t held = keys->count;

    if (keys->count == 0)
        return LEADER_TAKEN;
    text_add_string(&sql, "SELECT true");
    for (size_t i = 0; i < keys->count; i++)
        text_add_format(&sql, ", pg_catalog.pg_try_advisory_lock(%s)", keys->keys[i]);
    if (!query_run(conn, &(const struct query) { .name = "tool_lock_try", .sql = sql.at }, NULL, &taken, err))
        return LEADER_UNKNOWN;
    for (size_t i = 0; i < keys->count; i++) {
        if (result_bool(taken, 0, 1 + (int)i))
            text_copy_cut(had.keys[had.count++], LOCK_KEY_SIZE, keys->keys[i]);
        else
            held = i;
    }
    if (held == keys->count)
        return lock_table_check(conn, ledger, err) ? LEADER_TAKEN : LEADER_UNKNOWN;
    return (had.count == 0 || release(conn, &had, err)) && leader_find(conn, keys->keys[held], holder, err)
               ? LEADER_HELD
               : LEADER_UNKNOWN;
}

enum leader_answer tool_lock_look(struct connection *conn, const struct ledger *ledger, struct leader *holder,
                                  struct error *err)
{
    bool is_held;

    if (!tool_lease_find(conn, ledger, holder, &is_held, err))
        return LEADER_UNKNOWN;
    return is_held ? LEADER_HELD : LEADER_TAKEN;
}

enum leader_answer tool_lock_try(struct connection *conn, const struct ledger *ledger, struct leader *holder,
                                 struct error *err)
{
    enum leader_answer answer = try_keys(conn, ledger, holder, err);

    if (answer != LEADER_TAKEN)
        return answer;
    answer = tool_lock_look(conn, ledger, holder, err);
    if (answer == LEADER_HELD && ledger->tool_keys.count > 0 && !release(conn, &ledger->tool_keys, err))
        return LEADER_UNKNOWN;
    return answer;
}

static bool refuse_held(const struct ledger *ledger, const struct leader *holder, struct error *err)
{
    if (holder->pid == 0 && holder->name[0] != '\0')
        error_set(err, ERROR_LEADER, "%s is at work: %s has its lock until %s", ledger->dialect->tool,
                  holder->name, holder->since);
    else
        error_set(err, ERROR_LEADER, "%s is at work: session %d (%s) holds its lock", ledger->dialect->tool,
                  holder->pid, holder->name);
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "Type the same again when it has ended.");
}

bool tool_lock_take(struct connection *conn, const struct ledger *ledger, struct error *err)
{
    struct leader holder;

    switch (tool_lock_try(conn, ledger, &holder, err)) {
    case LEADER_TAKEN:
        return true;
    case LEADER_HELD:
        return refuse_held(ledger, &holder, err);
    case LEADER_UNKNOWN:
        break;
    }
    return false;
}

void tool_lock_add(const struct ledger *ledger, struct text *sql)
{
    for (size_t i = 0; i < ledger->tool_keys.count; i++)
        text_add_format(sql, " AND pg_catalog.pg_try_advisory_xact_lock(%s)", ledger->tool_keys.keys[i]);
}
