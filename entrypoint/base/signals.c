#include "base/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event_loop.h"

static volatile sig_atomic_t pending;
static volatile sig_atomic_t is_repeated;
static struct deadline echo_until; /* written before `pending`, read after it */
static int waking[2] = { -1, -1 };

static struct {
    int number;
    const char *name;    /* NULL = ignored from now on: the call that caused it fails instead */
    bool may_be_ignored; /* who had it ignored wants the process to survive it, as nohup does */
    struct sigaction before;
} TAKEN[] = {
    { .number = SIGTERM, .name = "SIGTERM" },
    { .number = SIGINT, .name = "SIGINT" },
    { .number = SIGQUIT, .name = "SIGQUIT" },
    { .number = SIGHUP, .name = "SIGHUP", .may_be_ignored = true },
    { .number = SIGPIPE },
    { .number = SIGXFSZ },
};

static void on_signal(int number)
{
    int saved = errno;

    if (pending != 0) {
        is_repeated = is_repeated || deadline_passed(echo_until);
    } else {
        echo_until = deadline_in(SIGNALS_ECHO_MS);
        pending = number;
    }
    if (write(waking[1], "", 1) < 0) {
        /* The pipe is full: the poller is awake already. */
    }
    errno = saved;
}

void signals_install(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    struct sigaction ignore = { .sa_handler = SIG_IGN };

    /* Without the pipe, a signal still ends the wait that it meets. */
    if (pipe2(waking, O_CLOEXEC | O_NONBLOCK) != 0)
        waking[0] = waking[1] = -1;
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof TAKEN / sizeof *TAKEN; i++) {
        (void)sigaction(TAKEN[i].number, NULL, &TAKEN[i].before);
        if (!TAKEN[i].may_be_ignored || TAKEN[i].before.sa_handler != SIG_IGN)
            (void)sigaction(TAKEN[i].number, TAKEN[i].name == NULL ? &ignore : &action, NULL);
    }
}

void signals_restore(void)
{
    for (size_t i = 0; i < sizeof TAKEN / sizeof *TAKEN; i++)
        (void)sigaction(TAKEN[i].number, &TAKEN[i].before, NULL);
}

int signals_pending(void)
{
    return pending;
}

bool signals_are_repeated(void)
{
    return is_repeated != 0;
}

int signals_descriptor(void)
{
    return waking[0];
}

bool signals_sleep(long ms)
{
    struct pollfd wake = { .fd = waking[0], .events = POLLIN };
    struct deadline until = deadline_in(ms);

    do {
        if (pending == 0)
            (void)event_loop_poll(&wake, 1, deadline_left_ms(until));
    } while (pending == 0 && !deadline_passed(until));
    return pending == 0;
}

const char *signals_name(int number)
{
    size_t i = 0;

    while (TAKEN[i].number != number && TAKEN[i + 1].name != NULL)
        i++;
    return TAKEN[i].name;
}

bool signals_error(struct error *err)
{
    error_set(err, ERROR_INTERRUPTED, "stopped by %s", signals_name(pending));
    err->signal = pending;
    return false;
}
