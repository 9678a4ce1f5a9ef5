/*
 * The events of a run that are reported elsewhere: by a webhook, by a Kubernetes Event.
 */
#ifndef CONFIG_NOTICE_H
#define CONFIG_NOTICE_H

enum notice {
    NOTICE_STARTED,   /* it leads and has something to apply */
    NOTICE_BLOCKED,   /* other sessions have blocked it for a long time */
    NOTICE_SUCCEEDED, /* it has applied something */
    NOTICE_FAILED,
    NOTICES
};

extern const char *const NOTICE_NAMES[];

#endif
