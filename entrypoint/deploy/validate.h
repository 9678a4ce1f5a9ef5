/*
 * What the comparison of folder and ledger means for a deployment: what stops it, what is only said.
 */
#ifndef DEPLOY_VALIDATE_H
#define DEPLOY_VALIDATE_H

#include <stdbool.h>

#include "base/error.h"
#include "history/compare.h"
#include "history/migration.h"

/* Reads every applied script and marks those that were edited since. One that can't be read is said in the
 * log, or with `is_strict` ERROR_REFUSED: what is applied needs no script any more. */
must_use bool validate_edited(const struct folder *folder, struct history *history, bool is_strict,
                              struct error *err);

/* Edited, missing and out-of-order migrations: said in the log, or with `is_strict` ERROR_REFUSED. */
must_use bool validate_findings(const struct folder *folder, const struct history *history, bool is_strict,
                                struct error *err);

/* Half-applied migrations block (ERROR_REFUSED), except those of our own whose progress is known and
 * that the folder still holds: these are gone on with. */
must_use bool validate_failed(const struct folder *folder, const struct history *history, struct error *err);

#endif
