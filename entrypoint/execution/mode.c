#include "execution/mode.h"

#include "base/memory.h"

const char *const MODE_NAMES[] = {
    [MODE_ATOMIC] = "atomic",
    [MODE_SELF_MANAGED] = "self-managed",
    [MODE_STEPWISE] = "stepwise",
    [MODE_BACKFILL] = "backfill",
};
_Static_assert(sizeof MODE_NAMES / sizeof *MODE_NAMES == MODES, "name every mode");

/* Something that would only half work. */
struct objection {
    bool is_raised;
    size_t at; /* byte of the script */
    const char *why;
    const char *hint;
};

static bool object(const struct mode_question *question, const struct objection *objection, struct error *err)
{
    error_set(err, ERROR_CLEAN, "%s", objection->why);
    error_point(err, question->file, question->script.at, question->script.length, objection->at);
    return error_hint(err, "%s", objection->hint);
}

static bool has_control(const struct script_summary *summary)
{
    return summary->begins + summary->commits + summary->rollbacks > 0;
}

static bool check(const struct mode_question *question, struct error *err)
{
    const struct script_summary *summary = question->summary;
    const struct directives *directives = question->directives;
    bool is_one = directives->transaction == TRANSACTION_ON;
    bool is_backfill = directives->backfill.is_said;
    bool is_several =
        has_control(summary) || summary->nontransactional > 0 || directives->transaction == TRANSACTION_OFF;
    size_t control = summary->first_control.start;
    size_t nontransactional = summary->first_nontransactional.start;
    const struct objection objections[] = {
        { summary->has_stray_rollback, summary->stray_rollback,
          "ROLLBACK outside a transaction block: what it undoes depends on who runs the script",
          "Put a BEGIN before the statements that it should undo, or remove it." },
        { is_several && summary->has_stray_savepoint, summary->stray_savepoint,
          "a savepoint outside a transaction block, in a script that commits more than once",
          "Put BEGIN and COMMIT around the statements that it is for." },
        { summary->ends_inside_transaction, summary->open_begin_offset,
          "the script begins a transaction that it does not end",
          "Add the missing COMMIT, or remove BEGIN: tidelock runs a script in one transaction anyway." },
        { summary->prepares > 0, control, "a migration cannot use two-phase commit",
          "Replace PREPARE TRANSACTION by COMMIT." },
        { summary->chains > 0, control, "a migration cannot chain transactions",
          "Replace COMMIT AND CHAIN by COMMIT and BEGIN." },
        { summary->has_nontransactional_in_block, nontransactional,
          "this statement cannot run inside the transaction that the script begins",
          "Move it after the COMMIT." },
        { is_one && has_control(summary), control,
          "the script controls its own transactions, but its directive asks for one",
          "Take \"transaction=on\" out of the directive." },
        { is_one && summary->nontransactional > 0, nontransactional,
          "this statement cannot run in a transaction, but the directive asks for one",
          "Take \"transaction=on\" out of the directive." },
        { question->transaction == SCRIPT_TRANSACTION_ON && summary->nontransactional > 0 &&
              directives->transaction != TRANSACTION_OFF,
          nontransactional, "this statement cannot run in a transaction, and the script asks for one",
          question->transaction_hint },
        { question->mixed_hint != NULL && summary->nontransactional > 0 &&
              summary->nontransactional < summary->statements && directives->transaction == TRANSACTION_AUTO,
          nontransactional, "this statement cannot run in a transaction, and the script has others beside it",
          question->mixed_hint },
        { is_backfill && summary->statements != 1, 0,
          "a backfill must be a script of one statement, an UPDATE",
          "Move the other statements into migrations before and after it." },
        { is_backfill && directives->transaction != TRANSACTION_AUTO, 0,
          "a backfill controls its own transactions", "Remove \"transaction\" from the directive." },
    };

    for (size_t i = 0; i < array_length(objections); i++) {
        if (objections[i].is_raised)
            return object(question, &objections[i], err);
    }
    return true;
}

bool mode_decide(const struct mode_question *question, enum mode *out, struct error *err)
{
    if (!check(question, err))
        return false;
    if (question->directives->backfill.is_said)
        *out = MODE_BACKFILL;
    else if (question->directives->transaction == TRANSACTION_OFF ||
             (question->directives->transaction == TRANSACTION_AUTO &&
              question->transaction == SCRIPT_TRANSACTION_OFF && question->summary->statements > 0))
        *out = MODE_STEPWISE;
    else if (has_control(question->summary))
        *out = MODE_SELF_MANAGED;
    else
        *out = question->summary->nontransactional > 0 ? MODE_STEPWISE : MODE_ATOMIC;
    return true;
}
