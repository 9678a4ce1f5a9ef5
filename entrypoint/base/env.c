#include "base/env.h"

#include <string.h>
#include <unistd.h>

const char *env_find(char *const *environment, const char *name)
{
    size_t length = strlen(name);

    for (; *environment != NULL; environment++) {
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=' &&
            (*environment)[length + 1] != '\0')
            return *environment + length + 1;
    }
    return NULL;
}

const char *env_value(const char *name)
{
    return env_find(environ, name);
}
