#include "fleet/meeting.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/endpoint.h"
#include "fleet/peers.h"
#include "postgres/budget.h"
#include "postgres/notification.h"
#include "postgres/query.h"
#include "postgres/reach.h"

enum { CONNECT_MS = 2000, ANSWER_MS = 2000, LEAVE_MS = 200, WAIT_MS = 60 * 1000 };
enum { SQL_MOST = 16 * 1024, PAYLOAD_MOST = 8 * 1024, WORDS_MOST = 4096 };

/* No two sessions have the same number (the second half of the key). */
#define NUMBER_CLASS "1953063023"
#define CHANNEL "tidelock_tenants"
#define NOBODYS_KEY "0000000000000000000000000000000000000000000000000000000000000000"

/* Nothing that is said has to survive a crash of the server. */
static const struct query ENTER = {
    .name = "meeting_enter",
    .sql = "LISTEN " CHANNEL
           ";"
           "SELECT pg_catalog.set_config('synchronous_commit', 'off', false),"
           " pg_catalog.pg_notify('" CHANNEL "', 'h" NOBODYS_KEY
           "'),"
           " (SELECT i.number FROM pg_catalog.generate_series(0, 1023) AS i (number)"
           "   WHERE pg_catalog.pg_try_advisory_lock(" NUMBER_CLASS ", i.number) LIMIT 1)",
};

/* One that was heard, and whose sender is being asked about. */
struct held {
    int pid;
    struct word word;
};

enum question { QUESTION_NONE, QUESTION_SPEAK, QUESTION_PEERS };

struct meeting {
    struct config config;
    struct endpoint endpoint;
    struct attendee attendee;
    struct connection *conn; /* NULL = not in it */
    struct pending pending;
    enum question question; /* that is on its way */
    struct peers peers;
    struct word *words; /* to be said */
    size_t count;
    size_t capacity;
    struct held *held;
    size_t held_count;
    size_t held_capacity;
    bool is_ending;
    bool is_over; /* its task */
};

static bool refuse(const char *why, struct error *err)
{
    return error_set(err, ERROR_BUDGET, "%s", why);
}

/* For each that is there, the server has a connection left to work with. */
static bool check_room(const struct meeting *meeting, struct connection *conn, unsigned number,
                       struct error *err)
{
    struct budget budget;
    int room;
    int left;

    if (!budget_read(meeting->config.arena, conn, &budget, err))
        return false;
    room = budget_room(&budget) - (int)meeting->config.headroom;
    left = budget_left(&budget);
    return (room < left ? room : left) > (int)number ||
           refuse("the server has too few connections left", err);
}

static bool check_directness(const struct meeting *meeting, struct connection *conn, struct error *err)
{
    bool is_between = meeting->endpoint.is_pooler;

    if (!is_between && !pooler_is_between(conn, &is_between, err))
        return false;
    return !is_between || refuse("a pooler is in between", err);
}

static bool enter(struct meeting *meeting, unsigned *number, struct error *err)
{
    auto_connection struct connection *conn = NULL;
    auto_result struct result *row = NULL;

    if (!endpoint_find(meeting->config.arena, &meeting->config, &meeting->endpoint, err))
        return false;
    meeting->endpoint.connect_timeout_ms = CONNECT_MS;
    if ((conn = reach_database(&meeting->config, &meeting->endpoint, NULL, err)) == NULL)
        return false;
    connection_limit_answers(conn, ANSWER_MS);
    connection_shield(conn, true);
    connection_hush(conn, true);
    if (!check_directness(meeting, conn, err) || !query_several(conn, &ENTER, &row, 1, err))
        return false;
    *number = (unsigned)result_number(row, 0, 2);
    if (result_is_null(row, 0, 2))
        return refuse("too many are there", err);
    if (!check_room(meeting, conn, *number, err))
        return false;
    meeting->conn = steal(&conn);
    return true;
}

static void leave(struct meeting *meeting, const char *why)
{
    if (meeting->conn == NULL)
        return;
    if (why != NULL)
        log_debug("other processes are not heard any more: %s", why);
    pending_free(&meeting->pending);
    connection_close(meeting->conn);
    meeting->conn = NULL;
}

static void ask(struct meeting *meeting, enum question question, const struct text *sql)
{
    meeting->question = question;
    if (!query_begin(meeting->conn, sql->at, &meeting->pending))
        leave(meeting, "the connection broke");
}

static void speak(struct meeting *meeting)
{
    const size_t count = meeting->count < WORDS_IN_TEXT ? meeting->count : WORDS_IN_TEXT;
    auto_text struct text sql = text_init(SQL_MOST);

    text_add_string(&sql, "SELECT pg_catalog.pg_notify('" CHANNEL "', '");
    for (size_t i = 0; i < count; i++)
        word_add(&meeting->words[i], &sql);
    text_add_string(&sql, "')");
    meeting->count -= count;
    memmove(meeting->words, meeting->words + count, meeting->count * sizeof *meeting->words);
    ask(meeting, QUESTION_SPEAK, &sql);
}

static void ask_about_peers(struct meeting *meeting)
{
    auto_text struct text sql = text_init(SQL_MOST);

    if (peers_ask(&meeting->peers, clock_now_ms(), &sql))
        ask(meeting, QUESTION_PEERS, &sql);
}

bool meeting_has_company(const struct meeting *meeting)
{
    return meeting->conn != NULL && meeting->peers.are_there;
}

void meeting_say(struct meeting *meeting, enum word_kind kind, const char *key)
{
    if (!meeting_has_company(meeting) || meeting->count == WORDS_MOST)
        return;
    meeting->words = memory_grow(meeting->words, meeting->count, &meeting->capacity, sizeof *meeting->words);
    meeting->words[meeting->count].kind = kind;
    text_copy_cut(meeting->words[meeting->count++].key, SHA256_HEX_SIZE, key);
}

void meeting_flush(struct meeting *meeting)
{
    if (meeting->conn != NULL && meeting->question == QUESTION_NONE && meeting->count > 0)
        speak(meeting);
}

static void hold(struct meeting *meeting, int pid, const struct word *word)
{
    if (meeting->held_count == WORDS_MOST)
        return;
    meeting->held =
        memory_grow(meeting->held, meeting->held_count, &meeting->held_capacity, sizeof *meeting->held);
    meeting->held[meeting->held_count++] = (struct held) { pid, *word };
}

static void hear_word(struct meeting *meeting, int pid, const struct word *word)
{
    const struct peer *peer;

    if (word->kind == WORD_BYE) {
        peers_forget(&meeting->peers, pid);
        return;
    }
    peer = peers_find(&meeting->peers, pid);
    switch (peer == NULL ? PEER_STRANGER : peer_state_now(peer, clock_now_ms())) {
    case PEER_UNKNOWN:
        hold(meeting, pid, word);
        break;
    case PEER_OURS:
        meeting->attendee.hear(meeting->attendee.context, word);
        break;
    case PEER_STRANGER:
        break;
    }
}

static void hear(struct meeting *meeting)
{
    auto_text struct text payload = text_init(PAYLOAD_MOST);
    struct word word;
    int pid;

    while (notification_next(meeting->conn, &pid, &payload)) {
        struct slice left = text_slice(&payload);

        while (pid != connection_backend_pid(meeting->conn) && word_take(&left, &word))
            hear_word(meeting, pid, &word);
    }
}

/* What was said before anybody had asked about its sender tells at most that it has begun something. */
static void hear_held(struct meeting *meeting)
{
    size_t kept = 0;

    for (size_t i = 0; i < meeting->held_count; i++) {
        const struct held held = meeting->held[i];
        const struct peer *peer = peers_find(&meeting->peers, held.pid);
        const enum peer_state state = peer == NULL ? PEER_STRANGER : peer_state_now(peer, clock_now_ms());

        if (state == PEER_UNKNOWN)
            meeting->held[kept++] = held;
        else if (state == PEER_OURS &&
                 (peer->is_same || held.word.kind == WORD_HELLO || held.word.kind == WORD_BEGUN))
            meeting->attendee.hear(meeting->attendee.context, &held.word);
    }
    meeting->held_count = kept;
}

static void note_peers(struct meeting *meeting)
{
    const struct result *rows = meeting->pending.results[0];

    peers_answer_begins(&meeting->peers);
    for (int i = 0; rows != NULL && i < result_rows(rows); i++)
        peers_note(&meeting->peers, (int)result_number(rows, i, 0), result_text(rows, i, 1));
    peers_answer_ends(&meeting->peers);
    hear_held(meeting);
}

/* Takes in what has arrived: an answer, or what others say. */
static bool receive(struct meeting *meeting, struct error *err)
{
    if (meeting->question == QUESTION_NONE)
        return notification_receive(meeting->conn) || error_set(err, ERROR_LOST, "the connection broke");
    switch (query_continue(meeting->conn, &meeting->pending, err)) {
    case QUERY_PENDING:
        return true;
    case QUERY_FAILED:
        return false;
    case QUERY_DONE:
        break;
    }
    if (meeting->question == QUESTION_PEERS)
        note_peers(meeting);
    meeting->question = QUESTION_NONE;
    pending_free(&meeting->pending);
    return true;
}

static void take_turn(struct meeting *meeting)
{
    struct error err;

    if (!receive(meeting, &err)) {
        leave(meeting, err.message);
        return;
    }
    hear(meeting);
    meeting_flush(meeting);
    if (meeting->conn != NULL && meeting->question == QUESTION_NONE && meeting->held_count > 0)
        ask_about_peers(meeting);
}

static void wait_turn(struct meeting *meeting, int64_t ms)
{
    struct pollfd watched = { .fd = connection_descriptor(meeting->conn), .events = POLLIN };

    (void)event_loop_poll(&watched, 1, ms);
    if (watched.revents != 0 && meeting->conn != NULL)
        take_turn(meeting);
}

/* The last words need no answer. */
static void say_the_rest(struct meeting *meeting)
{
    const struct deadline until = deadline_in(LEAVE_MS);

    meeting_say(meeting, WORD_BYE, NOBODYS_KEY);
    meeting_flush(meeting);
    while (meeting->conn != NULL && meeting->count > 0 && !deadline_passed(until))
        wait_turn(meeting, deadline_left_ms(until));
}

static void attend(void *context)
{
    struct meeting *meeting = context;
    struct error err;
    unsigned number = 0;
    const bool is_in = enter(meeting, &number, &err);

    if (is_in)
        log_debug("hears from other processes that work on the same list, as number %u", number);
    else
        log_debug("does not hear from other processes: %s", err.message);
    meeting->attendee.enter(meeting->attendee.context, is_in, number);
    /* Something may have come with the answers so far. */
    if (is_in)
        take_turn(meeting);
    while (meeting->conn != NULL && !meeting->is_ending)
        wait_turn(meeting, WAIT_MS);
    say_the_rest(meeting);
    leave(meeting, NULL);
    meeting->is_over = true;
}

struct meeting *meeting_begin(const struct config *config, const struct attendee *attendee)
{
    struct meeting *meeting = memory_new(1, sizeof *meeting);

    meeting->config = *config;
    meeting->config.arena = arena_new();
    meeting->config.connect_deadline_ms = 0;
    meeting->config.budget_wait_ms = 0;
    meeting->attendee = *attendee;
    meeting->is_over = !event_loop_start(attend, meeting);
    if (!meeting->is_over)
        return meeting;
    meeting_end(meeting);
    return NULL;
}

void meeting_end(struct meeting *meeting)
{
    struct pollfd nothing = { .fd = -1 };

    if (meeting == NULL)
        return;
    meeting->is_ending = true;
    if (!meeting->is_over)
        event_loop_wake();
    while (!meeting->is_over)
        (void)event_loop_poll(&nothing, 1, WAIT_MS);
    arena_free(meeting->config.arena);
    memory_free(meeting->words);
    memory_free(meeting->held);
    memory_free(meeting);
}
