#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "config/options.h"

const char *const OPTION_GROUP_NAMES[] = {
    [GROUP_COMMAND] = "Command-specific", [GROUP_DATABASE] = "Database",
    [GROUP_TENANTS] = "Tenants",          [GROUP_FOLDER] = "Folder",
    [GROUP_WAITING] = "Waiting",          [GROUP_LOCKS] = "Locks",
    [GROUP_REPORTING] = "Reporting",      [GROUP_KUBERNETES] = "Kubernetes",
    [GROUP_PASSWORDS] = "Passwords",      [GROUP_GENERAL] = "General",
};
_Static_assert(sizeof OPTION_GROUP_NAMES / sizeof *OPTION_GROUP_NAMES == OPTION_GROUPS, "name every group");

static void spell(const char *prefix, const char *name, bool is_upper, char *out)
{
    size_t used = strlen(prefix);

    memcpy(out, prefix, used);
    for (; *name != '\0' && used < OPTION_NAME_MOST - 1; name++) {
        if (*name == '-')
            out[used++] = '_';
        else
            out[used++] = (char)(is_upper ? *name - 'a' + 'A' : *name);
    }
    out[used] = '\0';
}

void option_variable(const struct option *option, char *out)
{
    spell("TIDELOCK_", option->name, true, out);
}

void option_key(const struct option *option, char *out)
{
    spell("", option->name, false, out);
}

const char *option_standard(const struct option *option, unsigned command)
{
    bool is_awaited = command == FOR_STATUS && isatty(STDERR_FILENO) == 1;

    return is_awaited && option->standard_for_person != NULL ? option->standard_for_person : option->standard;
}

const struct option *option_named(const char *name)
{
    for (const struct option *option = OPTIONS; option->name != NULL; option++) {
        if (strcmp(option->name, name) == 0)
            return option;
    }
    return NULL;
}

bool option_is_secret(const struct option *option, const char *value)
{
    return (option->traits & OPTION_SECRET) != 0 &&
           (option->word == NULL || strcmp(value, option->word) != 0);
}

bool option_is_flag(const struct option *option)
{
    return option->type == OPTION_FLAG || option->type == OPTION_SWITCHES;
}

void option_add_usage(const struct option *option, struct text *out)
{
    text_add_format(out, "--%s", option->name);
    if (option->type == OPTION_SWITCHES)
        text_add_format(out, "[=%s]", option->value);
    else if (option->value != NULL)
        text_add_format(out, " %s", option->value);
}

static void add_variable(const struct option *option, const char *name, struct text *out)
{
    text_add_string(out, name);
    if (option->file_field != 0)
        text_add_format(out, ", %s_FILE", name);
}

/* The foreign name comes first: it is the one that people know. */
void option_add_variables(const struct option *option, struct text *out)
{
    char variable[OPTION_NAME_MOST];

    if ((option->traits & OPTION_FLAG_ONLY) != 0)
        return;
    if (option->environment != NULL) {
        add_variable(option, option->environment, out);
        text_add_string(out, ", ");
    }
    option_variable(option, variable);
    add_variable(option, variable, out);
}

void option_add_key(const struct option *option, struct text *out)
{
    char key[OPTION_NAME_MOST];

    if ((option->traits & (OPTION_FLAG_ONLY | OPTION_NOT_IN_FILE)) != 0)
        return;
    option_key(option, key);
    text_add_string(out, key);
}

void option_add_standard(const struct option *option, struct text *out)
{
    if (option->standard != NULL)
        text_add_string(out, option->standard);
}

static void add_bound(const struct option *option, int64_t bound, struct text *out)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = { { 60 * 60 * 1000, "h" }, { 60 * 1000, "m" }, { 1000, "s" }, { 1, "ms" } };
    size_t i = 0;

    if (option->type != OPTION_DURATION || bound == 0) {
        text_add_format(out, "%lld", (long long)bound);
        return;
    }
    while (bound % units[i].ms != 0)
        i++;
    text_add_format(out, "%lld%s", (long long)(bound / units[i].ms), units[i].unit);
}

void option_add_range(const struct option *option, struct text *out)
{
    if (option->type != OPTION_DURATION && option->type != OPTION_NUMBER)
        return;
    add_bound(option, option->least, out);
    text_add_string(out, " to ");
    add_bound(option, option->most, out);
}

void option_add_choices(const struct option *option, const char *between, struct text *out)
{
    for (size_t i = 0; i < option->choice_count; i++)
        text_add_format(out, "%s%s", i == 0 ? "" : between, option->choices[i]);
}

void option_add_text(const struct option *option, struct text *out)
{
    text_add_format(out, "%c%s.", toupper((unsigned char)option->help[0]), option->help + 1);
    if (option->more != NULL)
        text_add_format(out, " %s", option->more);
}
