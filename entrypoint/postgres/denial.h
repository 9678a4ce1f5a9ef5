/*
 * A missing privilege (42501): what to type, spelt out.
 *
 * The server's message names the kind of object and its name, without a schema; which privileges are missing,
 * and whose the object is, the catalog says. Messages in another language are not understood.
 */
#ifndef POSTGRES_DENIAL_H
#define POSTGRES_DENIAL_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "postgres/connection.h"

enum denial_kind {
    DENIAL_RELATION, /* a table, view or the like */
    DENIAL_SEQUENCE,
    DENIAL_SCHEMA,
    DENIAL_DATABASE,
    DENIAL_ROUTINE,
    DENIAL_TYPE,
    DENIAL_LANGUAGE,
    DENIAL_WRAPPER, /* foreign-data wrapper */
    DENIAL_SERVER,  /* foreign server */
    DENIAL_TABLESPACE,
    DENIAL_PARAMETER,
    DENIAL_EXTENSION, /* it may not be created */
    DENIAL_CREATE_ROLE,
    DENIAL_CREATE_DATABASE,
    DENIAL_MEMBER, /* of a role */
    DENIAL_OWNER,  /* of a relation */
    DENIAL_OWNER_OF_SCHEMA,
    DENIAL_OWNER_OF_OTHER,
    DENIAL_SUPERUSER,
    DENIALS
};

enum { DENIAL_NAME_SIZE = 128 };

/* Reads the server's message, whatever stands before it. False for one that it does not know. Pure. */
must_use bool denial_parse(const char *message, enum denial_kind *kind, char name[DENIAL_NAME_SIZE]);

/* Adds the privileges that a statement may need of a relation, schema or database, by its words, as an array
 * for the server; all of them for an empty statement. Pure. */
void denial_add_privileges(enum denial_kind kind, struct slice statement, struct text *out);

/* Adds what gives the session's role what it lacks, as one sentence: "As its owner or a superuser: GRANT …;".
 * `statement` is what was refused, as far as known. Nothing for any other error, for a message that is not
 * understood, or in a failed transaction. One round trip. */
void denial_add_remedy(struct connection *conn, const struct error *err, struct slice statement,
                       struct text *out);

/* The same as the error's hint, in place of the general one. Returns false. */
bool denial_explain(struct connection *conn, const char *statement, struct error *err);

#endif
