/*
 * What a run tells the world beside its files: metrics to a Pushgateway, notices to a webhook and as
 * Kubernetes Events.
 *
 * Only who leads speaks, or who fails without anybody leading: a hundred replicas that wait say nothing. None
 * of it can fail or hold up the run; at its end it waits PUBLISH_BUDGET_MS at most for what is still to be
 * sent.
 */
#ifndef REPORT_PUBLISH_H
#define REPORT_PUBLISH_H

#include "base/error.h"
#include "base/parting.h"
#include "config/config.h"
#include "credentials/kubernetes.h"
#include "report/notice.h"
#include "report/outbox.h"
#include "report/progress.h"

enum { PUBLISH_BUDGET_MS = PARTING_MS };

struct publisher {
    const struct config *config;
    struct progress *progress;
    struct outbox push;
    struct outbox webhook;
    struct outbox events;
    struct kubernetes kubernetes;
    struct event_subject subject;
    struct speaker speaker;
    bool has_led;
    bool has_followed;
    struct deadline push_again; /* though nothing has changed: who watches must see it live */
    const char *blocked;        /* the migration that was said to be blocked */
    struct deadline seen_blocked_until;
    struct deadline say_blocked_at;
    struct deadline until; /* at the end */
};

/* Begins, and learns from now on of every phase that `progress` enters. What can't be is warned of and left
 * out. It must stay where it is until publish_end(). */
void publish_begin(struct publisher *publisher, const struct config *config, struct progress *progress);

/* Once a second: pushes now and then, and sees whether the run has been blocked for long. */
void publish_look(struct publisher *publisher);

/* The run has ended, `err` is NULL when it ended well; progress_end() has been called. What is said is sent
 * from every wait. */
void publish_last_word(struct publisher *publisher, const struct error *err);

/* Waits until it has been sent: as long as the end of a run may take (base/parting.h), from
 * publish_last_word() on. */
void publish_end(struct publisher *publisher);

#endif
