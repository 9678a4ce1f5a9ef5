/*
 * The key of a backfill: the columns that it walks along, and the values that say where it is.
 *
 * A value travels as text that is read the same under any setting of a session: it is written under settings
 * of ours (KEY_SETTINGS), the server proves for each that it reads back as the same value, and it is compared
 * as a constant of the column's type by the operators of the index. So the statement itself runs under its
 * own settings.
 */
#ifndef BACKFILL_KEY_H
#define BACKFILL_KEY_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "postgres/connection.h"
#include "postgres/query.h"
#include "sql/backfill.h"

enum { BACKFILL_SQL_MOST = 16 * 1024 * 1024, KEY_TYPE_SIZE = QUALIFIED_NAME_SIZE + 64 };

/* How values are written. lc_monetary has no setting under which money is read the same everywhere: it is
 * part of the identity instead. */
#define KEY_SETTINGS                                                                                         \
    "SET LOCAL DateStyle = 'ISO, YMD';SET LOCAL TimeZone = 'UTC';SET LOCAL IntervalStyle = 'iso_8601';"      \
    "SET LOCAL extra_float_digits = 3;SET LOCAL bytea_output = 'hex';"

struct key_column {
    char name[IDENTIFIER_SIZE];
    char type[KEY_TYPE_SIZE]; /* that of its constants: not a domain, and oid for regclass and the like */
    char operators[QUALIFIED_NAME_SIZE]; /* "OPERATOR(pg_catalog.": how those that compare it begin */
};

struct key_columns {
    struct key_column list[BACKFILL_KEYS_MOST];
    size_t count;
    bool is_number;       /* one numeric column, so it shows the progress */
    struct text identity; /* of the order: table, columns, types, collations */
};

/* The key of a row. */
struct backfill_key {
    bool is_known;
    size_t count;
    struct text array;                      /* its values as an array of text, for the journal */
    struct text values[BACKFILL_KEYS_MOST]; /* … and each as a constant of its type */
    double number;                          /* the first one, if it is a number */
};

/* Finds the columns: of an index of `table` (qualified and quoted) that begins with those of `wish`, or of
 * the best unique one. `out` is empty but for the buffer of its identity, and stays so if no index can be
 * used. */
must_use bool key_columns_read(struct connection *conn, const char *table, const struct backfill_wish *wish,
                               struct key_columns *out, struct error *err);
void key_columns_free(struct key_columns *columns);

/* Adds the result columns that make a key (KEY_PARTS of them), and one that says whether it reads back as
 * the same. `alias` is the table's. */
enum { KEY_PARTS = 1 + BACKFILL_KEYS_MOST };
void key_add_listed(const struct key_columns *columns, const char *alias, struct text *out);

/* Adds the columns, as for SELECT or ORDER BY. */
void key_add_order(const struct key_columns *columns, const char *alias, bool is_descending,
                   struct text *out);

/* Reads the key in `row` from `column` on; unknown when it is null. Frees the old content. */
void key_take(const struct key_columns *columns, const struct result *result, int row, int column,
              struct backfill_key *key);
void key_copy(const struct backfill_key *from, struct backfill_key *to);
void key_free(struct backfill_key *key);

/* "'7'", or "('a', '7')": for people. */
void key_describe(const struct backfill_key *key, struct text *out);

/* Which rows: those after `after` (if it is known) up to `until` (if that is given). */
struct key_range {
    const struct backfill_key *after;
    const struct backfill_key *until;
};

/* Adds the condition, in parentheses. */
void key_add_range(const struct key_columns *columns, const char *alias, struct key_range range,
                   struct text *out);

#endif
