/*
 * Why a query of our own failed while no migration was being applied: its class, and what to do. Pure.
 *
 * To a migration's statement most codes mean that the script is wrong; to a query of ours, that somebody is
 * in its way, or that the server is short of something, both of which pass.
 */
#ifndef POSTGRES_QUERY_FAILURE_H
#define POSTGRES_QUERY_FAILURE_H

#include <stdbool.h>

#include "base/error.h"

/* ERROR_CLEAN becomes ERROR_TABLE_LOCK (a limit in time), ERROR_UNREACHABLE (the server can't for now) or
 * ERROR_DENIED. `holds` and a hint are added where there is none yet, also to ERROR_INTERRUPTED. Leaves alone
 * what else the server did not say, and what says that the session is over or was not to be had. Returns
 * false. */
bool query_failure_explain(struct error *err, const char *holds);

#endif
