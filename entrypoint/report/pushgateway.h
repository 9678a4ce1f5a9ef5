/*
 * The URL of a Pushgateway's group. Pure. (Pushgateway documentation, "URL".)
 */
#ifndef REPORT_PUSHGATEWAY_H
#define REPORT_PUSHGATEWAY_H

#include "base/error.h"
#include "base/text.h"

/* Adds ORIGIN/metrics/job/JOB/LABEL/VALUE… for "name=value,…"; the job is "tidelock" and `namespace` (NULL =
 * not known) a label unless the labels say otherwise. A value with a slash, or none, goes in as base64. The
 * pod is not among them: its series would stay forever. ERROR_USAGE. */
must_use bool pushgateway_url(const char *origin, const char *labels, const char *namespace, struct text *out,
                              struct error *err);

#endif
