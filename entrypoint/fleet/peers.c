#include "fleet/peers.h"

#include <string.h>

struct peer *peers_find(struct peers *peers, int pid)
{
    for (size_t i = 0; i < peers->count; i++) {
        if (peers->items[i].pid == pid)
            return &peers->items[i];
    }
    if (peers->count == PEERS_MOST)
        return NULL;
    peers->items[peers->count] = (struct peer) { .pid = pid };
    return &peers->items[peers->count++];
}

enum peer_state peer_state_now(const struct peer *peer, int64_t now_ms)
{
    return peer->is_asked_about || now_ms - peer->asked_ms > PEERS_SURE_MS ? PEER_UNKNOWN : peer->state;
}

void peers_forget(struct peers *peers, int pid)
{
    for (size_t i = 0; i < peers->count; i++) {
        if (peers->items[i].pid == pid)
            peers->items[i] = peers->items[--peers->count];
    }
}

bool peers_ask(struct peers *peers, int64_t now_ms, struct text *sql)
{
    bool is_any = false;

    text_add_string(sql,
                    "SELECT a.pid, a.backend_start"
                    "  FROM pg_catalog.pg_stat_get_activity(NULL) AS a, pg_catalog.pg_roles AS r"
                    " WHERE r.rolname OPERATOR(pg_catalog.=) SESSION_USER"
                    "   AND a.usesysid OPERATOR(pg_catalog.=) r.oid"
                    "   AND a.pid OPERATOR(pg_catalog.=) ANY ('{");
    for (size_t i = 0; i < peers->count; i++) {
        struct peer *peer = &peers->items[i];

        if (peer_state_now(peer, now_ms) != PEER_UNKNOWN)
            continue;
        text_add_format(sql, "%s%d", is_any ? "," : "", peer->pid);
        peer->is_asked_about = true;
        peer->asked_ms = now_ms;
        is_any = true;
    }
    text_add_string(sql, "}'::pg_catalog.int4[])");
    return is_any;
}

void peers_answer_begins(struct peers *peers)
{
    for (size_t i = 0; i < peers->count; i++) {
        if (peers->items[i].is_asked_about)
            peers->items[i].state = PEER_STRANGER;
    }
}

void peers_note(struct peers *peers, int pid, const char *since)
{
    struct peer *peer = peers_find(peers, pid);

    if (peer == NULL || !peer->is_asked_about)
        return;
    peer->state = PEER_OURS;
    peer->is_same = strcmp(peer->since, since) == 0;
    text_copy_cut(peer->since, sizeof peer->since, since);
    peers->are_there = true;
}

void peers_answer_ends(struct peers *peers)
{
    for (size_t i = 0; i < peers->count; i++) {
        struct peer *peer = &peers->items[i];

        if (peer->is_asked_about && peer->state == PEER_STRANGER) {
            peer->since[0] = '\0';
            peer->is_same = false;
        }
        peer->is_asked_about = false;
    }
}
