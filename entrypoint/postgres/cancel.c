#include "postgres/cancel.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/event_loop.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/thread.h"

static void first_line(char *why, size_t size, const char *said)
{
    text_copy_cut(why, size, said == NULL ? "" : said);
    why[strcspn(why, "\r\n")] = '\0';
}

#ifdef LIBPQ_HAS_ASYNC_CANCEL

struct cancel {
    PGcancelConn *pg;
    PostgresPollingStatusType next;
};

struct cancel *cancel_begin(PGconn *pg)
{
    struct cancel *cancel = memory_new(1, sizeof *cancel);

    cancel->pg = PQcancelCreate(pg);
    if (cancel->pg == NULL)
        memory_exhausted();
    cancel->next = PQcancelStart(cancel->pg) == 1 ? PGRES_POLLING_WRITING : PGRES_POLLING_FAILED;
    return cancel;
}

int cancel_descriptor(const struct cancel *cancel)
{
    return PQcancelSocket(cancel->pg);
}

short cancel_events(const struct cancel *cancel)
{
    return cancel->next == PGRES_POLLING_WRITING ? POLLOUT : POLLIN;
}

enum cancel_state cancel_continue(struct cancel *cancel, char *why, size_t size)
{
    while (cancel->next != PGRES_POLLING_OK && cancel->next != PGRES_POLLING_FAILED) {
        struct pollfd socket = { .fd = cancel_descriptor(cancel), .events = cancel_events(cancel) };

        if (event_loop_poll(&socket, 1, 0) <= 0)
            return CANCEL_PENDING;
        cancel->next = PQcancelPoll(cancel->pg);
    }
    if (cancel->next == PGRES_POLLING_OK)
        return CANCEL_DELIVERED;
    first_line(why, size, PQcancelErrorMessage(cancel->pg));
    return CANCEL_FAILED;
}

void cancel_end(struct cancel *cancel)
{
    if (cancel == NULL)
        return;
    PQcancelFinish(cancel->pg);
    memory_free(cancel);
}

#else

/* Shared with its thread; the last user frees it. */
struct cancel {
    PGcancel *pg;
    int done[2]; /* a pipe: the thread writes when it is over */
    atomic_int holders;
    atomic_int state;
    char reason[256];
};

static void release(struct cancel *cancel)
{
    if (atomic_fetch_sub(&cancel->holders, 1) != 1)
        return;
    PQfreeCancel(cancel->pg);
    (void)close(cancel->done[0]);
    (void)close(cancel->done[1]);
    memory_free(cancel);
}

static void *request_thread(void *argument)
{
    struct cancel *cancel = argument;
    bool is_delivered = PQcancel(cancel->pg, cancel->reason, sizeof cancel->reason) == 1;

    atomic_store(&cancel->state, is_delivered ? CANCEL_DELIVERED : CANCEL_FAILED);
    if (write(cancel->done[1], "", 1) < 0) {
        /* Nobody waits any more. */
    }
    release(cancel);
    return NULL;
}

struct cancel *cancel_begin(PGconn *pg)
{
    struct cancel *cancel = memory_new(1, sizeof *cancel);

    atomic_init(&cancel->state, CANCEL_PENDING);
    atomic_init(&cancel->holders, 2);
    cancel->pg = PQgetCancel(pg);
    if (pipe2(cancel->done, O_CLOEXEC | O_NONBLOCK) != 0)
        cancel->done[0] = cancel->done[1] = -1;
    if (cancel->pg != NULL && thread_start(request_thread, cancel))
        return cancel;
    text_copy_cut(cancel->reason, sizeof cancel->reason,
                  cancel->pg == NULL ? "the connection is closed" : "no thread could be started");
    atomic_store(&cancel->state, CANCEL_FAILED);
    release(cancel);
    return cancel;
}

int cancel_descriptor(const struct cancel *cancel)
{
    return cancel->done[0];
}

short cancel_events(const struct cancel *cancel)
{
    (void)cancel;
    return POLLIN;
}

enum cancel_state cancel_continue(struct cancel *cancel, char *why, size_t size)
{
    enum cancel_state state = (enum cancel_state)atomic_load(&cancel->state);

    if (state == CANCEL_FAILED)
        first_line(why, size, cancel->reason);
    return state;
}

void cancel_end(struct cancel *cancel)
{
    if (cancel != NULL)
        release(cancel);
}

#endif
