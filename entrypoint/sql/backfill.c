#include "sql/backfill.h"

#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "sql/scan.h"

const struct backfill_wish BACKFILL_DEFAULTS = {
    .target_ms = 10, .rows_least = 1, .rows_most = 50000, .rest_percent = 50
};
const struct throttle_wish THROTTLE_DEFAULTS = { .lag_ms = 5000,
                                                 .lag_size = 64LL * 1024 * 1024,
                                                 .slot_size = 2LL * 1024 * 1024 * 1024,
                                                 .active_percent = 80 };

enum value_type { VALUE_KEYS, VALUE_TIME, VALUE_SIZE, VALUE_ROWS, VALUE_PERCENT };

static const char *const EXAMPLES[] = {
    [VALUE_KEYS] = "up to four columns, such as key=id or key=tenant,id",
    [VALUE_TIME] = "a time with its unit, such as 10ms or 5s",
    [VALUE_SIZE] = "a size with its unit (kB, MB, GB, TB), such as 64MB",
    [VALUE_ROWS] = "the fewest and the most rows of a batch, such as 100..50000",
    [VALUE_PERCENT] = "a percentage, such as 50%",
};

struct word {
    const char *name;
    enum value_type type;
    size_t field;
    int64_t least; /* of its value; for sizes without a limit of their own, 0 and INT64_MAX */
    int64_t most;
    const char *range; /* the same for people */
};

/* Of each directive. */
enum { WORDS = 4 };

/* A batch of a minute is none, and a session may not be idle for one. */
static const struct word BACKFILL_WORDS[WORDS] = {
    { "key", VALUE_KEYS, 0, 0, INT64_MAX, "" },
    { "target", VALUE_TIME, offsetof(struct backfill_wish, target_ms), 1, 60 * 1000, "from 1ms to 1m" },
    { "rows", VALUE_ROWS, 0, 1, 10 * 1000 * 1000, "from 1 to 10000000" },
    { "rest", VALUE_PERCENT, offsetof(struct backfill_wish, rest_percent), 0, 100 * 1000,
      "from 0 to 100000%" },
};

/* 0 turns each of them off. */
static const struct word THROTTLE_WORDS[WORDS] = {
    { "lag", VALUE_TIME, offsetof(struct throttle_wish, lag_ms), 0, 24LL * 3600 * 1000, "from 0 to 24h" },
    { "lag-size", VALUE_SIZE, offsetof(struct throttle_wish, lag_size), 0, INT64_MAX, "" },
    { "slot", VALUE_SIZE, offsetof(struct throttle_wish, slot_size), 0, INT64_MAX, "" },
    { "active", VALUE_PERCENT, offsetof(struct throttle_wish, active_percent), 0, 100, "from 0 to 100%" },
};

/* Takes digits off the front; at most nine, so that nothing overflows later. */
static bool take_number(struct slice *text, int64_t *out)
{
    size_t digits = 0;

    *out = 0;
    while (digits < text->length && text->at[digits] >= '0' && text->at[digits] <= '9' && digits < 9)
        *out = *out * 10 + (text->at[digits++] - '0');
    text->at += digits;
    text->length -= digits;
    return digits > 0;
}

static bool read_size(struct slice text, int64_t *out)
{
    static const struct {
        const char *name;
        int64_t bytes;
    } units[] = { { "kB", 1LL << 10 }, { "MB", 1LL << 20 }, { "GB", 1LL << 30 }, { "TB", 1LL << 40 } };
    int64_t number;

    if (!take_number(&text, &number))
        return false;
    *out = number;
    if (number == 0 && text.length == 0)
        return true;
    for (size_t i = 0; i < array_length(units); i++) {
        if (slice_equals_ignoring_case(text, units[i].name) && number < INT64_MAX / units[i].bytes) {
            *out = number * units[i].bytes;
            return true;
        }
    }
    return false;
}

static bool read_percent(struct slice text, int64_t *out)
{
    return take_number(&text, out) && (slice_equals(text, "%") || (*out == 0 && text.length == 0));
}

static bool read_rows(struct slice text, const struct word *word, struct backfill_wish *out)
{
    if (!take_number(&text, &out->rows_least) || !slice_starts_with(text, ".."))
        return false;
    text.at += 2;
    text.length -= 2;
    return take_number(&text, &out->rows_most) && text.length == 0 && out->rows_least >= word->least &&
           out->rows_least <= out->rows_most && out->rows_most <= word->most;
}

static bool read_keys(struct slice text, struct backfill_wish *out)
{
    struct scanner scanner = scanner_of(text, true);
    struct token token;

    out->key_count = 0;
    do {
        if (out->key_count == BACKFILL_KEYS_MOST || !name_scan_part(&scanner, out->keys[out->key_count++]))
            return false;
        for (size_t i = 0; i + 1 < out->key_count; i++) {
            if (strcmp(out->keys[i], out->keys[out->key_count - 1]) == 0)
                return false;
        }
        token = scan_token(&scanner);
    } while (slice_equals(scanner_text(&scanner, token), ","));
    return token.kind == TOKEN_END;
}

static bool read_value(const struct word *word, struct slice value, void *out)
{
    int64_t number = 0;
    bool is_read = false;

    switch (word->type) {
    case VALUE_KEYS:
        return read_keys(value, out);
    case VALUE_ROWS:
        return read_rows(value, word, out);
    case VALUE_TIME:
        is_read = duration_parse(value, &number);
        break;
    case VALUE_SIZE:
        is_read = read_size(value, &number);
        break;
    case VALUE_PERCENT:
        is_read = read_percent(value, &number);
        break;
    }
    is_read = is_read && number >= word->least && number <= word->most;
    if (is_read)
        memcpy((char *)out + word->field, &number, sizeof number);
    return is_read;
}

/* A word ends at a blank outside double quotes. */
static struct slice next_word(struct slice *rest)
{
    struct slice word = { .at = rest->at, .length = 0 };
    bool is_quoted = false;

    while (word.length < rest->length && (is_quoted || strchr(" \t\v\f\r", rest->at[word.length]) == NULL)) {
        is_quoted ^= rest->at[word.length] == '"';
        word.length++;
    }
    *rest = slice_trim((struct slice) { .at = rest->at + word.length, .length = rest->length - word.length });
    return word;
}

/* Which of the words it is; WORDS = none. */
static size_t find_word(const struct word *words, struct slice name)
{
    size_t i = 0;

    while (i < WORDS && !slice_equals(name, words[i].name))
        i++;
    return i;
}

/* A directive while it is read. */
struct reading {
    const struct word *words;
    void *out;
    const char **at; /* the place of what is wrong */
    bool is_said[WORDS];
};

static bool read_word(struct slice text, struct reading *reading, struct error *err)
{
    const struct word *words = reading->words;
    const char *equals = memchr(text.at, '=', text.length);
    struct slice name = { .at = text.at,
                          .length = equals == NULL ? text.length : (size_t)(equals - text.at) };
    size_t i = find_word(words, name);

    *reading->at = text.at;
    if (i == WORDS || equals == NULL) {
        error_set(err, ERROR_CLEAN, "unknown setting \"%.*s\"", (int)(text.length < 64 ? text.length : 64),
                  text.at);
        return error_hint(err, "Use %s=, %s=, %s= or %s=.", words[0].name, words[1].name, words[2].name,
                          words[3].name);
    }
    if (reading->is_said[i]) {
        error_set(err, ERROR_CLEAN, "\"%s\" is given twice", words[i].name);
        return error_hint(err, "Remove one of them.");
    }
    reading->is_said[i] = true;
    *reading->at = equals + 1;
    if (read_value(&words[i], (struct slice) { .at = equals + 1, .length = text.length - name.length - 1 },
                   reading->out))
        return true;
    error_set(err, ERROR_CLEAN, "\"%s\" has an invalid value", words[i].name);
    return error_hint(err, "Write %s%s%s.", EXAMPLES[words[i].type], words[i].range[0] == '\0' ? "" : ", ",
                      words[i].range);
}

static bool read_words(struct slice rest, const struct word *words, void *out, const char **at,
                       struct error *err)
{
    struct reading reading = { .words = words, .out = out, .at = at };

    while (rest.length > 0) {
        if (!read_word(next_word(&rest), &reading, err))
            return false;
    }
    return true;
}

bool backfill_wish_parse(struct slice words, struct backfill_wish *out, const char **at, struct error *err)
{
    struct backfill_wish found = BACKFILL_DEFAULTS;
    struct slice rest = words;
    struct slice table = next_word(&rest);
    struct scanner scanner = scanner_of(table, true);

    *at = words.at;
    if (!name_scan(&scanner, found.schema, found.table) || scan_token(&scanner).kind != TOKEN_END) {
        error_set(err, ERROR_CLEAN, "the backfill names no table");
        return error_hint(err, "Add the table's name: -- tidelock: backfill orders key=id");
    }
    if (!read_words(rest, BACKFILL_WORDS, &found, at, err))
        return false;
    found.is_said = true;
    *out = found;
    return true;
}

bool throttle_wish_parse(struct slice words, struct throttle_wish *out, const char **at, struct error *err)
{
    struct throttle_wish found = THROTTLE_DEFAULTS;

    *at = words.at;
    if (!read_words(words, THROTTLE_WORDS, &found, at, err))
        return false;
    found.is_said = true;
    *out = found;
    return true;
}
