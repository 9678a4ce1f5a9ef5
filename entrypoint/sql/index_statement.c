#include "sql/index_statement.h"

#include <string.h>

#include "sql/scan.h"

/* Whether a byte is not the first one of a UTF-8 character. */
static bool is_inside_character(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* Ends a decoded name of `length` bytes, of which `rest` did not fit: no half character stays at its end. */
static void finish_name(char name[IDENTIFIER_SIZE], struct slice rest, size_t length)
{
    if (rest.length > 0 && is_inside_character(rest.at[0])) {
        while (length > 0 && is_inside_character(name[length - 1]))
            length--;
        if (length > 0)
            length--;
    }
    name[length] = '\0';
}

static char to_lower(char byte)
{
    return (char)(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte);
}

/* Takes one identifier: as it is written between quotes, in lower case otherwise. */
static bool read_identifier(struct scanner *scanner, char name[IDENTIFIER_SIZE])
{
    struct token token = scan_token(scanner);
    struct slice text = scanner_text(scanner, token);
    bool is_quoted = token.kind == TOKEN_QUOTED_NAME;
    size_t length = 0;

    if (token.kind != TOKEN_WORD && (!is_quoted || text.at[0] != '"'))
        return false;
    if (is_quoted)
        text = (struct slice) { .at = text.at + 1, .length = text.length - 2 };
    while (text.length > 0 && length < IDENTIFIER_SIZE - 1) {
        size_t step = is_quoted && text.at[0] == '"' ? 2 : 1;

        name[length++] = is_quoted ? text.at[0] : to_lower(text.at[0]);
        text.at += step;
        text.length -= step;
    }
    finish_name(name, text, length);
    return name[0] != '\0';
}

static bool scan_dot(struct scanner *scanner)
{
    struct scanner ahead = *scanner;

    if (scan_token(&ahead).kind != TOKEN_DOT)
        return false;
    *scanner = ahead;
    return true;
}

/* Takes name, schema.name or database.schema.name. */
static bool read_name(struct scanner *scanner, char schema[IDENTIFIER_SIZE], char name[IDENTIFIER_SIZE])
{
    enum { PARTS_MOST = 3 };

    schema[0] = '\0';
    if (!read_identifier(scanner, name))
        return false;
    for (int parts = 1; scan_dot(scanner); parts++) {
        memcpy(schema, name, IDENTIFIER_SIZE);
        if (parts == PARTS_MOST || !read_identifier(scanner, name))
            return false;
    }
    return true;
}

/* Takes IF EXISTS, or IF NOT EXISTS; an index may also be called "if". */
static bool scan_guard(struct scanner *scanner, bool is_negated)
{
    struct scanner ahead = *scanner;

    if (!scan_word(&ahead, "if") || (is_negated && !scan_word(&ahead, "not")) || !scan_word(&ahead, "exists"))
        return false;
    *scanner = ahead;
    return true;
}

static bool read_create(struct scanner *scanner, struct index_statement *out)
{
    out->is_unique = scan_word(scanner, "unique");
    if (!scan_word(scanner, "index"))
        return false;
    out->is_concurrent = scan_word(scanner, "concurrently");
    out->has_guard = scan_guard(scanner, true);
    if (!scan_word(scanner, "on") && (!read_identifier(scanner, out->name) || !scan_word(scanner, "on")))
        return false;
    (void)scan_word(scanner, "only");
    return read_name(scanner, out->table_schema, out->table);
}

static bool read_drop(struct scanner *scanner, struct index_statement *out)
{
    struct token next;

    out->is_drop = true;
    if (!scan_word(scanner, "index"))
        return false;
    out->is_concurrent = scan_word(scanner, "concurrently");
    out->has_guard = scan_guard(scanner, false);
    if (!read_name(scanner, out->schema, out->name))
        return false;
    next = scan_token(scanner);
    return next.kind == TOKEN_END || next.kind == TOKEN_WORD || next.kind == TOKEN_SEMICOLON;
}

bool index_statement_parse(struct slice statement, struct index_statement *out)
{
    struct scanner scanner = scanner_of(statement, true);
    struct index_statement found = { .is_drop = false };

    if (scan_word(&scanner, "create") ? !read_create(&scanner, &found)
                                      : !scan_word(&scanner, "drop") || !read_drop(&scanner, &found))
        return false;
    *out = found;
    return true;
}
