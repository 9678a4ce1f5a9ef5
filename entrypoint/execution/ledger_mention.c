#include "execution/ledger_mention.h"

#include <string.h>

#include "sql/session_statement.h"

/* The line of the first statement that names it, of those that can still be edited if there is one; 0 = none.
 */
static size_t find_mention(const struct execution *execution, size_t done, bool *is_done)
{
    struct script_reader reader = execution_reader(execution);
    struct statement statement;
    struct error ignored;
    size_t line = 0;

    *is_done = true;
    for (size_t i = 0; *is_done && script_next(&reader, &statement, &ignored) == SCRIPT_STATEMENT; i++) {
        if (!session_statement_mentions(execution_text(execution, &statement),
                                        execution->ledger->dialect->ledger_name))
            continue;
        *is_done = i < done;
        if (line == 0 || !*is_done)
            line = statement.line;
    }
    return line;
}

void ledger_mention_tell(const struct execution *execution, struct error *err)
{
    size_t done = err->class == ERROR_CLEAN ? 0 : execution->course.done;
    bool is_done;
    size_t line;

    if (strstr(err->message, LEDGER_CHANGED) == NULL || (line = find_mention(execution, done, &is_done)) == 0)
        return;
    if (is_done)
        error_detail(err, "The script itself names the ledger's table, in line %zu: it may have done that.",
                     line);
    else
        error_hint(err,
                   "The script itself names the ledger's table, in line %zu: take that out of %s, and deploy "
                   "again. To see what the ledger holds now: tidelock status",
                   line, execution->migration->script_path);
}
