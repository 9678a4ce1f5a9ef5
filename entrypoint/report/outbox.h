/*
 * Messages to an outside service: they are sent in the background, from every wait, are retried within their
 * budget, and neither fail nor delay the run.
 */
#ifndef REPORT_OUTBOX_H
#define REPORT_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/event_loop.h"
#include "base/text.h"
#include "http/request.h"

/* The recipient, and how to reach it. The texts must live as long as the outbox. */
struct outbox_traits {
    const char *name; /* for warnings: "the webhook" */
    const char *method;
    const char *url;
    const char *content_type;
    const char *ca_file; /* NULL = found when it is needed */
    int64_t budget_ms;   /* for one message, all attempts together */
    int redirects;
    bool is_direct;        /* no proxy */
    bool is_newest_enough; /* a waiting message is replaced by the next one */
    bool may_be_denied;    /* do not warn about a 403 */
};

struct message;

struct outbox {
    struct attendant attendant; /* the first member */
    struct outbox_traits traits;
    struct message *first; /* the one being sent, and those after it */
    size_t count;
    struct exchange *exchange;
    unsigned tries;
    bool has_warned;
};

/* Opens it for outbox_send(). It must stay where it is until outbox_close(). */
void outbox_open(struct outbox *outbox, const struct outbox_traits *traits);

/* Sends a copy of the body, with one more header if that is not NULL. Does nothing on an outbox that was
 * never opened. */
void outbox_send(struct outbox *outbox, struct slice body, const char *header);

/* Whether anything is still to be sent. */
bool outbox_is_busy(const struct outbox *outbox);

/* Closes it; what has not been sent by now is given up, with a warning. */
void outbox_close(struct outbox *outbox);

#endif
