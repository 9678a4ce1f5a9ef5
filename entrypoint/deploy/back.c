#include "deploy/back.h"

#include <string.h>

#include "deploy/validate.h"
#include "history/folder.h"
#include "history/inverse.h"

void back_begin(struct deployment *d, struct back *out)
{
    *out = (struct back) {
        .inverses = arena_alloc(d->arena, d->folder->count, sizeof *out->inverses),
    };
    loss_guard_begin(&out->guard, d->config, &d->execution);
    d->back = out;
}

static bool refuse(const char *hint, struct error *err)
{
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "%s", hint);
}

static bool is_applied(const struct deployment *d, size_t index)
{
    enum verdict verdict = d->history.items[index].verdict;

    return verdict == VERDICT_APPLIED || verdict == VERDICT_EDITED;
}

/* The number of the first that is to be undone. */
static bool find_first(const struct deployment *d, size_t *first, struct error *err)
{
    const struct folder *folder = d->folder;
    const struct migration *last;

    if (d->config->wants_all) {
        *first = 0;
        return true;
    }
    if (d->config->to == NULL) {
        *first = folder->count;
        for (size_t i = 0; i < folder->count; i++)
            *first = is_applied(d, i) ? i : *first;
        return true;
    }
    last = folder_expect(folder, d->config->to, err);
    if (last == NULL)
        return false;
    *first = (size_t)(last - folder->items);
    if (!is_applied(d, (*first)++)) {
        error_set(err, ERROR_REFUSED, "migration \"%s\" is not applied: the database cannot go back to it",
                  last->name);
        return refuse("To see what is: tidelock status", err);
    }
    return true;
}

/* What is applied behind `first` may rest on what is to be undone. */
static bool check_missing(const struct deployment *d, size_t first, struct error *err)
{
    const struct dialect *dialect = d->folder->dialect;
    const struct history *history = &d->history;

    for (size_t i = 0; i < history->missing_count; i++) {
        const char *name = history->missing[i]->name;
        const struct order_key key = dialect->order_key_of(name);
        struct order_key floor;

        if (first > 0) {
            floor = dialect->order_key_of(d->folder->items[first - 1].key);
            if (dialect->compare_keys(&key, &floor) < 0)
                continue;
        }
        error_set(err, ERROR_REFUSED, "migration \"%s\" is applied, and not in this folder", name);
        return refuse("Go back with the image that has it.", err);
    }
    return true;
}

bool back_aim(struct deployment *d, struct error *err)
{
    struct back *back = d->back;

    if (!back->is_known && !find_first(d, &back->first, err))
        return false;
    back->is_known = true;
    history_aim_back(&d->history, d->folder, back->first);
    if (!check_missing(d, back->first, err))
        return false;
    if (d->config->to != NULL || d->config->wants_all || d->history.due_count <= 1)
        return true;
    error_set(err, ERROR_REFUSED, "another process has applied migrations since this one first looked");
    return refuse(
        "See what the database holds (tidelock status), and say how far to go back: --to NAME, or --all.",
        err);
}

static bool check_finished(const struct deployment *d, struct error *err)
{
    auto_text struct text next = text_init(4 * sizeof err->hint);
    const struct ledger_row *row;

    if (d->history.failed_count == 0)
        return true;
    row = d->history.failed[0];
    validate_add_remedy(d->folder, &d->history, row, &next);
    text_add_string(&next, "; then type the same again.");
    error_set(err, ERROR_REFUSED, "migration \"%s\" %s and has not been resolved", row->name,
              ledger_row_is_interrupted(row) ? "was interrupted" : "failed");
    error_code(err, d->folder->dialect->codes.unresolved);
    error_cause(err, CAUSE_UNRESOLVED);
    return refuse(next.at, err);
}

static bool check_unedited(struct deployment *d, size_t index, struct error *err)
{
    const char *name = d->folder->items[index].name;
    auto_text struct text next = text_init(2 * sizeof err->hint);

    if (!history_check_edited(&d->history, d->folder, index, err))
        return false;
    if (d->history.items[index].verdict != VERDICT_EDITED)
        return true;
    error_set(err, ERROR_REFUSED,
              "migration \"%s\" was edited after it was applied: its inverse may not undo what was applied",
              name);
    error_cause(err, CAUSE_STRICT);
    text_add_format(
        &next, "Restore its script; or, if the edit changes nothing: tidelock resolve --accept-edit \"%s\"",
        name);
    return refuse(next.at, err);
}

bool back_check(struct deployment *d, struct error *err)
{
    const struct folder *folder = d->folder;

    if (!check_finished(d, err))
        return false;
    d->back->guard.is_blind = d->back->guard.has_unseen = false;
    for (size_t i = deployment_first(d); i < folder->count; i = deployment_behind(d, i)) {
        if (deployment_is_due(d, i) &&
            (!check_unedited(d, i, err) ||
             !inverse_of(d->arena, folder->dialect, &folder->items[i], &d->back->inverses[i], err)))
            return false;
    }
    return true;
}
