#include "config/libpq_files.h"

#include <limits.h>

#include "base/env.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

static bool check(const char *path, const char *name, struct error *err)
{
    return path == NULL || file_check_kind(path, err) || error_context(err, "reading %s", name);
}

/* Below the folder that the variable names. */
static bool check_in(const char *variable, const char *file, struct error *err)
{
    const char *folder = env_value(variable);
    auto_text struct text path = text_init(PATH_MAX);

    if (folder == NULL)
        return true;
    text_add_format(&path, "%s/%s", folder, file);
    return check(path.at, "the service file", err);
}

/* PostgreSQL documentation, "The Connection Service File". */
static bool check_service_files(struct error *err)
{
    const char *own = env_value("PGSERVICEFILE");

    return (own != NULL ? check(own, "PGSERVICEFILE", err) : check_in("HOME", ".pg_service.conf", err)) &&
           check_in("PGSYSCONFDIR", "pg_service.conf", err);
}

bool libpq_files_check(const struct endpoint *endpoint, bool is_service, struct error *err)
{
    static const char *const of_service[] = { "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY", "PGSSLCRL" };

    if (!check(endpoint_value(endpoint, "passfile"), "passfile", err) ||
        !check(env_value("PGPASSFILE"), "PGPASSFILE", err))
        return false;
    if (!is_service)
        return true;
    for (size_t i = 0; i < array_length(of_service); i++) {
        if (!check(env_value(of_service[i]), of_service[i], err))
            return false;
    }
    return check_service_files(err);
}
