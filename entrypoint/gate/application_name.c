#include "gate/application_name.h"

#include <stdbool.h>
#include <string.h>

#include "base/stamp.h"
#include "config/url_parameter.h"
#include "gate/environment.h"

static const char *value_of(char *const *environment, const char *name)
{
    size_t length = strlen(name);

    for (; *environment != NULL; environment++) {
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
            return *environment + length + 1;
    }
    return NULL;
}

/* Others may have parameters of their own: "jdbc:postgresql:", "postgresql+asyncpg:". */
static bool takes_name(struct arena *arena, const char *url)
{
    return url != NULL &&
           (strncmp(url, "postgresql://", strlen("postgresql://")) == 0 ||
            strncmp(url, "postgres://", strlen("postgres://")) == 0) &&
           !url_has_parameter(arena, url, "application_name") &&
           !url_has_parameter(arena, url, "fallback_application_name");
}

char **environment_with_release(struct arena *arena, char **environment, const char *release)
{
    const char *name = value_of(environment, "PGAPPNAME");
    const char *url = value_of(environment, "DATABASE_URL");
    char stamp[STAMP_SIZE];
    char pair[sizeof "application_name=" + STAMP_SIZE] = "application_name=";

    if (release == NULL || (name != NULL && *name != '\0'))
        return environment;
    stamp_of(release, stamp);
    (void)strcat(pair, stamp);
    environment = environment_with(arena, environment, "PGAPPNAME", stamp);
    if (takes_name(arena, url))
        environment =
            environment_with(arena, environment, "DATABASE_URL", url_with_parameter(arena, url, pair));
    return environment;
}
