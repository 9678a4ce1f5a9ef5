/*
 * What a run that an application waits for reports to the outside: its first and last line in the log, status
 * file, ready file, termination message.
 */
#ifndef REPORTING_H
#define REPORTING_H

#include "base/error.h"
#include "base/log.h"
#include "config/config.h"
#include "config/url.h"
#include "deploy/target.h"
#include "report/progress.h"
#include "report/publish.h"

struct reporting {
    const struct config *config;
    bool is_result_printed; /* where the log is for people, its last line would repeat it */
    struct progress progress;
    struct publisher publisher;
};

/* Begins; it must stay where it is until the end. From now on the status file is written at least once a
 * second; a ready file of an earlier run is removed. `endpoint` is the database, or NULL if it is not known.
 */
void reporting_begin(struct reporting *reporting, const struct config *config,
                     const struct endpoint *endpoint);

/* Logs what this is, what it is asked to work on, and what the folder holds: the first line of every run. */
void reporting_log_start(const struct target *target);

/* The same for a command that people watch: they only need its result. */
void reporting_log_edit(const struct target *target);

/* The last word's numbers: applied, duration_ms, retries, pending if the ledger was read, and one of the
 * command's own. After the run they are known, and added to `values`; returns how many. */
enum { REPORTING_TOTALS = 5 };
size_t reporting_add_totals(struct log_value values[REPORTING_TOTALS]);

/* Around every command. One that reports nothing to the outside has these numbers, too, and where the log is
 * for machines, its last record; `name` is the command's, `err` NULL on success. */
void reporting_open(void);
void reporting_close(const char *name, const struct config *config, int exit_code, const struct error *err);

/* What such a command has to say of its own: a number called `name`, static text; what a dry run has found.
 */
void reporting_count(const char *name, size_t number);
void reporting_count_pending(const struct progress *progress);

/* Ends it; `err` is NULL on success, which is then logged. */
void reporting_end(struct reporting *reporting, const struct error *err);

/* Ends it with success, and this process becomes the application: the termination message is emptied, as
 * whatever ends the container from now on is not ours. reporting_end() follows when the application could not
 * be started. */
void reporting_hand_over(struct reporting *reporting);

#endif
