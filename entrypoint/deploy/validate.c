#include "deploy/validate.h"

#include "base/log.h"
#include "base/text.h"
#include "history/folder.h"
#include "history/ledger.h"

bool validate_edited(const struct folder *folder, struct history *history, bool is_strict, struct error *err)
{
    for (size_t i = 0; i < folder->count; i++) {
        if (history_check_edited(history, folder, i, err))
            continue;
        if (is_strict)
            return false;
        log_warn("could not check whether %s was edited: %s", folder->items[i].name, err->message);
    }
    return true;
}

/* Why this migration needs attention, or NULL. */
static const char *finding(const struct history_item *item)
{
    if (item->verdict == VERDICT_EDITED)
        return "was edited after it was applied";
    return item->is_out_of_order ? "is older than the last one applied" : NULL;
}

static void add_finding(struct text *list, const char *name, const char *what)
{
    text_add_format(list, "%s%s %s", list->length == 0 ? "" : ", ", name, what);
}

static bool refuse(const struct folder *folder, const struct history *history, struct error *err)
{
    auto_text struct text list = text_init(sizeof err->holds);

    for (size_t i = 0; i < folder->count; i++) {
        if (finding(&history->items[i]) != NULL)
            add_finding(&list, folder->items[i].name, finding(&history->items[i]));
    }
    for (size_t i = 0; i < history->missing_count; i++)
        add_finding(&list, history->missing[i]->name, "is not in the folder");
    if (list.length == 0 && !list.has_overflowed)
        return true;
    error_set(err, ERROR_REFUSED, "the folder and the ledger differ, and --strict forbids that");
    error_holds(err, "Nothing was changed. %s%s.", list.at, list.has_overflowed ? ", and others" : "");
    return error_hint(
        err,
        "Restore the migrations as they were applied (see: tidelock status), or deploy without --strict.");
}

bool validate_findings(const struct folder *folder, const struct history *history, bool is_strict,
                       struct error *err)
{
    if (is_strict)
        return refuse(folder, history, err);
    for (size_t i = 0; i < folder->count; i++) {
        if (finding(&history->items[i]) != NULL)
            log_warn("%s %s; continuing nevertheless", folder->items[i].name, finding(&history->items[i]));
    }
    if (history->missing_count > 0)
        log_info("the database is ahead of this folder by %zu migration%s: a newer image has been deployed",
                 history->missing_count, text_plural(history->missing_count));
    return true;
}

bool validate_failed(const struct folder *folder, const struct history *history, struct error *err)
{
    for (size_t i = 0; i < history->failed_count; i++) {
        const struct ledger_row *row = history->failed[i];

        if (ledger_row_is_resumable(row) && folder_find(folder, row->name) != NULL)
            continue;
        error_set(err, ERROR_REFUSED, "migration \"%s\" failed (started %s UTC) and has not been resolved",
                  row->name, row->started_at);
        error_code(err, folder->dialect->codes.unresolved);
        if (row->logs != NULL)
            error_detail(err, "%s", row->logs);
        error_holds(err, "Parts of it may persist. Not applied: %zu pending migration%s.",
                    history->counts[VERDICT_PENDING], text_plural(history->counts[VERDICT_PENDING]));
        return error_hint(
            err,
            "Check the schema. If none of it is there: tidelock resolve --rolled-back \"%s\"; if all of "
            "it is there: tidelock resolve --applied \"%s\"; then deploy again.",
            row->name, row->name);
    }
    return true;
}
