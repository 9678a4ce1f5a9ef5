#include "gate/environment.h"

#include <stdbool.h>
#include <string.h>

#include "config/options.h"

static bool is_named(const char *entry, const char *name, const char *suffix)
{
    size_t length = strlen(name);

    return strncmp(entry, name, length) == 0 && strncmp(entry + length, suffix, strlen(suffix)) == 0 &&
           entry[length + strlen(suffix)] == '=';
}

static bool is_ours(const char *entry)
{
    if (strncmp(entry, "TIDELOCK_", strlen("TIDELOCK_")) == 0)
        return true;
    for (const struct option *option = OPTIONS; option->name != NULL; option++) {
        if (option->environment == NULL || (option->traits & OPTION_SHARED) != 0)
            continue;
        if (is_named(entry, option->environment, "") || is_named(entry, option->environment, "_FILE"))
            return true;
    }
    return false;
}

static size_t count_entries(char *const *environment)
{
    size_t count = 0;

    while (environment[count] != NULL)
        count++;
    return count;
}

char **environment_with(struct arena *arena, char *const *environment, const char *name, const char *value)
{
    size_t count = count_entries(environment);
    size_t length = strlen(name);
    char **out = arena_alloc(arena, count + 2, sizeof *out);
    char *entry = arena_alloc(arena, length + 1 + strlen(value) + 1, 1);
    bool is_set = false;

    (void)stpcpy(stpcpy(stpcpy(entry, name), "="), value);
    for (size_t i = 0; i < count; i++) {
        bool is_it = is_named(environment[i], name, "");

        out[i] = is_it ? entry : environment[i];
        is_set |= is_it;
    }
    if (!is_set)
        out[count] = entry;
    return out;
}

char **environment_for_application(struct arena *arena, char *const *environment)
{
    size_t count = count_entries(environment);
    size_t kept = 0;
    char **out;

    out = arena_alloc(arena, count + 1, sizeof *out);
    for (size_t i = 0; i < count; i++) {
        if (!is_ours(environment[i]))
            out[kept++] = environment[i];
    }
    return out;
}
