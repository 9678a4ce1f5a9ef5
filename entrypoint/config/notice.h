/*
 * What of a run is told to people elsewhere: by a webhook, by an Event.
 */
#ifndef CONFIG_NOTICE_H
#define CONFIG_NOTICE_H

enum notice {
    NOTICE_STARTED,   /* it leads and has something to apply */
    NOTICE_BLOCKED,   /* others have kept it from a table for long */
    NOTICE_SUCCEEDED, /* it has applied something */
    NOTICE_FAILED,
    NOTICES
};

extern const char *const NOTICE_NAMES[];

#endif
