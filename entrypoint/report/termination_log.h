/*
 * The termination message of a run: one line of JSON that outlives the pod.
 *
 * Kubernetes shows what a container wrote to its termination log in the pod's status (documentation,
 * "Determine the Reason for Pod Failure"); of all containers together it keeps 12 KiB.
 */
#ifndef REPORT_TERMINATION_LOG_H
#define REPORT_TERMINATION_LOG_H

#include "base/error.h"
#include "base/text.h"
#include "report/progress.h"

enum { TERMINATION_LOG_MOST = 1024 };

/* How the run ended, at most TERMINATION_LOG_MOST bytes; long texts are cut. `err` is NULL on success.
 * Pure. */
void termination_log_compose(const struct progress *progress, const struct error *err, struct text *out);

/* Writes it to an existing file; `is_optional` suppresses the warning if there is none. Opened and written,
 * never renamed: it is a mount of its own. */
void termination_log_write(const char *path, bool is_optional, struct slice word);

#endif
