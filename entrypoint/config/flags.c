#include "config/flags.h"

#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "base/log.h"
#include "base/names.h"
#include "config/options.h"
#include "config/secret.h"

static bool refuse_flag(const struct load *load, const char *name, struct error *err)
{
    const char *names[OPTIONS_MOST];
    const char *nearest;
    size_t count = 0;

    if (!secret_check_word(name, err))
        return false;
    if (option_named(name) != NULL) {
        error_set(err, ERROR_USAGE, "this command has no option --%s", name);
        return error_hint(err, "To see its options, add --help.");
    }
    for (const struct option *option = OPTIONS; option->name != NULL; option++) {
        if ((option->commands & load->command) != 0)
            names[count++] = option->name;
    }
    nearest = names_nearest(names, count, name);
    error_set(err, ERROR_USAGE, "unknown option --%s", name);
    if (nearest != NULL)
        return error_hint(err, "Did you mean --%s?", nearest);
    return error_hint(err, "To see the options of this command, add --help.");
}

static const struct option *find_flag(const struct load *load, const char *name, bool *is_negated)
{
    const struct option *option = option_named(name);

    *is_negated = option == NULL && strncmp(name, "no-", 3) == 0;
    if (*is_negated)
        option = option_named(name + 3);
    if (option == NULL || (option->commands & load->command) == 0 || (*is_negated && !option_is_flag(option)))
        return NULL;
    return option;
}

/* The option that a value is for. */
static const struct option *meant_by(const struct load *load, const struct option *option, const char *value)
{
    const struct option *other = option->also == NULL || value == NULL ? NULL : option_named(option->also);

    if (other == NULL || (other->commands & load->command) == 0 ||
        names_find(other->choices, other->choice_count, slice_of(value)) < 0)
        return option;
    return other;
}

static bool take_flag_value(struct load *load, const struct option *option, char *value, const char *origin,
                            struct error *err)
{
    bool is_secret;
    bool is_taken;

    if (value[0] == '\0') {
        error_set(err, ERROR_USAGE, "%s has an empty value", origin);
        return error_hint(err, "Give it a value, or remove it.");
    }
    is_secret = option_is_secret(option, value);
    is_taken = load_take(load, option, value, origin, err);
    if (is_secret) {
        memory_wipe(value, strlen(value));
        log_warn("others can see %s on the command line (ps): use the environment or a file", origin);
    }
    return is_taken;
}

/* Short for one or the other. */
static const struct {
    const char *letter;
    const char *word;
    unsigned command; /* only there, or 0 */
} LETTERS[] = { { "-h", "--help", 0 },
                { "-q", "--quiet", 0 },
                { "-v", "--verbose", FOR_PLAN },
                { "-v", "--log-level=debug", 0 } };

/* The word itself, or what it is short for. */
static const char *whole_word(const char *word, unsigned command)
{
    for (size_t i = 0; i < array_length(LETTERS); i++) {
        bool is_for = LETTERS[i].command == 0 || LETTERS[i].command == command;

        if (is_for && strcmp(word, LETTERS[i].letter) == 0)
            return LETTERS[i].word;
    }
    return word;
}

int config_options_before(int count, char *const *words)
{
    int i = 0;

    for (; i < count && words[i][0] == '-' && strcmp(words[i], "--") != 0; i++) {
        const char *word = whole_word(words[i], 0);
        const struct option *option = strncmp(word, "--", 2) == 0 ? option_named(word + 2) : NULL;

        i += option != NULL && option->type != OPTION_FLAG;
    }
    return i < count ? i : count;
}

/* What may be a flag's value; NULL = there is none. */
static const char *value_behind(const char *equals, int count, char **words, int at)
{
    if (equals != NULL)
        return equals + 1;
    return at + 1 < count ? words[at + 1] : NULL;
}

/* One flag; *at moves past its value if that is a separate word. */
static bool take_flag(struct load *load, int count, char **words, int *at, struct error *err)
{
    char letter[OPTION_NAME_MOST];
    char *word = words[*at];
    char *equals;
    char name[OPTION_NAME_MOST];
    char origin[OPTION_NAME_MOST + 2];
    const struct option *option;
    bool is_negated;

    if (whole_word(word, load->command) != word) {
        text_copy_cut(letter, sizeof letter, whole_word(word, load->command));
        word = letter;
    }
    equals = strchr(word, '=');
    (void)snprintf(name, sizeof name, "%.*s",
                   (int)(equals == NULL ? strlen(word + 2) : (size_t)(equals - word - 2)), word + 2);
    (void)snprintf(origin, sizeof origin, "--%s", name);
    if (strcmp(name, "preview-feature") == 0) {
        log_warn("--preview-feature is ignored: Prisma needs it no longer, either");
        return true;
    }
    option = find_flag(load, name, &is_negated);
    if (option == NULL)
        return refuse_flag(load, name, err);
    option = meant_by(load, option, value_behind(equals, count, words, *at));
    load->names = option->type == OPTION_NAMES ? option : NULL;
    if (load_is_said(load, option) && load->names == NULL) {
        error_set(err, ERROR_USAGE, "%s is given twice", origin);
        return error_hint(err, "Remove one of them.");
    }
    if (equals != NULL && is_negated) {
        error_set(err, ERROR_USAGE, "%s takes no value", origin);
        return error_hint(err, "Write %s, or --%s.", origin, option->name);
    }
    if (equals != NULL)
        return take_flag_value(load, option, equals + 1, origin, err);
    if (option_is_flag(option))
        return load_take(load, option, is_negated ? "false" : "true", origin, err);
    if (++*at >= count) {
        error_set(err, ERROR_USAGE, "%s needs a value: %s", origin, option->value);
        return error_hint(err, "Write %s %s.", origin, option->value);
    }
    return take_flag_value(load, option, words[*at], origin, err);
}

/* One more for the flag before. */
static bool take_name(struct load *load, char *name, struct error *err)
{
    char origin[OPTION_NAME_MOST + 2];

    (void)snprintf(origin, sizeof origin, "--%s", load->names->name);
    return take_flag_value(load, load->names, name, origin, err);
}

static bool refuse_word(const char *word, struct error *err)
{
    if (!secret_check_word(word, err))
        return false;
    error_set(err, ERROR_USAGE, "unexpected argument \"%s\"", word);
    return error_hint(err, "Options begin with \"--\"; to see them, add --help.");
}

/* Whether the options go on with this word. */
static bool is_of_options(const struct load *load, const char *word)
{
    return strcmp(word, "--") != 0 && (word[0] == '-' || load->names != NULL);
}

/* A flag, or one more name for the flag before. */
static bool take_word(struct load *load, int count, char **words, int *at, struct error *err)
{
    if (words[*at][0] != '-')
        return take_name(load, words[*at], err);
    if (strncmp(whole_word(words[*at], load->command), "--", 2) != 0)
        return refuse_word(words[*at], err);
    return take_flag(load, count, words, at, err);
}

static bool has_password(const char *url)
{
    const char *login = strstr(url, "://") + 3;
    size_t length = strcspn(login, "@/?");

    return (login[length] == '@' && memchr(login, ':', length) != NULL) || strstr(login, "password=") != NULL;
}

/* A word of diff may be a URL: others must not see the password in it. CMD's words stay as they are. */
static void hide_url(const struct load *load, char **word)
{
    const char *password = strstr(*word, "password=");
    char *kept;

    if (password != NULL)
        redact_register(password + strlen("password="), strcspn(password + strlen("password="), " &"));
    if (strstr(*word, "://") == NULL)
        return;
    secret_register_url(load->arena, *word);
    if (load->command != FOR_DIFF)
        return;
    kept = arena_copy(load->arena, *word, strlen(*word));
    if (has_password(kept)) {
        memory_wipe(*word, strlen(*word));
        log_warn(
            "others can see the URLs on the command line (ps): use DATABASE_URL and \"database\", or a file that snapshot has written");
    }
    *word = kept;
}

/* Those of CMD are its own business. */
static bool may_follow_words(const struct load *load)
{
    return (load->command & TAKING_WORDS & ~(unsigned)FOR_RUN) != 0;
}

bool flags_load(struct load *load, int count, char **words, struct error *err)
{
    char **kept = arena_alloc(load->arena, (size_t)count + 1, sizeof *kept);
    int kept_count = 0;
    int i = 0;

    for (; i < count && (is_of_options(load, words[i]) || may_follow_words(load)); i++) {
        if (strcmp(words[i], "--") == 0)
            break;
        if (!is_of_options(load, words[i]))
            kept[kept_count++] = words[i];
        else if (!take_word(load, count, words, &i, err))
            return false;
    }
    if (i < count && strcmp(words[i], "--") == 0)
        i++;
    if (i < count && (load->command & TAKING_WORDS) == 0)
        return refuse_word(words[i], err);
    while (i < count)
        kept[kept_count++] = words[i++];
    kept[kept_count] = NULL;
    for (int word = 0; word < kept_count; word++)
        hide_url(load, &kept[word]);
    load->config->words = kept;
    load->config->word_count = kept_count;
    return true;
}

void flags_choose_log_format(const struct command_line *line)
{
    const char *wanted = env_find(line->environment, "TIDELOCK_LOG_FORMAT");

    for (int i = 0; i < line->count && strcmp(line->words[i], "--") != 0; i++) {
        if (strncmp(line->words[i], "--log-format=", 13) == 0)
            wanted = line->words[i] + 13;
        else if (strcmp(line->words[i], "--log-format") == 0 && i + 1 < line->count)
            wanted = line->words[i + 1];
    }
    for (int format = 0; wanted != NULL && format < LOG_FORMATS; format++) {
        if (strcmp(wanted, LOG_FORMAT_NAMES[format]) == 0)
            log_configure(LOG_INFO, (enum log_format)format);
    }
}
