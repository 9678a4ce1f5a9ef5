#include "help.h"

#include <stddef.h>
#include <string.h>

#include "base/names.h"
#include "config/secret.h"
#include "config/value.h"
#include "dialect/dialect.h"
#include "exits.h"
#include "facts.h"
#include "print.h"
#include "sql/directive.h"
#include "wrap.h"

enum { HELP_MOST = 64 * 1024, FACT_MOST = 4096, NAMES_MOST = OPTIONS_MOST + 64 };

/* Topics that are neither commands nor options. */
static const char DIRECTIVES_TOPIC[] = "directives";
static const char EXITS_TOPIC[] = "exit-codes";

const char PURPOSE[] = "tidelock brings a PostgreSQL database to the schema level that an image needs.";

/* A line that explains a word; the explanation begins after `column`. */
static void add_entry(const char *word, const char *meaning, size_t column, struct text *out)
{
    text_add_format(out, "  %-*s", (int)column - 2, word);
    wrap(out, meaning, column, column);
}

void help_all(struct text *out)
{
    text_add_format(out, "%s\n\nUsage: tidelock COMMAND [OPTION]...\n\nCommands:\n", PURPOSE);
    for (size_t i = 0; COMMANDS[i] != NULL; i++)
        add_entry(COMMANDS[i]->name, COMMANDS[i]->summary, 14, out);
    text_add_string(out, "\nMore help:\n");
    add_entry("tidelock help COMMAND", "its options, an example, its exit codes", 28, out);
    add_entry("tidelock help OPTION", "everything about an option, such as lock-timeout", 28, out);
    add_entry("tidelock help directives", "what a script can ask for, in its comments", 28, out);
    add_entry("tidelock help exit-codes", "what each of them means, and whether a retry helps", 28, out);
    add_entry("tidelock manual", "the whole manual, as a man page", 28, out);
    text_add_string(out,
                    "\n\"tidelock migrate deploy|status|resolve\" is accepted for \"prisma migrate ...\".\n");
}

/* ---- a command ---- */

/* The foreign name if there is one: it is the one that people know. */
static void add_variable(const struct option *option, struct text *out)
{
    char variable[OPTION_NAME_MOST];

    option_variable(option, variable);
    text_add_string(out, option->environment != NULL ? option->environment : variable);
    if (option->file_field != 0)
        text_add_format(out, ", %s_FILE", option->environment != NULL ? option->environment : variable);
}

static void add_option(const struct option *option, struct text *out)
{
    auto_text struct text about = text_init(FACT_MOST);

    text_add_string(out, "  ");
    option_add_usage(option, out);
    text_add_string(out, "\n      ");
    text_add_string(&about, option->help);
    if (option->choice_count > 0) {
        text_add_string(&about, ": ");
        option_add_choices(option, ", ", &about);
    }
    if (option->standard != NULL)
        text_add_format(&about, " (default %s)", option->standard);
    if ((option->traits & OPTION_FLAG_ONLY) == 0) {
        text_add_string(&about, " [");
        add_variable(option, &about);
        text_add_string(&about, "]");
    }
    wrap(out, about.at, 6, 6);
}

/* The command's usual options or, when `is_usual` is false, the other ones of one group; nothing if there are
 * none. */
static void add_options(unsigned command, bool is_usual, enum option_group group, struct text *out)
{
    bool has_title = false;

    for (const struct option *option = OPTIONS; option->name != NULL; option++) {
        bool is_listed = is_usual || option->group == group;

        if ((option->commands & command) == 0 || ((option->traits & OPTION_USUAL) != 0) != is_usual ||
            !is_listed)
            continue;
        if (!has_title)
            text_add_format(out, "\n%s:\n", is_usual ? "Common options" : OPTION_GROUP_NAMES[group]);
        has_title = true;
        add_option(option, out);
    }
}

static void add_exits(unsigned command, struct text *out)
{
    text_add_string(out, "Exit codes:\n");
    for (const struct exit_row *row = EXITS; row->meaning != NULL; row++) {
        auto_text struct text code = text_init(16);
        auto_text struct text meaning = text_init(FACT_MOST);

        if ((row->commands & command) == 0)
            continue;
        exit_add_code(row, &code);
        text_add_format(&meaning, "%s%s", row->meaning, row->is_retry_useful ? " (retry helps)" : "");
        add_entry(code.at, meaning.at, 9, out);
    }
}

static void add_usage(const struct command *command, const char *options, struct text *out)
{
    bool is_last = command->words != WORDS_NONE; /* the words would end the options */
    auto_text struct text usage = text_init(FACT_MOST);

    text_add_format(&usage, "Usage: tidelock %s%s%s%s%s", command->name, is_last ? options : "",
                    command->usage[0] == '\0' ? "" : " ", command->usage, is_last ? "" : options);
    wrap(out, usage.at, 0, 7);
    text_add_string(out, "\n");
}

void help_command(const struct command *command, struct text *out)
{
    bool has_options = (command->options & FOR_ALL) != 0;

    add_usage(command, has_options ? " [OPTION]..." : "", out);
    wrap(out, command->about, 0, 0);
    text_add_format(out, "\nExample:\n  %s\n", command->example);
    add_options(command->options, true, GROUP_COMMAND, out);
    for (int group = 0; group < OPTION_GROUPS; group++)
        add_options(command->options, false, (enum option_group)group, out);
    text_add_string(out, "\n");
    add_exits(command->options, out);
    if (has_options)
        text_add_string(out, "\nEverything about an option: tidelock help OPTION\n");
}

/* ---- an option ---- */

void help_option(const struct option *option, struct text *out)
{
    auto_text struct text words = text_init(FACT_MOST);

    option_add_usage(option, out);
    if (option_is_flag(option) && (option->traits & OPTION_FLAG_ONLY) == 0)
        text_add_format(out, ", --no-%s", option->name);
    text_add_string(out, "\n\n");
    option_add_text(option, &words);
    if (option->type == OPTION_DURATION)
        text_add_format(&words, " %s is %s.", option->value, DURATION_FORM);
    wrap(out, words.at, 0, 0);
    text_add_string(out, "\n");
    for (const struct fact *fact = FACTS; fact->label != NULL; fact++) {
        text_reset(&words);
        fact->add(option, &words);
        if (words.length > 0)
            add_entry(fact->label, words.at, 17, out);
    }
}

/* Whether it is one of the option's variables, which are a comma-separated list. */
static bool is_variable(const struct option *option, const char *word)
{
    auto_text struct text list = text_init(FACT_MOST);
    auto_text struct text item = text_init(FACT_MOST);

    text_add_string(&list, ", ");
    option_add_variables(option, &list);
    text_add_string(&list, ", ");
    text_add_format(&item, ", %s, ", word);
    return word[0] != '\0' && strstr(list.at, item.at) != NULL;
}

/* By its name, its flag, its key or its variable. */
static const struct option *find_option(const char *word)
{
    const char *name = strncmp(word, "--", 2) == 0 ? word + 2 : word;

    for (const struct option *option = OPTIONS; option->name != NULL; option++) {
        char key[OPTION_NAME_MOST];

        option_key(option, key);
        if (strcmp(option->name, name) == 0 || strcmp(key, name) == 0 || is_variable(option, word))
            return option;
    }
    return NULL;
}

/* ---- directives ---- */

static void help_directive(const struct directive *directive, struct text *out)
{
    text_add_format(out, "-- tidelock: %s\n      ", directive->usage);
    wrap(out, directive->meaning, 6, 6);
}

void help_directives(struct text *out)
{
    wrap(out, DIRECTIVES_ABOUT, 0, 0);
    for (const struct directive *row = DIRECTIVES; row->name != NULL; row++) {
        text_add_string(out, "\n");
        help_directive(row, out);
    }
}

static const struct directive *find_directive(const char *word)
{
    for (const struct directive *row = DIRECTIVES; row->name != NULL; row++) {
        if (strcmp(row->name, word) == 0)
            return row;
    }
    return NULL;
}

/* ---- a tool ---- */

/* Whose folders --format names, or NULL. */
static const struct dialect *find_tool(const char *word)
{
    for (size_t i = 0; DIALECTS[i] != NULL; i++) {
        if (strcmp(FORMAT_NAMES[DIALECTS[i]->format], word) == 0)
            return DIALECTS[i];
    }
    return NULL;
}

void help_tool(const struct dialect *dialect, struct text *out)
{
    auto_text struct text words = text_init(FACT_MOST);

    text_add_format(
        &words,
        "A folder of %s is applied with the ledger and the locks of %s. Its files tell whose it is; "
        "to say it: --format %s.",
        dialect->tool, dialect->tool, FORMAT_NAMES[dialect->format]);
    wrap(out, words.at, 0, 0);
    text_add_string(out, "\nTo apply it:\n  tidelock deploy --migrations DIR\n\nMore:\n");
    add_entry("tidelock help format", "how the tool is recognised", 26, out);
    text_reset(&words);
    text_add_format(&words, "\"From %s\": what its commands and settings are called here", dialect->tool);
    add_entry("cmd/tidelock/README.md", words.at, 26, out);
}

/* ---- what is asked for ---- */

static bool refuse_topic(const char *word, struct error *err)
{
    const char *names[NAMES_MOST];
    const char *nearest;
    size_t count = 0;

    if (!secret_check_word(word, err))
        return false;
    for (size_t i = 0; COMMANDS[i] != NULL; i++)
        names[count++] = COMMANDS[i]->name;
    for (const struct option *option = OPTIONS; option->name != NULL; option++)
        names[count++] = option->name;
    names[count++] = DIRECTIVES_TOPIC;
    names[count++] = EXITS_TOPIC;
    for (const struct directive *directive = DIRECTIVES; directive->name != NULL; directive++)
        names[count++] = directive->name;
    for (size_t i = FORMAT_AUTO + 1; i < FORMATS; i++)
        names[count++] = FORMAT_NAMES[i];
    nearest = names_nearest(names, count, strncmp(word, "--", 2) == 0 ? word + 2 : word);
    error_set(err, ERROR_USAGE, "unknown command or option \"%s\"", word);
    if (nearest != NULL)
        return error_hint(err, "Did you mean: tidelock help %s", nearest);
    return error_hint(err, "To see all commands: tidelock help");
}

void help_show_command(const struct command *command)
{
    auto_text struct text out = text_init(HELP_MOST);

    help_command(command, &out);
    print_text(out.at);
}

bool help_show(int count, char **words, struct error *err)
{
    auto_text struct text out = text_init(HELP_MOST);

    if (count == 0)
        help_all(&out);
    for (int i = 0; i < count; i++) {
        const struct command *command = command_find(words[i]);
        const struct option *option = command == NULL ? find_option(words[i]) : NULL;
        const struct dialect *tool = find_tool(words[i]);
        const struct directive *directive = find_directive(words[i]);

        if (i > 0)
            text_add_string(&out, "\n");
        if (command != NULL)
            help_command(command, &out);
        else if (option != NULL)
            help_option(option, &out);
        else if (strcmp(words[i], EXITS_TOPIC) == 0)
            add_exits(~0u, &out);
        else if (strcmp(words[i], DIRECTIVES_TOPIC) == 0)
            help_directives(&out);
        else if (tool != NULL)
            help_tool(tool, &out);
        else if (directive != NULL)
            help_directive(directive, &out);
        else
            return refuse_topic(words[i], err);
    }
    print_text(out.at);
    return true;
}

/* Without .run: main handles it before any configuration is read, since help may be needed with just that. */
const struct command COMMAND_HELP = {
    .name = "help",
    .usage = "[COMMAND | OPTION | TOOL | directives | exit-codes]...",
    .summary = "explain a command, an option or the directives",
    .about =
        "Without an argument, lists the commands. An option can be spelled in any of its forms: "
        "lock-timeout, --lock-timeout, lock_timeout or TIDELOCK_LOCK_TIMEOUT. \"directives\" tells what a script "
        "can ask for in its comments, and the name of one, such as floor, what that is; a tool of --format, such as goose, where its users find more.",
    .example = "tidelock help lock-timeout",
    .options = FOR_HELP,
    .words = WORDS_TOPIC,
};
