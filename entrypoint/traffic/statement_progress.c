#include "traffic/statement_progress.h"

#include <string.h>

#include "base/clock.h"

/* Before that, a rate means nothing. */
enum { RATE_AFTER_MS = 2000 };

void statement_progress_see(struct statement_progress *statement_progress, const struct progress_sample *seen)
{
    if (strcmp(statement_progress->command, seen->command) != 0 ||
        strcmp(statement_progress->phase, seen->phase) != 0 || seen->done < statement_progress->done) {
        text_copy_cut(statement_progress->command, sizeof statement_progress->command, seen->command);
        text_copy_cut(statement_progress->phase, sizeof statement_progress->phase, seen->phase);
        statement_progress->first = seen->done;
        statement_progress->since_ms = seen->now_ms;
    }
    statement_progress->done = seen->done;
    statement_progress->total = seen->total;
    statement_progress->now_ms = seen->now_ms;
}

double statement_progress_ratio(const struct statement_progress *statement_progress)
{
    if (statement_progress->command[0] == '\0' || statement_progress->total <= 0)
        return -1;
    return statement_progress->done < statement_progress->total
               ? statement_progress->done / statement_progress->total
               : 1;
}

void statement_progress_describe(const struct statement_progress *statement_progress, struct text *out)
{
    int64_t lasted_ms = statement_progress->now_ms - statement_progress->since_ms;
    double done = statement_progress->done - statement_progress->first;
    double ratio = statement_progress_ratio(statement_progress);
    double per_ms = lasted_ms >= RATE_AFTER_MS ? done / (double)lasted_ms : 0;
    bool has_rate = ratio >= 0 && per_ms > 0;
    char left[32];

    if (ratio >= 0)
        text_add_format(out, "%.0f %%, ", 100 * ratio);
    if (has_rate)
        text_add_format(
            out, "about %s left, ",
            duration_text((int64_t)((statement_progress->total - statement_progress->done) / per_ms), left,
                          sizeof left));
    text_add_format(out, "%s: %s", statement_progress->command, statement_progress->phase);
    if (ratio >= 0)
        text_add_format(out, ", %.0f of %.0f", statement_progress->done, statement_progress->total);
    if (has_rate)
        text_add_format(out, ", %.0f/s", per_ms * 1000);
}
