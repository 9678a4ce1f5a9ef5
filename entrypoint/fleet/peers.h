/*
 * Which senders of notifications are believed: sessions of the same role, as the server itself says. Pure.
 *
 * A sender is known by the number of its process, which belongs to another session once that one has ended.
 * So a word counts if the same session had the number before and after it, or no longer than PEERS_SURE_MS
 * before it: a server does not give the same number again in that time.
 */
#ifndef FLEET_PEERS_H
#define FLEET_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum { PEERS_MOST = 256, PEERS_SURE_MS = 1000 };

enum peer_state {
    PEER_UNKNOWN, /* nobody has asked the server about it lately */
    PEER_OURS,
    PEER_STRANGER /* or gone */
};

struct peer {
    int pid;
    enum peer_state state;
    char since[48]; /* when its session began, in the server's words; empty = it was not one of ours */
    bool is_asked_about;
    bool is_same; /* the server has said the same of it twice in a row */
    int64_t asked_ms;
};

struct peers {
    struct peer items[PEERS_MOST];
    size_t count;
    bool are_there; /* one of ours was seen */
};

/* The one of that process; NULL = there are too many. */
struct peer *peers_find(struct peers *peers, int pid);

/* It has said that it goes. */
void peers_forget(struct peers *peers, int pid);

/* What is known of it now. */
enum peer_state peer_state_now(const struct peer *peer, int64_t now_ms);

/* Adds a query without parameters about all of those of which nothing is known now, which are then being
 * asked about: its rows are number and begin of the sessions of our own role. False = there are none. */
bool peers_ask(struct peers *peers, int64_t now_ms, struct text *sql);

/* The answer: peers_note() for each row, between the two. */
void peers_answer_begins(struct peers *peers);
void peers_note(struct peers *peers, int pid, const char *since);
void peers_answer_ends(struct peers *peers);

#endif
