#include <string.h>

#include "base/event_loop.h"
#include "check.h"
#include "lock/turn.h"

enum { SOON_MS = 5, LONG_MS = 10000 };

static char said[64];
static int running;

struct one {
    const char *name;
    const char *key;
};

static void wait_ms(int64_t ms)
{
    struct pollfd nothing = { .fd = -1 };

    (void)event_loop_poll(&nothing, 1, ms);
}

static void run(void *context)
{
    const struct one *one = context;
    struct turn turn = { .key = NULL };
    struct error err;

    running++;
    assert_true(turn_take(&turn, one->key, &err));
    assert_true(turn_take(&turn, one->key, &err));
    (void)strcat(said, one->name);
    wait_ms(SOON_MS);
    (void)strcat(said, one->name);
    turn_give(&turn);
    turn_give(&turn);
    running--;
}

static void start(const struct one *ones, size_t count)
{
    said[0] = '\0';
    for (size_t i = 0; i < count; i++)
        assert_true(event_loop_start(run, (void *)&ones[i]));
    do
        wait_ms(LONG_MS);
    while (running > 0);
}

static void the_same_key_comes_one_after_the_other_in_order(void **state)
{
    static const struct one ones[] = { { "a", "k" }, { "b", "k" }, { "c", "k" } };

    (void)state;
    start(ones, 3);
    assert_string_equal(said, "aabbcc");
}

static void another_key_does_not_wait(void **state)
{
    static const struct one ones[] = { { "a", "k" }, { "b", "l" } };

    (void)state;
    start(ones, 2);
    assert_string_equal(said, "abab");
}

static void it_is_known_whether_another_waits(void **state)
{
    struct turn one = { .key = NULL };
    struct error err;

    (void)state;
    assert_false(turn_is_awaited(&one));
    assert_true(turn_take(&one, "k", &err));
    assert_false(turn_is_awaited(&one));
    said[0] = '\0';
    assert_true(event_loop_start(run, &(struct one) { "a", "k" }));
    wait_ms(SOON_MS);
    assert_string_equal(said, "");
    assert_true(turn_is_awaited(&one));
    turn_give(&one);
    do
        wait_ms(LONG_MS);
    while (running > 0);
    assert_string_equal(said, "aa");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_key_comes_one_after_the_other_in_order),
        cmocka_unit_test(another_key_does_not_wait),
        cmocka_unit_test(it_is_known_whether_another_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
