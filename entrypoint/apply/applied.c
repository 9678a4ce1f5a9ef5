#include "apply/applied.h"

#include "base/log.h"
#include "base/memory.h"

void applied_report(const struct applying *applying, int64_t took_ms, struct deployment_report *report)
{
    const char *mode = MODE_NAMES[applying->mode];
    const char *name = applying->migration->name;
    const struct log_value values[] = { { .name = "duration_ms", .number = took_ms },
                                        { .name = "mode", .text = mode } };
    struct progress *progress = applying->progress;
    struct applied_migration *entry;
    bool is_plain = applying->mode == MODE_ATOMIC;
    char took[32];

    progress->applied++;
    progress->last_seconds = (double)took_ms / 1000;
    progress->migrations[VERDICT_PENDING] -= progress->migrations[VERDICT_PENDING] > 0;
    progress->migrations[VERDICT_APPLIED]++;
    entry = &report->applied[report->applied_count++];
    *entry = (struct applied_migration) { .name = name, .took_ms = took_ms, .mode = applying->mode };
    log_event(LOG_INFO, values, array_length(values), "applied %s (%s%s%s)", name,
              duration_text(took_ms, took, sizeof took), is_plain ? "" : ", ", is_plain ? "" : mode);
}
