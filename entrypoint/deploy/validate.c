#include "deploy/validate.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/log.h"
#include "base/text.h"
#include "config/finding.h"
#include "deploy/replacement.h"
#include "history/folder.h"
#include "history/ledger.h"

enum { MISSING_MOST = 2048, HEAD_MOST = 3 };

bool validate_edited(const struct folder *folder, struct history *history, unsigned strict, struct error *err)
{
    bool is_right = true;
    struct error unread;

    for (size_t i = 0; i < folder->count; i++) {
        if (history_check_edited(history, folder, i, &unread) || (strict & 1u << FINDING_EDITED) == 0 ||
            !is_right)
            continue;
        *err = unread;
        is_right = false;
    }
    return is_right;
}

/* Why this migration of the folder needs attention; FINDINGS if it does not. */
static enum finding finding_of(const struct history_item *item)
{
    if (item->verdict == VERDICT_EDITED)
        return FINDING_EDITED;
    return item->is_out_of_order ? FINDING_OUT_OF_ORDER : FINDINGS;
}

static const char *const SAID[] = {
    [FINDING_EDITED] = "was edited after it was applied",
    [FINDING_MISSING] = "is not in the folder",
    [FINDING_OUT_OF_ORDER] = "is older than the last one applied",
};

/* Adds it if it is refused, and returns its bit then. */
static unsigned add_finding(struct text *list, const char *name, enum finding finding, unsigned strict)
{
    unsigned bit = finding == FINDINGS ? 0 : strict & 1u << finding;

    if (bit != 0)
        text_add_format(list, "%s%s %s", list->length == 0 ? "" : ", ", name, SAID[finding]);
    return bit;
}

static bool is_on(const char *variable)
{
    const char *value = variable == NULL ? NULL : getenv(variable);

    return value != NULL && strcasecmp(value, "true") == 0;
}

unsigned validate_strictness(const struct config *config, const struct dialect *dialect)
{
    unsigned of_tool =
        (dialect->refuses_edited ? 1u << FINDING_EDITED : 0) |
        (dialect->refuses_missing ? 1u << FINDING_MISSING : 0) |
        ((dialect->refuses_out_of_order && !is_on(dialect->late_switch)) || dialect->skips_out_of_order
             ? 1u << FINDING_OUT_OF_ORDER
             : 0);

    if (config->is_strict_said || of_tool == 0)
        return config->strict;
    return of_tool | 1u << FINDINGS;
}

static bool refuse_as_tool(const struct dialect *dialect, const char *list, unsigned found, struct error *err)
{
    error_set(err, ERROR_REFUSED, "the folder and the ledger differ, and %s %s that", dialect->tool,
              dialect->skips_out_of_order ? "would skip" : "refuses");
    error_holds(err, "Nothing was changed. %s.", list);
    if (found == 1u << FINDING_OUT_OF_ORDER)
        return error_hint(err, "Give it a later version. To apply it as it is: --no-strict.");
    return error_hint(
        err,
        "Restore the migrations as they were applied (see: tidelock status)%s. To deploy nevertheless: "
        "--no-strict.",
        found == 1u << FINDING_EDITED ? ", or accept an edit: tidelock resolve --accept-edit NAME" : "");
}

bool validate_strict(const struct folder *folder, const struct history *history, unsigned strict,
                     struct error *err)
{
    auto_text struct text list = text_init(sizeof err->holds);
    bool is_of_tool = (strict & 1u << FINDINGS) != 0;
    unsigned found = 0;

    if (is_of_tool && history->is_ahead)
        strict &= ~(1u << FINDING_MISSING);

    for (size_t i = 0; i < folder->count; i++)
        found |= add_finding(&list, folder->items[i].name, finding_of(&history->items[i]), strict);
    for (size_t i = 0; i < history->missing_count; i++)
        found |= add_finding(&list, history->missing[i]->name, FINDING_MISSING, strict);
    if (found == 0)
        return true;
    if (is_of_tool)
        return refuse_as_tool(folder->dialect, list.at, found, err);
    error_set(err, ERROR_REFUSED, "the folder and the ledger differ, and --strict forbids that");
    error_cause(err, CAUSE_STRICT);
    error_holds(err, "Nothing was changed. %s%s.", list.at, list.has_overflowed ? ", and others" : "");
    if (found == 1u << FINDING_MISSING && history->is_ahead)
        return error_hint(err,
                          "A newer image was here. To deploy an older one after it: "
                          "--strict=edited,out-of-order.");
    if (found == 1u << FINDING_OUT_OF_ORDER)
        return error_hint(err, "Rename it so that it comes last, or deploy with --strict=edited,missing.");
    return error_hint(
        err,
        "Restore the migrations as they were applied (see: tidelock status), or deploy without --strict. An "
        "edit that changes nothing can be accepted: tidelock resolve --accept-edit NAME");
}

/* An applied migration no longer needs its script. */
static void warn_of_unread(const struct folder *folder, const struct history *history)
{
    for (size_t i = 0; i < folder->count; i++) {
        if (history->items[i].is_unread)
            log_warn("could not check whether %s was edited: %s is missing or cannot be read",
                     folder->items[i].name, folder->items[i].script_path);
    }
}

void validate_warn_of_edited(const struct folder *folder, const struct history *history)
{
    for (size_t i = 0; i < folder->count; i++) {
        if (history->items[i].verdict == VERDICT_EDITED)
            log_warn("%s %s", folder->items[i].name, SAID[FINDING_EDITED]);
    }
    warn_of_unread(folder, history);
}

void validate_add_missing(const struct history *history, struct text *out)
{
    text_add_format(out,
                    "%zu applied migration%s %s not in this folder (%s first): removed, squashed or renamed",
                    history->missing_count, text_plural(history->missing_count),
                    history->missing_count == 1 ? "is" : "are", history->missing[0]->name);
}

const char *validate_add_replacement(const struct folder *folder, const struct history *history,
                                     struct text *out)
{
    const struct replacement found = replacement_find(folder, history);

    if (found.count == 0)
        return NULL;
    if (found.count == 1)
        text_add_format(out, "tidelock resolve --applied \"%s\"", folder->items[found.index].name);
    else
        text_add_string(out, "tidelock resolve --applied NAME");
    return found.is_renamed ? "if a pending one is one of them under another name (its script is the same)"
                            : "if a pending one replaces them, and the database already holds all of it";
}

static void warn_of_missing(const struct folder *folder, const struct history *history)
{
    auto_text struct text missing = text_init(MISSING_MOST);
    auto_text struct text command = text_init(MISSING_MOST);
    const char *condition = validate_add_replacement(folder, history, &command);

    validate_add_missing(history, &missing);
    if (condition == NULL)
        log_warn("%s", missing.at);
    else
        log_warn("%s; %s: %s", missing.at, condition, command.at);
}

/* The first names of a list of `count`. */
static void add_head(struct text *out, size_t at, size_t count, const char *name)
{
    if (at < HEAD_MOST)
        text_add_format(out, "%s%s", at == 0 ? "" : ", ", name);
    else if (at == HEAD_MOST)
        text_add_format(out, " and %zu more", count - HEAD_MOST);
}

bool validate_related(const struct folder *folder, const struct history *history, struct error *err)
{
    auto_text struct text theirs = text_init(sizeof err->detail / 2);
    auto_text struct text ours = text_init(sizeof err->detail / 2);
    auto_text struct text command = text_init(MISSING_MOST);
    auto_text struct text next = text_init(sizeof err->hint);
    const char *condition;

    if (history->missing_count == 0 || folder->count == 0 || history->counts[VERDICT_PENDING] < folder->count)
        return true;
    for (size_t i = 0; i < history->missing_count; i++)
        add_head(&theirs, i, history->missing_count, history->missing[i]->name);
    for (size_t i = 0; i < folder->count; i++)
        add_head(&ours, i, folder->count, folder->items[i].name);
    condition = validate_add_replacement(folder, history, &command);
    error_set(err, ERROR_REFUSED, "none of the migrations that the database holds is in this folder");
    error_cause(err, CAUSE_UNRELATED);
    error_detail(err, "The database holds %s; the folder %s.", theirs.at, ours.at);
    error_holds(err, "Nothing was changed.");
    text_add_string(&next, "Check the database URL and the image");
    if (condition != NULL)
        text_add_format(&next, "; %s: %s", condition, command.at);
    return error_hint(err, "%s. To apply what is pending nevertheless: --allow-unrelated.", next.at);
}

void validate_say_ahead(const struct folder *folder, const struct history *history)
{
    if (history->is_ahead && folder->dialect->is_marker)
        log_info("the database is ahead of this folder, at version %s: a newer image has been deployed",
                 history->missing[0]->name);
    else if (history->is_ahead)
        log_info("the database is ahead of this folder by %zu migration%s: a newer image has been deployed",
                 history->missing_count, text_plural(history->missing_count));
}

void validate_say_findings(const struct folder *folder, const struct history *history)
{
    warn_of_unread(folder, history);
    for (size_t i = 0; i < folder->count; i++) {
        enum finding finding = finding_of(&history->items[i]);

        if (finding != FINDINGS)
            log_warn("%s %s; continuing nevertheless", folder->items[i].name, SAID[finding]);
    }
    validate_say_ahead(folder, history);
    if (!history->is_ahead && history->missing_count > 0)
        warn_of_missing(folder, history);
}

void validate_warn_of_strays(const struct history *history)
{
    char others[48] = "";

    if (history->stray_count == 0)
        return;
    if (history->stray_count > 1)
        (void)snprintf(others, sizeof others, " (and %zu more)", history->stray_count - 1);
    log_warn(
        "migration \"%s\"%s is not finished: it failed, or is running now; it is not in this folder, for "
        "which nothing is pending",
        history->strays[0]->name, others);
}

void validate_add_remedy(const struct folder *folder, const struct history *history,
                         const struct ledger_row *row, struct text *out)
{
    const struct migration *migration = folder_find(folder, row->name);
    const char *name = row->name;

    if (migration != NULL && history->items[migration - folder->items].was_finished)
        text_add_format(out,
                        "Another row says that it was finished, so only the failed attempt is to be marked. "
                        "Check the schema, then type: tidelock resolve --rolled-back \"%s\"",
                        name);
    else if (migration != NULL && ledger_row_is_resumable(row))
        text_add_format(
            out,
            "To go on with it: tidelock deploy. Or undo by hand what is done, and type: tidelock resolve "
            "--rolled-back \"%s\"",
            name);
    else if (migration != NULL)
        text_add_format(
            out,
            "Check the schema. If part of it is there, finish or undo that by hand first. If none of it "
            "is there: tidelock resolve --rolled-back \"%s\"; if all of it is there: tidelock "
            "resolve --applied \"%s\"",
            name, name);
    else if (ledger_row_is_resumable(row))
        text_add_format(
            out, "Its script is not in this folder: deploy the image that has it, which resumes \"%s\"",
            name);
    else if (folder->dialect->is_marker && name[0] != '-')
        text_add_string(out, "Its script is not in this folder: resolve it with the image that has it");
    else
        text_add_format(out,
                        "Its script is not in this folder: resolve it with the image that has it. If none of "
                        "it is in the schema: tidelock resolve --rolled-back \"%s\"",
                        name);
}

static bool refuse_failed(const struct folder *folder, const struct history *history,
                          const struct ledger_row *row, struct error *err)
{
    auto_text struct text next = text_init(4 * sizeof err->hint);
    size_t pending = history->counts[VERDICT_PENDING];

    if (pending == 0)
        error_holds(err, "Parts of it may persist.");
    else
        error_holds(err, "Parts of it may persist. Not applied: %zu pending migration%s.", pending,
                    text_plural(pending));
    validate_add_remedy(folder, history, row, &next);
    return error_hint(err, "%s; then deploy again.", next.at);
}

bool validate_failed(const struct folder *folder, const struct history *history, struct error *err)
{
    for (size_t i = 0; i < history->failed_count; i++) {
        const struct ledger_row *row = history->failed[i];

        if (ledger_row_is_resumable(row) && folder_find(folder, row->name) != NULL)
            continue;
        error_set(err, ERROR_REFUSED, "migration \"%s\" %s%s%s%s and has not been resolved", row->name,
                  ledger_row_is_interrupted(row) ? "was interrupted" : "failed",
                  row->started_at == NULL ? "" : " (started ", row->started_at == NULL ? "" : row->started_at,
                  row->started_at == NULL ? "" : ")");
        error_code(err, folder->dialect->codes.unresolved);
        error_cause(err, CAUSE_UNRESOLVED);
        if (ledger_row_reason(row) != NULL)
            error_detail(err, "%s", ledger_row_reason(row));
        return refuse_failed(folder, history, row, err);
    }
    return true;
}
