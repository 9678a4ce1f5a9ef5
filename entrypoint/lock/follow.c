#include "lock/follow.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

enum { PAUSE_MOST_MS = 3000 };

static void describe(const struct leader *holder, struct text *out)
{
    if (holder->pid == 0 && holder->name[0] != '\0') {
        text_add_format(out, "\"%s\", whose term ends %s", holder->name, holder->since);
        return;
    }
    if (holder->pid == 0) {
        text_add_string(out, "a process that has just left");
        return;
    }
    text_add_format(out, "pid %d (\"%s\"", holder->pid, holder->name);
    if (holder->address[0] != '\0')
        text_add_format(out, " from %s", holder->address);
    if (holder->state[0] != '\0')
        text_add_format(out, ", %s", holder->state);
    if (holder->since[0] != '\0')
        text_add_format(out, " since %s", holder->since);
    text_add_string(out, ")");
}

static bool give_up(const struct leader *holder, const char *who, struct error *err)
{
    error_set(err, ERROR_LEADER, "the leader lock is still held by %s", who);
    error_code(err, "P1002");
    error_holds(err, "Nothing was changed by this process.");
    if (holder->pid == 0)
        return error_hint(err, "Deploy again.");
    return error_hint(
        err,
        "See what it does: SELECT * FROM pg_stat_activity WHERE pid = %d; if it is stuck, end it: SELECT "
        "pg_terminate_backend(%d); to wait longer: --leader-timeout.",
        holder->pid, holder->pid);
}

bool follow_pause(struct patience *patience, const struct leader *holder, struct error *err)
{
    auto_text struct text who = text_init(512);
    char pid[32];

    (void)snprintf(pid, sizeof pid, "pid %d", holder->pid);
    describe(holder, &who);
    if (patience_is_over(patience))
        return give_up(holder, who.at, err);
    if (patience_has_word(patience, pid))
        log_wait("waiting for the leader: %s", who.at);
    return patience_pause(patience, backoff_by_half_ms(patience->pauses, PAUSE_MOST_MS), err);
}

bool follow_warn(struct connection *conn, const char *key, struct error *err)
{
    auto_text struct text who = text_init(512);
    struct leader holder;

    if (!leader_find(conn, key, &holder, err))
        return false;
    if (holder.pid == 0)
        return true;
    describe(&holder, &who);
    log_warn("another process is changing this database: %s; seen here is only what it has committed",
             who.at);
    return true;
}

bool follow_lease(struct patience *patience, struct lease *lease, struct error *err)
{
    for (;;) {
        auto_text struct text who = text_init(1024);
        enum lease_answer seen;

        lease_describe(lease, &who);
        if (patience_is_over(patience)) {
            error_set(err, ERROR_LEADER, "could not become the leader: %s", who.at);
            error_code(err, "P1002");
            error_holds(err, "Nothing was changed by this process.");
            return error_hint(err,
                              "See who leads: kubectl -n %s describe lease %s; to wait longer: "
                              "--leader-timeout.",
                              lease->kubernetes.namespace, lease->name);
        }
        if (patience_has_word(patience, who.at))
            log_wait("waiting for the leader: %s", who.at);
        if (!patience_pause(patience, lease_pause_ms(lease), err))
            return false;
        seen = lease_look(lease, err);
        if (seen != LEASE_HELD)
            return seen != LEASE_UNKNOWN;
    }
}
