#include "help.h"

#include <stddef.h>

#include "config/options.h"
#include "exits.h"

static void add_exits(struct text *out)
{
    text_add_string(out, "\nExit codes:\n");
    for (const struct exit_row *row = EXITS; row->meaning != NULL; row++) {
        if (row->code == EXIT_SIGNAL)
            text_add_format(out, "  128+n  %s\n", row->meaning);
        else
            text_add_format(out, "  %-5d  %s%s\n", row->code, row->meaning,
                            row->is_retry_useful ? " (retry helps)" : "");
    }
}

void help_all(struct text *out)
{
    text_add_string(out,
                    "tidelock brings a PostgreSQL database to the schema level that an image needs.\n\n"
                    "Usage: tidelock COMMAND [OPTION]...\n\nCommands:\n");
    for (size_t i = 0; COMMANDS[i] != NULL; i++)
        text_add_format(out, "  %-10s %s\n", COMMANDS[i]->name, COMMANDS[i]->summary);
    text_add_string(out,
                    "  help       this text, or that of a command\n"
                    "\n\"tidelock migrate deploy|status|resolve\" is accepted for \"prisma migrate ...\".\n"
                    "The options of a command: tidelock help COMMAND\n");
    add_exits(out);
}

void help_command(const struct command *command, struct text *out)
{
    bool has_words = (command->options & TAKING_WORDS) != 0;
    const char *blank = command->usage[0] == '\0' ? "" : " ";

    text_add_format(out, "Usage: tidelock %s", command->name);
    if (has_words)
        text_add_format(out, " [OPTION]... %s", command->usage);
    else
        text_add_format(out, "%s%s [OPTION]...", blank, command->usage);
    text_add_format(out, "\n\n%s\n", command->about);
    text_add_string(out, "\nOptions:\n");
    options_help(command->options, out);
}
