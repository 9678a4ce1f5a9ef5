/*
 * What the transaction is told before the queries of the catalog: how the server is to write, and which
 * schemas and objects they look at. Of this room.
 */
#ifndef SCHEMA_CATALOG_SETTING_H
#define SCHEMA_CATALOG_SETTING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "schema/catalog.h"

enum { CATALOG_SETTINGS_MOST = 3 };

/* Of which server, and how much of it. */
struct catalog_extent {
    int major;
    bool is_alone;  /* one schema, and nothing of the database */
    bool is_narrow; /* few of many: one schema, or those beside the schemas of many others */
};

/* Adds what makes the session's settings no matter, as the beginning of a message. */
void catalog_add_session(int major, struct text *sql);

/* Adds that, and what sets what is looked at (catalog_sql.h); how many answers, without rows, that has. */
size_t catalog_add_settings(const struct catalog_request *wanted, const struct catalog_extent *extent,
                            struct text *sql);

/* Adds the condition that a schema, by its oid, has a ledger of somebody else's: `own_schema` must be
 * given. */
void catalog_add_neighbour(const struct catalog_request *wanted, const char *oid, struct text *sql);

/* Adds what of that is the same for every database, and which schema is read alone, for catalog_form(). */
void catalog_add_setting_form(const char *alone, struct text *sql);

#endif
