#include "base/release.h"

#include <stdbool.h>
#include <string.h>

static const char DIGITS[] = "0123456789";
static const char WORDS[] = "0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const char RELEASE_HINT[] =
    "Write numbers with dots in between, such as 1.20.3, v2.0.0-rc.1 or 2026.11.30: a hash or a name does not "
    "tell which release is older.";

static size_t span(struct slice text, const char *of)
{
    size_t length = 0;

    while (length < text.length && text.at[length] != '\0' && strchr(of, text.at[length]) != NULL)
        length++;
    return length;
}

static struct slice from(struct slice text, size_t start)
{
    return (struct slice) { .at = text.at + start, .length = text.length - start };
}

/* Takes what comes before the next dot. */
static struct slice next_part(struct slice *text)
{
    const char *dot = text->length == 0 ? NULL : memchr(text->at, '.', text->length);
    struct slice part = { .at = text->at, .length = dot == NULL ? text->length : (size_t)(dot - text->at) };

    *text = from(*text, part.length + (dot != NULL));
    return part;
}

/* Whether it consists of parts of these characters with dots in between, none of them empty. */
static bool is_list(struct slice text, const char *of)
{
    if (text.length == 0 || text.at[text.length - 1] == '.')
        return false;
    while (text.length > 0) {
        struct slice part = next_part(&text);

        if (part.length == 0 || span(part, of) != part.length)
            return false;
    }
    return true;
}

/* 2026-11-30 would be a pre-release of 2026, and 9-30 sorts behind 10-1. */
static bool is_dashed(const struct release *release)
{
    return release->before.length > 0 && memchr(release->numbers.at, '.', release->numbers.length) == NULL &&
           span(release->before, "0123456789-") == release->before.length;
}

bool release_parse(struct slice text, struct release *out)
{
    struct release found = { .before = slice_of("") };
    struct slice rest;

    if (text.length == 0 || text.length >= RELEASE_SIZE)
        return false;
    rest = from(text, text.at[0] == 'v');
    found.numbers = (struct slice) { .at = rest.at, .length = span(rest, "0123456789.") };
    rest = from(rest, found.numbers.length);
    if (rest.length > 0 && rest.at[0] == '-') {
        found.before = from(rest, 1);
        found.before.length =
            span(found.before, "0123456789-.ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
        rest = from(rest, found.before.length + 1);
        if (!is_list(found.before, WORDS) || is_dashed(&found))
            return false;
    }
    if (!is_list(found.numbers, DIGITS) ||
        (rest.length > 0 && (rest.at[0] != '+' || !is_list(from(rest, 1), WORDS))))
        return false;
    *out = found;
    return true;
}

/* Of any length. */
static int compare_numbers(struct slice one, struct slice other)
{
    one = from(one, span(one, "0"));
    other = from(other, span(other, "0"));
    if (one.length != other.length)
        return one.length < other.length ? -1 : 1;
    return one.length == 0 ? 0 : memcmp(one.at, other.at, one.length);
}

static int compare_bytes(struct slice one, struct slice other)
{
    size_t length = one.length < other.length ? one.length : other.length;
    int order = length == 0 ? 0 : memcmp(one.at, other.at, length);

    if (order != 0 || one.length == other.length)
        return order;
    return one.length < other.length ? -1 : 1;
}

/* Numbers come before words. */
static int compare_words(struct slice one, struct slice other)
{
    bool is_number = span(one, DIGITS) == one.length;

    if (is_number != (span(other, DIGITS) == other.length))
        return is_number ? -1 : 1;
    return is_number ? compare_numbers(one, other) : compare_bytes(one, other);
}

/* One with more parts is the newer, where those before are the same. */
static int compare_before(struct slice one, struct slice other)
{
    if (one.length == 0 || other.length == 0)
        return (one.length == 0) - (other.length == 0);
    while (one.length > 0 && other.length > 0) {
        struct slice part = next_part(&one);
        int order = compare_words(part, next_part(&other));

        if (order != 0)
            return order;
    }
    return (one.length > 0) - (other.length > 0);
}

int release_compare(const struct release *one, const struct release *other)
{
    struct slice ours = one->numbers;
    struct slice theirs = other->numbers;

    while (ours.length > 0 || theirs.length > 0) {
        struct slice part = next_part(&ours);
        int order = compare_numbers(part, next_part(&theirs));

        if (order != 0)
            return order;
    }
    return compare_before(one->before, other->before);
}

bool release_is_older(const char *ours, const char *theirs)
{
    struct release one;
    struct release other;

    return !release_parse(slice_of(ours), &one) || !release_parse(slice_of(theirs), &other) ||
           release_compare(&one, &other) < 0;
}
