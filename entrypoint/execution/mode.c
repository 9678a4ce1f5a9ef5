#include "execution/mode.h"

const char *const MODE_NAMES[] = {
    [MODE_ATOMIC] = "atomic",
    [MODE_SELF_MANAGED] = "self-managed",
    [MODE_STEPWISE] = "stepwise",
    [MODE_BACKFILL] = "backfill",
};
_Static_assert(sizeof MODE_NAMES / sizeof *MODE_NAMES == MODES, "name every mode");

static bool refuse(const char *file, struct slice script, size_t offset, const char *why, const char *hint,
                   struct error *err)
{
    error_set(err, ERROR_CLEAN, "%s", why);
    error_point(err, file, script.at, script.length, offset);
    return error_hint(err, "%s", hint);
}

bool mode_decide(const char *file, struct slice script, const struct script_summary *summary,
                 const struct directives *directives, enum mode *out, struct error *err)
{
    bool has_control = summary->begins + summary->commits + summary->rollbacks > 0;

    if (summary->ends_inside_transaction)
        return refuse(
            file, script, summary->open_begin_offset, "the script begins a transaction that it does not end",
            "Add the missing COMMIT, or leave BEGIN out: tidelock runs a script in one transaction anyway.",
            err);
    if (summary->prepares > 0)
        return refuse(file, script, summary->first_control.start, "a migration can't use two-phase commit",
                      "Replace PREPARE TRANSACTION by COMMIT.", err);
    if (summary->chains > 0)
        return refuse(file, script, summary->first_control.start, "a migration can't chain transactions",
                      "Replace COMMIT AND CHAIN by COMMIT and BEGIN.", err);
    if (summary->has_nontransactional_in_block)
        return refuse(file, script, summary->first_nontransactional.start,
                      "this statement can't run inside the transaction that the script begins",
                      "Move it behind the COMMIT.", err);
    if (directives->transaction == TRANSACTION_ON && (has_control || summary->nontransactional > 0))
        return refuse(
            file, script, has_control ? summary->first_control.start : summary->first_nontransactional.start,
            has_control ? "the script controls transactions itself, but its directive asks for one"
                        : "this statement can't run in a transaction, but the directive asks for one",
            "Take \"transaction=on\" out of the directive.", err);
    if (directives->backfill.is_said && summary->statements != 1)
        return refuse(file, script, 0, "a backfill is a script of one statement, an UPDATE",
                      "Move the other statements into migrations before and behind it.", err);
    if (directives->backfill.is_said && directives->transaction != TRANSACTION_AUTO)
        return refuse(file, script, 0, "a backfill has transactions of its own",
                      "Take \"transaction\" out of the directive.", err);
    if (directives->backfill.is_said)
        *out = MODE_BACKFILL;
    else if (directives->transaction == TRANSACTION_OFF)
        *out = MODE_STEPWISE;
    else if (has_control)
        *out = MODE_SELF_MANAGED;
    else
        *out = summary->nontransactional > 0 ? MODE_STEPWISE : MODE_ATOMIC;
    return true;
}
