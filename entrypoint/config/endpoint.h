/*
 * The database to connect to: from the URL, libpq's variables and the options beside them.
 */
#ifndef CONFIG_ENDPOINT_H
#define CONFIG_ENDPOINT_H

#include "base/error.h"
#include "base/memory.h"
#include "config/config.h"
#include "config/url.h"

/* The database that the configuration names: direct_url, else database_url, else libpq's own PG* variables.
 * ERROR_USAGE. */
must_use bool endpoint_find(struct arena *arena, const struct config *config, struct endpoint *out,
                            struct error *err);

/* Another database, by its URL alone: neither the password nor the role that the configuration names is for
 * it. *beside becomes a configuration to connect to it with; all of it lives in the configuration's arena.
 * ERROR_USAGE. */
must_use bool endpoint_find_beside(const struct config *config, const char *url, struct config *beside,
                                   struct endpoint *out, struct error *err);

/* Sessions begin with the URL's search_path: for tools that send it to the server. */
void endpoint_take_search_path(struct arena *arena, struct endpoint *endpoint);

/* The database's name as far as the configuration tells, as libpq would find it; NULL if only a service file
 * says it. */
const char *endpoint_database(const struct endpoint *endpoint);

#endif
