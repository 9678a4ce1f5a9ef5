/*
 * What a list says of a tenant: a row of a CSV file, a mapping of a YAML file, a row of a query.
 */
#ifndef TENANTS_ROW_H
#define TENANTS_ROW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/memory.h"
#include "tenants/tenant.h"

enum tenant_column {
    COLUMN_NAME,
    COLUMN_URL,
    COLUMN_DATABASE,
    COLUMN_SCHEMA,
    COLUMNS_OF_QUERY, /* a query may return those before */
    COLUMN_URL_FILE = COLUMNS_OF_QUERY,
    COLUMN_USER,
    COLUMN_PASSWORD_FILE,
    TENANT_COLUMNS
};

extern const char *const TENANT_COLUMN_NAMES[];

enum { TENANTS_MOST = 100000 };

#define TENANT_COLUMNS_HINT                                                                                  \
    "The columns are name, and url, url_file, database or schema; user and password_file may be added."

/* A place in the file, from 1. */
struct spot {
    unsigned line; /* 0 = there is no file */
    unsigned column;
};

struct tenant_row {
    const char *values[TENANT_COLUMNS]; /* NULL or empty = not given */
    struct spot spots[TENANT_COLUMNS];
    struct spot begin;
    bool is_there; /* the server itself has listed it */
};

/* Where the rows come from: a file's name, or what asked for them. */
struct tenant_rows {
    const char *source;
    struct tenant_row *items;
    size_t count;
    size_t capacity;
};

/* Adds an empty row. ERROR_USAGE beyond TENANTS_MOST. */
must_use struct tenant_row *row_add(struct arena *arena, struct tenant_rows *rows, struct spot begin,
                                    struct error *err);

/* The column of that name, in any case; one of the first `count`. ERROR_USAGE without a place. */
must_use bool row_column(const char *name, size_t count, enum tenant_column *out, struct error *err);

/* Points the error at the place. No line is shown: it may hold a password. Returns false. */
bool row_point(const char *source, struct spot spot, struct error *err);

/* Checks a row; reads the files that it names. ERROR_USAGE. */
must_use bool row_tenant(struct arena *arena, const struct tenant_rows *rows, size_t index,
                         struct tenant *out, struct error *err);

#endif
