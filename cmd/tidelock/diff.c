#include "schema/diff.h"

#include <string.h>

#include "base/log.h"
#include "command.h"
#include "config/options.h"
#include "exits.h"
#include "postgres/query_failure.h"
#include "print.h"
#include "schema/script.h"
#include "sides.h"

static bool fail_without_script(const struct script_result *result, struct error *err)
{
    for (size_t i = 0; i < result->refusal_count; i++) {
        const struct script_refusal *refusal = &result->refusals[i];

        log_error("%s %s: %s", refusal->kind, refusal->name, refusal->reason);
    }
    error_set(err, ERROR_REFUSED, "no script can be made: %zu difference%s cannot be expressed",
              result->refusal_count, text_plural(result->refusal_count));
    return error_hint(err, "Leave them out with --ignore \"KIND NAME\", and write what they need by hand.");
}

/* An empty database is not without facts. */
static void fill(struct arena *arena, const struct config *config, struct side *side,
                 const struct side *other)
{
    if (side->facts.count > 0)
        return;
    script_initial(arena, &other->facts, &side->facts);
    facts_ignore(&side->facts, config->ignored_facts);
}

static bool print_script(struct arena *arena, const struct config *config, struct side *from, struct side *to,
                         struct error *err)
{
    struct script_request request = { .from = &from->facts,
                                      .to = &to->facts,
                                      .is_online = config->is_script_online };
    struct script_result result;

    if (config->ignored_facts != NULL)
        log_warn("what --ignore names is left out of the script: %s", config->ignored_facts);
    fill(arena, config, from, to);
    fill(arena, config, to, from);
    sides_prepare(from, to);
    request.are_grants_ignored =
        config->ignored_facts != NULL && strstr(config->ignored_facts, "grant") != NULL;
    script_write(arena, &request, &result);
    if (result.refusal_count > 0)
        fail_without_script(&result, err);
    for (size_t i = 0; result.refusal_count == 0 && i < result.warning_count; i++)
        log_warn("%s", result.warnings[i]);
    print_text(result.script.at);
    text_clear(&result.script);
    return result.refusal_count == 0;
}

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
    if (config->wants_script && (config->wants_json || config->plan_format != PLAN_FORMAT_TEXT))
        return error_set(err, ERROR_USAGE, "--script writes SQL, not JSON or markdown");
    if (config->is_script_online && !config->wants_script)
        return error_set(err, ERROR_USAGE, "--online is for --script");
    if (!side_read(arena, config, config->words[0], &from, err) ||
        !side_read(arena, config, config->words[1], &to, err))
        return query_failure_explain(err, "Nothing was changed.");
    if (!sides_check_schemas(&from, &to, err))
        return false;
    if (config->wants_script)
        return print_script(arena, config, &from, &to, err);
    if (sides_print(arena, config, &from, &to) > 0 && config->wants_exit_code)
        *exit_code = EXIT_NO;
    return true;
}

const struct command COMMAND_DIFF = {
    .name = "diff",
    .usage = "[--exit-code] [--json | --script [--online]] [--ignore PATTERNS] [--shadow URL] FROM TO",
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
