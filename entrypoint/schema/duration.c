#include "schema/duration.h"

/* Microseconds. */
struct cost {
    double row;
    double page;
    double index_row; /* for each index of the table */
};

/* Of counting rows that are in memory. This and the next were measured on PostgreSQL 13 to 18, tables of 100
 * MB and of 5 GB, idle and loaded. */
static const struct cost COUNTING = { .row = 0.03, .page = 1.7 };

static const struct {
    struct cost least;
    struct cost most;
} COSTS[WORKS] = {
    [WORK_SCAN] = { .least = { .row = 0.02, .page = 0.3 }, .most = { .row = 1.5, .page = 20 } },
    [WORK_INDEX] = { .least = { .row = 0.15 }, .most = { .row = 8, .page = 20 } },
    [WORK_REWRITE] = { .least = { .row = 0.3, .page = 2, .index_row = 0.15 },
                       .most = { .row = 6, .page = 60, .index_row = 8 } },
};

double duration_speed(double ms, double rows, double rows_per_page)
{
    if (ms <= 0 || rows <= 0 || rows_per_page <= 0)
        return 0;
    return 1000 * ms / (rows * (COUNTING.row + COUNTING.page / rows_per_page));
}

static double cost_ms(const struct cost *cost, const struct duration_table *table)
{
    return table->speed *
           (cost->page * table->pages +
            table->rows * (cost->row + cost->index_row * (double)table->indexes)) /
           1000;
}

struct duration_range duration_estimate(enum work work, const struct duration_table *table)
{
    double most = cost_ms(&COSTS[work].most, table);

    if (most <= 0)
        return (struct duration_range) { .most_ms = 0 };
    return (struct duration_range) { .least_ms = (int64_t)cost_ms(&COSTS[work].least, table),
                                     .most_ms = (int64_t)most + 1 };
}
