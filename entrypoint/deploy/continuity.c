#include "deploy/continuity.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "history/folder.h"

enum { NAMES_MOST = 512 };

/* That of the folder; its count for none. */
static size_t index_of(const struct deployment *d, const struct migration *migration)
{
    const struct migration *first = d->back == NULL ? d->folder->items : d->back->inverses;

    return migration == NULL ? d->folder->count : (size_t)(migration - first);
}

void continuity_keep(struct deployment *d)
{
    d->is_ours[index_of(d, d->execution.migration)] = true;
    d->reached = (struct reached) { .index = d->folder->count };
}

void continuity_note_progress(struct deployment *d)
{
    const struct course *course = &d->execution.course;
    const size_t index = index_of(d, d->execution.migration);

    if (index == d->folder->count || d->is_ours[index] || d->execution.mode == MODE_ATOMIC)
        return;
    if (index != d->reached.index)
        d->reached = (struct reached) { .index = index };
    if (d->reached.steps < course->recorded)
        d->reached.steps = course->recorded;
    if (d->reached.batches < course->batches)
        d->reached.batches = course->batches;
}

static bool has_changed_something(const struct deployment *d)
{
    return d->report->applied_count > 0 || d->reached.steps > 0 || d->reached.batches > 0;
}

static bool is_applied(const struct deployment *d, size_t index)
{
    enum verdict verdict = d->history.items[index].verdict;

    return verdict == VERDICT_APPLIED || verdict == VERDICT_EDITED;
}

static bool is_there(const struct deployment *d, size_t index)
{
    return !d->is_ours[index] || is_applied(d, index) == (d->back == NULL);
}

/* Another process may have led, and done the rest. */
static bool has_progress(const struct deployment *d)
{
    const struct ledger_row *row;

    if (d->reached.index >= d->folder->count || d->reached.steps == 0 || is_applied(d, d->reached.index))
        return true;
    row = d->history.items[d->reached.index].row;
    return row != NULL && (size_t)row->steps >= d->reached.steps;
}

static void say_server(const struct deployment *d, const struct identity *now, struct error *err)
{
    const struct identity *then = &d->server;

    if (identity_is_other_system(then, now))
        error_detail(err,
                     "Another server answers: its system identifier is %s, and was %s when this run began.",
                     now->system, then->system);
    else if (identity_is_other_timeline(then, now))
        error_detail(err,
                     "The server is on timeline %lu, and was on %lu when this run began: a standby was "
                     "promoted, or a backup was restored.",
                     strtoul(now->timeline, NULL, 16), strtoul(then->timeline, NULL, 16));
    else if (now->timeline[0] != '\0' && then->timeline[0] != '\0')
        error_detail(err,
                     "The server is the same, on the same timeline: somebody has changed the ledger or "
                     "restored an older copy of the server, or it crashed with synchronous_commit off.");
    else
        error_detail(err,
                     "The server may have been replaced by a standby or a backup, or somebody has "
                     "changed the ledger.");
}

static bool refuse(const struct deployment *d, const char *lost, size_t count, struct error *err)
{
    const char *did = d->back == NULL ? "applied" : "rolled back";
    const struct identity now = identity_ask(d->conn);

    if (count == 0)
        error_set(err, ERROR_REFUSED,
                  "the database has lost a part of migration \"%s\" that this run had done", lost);
    else
        error_set(err, ERROR_REFUSED, "the database %s %zu migration%s that this run has %s: %s",
                  d->back == NULL ? "lacks" : "holds again", count, text_plural(count), did, lost);
    error_cause(err, CAUSE_BEHIND);
    say_server(d, &now, err);
    error_holds(err, "This run has %s %zu migration%s; the database that answers now shows %zu of them.", did,
                d->report->applied_count, text_plural(d->report->applied_count),
                d->report->applied_count - count);
    return error_hint(
        err,
        "Find out which server is the right one, and whether the former one still has what is missing, rows "
        "of the application included. If this one is to stay: tidelock status, and then type the same again.");
}

/* Beyond --to nothing was applied. */
bool continuity_check(struct deployment *d, bool tells_attempts, struct error *err)
{
    auto_text struct text lost = text_init(NAMES_MOST);
    size_t count = 0;

    if (!has_changed_something(d) || d->ledger.is_read_only || d->ledger.database == NULL)
        return true;
    for (size_t i = 0; i < d->folder->count; i++) {
        if (is_there(d, i))
            continue;
        text_add_format(&lost, "%s%s", count == 0 ? "" : ", ", d->folder->items[i].name);
        count++;
    }
    if (count > 0)
        return refuse(d, lost.at, count, err);
    return !tells_attempts || has_progress(d) || refuse(d, d->folder->items[d->reached.index].name, 0, err);
}

bool continuity_is_broken(const struct deployment *d, const struct identity *found)
{
    return identity_is_other_system(&d->server, found) || identity_is_other_timeline(&d->server, found);
}

bool continuity_lead(struct deployment *d, const struct identity *found, struct error *err)
{
    const bool is_other = continuity_is_broken(d, found);

    if (is_other && d->execution.commit_doubt.is_in_doubt)
        d->execution.commit_doubt.is_elsewhere = true;
    if (has_changed_something(d) && identity_is_other_system(&d->server, found)) {
        error_set(err, ERROR_REFUSED, "another server answers than the one that this run has changed");
        error_cause(err, CAUSE_BEHIND);
        say_server(d, found, err);
        error_holds(err, "Its ledger holds what this run has done so far.");
        return error_hint(err,
                          "Find out which server is the right one. If it is this one: type the same again.");
    }
    d->reached.is_elsewhere |= is_other;
    if (has_changed_something(d) && is_other)
        log_info(
            "the server has changed to timeline %lu: a standby was promoted; it holds what this run has "
            "done so far",
            strtoul(found->timeline, NULL, 16));
    d->server = *found;
    return true;
}
