/*
 * Prisma's own configuration, as far as plain text tells what it says: prisma.config.ts, or the key "prisma"
 * of package.json.
 *
 * The first is a program, and is not run. Only a string that stands where Prisma would find it is taken: in
 * the object that the file exports. Whatever else may decide it makes the answer "not plain", never a guess.
 */
#ifndef DIALECT_PRISMA_CONFIG_H
#define DIALECT_PRISMA_CONFIG_H

#include "dialect/dialect.h"

/* What the program `text` says; paths live in the arena. */
struct own_config prisma_config_read(struct arena *arena, struct slice text);

/* What the package.json `text` says; it is not plain where it is no JSON, or says it in another way. */
struct own_config prisma_config_read_package(struct arena *arena, struct slice text);

#endif
