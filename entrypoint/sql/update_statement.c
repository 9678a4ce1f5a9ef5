#include "sql/update_statement.h"

#include <string.h>

#include "sql/scan.h"

static bool refuse(const char *what, struct error *err)
{
    return error_set(err, ERROR_CLEAN, "a backfill must be one plain UPDATE, but this %s", what);
}

static bool is_byte(const struct scanner *scanner, struct token token, const char *byte)
{
    return token.kind == TOKEN_OTHER && slice_equals(scanner_text(scanner, token), byte);
}

/* 1 for an opening parenthesis or bracket, -1 for a closing one. */
static int step_of(const struct scanner *scanner, struct token token)
{
    if (token.kind == TOKEN_OPEN || is_byte(scanner, token, "["))
        return 1;
    return token.kind == TOKEN_CLOSE || is_byte(scanner, token, "]") ? -1 : 0;
}

/* Takes ONLY and the table's name, which may stand in parentheses after ONLY. */
static bool read_table(struct scanner *scanner, struct update_statement *out)
{
    struct scanner ahead;
    bool is_enclosed;

    out->is_only = scan_word(scanner, "only");
    ahead = *scanner;
    is_enclosed = out->is_only && scan_token(&ahead).kind == TOKEN_OPEN;
    if (is_enclosed)
        *scanner = ahead;
    return name_scan(scanner, out->schema, out->table) &&
           (!is_enclosed || scan_token(scanner).kind == TOKEN_CLOSE);
}

/* Takes what is between the table's name and SET. */
static bool read_alias(struct scanner *scanner, struct update_statement *out)
{
    struct scanner ahead = *scanner;

    if (is_byte(&ahead, scan_token(&ahead), "*"))
        *scanner = ahead;
    memcpy(out->alias, out->table, sizeof out->alias);
    if (scan_word(scanner, "set"))
        return true;
    (void)scan_word(scanner, "as");
    return name_scan_part(scanner, out->alias) && scan_word(scanner, "set");
}

/* Takes a column with the fields and subscripts after it. */
static bool read_column(struct scanner *scanner, struct update_statement *out)
{
    struct scanner ahead;
    int depth = 0;

    if (out->column_count == UPDATE_COLUMNS_MOST ||
        !name_scan_part(scanner, out->columns[out->column_count++]))
        return false;
    for (ahead = *scanner;; *scanner = ahead) {
        struct token token = scan_token(&ahead);

        if (token.kind == TOKEN_END)
            return false;
        if (token.kind == TOKEN_DOT && depth == 0)
            (void)scan_token(&ahead);
        else if (depth == 0 && !is_byte(&ahead, token, "["))
            return true;
        depth += step_of(&ahead, token);
    }
}

/* Takes the target of one assignment, a column or several in parentheses, and the equals sign. */
static bool read_target(struct scanner *scanner, struct update_statement *out)
{
    struct scanner ahead = *scanner;
    struct token token;

    if (scan_token(&ahead).kind != TOKEN_OPEN)
        return read_column(scanner, out) && is_byte(scanner, scan_token(scanner), "=");
    *scanner = ahead;
    do {
        if (!read_column(scanner, out))
            return false;
        token = scan_token(scanner);
    } while (is_byte(scanner, token, ","));
    return token.kind == TOKEN_CLOSE && is_byte(scanner, scan_token(scanner), "=");
}

/* After WHERE. A column may be called "current". */
static bool read_where(struct scanner *scanner, struct token where, struct update_statement *out,
                       struct error *err)
{
    struct scanner ahead = *scanner;

    out->has_where = true;
    out->where = where.end;
    return !(scan_word(&ahead, "current") && scan_word(&ahead, "of")) || refuse("uses a cursor", err);
}

/* The clauses at the top level, as far as they matter. */
enum clause { CLAUSE_NONE, CLAUSE_FROM, CLAUSE_WHERE, CLAUSE_RETURNING };

/* The clause that a token begins. FROM also ends IS DISTINCT FROM. */
static enum clause clause_of(const struct scanner *scanner, struct token token, struct token before)
{
    if (scanner_is_word(scanner, token, "from"))
        return scanner_is_word(scanner, before, "distinct") ? CLAUSE_NONE : CLAUSE_FROM;
    if (scanner_is_word(scanner, token, "where"))
        return CLAUSE_WHERE;
    return scanner_is_word(scanner, token, "returning") ? CLAUSE_RETURNING : CLAUSE_NONE;
}

/* The next token outside parentheses and brackets; *before becomes the one before it. A dot after a number is
 * the number's; after any other, each word is a field's name. */
static struct token next_outside(struct scanner *scanner, struct token *before)
{
    struct token last = *before;
    int depth = 0;

    for (;;) {
        struct token token = scan_token(scanner);

        if (token.kind == TOKEN_DOT && last.kind == TOKEN_NUMBER && last.end == token.start)
            continue;
        *before = last;
        if (token.kind == TOKEN_END)
            return token;
        if (token.kind == TOKEN_WORD && last.kind == TOKEN_DOT)
            token.kind = TOKEN_QUOTED_NAME;
        last = token;
        if (depth == 0 && step_of(scanner, token) <= 0)
            return token;
        depth += step_of(scanner, token);
    }
}

/* Continues after a target until the statement ends. */
static bool read_rest(struct scanner *scanner, struct update_statement *out, struct error *err)
{
    enum clause reached = CLAUSE_NONE;
    struct token token = { .kind = TOKEN_END };
    struct token before = token;

    for (;;) {
        enum clause clause;

        before = token;
        token = next_outside(scanner, &before);
        if (token.kind == TOKEN_END)
            return true;
        if (reached == CLAUSE_NONE && is_byte(scanner, token, ",") && !read_target(scanner, out))
            return refuse("sets too many columns, or something other than a column", err);
        clause = clause_of(scanner, token, before);
        if (clause == CLAUSE_RETURNING)
            return refuse("returns rows", err);
        if (clause == CLAUSE_WHERE && !out->has_where && !read_where(scanner, token, out, err))
            return false;
        if (clause != CLAUSE_NONE)
            reached = clause;
    }
}

bool update_statement_parse(struct slice statement, bool has_standard_strings, struct update_statement *out,
                            struct error *err)
{
    struct scanner scanner = scanner_of(statement, has_standard_strings);
    struct update_statement found = { .has_where = false };

    if (!scan_word(&scanner, "update"))
        return refuse("is something else", err);
    if (!read_table(&scanner, &found) || !read_alias(&scanner, &found) || !read_target(&scanner, &found))
        return refuse("could not be parsed", err);
    if (!read_rest(&scanner, &found, err))
        return false;
    *out = found;
    return true;
}

/* Whether exactly "column IS NULL" comes next, for an assigned column, and then AND or the end. */
static bool read_is_null(struct scanner *scanner, const struct update_statement *update)
{
    struct scanner ahead = *scanner;
    char qualifier[IDENTIFIER_SIZE];
    char column[IDENTIFIER_SIZE];
    bool is_set = false;

    if (!name_scan(&ahead, qualifier, column) ||
        (qualifier[0] != '\0' && strcmp(qualifier, update->alias) != 0))
        return false;
    for (size_t i = 0; i < update->column_count; i++)
        is_set |= strcmp(update->columns[i], column) == 0;
    if (!is_set || !scan_word(&ahead, "is") || !scan_word(&ahead, "null"))
        return false;
    *scanner = ahead;
    return scan_word(scanner, "and") || scan_token(&ahead).kind == TOKEN_END;
}

bool update_statement_is_repeatable(struct slice statement, bool has_standard_strings,
                                    const struct update_statement *update)
{
    struct scanner scanner = scanner_of(statement, has_standard_strings);
    struct token token = { .kind = TOKEN_END };
    struct token before = token;
    bool is_repeatable;
    bool is_either = false;

    if (!update->has_where)
        return false;
    scanner.offset = update->where;
    is_repeatable = read_is_null(&scanner, update);
    while (before = token, token = next_outside(&scanner, &before), token.kind != TOKEN_END) {
        is_either |= scanner_is_word(&scanner, token, "or") || scanner_is_word(&scanner, token, "between");
        is_repeatable |= scanner_is_word(&scanner, token, "and") && read_is_null(&scanner, update);
    }
    return is_repeatable && !is_either;
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
