#include "config/load.h"

#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "base/file.h"
#include "base/log.h"
#include "base/names.h"
#include "config/flags.h"
#include "config/internal.h"
#include "config/options.h"
#include "config/secret.h"
#include "config/value.h"
#include "config/variable.h"
#include "config/yaml.h"

enum { FILE_MOST = 1024 * 1024, ORIGIN_MOST = 512 };

static const char STANDARD_FILE[] = "tidelock.yaml";

static size_t index_of(const struct option *option)
{
    return (size_t)(option - OPTIONS);
}

bool load_is_said(const struct load *load, const struct option *option)
{
    return load->is_said[index_of(option)];
}

/* Each of several, with blanks between them; none has a blank in it. */
static void register_urls(struct arena *arena, const char *text)
{
    for (text += strspn(text, CONFIG_BLANKS); *text != '\0'; text += strspn(text, CONFIG_BLANKS)) {
        size_t length = strcspn(text, CONFIG_BLANKS);

        secret_register_url(arena, arena_copy(arena, text, length));
        text += length;
    }
}

static void register_secret(struct load *load, const struct option *option, const char *text)
{
    if (option->word != NULL && !option_is_secret(option, text))
        return;
    if (option->field == offsetof(struct config, replicas_at))
        register_urls(load->arena, text);
    if ((option->traits & OPTION_URL) != 0 || (option->type != OPTION_ADDRESS && strstr(text, "://") != NULL))
        secret_register_url(load->arena, text);
    else if (option->type == OPTION_ADDRESS && (option->traits & OPTION_SECRET) != 0)
        secret_register_web_address(load->arena, text);
    else if (option->type == OPTION_ADDRESS)
        secret_register_password(load->arena, text);
    else if ((option->traits & OPTION_SECRET) != 0)
        redact_register(text, strlen(text));
}

bool load_take(struct load *load, const struct option *option, const char *text, const char *origin,
               struct error *err)
{
    register_secret(load, option, text);
    if (load_is_said(load, option) && option->type != OPTION_NAMES)
        return true;
    load->is_said[index_of(option)] = true;
    return value_set(option, text, origin, load->config, err);
}

/* ---- environment ---- */

static bool load_secret_file(struct load *load, const struct option *option, const char *name,
                             const char *path, struct error *err)
{
    auto_text struct text secret = text_init(SECRET_BYTES_MOST);

    if (strstr(path, "://") != NULL)
        secret_register_url(load->arena, path);
    if (!secret_read(name, path, &secret, err) || !load_take(load, option, secret.at, name, err))
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
        return load_take(load, option, value, name, err);
    return path == NULL || load_is_said(load, option) || load_secret_file(load, option, file_name, path, err);
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
        if (pairs->items[i].value[0] != '\0' && !load_take(load, option, pairs->items[i].value, origin, err))
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

static bool lists_tenants(const struct option *option)
{
    return option->field == offsetof(struct config, tenants) ||
           option->field == offsetof(struct config, tenants_query) ||
           option->field == offsetof(struct config, databases) ||
           option->field == offsetof(struct config, schemas);
}

/* Whoever sets up the deployment of many would otherwise change the database of the base URL, which may be
 * none of them. */
static bool check_one_database(const struct load *load, struct error *err)
{
    char name[OPTION_NAME_MOST];

    for (const struct option *option = OPTIONS; option->name != NULL; option++) {
        bool is_variable;

        if (!lists_tenants(option))
            continue;
        option_variable(option, name);
        is_variable = env_find(load->environment, name) != NULL;
        if (!is_variable && !load_is_said(load, option))
            continue;
        if (!is_variable)
            option_key(option, name);
        error_set(err, ERROR_USAGE, "this command works on one database, and %s%s lists many",
                  is_variable ? "" : "the file's key ", name);
        return error_hint(err, "%s, and give that tenant's own URL: --database-url.",
                          is_variable ? "Unset it" : "Name a file without it with --config");
    }
    return true;
}

static bool load_standards(struct load *load, struct error *err)
{
    for (const struct option *option = OPTIONS; option->name != NULL; option++) {
        if (option->field == offsetof(struct config, strict))
            load->config->is_strict_said = load_is_said(load, option);
        if (option->standard != NULL && !load_is_said(load, option) &&
            !value_set(option, option_standard(option, load->command), option->name, load->config, err))
            return false;
    }
    return true;
}

bool config_load(struct arena *arena, unsigned command, const struct command_line *line, struct config *out,
                 struct error *err)
{
    struct load load = {
        .arena = arena, .command = command, .environment = line->environment, .config = out
    };

    *out = (struct config) { .arena = arena };
    if (!flags_load(&load, line->count, line->words, err))
        return false;
    if (out->is_help)
        return true;
    if (!load_environment(&load, err) || ((command & FOR_DATABASE) != 0 && !load_file(&load, err)) ||
        ((command & FOR_EDITS) != 0 && !check_one_database(&load, err)) || !load_standards(&load, err))
        return false;
    if (out->is_quiet && out->log_level > LOG_WARN)
        out->log_level = LOG_WARN;
    log_configure((enum log_level)out->log_level, (enum log_format)out->log_format);
    variable_warn_unknown(load.environment);
    return true;
}
