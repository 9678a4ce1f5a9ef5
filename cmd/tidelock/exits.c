#include "exits.h"

#include <stddef.h>

const struct exit_row EXITS[] = {
    { ERROR_NONE, EXIT_YES, false, "done, or the answer is yes" },
    { ERROR_NONE, EXIT_NO, false, "the answer is no (status --exit-code, ready)" },
    { ERROR_USAGE, 2, false, "usage or configuration is wrong; password or database name refused" },
    { ERROR_UNREACHABLE, 3, true, "the database was not reachable before the deadline" },
    { ERROR_LOST, 3, true, "the connection broke, again and again" },
    { ERROR_LEADER, 4, true,
      "the leader lock was not obtained before the deadline, or was lost; wait: not all was applied" },
    { ERROR_BUDGET, 5, true, "no room for a connection before the deadline" },
    { ERROR_CLEAN, 6, false, "a migration failed and left nothing behind" },
    { ERROR_PARTIAL, 7, false, "a migration failed half-way; the message lists what persists" },
    { ERROR_REFUSED, 8, false,
      "the history refuses: failed row, schema without ledger, wrong provider, --strict" },
    { ERROR_TABLE_LOCK, 9, true, "a table lock could not be had; nothing changed" },
    { ERROR_NOT_EXECUTABLE, 126, false, "run: CMD could not be executed" },
    { ERROR_NOT_FOUND, 127, false, "run: CMD was not found" },
    { ERROR_INTERRUPTED, EXIT_SIGNAL, true,
      "stopped by signal n (128 + n); the next run goes on from there" },
    { ERROR_NONE, 0, false, NULL },
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
