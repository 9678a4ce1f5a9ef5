#include "execution/ledger_mention.h"

#include <string.h>

#include "sql/pattern.h"
#include "sql/session_statement.h"

/* A statement that has to do with the ledger. */
struct mention {
    size_t number; /* from 0 */
    size_t line;   /* 0 = there is none */
    bool is_done;  /* it can no longer be edited */
    bool drops_schema;
};

static bool drops_schema(const struct execution *execution, struct slice text)
{
    struct head head = head_of(scanner_of(text, true));

    return pattern_matches("DROP SCHEMA", &head) &&
           session_statement_mentions(text, execution->ledger->schema);
}

/* The first of those that can still be edited if there is one, else the first. */
static struct mention find_mention(const struct execution *execution, size_t done)
{
    struct script_reader reader = execution_reader(execution);
    struct mention mention = { .is_done = true };
    struct statement statement;
    struct error ignored;

    for (size_t i = 0; mention.is_done && script_next(&reader, &statement, &ignored) == SCRIPT_STATEMENT;
         i++) {
        struct slice text = execution_text(execution, &statement);
        bool is_dropping = drops_schema(execution, text);

        if (!is_dropping && !session_statement_mentions(text, execution->ledger->dialect->ledger_name))
            continue;
        if (mention.line == 0 || i >= done)
            mention = (struct mention) { i, statement.line, i < done, is_dropping };
    }
    return mention;
}

void ledger_mention_tell(struct execution *execution, struct error *err)
{
    size_t done = err->class == ERROR_CLEAN ? 0 : execution->course.done;
    struct mention mention;
    const char *what;

    if (strstr(err->message, LEDGER_CHANGED) == NULL)
        return;
    mention = find_mention(execution, done);
    if (mention.line == 0)
        return;
    execution->failed_statement = mention.number;
    what = mention.drops_schema ? "drops the schema of the ledger" : "names the ledger's table";
    if (mention.is_done)
        error_detail(err, "The script itself %s, in line %zu: it may have done that.", what, mention.line);
    else
        error_hint(err,
                   "The script itself %s, in line %zu: take that out of %s, and %s again. To see what the "
                   "ledger holds now: tidelock status",
                   what, mention.line, execution->migration->script_path,
                   execution->migration->is_inverse ? "roll back" : "deploy");
}
