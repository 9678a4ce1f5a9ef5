#include "base/variable.h"

#include <stdlib.h>

const char *variable_value(const char *name)
{
    const char *value = getenv(name);

    return value == NULL || value[0] == '\0' ? NULL : value;
}
