#include "sql/directive.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/names.h"
#include "sql/allow.h"
#include "sql/directive_mark.h"
#include "sql/scan.h"
#include "sql/script.h"

static const char *const WISH_NAMES[] = {
    [TRANSACTION_AUTO] = "auto",
    [TRANSACTION_ON] = "on",
    [TRANSACTION_OFF] = "off",
};
_Static_assert(array_length(WISH_NAMES) == TRANSACTION_WISHES, "name every wish");

enum { DIRECTIVES_MOST = 16, LINE_MOST = 100 };

/* One script while its directives are read. */
struct directive_reading {
    const char *file;
    struct slice bytes; /* without a byte order mark */
    struct directives found;
    bool is_said[DIRECTIVES_MOST]; /* as in the table */
};

static bool fail(const struct directive_reading *reading, const char *at, struct error *err)
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
    else
        error_hint(err, "Write a time with its unit, such as 250ms, 5s or 1h30m; 0 means none.");
    return fail(reading, value.at, err);
}

static bool read_value(struct directive_reading *reading, const struct directive *key, struct slice value,
                       struct error *err)
{
    char *field = (char *)&reading->found + key->field;
    int wish = names_find(WISH_NAMES, array_length(WISH_NAMES), value);
    enum transaction_wish transaction = (enum transaction_wish)wish;
    int64_t ms;

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
    const char *names[DIRECTIVES_MOST];
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

static bool refuse_words(const struct directive_reading *reading, const char *at, const char *what,
                         const char *hint, struct error *err)
{
    error_set(err, ERROR_CLEAN, "%s", what);
    error_hint(err, "%s", hint);
    return fail(reading, at, err);
}

/* What follows "assert": the rest of the line is SQL. */
static bool read_assertion(struct directive_reading *reading, struct slice words, struct error *err)
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

static bool read_backfill(struct directive_reading *reading, struct slice words, struct error *err)
{
    const char *at = words.at;

    if (reading->found.backfill.is_said)
        return refuse_words(reading, words.at, "the script has two backfills",
                            "Put each in a migration of its own.", err);
    return backfill_wish_parse(words, &reading->found.backfill, &at, err) || fail(reading, at, err);
}

static bool read_throttle(struct directive_reading *reading, struct slice words, struct error *err)
{
    const char *at = words.at;

    if (reading->found.throttle.is_said)
        return refuse_words(reading, words.at, "directive \"throttle\" is given twice",
                            "Write all of it on one line.", err);
    return throttle_wish_parse(words, &reading->found.throttle, &at, err) || fail(reading, at, err);
}

static bool read_verify(struct directive_reading *reading, struct slice words, struct error *err)
{
    if (words.length == 0 || reading->found.verify.length > 0)
        return refuse_words(
            reading, words.at, "directive \"verify\" needs exactly one expression",
            "Write a boolean expression after it, on the same line; combine several with AND.", err);
    reading->found.verify = words;
    return true;
}

/* It is for `plan`. */
static bool read_allow(struct directive_reading *reading, struct slice words, struct error *err)
{
    struct allowance ignored;
    const char *at = words.at;

    return allow_parse(words, &ignored, &at, err) || fail(reading, at, err);
}

const char DIRECTIVES_ABOUT[] =
    "A script can say how it is to be applied, in comments before its first statement. Each begins with "
    "\"-- tidelock:\"; a line may hold several that have a \"=\", or one of the others. Only allow may stand "
    "further down. A comment that would not be obeyed is an error.";

const struct directive DIRECTIVES[] = {
    { .name = "transaction",
      .usage = "transaction=auto|on|off",
      .meaning =
          "How the script is applied: as its statements need it (auto, the default), as one transaction (on), "
          "or with a transaction for each statement (off: for a script that would hold its locks too long, or "
          "has a CALL that commits).",
      .type = DIRECTIVE_WISH,
      .field = offsetof(struct directives, transaction) },
    { .name = "lock-timeout",
      .usage = "lock-timeout=TIME",
      .meaning = "In place of --lock-timeout, for this script.",
      .type = DIRECTIVE_TIME,
      .field = offsetof(struct directives, lock_timeout_ms) },
    { .name = "retry-for",
      .usage = "retry-for=TIME",
      .meaning = "In place of --retry-for, for this script.",
      .type = DIRECTIVE_TIME,
      .field = offsetof(struct directives, retry_for_ms) },
    { .name = "statement-timeout",
      .usage = "statement-timeout=TIME",
      .meaning = "In place of --statement-timeout, for this script.",
      .type = DIRECTIVE_TIME,
      .field = offsetof(struct directives, statement_timeout_ms) },
    { .name = "migration-timeout",
      .usage = "migration-timeout=TIME",
      .meaning = "In place of --migration-timeout, for this script.",
      .type = DIRECTIVE_TIME,
      .field = offsetof(struct directives, migration_timeout_ms) },
    { .name = "assert",
      .usage = "assert [wait=TIME | after] EXPRESSION",
      .meaning =
          "The deployment stops before the script changes anything unless EXPRESSION holds, within TIME "
          "if given. With after, the script is rolled back unless it holds at its end.",
      .type = DIRECTIVE_LINE,
      .read = read_assertion },
    { .name = "backfill",
      .usage = "backfill TABLE [key=COLUMN,...] [target=TIME] [rows=N..N] [rest=N%]",
      .meaning =
          "Runs the script's one UPDATE of TABLE as many small transactions along a key: each takes about "
          "target and changes that many rows; rest is the pause after it, as a part of its time.",
      .type = DIRECTIVE_LINE,
      .read = read_backfill },
    { .name = "throttle",
      .usage = "throttle [lag=TIME] [lag-size=SIZE] [slot=SIZE] [active=N%]",
      .meaning =
          "The backfill pauses while a replica lags by more, a replication slot has less room left, or "
          "more of the server's connections are active. 0 turns a limit off.",
      .type = DIRECTIVE_LINE,
      .read = read_throttle },
    { .name = "verify",
      .usage = "verify EXPRESSION",
      .meaning = "What has to hold when the backfill is complete.",
      .type = DIRECTIVE_LINE,
      .read = read_verify },
    { .name = "allow",
      .usage = "allow RULE because REASON",
      .meaning = "Before a statement: plan and --refuse no longer count that it breaks RULE.",
      .type = DIRECTIVE_LINE,
      .read = read_allow },
    { .name = NULL },
};
_Static_assert(array_length(DIRECTIVES) <= DIRECTIVES_MOST, "is_said has room for every row");

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
    return fail(reading, key.at, err);
}

/* Reads one "key=value". */
static bool read_word(struct directive_reading *reading, const struct directive *key, struct slice word,
                      struct error *err)
{
    const char *equals = memchr(word.at, '=', word.length);
    size_t index = (size_t)(key - DIRECTIVES);
    size_t skipped;

    if (equals == NULL) {
        error_set(err, ERROR_CLEAN, "directive \"%s\" has no value", key->name);
        error_hint(err, "Write %s=VALUE, without spaces.", key->name);
        return fail(reading, word.at, err);
    }
    if (reading->is_said[index]) {
        error_set(err, ERROR_CLEAN, "directive \"%s\" is given twice", key->name);
        error_hint(err, "Remove one of them.");
        return fail(reading, word.at, err);
    }
    reading->is_said[index] = true;
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
        struct slice word = next_word(&words);
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
    return rest.length > 1 && rest.length < LINE_MOST &&
           rest.at[0] == (row->type == DIRECTIVE_LINE ? ' ' : '=');
}

/* The directive that the words were probably meant to be, as it has to be written. Empty if they are none. */
static void suggest(struct slice words, struct text *out)
{
    struct slice rest = words;
    struct slice key = key_of(next_word(&rest));
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
    return fail(reading, comment.at, err);
}

static bool read_comment(struct directive_reading *reading, struct slice comment, struct error *err)
{
    const struct directive_mark mark = directive_mark_of(comment);

    if (mark.is_directive && slice_trim(mark.words).length == 0) {
        error_set(err, ERROR_CLEAN, "the directive says nothing");
        error_hint(err, "Remove it, or complete it. To see all directives: tidelock help directives");
        return fail(reading, comment.at, err);
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
        return fail(reading, comment.at, err);
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
