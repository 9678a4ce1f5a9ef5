#include "history/order.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/*
 * The Unicode collation algorithm with the root weights of CLDR, for the characters that names are made of:
 * ASCII, the letters of Latin-1 and Latin Extended-A, and combining accents. All others sort behind these, by
 * code point. ICU itself would be ten times the size of this program.
 *
 * Names are compared three times: by letters, then by accents, then by case.
 */

/* Blanks, punctuation and digits by rank; letters follow. Zero: a control character, which weighs nothing. */
static const unsigned char BEFORE_LETTERS[128] = {
    [' '] = 1,  ['_'] = 2,   ['-'] = 3,  [','] = 4,  [';'] = 5,   [':'] = 6,  ['!'] = 7,  ['?'] = 8,
    ['.'] = 9,  ['\''] = 10, ['"'] = 11, ['('] = 12, [')'] = 13,  ['['] = 14, [']'] = 15, ['{'] = 16,
    ['}'] = 17, ['@'] = 18,  ['*'] = 19, ['/'] = 20, ['\\'] = 21, ['&'] = 22, ['#'] = 23, ['%'] = 24,
    ['`'] = 25, ['^'] = 26,  ['+'] = 27, ['<'] = 28, ['='] = 29,  ['>'] = 30, ['|'] = 31, ['~'] = 32,
    ['$'] = 33, ['0'] = 34,  ['1'] = 35, ['2'] = 36, ['3'] = 37,  ['4'] = 38, ['5'] = 39, ['6'] = 40,
    ['7'] = 41, ['8'] = 42,  ['9'] = 43
};

enum {
    LETTER_FIRST = 100, /* above every rank in BEFORE_LETTERS */
    LETTER_STEP = 2,    /* room for one letter of its own behind each of a to z */
    OTHER_FIRST = 1000,
    COMBINING_FIRST = 0x300,
    LATIN_FIRST = 0xC0,
    ACCENT_JOINED = 44 /* what tells æ from ae: behind every accent */
};

struct letter {
    char base;
    unsigned char accent;
};

/* clang-format off */

/* The accents U+0300 to U+0345 by rank; some are equal. */
static const unsigned char ACCENTS[] = {
    5, 4, 7, 14, 19, 24, 6, 15, 11, 25, 9, 13, 8, 20, 20, 26,
    27, 28, 20, 2, 3, 20, 21, 21, 21, 21, 20, 29, 21, 21, 21, 21,
    21, 30, 31, 32, 33, 34, 35, 17, 18, 21, 21, 21, 21, 36, 37, 21,
    38, 39, 1, 21, 40, 23, 22, 22, 16, 41, 21, 21, 21, 20, 20, 20,
    5, 4, 10, 2, 12, 42,
};

/* U+00C0 to U+017F as a letter with an accent; { 0, 0 } where it is none. The long s and eth have ranks of their
 * own behind every accent. */
static const struct letter LETTERS[] = {
    { 'A', 5 }, { 'A', 4 }, { 'A', 7 }, { 'A', 14 }, { 'A', 11 }, { 'A', 9 }, { 0, 0 }, { 'C', 17 },
    { 'E', 5 }, { 'E', 4 }, { 'E', 7 }, { 'E', 11 }, { 'I', 5 }, { 'I', 4 }, { 'I', 7 }, { 'I', 11 },
    { 'D', 45 }, { 'N', 14 }, { 'O', 5 }, { 'O', 4 }, { 'O', 7 }, { 'O', 14 }, { 'O', 11 }, { 0, 0 },
    { 'O', 16 }, { 'U', 5 }, { 'U', 4 }, { 'U', 7 }, { 'U', 11 }, { 'Y', 4 }, { 0, 0 }, { 0, 0 },
    { 'a', 5 }, { 'a', 4 }, { 'a', 7 }, { 'a', 14 }, { 'a', 11 }, { 'a', 9 }, { 0, 0 }, { 'c', 17 },
    { 'e', 5 }, { 'e', 4 }, { 'e', 7 }, { 'e', 11 }, { 'i', 5 }, { 'i', 4 }, { 'i', 7 }, { 'i', 11 },
    { 'd', 45 }, { 'n', 14 }, { 'o', 5 }, { 'o', 4 }, { 'o', 7 }, { 'o', 14 }, { 'o', 11 }, { 0, 0 },
    { 'o', 16 }, { 'u', 5 }, { 'u', 4 }, { 'u', 7 }, { 'u', 11 }, { 'y', 4 }, { 0, 0 }, { 'y', 11 },
    { 'A', 19 }, { 'a', 19 }, { 'A', 6 }, { 'a', 6 }, { 'A', 18 }, { 'a', 18 }, { 'C', 4 }, { 'c', 4 },
    { 'C', 7 }, { 'c', 7 }, { 'C', 15 }, { 'c', 15 }, { 'C', 8 }, { 'c', 8 }, { 'D', 8 }, { 'd', 8 },
    { 'D', 23 }, { 'd', 23 }, { 'E', 19 }, { 'e', 19 }, { 'E', 6 }, { 'e', 6 }, { 'E', 15 }, { 'e', 15 },
    { 'E', 18 }, { 'e', 18 }, { 'E', 8 }, { 'e', 8 }, { 'G', 7 }, { 'g', 7 }, { 'G', 6 }, { 'g', 6 },
    { 'G', 15 }, { 'g', 15 }, { 'G', 17 }, { 'g', 17 }, { 'H', 7 }, { 'h', 7 }, { 'H', 23 }, { 'h', 23 },
    { 'I', 14 }, { 'i', 14 }, { 'I', 19 }, { 'i', 19 }, { 'I', 6 }, { 'i', 6 }, { 'I', 18 }, { 'i', 18 },
    { 'I', 15 }, { 0, 0 }, { 0, 0 }, { 0, 0 }, { 'J', 7 }, { 'j', 7 }, { 'K', 17 }, { 'k', 17 },
    { 0, 0 }, { 'L', 4 }, { 'l', 4 }, { 'L', 17 }, { 'l', 17 }, { 'L', 8 }, { 'l', 8 }, { 0, 0 },
    { 0, 0 }, { 'L', 23 }, { 'l', 23 }, { 'N', 4 }, { 'n', 4 }, { 'N', 17 }, { 'n', 17 }, { 'N', 8 },
    { 'n', 8 }, { 0, 0 }, { 0, 0 }, { 0, 0 }, { 'O', 19 }, { 'o', 19 }, { 'O', 6 }, { 'o', 6 },
    { 'O', 13 }, { 'o', 13 }, { 0, 0 }, { 0, 0 }, { 'R', 4 }, { 'r', 4 }, { 'R', 17 }, { 'r', 17 },
    { 'R', 8 }, { 'r', 8 }, { 'S', 4 }, { 's', 4 }, { 'S', 7 }, { 's', 7 }, { 'S', 17 }, { 's', 17 },
    { 'S', 8 }, { 's', 8 }, { 'T', 17 }, { 't', 17 }, { 'T', 8 }, { 't', 8 }, { 0, 0 }, { 0, 0 },
    { 'U', 14 }, { 'u', 14 }, { 'U', 19 }, { 'u', 19 }, { 'U', 6 }, { 'u', 6 }, { 'U', 9 }, { 'u', 9 },
    { 'U', 13 }, { 'u', 13 }, { 'U', 18 }, { 'u', 18 }, { 'W', 7 }, { 'w', 7 }, { 'Y', 7 }, { 'y', 7 },
    { 'Y', 11 }, { 'Z', 4 }, { 'z', 4 }, { 'Z', 15 }, { 'z', 15 }, { 'Z', 8 }, { 'z', 8 }, { 's', 43 },
   
};
/* clang-format on */

/* Letters that are two, and letters of their own behind another. */
static const struct {
    uint32_t point;
    const char *letters;  /* in the case it has */
    unsigned char accent; /* between the two */
    bool is_own;          /* behind `letters`, not equal to it */
} SPECIALS[] = {
    { 0xC6, "AE", ACCENT_JOINED, false },
    { 0xE6, "ae", ACCENT_JOINED, false },
    { 0xDF, "ss", ACCENT_JOINED, false },
    { 0x132, "IJ", 0, false },
    { 0x133, "ij", 0, false },
    { 0x152, "OE", ACCENT_JOINED, false },
    { 0x153, "oe", ACCENT_JOINED, false },
    { 0xDE, "Z", 0, true },
    { 0xFE, "z", 0, true },
    { 0x131, "i", 0, true },
    { 0x138, "q", 0, true },
    { 0x14A, "N", 0, true },
    { 0x14B, "n", 0, true },
    { 0x166, "T", 0, true },
    { 0x167, "t", 0, true },
};

/* One step of a comparison; an accent has no primary weight. */
struct weight {
    uint32_t primary;
    unsigned char accent;
    bool is_upper;
};

/* A place in a name; a letter with an accent, or one that is two, leaves weights waiting. */
struct cursor {
    const char *at;
    struct weight waiting[2];
    size_t waits;
};

static bool is_upper(char letter)
{
    return letter >= 'A' && letter <= 'Z';
}

static struct weight letter_weight(char letter)
{
    int index = (letter | 0x20) - 'a';

    return (struct weight) { .primary = (uint32_t)(LETTER_FIRST + index * LETTER_STEP),
                             .is_upper = is_upper(letter) };
}

static struct weight accent_weight(unsigned char accent)
{
    return (struct weight) { .accent = accent };
}

static struct weight ascii_weight(char byte)
{
    if ((byte >= 'a' && byte <= 'z') || is_upper(byte))
        return letter_weight(byte);
    return (struct weight) { .primary = BEFORE_LETTERS[(unsigned char)byte] };
}

/* What waits is taken from the end. */
static void wait_for(struct cursor *cursor, struct weight weight)
{
    cursor->waiting[cursor->waits++] = weight;
}

static bool special_weight(struct cursor *cursor, uint32_t point, struct weight *out)
{
    for (size_t i = 0; i < array_length(SPECIALS); i++) {
        if (SPECIALS[i].point != point)
            continue;
        *out = letter_weight(SPECIALS[i].letters[0]);
        out->primary += SPECIALS[i].is_own;
        if (SPECIALS[i].letters[1] != '\0')
            wait_for(cursor, letter_weight(SPECIALS[i].letters[1]));
        if (SPECIALS[i].accent != 0)
            wait_for(cursor, accent_weight(SPECIALS[i].accent));
        return true;
    }
    return false;
}

static struct weight point_weight(struct cursor *cursor, uint32_t point)
{
    struct weight weight;
    uint32_t latin = point - LATIN_FIRST;

    if (point >= COMBINING_FIRST && point < COMBINING_FIRST + array_length(ACCENTS))
        return accent_weight(ACCENTS[point - COMBINING_FIRST]);
    if (special_weight(cursor, point, &weight))
        return weight;
    if (point >= LATIN_FIRST && latin < array_length(LETTERS) && LETTERS[latin].base != 0) {
        wait_for(cursor, accent_weight(LETTERS[latin].accent));
        return letter_weight(LETTERS[latin].base);
    }
    return (struct weight) { .primary = OTHER_FIRST + point };
}

static uint32_t decode(const char *at, size_t length)
{
    static const unsigned char lead[] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
    uint32_t point = (unsigned char)at[0] & lead[length];

    for (size_t i = 1; i < length; i++)
        point = point << 6 | ((unsigned char)at[i] & 0x3F);
    return point;
}

/* The next weight; false at the end of the name. */
static bool take(struct cursor *cursor, struct weight *out)
{
    size_t length;

    if (cursor->waits > 0) {
        *out = cursor->waiting[--cursor->waits];
        return true;
    }
    if (*cursor->at == '\0')
        return false;
    if ((unsigned char)*cursor->at < 0x80) {
        *out = ascii_weight(*cursor->at++);
        return true;
    }
    length = utf8_length(cursor->at, strlen(cursor->at));
    *out = length == 0 ? (struct weight) { .primary = OTHER_FIRST }
                       : point_weight(cursor, decode(cursor->at, length));
    cursor->at += length == 0 ? 1 : length;
    return true;
}

enum level { LEVEL_LETTERS, LEVEL_ACCENTS, LEVEL_CASE, LEVELS };

/* What a weight says on a level; 0 = nothing, it is passed over. A letter says 1 among the accents, so that
 * none comes before any. */
static uint32_t on_level(struct weight weight, enum level level)
{
    if (level == LEVEL_LETTERS)
        return weight.primary;
    if (level == LEVEL_ACCENTS)
        return weight.accent != 0 ? weight.accent + 1u : weight.primary != 0;
    return weight.primary != 0 ? 1u + weight.is_upper : weight.accent != 0;
}

static uint32_t take_on_level(struct cursor *cursor, enum level level)
{
    struct weight weight;
    uint32_t value = 0;

    while (value == 0 && take(cursor, &weight))
        value = on_level(weight, level);
    return value;
}

static int compare_on_level(const char *one, const char *other, enum level level)
{
    struct cursor left = { .at = one };
    struct cursor right = { .at = other };
    uint32_t a;
    uint32_t b;

    do {
        a = take_on_level(&left, level);
        b = take_on_level(&right, level);
    } while (a == b && a != 0);
    return (a > b) - (a < b);
}

int order_compare(const char *one, const char *other)
{
    /* What both begin with, time stamps mostly, weighs the same on every level. */
    while (*one == *other && *one != '\0' && (unsigned char)*one < 0x80) {
        one++;
        other++;
    }
    for (int level = 0; level < LEVELS; level++) {
        int difference = compare_on_level(one, other, (enum level)level);

        if (difference != 0)
            return difference;
    }
    return strcmp(one, other);
}
