/*
 * Secrets from mounted files (NAME_FILE), and how all secrets are kept out of the output.
 */
#ifndef CONFIG_SECRET_H
#define CONFIG_SECRET_H

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

/* Reads the secret that the variable `name` (DATABASE_URL_FILE) names by `path`: one line, without its line
 * end. `out` is made by the caller with text_init(SECRET_BYTES_MOST) and is_secret set. ERROR_USAGE. */
must_use bool secret_read(const char *name, const char *path, struct text *out, struct error *err);

enum { SECRET_BYTES_MOST = 64 * 1024 };

/* Registers a database URL with the redactor: the whole of it and the password in it, encoded and decoded. */
void secret_register_url(struct arena *arena, const char *url);

/* … or only the password in it, if the rest is not secret. */
void secret_register_password(struct arena *arena, const char *url);

/* Whether a text may be, or hold, a database URL or a password, though it stands where none belongs: then no
 * message may quote it. */
bool secret_may_be_in(const char *text);

/* Refuses a word of the command line that a secret may be in, without quoting it: ERROR_USAGE. */
must_use bool secret_check_word(const char *word, struct error *err);

#endif
