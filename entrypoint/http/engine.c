#include "http/engine.h"

#include <sys/epoll.h>
#include <unistd.h>

#include "base/event_loop.h"
#include "base/memory.h"

static struct {
    CURLM *multi; /* NULL until the first request */
    struct attendant attendant;
    void (*finished)(void *private, CURLcode code);
} engine;

/* libcurl says which sockets it waits for; epoll turns them into one descriptor. */
static int on_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *known)
{
    struct epoll_event event = { .data = { .fd = socket } };

    (void)easy;
    (void)context;
    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(engine.attendant.fd, EPOLL_CTL_DEL, socket, NULL);
        return 0;
    }
    event.events = ((what & CURL_POLL_IN) != 0 ? (unsigned)EPOLLIN : 0) |
                   ((what & CURL_POLL_OUT) != 0 ? (unsigned)EPOLLOUT : 0);
    (void)epoll_ctl(engine.attendant.fd, known == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, &event);
    (void)curl_multi_assign(engine.multi, socket, &engine);
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *context)
{
    (void)multi;
    (void)context;
    engine.attendant.due = ms < 0 ? deadline_never() : deadline_in(ms);
    return 0;
}

static void tell_finished(void)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(engine.multi, &left)) != NULL) {
        CURLcode code = message->data.result;
        void *private = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&private);
        engine.finished(private, code);
        event_loop_wake(); /* whoever waits for it may be another task than the one that looks */
    }
}

void engine_turn(void)
{
    enum { EVENTS = 16 };
    struct epoll_event events[EVENTS];
    int running;
    int count;

    if (engine.multi == NULL)
        return;
    count = epoll_wait(engine.attendant.fd, events, EVENTS, 0);
    for (int i = 0; i < count; i++) {
        int what = ((events[i].events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                   ((events[i].events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                   ((events[i].events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);

        (void)curl_multi_socket_action(engine.multi, events[i].data.fd, what, &running);
    }
    if (deadline_passed(engine.attendant.due)) {
        engine.attendant.due = deadline_never();
        (void)curl_multi_socket_action(engine.multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    tell_finished();
}

static void turn(struct attendant *attendant)
{
    (void)attendant;
    engine_turn();
}

static void open_engine(void)
{
    if (engine.multi != NULL)
        return;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        memory_exhausted();
    engine.multi = curl_multi_init();
    engine.attendant = (struct attendant) {
        .fd = epoll_create1(EPOLL_CLOEXEC), .events = POLLIN, .due = deadline_never(), .turn = turn
    };
    if (engine.multi == NULL || engine.attendant.fd < 0)
        memory_exhausted();
    (void)curl_multi_setopt(engine.multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void)curl_multi_setopt(engine.multi, CURLMOPT_TIMERFUNCTION, on_timer);
    event_loop_attend(&engine.attendant);
}

void engine_add(CURL *easy, void (*finished)(void *private, CURLcode code))
{
    open_engine();
    engine.finished = finished;
    if (curl_multi_add_handle(engine.multi, easy) != CURLM_OK)
        memory_exhausted();
}

void engine_remove(CURL *easy)
{
    (void)curl_multi_remove_handle(engine.multi, easy);
}

int engine_descriptor(void)
{
    return engine.multi == NULL ? -1 : engine.attendant.fd;
}

int64_t engine_patience_ms(void)
{
    return engine.multi == NULL ? INT64_MAX : deadline_left_ms(engine.attendant.due);
}

void engine_close(void)
{
    if (engine.multi == NULL)
        return;
    event_loop_dismiss(&engine.attendant);
    (void)curl_multi_cleanup(engine.multi);
    engine.multi = NULL;
    (void)close(engine.attendant.fd);
    curl_global_cleanup();
}
