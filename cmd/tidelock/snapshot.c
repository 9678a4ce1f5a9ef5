#include "command.h"
#include "config/options.h"
#include "deploy/target.h"
#include "postgres/query_failure.h"
#include "print.h"
#include "schema/diff.h"

static bool snapshot_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    auto_text struct text out = text_init(SIZE_MAX);
    struct facts facts;

    (void)exit_code;
    if (!target_read_facts(arena, config, &facts, err))
        return query_failure_explain(err, "Nothing was changed.");
    facts_ignore(&facts, config->ignored_facts);
    facts_write(&facts, &out);
    print_text(out.at);
    return true;
}

const struct command COMMAND_SNAPSHOT = {
    .name = "snapshot",
    .usage = "[--ignore PATTERNS]",
    .summary = "write down what the schema is, as text that can be compared and kept in git",
    .about =
        "Prints every table, column, constraint, index, function, grant and so on of the database in a fixed order "
        "and form, whatever made it. Two databases with the same schema give the same text. Objects of "
        "extensions, the ledger, and whatever may be a secret are left out. Changes nothing.",
    .example = "tidelock snapshot --ignore grant,owner",
    .options = FOR_SNAPSHOT,
    .run = snapshot_run,
};
