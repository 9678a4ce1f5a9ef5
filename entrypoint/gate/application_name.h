/*
 * The application's release, in the application_name of the sessions that it opens (base/stamp.h). Pure.
 *
 * A name of the application's own is left alone, wherever it stands: whoever set it looks for it.
 */
#ifndef GATE_APPLICATION_NAME_H
#define GATE_APPLICATION_NAME_H

#include "base/memory.h"

/* The same entries; PGAPPNAME, and DATABASE_URL if it is a URL that libpq would take, name the release. They
 * do not where PGAPPNAME is set, nor does a URL that has a name. `release` may be NULL: then nothing changes.
 */
char **environment_with_release(struct arena *arena, char **environment, const char *release);

#endif
