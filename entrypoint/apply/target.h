/*
 * What a command works on: the database and the folder.
 */
#ifndef APPLY_TARGET_H
#define APPLY_TARGET_H

#include "config/url.h"
#include "history/migration.h"
#include "postgres/connection.h"

struct target {
    struct endpoint endpoint;
    struct folder folder;
    struct connection *begun; /* begun by connection_begin() while the folder was read, or NULL */
};

#endif
