#include "command.h"
#include "config/options.h"
#include "exits.h"
#include "postgres/query_failure.h"
#include "sides.h"

static bool diff_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    struct side from;
    struct side to;

    if (config->word_count != 2) {
        error_set(err, ERROR_USAGE, "diff compares two schemas, not %d", config->word_count);
        return error_hint(err,
                          "Name them, each as a URL, \"database\" (the configured one), \"migrations\", "
                          "\"migrations@NAME\", a file that snapshot has written, or \"empty\".");
    }
    if (!sides_check_format(config, err))
        return false;
    if (!side_read(arena, config, config->words[0], &from, err) ||
        !side_read(arena, config, config->words[1], &to, err))
        return query_failure_explain(err, "Nothing was changed.");
    if (sides_print(arena, config, &from, &to) > 0 && config->wants_exit_code)
        *exit_code = EXIT_NO;
    return true;
}

const struct command COMMAND_DIFF = {
    .name = "diff",
    .usage = "[--exit-code] [--json] [--ignore PATTERNS] [--shadow URL] FROM TO",
    .summary = "say what is different between two schemas",
    .about =
        "FROM and TO are each a URL, \"database\" (the configured one), \"migrations\" (what the folder makes, "
        "replayed in the shadow), \"migrations@NAME\" (the same, up to that one), a file that snapshot has "
        "written, or \"empty\". A line that begins with + is only in TO, one with - only in FROM; what is in "
        "both and not the same is shown with both. Changes nothing.",
    .example = "tidelock diff --exit-code --shadow create migrations database",
    .options = FOR_DIFF,
    .words = WORDS_FOLDER,
    .run = diff_run,
};
