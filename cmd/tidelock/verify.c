#include "base/clock.h"
#include "command.h"
#include "config/options.h"
#include "exits.h"
#include "postgres/query_failure.h"
#include "print.h"
#include "sides.h"

static void print_replayed(const struct folder *folder, size_t index, int64_t ms)
{
    enum { DURATION_SIZE = 32 };
    char took[DURATION_SIZE];

    print_line_of(folder->items[index].name, "replayed %s (%s)", folder->items[index].name,
                  duration_text(ms, took, sizeof took));
}

static bool verify_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    struct side made = { .name = "migrations", .is_replayed = true };
    struct side other;

    if (!sides_check_format(config, err))
        return false;
    if (!side_replay(config, NULL, print_replayed, &made.facts, err) ||
        (config->against != NULL && !side_read(arena, config, config->against, &other, err)))
        return query_failure_explain(err, "Nothing was changed.");
    print_line("the history replays from an empty database");
    if (config->against == NULL)
        return true;
    facts_ignore(&made.facts, config->ignored_facts);
    if (sides_print(arena, config, &made, &other) > 0)
        *exit_code = EXIT_NO;
    return true;
}

const struct command COMMAND_VERIFY = {
    .name = "verify",
    .usage = "--shadow URL [--against SCHEMA] [--ignore PATTERNS]",
    .summary = "replay the folder from empty, and compare what it makes",
    .about =
        "Applies every migration of the folder to the shadow, an empty database, in order, and says how long "
        "each takes. With --against, says what is different in another schema, and exits with 1 if "
        "something is. The shadow is empty again at the end, and no other database is changed.",
    .example = "tidelock verify --shadow create --against database",
    .options = FOR_VERIFY,
    .run = verify_run,
};
