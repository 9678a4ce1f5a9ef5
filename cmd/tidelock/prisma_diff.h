/*
 * "prisma migrate diff" as Prisma's users type it.
 */
#ifndef PRISMA_DIFF_H
#define PRISMA_DIFF_H

#include "base/error.h"
#include "base/memory.h"

/* Rewrites the words behind "migrate diff": --from-… and --to-… become the two schemas that diff compares.
 * The values stay where they are, so that secrets among them can be wiped. ERROR_USAGE for what only Prisma
 * can do. */
must_use bool prisma_diff_rewrite(struct arena *arena, int *count, char ***words, struct error *err);

#endif
