/*
 * The status file: the metrics of the run, replaced as a whole at every change.
 */
#ifndef REPORT_STATUS_FILE_H
#define REPORT_STATUS_FILE_H

#include "base/text.h"
#include "report/progress.h"

/* Writes it, mode 0644; without a path does nothing. A failure causes one warning and has no other effect: a
 * full disk must not stop a migration. */
void status_file_write(struct progress *progress);

/* What a reader needs from it. */
struct status {
    bool is_ready;
    enum progress_phase phase;
    double written_at;
};

/* Reads it from its text; false when it is not a whole status file. Pure. */
must_use bool status_parse(struct slice text, struct status *out);

#endif
