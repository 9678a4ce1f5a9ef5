#include "sql/directive_mark.h"

#include <string.h>

static const char MARK[] = "tidelock:";
enum { MARK_LENGTH = sizeof MARK - 1, NAME_LENGTH = MARK_LENGTH - 1 };

static const char BLANKS[] = " \t\r\n\v\f";
/* "--- tidelock" and a box of asterisks. */
static const char ORNAMENTS[] = " \t\r\n\v\f-*#!/=";
/* What ends the name, and may have been meant as the colon. */
static const char SEPARATORS[] = " \t\r\n\v\f:;=,";

static struct slice without(struct slice text, const char *bytes)
{
    while (text.length > 0 && strchr(bytes, text.at[0]) != NULL) {
        text.at++;
        text.length--;
    }
    return text;
}

static struct slice first_line(struct slice text)
{
    const char *end = memchr(text.at, '\n', text.length);

    if (end != NULL)
        text.length = (size_t)(end - text.at);
    return slice_trim(text);
}

static bool is_mark(struct slice text, size_t length)
{
    return text.length >= length &&
           slice_equals_ignoring_case((struct slice) { .at = text.at, .length = length },
                                      length == MARK_LENGTH ? MARK : "tidelock");
}

struct directive_mark directive_mark_of(struct slice comment)
{
    bool is_block = comment.at[0] == '/';
    struct slice body = { .at = comment.at + 2, .length = comment.length - 2 };
    struct slice plain;
    struct slice text;
    struct slice rest;
    struct directive_mark mark = { .is_named = false };

    if (is_block && body.length >= 2 && memcmp(body.at + body.length - 2, "*/", 2) == 0)
        body.length -= 2;
    plain = without(body, BLANKS);
    text = without(plain, ORNAMENTS);
    if (!is_mark(text, NAME_LENGTH))
        return mark;
    rest = (struct slice) { .at = text.at + NAME_LENGTH, .length = text.length - NAME_LENGTH };
    mark.is_named = rest.length == 0 || strchr(SEPARATORS, rest.at[0]) != NULL;
    mark.has_colon = is_mark(text, MARK_LENGTH);
    mark.is_directive =
        mark.has_colon && !is_block && text.at == plain.at && memcmp(text.at, MARK, MARK_LENGTH) == 0;
    mark.words =
        first_line(mark.is_directive ? (struct slice) { .at = rest.at + 1, .length = rest.length - 1 }
                                     : without(rest, SEPARATORS));
    return mark;
}

bool directive_mark_occurs(struct slice text)
{
    const char *end = text.at + text.length;
    const char *at = text.at;

    while (at < end && (at = memchr(at, ':', (size_t)(end - at))) != NULL) {
        at++;
        if (at - text.at >= MARK_LENGTH &&
            is_mark((struct slice) { .at = at - MARK_LENGTH, .length = MARK_LENGTH }, MARK_LENGTH))
            return true;
    }
    return false;
}
