#include "sql/name.h"

#include <string.h>

/* Whether a byte is not the first one of a UTF-8 character. */
static bool is_inside_character(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* Terminates a decoded name of `length` bytes, of which `rest` did not fit, without leaving half a character
 * at its end. */
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

bool name_scan_part(struct scanner *scanner, char name[IDENTIFIER_SIZE])
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

bool name_scan(struct scanner *scanner, char schema[IDENTIFIER_SIZE], char name[IDENTIFIER_SIZE])
{
    enum { PARTS_MOST = 3 };

    schema[0] = '\0';
    if (!name_scan_part(scanner, name))
        return false;
    for (int parts = 1; scan_dot(scanner); parts++) {
        memcpy(schema, name, IDENTIFIER_SIZE);
        if (parts == PARTS_MOST || !name_scan_part(scanner, name))
            return false;
    }
    return true;
}

/* An object may also be named "if". */
bool name_scan_guard(struct scanner *scanner, bool is_negated)
{
    struct scanner ahead = *scanner;

    if (!scan_word(&ahead, "if") || (is_negated && !scan_word(&ahead, "not")) || !scan_word(&ahead, "exists"))
        return false;
    *scanner = ahead;
    return true;
}
