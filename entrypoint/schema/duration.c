#include "schema/duration.h"

/* How many times as long as counting the rows; measured on PostgreSQL 13 to 18, tables of 100 MB and more,
 * idle and loaded. `index`: further, for each index of the table. */
static const struct {
    double least;
    double most;
    double least_index;
    double most_index;
} FACTORS[WORKS] = {
    [WORK_SCAN] = { .least = 0.5, .most = 16 },
    [WORK_INDEX] = { .least = 3, .most = 60 },
    [WORK_REWRITE] = { .least = 2, .most = 40, .least_index = 2, .most_index = 40 },
};

struct duration_range duration_estimate(enum work work, double read_ms, int64_t indexes)
{
    double least = FACTORS[work].least + FACTORS[work].least_index * (double)indexes;
    double most = FACTORS[work].most + FACTORS[work].most_index * (double)indexes;

    if (most <= 0 || read_ms <= 0)
        return (struct duration_range) { .most_ms = 0 };
    return (struct duration_range) { .least_ms = (int64_t)(read_ms * least),
                                     .most_ms = (int64_t)(read_ms * most) + 1 };
}
