#include "dialect/goose_variable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MOST = 64, NUMBER_MOST = 24, MESSAGE_MOST = 512 };

/* A line being read; recursion follows its nested braces. */
struct reader {
    struct slice line;
    size_t at;
    unsigned depth;
    const char *(*variable)(const char *name);
    struct error *err;
};

static char peek(const struct reader *reader)
{
    return reader->at < reader->line.length ? reader->line.at[reader->at] : '\0';
}

static bool is_next(const struct reader *reader, const char *text)
{
    size_t length = strlen(text);

    return reader->line.length - reader->at >= length &&
           memcmp(reader->line.at + reader->at, text, length) == 0;
}

static bool take(struct reader *reader, char byte)
{
    if (peek(reader) != byte || reader->at == reader->line.length)
        return false;
    reader->at++;
    return true;
}

static bool refuse(const struct reader *reader, const char *what)
{
    error_set(reader->err, ERROR_CLEAN, "%s", what);
    return error_hint(
        reader->err,
        "Write ${NAME}, ${NAME:-text}, ${NAME-text}, ${NAME?text} or ${NAME:from:length}, and $$ "
        "for a dollar sign; or put \"-- +goose ENVSUB OFF\" before this line.");
}

/* Letters of other scripts count as well: all that is not ASCII is taken for one. */
static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (unsigned char)byte >= 0x80;
}

static bool read_name(struct reader *reader, struct text *name)
{
    size_t start = reader->at;

    if (!is_letter(peek(reader)))
        return refuse(reader, "a dollar sign is not followed by a variable's name");
    while (is_letter(peek(reader)) || peek(reader) == '_' || (peek(reader) >= '0' && peek(reader) <= '9'))
        reader->at++;
    text_add(name, reader->line.at + start, reader->at - start);
    return true;
}

static bool read_text(struct reader *reader, bool is_nested, struct text *out);

/* What follows an operator, up to the brace. Wanted or not, it must be well-formed. */
static bool read_alternative(struct reader *reader, bool is_wanted, struct text *out)
{
    auto_text struct text unwanted = text_init(out->most);

    return read_text(reader, true, is_wanted ? out : &unwanted);
}

static bool read_required(struct reader *reader, const char *name, const char *value, struct text *out)
{
    auto_text struct text message = text_init(MESSAGE_MOST);

    if (!read_alternative(reader, value == NULL, &message))
        return false;
    if (value == NULL) {
        error_set(reader->err, ERROR_CLEAN, "the variable %s is not set%s%s", name,
                  message.length == 0 ? "" : ": ", message.at);
        return error_hint(reader->err, "Set %s in the environment.", name);
    }
    text_add_string(out, value);
    return true;
}

static bool read_number(struct reader *reader, const char *ends, long long *out)
{
    char digits[NUMBER_MOST];
    size_t start = reader->at;
    struct slice said;
    char *end;

    while (reader->at < reader->line.length && strchr(ends, peek(reader)) == NULL)
        reader->at++;
    said = slice_trim((struct slice) { reader->line.at + start, reader->at - start });
    if (said.length > 0 && said.length < sizeof digits) {
        memcpy(digits, said.at, said.length);
        digits[said.length] = '\0';
        errno = 0;
        *out = strtoll(digits, &end, 10);
        if (*end == '\0' && errno == 0 && strpbrk(digits, "0123456789") != NULL)
            return true;
    }
    return refuse(reader, "what follows a variable's colon is not a number");
}

static size_t within(long long at, size_t length)
{
    if (at < 0)
        at += (long long)length;
    if (at < 0)
        return 0;
    return at > (long long)length ? length : (size_t)at;
}

static bool read_part(struct reader *reader, const char *value, struct text *out)
{
    const size_t length = value == NULL ? 0 : strlen(value);
    long long offset = 0;
    long long count = 0;
    size_t from;
    size_t to = length;

    if (!read_number(reader, ":}", &offset))
        return false;
    from = within(offset, length);
    if (take(reader, ':')) {
        if (!read_number(reader, "}", &count))
            return false;
        if (count < 0 || (unsigned long long)count < length - from)
            to = count < 0 ? within(count, length) : from + (size_t)count;
    }
    if (value != NULL && to > from)
        text_add(out, value + from, to - from);
    return true;
}

static bool read_braces(struct reader *reader, struct text *out)
{
    auto_text struct text name = text_init(reader->line.length + 1);
    const char *value;
    bool is_read;

    if (!read_name(reader, &name))
        return false;
    value = reader->variable(name.at);
    if (is_next(reader, ":-")) {
        reader->at += strlen(":-");
        is_read = read_alternative(reader, value == NULL || value[0] == '\0', out);
        if (value != NULL)
            text_add_string(out, value);
    } else if (take(reader, '-')) {
        is_read = read_alternative(reader, value == NULL, out);
        if (value != NULL)
            text_add_string(out, value);
    } else if (take(reader, '?')) {
        is_read = read_required(reader, name.at, value, out);
    } else if (take(reader, ':')) {
        is_read = read_part(reader, value, out);
    } else {
        is_read = true;
        if (value != NULL)
            text_add_string(out, value);
    }
    return is_read &&
           (take(reader, '}') || refuse(reader, "a variable's braces are not as goose reads them"));
}

static bool read_variable(struct reader *reader, struct text *out)
{
    auto_text struct text name = text_init(reader->line.length + 1);
    const char *value;
    bool is_read;

    reader->at++;
    if (take(reader, '{')) {
        if (reader->depth == DEPTH_MOST)
            return refuse(reader, "too many braces in each other");
        reader->depth++;
        is_read = read_braces(reader, out);
        reader->depth--;
        return is_read;
    }
    if (!read_name(reader, &name))
        return false;
    value = reader->variable(name.at);
    if (value != NULL)
        text_add_string(out, value);
    return true;
}

/* A dollar sign at the end is one. */
static bool read_text(struct reader *reader, bool is_nested, struct text *out)
{
    while (reader->at < reader->line.length && !(is_nested && peek(reader) == '}')) {
        size_t length = 1;

        if (is_next(reader, "\\\\") || is_next(reader, "$(")) {
            length = 2;
        } else if (is_next(reader, "\\$") || is_next(reader, "$$")) {
            text_add(out, "$", 1);
            reader->at += 2;
            continue;
        } else if (peek(reader) == '$' && reader->at + 1 < reader->line.length) {
            if (!read_variable(reader, out))
                return false;
            continue;
        }
        text_add(out, reader->line.at + reader->at, length);
        reader->at += length;
    }
    return true;
}

bool goose_variables_replace(struct slice line, const char *(*variable)(const char *name), struct text *out,
                             struct error *err)
{
    struct reader reader = { .line = line, .variable = variable, .err = err };

    return read_text(&reader, false, out);
}
