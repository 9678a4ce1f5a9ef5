#include "execution/failure_text.h"

#include <string.h>

#include "base/text.h"
#include "execution/advice.h"
#include "execution/failure_blockers.h"
#include "execution/failure_inverse.h"

/* What is known to persist, with a full stop. */
static void add_persists(const struct failure_names *names, enum mode mode, struct text *out)
{
    if (mode == MODE_BACKFILL && names->done == 0)
        text_add_format(out, "%s%s", names->persists, names->persists[0] == '\0' ? "" : ".");
    else if (names->done > 0)
        text_add_format(out, "%zu of %zu statement%s %s:%s.", names->done, names->statements,
                        text_plural(names->statements),
                        names->lasting == names->done ? "persisted" : "done; what persists",
                        names->lasting == 0 ? " nothing" : names->persists);
}

static void add_unknown(const struct failure_names *names, enum mode mode, struct text *out)
{
    const char *space;

    add_persists(names, mode, out);
    space = out->length == 0 ? "" : " ";
    if (mode == MODE_BACKFILL && names->done == 0 && names->is_walked)
        text_add_format(out, "%sIt is not known yet whether it was recorded as finished.", space);
    else if (mode == MODE_BACKFILL && names->done == 0)
        text_add_format(
            out,
            "%sIt is not known yet whether one more batch was committed, or the last ones were lost if "
            "the server crashed.",
            space);
    else if (names->done < names->statements || names->statements == 0)
        text_add_format(out, "%sIt is not known yet whether statement %zu was done.", space, names->done + 1);
}

static void add_leftover(const struct failure_facts *facts, const struct failure_names *names,
                         struct text *out)
{
    const char *space = out->length == 0 ? "" : " ";

    if (facts->leftover == LEFTOVER_NOTHING)
        return;
    if (names->remains[0] == '\0' && out->length == 0)
        text_add_format(out, "Nothing of %s from this run; what the message names was already there.",
                        names->migration);
    else if (names->remains[0] != '\0')
        text_add_format(out, "%sLeft over: %s%s.", space, names->remains,
                        facts->leftover == LEFTOVER_OURS ? "; the next deployment cleans that up" : "");
}

static void add_doubt(const struct failure_names *names, struct text *out)
{
    text_add_format(out, "It is not known yet whether %s ", names->migration);
    if (names->behind > 0)
        text_add_format(out, "and the %zu migration%s after it were committed", names->behind,
                        text_plural(names->behind));
    else
        text_add_string(out, "was committed");
    text_add_string(out, "; the next deployment finds out.");
}

static void add_holds(enum failure_holds holds, const struct failure_facts *facts,
                      const struct failure_names *names, struct text *out)
{
    const char *name = names->migration;

    switch (holds) {
    case HOLDS_COMMIT:
        add_doubt(names, out);
        break;
    case HOLDS_UNKNOWN:
        add_unknown(names, facts->mode, out);
        break;
    case HOLDS_PERSISTS:
        add_persists(names, facts->mode, out);
        add_leftover(facts, names, out);
        break;
    case HOLDS_LEFTOVER:
        add_leftover(facts, names, out);
        break;
    case HOLDS_ESCAPED:
        add_persists(names, facts->mode, out);
        text_add_format(out, "%sWhat the script did before that may persist%s.", out->length == 0 ? "" : " ",
                        facts->mode == MODE_ATOMIC ? "; the ledger has no row for it" : "");
        break;
    case HOLDS_EARLIER:
        text_add_format(out, "The part of %s that an earlier run applied; this run has not changed it.",
                        name);
        break;
    default:
        text_add_format(out, "Nothing of %s%s", names->was_tried ? "this try of " : "", name);
        if (names->before > 0)
            text_add_format(out, "; already applied by this run: %zu migration%s", names->before,
                            text_plural(names->before));
        text_add_string(out, ".");
        break;
    }
}

static void add_go_on(const struct failure_facts *facts, const struct failure_names *names, struct text *out)
{
    if (names->done > 0 && names->done >= names->statements)
        text_add_string(out, " to record it as finished; nothing else is left to do.");
    else if (facts->mode == MODE_BACKFILL && names->is_walked)
        text_add_string(out, " to record it as finished; every row was visited.");
    else if (facts->mode == MODE_BACKFILL)
        text_add_string(out, " to resume after that row.");
    else
        text_add_format(out, " to resume at statement %zu.", names->done + 1);
}

static void add_corrected(const struct failure_facts *facts, const struct failure_names *names,
                          struct text *out)
{
    if (names->done > 0 && names->done >= names->statements) {
        text_add_string(out, "Correct the cause and deploy again");
        add_go_on(facts, names, out);
        return;
    }
    if (names->advice[0] != '\0') {
        text_add_format(out, "%s Then deploy again", names->advice);
        if (names->done > 0 || (facts->mode == MODE_BACKFILL && names->persists[0] != '\0'))
            add_go_on(facts, names, out);
        else
            text_add_string(out, ".");
        return;
    }
    if (facts->mode != MODE_BACKFILL && names->done > 0) {
        text_add_format(
            out,
            "Correct the cause, or the script from there on, and deploy again to resume at statement %zu. "
            "Or finish it by hand and type: tidelock resolve --applied \"%s\"",
            names->done + 1, names->migration);
        return;
    }
    text_add_string(out, "Correct the cause and deploy again");
    if (facts->mode == MODE_BACKFILL && names->persists[0] != '\0')
        add_go_on(facts, names, out);
    else
        text_add_string(out, ".");
}

static void add_correct(const struct failure_facts *facts, const struct failure_names *names,
                        struct text *out)
{
    if (names->advice[0] != '\0')
        text_add_format(out, "%s Then deploy again.", names->advice);
    else
        text_add_format(out, "Correct %s and deploy again; there is nothing to resolve.%s", names->script,
                        advice_is_wrong_everywhere(facts->sqlstate) || names->is_edit_unseen
                            ? ""
                            : " Databases that already have it will report the edit.");
}

/* What it says of the script's transactions is followed by test_transaction_advice.py, which sees it help. */
static const char *const ADVICE[FAILURE_NEXTS] = {
    [NEXT_FIND_OUT] = "Deploy again: tidelock finds out what was done and resumes from there.",
    [NEXT_NOT_ONE] = "Take \"transaction=on\" out of the directive in %s and deploy again.",
    [NEXT_DIRECT] = "Set DIRECT_URL to the database's own address and deploy again.",
    [NEXT_OUT_OF_BLOCK] = "In %s, move the statement behind the COMMIT, and deploy again.",
    [NEXT_COMMIT_VALUE] = "In %s, put COMMIT; BEGIN; behind ALTER TYPE … ADD VALUE, and deploy again.",
    [NEXT_OWN_MIGRATION] = "Move what adds the value from %s to a migration before it, and deploy again.",
    [NEXT_SET_FIRST] = ("In %s, move it before the first query, or begin the script with BEGIN ISOLATION "
                        "LEVEL … instead and end it with COMMIT; then deploy again."),
};

/* An edit has its price where the file was applied before: that is said, and how to do without. */
static void add_no_transaction(const struct failure_names *names, struct text *out)
{
    text_add_format(
        out,
        "Begin %s with the line \"-- tidelock: transaction=off\" and deploy again: each statement "
        "then commits on its own. Where the file was applied before, this edit counts "
        "(--strict refuses it, %s's development command asks for a reset); to leave it as it is: "
        "psql -f %s, then tidelock resolve --applied \"%s\".",
        names->script, names->tool, names->script, names->migration);
}

static void add_finish(const struct failure_names *names, struct text *out)
{
    text_add_format(out,
                    "It cannot be resumed: %s. Finish it by hand and type: tidelock resolve --applied "
                    "\"%s\"; or undo what persists and type: tidelock resolve --rolled-back \"%s\".",
                    names->stuck, names->migration, names->migration);
}

static void add_by_hand(const struct failure_names *names, struct text *out)
{
    text_add_format(
        out,
        "It could not be recorded that statement %zu is done, and a later run can't find out. Run "
        "by hand what follows it, if anything, then type: tidelock resolve --applied \"%s\"",
        names->done, names->migration);
}

static void add_look(const struct failure_names *names, struct text *out)
{
    text_add_format(out,
                    "Look at what it has done. If you complete the script by hand: tidelock resolve "
                    "--applied \"%s\". If all of the script may run again: tidelock resolve "
                    "--rolled-back \"%s\", then deploy again.",
                    names->migration, names->migration);
}

static void add_table(const struct failure_names *names, struct text *out)
{
    if (names->advice[0] != '\0')
        text_add_format(out, "%s Then deploy again.", names->advice);
    else
        text_add_format(out, "Deploy again when the table is free, or allow more time with %s.",
                        names->more_time);
}

static void add_next(enum failure_next next, const struct failure_facts *facts,
                     const struct failure_names *names, struct text *out)
{
    switch (next) {
    case NEXT_CORRECT:
        add_correct(facts, names, out);
        break;
    case NEXT_NO_TRANSACTION:
        add_no_transaction(names, out);
        break;
    case NEXT_LOOK:
        add_look(names, out);
        break;
    case NEXT_FINISH:
        add_finish(names, out);
        break;
    case NEXT_BY_HAND:
        add_by_hand(names, out);
        break;
    case NEXT_GO_ON_CORRECTED:
        add_corrected(facts, names, out);
        break;
    case NEXT_BEGIN_AGAIN:
        text_add_format(out, "Deploy again to resume with %s.", names->migration);
        break;
    case NEXT_GO_ON:
        text_add_string(out, "Deploy again");
        add_go_on(facts, names, out);
        break;
    case NEXT_BLOCKER:
        failure_add_blockers("Deploy again", names, out);
        break;
    case NEXT_TABLE:
        add_table(names, out);
        break;
    case NEXT_REMEDY:
        text_add_format(out, "%s%s", names->remedy, names->remedy[0] == '\0' ? "Correct" : "; then correct");
        text_add_string(out, " the cause and deploy again.");
        break;
    case NEXT_ESCAPED:
        text_add_format(
            out,
            "Look for COMMIT in the functions that it calls. If all of it is there: tidelock resolve "
            "--applied \"%s\"; otherwise undo what persists and deploy again.",
            names->migration);
        break;
    default:
        if (ADVICE[next] != NULL)
            text_add_format(out, ADVICE[next], names->script);
        break;
    }
}

void failure_describe(const struct failure *failure, struct error *err)
{
    struct failure_verdict verdict = failure_decide(&failure->facts);
    auto_text struct text holds = text_init(4 * sizeof err->holds);
    auto_text struct text next = text_init(4 * sizeof err->hint);

    err->class = verdict.class;
    if (failure->facts.is_inverse)
        failure_inverse_add_holds(verdict.holds, &failure->names, &holds);
    else
        add_holds(verdict.holds, &failure->facts, &failure->names, &holds);
    if (err->holds[0] == '\0')
        error_holds(err, "%s", holds.at);
    if (verdict.next == NEXT_SAID)
        return;
    if (err->hint[0] != '\0')
        error_detail(err, "%s%s%s", err->detail, err->detail[0] == '\0' ? "" : " ", err->hint);
    if (failure->facts.is_inverse)
        failure_inverse_add_next(verdict.next, &failure->names, &next);
    else
        add_next(verdict.next, &failure->facts, &failure->names, &next);
    error_hint(err, "%s", next.at);
}
