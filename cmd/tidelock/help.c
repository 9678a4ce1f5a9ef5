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
    text_add_format(out, "Usage: tidelock %s%s%s [OPTION]...\n\n%s\n", command->name,
                    command->usage[0] == '\0' ? "" : " ", command->usage, command->about);
    if (command->options == FOR_NONE)
        return;
    text_add_string(out, "\nOptions:\n");
    options_help(command->options, out);
}
