/*
 * migration_lock.toml: which provider the migrations were written for. Read as Prisma reads it: as text, not
 * as TOML.
 */
#ifndef DIALECT_PRISMA_LOCK_FILE_H
#define DIALECT_PRISMA_LOCK_FILE_H

#include "base/error.h"
#include "base/text.h"

/* Whether the file's text names PostgreSQL: the first line that starts with "provider". ERROR_REFUSED (P3019)
 * with the place otherwise. Pure. */
must_use bool prisma_lock_file_parse(const char *path, struct slice text, struct error *err);

#endif
