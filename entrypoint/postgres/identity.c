#include "postgres/identity.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"

static const struct query IDENTITY = { .name = "identity", .sql = "SELECT " IDENTITY_COLUMNS };

struct identity identity_of(const struct result *row, int column)
{
    struct identity found = { .system = "" };

    text_copy_cut(found.system, sizeof found.system, result_text(row, 0, column));
    text_copy_cut(found.timeline, sizeof found.timeline, result_text(row, 0, column + 1));
    return found;
}

/* Servers that only speak PostgreSQL's protocol lack the functions. */
bool identity_is_refused(const struct error *err)
{
    static const char *const codes[] = { "42501", "42883", "0A000" };

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (strcmp(err->sqlstate, codes[i]) == 0)
            return true;
    }
    return false;
}

struct identity identity_ask(struct connection *conn)
{
    auto_result struct result *row = NULL;
    struct error err;

    if (query_run(conn, &IDENTITY, NULL, &row, &err))
        return identity_of(row, 0);
    log_debug("it is not known which server this is: %s", err.message);
    return (struct identity) { .system = "" };
}

static bool differ(const char *one, const char *other)
{
    return one[0] != '\0' && other[0] != '\0' && strcmp(one, other) != 0;
}

bool identity_is_other_system(const struct identity *one, const struct identity *other)
{
    return differ(one->system, other->system);
}

bool identity_is_other_timeline(const struct identity *one, const struct identity *other)
{
    return differ(one->timeline, other->timeline);
}
