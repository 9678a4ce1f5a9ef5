#include "check.h"
#include "fleet/schedule.h"

enum { MOST = 64 };

static struct arena *arena;

static int enter(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static int leave(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* `count` tenants, each in a lane of its own, on servers that take turns. */
static struct schedule on_servers(struct schedule_rules rules, size_t count, size_t server_count)
{
    size_t lanes[MOST];
    size_t servers[MOST];
    const struct schedule_map map = { lanes, servers, count, count, server_count };
    struct schedule schedule;

    for (size_t i = 0; i < count; i++) {
        lanes[i] = i;
        servers[i] = i % server_count;
    }
    schedule = schedule_begin(arena, rules, &map);
    for (size_t i = 0; i < server_count; i++)
        schedule_widen(&schedule, i, MOST);
    return schedule;
}

static struct schedule_rules rules_of(size_t canaries, size_t parallel, size_t failures_most)
{
    return (struct schedule_rules) { .canaries = canaries,
                                     .parallel = parallel,
                                     .parallel_in_lane = parallel,
                                     .failures_most = failures_most };
}

static void starts(struct schedule *schedule, int64_t now_ms, size_t index)
{
    assert_int_equal(schedule_next(schedule, now_ms), index);
}

static void starts_nobody(struct schedule *schedule, int64_t now_ms)
{
    starts(schedule, now_ms, SCHEDULE_NOBODY);
}

static void as_many_run_as_are_allowed_in_the_order_of_the_list(void **state)
{
    struct schedule schedule = on_servers(rules_of(0, 2, 0), 4, 1);

    (void)state;
    starts(&schedule, 0, 0);
    starts(&schedule, 0, 1);
    starts_nobody(&schedule, 0);
    schedule_end(&schedule, 1, TENANT_DONE, 0);
    starts(&schedule, 0, 2);
    starts_nobody(&schedule, 0);
    schedule_end(&schedule, 0, TENANT_DONE, 0);
    schedule_end(&schedule, 2, TENANT_DONE, 0);
    starts(&schedule, 0, 3);
    assert_false(schedule_is_over(&schedule));
    schedule_end(&schedule, 3, TENANT_DONE, 0);
    assert_true(schedule_is_over(&schedule));
    assert_int_equal(schedule.counts[TENANT_DONE], 4);
}

static void a_server_has_one_until_its_room_is_known(void **state)
{
    const size_t lanes[] = { 0, 1, 2, 3 };
    const size_t servers[] = { 0, 0, 0, 0 };
    const struct schedule_map map = { lanes, servers, 4, 4, 1 };
    struct schedule schedule = schedule_begin(arena, rules_of(0, 4, 0), &map);

    (void)state;
    starts(&schedule, 0, 0);
    starts_nobody(&schedule, 0);
    schedule_widen(&schedule, 0, 3);
    starts(&schedule, 0, 1);
    starts(&schedule, 0, 2);
    starts_nobody(&schedule, 0);
}

static void the_server_with_the_fewest_comes_next(void **state)
{
    const size_t lanes[] = { 0, 1, 2, 3, 4, 5 };
    const size_t servers[] = { 0, 0, 0, 0, 1, 1 };
    const struct schedule_map map = { lanes, servers, 6, 6, 2 };
    struct schedule schedule = schedule_begin(arena, rules_of(0, 4, 0), &map);

    (void)state;
    schedule_widen(&schedule, 0, MOST);
    schedule_widen(&schedule, 1, MOST);
    starts(&schedule, 0, 0);
    starts(&schedule, 0, 4);
    starts(&schedule, 0, 1);
    starts(&schedule, 0, 5);
    /* The other has nobody left, and one that hangs keeps nobody else from going on. */
    schedule_end(&schedule, 4, TENANT_DONE, 0);
    starts(&schedule, 0, 2);
}

static void canaries_go_first_and_alone(void **state)
{
    struct schedule schedule = on_servers(rules_of(2, 4, SIZE_MAX), 5, 2);

    (void)state;
    starts(&schedule, 0, 0);
    starts_nobody(&schedule, 0);
    schedule_end(&schedule, 0, TENANT_DONE, 0);
    starts(&schedule, 0, 1);
    starts_nobody(&schedule, 0);
    schedule_end(&schedule, 1, TENANT_DONE, 0);
    starts(&schedule, 0, 2);
    starts(&schedule, 0, 3);
    starts(&schedule, 0, 4);
}

static void nothing_begins_after_a_canary_that_fails(void **state)
{
    struct schedule schedule = on_servers(rules_of(1, 4, SIZE_MAX), 3, 1);

    (void)state;
    starts(&schedule, 0, 0);
    schedule_end(&schedule, 0, TENANT_FAILED, 0);
    starts_nobody(&schedule, 0);
    assert_true(schedule_is_over(&schedule));
    assert_int_equal(schedule.counts[TENANT_WAITING], 2);
}

static void a_canary_elsewhere_keeps_all_others(void **state)
{
    struct schedule schedule = on_servers(rules_of(1, 4, 0), 3, 1);

    (void)state;
    starts(&schedule, 0, 0);
    schedule_end(&schedule, 0, TENANT_ELSEWHERE, 1000);
    starts_nobody(&schedule, 1000);
    assert_int_equal(schedule_again_ms(&schedule), 1250);
    starts(&schedule, 1250, 0);
    schedule_end(&schedule, 0, TENANT_DONE, 1300);
    starts(&schedule, 1300, 1);
}

static void so_many_may_fail_and_no_more(void **state)
{
    struct schedule schedule = on_servers(rules_of(0, 1, 2), 6, 1);

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        starts(&schedule, 0, i);
        schedule_end(&schedule, i, TENANT_FAILED, 0);
    }
    starts_nobody(&schedule, 0);
    assert_true(schedule_is_over(&schedule));
}

static void what_runs_when_it_stops_is_waited_for(void **state)
{
    struct schedule schedule = on_servers(rules_of(0, 2, 0), 4, 1);

    (void)state;
    starts(&schedule, 0, 0);
    starts(&schedule, 0, 1);
    schedule_end(&schedule, 0, TENANT_FAILED, 0);
    starts_nobody(&schedule, 0);
    assert_false(schedule_is_over(&schedule));
    schedule_end(&schedule, 1, TENANT_DONE, 0);
    assert_true(schedule_is_over(&schedule));
}

static void what_is_elsewhere_comes_last_and_after_pauses_that_grow(void **state)
{
    struct schedule schedule = on_servers(rules_of(0, 1, 0), 2, 1);
    int64_t now_ms = 1000;

    (void)state;
    starts(&schedule, now_ms, 0);
    assert_int_equal(schedule_elsewhere_ms(&schedule, 0, now_ms), 0);
    schedule_end(&schedule, 0, TENANT_ELSEWHERE, now_ms);
    starts(&schedule, now_ms + 5000, 1);
    assert_int_equal(schedule_again_ms(&schedule), -1);
    schedule_end(&schedule, 1, TENANT_DONE, now_ms);
    for (int64_t pause = 250; pause <= 4000; pause *= 2) {
        assert_int_equal(schedule_again_ms(&schedule), now_ms + pause);
        starts_nobody(&schedule, now_ms + pause - 1);
        now_ms += pause;
        starts(&schedule, now_ms, 0);
        schedule_end(&schedule, 0, TENANT_ELSEWHERE, now_ms);
    }
    assert_int_equal(schedule_again_ms(&schedule), now_ms + 4000);
    assert_int_equal(schedule_elsewhere_ms(&schedule, 0, now_ms), now_ms - 1000);
    assert_false(schedule_is_over(&schedule));
    schedule_stop(&schedule);
    assert_true(schedule_is_over(&schedule));
}

static void databases_take_turns_and_none_has_more_than_its_share(void **state)
{
    const size_t lanes[] = { 0, 0, 0, 0, 1, 1, 2 };
    const size_t servers[] = { 0, 0, 0 };
    const struct schedule_map map = { lanes, servers, 7, 3, 1 };
    const struct schedule_rules rules = { .parallel = 6, .parallel_in_lane = 2 };
    struct schedule schedule = schedule_begin(arena, rules, &map);

    (void)state;
    schedule_widen(&schedule, 0, MOST);
    starts(&schedule, 0, 0);
    starts(&schedule, 0, 4);
    starts(&schedule, 0, 6);
    starts(&schedule, 0, 1);
    starts(&schedule, 0, 5);
    starts_nobody(&schedule, 0);
    schedule_end(&schedule, 4, TENANT_DONE, 0);
    starts_nobody(&schedule, 0);
    schedule_end(&schedule, 1, TENANT_DONE, 0);
    starts(&schedule, 0, 2);
    starts_nobody(&schedule, 0);
    /* The first may take as long as it likes. */
    schedule_end(&schedule, 2, TENANT_DONE, 0);
    starts(&schedule, 0, 3);
    schedule_end(&schedule, 3, TENANT_DONE, 0);
    starts_nobody(&schedule, 0);
}

static void everybody_comes_once_whatever_happens(void **state)
{
    struct schedule schedule = on_servers(rules_of(3, 7, SIZE_MAX), MOST, 5);
    unsigned begun[MOST] = { 0 };
    size_t running[MOST];
    size_t count = 0;
    unsigned random = 1;

    (void)state;
    while (!schedule_is_over(&schedule)) {
        size_t index;
        size_t which;

        while ((index = schedule_next(&schedule, 0)) != SCHEDULE_NOBODY) {
            begun[index]++;
            running[count++] = index;
        }
        assert_in_range(count, 1, 7);
        random = random * 1103515245 + 12345;
        which = (random >> 16) % count;
        schedule_end(&schedule, running[which],
                     running[which] >= 3 && (random >> 8) % 3 == 0 ? TENANT_FAILED : TENANT_DONE, 0);
        running[which] = running[--count];
    }
    for (size_t i = 0; i < MOST; i++)
        assert_int_equal(begun[i], 1);
}

/* So many tenants in one database. */
static struct schedule in_one_database(size_t count, size_t canaries)
{
    size_t lanes[MOST] = { 0 };
    const size_t servers[] = { 0 };
    const struct schedule_map map = { lanes, servers, count, 1, 1 };
    struct schedule schedule = schedule_begin(arena, rules_of(canaries, 1, 0), &map);

    schedule_widen(&schedule, 0, MOST);
    return schedule;
}

static void runs_in_order(struct schedule *schedule, const size_t *order, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        starts(schedule, 0, order[i]);
        schedule_end(schedule, order[i], TENANT_DONE, 0);
    }
    assert_true(schedule_is_over(schedule));
}

static void the_lowest_numbers_are_as_far_from_each_other_as_can_be(void **state)
{
    const uint32_t quarter = UINT32_C(1) << 30;
    const uint32_t parts[] = { 0, 2 * quarter, quarter, 3 * quarter, quarter / 2, 5 * (quarter / 2) };

    (void)state;
    for (unsigned i = 0; i < array_length(parts); i++)
        assert_int_equal(schedule_part_of(i), parts[i]);
}

static void a_server_begins_where_it_is_told_and_goes_round(void **state)
{
    const size_t order[] = { 6, 7, 8, 9, 0, 1, 2, 3, 4, 5 };
    const size_t from_the_first[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    struct schedule databases = on_servers(rules_of(0, 1, 0), 10, 1);
    struct schedule schemas = in_one_database(10, 0);
    struct schedule first = on_servers(rules_of(0, 1, 0), 10, 1);

    (void)state;
    schedule_begin_at(&databases, 0, UINT32_C(0xA0000000));
    schedule_begin_at(&schemas, 0, UINT32_C(0xA0000000));
    schedule_begin_at(&first, 0, schedule_part_of(0));
    runs_in_order(&databases, order, 10);
    runs_in_order(&schemas, order, 10);
    runs_in_order(&first, from_the_first, 10);
}

static void another_server_keeps_its_order_and_canaries_come_first(void **state)
{
    struct schedule schedule = on_servers(rules_of(1, 1, 0), 8, 2);

    (void)state;
    schedule_begin_at(&schedule, 0, schedule_part_of(1));
    /* On the first server 0, the canary, is in front of 4, 6, 2; the other has the fewest at work by turns.
     */
    starts(&schedule, 0, 0);
    starts_nobody(&schedule, 0);
    schedule_end(&schedule, 0, TENANT_DONE, 0);
    starts(&schedule, 0, 4);
    schedule_end(&schedule, 4, TENANT_DONE, 0);
    starts(&schedule, 0, 6);
    schedule_end(&schedule, 6, TENANT_DONE, 0);
    starts(&schedule, 0, 2);
    schedule_end(&schedule, 2, TENANT_DONE, 0);
    for (size_t i = 1; i < 8; i += 2) {
        starts(&schedule, 0, i);
        schedule_end(&schedule, i, TENANT_DONE, 0);
    }
    assert_true(schedule_is_over(&schedule));
}

static void nothing_begins_on_a_server_without_room(void **state)
{
    struct schedule schedule = on_servers(rules_of(0, 2, 0), 4, 2);

    (void)state;
    schedule_widen(&schedule, 0, 0);
    starts(&schedule, 0, 1);
    starts(&schedule, 0, 3);
    schedule_end(&schedule, 1, TENANT_DONE, 0);
    starts_nobody(&schedule, 0);
    assert_false(schedule_is_over(&schedule));
    schedule_widen(&schedule, 0, 1);
    starts(&schedule, 0, 0);
}

static void what_another_process_has_begun_comes_last(void **state)
{
    struct schedule schedule = on_servers(rules_of(0, 1, 0), 4, 1);

    (void)state;
    schedule_defer(&schedule, 0, 1000);
    schedule_defer(&schedule, 2, 1500);
    starts(&schedule, 0, 1);
    schedule_defer(&schedule, 1, 9000); /* it runs here */
    schedule_end(&schedule, 1, TENANT_DONE, 0);
    starts(&schedule, 0, 3);
    schedule_end(&schedule, 3, TENANT_DONE, 0);
    starts_nobody(&schedule, 999);
    assert_int_equal(schedule_again_ms(&schedule), 1000);
    assert_int_equal(schedule_elsewhere_ms(&schedule, 0, 1000), 0);
    starts(&schedule, 1000, 0);
    schedule_end(&schedule, 0, TENANT_ELSEWHERE, 1000);
    /* Its own looks count from here, and no word makes the pause longer. */
    schedule_defer(&schedule, 0, 9000);
    assert_int_equal(schedule_again_ms(&schedule), 1250);
}

static void what_another_process_has_done_is_done(void **state)
{
    struct schedule schedule = on_servers(rules_of(1, 1, 0), 5, 1);

    (void)state;
    starts(&schedule, 0, 0);
    assert_false(schedule_finish(&schedule, 0)); /* it runs here */
    schedule_end(&schedule, 0, TENANT_ELSEWHERE, 0);
    starts_nobody(&schedule, 0);
    assert_true(schedule_finish(&schedule, 0)); /* the canary, for which all others wait */
    assert_true(schedule_finish(&schedule, 1));
    assert_true(schedule_finish(&schedule, 4));
    assert_false(schedule_finish(&schedule, 4));
    starts(&schedule, 0, 2);
    schedule_end(&schedule, 2, TENANT_DONE, 0);
    assert_true(schedule_finish(&schedule, 3));
    assert_true(schedule_is_over(&schedule));
    assert_int_equal(schedule.counts[TENANT_DONE], 5);
}

static void those_in_the_middle_of_a_database_can_be_done_too(void **state)
{
    struct schedule schedule = in_one_database(6, 0);

    (void)state;
    assert_true(schedule_finish(&schedule, 2));
    assert_true(schedule_finish(&schedule, 5));
    assert_true(schedule_finish(&schedule, 0));
    runs_in_order(&schedule, (const size_t[]) { 1, 3, 4 }, 3);
}

static void a_database_in_which_another_process_leads_is_left_alone_for_a_moment(void **state)
{
    const size_t lanes[] = { 0, 0, 0, 1, 2 };
    const size_t servers[] = { 0, 0, 0 };
    const struct schedule_map map = { lanes, servers, 5, 3, 1 };
    struct schedule schedule = schedule_begin(arena, rules_of(0, 1, 0), &map);

    (void)state;
    schedule_rest(&schedule, 1, 1000);
    schedule_rest(&schedule, 3, 1000); /* alone in its database, it has a pause of its own */
    starts(&schedule, 0, 3);
    schedule_end(&schedule, 3, TENANT_DONE, 0);
    starts(&schedule, 0, 4);
    schedule_end(&schedule, 4, TENANT_DONE, 0);
    starts_nobody(&schedule, 0);
    assert_int_equal(schedule_again_ms(&schedule), 1000);
    schedule_rest(&schedule, 0, 500); /* no sooner than that */
    starts_nobody(&schedule, 999);
    for (size_t i = 0; i < 3; i++) {
        starts(&schedule, 1000, i);
        schedule_end(&schedule, i, TENANT_DONE, 1000);
    }
    assert_true(schedule_is_over(&schedule));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_run_as_are_allowed_in_the_order_of_the_list),
        cmocka_unit_test(a_server_has_one_until_its_room_is_known),
        cmocka_unit_test(the_server_with_the_fewest_comes_next),
        cmocka_unit_test(canaries_go_first_and_alone),
        cmocka_unit_test(nothing_begins_after_a_canary_that_fails),
        cmocka_unit_test(a_canary_elsewhere_keeps_all_others),
        cmocka_unit_test(so_many_may_fail_and_no_more),
        cmocka_unit_test(what_runs_when_it_stops_is_waited_for),
        cmocka_unit_test(what_is_elsewhere_comes_last_and_after_pauses_that_grow),
        cmocka_unit_test(databases_take_turns_and_none_has_more_than_its_share),
        cmocka_unit_test(everybody_comes_once_whatever_happens),
        cmocka_unit_test(the_lowest_numbers_are_as_far_from_each_other_as_can_be),
        cmocka_unit_test(a_server_begins_where_it_is_told_and_goes_round),
        cmocka_unit_test(another_server_keeps_its_order_and_canaries_come_first),
        cmocka_unit_test(nothing_begins_on_a_server_without_room),
        cmocka_unit_test(what_another_process_has_begun_comes_last),
        cmocka_unit_test(what_another_process_has_done_is_done),
        cmocka_unit_test(those_in_the_middle_of_a_database_can_be_done_too),
        cmocka_unit_test(a_database_in_which_another_process_leads_is_left_alone_for_a_moment),
    };

    return cmocka_run_group_tests(tests, enter, leave);
}
