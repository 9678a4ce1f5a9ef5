#include "dialect/dbmate_script.h"

#include <string.h>

#include "dialect/script_lines.h"
#include "sql/script.h"

enum mark { NO_MARK, UP, DOWN };

struct directive_line {
    enum mark mark;
    struct slice options;
};

static bool is_blank(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r' && byte != '\v');
}

static struct slice without(struct slice text, size_t length)
{
    return (struct slice) { text.at + length, text.length - length };
}

static struct slice without_blanks(struct slice text)
{
    while (text.length > 0 && is_blank(text.at[0]))
        text = without(text, 1);
    return text;
}

/* In column 0; upper and lower case differ. */
static struct directive_line directive_of(struct slice line)
{
    static const char *const words[] = { [UP] = "migrate:up", [DOWN] = "migrate:down" };
    const struct directive_line none = { .mark = NO_MARK };
    struct slice rest;

    if (!slice_starts_with(line, "--"))
        return none;
    rest = without_blanks(without(line, strlen("--")));
    for (enum mark mark = UP; mark <= DOWN; mark++) {
        struct slice options;

        if (!slice_starts_with(rest, words[mark]))
            continue;
        options = without(rest, strlen(words[mark]));
        if (options.length == 0 || is_blank(options.at[0]))
            return (struct directive_line) { mark, options };
    }
    return none;
}

bool dbmate_script_is_one(struct slice script)
{
    for (size_t at = line_first(script); at < script.length;) {
        struct slice line = line_at(script, at);

        if (directive_of(line).mark != NO_MARK)
            return true;
        at += line.length + 1;
    }
    return false;
}

/* Of several, the last decides. */
static bool has_transaction(struct slice options)
{
    bool has = true;

    for (options = without_blanks(options); options.length > 0; options = without_blanks(options)) {
        size_t length = 0;
        struct slice word;

        while (length < options.length && !is_blank(options.at[length]))
            length++;
        word = (struct slice) { options.at, length };
        if (slice_starts_with(word, "transaction:") &&
            memchr(word.at + strlen("transaction:"), ':', length - strlen("transaction:")) == NULL)
            has = !slice_equals(word, "transaction:false");
        options = without(options, length);
    }
    return has;
}

/* A script being read. */
struct reading {
    const struct script_source *source;
    struct text *script;
    enum mark in;  /* NO_MARK = before the first block */
    bool is_early; /* a statement comes before that … */
    size_t early;  /* … and its offset */
    size_t up;     /* the offset of the block of the way there */
    size_t ups;
    bool has_transaction; /* each of them */
};

static bool refuse(const struct reading *reading, size_t at, const char *what, const char *remedy,
                   struct error *err)
{
    error_set(err, ERROR_CLEAN, "%s", what);
    error_point(err, reading->source->path, reading->script->at, reading->script->length, at);
    return error_hint(err, "%s", remedy);
}

static bool refuse_no_way_back(const struct reading *reading, struct error *err)
{
    return refuse(reading, reading->up, "\"-- migrate:up\" has no \"-- migrate:down\" behind it",
                  "Add that line, even if nothing follows it: dbmate refuses a script without it.", err);
}

/* Each block is a message of its own to dbmate: its last statement may lack the semicolon. */
static void part(const struct reading *reading, size_t at)
{
    line_blank(reading->script->at + at, line_at(text_slice(reading->script), at).length);
    reading->script->at[at] = ';';
}

static bool read_directive(struct reading *reading, struct directive_line directive, size_t at,
                           struct error *err)
{
    if (directive.mark == DOWN && reading->in == DOWN)
        return refuse(reading, at, "there are two \"-- migrate:down\" behind one \"-- migrate:up\"",
                      "Put what both do behind one of them.", err);
    if (directive.mark == UP && reading->in == UP)
        return refuse_no_way_back(reading, err);
    if (reading->is_early)
        return refuse(
            reading, reading->early, "a statement comes before \"-- migrate:up\"",
            "Move it behind that line: dbmate refuses a script that has more than comments before it.", err);
    reading->in = directive.mark;
    if (directive.mark == UP) {
        reading->has_transaction = reading->has_transaction && has_transaction(directive.options);
        if (reading->ups > 0)
            part(reading, at);
        reading->up = at;
        reading->ups++;
    }
    return true;
}

static bool read_line(struct reading *reading, struct slice line, size_t at, struct error *err)
{
    const struct directive_line directive = directive_of(line);

    /* dbmate takes a way back without a way there for a comment. */
    if (directive.mark == UP || (directive.mark == DOWN && reading->in != NO_MARK))
        return read_directive(reading, directive, at, err);
    if (reading->in == (reading->source->is_inverse ? UP : DOWN))
        line_blank(reading->script->at + at, line.length);
    if (reading->in == NO_MARK && !reading->is_early && !line_is_blank(line) && !line_is_comment(line)) {
        reading->is_early = true;
        reading->early = at;
    }
    return true;
}

/* Several statements without a transaction of dbmate's are one of the server's. */
static bool is_one_message(const struct reading *reading)
{
    struct script_summary summary;
    struct error ignored;

    return reading->ups == 1 &&
           script_summarize(script_reader_of(reading->source->path, text_slice(reading->script), 0, true),
                            &summary, &ignored) &&
           summary.statements > 1;
}

bool dbmate_script_read(const struct script_source *source, struct text *script, struct script_wishes *out,
                        struct error *err)
{
    struct reading reading = { .source = source, .script = script, .has_transaction = true };

    for (size_t at = line_first(text_slice(script)); at < script->length;) {
        struct slice line = line_at(text_slice(script), at);

        if (!read_line(&reading, line, at, err))
            return false;
        at += line.length + 1;
    }
    if (reading.ups == 0)
        return refuse(&reading, 0, "the script has no line \"-- migrate:up\"",
                      "Put that line before its first statement.", err);
    if (reading.in == UP)
        return refuse_no_way_back(&reading, err);
    if (source->is_inverse && reading.ups > 1)
        return refuse(&reading, reading.up, "the script has several ways back",
                      "Put all of it behind one \"-- migrate:down\".", err);
    if (reading.has_transaction)
        out->transaction = SCRIPT_TRANSACTION_ON;
    else if (!is_one_message(&reading))
        out->transaction = SCRIPT_TRANSACTION_OFF;
    return true;
}
