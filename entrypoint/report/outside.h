/*
 * What a run tells the world beside its files: metrics to a Pushgateway, notices to a webhook and as
 * Kubernetes Events.
 *
 * Only who leads speaks, or who fails without anybody leading: a hundred replicas that wait say nothing. None
 * of it can fail or hold up the run; at its end it waits OUTSIDE_BUDGET_MS at most for what is still to be
 * sent.
 */
#ifndef REPORT_OUTSIDE_H
#define REPORT_OUTSIDE_H

#include "base/error.h"
#include "config/cluster.h"
#include "config/config.h"
#include "report/channel.h"
#include "report/notice_text.h"
#include "report/progress.h"

enum { OUTSIDE_BUDGET_MS = 5000 };

struct outside {
    const struct config *config;
    struct progress *progress;
    struct channel push;
    struct channel webhook;
    struct channel events;
    struct cluster cluster;
    struct event_subject subject;
    struct speaker speaker;
    bool has_led;
    bool has_followed;
    struct deadline push_again; /* though nothing has changed: who watches must see it live */
    const char *blocked;        /* the migration that was said to be blocked */
    struct deadline seen_blocked_until;
    struct deadline say_blocked_at;
};

/* Begins, and learns from now on of every phase that `progress` enters. What can't be is warned of and left
 * out. It must stay where it is until outside_end(). */
void outside_begin(struct outside *outside, const struct config *config, struct progress *progress);

/* Once a second: pushes now and then, and sees whether the run has been blocked for long. */
void outside_look(struct outside *outside);

/* The run has ended, `err` is NULL when it ended well; progress_end() has been called. */
void outside_end(struct outside *outside, const struct error *err);

#endif
