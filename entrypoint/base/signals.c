#include "base/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/event_loop.h"

static volatile sig_atomic_t pending;
static int waking[2] = { -1, -1 };

/* What the process did with each before. */
static struct {
    int number;
    struct sigaction before;
} TAKEN[] = { { .number = SIGTERM }, { .number = SIGINT }, { .number = SIGPIPE } };

static void on_signal(int number)
{
    int saved = errno;

    if (pending == 0)
        pending = number;
    if (write(waking[1], "", 1) < 0) {
        /* The pipe is full: the poller is awake already. */
    }
    errno = saved;
}

void signals_install(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    struct sigaction ignore = { .sa_handler = SIG_IGN };

    if (pipe2(waking, O_CLOEXEC | O_NONBLOCK) != 0)
        return;
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof TAKEN / sizeof *TAKEN; i++)
        (void)sigaction(TAKEN[i].number, TAKEN[i].number == SIGPIPE ? &ignore : &action, &TAKEN[i].before);
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

int signals_descriptor(void)
{
    return waking[0];
}

bool signals_sleep(long ms)
{
    struct pollfd wake = { .fd = waking[0], .events = POLLIN };

    if (pending == 0)
        (void)event_loop_poll(&wake, 1, ms);
    return pending == 0;
}

bool signals_error(struct error *err)
{
    int number = pending;

    error_set(err, ERROR_INTERRUPTED, "stopped by %s", number == SIGINT ? "SIGINT" : "SIGTERM");
    err->signal = number;
    return false;
}
