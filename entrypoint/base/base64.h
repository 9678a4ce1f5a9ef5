/*
 * Base64 (RFC 4648), with its padding. Pure.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>

#include "base/text.h"

/* `is_for_url` takes the alphabet of section 5. Nothing gives nothing. */
void base64_add(struct slice bytes, bool is_for_url, struct text *out);

#endif
