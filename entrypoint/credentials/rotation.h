/*
 * Credentials that change while we run: a Secret is rotated, its mounted file gets a new content.
 */
#ifndef CREDENTIALS_ROTATION_H
#define CREDENTIALS_ROTATION_H

#include <stdbool.h>

#include "config/config.h"
#include "config/url.h"

/* Reads the files that the endpoint's URL and its password came from once more, where they came from files,
 * and takes user and password over; whatever else has changed waits for the next start: one run works on one
 * database. Whether there was anything new. A file that can't be read now or holds no URL changes nothing and
 * is a warning. */
bool endpoint_reread(const struct config *config, struct endpoint *endpoint);

#endif
