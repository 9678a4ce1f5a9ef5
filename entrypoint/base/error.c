#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/redact.h"
#include "base/text.h"

enum { SOURCE_WINDOW = 120, SOURCE_BEFORE_CARET = 80, SOURCE_AROUND = 4096 };

/* Long enough for the longest array of struct error and an ellipsis' worth more. */
enum { FORMATTED = 1100 };

const char *const ERROR_CAUSE_NAMES[] = {
    [CAUSE_OTHER] = "",
    [CAUSE_UNRESOLVED] = "failed migration",
    [CAUSE_NO_LEDGER] = "schema without ledger",
    [CAUSE_STRANGER] = "ledger of a stranger",
    [CAUSE_PROVIDER] = "wrong provider",
    [CAUSE_UNRELATED] = "other migrations in the database",
    [CAUSE_NO_SCRIPT] = "missing script",
    [CAUSE_STRICT] = "--strict",
    [CAUSE_DANGER] = "--refuse",
    [CAUSE_DRIFT] = "--drift",
    [CAUSE_FLOOR] = "a release that is too old",
    [CAUSE_SESSIONS] = "sessions of an older release",
    [CAUSE_BACKUP] = "no recent backup",
    [CAUSE_BEHIND] = "applied migrations lost",
};
_Static_assert(sizeof ERROR_CAUSE_NAMES / sizeof *ERROR_CAUSE_NAMES == CAUSES, "name every cause");

static void set_list(char *target, size_t size, const char *format, va_list arguments)
{
    char formatted[FORMATTED];

    if (vsnprintf(formatted, sizeof formatted, format, arguments) < 0)
        formatted[0] = '\0';
    text_copy_cut(target, size, formatted);
}

bool error_set(struct error *err, enum error_class class, const char *format, ...)
{
    va_list arguments;

    *err = (struct error) { .class = class };
    va_start(arguments, format);
    set_list(err->message, sizeof err->message, format, arguments);
    va_end(arguments);
    return false;
}

bool error_message(struct error *err, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    set_list(err->message, sizeof err->message, format, arguments);
    va_end(arguments);
    return false;
}

bool error_code(struct error *err, const char *code)
{
    text_copy_cut(err->code, sizeof err->code, code);
    return false;
}

bool error_cause(struct error *err, enum error_cause cause)
{
    err->cause = cause;
    return false;
}

bool error_detail(struct error *err, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    set_list(err->detail, sizeof err->detail, format, arguments);
    va_end(arguments);
    return false;
}

bool error_holds(struct error *err, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    set_list(err->holds, sizeof err->holds, format, arguments);
    va_end(arguments);
    return false;
}

bool error_hint(struct error *err, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    set_list(err->hint, sizeof err->hint, format, arguments);
    va_end(arguments);
    return false;
}

bool error_context(struct error *err, const char *format, ...)
{
    va_list arguments;

    if (err->contexts == ERROR_CONTEXTS)
        return false;
    va_start(arguments, format);
    set_list(err->context[err->contexts], sizeof err->context[0], format, arguments);
    va_end(arguments);
    err->contexts++;
    return false;
}

/* Copies the part of a line that surrounds the caret; tabs become blanks so that the caret stands right. */
static void show_source(struct error_place *place, const char *line, size_t length, size_t caret)
{
    size_t from = 0;
    size_t written = 0;

    if (length > SOURCE_WINDOW && caret > SOURCE_BEFORE_CARET)
        from = caret - SOURCE_BEFORE_CARET;
    while (from > 0 && from < length && ((unsigned char)line[from] & 0xC0) == 0x80)
        from--;
    for (size_t i = from; i < length && written < SOURCE_WINDOW; i++)
        place->source[written++] = line[i] == '\t' ? ' ' : line[i];
    while (written > 0 && from + written < length && ((unsigned char)line[from + written] & 0xC0) == 0x80)
        written--;
    place->source[written] = '\0';
    place->source_caret = utf8_count(line + from, caret - from) + 1;
}

/* Without secrets before it is cut: half of one would not be recognised later on. The caret stays between
 * what was on either side of it; in the middle of a secret it moves behind. */
static void point_source(struct error_place *place, const char *line, size_t length, size_t caret)
{
    size_t from = caret > SOURCE_AROUND ? caret - SOURCE_AROUND : 0;
    size_t to = length - caret > SOURCE_AROUND ? caret + SOURCE_AROUND : length;
    auto_free char *whole = memory_copy(line + from, to - from);
    auto_free char *before = memory_copy(line + from, caret - from);
    auto_free char *after = memory_copy(line + caret, to - caret);
    size_t shown;
    size_t rest;

    redact(whole);
    redact(before);
    redact(after);
    shown = strlen(before);
    rest = strlen(after);
    if (strncmp(whole, before, shown) != 0 || strcmp(whole + shown, after) != 0)
        shown = strlen(whole) > rest ? strlen(whole) - rest : strlen(whole);
    show_source(place, whole, strlen(whole), shown);
}

bool error_point(struct error *err, const char *file, const char *text, size_t length, size_t offset)
{
    struct error_place *place = &err->place;
    size_t start = 0;
    size_t end;

    *place = (struct error_place) { .line = 1 };
    text_copy_cut(place->file, sizeof place->file, file);
    if (offset > length)
        offset = length;
    for (const char *feed = text;
         offset > 0 && (feed = memchr(feed, '\n', (size_t)(text + offset - feed)));) {
        feed++;
        place->line++;
        start = (size_t)(feed - text);
        if (start == offset)
            break;
    }
    for (end = start; end < length && text[end] != '\n' && text[end] != '\r';)
        end++;
    place->column = utf8_count(text + start, offset - start) + 1;
    point_source(place, text + start, end - start,
                 offset - start < end - start ? offset - start : end - start);
    return false;
}
