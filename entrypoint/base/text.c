#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/redact.h"

static char to_lower(char byte)
{
    return (char)(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte);
}

static bool is_blank(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

struct slice slice_of(const char *text)
{
    return (struct slice) { .at = text, .length = text == NULL ? 0 : strlen(text) };
}

bool slice_equals(struct slice slice, const char *text)
{
    return slice.length == strlen(text) && (slice.length == 0 || memcmp(slice.at, text, slice.length) == 0);
}

bool slice_is_same(struct slice one, struct slice other)
{
    return one.length == other.length && (one.length == 0 || memcmp(one.at, other.at, one.length) == 0);
}

bool slice_equals_ignoring_case(struct slice slice, const char *text)
{
    if (slice.length != strlen(text))
        return false;
    for (size_t i = 0; i < slice.length; i++) {
        if (to_lower(slice.at[i]) != to_lower(text[i]))
            return false;
    }
    return true;
}

bool slice_starts_with(struct slice slice, const char *prefix)
{
    size_t length = strlen(prefix);

    return slice.length >= length && (length == 0 || memcmp(slice.at, prefix, length) == 0);
}

struct slice slice_trim(struct slice slice)
{
    while (slice.length > 0 && is_blank(slice.at[0])) {
        slice.at++;
        slice.length--;
    }
    while (slice.length > 0 && is_blank(slice.at[slice.length - 1]))
        slice.length--;
    return slice;
}

bool text_ends_with(const char *string, const char *end)
{
    size_t length = strlen(string);

    return length >= strlen(end) && strcmp(string + length - strlen(end), end) == 0;
}

struct text text_init(size_t most)
{
    return (struct text) { .at = memory_new(16, 1), .capacity = 16, .most = most };
}

void text_clear(struct text *text)
{
    if (text->is_secret && text->at != NULL)
        memory_wipe(text->at, text->capacity);
    memory_free(text->at);
    *text = (struct text) { .at = NULL };
}

/* realloc() must not leave a copy of a secret in freed memory. */
static void text_resize(struct text *text, size_t capacity)
{
    if (text->is_secret) {
        char *moved = memory_new(capacity, 1);

        memcpy(moved, text->at, text->length + 1);
        memory_wipe(text->at, text->capacity);
        memory_free(text->at);
        text->at = moved;
    } else {
        text->at = memory_resize(text->at, capacity, 1);
    }
    text->capacity = capacity;
}

bool text_reserve(struct text *text, size_t more)
{
    if (more > text->most || text->length > text->most - more) {
        text->has_overflowed = true;
        return false;
    }
    if (text->capacity - text->length <= more)
        text_resize(text, text->length + more + 1);
    return true;
}

/* Doubles the capacity, so that many small additions cost one copy each on average. */
static bool text_grow(struct text *text, size_t more)
{
    size_t spare = text->length < text->most - text->length ? text->length : text->most - text->length;

    if (text->capacity - text->length > more)
        return text_reserve(text, more);
    return text_reserve(text, more > spare ? more : spare);
}

void text_added(struct text *text, size_t length)
{
    text->length += length;
    text->at[text->length] = '\0';
}

void text_add(struct text *text, const char *bytes, size_t length)
{
    if (length == 0 || !text_grow(text, length))
        return;
    memcpy(text->at + text->length, bytes, length);
    text->length += length;
    text->at[text->length] = '\0';
}

void text_add_string(struct text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

void text_add_format_list(struct text *text, const char *format, va_list arguments)
{
    va_list again;
    int length;

    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    if (length > 0 && text_grow(text, (size_t)length)) {
        (void)vsnprintf(text->at + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
}

static const char ELLIPSIS[] = "…";

/* Cuts so that the string, with an ellipsis, has at most `most` bytes. */
static size_t cut_at(char *string, size_t most)
{
    size_t keep = most < sizeof ELLIPSIS - 1 ? 0 : most - (sizeof ELLIPSIS - 1);

    while (keep > 0 && ((unsigned char)string[keep] & 0xC0) == 0x80)
        keep--;
    if (most < sizeof ELLIPSIS - 1)
        string[0] = '\0';
    else
        memcpy(string + keep, ELLIPSIS, sizeof ELLIPSIS);
    return strlen(string);
}

void text_cut(char *string, size_t most)
{
    if (strlen(string) > most)
        (void)cut_at(string, most);
}

void text_add_format_cut_list(struct text *text, const char *format, va_list arguments)
{
    size_t room = text->most - text->length;
    char *end;
    va_list again;
    int length;

    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    if (length >= 0 && (size_t)length <= room) {
        text_add_format_list(text, format, again);
    } else if (length >= 0 && text_reserve(text, room)) {
        end = text->at + text->length;
        (void)vsnprintf(end, room + 1, format, again);
        text->length += cut_at(end, room);
    }
    va_end(again);
}

void text_add_format(struct text *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    text_add_format_list(text, format, arguments);
    va_end(arguments);
}

void text_add_filled(struct text *text, const char *template, const char *hole, const char *filling)
{
    const char *at;

    for (; (at = strstr(template, hole)) != NULL; template = at + strlen(hole)) {
        text_add(text, template, (size_t)(at - template));
        text_add_string(text, filling);
    }
    text_add_string(text, template);
}

const char *text_plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* C0 and DEL, and C1 in its UTF-8 form: a terminal acts on both. */
static bool is_control(const unsigned char *at)
{
    return at[0] < ' ' || at[0] == 0x7F || (at[0] == 0xC2 && at[1] >= 0x80 && at[1] <= 0x9F);
}

/* Whether nothing stands in the last line yet that others take for a word. */
static bool is_line_bare(const struct text *text)
{
    for (size_t i = text->length; i > 0 && text->at[i - 1] != '\n'; i--) {
        if (text->at[i - 1] > ' ' && text->at[i - 1] < 0x7F)
            return false;
    }
    return true;
}

/* What the runners of a CI take for a command: "::" at the start of a line, whatever blanks come before it
 * (GitHub); "##[",
 * "##vso[" anywhere (GitHub, Azure), "##teamcity[". */
static bool begins_command(const char *at, const struct text *text)
{
    if (at[0] == ':' && at[1] == ':')
        return is_line_bare(text);
    return at[0] == '#' && at[1] == '#' &&
           at[2 + strspn(at + 2, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '[';
}

/* Without an indent (negative), it stays one line. */
static void add_shown(struct text *text, const char *string, int indent)
{
    size_t left = strlen(string);
    size_t step;

    for (; left > 0; string += step, left -= step) {
        step = utf8_length(string, left);
        if (*string == '\n' && indent >= 0) {
            text_add_format(text, "\n%*s", indent, "");
        } else if (*string == '\t') {
            text_add(text, " ", 1);
        } else if (step == 0) {
            text_add_string(text, "\xEF\xBF\xBD");
            step = 1;
        } else if (is_control((const unsigned char *)string)) {
            text_add(text, "?", 1);
        } else {
            bool is_command = begins_command(string, text);

            text_add(text, string, step);
            if (is_command)
                text_add(text, " ", 1);
        }
    }
}

void text_add_shown(struct text *text, const char *string, int indent)
{
    add_shown(text, string, indent);
}

void text_add_shown_line(struct text *text, const char *string)
{
    add_shown(text, string, -1);
}

void text_add_valid(struct text *text, const char *bytes, size_t length)
{
    while (length > 0) {
        size_t step = utf8_length(bytes, length);

        if (step == 0) {
            text_add_string(text, "\xEF\xBF\xBD");
            step = 1;
        } else {
            text_add(text, bytes, step);
        }
        bytes += step;
        length -= step;
    }
}

struct slice text_slice(const struct text *text)
{
    return (struct slice) { .at = text->at, .length = text->length };
}

void text_reset(struct text *text)
{
    if (text->is_secret)
        memory_wipe(text->at, text->capacity);
    text->length = 0;
    text->at[0] = '\0';
    text->has_overflowed = false;
}

void text_copy_cut(char *target, size_t size, const char *source)
{
    size_t length = strlen(source);
    auto_free char *whole = NULL;

    if (length < size) {
        memcpy(target, source, length + 1);
        return;
    }
    /* Half a secret would not be recognised later on. */
    whole = memory_copy(source, length);
    redact(whole);
    length = strlen(whole);
    if (length < size) {
        memcpy(target, whole, length + 1);
        return;
    }
    memcpy(target, whole, size - 1);
    target[size - 1] = '\0';
    (void)cut_at(target, size - 1);
}

/* The smallest code point that needs this many bytes: an overlong encoding is not UTF-8. */
static const uint32_t UTF8_LEAST[] = { 0, 0, 0x80, 0x800, 0x10000 };

size_t utf8_length(const char *at, size_t left)
{
    const unsigned char *bytes = (const unsigned char *)at;
    size_t length;
    uint32_t point;

    if (left == 0)
        return 0;
    if (bytes[0] < 0x80)
        return 1;
    length = bytes[0] >= 0xF0 ? 4 : bytes[0] >= 0xE0 ? 3 : 2;
    if (bytes[0] < 0xC2 || bytes[0] > 0xF4 || length > left)
        return 0;
    point = bytes[0] & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
        point = (point << 6) | (bytes[i] & 0x3Fu);
    }
    if (point < UTF8_LEAST[length] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
        return 0;
    return length;
}

/* Past the bytes from `i` on that are ASCII, eight at a time: scripts may be large, and are hardly ever
 * anything else. */
static size_t ascii_end(const char *at, size_t length, size_t i)
{
    uint64_t eight;

    while (length - i >= sizeof eight) {
        memcpy(&eight, at + i, sizeof eight);
        if ((eight & UINT64_C(0x8080808080808080)) != 0)
            break;
        i += sizeof eight;
    }
    while (i < length && (unsigned char)at[i] < 0x80)
        i++;
    return i;
}

bool utf8_is_valid(const char *at, size_t length, size_t *bad)
{
    size_t i = 0;

    while ((i = ascii_end(at, length, i)) < length) {
        size_t step = utf8_length(at + i, length - i);

        if (step == 0) {
            if (bad != NULL)
                *bad = i;
            return false;
        }
        i += step;
    }
    return true;
}

static size_t utf8_step(const char *at, size_t left)
{
    size_t length = utf8_length(at, left);

    return length == 0 ? 1 : length;
}

size_t utf8_offset(const char *at, size_t length, size_t characters)
{
    size_t offset = 0;

    while (characters-- > 0 && offset < length)
        offset += utf8_step(at + offset, length - offset);
    return offset;
}

size_t utf8_count(const char *at, size_t length)
{
    size_t count = 0;
    size_t offset = 0;
    size_t end;

    for (; (end = ascii_end(at, length, offset)) < length; offset = end + utf8_step(at + end, length - end))
        count += end - offset + 1;
    return count + length - offset;
}
