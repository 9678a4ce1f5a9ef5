#include "deploy/precaution.h"

#include "base/log.h"
#include "deploy/backup.h"
#include "deploy/internal.h"
#include "deploy/restore_point.h"

struct precautions precautions_of(const struct config *config)
{
    return (struct precautions) { .backup_ms = config->require_backup_ms,
                                  .has_backup_check = config->backup_check != NULL,
                                  .wants_restore_point = config->wants_restore_point };
}

void precautions_add(struct precautions *precautions, const struct directives *said)
{
    if (said->require_backup_ms > 0 &&
        (precautions->backup_ms == 0 || said->require_backup_ms < precautions->backup_ms))
        precautions->backup_ms = said->require_backup_ms;
    precautions->wants_restore_point |= said->wants_restore_point;
}

/* What has begun goes on without it. */
static bool is_over(const struct deployment *d)
{
    return d->is_secured || d->report->due_count == 0;
}

bool precaution_check(struct deployment *d, struct error *err)
{
    const struct precautions *wanted = &d->report->precautions;
    const struct backup_wish wish = { .age_ms = wanted->backup_ms, .check = d->config->backup_check };

    if (is_over(d))
        return true;
    return ((wish.age_ms == 0 && wish.check == NULL) || backup_check(d->conn, &wish, err)) &&
           (!wanted->wants_restore_point || restore_point_check(d->conn, err));
}

static void record(const struct deployment *d, const struct restore_point *point)
{
    const struct journal journal = { .conn = d->conn,
                                     .ledger_schema = d->ledger.schema,
                                     .key = d->ledger.lock_key };
    const struct restore_point_note note = { .first = d->report->due[0].name,
                                             .pending = d->report->due_count,
                                             .host = d->host,
                                             .version = d->progress->build.version };

    if (d->has_journal)
        restore_point_record(&journal, point, &note);
}

static bool make(struct deployment *d, struct error *err)
{
    struct restore_point point;

    if (!restore_point_make(d->conn, &point, err))
        return false;

    const struct log_value values[] = { { .name = "restore_point", .text = point.name },
                                        { .name = "lsn", .text = point.lsn },
                                        { .name = "timeline", .text = point.timeline } };

    log_event(LOG_INFO, values, array_length(values),
              "made a restore point; to restore a backup to what was before this run: recovery_target_name = "
              "'%s'; or recovery_target_lsn = '%s' with recovery_target_inclusive = off",
              point.name, point.lsn);
    record(d, &point);
    return true;
}

bool precaution_take(struct deployment *d, struct error *err)
{
    if (!precaution_check(d, err))
        return false;
    if (is_over(d))
        return true;
    if (d->report->precautions.wants_restore_point && !make(d, err))
        return false;
    d->is_secured = true;
    return true;
}
