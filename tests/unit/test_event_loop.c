#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/event_loop.h"
#include "base/log.h"
#include "base/memory.h"
#include "check.h"

/* Long enough to be told from nothing, and to be waited for. */
enum { MOMENT_MS = 20, LONG_MS = 10 * 1000, MANY = 20 };

/* An attendant that counts its turns. */
struct witness {
    struct attendant attendant; /* the first member */
    int turns;
    int place; /* the last of its turns among all, from 1 */
    int ends[2];
    void (*act)(struct witness *self); /* … and does this in them; or NULL */
    struct witness *other;
    int seen; /* what `act` saw */
    void *context;
};

static int all_turns;

static void on_turn(struct attendant *attendant)
{
    struct witness *self = (struct witness *)attendant;
    char byte;

    self->turns++;
    self->place = ++all_turns;
    self->attendant.due = deadline_never();
    if (self->attendant.fd >= 0)
        assert_int_equal(read(self->attendant.fd, &byte, 1), 1);
    if (self->act != NULL)
        self->act(self);
}

/* Its turn comes when it is due. */
static struct witness due_in(int64_t ms)
{
    return (struct witness) { .attendant = { .fd = -1, .due = deadline_in(ms), .turn = on_turn },
                              .ends = { -1, -1 } };
}

/* Its turn comes when its descriptor is ready, as it is now. */
static struct witness ready(void)
{
    struct witness witness = { .attendant = { .due = deadline_never(), .events = POLLIN, .turn = on_turn } };

    assert_int_equal(pipe(witness.ends), 0);
    assert_int_equal(write(witness.ends[1], "x", 1), 1);
    witness.attendant.fd = witness.ends[0];
    return witness;
}

static void attend(struct witness *witnesses, size_t count)
{
    all_turns = 0;
    for (size_t i = 0; i < count; i++)
        event_loop_attend(&witnesses[i].attendant);
}

static void leave(struct witness *witnesses, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        event_loop_dismiss(&witnesses[i].attendant);
        for (int end = 0; end < 2; end++) {
            if (witnesses[i].ends[end] >= 0)
                assert_int_equal(close(witnesses[i].ends[end]), 0);
        }
    }
}

/* Waits for nothing but time. */
static int pass(int64_t ms)
{
    struct pollfd nothing = { .fd = -1 };

    return event_loop_poll(&nothing, 1, ms);
}

static void a_turn_comes_when_the_descriptor_is_ready(void **state)
{
    struct witness witness = ready();

    (void)state;
    attend(&witness, 1);
    assert_int_equal(pass(MOMENT_MS), 0);
    assert_int_equal(witness.turns, 1);
    leave(&witness, 1);
}

static void a_turn_comes_when_it_is_due(void **state)
{
    struct witness witness = due_in(LONG_MS);

    (void)state;
    attend(&witness, 1);
    assert_int_equal(pass(0), 0);
    assert_int_equal(witness.turns, 0);
    witness.attendant.due = deadline_in(MOMENT_MS);
    assert_int_equal(pass(4 * MOMENT_MS), 0);
    assert_int_equal(witness.turns, 1);
    leave(&witness, 1);
}

static void a_turn_comes_even_when_one_only_looks(void **state)
{
    struct witness witnesses[] = { ready(), due_in(0) };

    (void)state;
    attend(witnesses, 2);
    assert_int_equal(pass(0), 0);
    assert_int_equal(witnesses[0].turns, 1);
    assert_int_equal(witnesses[1].turns, 1);
    leave(witnesses, 2);
}

static void who_is_never_due_has_no_turn(void **state)
{
    struct witness witness = due_in(-1);

    (void)state;
    attend(&witness, 1);
    assert_int_equal(pass(MOMENT_MS), 0);
    assert_int_equal(witness.turns, 0);
    leave(&witness, 1);
}

static void a_turn_does_not_end_the_wait(void **state)
{
    struct witness witnesses[] = { ready(), due_in(0) };
    int64_t began = clock_now_ms();

    (void)state;
    attend(witnesses, 2);
    assert_int_equal(pass(MOMENT_MS), 0);
    assert_true(clock_now_ms() - began >= MOMENT_MS);
    leave(witnesses, 2);
}

static void everybody_has_a_turn_in_the_order_of_coming(void **state)
{
    struct witness witnesses[MANY];

    (void)state;
    for (size_t i = 0; i < MANY; i++)
        witnesses[i] = i % 2 == 0 ? ready() : due_in(0);
    attend(witnesses, MANY);
    assert_int_equal(pass(MOMENT_MS), 0);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(witnesses[i].turns, 1);
        assert_int_equal(witnesses[i].place, i + 1);
    }
    leave(witnesses, MANY);
}

static void what_is_waited_for_is_told_from_what_attendants_wait_for(void **state)
{
    struct witness witnesses[] = { ready(), ready() };
    struct pollfd watched[] = { { .fd = -1 }, { .fd = witnesses[1].ends[0], .events = POLLIN } };

    (void)state;
    attend(witnesses, 1);
    assert_int_equal(event_loop_poll(watched, 2, LONG_MS), 1);
    assert_int_equal(watched[0].revents, 0);
    assert_int_equal(watched[1].revents, POLLIN);
    assert_int_equal(witnesses[0].turns, 1);
    leave(witnesses, 2);
}

static void write_to_other(struct witness *self)
{
    assert_int_equal(write(self->other->ends[1], "x", 1), 1);
}

static void a_turn_may_bring_what_is_waited_for(void **state)
{
    struct witness witnesses[] = { due_in(0), ready() };
    struct pollfd watched = { .fd = witnesses[1].ends[0], .events = POLLIN };
    char byte;

    (void)state;
    assert_int_equal(read(watched.fd, &byte, 1), 1);
    witnesses[0].act = write_to_other;
    witnesses[0].other = &witnesses[1];
    attend(witnesses, 1);
    assert_int_equal(event_loop_poll(&watched, 1, LONG_MS), 1);
    leave(witnesses, 2);
}

static void wait_in_turn(struct witness *self)
{
    self->attendant.due = deadline_in(0);
    (void)pass(MOMENT_MS);
    self->seen = all_turns;
    self->attendant.due = deadline_never();
}

static void nobody_has_a_turn_while_one_is_under_way(void **state)
{
    struct witness witnesses[] = { due_in(0), ready(), due_in(0) };

    (void)state;
    witnesses[0].act = wait_in_turn;
    attend(witnesses, 3);
    assert_int_equal(pass(MOMENT_MS), 0);
    assert_int_equal(witnesses[0].seen, 1);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(witnesses[i].turns, 1);
    leave(witnesses, 3);
}

static void dismiss_other(struct witness *self)
{
    event_loop_dismiss(&self->other->attendant);
}

static void who_is_dismissed_in_another_s_turn_has_none(void **state)
{
    struct witness witnesses[] = { due_in(0), ready(), due_in(0), due_in(0) };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        witnesses[2 * i].act = dismiss_other;
        witnesses[2 * i].other = &witnesses[2 * i + 1];
    }
    attend(witnesses, 4);
    assert_int_equal(pass(MOMENT_MS), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(witnesses[i].turns, i % 2 == 0);
    leave(witnesses, 4);
}

static void dismiss_self(struct witness *self)
{
    self->attendant.due = deadline_in(0);
    event_loop_dismiss(&self->attendant);
}

static void who_leaves_in_his_own_turn_does_not_take_others_along(void **state)
{
    struct witness witnesses[] = { due_in(0), due_in(0) };

    (void)state;
    witnesses[0].act = dismiss_self;
    attend(witnesses, 2);
    assert_int_equal(pass(MOMENT_MS), 0);
    assert_int_equal(witnesses[0].turns, 1);
    assert_int_equal(witnesses[1].turns, 1);
    leave(witnesses, 2);
}

static void attend_other(struct witness *self)
{
    event_loop_attend(&self->other->attendant);
}

static void who_comes_in_another_s_turn_has_one_from_the_next_look_on(void **state)
{
    struct witness witnesses[] = { due_in(0), due_in(0) };

    (void)state;
    witnesses[0].act = attend_other;
    witnesses[0].other = &witnesses[1];
    attend(witnesses, 1);
    assert_int_equal(pass(0), 0);
    assert_int_equal(witnesses[1].turns, 0);
    assert_int_equal(pass(0), 0);
    assert_int_equal(witnesses[1].turns, 1);
    leave(witnesses, 2);
}

static void who_comes_twice_has_one_turn(void **state)
{
    struct witness witnesses[] = { due_in(0), due_in(0) };

    (void)state;
    attend(witnesses, 2);
    attend(witnesses, 2);
    assert_int_equal(pass(0), 0);
    assert_int_equal(witnesses[0].turns, 1);
    assert_int_equal(witnesses[1].turns, 1);
    leave(witnesses, 2);
}

static void who_leaves_twice_or_never_came_disturbs_nobody(void **state)
{
    struct witness witnesses[] = { due_in(0), due_in(0), due_in(0) };
    struct witness stranger = due_in(0);

    (void)state;
    attend(witnesses, 3);
    event_loop_dismiss(&witnesses[1].attendant);
    event_loop_dismiss(&witnesses[1].attendant);
    event_loop_dismiss(&stranger.attendant);
    assert_int_equal(pass(MOMENT_MS), 0);
    assert_int_equal(witnesses[0].turns, 1);
    assert_int_equal(witnesses[1].turns, 0);
    assert_int_equal(witnesses[2].turns, 1);
    leave(witnesses, 3);
}

static void who_comes_again_is_the_last(void **state)
{
    struct witness witnesses[] = { due_in(0), due_in(0) };

    (void)state;
    attend(witnesses, 2);
    event_loop_dismiss(&witnesses[0].attendant);
    event_loop_attend(&witnesses[0].attendant);
    assert_int_equal(pass(0), 0);
    assert_int_equal(witnesses[0].place, 2);
    assert_int_equal(witnesses[1].place, 1);
    leave(witnesses, 2);
}

static void on_alarm(int number)
{
    (void)number;
}

static void wake(struct witness *self)
{
    (void)self;
    event_loop_wake();
}

static void a_turn_that_wakes_ends_the_wait_and_no_other(void **state)
{
    struct witness witness = due_in(MOMENT_MS);
    int64_t begun = clock_now_ms();

    (void)state;
    witness.act = wake;
    attend(&witness, 1);
    assert_int_equal(pass(LONG_MS), 0);
    assert_true(clock_now_ms() - begun < LONG_MS);
    begun = clock_now_ms();
    assert_int_equal(pass(MOMENT_MS), 0);
    assert_true(clock_now_ms() - begun >= MOMENT_MS);
    leave(&witness, 1);
}

static void a_signal_ends_the_wait(void **state)
{
    /* Again and again: the first may come before the wait has begun. */
    const struct itimerval often = { .it_value = { .tv_usec = MOMENT_MS * 1000 },
                                     .it_interval = { .tv_usec = MOMENT_MS * 1000 } };
    const struct itimerval never = { .it_value = { .tv_usec = 0 } };
    const struct sigaction action = { .sa_handler = on_alarm };
    struct witness witness = due_in(-1);

    (void)state;
    attend(&witness, 1);
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    errno = 0;
    assert_int_equal(pass(LONG_MS), -1);
    assert_int_equal(errno, EINTR);
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_int_equal(witness.turns, 0);
    leave(&witness, 1);
}

static void count_beat(void *context)
{
    ++*(int *)context;
}

static void wait_for_a_beat(struct witness *self)
{
    struct deadline patience = deadline_in(LONG_MS);
    int *beats = self->context;

    while (*beats == 0 && !deadline_passed(patience))
        (void)pass(MOMENT_MS);
}

static void the_heart_beats_once_a_second_in_every_wait_even_a_turn_s(void **state)
{
    int64_t began = clock_now_ms();
    struct witness witness = due_in(0);
    int beats = 0;

    (void)state;
    witness.act = wait_for_a_beat;
    witness.context = &beats;
    event_loop_set_beat(count_beat, &beats);
    attend(&witness, 1);
    assert_int_equal(pass(0), 0);
    assert_int_equal(beats, 1);
    assert_true(clock_now_ms() - began >= 1000);
    event_loop_set_beat(NULL, NULL);
    leave(&witness, 1);
}

/* ---- tasks ---- */

/* One that waits for its pipe several times. */
struct runner {
    int ends[2];
    int rounds; /* still to go */
    int count;  /* gone */
    const char *name;
    struct runner *other; /* who gets a byte after each round; or NULL */
    bool is_over;
};

static void run_rounds(void *context)
{
    struct runner *self = context;
    char byte;

    log_context(LOG_MIGRATION, self->name);
    for (; self->rounds > 0; self->rounds--, self->count++) {
        struct pollfd watched = { .fd = self->ends[0], .events = POLLIN };

        assert_int_equal(event_loop_poll(&watched, 1, LONG_MS), 1);
        assert_int_equal(read(self->ends[0], &byte, 1), 1);
        assert_string_equal(log_context_of(LOG_MIGRATION), self->name);
        if (self->other != NULL)
            assert_int_equal(write(self->other->ends[1], "x", 1), 1);
    }
    self->is_over = true;
}

static void start_runner(struct runner *runner, int rounds, const char *name, struct runner *other)
{
    *runner = (struct runner) { .rounds = rounds, .name = name, .other = other };
    assert_int_equal(pipe(runner->ends), 0);
    assert_true(event_loop_start(run_rounds, runner));
}

static void end_runner(const struct runner *runner)
{
    assert_int_equal(close(runner->ends[0]), 0);
    assert_int_equal(close(runner->ends[1]), 0);
}

static void tasks_go_on_while_others_wait(void **state)
{
    struct runner runners[2];

    (void)state;
    log_context(LOG_MIGRATION, "of the process");
    start_runner(&runners[0], MANY, "one", &runners[1]);
    start_runner(&runners[1], MANY, "other", &runners[0]);
    assert_int_equal(pass(0), 0);
    assert_int_equal(write(runners[0].ends[1], "x", 1), 1);
    while (!runners[1].is_over)
        assert_int_equal(pass(LONG_MS), 0);
    assert_true(runners[0].is_over);
    assert_int_equal(runners[0].count, MANY);
    assert_int_equal(runners[1].count, MANY);
    assert_string_equal(log_context_of(LOG_MIGRATION), "of the process");
    log_context(LOG_MIGRATION, NULL);
    for (size_t i = 0; i < 2; i++)
        end_runner(&runners[i]);
}

static void end_at_once(void *context)
{
    ++*(int *)context;
}

static void the_end_of_a_task_ends_the_wait_of_who_started_it(void **state)
{
    int64_t begun = clock_now_ms();
    int ended = 0;

    (void)state;
    for (int i = 0; i < MANY; i++)
        assert_true(event_loop_start(end_at_once, &ended));
    assert_int_equal(pass(LONG_MS), 0);
    assert_int_equal(ended, MANY);
    assert_true(clock_now_ms() - begun < LONG_MS);
}

static void sleep_for(void *context)
{
    const int64_t *ms = context;

    (void)pass(*ms);
}

static void a_task_waits_no_longer_than_it_asked_for(void **state)
{
    int64_t ms = MOMENT_MS;
    int64_t begun = clock_now_ms();

    (void)state;
    assert_true(event_loop_start(sleep_for, &ms));
    assert_int_equal(pass(LONG_MS), 0);
    assert_true(clock_now_ms() - begun >= MOMENT_MS);
    assert_true(clock_now_ms() - begun < LONG_MS);
}

/* As much as a deployment may need, below the frames of a library. */
static unsigned fill_stack(unsigned depth)
{
    volatile char frame[1024];

    memset((char *)frame, (int)depth, sizeof frame);
    return depth == 0 ? 0 : fill_stack(depth - 1) + (unsigned char)frame[depth % sizeof frame] % 2;
}

static void use_the_stack(void *context)
{
    enum { DEPTH = 300 };
    unsigned before = fill_stack(DEPTH);

    (void)pass(0);
    assert_int_equal(fill_stack(DEPTH), before);
    *(bool *)context = true;
}

static void a_task_has_a_stack_of_its_own(void **state)
{
    bool is_over[2] = { false };

    (void)state;
    for (int i = 0; i < 2; i++)
        assert_true(event_loop_start(use_the_stack, &is_over[i]));
    while (!is_over[0] || !is_over[1])
        assert_int_equal(pass(LONG_MS), 0);
}

static void note_scope(struct witness *self)
{
    self->context = (void *)(uintptr_t)(strcmp(log_context_of(LOG_MIGRATION), "task") == 0);
}

static void attend_in_task(void *context)
{
    struct witness *witness = context;

    log_context(LOG_MIGRATION, "task");
    event_loop_attend(&witness->attendant);
    (void)pass(2 * MOMENT_MS);
}

static void a_turn_counts_as_its_task_s_until_that_has_ended(void **state)
{
    struct witness witness = due_in(0);

    (void)state;
    witness.act = note_scope;
    assert_true(event_loop_start(attend_in_task, &witness));
    assert_int_equal(pass(LONG_MS), 0);
    assert_int_equal(witness.turns, 1);
    assert_non_null(witness.context);
    witness.attendant.due = deadline_in(0);
    assert_int_equal(pass(0), 0);
    assert_int_equal(witness.turns, 2);
    assert_null(witness.context);
    leave(&witness, 1);
}

static void a_signal_ends_the_waits_of_all(void **state)
{
    const struct itimerval often = { .it_value = { .tv_usec = MOMENT_MS * 1000 },
                                     .it_interval = { .tv_usec = MOMENT_MS * 1000 } };
    const struct itimerval never = { .it_value = { .tv_usec = 0 } };
    const struct sigaction action = { .sa_handler = on_alarm };
    int64_t ms = LONG_MS;
    int64_t begun = clock_now_ms();

    (void)state;
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_true(event_loop_start(sleep_for, &ms));
    assert_int_equal(pass(0), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    (void)pass(LONG_MS);
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_true(clock_now_ms() - begun < LONG_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_comes_when_the_descriptor_is_ready),
        cmocka_unit_test(a_turn_comes_when_it_is_due),
        cmocka_unit_test(a_turn_comes_even_when_one_only_looks),
        cmocka_unit_test(who_is_never_due_has_no_turn),
        cmocka_unit_test(a_turn_does_not_end_the_wait),
        cmocka_unit_test(everybody_has_a_turn_in_the_order_of_coming),
        cmocka_unit_test(what_is_waited_for_is_told_from_what_attendants_wait_for),
        cmocka_unit_test(a_turn_may_bring_what_is_waited_for),
        cmocka_unit_test(nobody_has_a_turn_while_one_is_under_way),
        cmocka_unit_test(who_is_dismissed_in_another_s_turn_has_none),
        cmocka_unit_test(who_leaves_in_his_own_turn_does_not_take_others_along),
        cmocka_unit_test(who_comes_in_another_s_turn_has_one_from_the_next_look_on),
        cmocka_unit_test(who_comes_twice_has_one_turn),
        cmocka_unit_test(who_leaves_twice_or_never_came_disturbs_nobody),
        cmocka_unit_test(who_comes_again_is_the_last),
        cmocka_unit_test(a_turn_that_wakes_ends_the_wait_and_no_other),
        cmocka_unit_test(a_signal_ends_the_wait),
        cmocka_unit_test(the_heart_beats_once_a_second_in_every_wait_even_a_turn_s),
        cmocka_unit_test(tasks_go_on_while_others_wait),
        cmocka_unit_test(the_end_of_a_task_ends_the_wait_of_who_started_it),
        cmocka_unit_test(a_task_waits_no_longer_than_it_asked_for),
        cmocka_unit_test(a_task_has_a_stack_of_its_own),
        cmocka_unit_test(a_turn_counts_as_its_task_s_until_that_has_ended),
        cmocka_unit_test(a_signal_ends_the_waits_of_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
