/*
 * The table of metrics, and its text in Prometheus' format (0.0.4).
 */
#ifndef REPORT_METRICS_H
#define REPORT_METRICS_H

#include "base/text.h"
#include "report/progress.h"

enum metric_type { METRIC_GAUGE, METRIC_COUNTER };

struct metric {
    const char *name;
    enum metric_type type;
    const char *help;
    const char *label;                      /* of each sample, or NULL */
    int samples;                            /* one for each value of the label */
    const char *(*label_value)(int sample); /* the label's value, or NULL */
    /* The sample's value; NaN leaves it out of the file. */
    double (*read)(const struct progress *progress, int sample);
    /* Labels that depend on the run, "name=\"value\",...", for metrics that are information; or NULL. */
    void (*info)(const struct progress *progress, struct text *out);
};

/* Ends with a NULL name. */
extern const struct metric METRICS[];

/* All metrics, one family after the other; the last line ends in a line feed. */
void metrics_write(const struct progress *progress, struct text *out);

#endif
