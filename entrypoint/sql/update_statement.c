#include "sql/update_statement.h"

#include <string.h>

#include "sql/scan.h"

static bool refuse(const char *what, struct error *err)
{
    return error_set(err, ERROR_CLEAN, "a backfill must be one plain UPDATE, but this %s", what);
}

/* Takes what is between the table's name and SET. */
static bool read_alias(struct scanner *scanner, struct update_statement *out)
{
    struct scanner ahead = *scanner;

    if (slice_equals(scanner_text(&ahead, scan_token(&ahead)), "*"))
        *scanner = ahead;
    memcpy(out->alias, out->table, sizeof out->alias);
    if (scan_word(scanner, "set"))
        return true;
    (void)scan_word(scanner, "as");
    return name_scan_part(scanner, out->alias) && scan_word(scanner, "set");
}

static bool add_column(struct scanner *scanner, struct update_statement *out)
{
    return out->column_count < UPDATE_COLUMNS_MOST &&
           name_scan_part(scanner, out->columns[out->column_count++]);
}

/* Takes the target of one assignment: a column, or several in parentheses. */
static bool read_target(struct scanner *scanner, struct update_statement *out)
{
    struct scanner ahead = *scanner;

    if (scan_token(&ahead).kind != TOKEN_OPEN)
        return add_column(scanner, out);
    *scanner = ahead;
    do {
        if (!add_column(scanner, out))
            return false;
        ahead = *scanner;
    } while (slice_equals(scanner_text(scanner, scan_token(scanner)), ","));
    return scan_token(&ahead).kind == TOKEN_CLOSE;
}

/* After WHERE. */
static bool read_where(struct scanner *scanner, struct token where, struct update_statement *out,
                       struct error *err)
{
    out->has_where = true;
    out->where = where.end;
    return !scan_word(scanner, "current") || refuse("uses a cursor", err);
}

/* Continues after a target until the statement ends or its condition begins. */
static bool read_rest(struct scanner *scanner, struct update_statement *out, struct error *err)
{
    bool is_setting = true; /* not in FROM */
    size_t depth = 0;

    for (;;) {
        struct token token = scan_token(scanner);

        if (token.kind == TOKEN_END)
            return true;
        depth += token.kind == TOKEN_OPEN;
        depth -= token.kind == TOKEN_CLOSE && depth > 0;
        if (depth > 0)
            continue;
        if (is_setting && slice_equals(scanner_text(scanner, token), ",") && !read_target(scanner, out))
            return refuse("sets too many columns, or something other than a column", err);
        is_setting &= !scanner_is_word(scanner, token, "from") && !scanner_is_word(scanner, token, "where");
        if (scanner_is_word(scanner, token, "returning"))
            return refuse("returns rows", err);
        if (!out->has_where && scanner_is_word(scanner, token, "where") &&
            !read_where(scanner, token, out, err))
            return false;
    }
}

bool update_statement_parse(struct slice statement, struct update_statement *out, struct error *err)
{
    struct scanner scanner = scanner_of(statement, true);
    struct update_statement found = { .has_where = false };

    if (!scan_word(&scanner, "update"))
        return refuse("is something else", err);
    (void)scan_word(&scanner, "only");
    if (!name_scan(&scanner, found.schema, found.table) || !read_alias(&scanner, &found) ||
        !read_target(&scanner, &found))
        return refuse("could not be parsed", err);
    if (!read_rest(&scanner, &found, err))
        return false;
    *out = found;
    return true;
}

void update_statement_add(struct slice statement, const struct update_statement *update, const char *range,
                          struct text *out)
{
    if (!update->has_where) {
        text_add(out, statement.at, statement.length);
        text_add_format(out, "\nWHERE %s", range);
        return;
    }
    text_add(out, statement.at, update->where);
    text_add_format(out, " (%.*s\n) AND %s", (int)(statement.length - update->where),
                    statement.at + update->where, range);
}
