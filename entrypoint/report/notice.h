/*
 * What a run reports to people and machines elsewhere: the webhook's body, an Event. Pure.
 */
#ifndef REPORT_NOTICE_H
#define REPORT_NOTICE_H

#include "base/error.h"
#include "base/text.h"
#include "config/notice.h"
#include "report/progress.h"

/* The sender; each member may be NULL. */
struct speaker {
    const char *pod;
    const char *namespace;
};

/* One line for people. `err` is that of NOTICE_FAILED, otherwise NULL; as below. */
void notice_line(enum notice notice, const struct progress *progress, const struct error *err,
                 struct text *out);

/* What is to be told. */
struct occurrence {
    enum notice notice;
    const struct progress *progress;
    const struct error *err; /* of NOTICE_FAILED, otherwise NULL */
    const struct speaker *speaker;
    double now;
};

/* A webhook's body: Slack and Mattermost show "text" and "attachments", Teams the Adaptive Card in the same
 * attachment, and machines read the rest. Secrets are blanked. */
void notice_webhook(const struct occurrence *what, struct text *out);

/* What an Event is about. */
struct event_subject {
    const char *api_version;
    const char *kind;
    const char *name;
    const char *namespace;
    const char *uid; /* or NULL */
};

/* A Kubernetes Event (API reference, "Event", core v1): its message is at most 1,024 bytes. */
void notice_event(const struct occurrence *what, const struct event_subject *subject, struct text *out);

#endif
