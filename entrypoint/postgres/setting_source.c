#include "postgres/setting_source.h"

#include <string.h>

#include "base/memory.h"

const char *setting_source_text(const char *source)
{
    static const struct {
        const char *source;
        const char *text;
    } sources[] = {
        { "database", "set for the database" },
        { "user", "set for the role" },
        { "database user", "set for the role in this database" },
        { "global", "set for all roles" },
        { "client", "set by the client" },
        { "session", "set by a script" },
        { "interactive", "set by a script" },
    };

    for (size_t i = 0; i < array_length(sources); i++) {
        if (strcmp(sources[i].source, source) == 0)
            return sources[i].text;
    }
    return "set in the server's configuration";
}
