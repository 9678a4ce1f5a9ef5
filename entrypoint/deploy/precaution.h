/*
 * What is done before the first pending migration runs: there is a recent backup, and a restore point.
 */
#ifndef DEPLOY_PRECAUTION_H
#define DEPLOY_PRECAUTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "config/config.h"
#include "sql/directive.h"

/* What the options and the pending scripts ask for. */
struct precautions {
    int64_t backup_ms; /* the last backup must be younger; 0 = it may have any age */
    bool has_backup_check;
    bool wants_restore_point;
};

/* Of the options; and one of the pending scripts asks for more. */
struct precautions precautions_of(const struct config *config);
void precautions_add(struct precautions *precautions, const struct directives *said);

struct deployment;

/* Whether what is asked for holds, or can be done. Changes nothing. One round trip for each. */
must_use bool precaution_check(struct deployment *d, struct error *err);

/* The same, and makes the restore point; once in a run, whatever connections it needs. The journal has been
 * prepared. */
must_use bool precaution_take(struct deployment *d, struct error *err);

#endif
