/*
 * Keeping secrets out of every output: what is registered comes out as "***".
 *
 * It hides secrets, not words. One that is a word of this program, a number, or a name that is public anyway
 * (the user's, the database's) would destroy what is written, and its absence would tell it; so it is blanked
 * only where it stands as a value: behind "password=" and the like, or before the "@" of a URL.
 */
#ifndef BASE_REDACT_H
#define BASE_REDACT_H

#include <stddef.h>

#include "base/text.h"

/* From now on `secret` is blanked. One shorter than 3 bytes is not registered: it would blank half the log.
 */
void redact_register(const char *secret, size_t length);

/* What goes out as the header of basic authentication (RFC 7617): the password, and both as base64. */
void redact_register_login(struct slice user, struct slice password);

/* A name that may be seen, even if a secret is the same. NULL is none. */
void redact_spare(const char *name);

/* Blanks every registered secret inside `text`, in place; the result is never longer. */
void redact(char *text);

/* The same in a buffer, whose length is adjusted. */
void redact_text(struct text *text);

/* Wipes and forgets all secrets. */
void redact_clear(void);

#endif
