/*
 * golang-migrate's names: VERSION_title.up.EXTENSION, and .down. for the way back.
 */
#ifndef DIALECT_GOLANG_MIGRATE_NAME_H
#define DIALECT_GOLANG_MIGRATE_NAME_H

#include "dialect/dialect.h"

enum direction { DIRECTION_NONE, DIRECTION_UP, DIRECTION_DOWN };

/* DIRECTION_NONE for a name that the tool passes over: one without a version, or with one of more than 64
 * bits. */
enum direction golang_migrate_direction_of(const char *name);

/* Of a name, or of a key: the ledger may say -1, which comes before all versions. */
struct order_key golang_migrate_order_key_of(const char *name);

#endif
