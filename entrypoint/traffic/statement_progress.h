/*
 * The progress of a long statement, from the server's progress views. Pure.
 */
#ifndef TRAFFIC_STATEMENT_PROGRESS_H
#define TRAFFIC_STATEMENT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct statement_progress {
    char command[64]; /* empty = nothing is known */
    char phase[64];
    double done;
    double total;     /* 0 = this phase counts nothing */
    double first;     /* done, when the phase was first seen … */
    int64_t since_ms; /* … and when that was */
    int64_t now_ms;
};

/* One look at a progress view. */
struct progress_sample {
    const char *command;
    const char *phase;
    double done;
    double total;
    int64_t now_ms; /* when it was taken */
};

/* Takes it in. */
void statement_progress_see(struct statement_progress *statement_progress,
                            const struct progress_sample *seen);

/* From 0 to 1; negative when it is not known. */
double statement_progress_ratio(const struct statement_progress *statement_progress);

/* "45 %, about 2 s left, create index concurrently: building index: scanning table, 1170 of 2600, 650/s":
 * what matters most stands first. */
void statement_progress_describe(const struct statement_progress *statement_progress, struct text *out);

#endif
