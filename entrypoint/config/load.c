#include "config/load.h"

#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "base/file.h"
#include "base/log.h"
#include "base/names.h"
#include "config/env_file.h"
#include "config/options.h"
#include "config/secret.h"
#include "config/value.h"
#include "config/variable.h"
#include "config/yaml.h"

enum { FILE_MOST = 1024 * 1024, ORIGIN_MOST = 512 };

static const char STANDARD_FILE[] = "tidelock.yaml";

struct load {
    struct arena *arena;
    unsigned command;
    char *const *environment;
    struct env_file env_file; /* what of the environment comes from a file */
    struct config *config;
    const struct option *names; /* the flag before, if further words are names for it */
    bool is_said[OPTIONS_MOST]; /* set by a source of higher precedence: a flag hides the environment */
};

static size_t index_of(const struct option *option)
{
    return (size_t)(option - OPTIONS);
}

static void register_secret(struct load *load, const struct option *option, const char *text)
{
    if ((option->traits & OPTION_URL) != 0 || (option->type != OPTION_ADDRESS && strstr(text, "://") != NULL))
        secret_register_url(load->arena, text);
    else if (option->type == OPTION_ADDRESS && (option->traits & OPTION_SECRET) != 0)
        secret_register_web_address(load->arena, text);
    else if (option->type == OPTION_ADDRESS)
        secret_register_password(load->arena, text);
    else if ((option->traits & OPTION_SECRET) != 0)
        redact_register(text, strlen(text));
}

static bool take(struct load *load, const struct option *option, const char *text, const char *origin,
                 struct error *err)
{
    register_secret(load, option, text);
    if (load->is_said[index_of(option)] && option->type != OPTION_NAMES)
        return true;
    load->is_said[index_of(option)] = true;
    return value_set(option, text, origin, load->config, err);
}

/* ---- flags ---- */

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

static bool take_flag_value(struct load *load, const struct option *option, char *value, const char *origin,
                            struct error *err)
{
    bool is_taken;

    if (value[0] == '\0') {
        error_set(err, ERROR_USAGE, "%s has an empty value", origin);
        return error_hint(err, "Give it a value, or remove it.");
    }
    is_taken = take(load, option, value, origin, err);
    if ((option->traits & OPTION_SECRET) != 0) {
        memory_wipe(value, strlen(value));
        log_warn("others can see %s on the command line (ps): use the environment or a file", origin);
    }
    return is_taken;
}

/* Short for one or the other. */
static const struct {
    const char *letter;
    const char *word;
} LETTERS[] = { { "-h", "--help" }, { "-q", "--quiet" }, { "-v", "--log-level=debug" } };

/* The word itself, or what it is short for. */
static const char *whole_word(const char *word)
{
    for (size_t i = 0; i < array_length(LETTERS); i++) {
        if (strcmp(word, LETTERS[i].letter) == 0)
            return LETTERS[i].word;
    }
    return word;
}

int config_options_before(int count, char *const *words)
{
    int i = 0;

    for (; i < count && words[i][0] == '-' && strcmp(words[i], "--") != 0; i++) {
        const char *word = whole_word(words[i]);
        const struct option *option = strncmp(word, "--", 2) == 0 ? option_named(word + 2) : NULL;

        i += option != NULL && option->type != OPTION_FLAG;
    }
    return i < count ? i : count;
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

    if (whole_word(word) != word) {
        text_copy_cut(letter, sizeof letter, whole_word(word));
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
    load->names = option->type == OPTION_NAMES ? option : NULL;
    if (load->is_said[index_of(option)] && load->names == NULL) {
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
        return take(load, option, is_negated ? "false" : "true", origin, err);
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
    if (strncmp(whole_word(words[*at]), "--", 2) != 0)
        return refuse_word(words[*at], err);
    return take_flag(load, count, words, at, err);
}

static bool load_flags(struct load *load, int count, char **words, struct error *err)
{
    int i = 0;

    for (; i < count && is_of_options(load, words[i]); i++) {
        if (!take_word(load, count, words, &i, err))
            return false;
    }
    if (i < count && strcmp(words[i], "--") == 0)
        i++;
    if (i < count && (load->command & TAKING_WORDS) == 0)
        return refuse_word(words[i], err);
    if (i < count && strstr(words[i], "://") != NULL)
        secret_register_url(load->arena, words[i]);
    load->config->words = words + i;
    load->config->word_count = count - i;
    return true;
}

/* ---- environment ---- */

static bool load_secret_file(struct load *load, const struct option *option, const char *name,
                             const char *path, struct error *err)
{
    auto_text struct text secret = text_init(SECRET_BYTES_MOST);

    if (strstr(path, "://") != NULL)
        secret_register_url(load->arena, path);
    if (!secret_read(name, path, &secret, err) || !take(load, option, secret.at, name, err))
        return false;
    memcpy((char *)load->config + option->file_field, &path, sizeof path);
    return true;
}

/* One spelling of an option in the environment: the variable itself or its _FILE form, if it has one; not
 * both. */
static bool take_variable(struct load *load, const struct option *option, const char *name, struct error *err)
{
    char file_name[OPTION_NAME_MOST + 8];
    const char *value = env_find(load->environment, name);
    const char *path = NULL;

    (void)snprintf(file_name, sizeof file_name, "%s_FILE", name);
    if (option->file_field != 0)
        path = env_find(load->environment, file_name);
    if (value != NULL && path != NULL) {
        error_set(err, ERROR_USAGE, "both %s and %s are set", name, file_name);
        return error_hint(err, "Unset one of them.");
    }
    if (value != NULL)
        return take(load, option, value, name, err);
    return path == NULL || load->is_said[index_of(option)] ||
           load_secret_file(load, option, file_name, path, err);
}

static bool load_variable(struct load *load, const struct option *option, const char *name, struct error *err)
{
    size_t line = env_file_line(&load->env_file, name);

    if (take_variable(load, option, name, err))
        return true;
    if (line != 0)
        error_context(err, "reading %s:%zu", load->env_file.path, line);
    return false;
}

static bool load_env_file(struct load *load, struct error *err)
{
    struct config *config = load->config;

    if (config->env_file == NULL)
        return true;
    if (!env_file_read(load->arena, config->env_file, load->environment, &load->env_file, err))
        return false;
    config->environment = load->env_file.environment;
    load->environment = load->env_file.environment;
    return true;
}

static bool load_environment(struct load *load, struct error *err)
{
    char name[OPTION_NAME_MOST];

    if (!load_env_file(load, err))
        return false;
    secret_register_proxies(load->arena, load->environment);
    for (const struct option *option = OPTIONS; option->name != NULL; option++) {
        if ((option->commands & load->command) == 0 || (option->traits & OPTION_FLAG_ONLY) != 0)
            continue;
        option_variable(option, name);
        if (!load_variable(load, option, name, err) ||
            (option->environment != NULL && !load_variable(load, option, option->environment, err)))
            return false;
    }
    return true;
}

/* ---- file ---- */

static bool refuse_key(const char *origin, const char *key, struct error *err)
{
    char spelled[OPTIONS_MOST][OPTION_NAME_MOST];
    const char *names[OPTIONS_MOST];
    const char *nearest;
    size_t count = 0;

    for (const struct option *option = OPTIONS; option->name != NULL; option++) {
        if ((option->traits & (OPTION_FLAG_ONLY | OPTION_NOT_IN_FILE)) != 0)
            continue;
        option_key(option, spelled[count]);
        names[count] = spelled[count];
        count++;
    }
    nearest = names_nearest(names, count, key);
    if (secret_may_be_in(key))
        error_set(err, ERROR_USAGE, "%s: unknown key", origin);
    else
        error_set(err, ERROR_USAGE, "%s: unknown key \"%s\"", origin, key);
    if (nearest != NULL)
        return error_hint(err, "Did you mean \"%s\"?", nearest);
    return error_hint(err, "To see all keys: tidelock manual");
}

static const struct option *find_key(const char *key)
{
    char spelled[OPTION_NAME_MOST];

    for (const struct option *option = OPTIONS; option->name != NULL; option++) {
        option_key(option, spelled);
        if (strcmp(spelled, key) == 0 && (option->traits & (OPTION_FLAG_ONLY | OPTION_NOT_IN_FILE)) == 0)
            return option;
    }
    return NULL;
}

/* One file serves all commands: an option of another command is checked, too, but has no effect. */
static bool load_pairs(struct load *load, const char *path, const struct yaml_pairs *pairs, struct error *err)
{
    for (size_t i = 0; i < pairs->count; i++) {
        const struct option *option = find_key(pairs->items[i].key);
        char origin[ORIGIN_MOST];

        (void)snprintf(origin, sizeof origin, "%s:%zu", path, pairs->items[i].line);
        if (option == NULL)
            return refuse_key(origin, pairs->items[i].key, err);
        if (pairs->items[i].value[0] != '\0' && !take(load, option, pairs->items[i].value, origin, err))
            return false;
    }
    return true;
}

/* Prisma has an option of that name, too. */
static bool check_language(const char *path, struct error *err)
{
    static const char *const programs[] = { ".ts", ".mts", ".cts", ".js", ".mjs", ".cjs" };

    for (size_t i = 0; i < array_length(programs); i++) {
        if (!text_ends_with(path, programs[i]))
            continue;
        error_set(err, ERROR_USAGE, "--config names a program, and tidelock reads YAML: %s", path);
        return error_hint(err,
                          "If it is Prisma's own configuration, leave the option out, and say where the "
                          "migrations are with --migrations DIR.");
    }
    return true;
}

static bool load_file(struct load *load, struct error *err)
{
    const char *path = load->config->config_file == NULL ? STANDARD_FILE : load->config->config_file;
    auto_text struct text text = text_init(FILE_MOST);
    struct yaml_pairs pairs;

    text.is_secret = true;
    if (load->config->config_file == NULL && !file_exists(path))
        return true;
    if (!check_language(path, err))
        return false;
    if (!file_read_stream(path, &text, err))
        return error_hint(err, "Correct the name given with --config FILE, or remove the option.");
    return yaml_read(load->arena, path, text_slice(&text), &pairs, err) &&
           load_pairs(load, path, &pairs, err);
}

static bool load_standards(struct load *load, struct error *err)
{
    for (const struct option *option = OPTIONS; option->name != NULL; option++) {
        if (option->standard != NULL && !load->is_said[index_of(option)] &&
            !value_set(option, option_standard(option, load->command), option->name, load->config, err))
            return false;
    }
    return true;
}

/* Even what is said about the configuration itself is a record where the log is for machines. */
static void choose_log_format(const struct command_line *line)
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

bool config_load(struct arena *arena, unsigned command, const struct command_line *line, struct config *out,
                 struct error *err)
{
    struct load load = {
        .arena = arena, .command = command, .environment = line->environment, .config = out
    };

    *out = (struct config) { .arena = arena };
    choose_log_format(line);
    if (!load_flags(&load, line->count, line->words, err))
        return false;
    if (out->is_help)
        return true;
    if (!load_environment(&load, err) || ((command & FOR_DATABASE) != 0 && !load_file(&load, err)) ||
        !load_standards(&load, err))
        return false;
    if (out->is_quiet && out->log_level > LOG_WARN)
        out->log_level = LOG_WARN;
    log_configure((enum log_level)out->log_level, (enum log_format)out->log_format);
    variable_warn_unknown(load.environment);
    return true;
}
