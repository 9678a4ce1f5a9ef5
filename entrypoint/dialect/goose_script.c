#include "dialect/goose_script.h"

#include <string.h>

#include "base/memory.h"
#include "dialect/goose_variable.h"
#include "dialect/script_lines.h"

enum annotation { UP, DOWN, BEGIN, END, NO_TRANSACTION, ENVSUB_ON, ENVSUB_OFF, ANNOTATIONS };

static const char *const WORDS[] = { "Up",           "Down",           "StatementBegin",
                                     "StatementEnd", "NO TRANSACTION", "ENVSUB ON",
                                     "ENVSUB OFF" };
_Static_assert(sizeof WORDS / sizeof *WORDS == ANNOTATIONS, "name every annotation");

static const char MARK[] = "+goose";

/* Where a reader is: before the way there, in it, or in the way back. */
enum part { BEFORE, THERE, BACK };

struct reading {
    const struct script_source *source;
    struct slice script;
    struct text *out;
    size_t at; /* of the line at hand */
    enum part part;
    bool is_in_block;   /* behind StatementBegin */
    bool is_after_none; /* behind a block without a statement */
    bool has_line;      /* one of a statement that goes on */
    bool has_statement; /* … and it is not blank … */
    size_t statement;   /* … and begins there */
    bool has_variables;
    bool has_transaction;
};

/* Wherever it says +goose, in that case, a comment is an annotation. */
static bool is_annotation(struct slice line)
{
    return line_is_comment(line) && memmem(line.at, line.length, MARK, strlen(MARK)) != NULL;
}

bool goose_script_is_one(struct slice script)
{
    for (size_t at = line_first(script); at < script.length;) {
        struct slice line = line_at(script, at);

        if (is_annotation(line))
            return true;
        at += line.length + 1;
    }
    return false;
}

/* Whether the part at hand is the one that is wanted. */
static bool is_run(const struct reading *reading)
{
    return (reading->part == BACK) == reading->source->is_inverse;
}

static bool refuse(const struct reading *reading, size_t at, const char *what, const char *remedy,
                   struct error *err)
{
    error_set(err, ERROR_CLEAN, "%s", what);
    error_point(err, reading->source->path, reading->script.at, reading->script.length, at);
    return error_hint(err, "%s", remedy);
}

/* What is left without the dashes, wherever they are, and without the mark. */
static void add_words(struct slice line, struct text *out)
{
    bool has_mark = false;

    for (size_t i = 0; i < line.length;) {
        struct slice rest = { line.at + i, line.length - i };

        if (slice_starts_with(rest, "--")) {
            i += 2;
        } else if (!has_mark && slice_starts_with(rest, MARK)) {
            has_mark = true;
            i += strlen(MARK);
        } else {
            text_add(out, rest.at, 1);
            i++;
        }
    }
}

static bool read_annotation(const struct reading *reading, struct slice line, enum annotation *out,
                            struct error *err)
{
    auto_text struct text words = text_init(line.length + 1);

    if (line.at[0] == ' ' || line.at[0] == '\t')
        return refuse(reading, reading->at, "an annotation of goose does not begin its line",
                      "Remove the blanks before it, or take \"+goose\" out of this comment.", err);
    add_words(line, &words);
    for (enum annotation i = 0; i < ANNOTATIONS; i++) {
        *out = i;
        if (slice_equals_ignoring_case(slice_trim(text_slice(&words)), WORDS[i]))
            return true;
    }
    return refuse(
        reading, reading->at, "goose does not know this annotation",
        "It knows Up, Down, StatementBegin, StatementEnd, NO TRANSACTION, ENVSUB ON and ENVSUB OFF. "
        "A comment that is none must not say \"+goose\".",
        err);
}

static bool refuse_unfinished(const struct reading *reading, struct error *err)
{
    return refuse(reading, reading->statement, "the last statement does not end in a semicolon",
                  "Add it at the end of a line, or remove what is no statement: goose refuses the script.",
                  err);
}

static bool refuse_place(const struct reading *reading, const char *what, struct error *err)
{
    return refuse(reading, reading->at, what,
                  "A script is one \"-- +goose Up\", statements, one \"-- +goose Down\", statements; each "
                  "StatementBegin in it has its StatementEnd.",
                  err);
}

static bool take_up(struct reading *reading, struct error *err)
{
    if (reading->part != BEFORE)
        return refuse_place(reading, "there is a second \"-- +goose Up\"", err);
    reading->part = THERE;
    return true;
}

static bool take_down(struct reading *reading, struct error *err)
{
    if (reading->part != THERE || reading->is_in_block)
        return refuse_place(reading, "\"-- +goose Down\" is out of place", err);
    if (reading->has_statement)
        return refuse_unfinished(reading, err);
    reading->part = BACK;
    reading->has_line = false;
    reading->is_after_none = false;
    return true;
}

static bool take_begin(struct reading *reading, struct error *err)
{
    if (reading->part == BEFORE || reading->is_in_block)
        return refuse_place(reading, "\"-- +goose StatementBegin\" is out of place", err);
    reading->is_in_block = true;
    reading->is_after_none = false;
    return true;
}

/* What a block holds is one message to goose: its last statement may lack the semicolon. */
static bool take_end(struct reading *reading, struct error *err)
{
    if (!reading->is_in_block)
        return refuse_place(reading, "\"-- +goose StatementEnd\" is out of place", err);
    reading->is_in_block = false;
    reading->is_after_none = !reading->has_line;
    if (reading->has_line)
        text_add(reading->out, ";", 1);
    reading->has_line = false;
    reading->has_statement = false;
    return true;
}

static bool take_annotation(struct reading *reading, struct slice line, struct error *err)
{
    enum annotation annotation = ANNOTATIONS;

    if (!read_annotation(reading, line, &annotation, err))
        return false;
    switch (annotation) {
    case UP:
        return take_up(reading, err);
    case DOWN:
        return take_down(reading, err);
    case BEGIN:
        return take_begin(reading, err);
    case END:
        return take_end(reading, err);
    case NO_TRANSACTION:
        reading->has_transaction = false;
        return true;
    default:
        reading->has_variables = annotation == ENVSUB_ON;
        return true;
    }
}

/* Whether its last word ends in a semicolon, a comment behind it aside. */
static bool ends_statement(struct slice line)
{
    bool ends = false;

    for (size_t i = 0; i < line.length;) {
        size_t start;

        while (i < line.length && line_is_blank((struct slice) { line.at + i, 1 }))
            i++;
        start = i;
        while (i < line.length && !line_is_blank((struct slice) { line.at + i, 1 }))
            i++;
        if (i - start >= 2 && memcmp(line.at + start, "--", 2) == 0)
            break;
        if (i > start)
            ends = line.at[i - 1] == ';';
    }
    return ends;
}

static bool replace(const struct reading *reading, struct slice line, struct text *out, struct error *err)
{
    if (!reading->has_variables) {
        text_add(out, line.at, line.length);
        return true;
    }
    if (goose_variables_replace(line, reading->source->variable, out, err))
        return true;
    return error_point(err, reading->source->path, reading->script.at, reading->script.length, reading->at);
}

/* Where a line may stand; *is_taken unless it is passed over. */
static bool check_line(const struct reading *reading, struct slice line, bool *is_taken, struct error *err)
{
    *is_taken = false;
    if (reading->part == BEFORE && line_is_blank(line))
        return true;
    if (reading->part == BEFORE)
        return refuse_place(reading, "a statement comes before \"-- +goose Up\"", err);
    if (reading->is_after_none && !is_run(reading))
        return true;
    if (reading->is_after_none)
        return refuse(reading, reading->at, "goose does not run this line: the block before it is empty",
                      "Remove the StatementBegin and StatementEnd that have nothing between them.", err);
    *is_taken = true;
    return true;
}

/* Comments before a statement are none of it. */
static bool take_line(struct reading *reading, struct slice line, struct error *err)
{
    auto_text struct text replaced = text_init(reading->out->most);
    bool is_taken;

    if (!reading->has_line && (line_is_comment(line) || line.length == 0)) {
        if (is_run(reading))
            text_add(reading->out, line.at, line.length);
        return true;
    }
    if (!check_line(reading, line, &is_taken, err))
        return false;
    if (!is_taken)
        return true;
    if (!replace(reading, line, &replaced, err))
        return false;
    if (!is_run(reading))
        return true;
    text_add(reading->out, replaced.at, replaced.length);
    if (!reading->has_statement && !line_is_blank(line))
        reading->statement = reading->at;
    reading->has_line = true;
    reading->has_statement |= !line_is_blank(line);
    if (!reading->is_in_block && ends_statement(text_slice(&replaced)))
        reading->has_line = reading->has_statement = false;
    return true;
}

static bool read_lines(struct reading *reading, struct error *err)
{
    for (reading->at = line_first(reading->script); reading->at < reading->script.length;) {
        const struct slice line = line_at(reading->script, reading->at);
        struct slice said = line;

        if (said.length > 0 && said.at[said.length - 1] == '\r')
            said.length--;
        if (is_annotation(said) ? !take_annotation(reading, said, err) : !take_line(reading, said, err))
            return false;
        reading->at += line.length + 1;
        if (reading->at <= reading->script.length)
            text_add(reading->out, "\n", 1);
    }
    return true;
}

static bool check_end(const struct reading *reading, struct error *err)
{
    if (reading->part == BEFORE)
        return refuse(reading, 0, "the script has no line \"-- +goose Up\"",
                      "Put that line before its first statement.", err);
    if (reading->is_in_block)
        return refuse(reading, reading->script.length, "\"-- +goose StatementBegin\" has no StatementEnd",
                      "Add \"-- +goose StatementEnd\" behind what belongs together.", err);
    return !reading->has_statement || refuse_unfinished(reading, err);
}

bool goose_script_read(const struct script_source *source, struct text *script, struct script_wishes *out,
                       struct error *err)
{
    struct text run = text_init(script->most);
    struct reading reading = {
        .source = source, .script = text_slice(script), .out = &run, .has_transaction = true
    };

    if (!read_lines(&reading, err) || !check_end(&reading, err)) {
        text_clear(&run);
        return false;
    }
    out->transaction = reading.has_transaction ? SCRIPT_TRANSACTION_ON : SCRIPT_TRANSACTION_OFF;
    text_clear(script);
    *script = run;
    return true;
}
