#include <string.h>

#include "check.h"
#include "fleet/peers.h"

static struct peers peers;

static int enter(void **state)
{
    (void)state;
    peers = (struct peers) { .count = 0 };
    return 0;
}

static enum peer_state state_of(int pid, int64_t now_ms)
{
    return peer_state_now(peers_find(&peers, pid), now_ms);
}

static bool asks(int64_t now_ms, const char *pids)
{
    auto_text struct text sql = text_init(4096);
    const bool is_any = peers_ask(&peers, now_ms, &sql);

    assert_int_equal(is_any, pids != NULL);
    if (pids != NULL)
        assert_non_null(strstr(sql.at, pids));
    return is_any;
}

/* The server knows that one of those that it was asked about. */
static void answers(int pid, const char *since)
{
    peers_answer_begins(&peers);
    if (since != NULL)
        peers_note(&peers, pid, since);
    peers_answer_ends(&peers);
}

static void nobody_is_believed_before_the_server_knows_it(void **state)
{
    (void)state;
    assert_int_equal(state_of(7, 5000), PEER_UNKNOWN);
    asks(5000, "'{7}'");
    assert_int_equal(state_of(7, 5000), PEER_UNKNOWN);
    assert_false(peers.are_there);
    answers(7, "noon");
    assert_int_equal(state_of(7, 5001), PEER_OURS);
    assert_true(peers.are_there);
    assert_false(peers_find(&peers, 7)->is_same);
}

static void a_stranger_is_not_believed(void **state)
{
    (void)state;
    (void)peers_find(&peers, 7);
    (void)peers_find(&peers, 8);
    asks(5000, "'{7,8}'");
    answers(7, "noon");
    assert_int_equal(state_of(7, 5001), PEER_OURS);
    assert_int_equal(state_of(8, 5001), PEER_STRANGER);
}

static void it_is_asked_again_before_an_old_answer_counts(void **state)
{
    (void)state;
    (void)peers_find(&peers, 7);
    asks(5000, "'{7}'");
    answers(7, "noon");
    asks(5000 + PEERS_SURE_MS, NULL);
    assert_int_equal(state_of(7, 5000 + PEERS_SURE_MS), PEER_OURS);
    assert_int_equal(state_of(7, 5001 + PEERS_SURE_MS), PEER_UNKNOWN);
    asks(7000, "'{7}'");
    assert_int_equal(state_of(7, 7000), PEER_UNKNOWN);
    answers(7, "noon");
    assert_true(peers_find(&peers, 7)->is_same);
    assert_int_equal(state_of(7, 7001), PEER_OURS);
}

static void another_session_with_the_same_number_is_another_one(void **state)
{
    (void)state;
    (void)peers_find(&peers, 7);
    asks(5000, "'{7}'");
    answers(7, "noon");
    asks(7000, "'{7}'");
    answers(7, "one o'clock");
    assert_false(peers_find(&peers, 7)->is_same);
    asks(9000, "'{7}'");
    answers(7, NULL);
    assert_int_equal(state_of(7, 9001), PEER_STRANGER);
    asks(11000, "'{7}'");
    answers(7, "one o'clock");
    assert_false(peers_find(&peers, 7)->is_same);
}

static void who_has_gone_is_not_known_any_more(void **state)
{
    (void)state;
    (void)peers_find(&peers, 7);
    (void)peers_find(&peers, 8);
    asks(5000, "'{7,8}'");
    answers(7, "noon");
    peers_forget(&peers, 7);
    assert_int_equal(state_of(7, 5001), PEER_UNKNOWN);
    assert_int_equal(state_of(8, 5001), PEER_STRANGER);
}

static void there_are_never_too_many(void **state)
{
    (void)state;
    for (int pid = 1; pid <= PEERS_MOST; pid++)
        assert_non_null(peers_find(&peers, pid));
    assert_null(peers_find(&peers, PEERS_MOST + 1));
    assert_non_null(peers_find(&peers, PEERS_MOST));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nobody_is_believed_before_the_server_knows_it, enter),
        cmocka_unit_test_setup(a_stranger_is_not_believed, enter),
        cmocka_unit_test_setup(it_is_asked_again_before_an_old_answer_counts, enter),
        cmocka_unit_test_setup(another_session_with_the_same_number_is_another_one, enter),
        cmocka_unit_test_setup(who_has_gone_is_not_known_any_more, enter),
        cmocka_unit_test_setup(there_are_never_too_many, enter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
