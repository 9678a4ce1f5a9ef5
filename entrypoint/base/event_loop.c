#include "base/event_loop.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/coroutine.h"
#include "base/log.h"
#include "base/memory.h"

enum { BEAT_EVERY_MS = 1000, POLL_MOST_MS = 60 * 60 * 1000 };

/* What a caller of event_loop_poll() waits for. */
struct wait {
    struct pollfd *watched;
    nfds_t count;
    struct deadline until;
    int found; /* what poll() says of `watched` */
    bool is_over;
};

struct task {
    struct coroutine *coroutine; /* NULL: it is the process itself */
    void (*run)(void *context);
    void *context;
    struct wait wait;
    struct log_scope scope;
    struct task *next;
};

static struct task process = { .wait = { .is_over = true } }; /* the first of all */

static struct {
    void (*beat)(void *context);
    void *context;
    struct deadline next;
    struct attendant *first;
    struct task *running;
    bool is_turning;
} heart = { .running = &process };

void event_loop_set_beat(void (*beat)(void *context), void *context)
{
    heart.beat = beat;
    heart.context = context;
    heart.next = deadline_in(BEAT_EVERY_MS);
}

static void beat_if_due(void)
{
    if (heart.beat == NULL || !deadline_passed(heart.next))
        return;
    heart.beat(heart.context);
    heart.next = deadline_in(BEAT_EVERY_MS);
}

static struct attendant **place_of(const struct attendant *attendant)
{
    struct attendant **place = &heart.first;

    while (*place != NULL && *place != attendant)
        place = &(*place)->next;
    return place;
}

void event_loop_attend(struct attendant *attendant)
{
    struct attendant **place = place_of(attendant);

    if (*place != NULL)
        return;
    attendant->next = NULL;
    attendant->owner = heart.running;
    *place = attendant;
}

void event_loop_dismiss(struct attendant *attendant)
{
    struct attendant **place = place_of(attendant);

    if (*place != NULL)
        *place = attendant->next;
}

/* What all wait for now. */
struct round {
    struct pollfd *all; /* of the tasks' waits, one after the other, then of the attendants */
    size_t count;
    struct attendant **attendants;
    size_t attendant_count;
    int64_t ms;
};

static void wait_at_most(struct round *round, struct deadline until)
{
    if (deadline_left_ms(until) < round->ms)
        round->ms = deadline_left_ms(until);
}

static void gather(struct round *round)
{
    size_t most = 0;
    size_t attendants = 0;

    for (const struct task *task = &process; task != NULL; task = task->next)
        most += task->wait.is_over ? 0 : task->wait.count;
    for (const struct attendant *each = heart.first; each != NULL; each = each->next)
        attendants++;
    round->all = memory_new(most + attendants + 1, sizeof *round->all);
    round->attendants = memory_new(attendants + 1, sizeof *round->attendants);
    round->ms = heart.beat == NULL ? POLL_MOST_MS : deadline_left_ms(heart.next);
    for (const struct task *task = &process; task != NULL; task = task->next) {
        wait_at_most(round, task->wait.is_over ? deadline_in(0) : task->wait.until);
        if (task->wait.is_over)
            continue;
        memcpy(round->all + round->count, task->wait.watched, task->wait.count * sizeof *round->all);
        round->count += task->wait.count;
    }
    for (struct attendant *each = heart.first; each != NULL; each = each->next) {
        round->all[round->count + round->attendant_count] =
            (struct pollfd) { .fd = each->fd, .events = each->events };
        round->attendants[round->attendant_count++] = each;
        wait_at_most(round, each->due);
    }
}

/* A signal, too, ends all waits. */
static void tell_waiting(const struct round *round, int found)
{
    const struct pollfd *seen = round->all;

    for (struct task *task = &process; task != NULL; task = task->next) {
        struct wait *wait = &task->wait;

        if (wait->is_over)
            continue;
        memcpy(wait->watched, seen, wait->count * sizeof *seen);
        seen += wait->count;
        wait->found = found < 0 ? found : 0;
        for (nfds_t i = 0; i < wait->count && found >= 0; i++)
            wait->found += wait->watched[i].revents != 0;
        wait->is_over = wait->found != 0 || deadline_passed(wait->until);
    }
}

/* What is done on behalf of a task counts as its own. */
static struct task *enter(struct task *task)
{
    struct task *before = heart.running;

    heart.running = task;
    log_scope_enter(task == &process ? NULL : &task->scope);
    return before;
}

static void give_turns(const struct round *round)
{
    const struct pollfd *seen = round->all + round->count;

    for (size_t i = 0; i < round->attendant_count; i++) {
        struct attendant *attendant = round->attendants[i];
        struct task *before;

        /* An earlier turn() may have dismissed it. */
        if (*place_of(attendant) == NULL || (seen[i].revents == 0 && !deadline_passed(attendant->due)))
            continue;
        before = enter(attendant->owner);
        heart.is_turning = true;
        attendant->turn(attendant);
        heart.is_turning = false;
        (void)enter(before);
    }
}

/* Waits once. */
static void poll_once(void)
{
    struct round round = { .count = 0 };
    int found;

    gather(&round);
    found = poll(round.all, round.count + round.attendant_count, (int)round.ms);
    for (size_t i = 0; i < round.attendant_count && found < 0; i++)
        round.all[round.count + i].revents = 0;
    tell_waiting(&round, found);
    beat_if_due();
    give_turns(&round);
    memory_free(round.all);
    memory_free(round.attendants);
}

/* What outlives it, as the connections to a service do, is the process's. */
static void end_task(struct task **place)
{
    struct task *task = *place;

    for (struct attendant *each = heart.first; each != NULL; each = each->next) {
        if (each->owner == task)
            each->owner = &process;
    }
    *place = task->next;
    coroutine_free(task->coroutine);
    memory_free(task);
    process.wait.is_over = true;
}

static void run_tasks(void)
{
    struct task **place = &process.next;

    while (*place != NULL) {
        struct task *task = *place;
        bool goes_on = true;

        if (task->wait.is_over) {
            struct task *before = enter(task);

            goes_on = coroutine_resume(task->coroutine);
            (void)enter(before);
        }
        if (goes_on)
            place = &task->next;
        else
            end_task(place);
    }
}

/* A turn() only looks: its task waits for something else. */
static int poll_in_turn(struct pollfd *watched, nfds_t count, int64_t ms)
{
    struct deadline until = deadline_in(ms);

    for (;;) {
        int64_t left = deadline_left_ms(until);
        int64_t most = heart.beat == NULL ? POLL_MOST_MS : deadline_left_ms(heart.next);
        int found = poll(watched, count, (int)(left < most ? left : most));

        beat_if_due();
        if (found != 0 || deadline_passed(until))
            return found;
    }
}

int event_loop_poll(struct pollfd *watched, nfds_t count, int64_t ms)
{
    struct task *self = heart.running;

    if (heart.is_turning)
        return poll_in_turn(watched, count, ms);
    self->wait = (struct wait) { .watched = watched, .count = count, .until = deadline_in(ms) };
    while (!self->wait.is_over) {
        if (self->coroutine != NULL) {
            coroutine_stop();
            continue;
        }
        poll_once();
        run_tasks();
    }
    return self->wait.found;
}

void event_loop_wake(void)
{
    for (struct task *task = &process; task != NULL; task = task->next)
        task->wait.is_over = true;
}

static void run_task(void *context)
{
    const struct task *task = context;

    task->run(task->context);
}

bool event_loop_start(void (*run)(void *context), void *context)
{
    struct task *task = memory_new(1, sizeof *task);
    struct task **place = &process.next;

    *task = (struct task) { .run = run, .context = context, .wait = { .is_over = true } };
    task->coroutine = coroutine_new(run_task, task);
    if (task->coroutine == NULL) {
        memory_free(task);
        return false;
    }
    while (*place != NULL)
        place = &(*place)->next;
    *place = task;
    return true;
}
