#include "config/variable.h"

#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "base/log.h"
#include "base/names.h"
#include "base/text.h"
#include "config/options.h"

/* Kubernetes describes a Service called "tidelock" by variables that look like ours (documentation,
 * "Service", environment variables). */
static bool is_service_variable(const char *name)
{
    return text_ends_with(name, "_SERVICE_HOST") || strstr(name, "_SERVICE_PORT") != NULL ||
           strstr(name, "_PORT") != NULL;
}

static bool is_known_variable(const char *name, const char **names, size_t *count,
                              char (*spelled)[OPTION_NAME_MOST + 8])
{
    *count = 0;
    for (const struct option *option = OPTIONS; option->name != NULL; option++) {
        char *variable_name = spelled[*count];

        if ((option->traits & OPTION_FLAG_ONLY) != 0)
            continue;
        option_variable(option, variable_name);
        names[(*count)++] = variable_name;
        if (strcmp(name, variable_name) == 0)
            return true;
        if (option->file_field != 0 && strncmp(name, variable_name, strlen(variable_name)) == 0 &&
            strcmp(name + strlen(variable_name), "_FILE") == 0)
            return true;
    }
    return false;
}

void variable_warn_unknown(char *const *environment)
{
    char spelled[OPTIONS_MOST][OPTION_NAME_MOST + 8];
    const char *names[OPTIONS_MOST];
    size_t count;

    for (char *const *entry = environment; *entry != NULL; entry++) {
        char name[OPTION_NAME_MOST];
        const char *nearest;

        if (strncmp(*entry, "TIDELOCK_", 9) != 0)
            continue;
        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(*entry, "="), *entry);
        if (is_service_variable(name) || is_known_variable(name, names, &count, spelled))
            continue;
        nearest = names_nearest(names, count, name);
        log_warn("unknown environment variable %s is ignored%s%s", name,
                 nearest == NULL ? "" : "; did you mean ", nearest == NULL ? "" : nearest);
    }
}

const char *variable_of_tool(const struct config *config, const char *name)
{
    if (name == NULL)
        return NULL;
    return config->environment == NULL ? env_value(name) : env_find(config->environment, name);
}
