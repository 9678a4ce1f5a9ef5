#include "tenants/single.h"

#include <stddef.h>

#include "base/memory.h"

bool single_refuse(const struct config *config, struct error *err)
{
    const struct {
        bool is_given;
        const char *what;
        const char *hint;
    } singles[] = {
        { config->replicas_at != NULL, "--replica names the standby of one database",
          "Remove it, or deploy to each tenant in a run of its own." },
        { config->lease != NULL, "--lease is held for one database",
          "Remove it: each tenant's own leader lock keeps other processes out." },
        { config->is_sharing, "--share-connections divides the connections of one server",
          "Remove it, and set connection_limit in the URLs that CMD uses." },
        { config->wants_json_schema, "--json-schema describes what is printed of one database",
          "Leave out the tenants to see it." },
        { config->is_offline, "--offline asks no database",
          "Leave out the tenants: the folder is the same for all." },
        { config->files.count > 0, "--files asks for scripts, whatever is pending",
          "Leave out the tenants to judge these scripts with one database." },
        { config->shadow != NULL, "--shadow is one empty database",
          "Remove it, or name one tenant in the database URL." },
        { config->plan_format != PLAN_FORMAT_TEXT, "--output is about the lines of one plan",
          "Write --json, or leave out the tenants." },
    };
    size_t i = 0;

    while (i < array_length(singles) && !singles[i].is_given)
        i++;
    if (i == array_length(singles))
        return true;
    error_set(err, ERROR_USAGE, "%s, and there are many tenants", singles[i].what);
    return error_hint(err, "%s", singles[i].hint);
}
