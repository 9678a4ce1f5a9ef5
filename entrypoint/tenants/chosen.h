/*
 * Which tenants of a list are meant, where not all are. Pure.
 */
#ifndef TENANTS_CHOSEN_H
#define TENANTS_CHOSEN_H

#include "base/error.h"
#include "config/config.h"
#include "tenants/list.h"

/* Keeps those that --tenant names, in the order of the list; all of them if it names none. ERROR_USAGE if the
 * list lacks one. */
must_use bool chosen_keep(const struct config *config, struct tenant_list *list, struct error *err);

#endif
