/*
 * Whether inverses undo their migrations: in a shadow, each migration is applied, undone and applied again,
 * which has to make the same schema twice.
 */
#ifndef SHADOW_INVERSES_H
#define SHADOW_INVERSES_H

#include <stdbool.h>
#include <stddef.h>

#include "history/migration.h"
#include "schema/facts.h"
#include "shadow/shadow.h"

struct inverses_finding {
    size_t tried;     /* migrations that have an inverse, up to: */
    size_t without;   /* … and that have none */
    const char *name; /* the first one whose second time made another schema; NULL = there is none */
    struct facts once;
    struct facts twice;
};

/* Called for each one that was tried. Its inverse has left facts that were not there before, or taken some
 * that were. */
typedef void inverses_note(const struct migration *migration, const struct facts *before,
                           const struct facts *after);

/* Tries those of the folder that are asked for, and stops at the first that is wrong. All lives in the arena
 * of the configuration. ERROR_REFUSED, with the place, for a script that fails. */
must_use bool shadow_try_inverses(const struct shadow_request *wanted, const struct folder *folder,
                                  inverses_note *note, struct inverses_finding *out, struct error *err);

#endif
