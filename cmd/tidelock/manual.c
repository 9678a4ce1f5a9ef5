#include "manual.h"

#include <string.h>

#include "command.h"
#include "config/options.h"
#include "config/value.h"
#include "exits.h"
#include "facts.h"
#include "help.h"
#include "print.h"
#include "sql/directive.h"
#include "surroundings.h"
#include "tables.h"
#include "version.h"
#include "wrap.h"

enum { PAGE_MOST = 256 * 1024, PARAGRAPH_MOST = 8192 };

/* Escaped for roff, which may turn a bare "-" into a hyphen that no shell accepts as a minus. */
static void add_escaped(struct text *out, const char *words, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (words[i] == '-')
            text_add_string(out, "\\-");
        else if (words[i] == '\\')
            text_add_string(out, "\\e");
        else if (words[i] == '"')
            text_add_string(out, "\\(dq");
        else
            text_add(out, words + i, 1);
    }
}

/* Length of the sentence at `words`. */
static size_t sentence(const char *words)
{
    const char *end = strstr(words, ". ");

    return end == NULL ? strlen(words) : (size_t)(end + 1 - words);
}

/* Each sentence begins a line, so that the formatter knows where they end. */
static void add_text(struct text *out, const char *words)
{
    while (*words != '\0') {
        auto_text struct text escaped = text_init(PARAGRAPH_MOST);
        size_t length = sentence(words);

        add_escaped(&escaped, words, length);
        wrap(out, escaped.at, 0, 0);
        words += length + (words[length] == ' ' ? 1 : 0);
    }
}

/* ".MACRO words", the words as one argument. */
static void add_macro(struct text *out, const char *macro, const char *words)
{
    text_add_format(out, ".%s \"", macro);
    add_escaped(out, words, strlen(words));
    text_add_string(out, "\"\n");
}

static void add_commands(struct text *out)
{
    text_add_string(out, ".Sh COMMANDS\n.Bl -tag -width Ds\n");
    for (size_t i = 0; COMMANDS[i] != NULL; i++) {
        auto_text struct text usage = text_init(PARAGRAPH_MOST);

        text_add_format(&usage, "%s%s%s", COMMANDS[i]->name, COMMANDS[i]->usage[0] == '\0' ? "" : " ",
                        COMMANDS[i]->usage);
        add_macro(out, "It Ic", usage.at);
        add_text(out, COMMANDS[i]->about);
    }
    text_add_string(out, ".El\n");
}

static void add_option(struct text *out, const struct option *option)
{
    auto_text struct text words = text_init(PARAGRAPH_MOST);

    option_add_usage(option, &words);
    /* The macro adds the first "-". */
    add_macro(out, "It Fl", words.at + 1);
    text_reset(&words);
    option_add_text(option, &words);
    for (const struct fact *fact = FACTS; fact->label != NULL; fact++) {
        auto_text struct text said = text_init(PARAGRAPH_MOST);

        fact->add(option, &said);
        if (said.length > 0)
            text_add_format(&words, " %s: %s.", fact->label, said.at);
    }
    add_text(out, words.at);
}

static void add_options(struct text *out)
{
    text_add_string(out, ".Sh OPTIONS\n");
    for (int group = 0; group < OPTION_GROUPS; group++) {
        add_macro(out, "Ss", OPTION_GROUP_NAMES[group]);
        text_add_string(out, ".Bl -tag -width Ds\n");
        for (const struct option *option = OPTIONS; option->name != NULL; option++) {
            if ((int)option->group == group)
                add_option(out, option);
        }
        text_add_string(out, ".El\n");
    }
}

static void add_surroundings(struct text *out, const char *title, const char *macro,
                             const struct surrounding *surrounding)
{
    text_add_format(out, ".Sh %s\n.Bl -tag -width Ds\n", title);
    for (; surrounding->names != NULL; surrounding++) {
        add_macro(out, macro, surrounding->names);
        add_text(out, surrounding->meaning);
    }
    text_add_string(out, ".El\n");
}

static void add_directives(struct text *out)
{
    text_add_string(out, ".Sh DIRECTIVES\n");
    add_text(out, DIRECTIVES_ABOUT);
    text_add_string(out, ".Bl -tag -width Ds\n");
    for (const struct directive *row = DIRECTIVES; row->name != NULL; row++) {
        add_macro(out, "It Ic", row->usage);
        add_text(out, row->meaning);
    }
    text_add_string(out, ".El\n");
}

static void add_exits(struct text *out)
{
    text_add_string(out, ".Sh EXIT STATUS\n.Bl -tag -width 128+n\n");
    for (const struct exit_row *row = EXITS; row->meaning != NULL; row++) {
        auto_text struct text words = text_init(PARAGRAPH_MOST);

        text_add_string(out, ".It ");
        exit_add_code(row, out);
        text_add_format(&words, "%s%s", row->meaning, row->is_retry_useful ? " (retry helps)" : "");
        text_add_string(out, "\n");
        add_text(out, words.at);
    }
    text_add_string(out, ".El\n");
}

static void add_examples(struct text *out)
{
    text_add_string(out, ".Sh EXAMPLES\n");
    for (size_t i = 0; COMMANDS[i] != NULL; i++)
        add_macro(out, "Dl", COMMANDS[i]->example);
}

/* mdoc requires a date: that of the text in this file. */
static const char HEAD[] =
    ".Dd November 29, 2026\n"
    ".Dt TIDELOCK 1\n"
    ".Os\n"
    ".Sh NAME\n"
    ".Nm tidelock\n"
    ".Nd apply SQL migrations to PostgreSQL before a container starts\n"
    ".Sh SYNOPSIS\n"
    ".Nm\n"
    ".Ar command\n"
    ".Op Ar option ...\n"
    ".Sh DESCRIPTION\n";

static const char DESCRIPTION[] =
    "It applies a folder of SQL migrations, as Prisma, golang-migrate, goose, dbmate, Flyway, sqlx or Drizzle "
    "lays it out and with that tool's own ledger, one process at a time, and says after any failure what the "
    "database holds. An option can be set in three places: --lock-timeout on the "
    "command line, TIDELOCK_LOCK_TIMEOUT in the environment, lock_timeout in tidelock.yaml. The first "
    "of these that sets it wins. A variable that ends in _FILE names a file that holds the value, as "
    "mounted secrets do. Others can see the command line, so set secrets in the environment or in such a "
    "file. An empty variable counts as unset; an unknown option or key, or a value out of range, is an "
    "error. A TIME is";

/* Of the page alone: the document has all of it. */
static const char ELSEWHERE[] =
    "It is the reference. How to come from another tool, and how deployments, backfills, plans, rollbacks and "
    "alerts work, is in cmd/tidelock/README.md of the sources.";

void manual_description(struct text *out)
{
    text_add_format(out, "%s %s %s.", PURPOSE, DESCRIPTION, DURATION_FORM);
}

void manual_page(struct text *out)
{
    auto_text struct text description = text_init(PARAGRAPH_MOST);

    manual_description(&description);
    text_add_format(&description, " This is the manual of version %s. %s", version_build().version,
                    ELSEWHERE);
    text_add_string(out, HEAD);
    add_text(out, description.at);
    add_commands(out);
    add_options(out);
    add_directives(out);
    add_surroundings(out, "ENVIRONMENT", "It Ev", ENVIRONMENT);
    add_surroundings(out, "FILES", "It Pa", FILES);
    add_exits(out);
    add_examples(out);
}

static bool manual_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    auto_text struct text page = text_init(PAGE_MOST);

    (void)arena;
    (void)exit_code;
    (void)err;
    if (config->wants_json) {
        print_json(tables_json());
        return true;
    }
    manual_page(&page);
    print_text(page.at);
    return true;
}

const struct command COMMAND_MANUAL = {
    .name = "manual",
    .usage = "[--json]",
    .summary = "print the manual page",
    .about =
        "Prints the manual as a page for man(1); \"make install\" installs it. With --json, prints the "
        "tables that the page is made from: commands, options, directives, exit codes, variables and files.",
    .example = "tidelock manual | man -l -",
    .options = FOR_MANUAL,
    .run = manual_run,
};
