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

/* Registers a web address whose path says who may call it, as a webhook's does: the whole of it, its path and
 * query, and each part of these that nobody would take for a word. */
void secret_register_web_address(struct arena *arena, const char *url);

/* Registers the passwords of the proxies that the environment names, and those addresses, well formed or not:
 * libcurl quotes what it cannot read. */
void secret_register_proxies(struct arena *arena, char *const *environment);

/* Whether a text may be, or hold, a database URL or a password, though it stands where none belongs: then no
 * message may quote it. */
bool secret_may_be_in(const char *text);

/* Refuses a word of the command line that a secret may be in, without quoting it: ERROR_USAGE. */
must_use bool secret_check_word(const char *word, struct error *err);

#endif
