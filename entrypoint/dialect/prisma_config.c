#include "dialect/prisma_config.h"

#include <string.h>

#include "base/json.h"

enum token {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_STRING,
    TOKEN_MARK, /* one byte of anything else */
    TOKEN_BAD /* what only a whole parser tells apart: a division, a regular expression; or what never ends */
};

struct scan {
    struct arena *arena; /* of what is found */
    const char *at;
    const char *end;
    enum token token;  /* the latest one */
    struct slice text; /* … of a string, what is between its quotes */
    bool is_plain;     /* … the string has neither escapes nor holes */
};

static bool is_in_word(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '_' || byte == '$' || (unsigned char)byte >= 0x80;
}

/* Blanks and comments; false at a comment that never ends. */
static bool skip_blanks(struct scan *scan)
{
    while (scan->at < scan->end) {
        size_t left = (size_t)(scan->end - scan->at);
        const char *end;

        if (strchr(" \t\r\n\v\f", *scan->at) != NULL && *scan->at != '\0') {
            scan->at++;
        } else if (left >= 2 && memcmp(scan->at, "//", 2) == 0) {
            end = memchr(scan->at, '\n', left);
            scan->at = end == NULL ? scan->end : end;
        } else if (left >= 2 && memcmp(scan->at, "/*", 2) == 0) {
            end = memmem(scan->at + 2, left - 2, "*/", 2);
            if (end == NULL)
                return false;
            scan->at = end + 2;
        } else {
            break;
        }
    }
    return true;
}

/* From "${" to the brace that closes it; one that holds text of its own is not understood. */
static bool skip_hole(struct scan *scan)
{
    size_t depth = 0;

    for (; scan->at < scan->end && strchr("'\"`\\/", *scan->at) == NULL; scan->at++) {
        depth += *scan->at == '{';
        depth -= *scan->at == '}';
        if (*scan->at == '}' && depth == 0)
            return true;
    }
    return false;
}

/* To behind its closing quote. */
static enum token read_string(struct scan *scan)
{
    char quote = *scan->at++;

    scan->text = (struct slice) { .at = scan->at };
    scan->is_plain = true;
    for (; scan->at < scan->end; scan->at++) {
        if (*scan->at == quote) {
            scan->text.length = (size_t)(scan->at++ - scan->text.at);
            return TOKEN_STRING;
        }
        if (*scan->at == '\n' && quote != '`')
            return TOKEN_BAD;
        if (*scan->at == '\\' && scan->at + 1 < scan->end) {
            scan->is_plain = false;
            scan->at++;
        } else if (quote == '`' && *scan->at == '$' && scan->at + 1 < scan->end && scan->at[1] == '{') {
            scan->is_plain = false;
            if (!skip_hole(scan))
                return TOKEN_BAD;
        }
    }
    return TOKEN_BAD;
}

/* Once something is not understood, nothing is. */
static void read_token(struct scan *scan)
{
    if (scan->token == TOKEN_BAD)
        return;
    if (!skip_blanks(scan)) {
        scan->token = TOKEN_BAD;
    } else if (scan->at == scan->end) {
        scan->token = TOKEN_END;
    } else if (*scan->at == '"' || *scan->at == '\'' || *scan->at == '`') {
        scan->token = read_string(scan);
    } else if (is_in_word(*scan->at)) {
        scan->text = (struct slice) { .at = scan->at };
        while (scan->at < scan->end && is_in_word(*scan->at))
            scan->at++;
        scan->text.length = (size_t)(scan->at - scan->text.at);
        scan->token = TOKEN_WORD;
    } else {
        scan->text = (struct slice) { .at = scan->at++, .length = 1 };
        scan->token = scan->text.at[0] == '/' ? TOKEN_BAD : TOKEN_MARK;
    }
}

static bool is_over(const struct scan *scan)
{
    return scan->token == TOKEN_END || scan->token == TOKEN_BAD;
}

static bool is_mark(const struct scan *scan, char mark)
{
    return scan->token == TOKEN_MARK && scan->text.at[0] == mark;
}

static bool is_word(const struct scan *scan, const char *word)
{
    return scan->token == TOKEN_WORD && slice_equals(scan->text, word);
}

static bool is_end_of_member(const struct scan *scan)
{
    return is_mark(scan, ',') || is_mark(scan, '}');
}

/* From the latest token on, to the comma or brace that ends the member. */
static void skip_member(struct scan *scan)
{
    size_t depth = 0;

    for (; !is_over(scan) && (depth > 0 || !is_end_of_member(scan)); read_token(scan)) {
        if (scan->token == TOKEN_MARK && strchr("([{", scan->text.at[0]) != NULL)
            depth++;
        else if (scan->token == TOKEN_MARK && strchr(")]}", scan->text.at[0]) != NULL && depth > 0)
            depth--;
    }
}

static struct own_place not_plain(void)
{
    return (struct own_place) { .state = OWN_PLACE_NOT_PLAIN };
}

/* The value of a member, behind its colon, to the comma or brace that ends it. */
static struct own_place read_place(struct scan *scan)
{
    read_token(scan);
    if (scan->token == TOKEN_STRING && scan->is_plain && scan->text.length > 0) {
        struct own_place place = { .state = OWN_PLACE_PLAIN,
                                   .path = arena_copy(scan->arena, scan->text.at, scan->text.length) };
        read_token(scan);
        if (is_end_of_member(scan))
            return place;
    }
    skip_member(scan);
    return not_plain();
}

/* A member that names a place, behind its key. Of two of one name, neither counts. */
static void take_place(struct scan *scan, struct own_place *place)
{
    if (is_mark(scan, ':') && place->state == OWN_PLACE_UNSAID) {
        *place = read_place(scan);
        return;
    }
    skip_member(scan);
    *place = not_plain();
}

/* Of several words ("async adapter()", "get path()") the last is the name. What may be of any name
 * ("...others", "[computed]") has none. */
static bool read_key(struct scan *scan, struct slice *key)
{
    bool is_name = scan->token == TOKEN_STRING && scan->is_plain;

    *key = scan->text;
    if (is_name)
        read_token(scan);
    for (; scan->token == TOKEN_WORD; read_token(scan)) {
        *key = scan->text;
        is_name = true;
    }
    return is_name && (is_end_of_member(scan) || is_mark(scan, ':') || is_mark(scan, '('));
}

/* Reads the next member's key, and the token behind it; false behind the last. What cannot be told from a
 * member that is wanted makes the object uncertain, and so does what never ends. */
static bool next_member(struct scan *scan, struct slice *key, bool *is_certain)
{
    while (!is_mark(scan, '}')) {
        read_token(scan);
        if (is_mark(scan, '}'))
            break;
        if (read_key(scan, key))
            return true;
        *is_certain = false;
        if (is_over(scan))
            break;
        skip_member(scan);
    }
    return false;
}

static bool read_migrations_object(struct scan *scan, struct own_place *place)
{
    bool is_certain = true;
    struct slice key;

    read_token(scan);
    if (!is_mark(scan, '{'))
        return false;
    while (next_member(scan, &key, &is_certain)) {
        if (slice_equals(key, "path"))
            take_place(scan, place);
        else
            skip_member(scan);
    }
    read_token(scan);
    return is_certain && is_end_of_member(scan);
}

static void take_migrations(struct scan *scan, struct own_place *place)
{
    if (is_mark(scan, ':') && place->state == OWN_PLACE_UNSAID && read_migrations_object(scan, place))
        return;
    skip_member(scan);
    *place = not_plain();
}

/* The exported object, behind its opening brace. */
static void read_config(struct scan *scan, struct own_config *config)
{
    bool is_certain = true;
    struct slice key;

    while (next_member(scan, &key, &is_certain)) {
        if (slice_equals(key, "migrations"))
            take_migrations(scan, &config->migrations);
        else if (slice_equals(key, "schema"))
            take_place(scan, &config->schema);
        else
            skip_member(scan);
    }
    if (!is_certain)
        *config = (struct own_config) { .migrations = not_plain(), .schema = not_plain() };
}

/* Behind "export default" or "module.exports =", at the token that follows. */
static bool find_export(struct scan *scan)
{
    static const char *const openings[][4] = { { "export", "default" }, { "module", ".", "exports", "=" } };

    for (read_token(scan); !is_over(scan); read_token(scan)) {
        for (size_t i = 0; i < array_length(openings); i++) {
            struct scan ahead = *scan;
            size_t word = 0;

            for (; word < array_length(openings[i]) && openings[i][word] != NULL; word++) {
                if (!slice_equals(ahead.text, openings[i][word]) || ahead.token == TOKEN_STRING)
                    break;
                read_token(&ahead);
            }
            if (word == array_length(openings[i]) || openings[i][word] == NULL) {
                *scan = ahead;
                return true;
            }
        }
    }
    return false;
}

/* The object that the file exports, by itself or as the one argument of Prisma's defineConfig(). */
static bool read_export(struct scan *scan, struct own_config *config)
{
    bool is_argument;

    if (!find_export(scan))
        return false;
    is_argument = is_word(scan, "defineConfig");
    if (is_argument) {
        read_token(scan);
        if (!is_mark(scan, '('))
            return false;
        read_token(scan);
    }
    if (!is_mark(scan, '{'))
        return false;
    read_config(scan, config);
    read_token(scan);
    if (is_argument && is_mark(scan, ','))
        read_token(scan);
    return !is_argument || is_mark(scan, ')');
}

struct own_config prisma_config_read(struct arena *arena, struct slice text)
{
    struct scan scan = { .arena = arena, .at = text.at, .end = text.at + text.length };
    struct own_config config = { .migrations = { .state = OWN_PLACE_UNSAID } };

    if (!read_export(&scan, &config))
        config = (struct own_config) { .migrations = not_plain(), .schema = not_plain() };
    config.flaw = "not as a plain string, and it is not run here";
    return config;
}

struct own_config prisma_config_read_package(struct arena *arena, struct slice text)
{
    auto_json struct json *package = json_read(text);
    const struct json *prisma = json_get_object(package, "prisma");
    const char *path = json_get_text(prisma, "schema");
    bool is_said = prisma == NULL ? json_get(package, "prisma") != NULL : json_get(prisma, "schema") != NULL;

    if (package == NULL)
        return (struct own_config) { .schema = not_plain(), .flaw = "it is not JSON" };
    if (!is_said)
        return (struct own_config) { .schema = { .state = OWN_PLACE_UNSAID } };
    if (path == NULL || path[0] == '\0')
        return (struct own_config) { .schema = not_plain(), .flaw = "not as a string" };
    return (struct own_config) { .schema = { .state = OWN_PLACE_PLAIN,
                                             .path = arena_copy(arena, path, strlen(path)) } };
}
