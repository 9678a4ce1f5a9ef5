/*
 * Credentials that change during a run: a Secret is rotated, and its mounted file gets new content.
 */
#ifndef CREDENTIALS_ROTATION_H
#define CREDENTIALS_ROTATION_H

#include <stdbool.h>

#include "config/config.h"
#include "config/url.h"

/* Rereads the files that the endpoint's URL and password came from, if they came from files, and takes over
 * user and password; anything else that changed waits for the next start: one run works on one database.
 * Returns whether anything was new. A file that cannot be read, or holds no URL, causes a warning and changes
 * nothing. */
bool endpoint_reread(const struct config *config, struct endpoint *endpoint);

#endif
