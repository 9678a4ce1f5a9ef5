/*
 * The folder of migrations, read by Prisma's rules: each direct sub-directory is one, hidden ones too; plain
 * files and symbolic links to directories are not. A mounted ConfigMap is read through its "..data".
 *
 * Reading it opens no file: in the most frequent case, with nothing pending, only names matter.
 */
#ifndef HISTORY_FOLDER_H
#define HISTORY_FOLDER_H

#include "base/error.h"
#include "base/memory.h"
#include "history/migration.h"

/* Where it is: the option, or "migrations" beside Prisma's schema (or in it, when that is a directory), or
 * prisma/migrations, or migrations. ERROR_USAGE with the places looked at; a missing folder is an error,
 * since a wrong path in an image must not look like "nothing to do". */
must_use bool folder_locate(struct arena *arena, const char *migrations, const char *schema_file,
                            const char **out, struct error *err);

/* Reads and sorts it. Everything lives in the arena. ERROR_USAGE when it can't be read, ERROR_REFUSED for a
 * name that no ledger can hold. */
must_use bool folder_read(struct arena *arena, const char *path, struct folder *out, struct error *err);

/* The migration of that name, byte for byte, or NULL. */
const struct migration *folder_find(const struct folder *folder, const char *name);

#endif
