/*
 * Which part of the tenants a process takes, where several share them. Pure.
 *
 * A tenant's part follows from its name and the number of parts alone, so all processes agree without asking
 * each other, and a list that grows moves nobody. One part more takes its share from all others, and moves
 * nobody between those.
 */
#ifndef TENANTS_SHARD_H
#define TENANTS_SHARD_H

#include "base/error.h"
#include "config/config.h"

enum { SHARDS_MOST = 10000 };

struct shard {
    unsigned number; /* from 1 */
    unsigned count;
};

/* "I/N", or "/N" with I from `index`, which counts from 0 (Kubernetes' JOB_COMPLETION_INDEX); NULL = not set.
 * Nothing said is the whole: 1/1. ERROR_USAGE. */
must_use bool shard_read(const struct sourced *said, const char *index, struct shard *out, struct error *err);

/* The part of a tenant, from 1. */
unsigned shard_of(const char *name, unsigned count);

#endif
