/*
 * Progress of a migration that commits more than once: how many statements are done, in our ledger row.
 */
#ifndef APPLY_ADVANCE_H
#define APPLY_ADVANCE_H

#include "apply/applying.h"

/* Commits an open transaction, by the words of `commit`, together with the progress that it brings. */
must_use bool advance_commit(struct applying *applying, size_t done, const char *commit, struct error *err);

/* Commits progress alone. */
must_use bool advance(struct applying *applying, size_t done, struct error *err);

#endif
