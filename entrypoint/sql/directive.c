#include "sql/directive.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/names.h"
#include "base/release.h"
#include "sql/allow.h"
#include "sql/directive_mark.h"
#include "sql/directive_reading.h"
#include "sql/scan.h"
#include "sql/script.h"

static const char *const WISH_NAMES[] = {
    [TRANSACTION_AUTO] = "auto",
    [TRANSACTION_ON] = "on",
    [TRANSACTION_OFF] = "off",
};
_Static_assert(array_length(WISH_NAMES) == TRANSACTION_WISHES, "name every wish");

enum { LINE_MOST = 100 };

bool directive_fail(const struct directive_reading *reading, const char *at, struct error *err)
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

static bool refuse_value(const struct directive_reading *reading, const struct directive *key,
                         struct slice value, struct error *err)
{
    error_set(err, ERROR_CLEAN, "directive \"%s\" cannot be \"%s\"", key->name, name_of(value).text);
    if (key->type == DIRECTIVE_WISH)
        error_hint(err, "Write auto, on or off.");
    else if (key->type == DIRECTIVE_RELEASE)
        error_hint(err, "%s", RELEASE_HINT);
    else
        error_hint(err, "Write a time with its unit, such as 250ms, 5s or 1h30m; 0 means none.");
    return directive_fail(reading, value.at, err);
}

static bool read_value(struct directive_reading *reading, const struct directive *key, struct slice value,
                       struct error *err)
{
    char *field = (char *)&reading->found + key->field;
    int wish = names_find(WISH_NAMES, array_length(WISH_NAMES), value);
    enum transaction_wish transaction = (enum transaction_wish)wish;
    struct release release;
    int64_t ms;

    if (key->type == DIRECTIVE_RELEASE) {
        if (!release_parse(value, &release))
            return refuse_value(reading, key, value, err);
        memcpy(field, &value, sizeof value);
        return true;
    }
    if (key->type == DIRECTIVE_WISH ? wish < 0 : !duration_parse(value, &ms))
        return refuse_value(reading, key, value, err);
    if (key->type == DIRECTIVE_WISH)
        memcpy(field, &transaction, sizeof transaction);
    else
        memcpy(field, &ms, sizeof ms);
    return true;
}

/* The row of a name as it has to be written; the one without a name if there is none. */
static const struct directive *find(struct slice name)
{
    const struct directive *row = DIRECTIVES;

    while (row->name != NULL && !slice_equals(name, row->name))
        row++;
    return row;
}

/* The row that a name was probably meant to be, or NULL. */
static const struct directive *find_nearest(struct slice name)
{
    const char *names[DIRECTIVES_MOST] = { NULL };
    size_t count = 0;
    const char *nearest;

    for (const struct directive *row = DIRECTIVES; row->name != NULL; row++) {
        if (slice_equals_ignoring_case(name, row->name))
            return row;
        names[count++] = row->name;
    }
    nearest = names_nearest(names, count, name_of(name).text);
    return nearest == NULL ? NULL : find(slice_of(nearest));
}

struct slice directive_next_word(struct slice *words)
{
    struct slice word = { .at = words->at, .length = 0 };

    while (word.length < words->length && strchr(" \t\v\f", words->at[word.length]) == NULL)
        word.length++;
    *words =
        slice_trim((struct slice) { .at = words->at + word.length, .length = words->length - word.length });
    return word;
}

bool directive_refuse(const struct directive_reading *reading, const char *at, const char *what,
                      const char *hint, struct error *err)
{
    error_set(err, ERROR_CLEAN, "%s", what);
    error_hint(err, "%s", hint);
    return directive_fail(reading, at, err);
}

static bool refuse_key(const struct directive_reading *reading, struct slice key, struct error *err)
{
    const struct directive *nearest = find_nearest(key);
    auto_text struct text all = text_init(256);

    error_set(err, ERROR_CLEAN, "unknown directive \"%s\"", name_of(key).text);
    for (const struct directive *row = DIRECTIVES; row->name != NULL; row++)
        text_add_format(&all, "%s%s",
                        row == DIRECTIVES     ? ""
                        : row[1].name != NULL ? ", "
                                              : " and ",
                        row->name);
    if (nearest != NULL)
        error_hint(err, "Did you mean \"%s\"?", nearest->name);
    else
        error_hint(err, "The directives are %s. To see what they do: tidelock help directives", all.at);
    return directive_fail(reading, key.at, err);
}

/* Reads one "key=value", or the name of a flag. */
static bool read_word(struct directive_reading *reading, const struct directive *key, struct slice word,
                      struct error *err)
{
    const char *equals = memchr(word.at, '=', word.length);
    size_t index = (size_t)(key - DIRECTIVES);
    size_t skipped;

    if ((equals == NULL) != (key->type == DIRECTIVE_FLAG)) {
        error_set(err, ERROR_CLEAN, "directive \"%s\" %s", key->name,
                  equals == NULL ? "has no value" : "takes no value");
        error_hint(err, equals == NULL ? "Write %s=VALUE, without spaces." : "Write %s alone.", key->name);
        return directive_fail(reading, word.at, err);
    }
    if (reading->is_said[index]) {
        error_set(err, ERROR_CLEAN, "directive \"%s\" is given twice", key->name);
        error_hint(err, "Remove one of them.");
        return directive_fail(reading, word.at, err);
    }
    reading->is_said[index] = true;
    if (equals == NULL) {
        *(bool *)((char *)&reading->found + key->field) = true;
        return true;
    }
    skipped = (size_t)(equals - word.at) + 1;
    return read_value(reading, key, (struct slice) { .at = equals + 1, .length = word.length - skipped },
                      err);
}

/* The key of "key=value", or the whole word. */
static struct slice key_of(struct slice word)
{
    const char *equals = memchr(word.at, '=', word.length);

    if (equals != NULL)
        word.length = (size_t)(equals - word.at);
    return word;
}

static bool read_words(struct directive_reading *reading, struct slice words, struct error *err)
{
    while (words.length > 0) {
        struct slice word = directive_next_word(&words);
        const struct directive *line = find(word);
        const struct directive *key = find(key_of(word));

        if (line->name != NULL && line->type == DIRECTIVE_LINE)
            return line->read(reading, words, err);
        if (key->name == NULL || key->type == DIRECTIVE_LINE)
            return refuse_key(reading, key_of(word), err);
        if (!read_word(reading, key, word, err))
            return false;
    }
    return true;
}

/* Whether what follows the name of a directive can be as it is. */
static bool fits(const struct directive *row, struct slice rest)
{
    return row->type != DIRECTIVE_FLAG && rest.length > 1 && rest.length < LINE_MOST &&
           rest.at[0] == (row->type == DIRECTIVE_LINE ? ' ' : '=');
}

/* The directive that the words were probably meant to be, as it has to be written. Empty if they are none. */
static void suggest(struct slice words, struct text *out)
{
    struct slice rest = words;
    struct slice key = key_of(directive_next_word(&rest));
    const struct directive *row = find_nearest(key);

    rest = (struct slice) { .at = key.at + key.length, .length = words.length - key.length };
    if (row != NULL && fits(row, rest))
        text_add_format(out, "%s%.*s", row->name, (int)rest.length, rest.at);
    else if (row != NULL)
        text_add_string(out, row->usage);
}

/* A comment that begins with our name and is no directive was meant as one. */
static bool refuse_mark(const struct directive_reading *reading, struct slice comment,
                        const struct directive_mark *mark, struct error *err)
{
    auto_text struct text line = text_init(4 * LINE_MOST);

    suggest(mark->words, &line);
    if (comment.at[0] == '/')
        error_set(err, ERROR_CLEAN, "a directive cannot be in a block comment");
    else if (mark->has_colon)
        error_set(err, ERROR_CLEAN, "a directive must begin with exactly \"-- tidelock:\", in lower case");
    else
        error_set(err, ERROR_CLEAN,
                  "a comment that begins with \"tidelock\" must be a directive: a colon right "
                  "behind the name is missing");
    if (line.length > 0)
        error_hint(err, "Write, on a line of its own: -- tidelock: %s", line.at);
    else
        error_hint(err,
                   "Begin what is no directive with another word. To see all directives: tidelock help "
                   "directives");
    return directive_fail(reading, comment.at, err);
}

static bool read_comment(struct directive_reading *reading, struct slice comment, struct error *err)
{
    const struct directive_mark mark = directive_mark_of(comment);

    if (mark.is_directive && slice_trim(mark.words).length == 0) {
        error_set(err, ERROR_CLEAN, "the directive says nothing");
        error_hint(err, "Remove it, or complete it. To see all directives: tidelock help directives");
        return directive_fail(reading, comment.at, err);
    }
    if (mark.is_directive)
        return read_words(reading, mark.words, err);
    return !mark.is_named || refuse_mark(reading, comment, &mark, err);
}

/* A directive after the first statement would be obeyed too late, unless it is about the next one. */
static bool check_rest(struct directive_reading *reading, struct scanner scanner, struct error *err)
{
    struct slice rest = { .at = scanner.at + scanner.offset, .length = scanner.length - scanner.offset };
    struct token token;

    if (!directive_mark_occurs(rest))
        return true;
    while (token = scan_token(&scanner), token.kind != TOKEN_END) {
        const struct slice comment = scanner_text(&scanner, token);

        if (token.kind != TOKEN_COMMENT || !directive_mark_of(comment).has_colon)
            continue;
        if (allow_is(comment) && !read_comment(reading, comment, err))
            return false;
        if (allow_is(comment))
            continue;
        error_set(err, ERROR_CLEAN, "a directive cannot follow the first statement");
        error_hint(err, "Move it to the top of the script.");
        return directive_fail(reading, comment.at, err);
    }
    return true;
}

bool directive_parse(const char *file, struct slice bytes, struct directives *out, struct error *err)
{
    struct directive_reading reading = { .file = file,
                                         .bytes = script_without_bom(bytes),
                                         .found = { .throttle = THROTTLE_DEFAULTS,
                                                    .lock_timeout_ms = -1,
                                                    .retry_for_ms = -1,
                                                    .statement_timeout_ms = -1,
                                                    .migration_timeout_ms = -1,
                                                    .require_backup_ms = -1 } };
    struct scanner scanner = scanner_of(reading.bytes, true);
    struct token token;

    scanner.gives_comments = true;
    while (token = scan_token(&scanner), token.kind == TOKEN_COMMENT || token.kind == TOKEN_SEMICOLON) {
        if (token.kind == TOKEN_COMMENT && !read_comment(&reading, scanner_text(&scanner, token), err))
            return false;
    }
    if (!check_rest(&reading, scanner, err))
        return false;
    if (reading.found.contract.is_said && reading.found.floor.length == 0) {
        error_set(err, ERROR_CLEAN, "\"contract\" needs a floor, but the script has none");
        error_hint(err, "Write which release can run after it: -- tidelock: floor=1.5.0 contract wait=30m");
        return directive_fail(&reading, bytes.at, err);
    }
    if (!reading.found.backfill.is_said &&
        (reading.found.throttle.is_said || reading.found.verify.length > 0)) {
        error_set(err, ERROR_CLEAN, "\"throttle\" and \"verify\" need a backfill, but the script has none");
        error_hint(err, "Add the line \"-- tidelock: backfill TABLE\".");
        return directive_fail(&reading, bytes.at, err);
    }
    *out = reading.found;
    return true;
}
