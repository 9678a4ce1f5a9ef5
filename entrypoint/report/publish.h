/*
 * What a run publishes besides its files: metrics to a Pushgateway, notices to a webhook and as Kubernetes
 * Events.
 *
 * Only the leader publishes, or a process that fails while nobody leads: a hundred waiting replicas publish
 * nothing. None of this can fail or delay the run; at its end it waits at most PUBLISH_BUDGET_MS for what is
 * still to be sent.
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
    struct deadline push_again; /* even if nothing has changed, to show that it is alive */
    const char *blocked;        /* the migration that was reported as blocked */
    struct deadline seen_blocked_until;
    struct deadline say_blocked_at;
    struct deadline until; /* at the end */
};

/* Begins, and from now on follows every phase that `progress` enters. What is not possible is left out, with
 * a warning. It must stay where it is until publish_end(). */
void publish_begin(struct publisher *publisher, const struct config *config, struct progress *progress);

/* Once a second: pushes now and then, and sees whether the run has been blocked for long. */
void publish_look(struct publisher *publisher);

/* The run has ended; `err` is NULL on success. Call progress_end() first. What there is to say is sent from
 * every wait. */
void publish_last_word(struct publisher *publisher, const struct error *err);

/* Waits until it has been sent: as long as the end of a run may take (base/parting.h), counted from
 * publish_last_word(). */
void publish_end(struct publisher *publisher);

#endif
