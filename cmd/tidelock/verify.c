#include "base/clock.h"
#include "command.h"
#include "config/options.h"
#include "deploy/drift.h"
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

enum { LINE_MOST = 1024 };

/* What its inverse has left, or taken with it: no failure, since not all can be undone. */
static void print_tried(const struct migration *migration, const struct facts *before,
                        const struct facts *after)
{
    auto_arena struct arena *arena = arena_new();
    struct diff diff;

    diff_facts(arena, before, after, &diff);
    print_line_of(migration->name, "tried %s%s", migration->name,
                  diff.count == 0 ? "" : ": its inverse does not undo all of it");
    for (size_t i = 0; i < diff.count && i < DRIFT_SHOWN_MOST; i++) {
        auto_text struct text line = text_init(LINE_MOST);

        drift_add_line(&diff.items[i], &line);
        print_line_of(migration->name, "  %s", line.at);
    }
}

static bool verify_inverses(struct arena *arena, const struct config *config, int *exit_code,
                            struct error *err)
{
    struct inverses_finding found;
    struct side once = { .name = "once", .is_replayed = true };
    struct side twice = { .name = "after its inverse, again", .is_replayed = true };

    if (!side_try_inverses(config, print_tried, &found, err))
        return query_failure_explain(err, "Nothing was changed.");
    if (found.name != NULL) {
        *exit_code = EXIT_NO;
        print_line_of(found.name,
                      "%s makes another schema when it is applied again after its inverse:", found.name);
        once.facts = found.once;
        twice.facts = found.twice;
        (void)sides_print(arena, config, &once, &twice);
        return true;
    }
    print_line("applied, undone and applied again, %zu migration%s make the same schema%s", found.tried,
               text_plural(found.tried), found.without == 0 ? "" : "; the others have no inverse");
    return true;
}

static bool verify_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    struct side made = { .name = "migrations", .is_replayed = true };
    struct side other;

    if (!sides_check_format(config, err))
        return false;
    if (config->tries_inverses)
        return verify_inverses(arena, config, exit_code, err);
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
    .usage = "--shadow URL [--against SCHEMA] [--ignore PATTERNS] [--inverses]",
    .summary = "replay the folder from empty, and compare what it makes",
    .about =
        "Applies every migration of the folder to the shadow, an empty database, in order, and says how long "
        "each takes. With --against, says what is different in another schema, and exits with 1 if "
        "something is. With --inverses, each migration that has an inverse is applied, undone and applied "
        "again, which has to make the same schema. The shadow is empty again at the end, and no other database is changed.",
    .example = "tidelock verify --shadow create --against database",
    .options = FOR_VERIFY,
    .run = verify_run,
};
