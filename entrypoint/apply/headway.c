#include "apply/headway.h"

#include <string.h>

#include "base/clock.h"

/* Before that, a rate is chance. */
enum { RATE_AFTER_MS = 2000 };

void headway_see(struct headway *headway, const char *command, const char *phase, double done, double total,
                 int64_t now_ms)
{
    if (strcmp(headway->command, command) != 0 || strcmp(headway->phase, phase) != 0 ||
        done < headway->done) {
        text_copy_cut(headway->command, sizeof headway->command, command);
        text_copy_cut(headway->phase, sizeof headway->phase, phase);
        headway->first = done;
        headway->since_ms = now_ms;
    }
    headway->done = done;
    headway->total = total;
    headway->now_ms = now_ms;
}

double headway_ratio(const struct headway *headway)
{
    if (headway->command[0] == '\0' || headway->total <= 0)
        return -1;
    return headway->done < headway->total ? headway->done / headway->total : 1;
}

void headway_describe(const struct headway *headway, struct text *out)
{
    int64_t lasted_ms = headway->now_ms - headway->since_ms;
    double per_ms = lasted_ms > 0 ? (headway->done - headway->first) / (double)lasted_ms : 0;
    char left[32];

    text_add_format(out, "%s: %s", headway->command, headway->phase);
    if (headway_ratio(headway) < 0)
        return;
    text_add_format(out, ", %.0f %% (%.0f of %.0f)", 100 * headway_ratio(headway), headway->done,
                    headway->total);
    if (per_ms <= 0 || lasted_ms < RATE_AFTER_MS)
        return;
    text_add_format(out, ", %.0f/s, about %s left", per_ms * 1000,
                    duration_text((int64_t)((headway->total - headway->done) / per_ms), left, sizeof left));
}

void headway_bar(const struct headway *headway, int width, struct text *out)
{
    double ratio = headway_ratio(headway);
    int inside = width - 2;
    int done = ratio < 0 ? 0 : (int)(ratio * inside);

    text_add(out, "[", 1);
    for (int i = 0; i < inside; i++)
        text_add(out, i < done ? "=" : i == done && ratio >= 0 ? ">" : " ", 1);
    text_add(out, "]", 1);
}
