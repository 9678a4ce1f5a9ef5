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

char **environment_for_application(struct arena *arena, char *const *environment)
{
    size_t count = 0;
    size_t kept = 0;
    char **out;

    while (environment[count] != NULL)
        count++;
    out = arena_alloc(arena, count + 1, sizeof *out);
    for (size_t i = 0; i < count; i++) {
        if (!is_ours(environment[i]))
            out[kept++] = environment[i];
    }
    return out;
}
