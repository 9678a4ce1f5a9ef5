/*
 * Bytes to tokens, by PostgreSQL's lexical rules.
 *
 * Knows just enough to find where things end: operators come byte by byte, because all that matters is that a
 * comment ends them, and a number may come in pieces. Never allocates, reads each byte at most a constant
 * number of times, and accepts any bytes: those from 0x80 up are letters, as for the server.
 */
#ifndef SQL_SCAN_H
#define SQL_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

enum token_kind {
    TOKEN_END,         /* nothing left; start and end are the end of the text */
    TOKEN_WORD,        /* a keyword or an unquoted identifier */
    TOKEN_QUOTED_NAME, /* "…" or U&"…" */
    TOKEN_STRING,      /* '…' with any prefix, or $tag$…$tag$ */
    TOKEN_NUMBER,
    TOKEN_PARAMETER, /* $1 */
    TOKEN_OPEN,      /* ( */
    TOKEN_CLOSE,     /* ) */
    TOKEN_SEMICOLON,
    TOKEN_DOT,
    TOKEN_BACKSLASH, /* not part of SQL: psql's own commands begin with it */
    TOKEN_OTHER,     /* one byte of an operator, a comma, … */
    TOKEN_COMMENT,   /* only for a scanner that asks for comments */
    /* Something that begins at `start` and never ends; the text is used up. */
    TOKEN_UNTERMINATED_STRING,
    TOKEN_UNTERMINATED_DOLLAR_QUOTE,
    TOKEN_UNTERMINATED_NAME,
    TOKEN_UNTERMINATED_COMMENT,
    TOKEN_KINDS
};

/* Byte offsets into the text: of the first byte, and just past the last. */
struct token {
    enum token_kind kind;
    size_t start;
    size_t end;
};

/* A place in a text; copy it to look ahead. */
struct scanner {
    const char *at;
    size_t length;
    size_t offset; /* of the next byte to read; the caller may set it to any token's start or end */
    bool has_standard_strings;
    bool gives_comments; /* comments come as TOKEN_COMMENT; otherwise they are skipped like blanks */
};

/* A scanner at the start of `bytes`, which must outlive it. `has_standard_strings` is the server's
 * standard_conforming_strings: when off, a backslash also escapes in plain '…' strings. */
struct scanner scanner_of(struct slice bytes, bool has_standard_strings);

/* The next token; after TOKEN_END always TOKEN_END again. */
struct token scan_token(struct scanner *scanner);

/* Skips words, names, strings, numbers, dots and operators and returns the first token of another kind.
 * *passed_end becomes the end of the last token skipped, if any. */
struct token scan_mark(struct scanner *scanner, size_t *passed_end);

/* The bytes of a token that came from this scanner. */
struct slice scanner_text(const struct scanner *scanner, struct token token);

/* Whether the token is this keyword (given in any case): a quoted name never is. */
bool scanner_is_word(const struct scanner *scanner, struct token token, const char *word);

/* Moves past the next token if it is this keyword; otherwise the scanner stays where it is. */
bool scan_word(struct scanner *scanner, const char *word);

#endif
