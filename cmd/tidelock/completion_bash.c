#include <stddef.h>

#include "completion.h"

/* bash ends a word at "=", so "--log-format=" is two words. `from` says where candidates come from. */
static const char HEAD[] =
    "# Completion of tidelock for bash, made by: tidelock completion bash\n"
    "_tidelock() {\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
    "    local from='' words='' options='' is_program='' first='' at\n"
    "    COMPREPLY=()\n"
    "    [[ $before != = ]] || before=${COMP_WORDS[COMP_CWORD-2]}\n"
    "    [[ $word != = ]] || word=''\n"
    "    if ((COMP_CWORD == 1)); then\n"
    "        from=words words='";

static const char AFTER_COMMANDS[] =
    " --help --version'\n"
    "    else\n"
    "        case ${COMP_WORDS[1]} in\n";

static const char AFTER_OPTIONS[] =
    "        esac\n"
    "        [[ $word != -* && $from ]] || from=words words=$options\n"
    "        case $before in\n";

static const char TAIL[] =
    "        esac\n"
    "        if [[ $is_program ]]; then\n"
    "            for ((at = 2; at < COMP_CWORD; at++)); do\n"
    "                [[ ${COMP_WORDS[at]} != -- ]] || { from=files; ((at + 1 < COMP_CWORD)) || from=programs; break; }\n"
    "            done\n"
    "        fi\n"
    "    fi\n"
    "    case $from in\n"
    "        words) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\") ;;\n"
    "        list)\n"
    "            compopt -o nospace\n"
    "            [[ $word != *,* ]] || first=${word%,*},\n"
    "            mapfile -t COMPREPLY < <(compgen -P \"$first\" -W \"$words\" -- \"${word##*,}\")\n"
    "            ;;\n"
    "        files) compopt -o filenames && mapfile -t COMPREPLY < <(compgen -f -- \"$word\") ;;\n"
    "        folders) compopt -o filenames && mapfile -t COMPREPLY < <(compgen -d -- \"$word\") ;;\n"
    "        programs) mapfile -t COMPREPLY < <(compgen -c -- \"$word\") ;;\n"
    "    esac\n"
    "}\n"
    "complete -F _tidelock tidelock\n";

static const char *const SOURCES[] = {
    [COMPLETING_NOTHING] = "nothing", [COMPLETING_CHOICE] = "words",   [COMPLETING_CHOICES] = "list",
    [COMPLETING_FILE] = "files",      [COMPLETING_FOLDER] = "folders",
};

static void add_command(const struct command *command, struct text *out)
{
    text_add_format(out, "            %s)\n                options='", command->name);
    for (const struct option *option = OPTIONS; option->name != NULL; option++) {
        if ((option->commands & command->options) != 0)
            text_add_format(out, "--%s ", option->name);
    }
    if (command->words == WORDS_PROGRAM)
        text_add_string(out, "-- ");
    text_add_string(out, "'\n");
    if (command->words == WORDS_PROGRAM)
        text_add_string(out, "                is_program=1\n");
    if (command->words == WORDS_FOLDER)
        text_add_string(out, "                from=folders\n");
    if (command->words == WORDS_SHELL || command->words == WORDS_TOPIC) {
        text_add_string(out, "                from=words words='");
        completion_add_words(command->words, out);
        text_add_string(out, "'\n");
    }
    if (command->words == WORDS_TOPIC)
        text_add_string(out, "                options=$words\n");
    text_add_string(out, "                ;;\n");
}

static void add_value(const struct option *option, struct text *out)
{
    text_add_format(out, "            --%s) from=%s", option->name, SOURCES[completing_of(option)]);
    if (option->choice_count > 0) {
        text_add_string(out, " words='");
        option_add_choices(option, " ", out);
        text_add_string(out, "'");
    }
    text_add_string(out, " ;;\n");
}

void completion_write_bash(struct text *out)
{
    text_add_string(out, HEAD);
    commands_add_names(~0u, " ", out);
    text_add_string(out, AFTER_COMMANDS);
    for (size_t i = 0; COMMANDS[i] != NULL; i++)
        add_command(COMMANDS[i], out);
    text_add_string(out, AFTER_OPTIONS);
    for (const struct option *option = OPTIONS; option->name != NULL; option++) {
        if (!option_is_flag(option))
            add_value(option, out);
    }
    text_add_string(out, TAIL);
}
