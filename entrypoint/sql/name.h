/*
 * Names in statements, as the catalogs hold them: unquoted, in the case that the server uses, truncated where
 * it truncates them.
 */
#ifndef SQL_NAME_H
#define SQL_NAME_H

#include <stdbool.h>

#include "sql/scan.h"

/* A name in the catalogs is at most 63 bytes long; the server truncates a longer one, and so do we. */
enum { IDENTIFIER_SIZE = 64 };

/* Room for schema and name as quote_qualified() writes them, however many quotes have to be doubled. */
enum { QUALIFIED_NAME_SIZE = 2 * (2 * IDENTIFIER_SIZE + 2) };

/* Takes one identifier. False when there is none, or one written U&"…". */
must_use bool name_scan_part(struct scanner *scanner, char name[IDENTIFIER_SIZE]);

/* Takes name, schema.name or database.schema.name; `schema` is empty when it is not given. */
must_use bool name_scan(struct scanner *scanner, char schema[IDENTIFIER_SIZE], char name[IDENTIFIER_SIZE]);

/* Takes IF EXISTS, or IF NOT EXISTS with `is_negated`; false when it is not there. */
bool name_scan_guard(struct scanner *scanner, bool is_negated);

#endif
