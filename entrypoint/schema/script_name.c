#include "schema/script_name.h"

#include <string.h>

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct slice after(struct slice text, size_t bytes)
{
    return (struct slice) { .at = text.at + bytes, .length = text.length - bytes };
}

/* Bytes up to the end of what a quote begins; all of them when it never ends. */
static size_t quoted_length(struct slice text, bool has_backslashes)
{
    char quote = text.at[0];
    size_t i = 1;

    for (; i < text.length; i++) {
        bool is_doubled = text.at[i] == quote && i + 1 < text.length && text.at[i + 1] == quote;

        if (is_doubled || (text.at[i] == '\\' && has_backslashes))
            i++;
        else if (text.at[i] == quote)
            return i + 1;
    }
    return text.length;
}

size_t identifier_length(struct slice text)
{
    size_t i = 0;

    if (text.length > 0 && text.at[0] == '"') {
        i = quoted_length(text, false);
        return i > 2 && text.at[i - 1] == '"' ? i : 0;
    }
    if (text.length == 0 || !is_letter(text.at[0]))
        return 0;
    while (i < text.length && (is_letter(text.at[i]) || is_digit(text.at[i]) || text.at[i] == '$'))
        i++;
    return i;
}

/* The end of the last part and its start. */
static size_t find_last(const char *name, size_t *parts, size_t *last)
{
    struct slice rest = slice_of(name);
    size_t end = 0;

    *parts = *last = 0;
    for (;;) {
        size_t length = identifier_length(after(rest, end));

        if (length == 0)
            return end;
        *last = end;
        end += length;
        ++*parts;
        if (name[end] != '.')
            return end;
        end++;
    }
}

bool name_has_parts(const char *name, size_t count)
{
    size_t parts;
    size_t last;
    size_t end = find_last(name, &parts, &last);

    return parts == count && name[end] == '\0';
}

struct slice name_qualifier(const char *name)
{
    size_t parts;
    size_t last;

    find_last(name, &parts, &last);
    return (struct slice) { .at = name, .length = last == 0 ? 0 : last - 1 };
}

const char *name_last(const char *name)
{
    size_t parts;
    size_t last;

    find_last(name, &parts, &last);
    return name + last;
}

struct slice name_without_arguments(const char *name)
{
    size_t parts;
    size_t last;

    return (struct slice) { .at = name, .length = find_last(name, &parts, &last) };
}

/* Bytes of the next thing that is read as a whole. */
static size_t token_length(struct slice text, bool is_after_e)
{
    size_t length = identifier_length(text);

    if (length > 0)
        return length;
    if (text.at[0] == '\'' || text.at[0] == '"')
        return quoted_length(text, text.at[0] == '\'' && is_after_e);
    for (length = 0;
         length < text.length && (is_digit(text.at[length]) || (length > 0 && is_letter(text.at[length])));)
        length++;
    return length > 0 ? length : 1;
}

static bool is_escape(struct slice token)
{
    return token.length == 1 && (*token.at == 'E' || *token.at == 'e');
}

/* Goes on to the next token; false at the end. */
static bool next_token(struct slice *rest, struct slice *token)
{
    bool is_after_e = token->at != NULL && is_escape(*token);

    if (rest->length == 0)
        return false;
    *token = (struct slice) { .at = rest->at, .length = token_length(*rest, is_after_e) };
    *rest = after(*rest, token->length);
    return true;
}

size_t parenthesis_length(struct slice text)
{
    struct slice token = { .at = NULL };
    struct slice rest = text;
    size_t depth = 0;

    if (text.length == 0 || *text.at != '(')
        return 0;
    while (next_token(&rest, &token)) {
        depth += *token.at == '(';
        depth -= *token.at == ')';
        if (depth == 0)
            return text.length - rest.length;
    }
    return 0;
}

const char *text_find_outside(const char *text, const char *wanted)
{
    struct slice token = { .at = NULL };
    struct slice rest = slice_of(text);
    int depth = 0;

    while (rest.length > 0) {
        if (depth == 0 && slice_starts_with(rest, wanted))
            return rest.at;
        next_token(&rest, &token);
        depth += *token.at == '(' || *token.at == '[';
        depth -= *token.at == ')' || *token.at == ']';
    }
    return NULL;
}

/* A constant is looked into once: a quote in it is a character like any other. */
static void walk(struct slice text, bool is_constant, name_mention *mention, void *context)
{
    struct slice token = { .at = NULL };
    struct slice rest = text;

    while (next_token(&rest, &token)) {
        struct slice pair = { .at = token.at };

        if (*token.at == '\'' && !is_constant) {
            walk((struct slice) { .at = token.at + 1, .length = token.length - 1 }, true, mention, context);
            continue;
        }
        if (*token.at == '\'' || *token.at == '"')
            rest = identifier_length(token) > 0 ? rest : after(text, (size_t)(token.at - text.at) + 1);
        if (identifier_length(token) == 0)
            continue;
        if (rest.length > 1 && *rest.at == '.' && identifier_length(after(rest, 1)) > 0)
            pair.length = token.length + 1 + identifier_length(after(rest, 1));
        mention(context, token, pair);
    }
}

void names_mentioned(struct slice text, name_mention *mention, void *context)
{
    walk(text, false, mention, context);
}

struct search {
    const char *identifier;
    bool is_found;
};

static void compare(void *context, struct slice identifier, struct slice pair)
{
    struct search *search = context;

    (void)pair;
    search->is_found = search->is_found || slice_equals(identifier, search->identifier);
}

bool text_mentions(const char *text, const char *identifier)
{
    struct search search = { .identifier = identifier };

    names_mentioned(slice_of(text), compare, &search);
    return search.is_found;
}
