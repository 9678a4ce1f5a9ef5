/*
 * The table of metrics, and its text in Prometheus' format (0.0.4).
 */
#ifndef REPORT_METRICS_H
#define REPORT_METRICS_H

#include "base/text.h"
#include "report/progress.h"

enum metric_type { METRIC_GAUGE, METRIC_COUNTER };

/* One that a metric has beside those of all metrics. */
struct metric_label {
    const char *name;
    const char *(*value)(const struct progress *progress, int sample);
};

enum { METRIC_LABELS_MOST = 3, METRICS_BYTES_MOST = 256 * 1024 };

struct metric {
    const char *name;
    enum metric_type type;
    const char *help;
    int samples;
    struct metric_label labels[METRIC_LABELS_MOST]; /* ends with a NULL name, if there are fewer */
    /* The sample's value; NaN leaves it out of the file. */
    double (*read)(const struct progress *progress, int sample);
};

/* Ends with a NULL name. */
extern const struct metric METRICS[];

/* All metrics, one family after the other, in at most METRICS_BYTES_MOST bytes; the last line ends in a line
 * feed. A metric's own labels come first, then progress->labels without those of the same name. */
void metrics_write(const struct progress *progress, struct text *out);

#endif
