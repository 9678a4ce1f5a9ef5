/*
 * A migration's script on disk.
 */
#ifndef HISTORY_SCRIPT_FILE_H
#define HISTORY_SCRIPT_FILE_H

#include "base/error.h"
#include "base/text.h"
#include "dialect/dialect.h"
#include "history/migration.h"

/* The largest script that is read: slightly less than a server accepts in one message. */
enum { SCRIPT_BYTES_MOST = 1024 * 1024 * 1024 - 1 };

/* Reads it whole into `out` (text_init(SCRIPT_BYTES_MOST)). ERROR_REFUSED, with the dialect's code when it
 * is missing or can't be read, without one when it is larger, or only its tool can run it. */
must_use bool migration_read(const struct dialect *dialect, const struct migration *migration,
                             struct text *out, struct error *err);

/* Leaves of a script that was read what its dialect runs of it, in its place, and says how, and which
 * checksum it has, also on failure. ERROR_CLEAN with the place where the tool would refuse it, ERROR_REFUSED
 * when the file beside it can't be read. */
must_use bool migration_prepare(const struct folder *folder, const struct migration *migration,
                                struct text *script, struct script_wishes *out, struct error *err);

/* The checksum of a script that was read: of its bytes, or of what is run of it where the dialect says so. */
void migration_checksum(const struct folder *folder, const struct migration *migration, struct slice script,
                        char out[CHECKSUM_SIZE]);

/* Whether a stored checksum is that of a script that was read: of either. */
bool migration_matches(const struct folder *folder, const struct migration *migration, const char *stored,
                       struct slice script);

/* Whether the script is text that can be sent: UTF-8, no NUL byte; and without another tool's way back, which
 * would be run as well, unless the dialect knows ways back. ERROR_CLEAN with the place. */
must_use bool script_check_text(const struct dialect *dialect, const char *path, struct slice script,
                                struct error *err);

#endif
