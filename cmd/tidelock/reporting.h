/*
 * What a run that an application waits for reports to the outside: status file, ready file, termination
 * message.
 */
#ifndef REPORTING_H
#define REPORTING_H

#include "base/error.h"
#include "config/config.h"
#include "report/progress.h"
#include "report/publish.h"

struct reporting {
    const struct config *config;
    struct progress progress;
    struct publisher publisher;
};

/* Begins; it must stay where it is until the end. From now on the status file is written at least once a
 * second; a ready file of an earlier run is removed. */
void reporting_begin(struct reporting *reporting, const struct config *config);

/* Ends it; `err` is NULL on success. */
void reporting_end(struct reporting *reporting, const struct error *err);

/* Ends it with success, and this process becomes the application: the termination message is emptied, as
 * whatever ends the container from now on is not ours. reporting_end() follows when the application could not
 * be started. */
void reporting_hand_over(struct reporting *reporting);

#endif
