/*
 * Slices of somebody else's bytes, and growing buffers with an upper bound.
 *
 * A buffer that would exceed its bound keeps what it has and remembers that it overflowed, so that a hostile
 * file or server causes an error and does not exhaust memory.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Bytes that somebody else owns; not NUL-terminated. */
struct slice {
    const char *at;
    size_t length;
};

struct slice slice_of(const char *text);                 /* of a C string; NULL gives an empty slice */
bool slice_equals(struct slice slice, const char *text); /* byte for byte */
bool slice_is_same(struct slice one, struct slice other);
bool slice_equals_ignoring_case(struct slice slice, const char *text); /* ASCII letters only */
bool slice_starts_with(struct slice slice, const char *prefix);
struct slice slice_trim(struct slice slice); /* without ASCII blanks (space, \t \n \v \f \r) at both ends */

/* Whether a C string ends in `end`, byte for byte. */
bool text_ends_with(const char *string, const char *end);

/* A growing, always NUL-terminated buffer. Callers read `at` and `length`. */
struct text {
    char *at; /* never NULL after text_init() */
    size_t length;
    size_t capacity;
    size_t most; /* bytes; what would exceed it is not added */
    bool has_overflowed;
    bool is_secret; /* wiped whenever its memory is freed */
};

#define auto_text __attribute__((cleanup(text_clear)))

/* An empty buffer for at most `most` bytes. Free it with text_clear() (or auto_text). */
struct text text_init(size_t most);

/* Frees the memory (wiped if secret); the buffer must not be used again before text_init(). */
void text_clear(struct text *text);

/* Makes room for exactly `more` bytes beyond what it holds; false beyond the bound. */
bool text_reserve(struct text *text, size_t more);

/* Counts so many bytes as added that were written behind the others, in room that was made for them. */
void text_added(struct text *text, size_t length);

void text_add(struct text *text, const char *bytes, size_t length);
void text_add_string(struct text *text, const char *string);
void text_add_format(struct text *text, const char *format, ...) printf_like(2, 3);
void text_add_format_list(struct text *text, const char *format, va_list arguments) printf_like(2, 0);

/* The same, but what exceeds the bound is cut between two characters, with an ellipsis, instead of left out.
 */
void text_add_format_cut_list(struct text *text, const char *format, va_list arguments) printf_like(2, 0);

/* "s" unless `count` is 1, for a noun that follows its number: "%zu migration%s". */
const char *text_plural(size_t count);

/* Adds a template in which every `hole` ("{ledger}") is replaced. */
void text_add_filled(struct text *text, const char *template, const char *hole, const char *filling);

/* Adds text from others (a server, a file) so that it is safe on a terminal and in the log of a CI: control
 * characters become
 * "?", tabs spaces, invalid UTF-8 becomes U+FFFD; what follows a line feed is indented by `indent` spaces, so
 * that it cannot pass for a line of ours; what a runner would execute ("::command::", "##[command]") is
 * broken by a space. */
void text_add_shown(struct text *text, const char *string, int indent);

/* The same on one line: a line feed becomes "?". */
void text_add_shown_line(struct text *text, const char *string);

/* Adds bytes as valid UTF-8: each invalid byte becomes U+FFFD, which takes three. */
void text_add_valid(struct text *text, const char *bytes, size_t length);

/* What it holds now; valid until it is added to. */
struct slice text_slice(const struct text *text);

/* Empties it and keeps the memory. */
void text_reset(struct text *text);

/* Copies `source` into an array of `size` bytes; a text that does not fit is cut between two characters and
 * ends in "…". */
void text_copy_cut(char *target, size_t size, const char *source);

/* Cuts it in the same way to at most `most` bytes. */
void text_cut(char *string, size_t most);

/* Length in bytes of the UTF-8 character at `at` (1 to 4), or 0 when those bytes are not valid UTF-8. */
size_t utf8_length(const char *at, size_t left);

/* Whether all of it is valid UTF-8; otherwise *bad is the offset of the first byte that is not. `bad` may be
 * NULL. */
bool utf8_is_valid(const char *at, size_t length, size_t *bad);

/* Byte offset of character number `characters` (from 0); `length` when there are fewer. Invalid bytes count
 * as one each. */
size_t utf8_offset(const char *at, size_t length, size_t characters);

/* How many characters the bytes hold. Invalid bytes count as one each. */
size_t utf8_count(const char *at, size_t length);

#endif
