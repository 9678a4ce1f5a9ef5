/*
 * Going back: what is due is to be undone instead of applied, by the inverses that its authors wrote.
 */
#ifndef DEPLOY_BACK_H
#define DEPLOY_BACK_H

#include <stdbool.h>

#include "base/error.h"
#include "deploy/internal.h"

/* Begins: nothing is known yet. */
void back_begin(struct deployment *d, struct back *out);

/* Says what is due, once folder and ledger have been compared: all behind --to, or the newest one. What that
 * is stays as the first look has found it, whoever else goes back meanwhile. ERROR_REFUSED where the folder
 * does not have all that is applied behind it. */
must_use bool back_aim(struct deployment *d, struct error *err);

/* Whether all that is due can be undone, as far as folder, ledger and the rows that are there now tell:
 * ERROR_REFUSED otherwise. Finds the inverses. */
must_use bool back_check(struct deployment *d, struct error *err);

#endif
