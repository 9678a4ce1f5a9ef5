#include "sql/pattern.h"

#include <string.h>

#include "base/memory.h"

static char to_upper(char byte)
{
    return (char)(byte >= 'a' && byte <= 'z' ? byte - 'a' + 'A' : byte);
}

/* The end of an item, or of one of its alternatives. */
static bool is_item_end(char byte)
{
    return byte == '\0' || byte == ' ' || byte == ']';
}

static bool is_word_end(char byte)
{
    return byte == '|' || is_item_end(byte);
}

/* How far a pattern has matched. */
struct matcher {
    const struct head *head;
    size_t taken; /* of the head's tokens */
    struct scanner scanner;
};

static struct token take_token(struct matcher *matcher)
{
    if (matcher->taken < HEAD_TOKENS)
        return matcher->head->tokens[matcher->taken++];
    return scan_token(&matcher->scanner);
}

/* Whether the token is one of the words at `words`. */
static bool is_one_of(const char *words, struct slice text)
{
    for (;;) {
        size_t same = 0;

        while (same < text.length && words[same] == to_upper(text.at[same]))
            same++;
        if (same == text.length && is_word_end(words[same]))
            return true;
        while (!is_word_end(*words))
            words++;
        if (*words++ != '|')
            return false;
    }
}

static bool match_words(const char *words, struct matcher *matcher)
{
    struct token token = take_token(matcher);

    return (token.kind == TOKEN_WORD || token.kind == TOKEN_OTHER) &&
           is_one_of(words, scanner_text(&matcher->scanner, token));
}

static bool match_name(struct matcher *matcher)
{
    struct matcher ahead;

    do {
        struct token token = take_token(matcher);

        if (token.kind != TOKEN_WORD && token.kind != TOKEN_QUOTED_NAME)
            return false;
        ahead = *matcher;
        if (take_token(&ahead).kind != TOKEN_DOT)
            return true;
        *matcher = ahead;
    } while (true);
}

static bool match_parentheses(struct matcher *matcher)
{
    size_t depth = 1;

    if (take_token(matcher).kind != TOKEN_OPEN)
        return false;
    while (depth > 0) {
        enum token_kind kind = take_token(matcher).kind;

        if (kind == TOKEN_END || kind > TOKEN_COMMENT)
            return false;
        if (kind == TOKEN_OPEN)
            depth++;
        else if (kind == TOKEN_CLOSE)
            depth--;
    }
    return true;
}

/* Patterns are ours alone, so an item is known by its first bytes. */
static bool match_item(const char *item, struct matcher *matcher)
{
    switch (item[0]) {
    case '<':
        return item[1] == 'n' ? match_name(matcher) : take_token(matcher).kind == TOKEN_STRING;
    case '(':
        return match_parentheses(matcher);
    case '$':
        return take_token(matcher).kind == TOKEN_END;
    default:
        return match_words(item, matcher);
    }
}

static const char *next_item(const char *item)
{
    while (!is_item_end(*item))
        item++;
    return *item == ' ' ? item + 1 : item;
}

/* Items up to the end of the pattern or of a pair of brackets. */
static bool match_items(const char *item, struct matcher *matcher)
{
    for (; *item != '\0' && *item != ']'; item = next_item(item)) {
        if (!match_item(item, matcher))
            return false;
    }
    return true;
}

static void match_optional(const char *items, struct matcher *matcher)
{
    struct matcher ahead = *matcher;

    if (match_items(items, &ahead))
        *matcher = ahead;
}

struct head head_of(struct scanner scanner)
{
    struct head head;

    for (size_t i = 0; i < HEAD_TOKENS; i++)
        head.tokens[i] = scan_token(&scanner);
    head.rest = scanner;
    return head;
}

bool pattern_matches(const char *pattern, const struct head *head)
{
    struct matcher matcher = { .head = head, .scanner = head->rest };

    while (*pattern != '\0') {
        if (*pattern == '[') {
            match_optional(pattern + 1, &matcher);
            pattern = next_item(strchr(pattern, ']') + 1);
        } else if (match_item(pattern, &matcher)) {
            pattern = next_item(pattern);
        } else {
            return false;
        }
    }
    return true;
}

/* The values that PostgreSQL reads as false in an option, quoted or not. */
static bool is_off(const struct scanner *scanner, struct token value)
{
    static const char *const OFF[] = { "off", "false", "0", "'off'", "'false'" };

    for (size_t i = 0; i < array_length(OFF); i++) {
        if (slice_equals_ignoring_case(scanner_text(scanner, value), OFF[i]))
            return true;
    }
    return false;
}

/* After an option's name: "= value", "value" or nothing. */
static enum option_state option_value(struct scanner *scanner)
{
    struct token token = scan_token(scanner);

    if (slice_equals(scanner_text(scanner, token), "="))
        token = scan_token(scanner);
    return is_off(scanner, token) ? OPTION_OFF : OPTION_ON;
}

enum option_state option_find(const char *name, struct scanner scanner)
{
    size_t depth = 0;
    bool is_first = false; /* of an entry in the list */
    struct token token;

    while (token = scan_token(&scanner), token.kind != TOKEN_END && token.kind < TOKEN_COMMENT) {
        if (is_first && depth == 1 && scanner_is_word(&scanner, token, name))
            return option_value(&scanner);
        is_first = token.kind == TOKEN_OPEN || slice_equals(scanner_text(&scanner, token), ",");
        if (token.kind == TOKEN_OPEN)
            depth++;
        else if (token.kind == TOKEN_CLOSE && depth > 0)
            depth--;
    }
    return OPTION_ABSENT;
}
