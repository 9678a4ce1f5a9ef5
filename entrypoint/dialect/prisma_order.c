#include "dialect/prisma_order.h"

#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/*
 * The Unicode collation algorithm with the root weights of CLDR, for the characters that names are made of:
 * ASCII, Latin-1, Latin Extended-A, and combining accents. All others sort after these, by code point. ICU
 * itself would be ten times the size of this program.
 *
 * Names are compared three times: by letters, then by accents, then by shape.
 */

/* clang-format off */

/* Blanks, punctuation, signs and digits of ASCII by rank; letters follow. Zero: no weight. */
static const unsigned char BEFORE_LETTERS[128] = {
    ['\t'] = 1, ['\n'] = 2, ['\v'] = 3, ['\f'] = 4, ['\r'] = 5, [' '] = 7, ['_'] = 8, ['-'] = 9,
    [','] = 10, [';'] = 11, [':'] = 12, ['!'] = 13, ['?'] = 15, ['.'] = 17, ['\''] = 19, ['"'] = 20,
    ['('] = 23, [')'] = 24, ['['] = 25, [']'] = 26, ['{'] = 27, ['}'] = 28, ['@'] = 31, ['*'] = 32,
    ['/'] = 33, ['\\'] = 34, ['&'] = 35, ['#'] = 36, ['%'] = 37, ['`'] = 38, ['^'] = 40, ['+'] = 47,
    ['<'] = 51, ['='] = 52, ['>'] = 53, ['|'] = 55, ['~'] = 57, ['$'] = 61, ['0'] = 64, ['1'] = 65,
    ['2'] = 66, ['3'] = 67, ['4'] = 68, ['5'] = 69, ['6'] = 70, ['7'] = 71, ['8'] = 72, ['9'] = 73,
};

/* The same beyond ASCII, including the fraction slash. */
static const struct {
    uint32_t point;
    unsigned char rank;
} SIGNS[] = {
    { 0x85, 6 }, { 0xA1, 14 }, { 0xA2, 60 }, { 0xA3, 62 }, { 0xA4, 59 }, { 0xA5, 63 }, { 0xA6, 56 },
    { 0xA7, 29 }, { 0xA8, 42 }, { 0xA9, 45 }, { 0xAB, 21 }, { 0xAC, 54 }, { 0xAE, 46 }, { 0xAF, 41 },
    { 0xB0, 44 }, { 0xB1, 48 }, { 0xB4, 39 }, { 0xB6, 30 }, { 0xB7, 18 }, { 0xB8, 43 }, { 0xBB, 22 },
    { 0xBF, 16 }, { 0xD7, 50 }, { 0xF7, 49 }, { 0x2044, 58 },
};

/* The accents U+0300 to U+0345 by rank; some are equal. */
static const unsigned char ACCENTS[] = {
    5, 4, 7, 14, 19, 24, 6, 15, 11, 25, 9, 13, 8, 20, 20, 26,
    27, 28, 20, 2, 3, 20, 21, 21, 21, 21, 20, 29, 21, 21, 21, 21,
    21, 30, 31, 32, 33, 34, 35, 17, 18, 21, 21, 21, 21, 36, 37, 21,
    38, 39, 1, 21, 40, 23, 22, 22, 16, 41, 21, 21, 21, 20, 20, 20,
    5, 4, 10, 2, 12, 42,
};

/* A letter with its accent. */
struct letter {
    char base;
    unsigned char accent;
};

/* U+00C0 to U+017F as a letter with an accent; { 0, 0 } = not one. The long s (44) and eth (45) have ranks of
 * their own after every accent. */
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
    { 'Y', 11 }, { 'Z', 4 }, { 'z', 4 }, { 'Z', 15 }, { 'z', 15 }, { 'Z', 8 }, { 'z', 8 }, { 's', 44 },
};
/* clang-format on */

enum {
    LETTER_FIRST = 100, /* above every rank of BEFORE_LETTERS and SIGNS */
    LETTER_STEP = 2,    /* room for one separate letter after each of a to z; all fit into a byte */
    OTHER_FIRST = 1000,
    COMBINING_FIRST = 0x300,
    LATIN_FIRST = 0xC0,
    LATIN_END = 0x180,
    ACCENT_JOINED = 43, /* what tells æ from ae: after every accent */
    ACCENT_DOTTED = 45  /* what tells ŀ from l, likewise */
};

/* What tells a from A and from ª; bits, so that Ĳ can be two of them, in the order in which they sort. */
enum shape {
    SHAPE_COMPATIBLE = 1,
    SHAPE_UPPER = 2,
    SHAPE_RAISED = 4,
    SHAPE_UNBREAKABLE = 8,
    SHAPE_FRACTION = 16
};

/* Characters with the weight of others. */
struct equivalent {
    uint32_t point;
    const char *as;
    unsigned char accent; /* after the first of `as`; 0 = none */
    unsigned char shape;  /* of each of `as`, added to its own */
    bool is_behind;       /* a separate letter after `as`, not equal to it */
};

static const struct equivalent EQUIVALENTS[] = {
    { .point = 0xA0, .as = " ", .shape = SHAPE_UNBREAKABLE },
    { .point = 0xAA, .as = "a", .shape = SHAPE_RAISED },
    { .point = 0xB2, .as = "2", .shape = SHAPE_RAISED },
    { .point = 0xB3, .as = "3", .shape = SHAPE_RAISED },
    { .point = 0xB5, .as = "μ", .shape = SHAPE_COMPATIBLE },
    { .point = 0xB9, .as = "1", .shape = SHAPE_RAISED },
    { .point = 0xBA, .as = "o", .shape = SHAPE_RAISED },
    { .point = 0xBC, .as = "1⁄4", .shape = SHAPE_FRACTION },
    { .point = 0xBD, .as = "1⁄2", .shape = SHAPE_FRACTION },
    { .point = 0xBE, .as = "3⁄4", .shape = SHAPE_FRACTION },
    { .point = 0xC6, .as = "AE", .accent = ACCENT_JOINED },
    { .point = 0xE6, .as = "ae", .accent = ACCENT_JOINED },
    { .point = 0xDF, .as = "ss", .accent = ACCENT_JOINED },
    { .point = 0x132, .as = "IJ", .shape = SHAPE_COMPATIBLE },
    { .point = 0x133, .as = "ij", .shape = SHAPE_COMPATIBLE },
    { .point = 0x13F, .as = "L", .accent = ACCENT_DOTTED },
    { .point = 0x140, .as = "l", .accent = ACCENT_DOTTED },
    { .point = 0x149, .as = "ʼn", .shape = SHAPE_COMPATIBLE },
    { .point = 0x152, .as = "OE", .accent = ACCENT_JOINED },
    { .point = 0x153, .as = "oe", .accent = ACCENT_JOINED },
    { .point = 0x344, .as = "\u0308\u0301" },
    { .point = 0xDE, .as = "Z", .is_behind = true },
    { .point = 0xFE, .as = "z", .is_behind = true },
    { .point = 0x131, .as = "i", .is_behind = true },
    { .point = 0x138, .as = "q", .is_behind = true },
    { .point = 0x14A, .as = "N", .is_behind = true },
    { .point = 0x14B, .as = "n", .is_behind = true },
    { .point = 0x166, .as = "T", .is_behind = true },
    { .point = 0x167, .as = "t", .is_behind = true },
};

static const char MIDDLE_DOT[] = "\xC2\xB7";

/* One step of a comparison; an accent has no primary weight. */
struct weight {
    uint32_t primary;
    unsigned char accent;
    unsigned char shape;
};

/* A place in a name; a character with several weights leaves some pending, the last one first. */
struct cursor {
    const char *at;
    struct weight waiting[4];
    size_t waits;
};

static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_accent(uint32_t point)
{
    return point >= COMBINING_FIRST && point - COMBINING_FIRST < array_length(ACCENTS);
}

static struct weight letter_weight(char letter)
{
    int index = (letter | 0x20) - 'a';

    return (struct weight) { .primary = (uint32_t)(LETTER_FIRST + index * LETTER_STEP),
                             .shape = letter <= 'Z' ? SHAPE_UPPER : 0 };
}

static struct weight accent_weight(unsigned char accent)
{
    return (struct weight) { .accent = accent };
}

static uint32_t decode(const char *at, size_t length)
{
    static const unsigned char lead[] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
    uint32_t point = (unsigned char)at[0] & lead[length];

    for (size_t i = 1; i < length; i++)
        point = point << 6 | ((unsigned char)at[i] & 0x3F);
    return point;
}

/* Takes one character off `*at`. An invalid byte counts as U+0000. */
static uint32_t take_point(const char **at)
{
    size_t length = utf8_length(*at, strnlen(*at, 4));
    uint32_t point = length == 0 ? 0 : decode(*at, length);

    *at += length == 0 ? 1 : length;
    return point;
}

/* The weight of a character that is not an accented letter. */
static struct weight plain_weight(uint32_t point)
{
    if (point < array_length(BEFORE_LETTERS))
        return is_letter((char)point) ? letter_weight((char)point)
                                      : (struct weight) { .primary = BEFORE_LETTERS[point] };
    if (is_accent(point))
        return accent_weight(ACCENTS[point - COMBINING_FIRST]);
    for (size_t i = 0; i < array_length(SIGNS); i++) {
        if (SIGNS[i].point == point)
            return (struct weight) { .primary = SIGNS[i].rank };
    }
    if (point < LATIN_FIRST)
        return (struct weight) { .primary = 0 }; /* controls and the soft hyphen */
    return (struct weight) { .primary = OTHER_FIRST + point };
}

static const struct equivalent *find_equivalent(uint32_t point)
{
    for (size_t i = 0; i < array_length(EQUIVALENTS); i++) {
        if (EQUIVALENTS[i].point == point)
            return &EQUIVALENTS[i];
    }
    return NULL;
}

/* Pending weights are taken from the end. */
static void wait_for(struct cursor *cursor, struct weight weight)
{
    cursor->waiting[cursor->waits++] = weight;
}

static struct weight equivalent_weight(struct cursor *cursor, const struct equivalent *equivalent)
{
    struct weight parts[4] = { { .primary = 0 } };
    size_t count = 0;

    for (const char *at = equivalent->as; *at != '\0';) {
        parts[count] = plain_weight(take_point(&at));
        parts[count].primary += equivalent->is_behind;
        parts[count].shape |= equivalent->shape;
        if (count++ == 0 && equivalent->accent != 0)
            parts[count++] = accent_weight(equivalent->accent);
    }
    while (count > 1)
        wait_for(cursor, parts[--count]);
    return parts[0];
}

static struct weight point_weight(struct cursor *cursor, uint32_t point)
{
    const struct equivalent *equivalent = find_equivalent(point);

    if (equivalent != NULL)
        return equivalent_weight(cursor, equivalent);
    if (point >= LATIN_FIRST && point < LATIN_END && LETTERS[point - LATIN_FIRST].base != 0) {
        wait_for(cursor, accent_weight(LETTERS[point - LATIN_FIRST].accent));
        return letter_weight(LETTERS[point - LATIN_FIRST].base);
    }
    return plain_weight(point);
}

static bool is_dotted_l(const char *at)
{
    return (*at == 'l' || *at == 'L') && strncmp(at + 1, MIDDLE_DOT, sizeof MIDDLE_DOT - 1) == 0;
}

/* The next weight; false at the end of the name. */
static bool take(struct cursor *cursor, struct weight *out)
{
    if (cursor->waits > 0) {
        *out = cursor->waiting[--cursor->waits];
        return true;
    }
    if (*cursor->at == '\0')
        return false;
    if ((unsigned char)*cursor->at >= 0x80) {
        *out = point_weight(cursor, take_point(&cursor->at));
        return true;
    }
    *out = plain_weight((unsigned char)*cursor->at);
    /* Even when written as two characters, ŀ is one letter. */
    if (is_dotted_l(cursor->at)) {
        wait_for(cursor, accent_weight(ACCENT_DOTTED));
        cursor->at += sizeof MIDDLE_DOT - 1;
    }
    cursor->at++;
    return true;
}

enum level { LEVEL_LETTERS, LEVEL_ACCENTS, LEVEL_SHAPE, LEVELS };

/* A weight's value on a level; 0 = ignored there. Among the accents a letter has 1, so that no accent sorts
 * before any accent. */
static uint32_t on_level(struct weight weight, enum level level)
{
    if (weight.primary == 0 && weight.accent == 0)
        return 0;
    if (level == LEVEL_LETTERS)
        return weight.primary;
    return 1u + (level == LEVEL_ACCENTS ? weight.accent : weight.shape);
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

/* The length of the common prefix, usually a timestamp: it has the same weight on every level. Stops at an l,
 * which may be half of a letter. */
static size_t common_length(const char *one, const char *other)
{
    size_t length = 0;

    while (one[length] == other[length] && one[length] != '\0' && (unsigned char)one[length] < 0x80)
        length++;
    return length > 0 && (one[length - 1] | 0x20) == 'l' ? length - 1 : length;
}

/* The primary weight of an ASCII byte; 0 = no weight, and for all other bytes. */
static uint32_t ascii_primary(char byte)
{
    unsigned char index = (unsigned char)byte;

    if (index >= array_length(BEFORE_LETTERS))
        return 0;
    return is_letter(byte) ? letter_weight(byte).primary : BEFORE_LETTERS[index];
}

struct order_key prisma_order_key_of(const char *name)
{
    struct order_key key = { .is_exact = true, .name = name };
    size_t i = 0;

    for (; i < sizeof key.head && name[i] != '\0' && key.is_exact; i++) {
        uint64_t primary = ascii_primary(name[i]);

        /* An l may be half of a letter. */
        key.is_exact = primary != 0 && (name[i] | 0x20) != 'l';
        key.head[i / 8] |= primary << (56 - i % 8 * 8);
    }
    return key;
}

int prisma_order_compare_keys(const struct order_key *one, const struct order_key *other)
{
    for (size_t i = 0; i < array_length(one->head) && one->is_exact && other->is_exact; i++) {
        if (one->head[i] != other->head[i])
            return one->head[i] < other->head[i] ? -1 : 1;
    }
    return prisma_order_compare(one->name, other->name);
}

int prisma_order_compare(const char *one, const char *other)
{
    size_t common = common_length(one, other);

    for (int level = 0; level < LEVELS; level++) {
        int difference = compare_on_level(one + common, other + common, (enum level)level);

        if (difference != 0)
            return difference;
    }
    return strcmp(one, other);
}

/* One combining accent on an ASCII letter is exact; ICU reorders several, this code does not. */
bool prisma_order_is_certain(const char *name)
{
    bool may_take_accent = false;

    while (*name != '\0') {
        bool is_ascii = (unsigned char)*name < 0x80;
        uint32_t point = take_point(&name);

        if (point == 0 || (point >= LATIN_END && !is_accent(point)) || (is_accent(point) && !may_take_accent))
            return false;
        may_take_accent = is_ascii;
    }
    return true;
}
