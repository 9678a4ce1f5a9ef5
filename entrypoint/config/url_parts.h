/*
 * A database URL taken apart, and the text of one that nobody can mean refused. Pure.
 *
 * Where a password holds a character that ends it (#, ?, /, @, :), the rest of the password would be read as
 * a host, a port, a database or a parameter, and be printed as such. So this is noticed here, before anything
 * is made of the parts, and no error quotes any of them.
 */
#ifndef CONFIG_URL_PARTS_H
#define CONFIG_URL_PARTS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

enum { URL_MOST = 16 * 1024 };

/* The parts, still encoded: slices of the URL. */
struct url_parts {
    struct slice user;
    struct slice password;
    struct slice hosts;
    struct slice database;
    struct slice query;
    bool has_login; /* there is an "@" */
    bool has_password;
    bool has_path;
};

/* Whether an "@" may stand as it is in the value of this parameter. */
typedef bool url_holds_at(struct slice key);

/* Takes a URL apart, after checking that its text can be one. ERROR_USAGE (P1013). */
must_use bool url_parts_read(const char *url, url_holds_at *holds_at, struct url_parts *out,
                             struct error *err);

/* The same without any check, for a text that contains "://". */
void url_parts_split(const char *url, struct url_parts *out);

/* Splits at the first `byte`; false, with nothing changed, if there is none. */
bool url_split(struct slice text, char byte, struct slice *before, struct slice *after);

/* Moves to the next parameter of a query; false at its end. Without "=" the value is empty. */
bool url_next_parameter(struct slice *query, struct slice *key, struct slice *value);

/* Percent-decodes; with `is_form` a plus is a space, as in the query. NULL for an invalid escape or a NUL
 * byte. */
char *url_decode(struct arena *arena, struct slice text, bool is_form);

/* ERROR_USAGE, P1013: "the database URL is invalid: WHY". Returns false. */
bool url_refuse(struct error *err, const char *why, const char *hint);

#endif
