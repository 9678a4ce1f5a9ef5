/*
 * One migration more has been applied: who hears of it.
 */
#ifndef APPLY_APPLIED_H
#define APPLY_APPLIED_H

#include "apply/applying.h"
#include "apply/deployment.h"

/* Adds it to the report, counts it in the progress, logs it. */
void applied_report(const struct applying *applying, int64_t took_ms, struct deployment_report *report);

#endif
