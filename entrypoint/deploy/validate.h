/*
 * What the comparison of folder and ledger means for a deployment: what stops it, and what is only logged.
 */
#ifndef DEPLOY_VALIDATE_H
#define DEPLOY_VALIDATE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "config/config.h"
#include "history/compare.h"
#include "history/migration.h"

/* Reads every applied script, and marks those that were edited since or cannot be read: an applied migration
 * no longer needs its script. ERROR_REFUSED for the latter where `strict` refuses FINDING_EDITED; all are
 * marked then, too. */
must_use bool validate_edited(const struct folder *folder, struct history *history, unsigned strict,
                              struct error *err);

/* Warns of both, in one line for each; for a deployment without anything to do. */
void validate_warn_of_edited(const struct folder *folder, const struct history *history);

/* ERROR_REFUSED when something is pending and none of the applied migrations is in the folder, which is
 * probably another application's. */
must_use bool validate_related(const struct folder *folder, const struct history *history, struct error *err);

/* What is refused, as a bit for each enum finding: what --strict says or, where it is not given, what the
 * folder's tool refuses; then the bit of FINDINGS is set, too. */
unsigned validate_strictness(const struct config *config, const struct dialect *dialect);

/* Edited, missing and out-of-order migrations: ERROR_REFUSED if `strict` has the bit of one that was found.
 */
must_use bool validate_strict(const struct folder *folder, const struct history *history, unsigned strict,
                              struct error *err);

/* Logs them, those that could not be read, and that a newer image was here. */
void validate_say_findings(const struct folder *folder, const struct history *history);

/* Says that a newer image has been deployed, where that is so. */
void validate_say_ahead(const struct folder *folder, const struct history *history);

/* Names the failed migrations that are not in the folder, in one line; none of its own is pending. */
void validate_warn_of_strays(const struct history *history);

/* Adds, without a full stop, that applied migrations are missing and what that may mean. */
void validate_add_missing(const struct history *history, struct text *out);

/* Adds what to type if something pending replaces them, and returns the condition, "if …". NULL, and nothing
 * added, if nothing that is pending looks like it. */
const char *validate_add_replacement(const struct folder *folder, const struct history *history,
                                     struct text *out);

/* Adds what to type about a failed row, without a full stop: only what can work. One that an image with the
 * script would resume is never to be called rolled back; nothing is recorded as applied without its script,
 * or a second time. */
void validate_add_remedy(const struct folder *folder, const struct history *history,
                         const struct ledger_row *row, struct text *out);

/* Half-applied migrations block (ERROR_REFUSED), except our own whose progress is known and that are still in
 * the folder: these are resumed. Call it only if something is to be applied. */
must_use bool validate_failed(const struct folder *folder, const struct history *history, struct error *err);

#endif
