#include "fleet/outage.h"

enum { KNOWN_MS = 10 * 1000, TRY_MOST_MS = 1000 };

/* Not a query that met a server in trouble (53, 58, XX): that one could be reached. */
static bool is_out_of_reach(const struct error *err)
{
    const char *code = err->sqlstate;

    return err->class == ERROR_UNREACHABLE &&
           (code[0] == '\0' || (code[0] == '5' && code[1] == '7') || (code[0] == '0' && code[1] == '8'));
}

void outage_note(struct outage *outage, struct arena *arena, const struct tenant *tenant,
                 const struct error *err)
{
    struct error *kept;

    if (err != NULL && err->class == ERROR_INTERRUPTED)
        return;
    if (err == NULL || !is_out_of_reach(err)) {
        outage->is_on = false;
        return;
    }
    if (!outage->is_on) {
        kept = arena_alloc(arena, 1, sizeof *kept);
        *kept = *err;
        *outage = (struct outage) { .is_on = true, .error = kept, .tenant = tenant->name };
    }
    outage->known_until = deadline_in(err->sqlstate[0] == '\0' ? KNOWN_MS : 0);
}

bool outage_allows(const struct outage *outage, struct config *config, struct error *err)
{
    if (!outage->is_on)
        return true;
    if (deadline_passed(outage->known_until)) {
        config->connect_deadline_ms = 0;
        if (config->connect_timeout_ms == 0 || config->connect_timeout_ms > TRY_MOST_MS)
            config->connect_timeout_ms = TRY_MOST_MS;
        return true;
    }
    *err = *outage->error;
    return error_detail(err, "It was not tried again: tenant \"%s\" did not reach that server either.",
                        outage->tenant);
}
