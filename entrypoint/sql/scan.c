#include "sql/scan.h"

#include <stdint.h>
#include <string.h>

/* What a byte can begin. Single letters keep the table readable. */
enum byte_class {
    W, /* word: a letter, _ and everything from 0x80 up */
    D, /* digit */
    M, /* $: continues a word, begins a parameter or a dollar quote */
    S, /* space */
    Q, /* ' */
    N, /* " for a quoted name */
    H, /* - which may begin a comment */
    L, /* / which may begin a comment */
    P, /* ( */
    C, /* ) */
    E, /* ; */
    T, /* . */
    K, /* \ */
    O  /* other */
};

/* clang-format off */
static const unsigned char CLASSES[256] = {
    O, O, O, O, O, O, O, O, O, S, S, S, S, S, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
 /*    !  "  #  $  %  &  '  (  )  *  +  ,  -  .  /  0  1  2  3  4  5  6  7  8  9  :  ;  <  =  >  ? */
    S, O, N, O, M, O, O, Q, P, C, O, O, O, H, T, L, D, D, D, D, D, D, D, D, D, D, O, E, O, O, O, O,
 /* @  A                                                                          [  \  ]  ^  _    */
    O, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, O, K, O, O, W,
 /* `  a                                                                          {  |  }  ~       */
    O, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, O, O, O, O, O,
    W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W,
    W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W,
    W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W,
    W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W,
};
/* clang-format on */

/* The end of an unterminated token. */
static const size_t NEVER = SIZE_MAX;

/* How a string between single quotes is read. */
enum string_mode {
    STRING_STANDARD, /* '' is a quote */
    STRING_ESCAPED,  /* so is \' */
    STRING_BITS      /* the next quote ends it */
};

static enum byte_class class_at(const struct scanner *scanner, size_t offset)
{
    return CLASSES[(unsigned char)scanner->at[offset]];
}

static bool has_byte(const struct scanner *scanner, size_t offset, char byte)
{
    return offset < scanner->length && scanner->at[offset] == byte;
}

static size_t find_byte(const struct scanner *scanner, size_t from, char byte)
{
    const char *found = memchr(scanner->at + from, byte, scanner->length - from);

    return found == NULL ? NEVER : (size_t)(found - scanner->at);
}

/* From the byte after the opening quote to just past the closing one; a doubled quote is content. */
static size_t quoted_end(const struct scanner *scanner, size_t offset, char quote)
{
    while ((offset = find_byte(scanner, offset, quote)) != NEVER) {
        offset++;
        if (!has_byte(scanner, offset, quote))
            return offset;
        offset++;
    }
    return NEVER;
}

static size_t escaped_end(const struct scanner *scanner, size_t offset)
{
    while (offset < scanner->length) {
        char byte = scanner->at[offset++];
        bool is_quote = byte == '\'';

        if (is_quote && !has_byte(scanner, offset, '\''))
            return offset;
        if (is_quote || byte == '\\')
            offset++;
    }
    return NEVER;
}

static size_t bits_end(const struct scanner *scanner, size_t offset)
{
    size_t quote = find_byte(scanner, offset, '\'');

    return quote == NEVER ? NEVER : quote + 1;
}

static size_t line_end(const struct scanner *scanner, size_t offset)
{
    while (offset < scanner->length && scanner->at[offset] != '\n' && scanner->at[offset] != '\r')
        offset++;
    return offset;
}

static bool begins_line_comment(const struct scanner *scanner, size_t offset)
{
    return has_byte(scanner, offset, '-') && has_byte(scanner, offset + 1, '-');
}

static bool begins_block_comment(const struct scanner *scanner, size_t offset)
{
    return has_byte(scanner, offset, '/') && has_byte(scanner, offset + 1, '*');
}

static size_t block_comment_end(const struct scanner *scanner, size_t offset)
{
    size_t depth = 1;

    for (offset += 2; offset + 1 < scanner->length; offset++) {
        char byte = scanner->at[offset];

        if (byte == '*' && scanner->at[offset + 1] == '/') {
            offset++;
            if (--depth == 0)
                return offset + 1;
        } else if (byte == '/' && scanner->at[offset + 1] == '*') {
            offset++;
            depth++;
        }
    }
    return NEVER;
}

/* A string continues if another quote follows after blanks that include a line break: the offset past that
 * quote, or 0. */
static size_t continuation(const struct scanner *scanner, size_t offset)
{
    bool has_break = false;

    for (; offset < scanner->length; offset++) {
        if (begins_line_comment(scanner, offset))
            offset = line_end(scanner, offset);
        if (has_byte(scanner, offset, '\n') || has_byte(scanner, offset, '\r'))
            has_break = true;
        else if (offset == scanner->length || class_at(scanner, offset) != S)
            break;
    }
    return has_break && has_byte(scanner, offset, '\'') ? offset + 1 : 0;
}

/* Looks for continuations only where they would not read the same as separate strings: looking after every
 * string would read each blank twice. */
static size_t string_end(const struct scanner *scanner, size_t offset, enum string_mode mode)
{
    enum string_mode plain = scanner->has_standard_strings ? STRING_STANDARD : STRING_ESCAPED;

    do {
        size_t end = mode == STRING_ESCAPED ? escaped_end(scanner, offset)
                     : mode == STRING_BITS  ? bits_end(scanner, offset)
                                            : quoted_end(scanner, offset, '\'');

        if (end == NEVER || mode == plain)
            return end;
        offset = continuation(scanner, end);
        if (offset == 0)
            return end;
    } while (true);
}

static size_t digits_end(const struct scanner *scanner, size_t offset)
{
    while (offset < scanner->length && class_at(scanner, offset) == D)
        offset++;
    return offset;
}

/* Digits in groups, 1_000_000; the other parts of a number are read as further tokens. */
static size_t number_end(const struct scanner *scanner, size_t offset)
{
    offset = digits_end(scanner, offset);
    while (has_byte(scanner, offset, '_') && digits_end(scanner, offset + 1) > offset + 1)
        offset = digits_end(scanner, offset + 1);
    return offset;
}

static size_t word_end(const struct scanner *scanner, size_t offset)
{
    while (offset < scanner->length && class_at(scanner, offset) <= M)
        offset++;
    return offset;
}

static struct token token_of(enum token_kind kind, size_t start, size_t end)
{
    return (struct token) { .kind = kind, .start = start, .end = end };
}

/* A terminated token, or else the kind that says what is unterminated. */
static struct token ended(const struct scanner *scanner, enum token_kind kind, size_t start, size_t end)
{
    static const enum token_kind UNTERMINATED[TOKEN_KINDS] = {
        [TOKEN_STRING] = TOKEN_UNTERMINATED_STRING,
        [TOKEN_QUOTED_NAME] = TOKEN_UNTERMINATED_NAME,
        [TOKEN_COMMENT] = TOKEN_UNTERMINATED_COMMENT,
    };

    if (end == NEVER || end > scanner->length)
        return token_of(UNTERMINATED[kind], start, scanner->length);
    return token_of(kind, start, end);
}

/* Just past the second $ of $tag$, or 0 if there is none: a tag is an identifier without $, or empty. */
static size_t tag_end(const struct scanner *scanner, size_t offset)
{
    offset++;
    if (offset < scanner->length && class_at(scanner, offset) == W) {
        while (offset < scanner->length && class_at(scanner, offset) <= D)
            offset++;
    }
    return has_byte(scanner, offset, '$') ? offset + 1 : 0;
}

static struct token dollar_token(const struct scanner *scanner, size_t start)
{
    size_t body = tag_end(scanner, start);
    size_t digits = digits_end(scanner, start + 1);
    size_t length = body - start;

    if (body == 0)
        return digits > start + 1 ? token_of(TOKEN_PARAMETER, start, digits)
                                  : token_of(TOKEN_OTHER, start, start + 1);
    for (size_t at = body; (at = find_byte(scanner, at, '$')) != NEVER; at++) {
        if (scanner->length - at >= length && memcmp(scanner->at + at, scanner->at + start, length) == 0)
            return token_of(TOKEN_STRING, start, at + length);
    }
    return token_of(TOKEN_UNTERMINATED_DOLLAR_QUOTE, start, scanner->length);
}

/* E'…', B'…', X'…', U&'…' and U&"…"; a one-letter word otherwise. N'…' is read as the word N and a plain
 * string. */
static struct token prefixed_token(const struct scanner *scanner, size_t start)
{
    size_t next = start + 1;

    switch (scanner->at[start] | 0x20) {
    case 'e':
        if (has_byte(scanner, next, '\''))
            return ended(scanner, TOKEN_STRING, start, string_end(scanner, next + 1, STRING_ESCAPED));
        break;
    case 'b':
    case 'x':
        if (has_byte(scanner, next, '\''))
            return ended(scanner, TOKEN_STRING, start, string_end(scanner, next + 1, STRING_BITS));
        break;
    case 'u':
        if (has_byte(scanner, next, '&') && has_byte(scanner, next + 1, '\''))
            return ended(scanner, TOKEN_STRING, start, string_end(scanner, next + 2, STRING_STANDARD));
        if (has_byte(scanner, next, '&') && has_byte(scanner, next + 1, '"'))
            return ended(scanner, TOKEN_QUOTED_NAME, start, quoted_end(scanner, next + 2, '"'));
        break;
    default:
        break;
    }
    return token_of(TOKEN_WORD, start, next);
}

static struct token word_token(const struct scanner *scanner, size_t start)
{
    size_t end = word_end(scanner, start + 1);

    return end == start + 1 ? prefixed_token(scanner, start) : token_of(TOKEN_WORD, start, end);
}

static struct token string_token(const struct scanner *scanner, size_t start)
{
    enum string_mode mode = scanner->has_standard_strings ? STRING_STANDARD : STRING_ESCAPED;

    return ended(scanner, TOKEN_STRING, start, string_end(scanner, start + 1, mode));
}

static struct token comment_token(const struct scanner *scanner, size_t start)
{
    if (begins_line_comment(scanner, start))
        return token_of(TOKEN_COMMENT, start, line_end(scanner, start));
    if (begins_block_comment(scanner, start))
        return ended(scanner, TOKEN_COMMENT, start, block_comment_end(scanner, start));
    return token_of(TOKEN_OTHER, start, start + 1);
}

static size_t blanks_end(const struct scanner *scanner, size_t offset)
{
    while (offset < scanner->length && class_at(scanner, offset) == S)
        offset++;
    return offset;
}

/* The token or comment at an offset that is neither blank nor past the end. */
static inline struct token token_at(const struct scanner *scanner, size_t start)
{
    switch (class_at(scanner, start)) {
    case W:
        return word_token(scanner, start);
    case D:
        return token_of(TOKEN_NUMBER, start, number_end(scanner, start));
    case M:
        return dollar_token(scanner, start);
    case Q:
        return string_token(scanner, start);
    case N:
        return ended(scanner, TOKEN_QUOTED_NAME, start, quoted_end(scanner, start + 1, '"'));
    case H:
    case L:
        return comment_token(scanner, start);
    case P:
        return token_of(TOKEN_OPEN, start, start + 1);
    case C:
        return token_of(TOKEN_CLOSE, start, start + 1);
    case E:
        return token_of(TOKEN_SEMICOLON, start, start + 1);
    case T:
        return token_of(TOKEN_DOT, start, start + 1);
    case K:
        return token_of(TOKEN_BACKSLASH, start, start + 1);
    default:
        return token_of(TOKEN_OTHER, start, start + 1);
    }
}

static inline struct token next_token(struct scanner *scanner)
{
    struct token token;

    do {
        size_t start = blanks_end(scanner, scanner->offset);

        if (start >= scanner->length)
            token = token_of(TOKEN_END, scanner->length, scanner->length);
        else
            token = token_at(scanner, start);
        scanner->offset = token.end;
    } while (token.kind == TOKEN_COMMENT && !scanner->gives_comments);
    return token;
}

struct scanner scanner_of(struct slice bytes, bool has_standard_strings)
{
    return (struct scanner) { .at = bytes.at,
                              .length = bytes.length,
                              .has_standard_strings = has_standard_strings };
}

struct token scan_token(struct scanner *scanner)
{
    return next_token(scanner);
}

struct token scan_mark(struct scanner *scanner, size_t *passed_end)
{
    static const bool IS_PASSED[TOKEN_KINDS] = {
        [TOKEN_WORD] = true,      [TOKEN_QUOTED_NAME] = true, [TOKEN_STRING] = true, [TOKEN_NUMBER] = true,
        [TOKEN_PARAMETER] = true, [TOKEN_DOT] = true,         [TOKEN_OTHER] = true,
    };
    struct token token;

    while (token = next_token(scanner), IS_PASSED[token.kind])
        *passed_end = token.end;
    return token;
}

struct slice scanner_text(const struct scanner *scanner, struct token token)
{
    return (struct slice) { .at = scanner->at + token.start, .length = token.end - token.start };
}

bool scanner_is_word(const struct scanner *scanner, struct token token, const char *word)
{
    return token.kind == TOKEN_WORD && slice_equals_ignoring_case(scanner_text(scanner, token), word);
}

bool scan_word(struct scanner *scanner, const char *word)
{
    struct scanner ahead = *scanner;

    ahead.gives_comments = false;
    if (!scanner_is_word(&ahead, scan_token(&ahead), word))
        return false;
    scanner->offset = ahead.offset;
    return true;
}
