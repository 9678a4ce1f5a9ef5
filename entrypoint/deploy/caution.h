/*
 * What the pending migrations would do to the database as it is now: told, or refused, before the first of
 * them begins; and the locks that each will want.
 */
#ifndef DEPLOY_CAUTION_H
#define DEPLOY_CAUTION_H

#include <stdbool.h>

#include "base/error.h"
#include "deploy/internal.h"

/* Judges what is due, by its text and what the catalogs say, under the leader lock. ERROR_REFUSED when
 * something is as bad as --refuse says; what is dangerous is warned of once, in one line. Fills d->wishes. In
 * an empty database there is nobody to be disturbed: nothing is read. */
must_use bool caution_take(struct deployment *d, struct error *err);

#endif
