/*
 * The folder of migrations, read by the rules of its dialect: which of its entries are migrations, and in
 * which order. Symbolic links to directories never are. A mounted ConfigMap is read through its "..data".
 *
 * Reading it opens no file: in the most frequent case, with nothing pending, only names matter.
 */
#ifndef HISTORY_FOLDER_H
#define HISTORY_FOLDER_H

#include "base/error.h"
#include "base/memory.h"
#include "dialect/dialect.h"
#include "history/directory.h"
#include "history/migration.h"

/* Whether the folder at `path` is for PostgreSQL, according to its lock file; a file that is missing or
 * cannot be read is not checked. */
must_use bool folder_check(const struct dialect *dialect, const char *path, struct error *err);

/* Reads and sorts it; what it lists may have been read already. Everything lives in the directory's arena.
 * ERROR_USAGE when it can't be read, ERROR_REFUSED for a name that no ledger can hold. */
must_use bool folder_read(const struct dialect *dialect, const struct directory *said, struct folder *out,
                          struct error *err);

/* Nothing behind the migration of that name is asked for: ERROR_USAGE when there is none. */
must_use bool folder_limit(struct folder *folder, const char *last, struct error *err);

/* The name of the last one that is asked for if there are others behind it, otherwise NULL. */
const char *folder_limit_name(const struct folder *folder);

/* The migration of that name, byte for byte, or NULL. */
const struct migration *folder_find(const struct folder *folder, const char *name);

/* The same for a name that somebody typed, who may as well type what the ledger calls it. */
const struct migration *folder_find_typed(const struct folder *folder, const char *name);

/* The same for a name that somebody typed: NULL and ERROR_USAGE when there is none, with those that may be
 * meant. */
must_use const struct migration *folder_expect(const struct folder *folder, const char *name,
                                               struct error *err);

#endif
