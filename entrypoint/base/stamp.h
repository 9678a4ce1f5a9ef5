/*
 * The stamp: the release of the application, in the application_name of its sessions. Pure.
 *
 * "release/1.5.0" is the whole of the name, or a word of it: "shop release/1.5.0", or what PgBouncer makes of
 * that with application_name_add_host. It is the one mark that gets everywhere: any client may set it, and
 * pg_stat_activity shows it to every role, which it does of no setting. PgBouncer hands it on in session and
 * in transaction mode (seen with 1.18: tests/integration/test_contract.py), where other parameters and
 * "options" are errors, unless it was told to ignore them (its documentation of ignore_startup_parameters).
 * The server keeps 63 bytes of it.
 *
 * libpq, node-postgres, postgres.js and pgx take it from PGAPPNAME and from the URL's application_name,
 * Prisma from the URL alone. pgjdbc takes neither, but a parameter of its own (ApplicationName): there the
 * application says it.
 */
#ifndef BASE_STAMP_H
#define BASE_STAMP_H

#include <stdbool.h>

#include "base/release.h"
#include "base/text.h"

/* How a stamp begins. */
#define STAMP "release/"

enum { STAMP_SIZE = RELEASE_SIZE + sizeof STAMP };

/* That of a release, without what is behind a "+": not every reader of a URL takes that for itself. */
void stamp_of(const char *release, char out[STAMP_SIZE]);

/* The release that an application_name says, the first if there are several; false: it says none. Points to
 * the name. */
must_use bool stamp_read(const char *application_name, struct slice *out);

#endif
