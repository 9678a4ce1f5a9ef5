#include "exits.h"

#include <stddef.h>
#include <string.h>

#include "base/signals.h"
#include "config/options.h"

const struct exit_row EXITS[] = {
    { ERROR_NONE, EXIT_YES, false, FOR_ALL | FOR_HELP, "done, or the answer is yes" },
    { ERROR_NONE, EXIT_NO, false,
      FOR_STATUS | FOR_READY | FOR_DEPLOY | FOR_PLAN | FOR_DIFF | FOR_DRIFT | FOR_VERIFY,
      "the answer is no (status, diff or deploy --dry-run with --exit-code, ready, plan --fail-on, drift, verify "
      "--against)" },
    { ERROR_USAGE, 2, false, FOR_ALL | FOR_HELP, "wrong usage or configuration" },
    { ERROR_OUTPUT, 2, false, FOR_ALL | FOR_HELP, "the output could not be written" },
    { ERROR_LOGIN, 2, false, FOR_DATABASE,
      "the login was refused: password, user, database name, or no right to connect" },
    { ERROR_UNREACHABLE, 3, true, FOR_DATABASE,
      "the database could not be reached before the deadline, or had a problem of its own" },
    { ERROR_READ_ONLY, 3, true, FOR_LEADERS,
      "the database did not accept writes before the deadline: a standby, or read-only by a setting" },
    { ERROR_LOST, 3, true, FOR_DATABASE, "the connection kept breaking" },
    { ERROR_LEADER, 4, true, FOR_LEADERS | FOR_WAIT,
      "the leader lock was not obtained in time, or was lost; with wait: migrations are still pending, or a replica "
      "lacks them" },
    { ERROR_BUDGET, 5, true, FOR_DATABASE, "no connection was free before the deadline" },
    { ERROR_CLEAN, 6, false, FOR_CHANGERS, "a migration failed and left nothing behind" },
    { ERROR_PARTIAL, 7, false, FOR_CHANGERS, "a migration failed halfway; the message lists what persists" },
    { ERROR_REFUSED, 8, false, FOR_DATABASE,
      "a person has to decide: failed migration, schema without ledger, ledger of a stranger, wrong provider, "
      "other migrations in the database, missing script, --strict, --refuse, --drift, a release that is too old, sessions of an older release, no recent backup, applied migrations lost, a shadow database that is not empty or in "
      "which the history does not replay" },
    { ERROR_DENIED, 8, false, FOR_DATABASE,
      "the role lacks a right, or the server refused a query of tidelock's own" },
    { ERROR_TABLE_LOCK, 9, true, FOR_DATABASE, "a table lock was not obtained in time; nothing changed" },
    { ERROR_HELD_UP, 9, true, FOR_APPLIERS,
      "a lock was not obtained in time; the message lists what persists" },
    { ERROR_NOT_EXECUTABLE, 126, false, FOR_RUN, "run: CMD could not be executed" },
    { ERROR_NOT_FOUND, 127, false, FOR_RUN, "run: CMD was not found" },
    { ERROR_INTERRUPTED, EXIT_SIGNAL, true, FOR_DATABASE, "stopped by signal n; the next run resumes" },
    { ERROR_NONE, 0, false, 0, NULL },
};

const struct exit_row *exit_find(enum error_class class)
{
    const struct exit_row *row = EXITS;

    while (row->class != class)
        row++;
    return row;
}

int exit_code_of(const struct error *err)
{
    int code = exit_find(err->class)->code;

    return code == EXIT_SIGNAL ? code + err->signal : code;
}

/* Its row lists the causes, for who reads the table: in an error only the one at hand is of interest. */
static void add_cause(const struct exit_row *row, enum error_cause cause, struct text *out)
{
    text_add(out, row->meaning, strcspn(row->meaning, ":"));
    if (cause != CAUSE_OTHER)
        text_add_format(out, ": %s", ERROR_CAUSE_NAMES[cause]);
}

void exit_add_meaning(const struct exit_row *row, const struct error *err, struct text *out)
{
    if (row->class == ERROR_REFUSED)
        add_cause(row, err->cause, out);
    else if (row->code == EXIT_SIGNAL)
        text_add_filled(out, row->meaning, "signal n", signals_name(err->signal));
    else
        text_add_format(out, "%s%s", row->meaning, row->is_retry_useful ? "; a retry may help" : "");
}

void exit_add_code(const struct exit_row *row, struct text *out)
{
    text_add_format(out, row->code == EXIT_SIGNAL ? "%d+n" : "%d", row->code);
}
