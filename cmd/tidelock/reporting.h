/*
 * What a run that an application waits for tells the world outside: status file, ready file, termination
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

/* Begins; it must stay where it is until the end. The status file is written from now on, once a second at
 * least; a ready file of an earlier run is removed. */
void reporting_begin(struct reporting *reporting, const struct config *config);

/* Ends it; `err` is NULL when all went well. May be called again when the application could not be started.
 */
void reporting_end(struct reporting *reporting, const struct error *err);

#endif
