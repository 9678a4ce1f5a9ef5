#include "sql/directive.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/names.h"
#include "sql/scan.h"
#include "sql/script.h"

static const char MARK[] = "tidelock:";
enum { MARK_LENGTH = sizeof MARK - 1 };

static const char *const WISH_NAMES[] = {
    [TRANSACTION_AUTO] = "auto",
    [TRANSACTION_ON] = "on",
    [TRANSACTION_OFF] = "off",
};
_Static_assert(array_length(WISH_NAMES) == TRANSACTION_WISHES, "name every wish");

enum value_type { VALUE_WISH, VALUE_DURATION };

static const struct key {
    const char *name;
    enum value_type type;
    size_t field; /* of struct directives */
} KEYS[] = {
    { "transaction", VALUE_WISH, offsetof(struct directives, transaction) },
    { "lock-timeout", VALUE_DURATION, offsetof(struct directives, lock_timeout_ms) },
    { "migration-timeout", VALUE_DURATION, offsetof(struct directives, migration_timeout_ms) },
    { "retry-for", VALUE_DURATION, offsetof(struct directives, retry_for_ms) },
    { "statement-timeout", VALUE_DURATION, offsetof(struct directives, statement_timeout_ms) },
};

/* One script while its directives are read. */
struct reading {
    const char *file;
    struct slice bytes; /* without a byte order mark */
    struct directives found;
    bool is_said[array_length(KEYS)];
};

static bool fail(const struct reading *reading, const char *at, struct error *err)
{
    return error_point(err, reading->file, reading->bytes.at, reading->bytes.length,
                       (size_t)(at - reading->bytes.at));
}

/* Keys and values are short; anything longer is neither. */
struct name {
    char text[64];
};

static struct name name_of(struct slice slice)
{
    struct name name = { .text = "" };
    size_t length = slice.length < sizeof name.text ? slice.length : sizeof name.text - 1;

    while (length > 0 && length < slice.length && ((unsigned char)slice.at[length] & 0xC0) == 0x80)
        length--; /* do not split a character */
    memcpy(name.text, slice.at, length);
    return name;
}

static bool refuse_value(const struct reading *reading, const struct key *key, struct slice value,
                         struct error *err)
{
    error_set(err, ERROR_CLEAN, "directive \"%s\" cannot be \"%s\"", key->name, name_of(value).text);
    if (key->type == VALUE_WISH)
        error_hint(err, "Write auto, on or off.");
    else
        error_hint(err, "Write a time with its unit, such as 250ms, 5s or 1h30m; 0 means none.");
    return fail(reading, value.at, err);
}

static bool read_value(struct reading *reading, const struct key *key, struct slice value, struct error *err)
{
    char *field = (char *)&reading->found + key->field;
    int wish = names_find(WISH_NAMES, array_length(WISH_NAMES), value);
    enum transaction_wish transaction = (enum transaction_wish)wish;
    int64_t ms;

    if (key->type == VALUE_WISH ? wish < 0 : !duration_parse(value, &ms))
        return refuse_value(reading, key, value, err);
    if (key->type == VALUE_WISH)
        memcpy(field, &transaction, sizeof transaction);
    else
        memcpy(field, &ms, sizeof ms);
    return true;
}

static size_t key_find(struct slice name)
{
    size_t i = 0;

    while (i < array_length(KEYS) && !slice_equals(name, KEYS[i].name))
        i++;
    return i;
}

/* Takes the first word off a trimmed text. */
static struct slice next_word(struct slice *words)
{
    struct slice word = { .at = words->at, .length = 0 };

    while (word.length < words->length && strchr(" \t\v\f", words->at[word.length]) == NULL)
        word.length++;
    *words =
        slice_trim((struct slice) { .at = words->at + word.length, .length = words->length - word.length });
    return word;
}

static bool refuse_words(const struct reading *reading, const char *at, const char *what, const char *hint,
                         struct error *err)
{
    error_set(err, ERROR_CLEAN, "%s", what);
    error_hint(err, "%s", hint);
    return fail(reading, at, err);
}

/* What follows "assert": the rest of the line is SQL. */
static bool read_assertion(struct reading *reading, struct slice words, struct error *err)
{
    static const char WAIT[] = "wait=";
    struct assertion found = { .expression = words };
    struct slice rest = words;
    struct slice word = next_word(&rest);

    if (slice_equals(word, "after")) {
        found.is_after = true;
        found.expression = rest;
        word = next_word(&rest);
    }
    if (slice_starts_with(word, WAIT)) {
        struct slice value = { .at = word.at + strlen(WAIT), .length = word.length - strlen(WAIT) };

        if (found.is_after)
            return refuse_words(
                reading, word.at, "an assertion after a migration cannot wait",
                "It would hold the migration's locks while it waits. Remove \"wait\", or assert before "
                "the migration.",
                err);
        if (!duration_parse(value, &found.wait_ms))
            return refuse_words(reading, value.at, "\"wait\" has no valid time", "Write wait=10m.", err);
        found.expression = rest;
    }
    if (found.expression.length == 0)
        return refuse_words(reading, words.at, "the assertion has no expression",
                            "Write a boolean expression after it, on the same line.", err);
    if (reading->found.assertion_count == ASSERTIONS_MOST)
        return refuse_words(reading, words.at, "too many assertions", "Combine some of them with AND.", err);
    reading->found.assertions[reading->found.assertion_count++] = found;
    return true;
}

static bool read_backfill(struct reading *reading, struct slice words, struct error *err)
{
    const char *at = words.at;

    if (reading->found.backfill.is_said)
        return refuse_words(reading, words.at, "the script has two backfills",
                            "Put each in a migration of its own.", err);
    return backfill_wish_parse(words, &reading->found.backfill, &at, err) || fail(reading, at, err);
}

static bool read_throttle(struct reading *reading, struct slice words, struct error *err)
{
    const char *at = words.at;

    if (reading->found.throttle.is_said)
        return refuse_words(reading, words.at, "directive \"throttle\" is given twice",
                            "Write all of it on one line.", err);
    return throttle_wish_parse(words, &reading->found.throttle, &at, err) || fail(reading, at, err);
}

static bool read_verify(struct reading *reading, struct slice words, struct error *err)
{
    if (words.length == 0 || reading->found.verify.length > 0)
        return refuse_words(
            reading, words.at, "directive \"verify\" needs exactly one expression",
            "Write a boolean expression after it, on the same line; combine several with AND.", err);
    reading->found.verify = words;
    return true;
}

/* Directives that take the rest of their line. */
static const struct {
    const char *name;
    bool (*read)(struct reading *reading, struct slice words, struct error *err);
} LINES[] = {
    { "assert", read_assertion },
    { "backfill", read_backfill },
    { "throttle", read_throttle },
    { "verify", read_verify },
};

static bool refuse_key(const struct reading *reading, struct slice key, struct error *err)
{
    struct name name = name_of(key);
    const char *names[array_length(KEYS) + array_length(LINES)];
    size_t count = 0;
    const char *nearest;
    auto_text struct text all = text_init(256);

    for (size_t i = 0; i < array_length(LINES); i++)
        names[count++] = LINES[i].name;
    for (size_t i = 0; i < array_length(KEYS); i++)
        names[count++] = KEYS[i].name;
    for (size_t i = 0; i < count; i++)
        text_add_format(&all, "%s%s", i == 0 ? "" : i + 1 < count ? ", " : " and ", names[i]);
    nearest = names_nearest(names, count, name.text);
    error_set(err, ERROR_CLEAN, "unknown directive \"%s\"", name.text);
    if (nearest != NULL)
        error_hint(err, "Did you mean \"%s\"?", nearest);
    else
        error_hint(err, "The directives are %s.", all.at);
    return fail(reading, key.at, err);
}

/* Reads one "key=value". */
static bool read_word(struct reading *reading, struct slice word, struct error *err)
{
    const char *equals = memchr(word.at, '=', word.length);
    struct slice key = { .at = word.at, .length = equals == NULL ? word.length : (size_t)(equals - word.at) };
    size_t index = key_find(key);

    if (index == array_length(KEYS))
        return refuse_key(reading, key, err);
    if (equals == NULL) {
        error_set(err, ERROR_CLEAN, "directive \"%s\" has no value", KEYS[index].name);
        error_hint(err, "Write %s=VALUE, without spaces.", KEYS[index].name);
        return fail(reading, word.at, err);
    }
    if (reading->is_said[index]) {
        error_set(err, ERROR_CLEAN, "directive \"%s\" is given twice", KEYS[index].name);
        error_hint(err, "Remove one of them.");
        return fail(reading, word.at, err);
    }
    reading->is_said[index] = true;
    return read_value(reading, &KEYS[index],
                      (struct slice) { .at = equals + 1, .length = word.length - key.length - 1 }, err);
}

static bool read_words(struct reading *reading, struct slice words, struct error *err)
{
    words = slice_trim(words);
    while (words.length > 0) {
        struct slice word = next_word(&words);

        for (size_t i = 0; i < array_length(LINES); i++) {
            if (slice_equals(word, LINES[i].name))
                return LINES[i].read(reading, words, err);
        }
        if (!read_word(reading, word, err))
            return false;
    }
    return true;
}

/* Whether a comment is a directive; if so, *words is its text. */
static bool is_ours(struct slice comment, struct slice *words)
{
    struct slice body = slice_trim((struct slice) { .at = comment.at + 2, .length = comment.length - 2 });

    if (body.length < MARK_LENGTH ||
        !slice_equals_ignoring_case((struct slice) { .at = body.at, .length = MARK_LENGTH }, MARK))
        return false;
    *words = (struct slice) { .at = body.at + MARK_LENGTH, .length = body.length - MARK_LENGTH };
    return true;
}

/* A comment that begins with our name and is no directive was meant as one. */
static bool check_name(const struct reading *reading, struct slice comment, struct error *err)
{
    struct slice body = slice_trim((struct slice) { .at = comment.at + 2, .length = comment.length - 2 });
    struct slice name = { .at = body.at, .length = MARK_LENGTH - 1 };
    struct slice rest = { .at = body.at + MARK_LENGTH - 1, .length = body.length - (MARK_LENGTH - 1) };

    if (body.length < MARK_LENGTH || !slice_equals_ignoring_case(name, "tidelock") ||
        strchr(" \t\r\n:=", rest.at[0]) == NULL)
        return true;
    error_set(err, ERROR_CLEAN,
              "a comment that begins with \"tidelock\" must be a directive: a colon right "
              "behind the name is missing");
    error_hint(err, "Write \"-- tidelock: key=value\"; begin what is no directive with another word.");
    return fail(reading, comment.at, err);
}

static bool read_comment(struct reading *reading, struct slice comment, struct error *err)
{
    struct slice words;

    if (!is_ours(comment, &words))
        return check_name(reading, comment, err);
    if (comment.at[0] == '-')
        return read_words(reading, words, err);
    error_set(err, ERROR_CLEAN, "a directive cannot be in a block comment");
    error_hint(err, "Write it on a line of its own, after two hyphens: -- tidelock: key=value");
    return fail(reading, comment.at, err);
}

/* Whether the text contains "tidelock:" at all; saves looking for comments in most scripts. */
static bool has_mark(struct slice text)
{
    const char *end = text.at + text.length;
    const char *at = text.at;

    while (at < end && (at = memchr(at, ':', (size_t)(end - at))) != NULL) {
        at++;
        if (at - text.at >= MARK_LENGTH &&
            slice_equals_ignoring_case((struct slice) { .at = at - MARK_LENGTH, .length = MARK_LENGTH },
                                       MARK))
            return true;
    }
    return false;
}

/* A directive after the first statement would be obeyed too late, or not at all. */
static bool check_rest(const struct reading *reading, struct scanner scanner, struct error *err)
{
    struct slice rest = { .at = scanner.at + scanner.offset, .length = scanner.length - scanner.offset };
    struct slice words;
    struct token token;

    if (!has_mark(rest))
        return true;
    while (token = scan_token(&scanner), token.kind != TOKEN_END) {
        if (token.kind != TOKEN_COMMENT || !is_ours(scanner_text(&scanner, token), &words))
            continue;
        error_set(err, ERROR_CLEAN, "a directive cannot follow the first statement");
        error_hint(err, "Move it to the top of the script.");
        return fail(reading, scanner_text(&scanner, token).at, err);
    }
    return true;
}

bool directive_parse(const char *file, struct slice bytes, struct directives *out, struct error *err)
{
    struct reading reading = { .file = file,
                               .bytes = script_without_bom(bytes),
                               .found = { .throttle = THROTTLE_DEFAULTS,
                                          .lock_timeout_ms = -1,
                                          .retry_for_ms = -1,
                                          .statement_timeout_ms = -1,
                                          .migration_timeout_ms = -1 } };
    struct scanner scanner = scanner_of(reading.bytes, true);
    struct token token;

    scanner.gives_comments = true;
    while (token = scan_token(&scanner), token.kind == TOKEN_COMMENT || token.kind == TOKEN_SEMICOLON) {
        if (token.kind == TOKEN_COMMENT && !read_comment(&reading, scanner_text(&scanner, token), err))
            return false;
    }
    if (!check_rest(&reading, scanner, err))
        return false;
    if (!reading.found.backfill.is_said &&
        (reading.found.throttle.is_said || reading.found.verify.length > 0)) {
        error_set(err, ERROR_CLEAN, "\"throttle\" and \"verify\" need a backfill, but the script has none");
        error_hint(err, "Add the line \"-- tidelock: backfill TABLE\".");
        return fail(&reading, bytes.at, err);
    }
    *out = reading.found;
    return true;
}
