/*
 * Somebody outside who is told of the run: what is sent goes in the background, from every wait, is tried
 * again within its budget, and neither fails nor holds up anything.
 */
#ifndef REPORT_OUTBOX_H
#define REPORT_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/event_loop.h"
#include "base/text.h"
#include "http/request.h"

/* Who is told, and how. The texts must live as long as the outbox. */
struct outbox_traits {
    const char *name; /* for warnings: "the webhook" */
    const char *method;
    const char *url;
    const char *content_type;
    const char *ca_file; /* NULL = found when it is needed */
    int64_t budget_ms;   /* for one message, all tries together */
    int redirects;
    bool is_direct;        /* no proxy */
    bool is_newest_enough; /* a message that still waits is replaced by the next */
    bool may_be_denied;    /* 403 is nothing to warn of */
};

struct message;

struct outbox {
    struct attendant attendant; /* the first member */
    struct outbox_traits traits;
    struct message *first; /* the one that is being sent, and those behind it */
    size_t count;
    struct exchange *exchange;
    unsigned tries;
    bool has_warned;
};

/* Opens it: from now on outbox_send() has somebody to send to. It must stay where it is until
 * outbox_close(). */
void outbox_open(struct outbox *outbox, const struct outbox_traits *traits);

/* Sends a copy of the body, with one more header where that is not NULL. Does nothing on an outbox that was
 * never opened. */
void outbox_send(struct outbox *outbox, struct slice body, const char *header);

/* Whether anything is still to be sent. */
bool outbox_is_busy(const struct outbox *outbox);

/* Ends it; what was not sent by now is given up, with a warning. */
void outbox_close(struct outbox *outbox);

#endif
