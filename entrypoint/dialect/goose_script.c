#include "dialect/goose_script.h"

#include <string.h>
#include <strings.h>

#include "dialect/script_lines.h"

enum annotation { NO_ANNOTATION, UP, DOWN, NO_TRANSACTION, OTHER_ANNOTATION };

static bool is_word(struct slice said, const char *word)
{
    return said.length == strlen(word) && strncasecmp(said.at, word, said.length) == 0;
}

/* In column 0; the letters' case does not matter. */
static enum annotation annotation_of(struct slice line)
{
    static const char mark[] = "+goose";
    struct slice said;

    if (!slice_starts_with(line, "--"))
        return NO_ANNOTATION;
    said = slice_trim((struct slice) { line.at + 2, line.length - 2 });
    if (said.length < strlen(mark) || strncasecmp(said.at, mark, strlen(mark)) != 0)
        return NO_ANNOTATION;
    said = slice_trim((struct slice) { said.at + strlen(mark), said.length - strlen(mark) });
    if (is_word(said, "Up"))
        return UP;
    if (is_word(said, "Down"))
        return DOWN;
    return is_word(said, "NO TRANSACTION") ? NO_TRANSACTION : OTHER_ANNOTATION;
}

bool goose_script_is_one(struct slice script)
{
    for (size_t at = 0; at < script.length;) {
        struct slice line = line_at(script, at);

        if (annotation_of(line) != NO_ANNOTATION)
            return true;
        at += line.length + 1;
    }
    return false;
}

bool goose_script_read(const struct script_source *source, struct text *script, struct script_wishes *out,
                       struct error *err)
{
    struct slice text = text_slice(script);
    bool has_up = false;
    bool is_kept = !source->is_inverse;

    out->transaction = SCRIPT_TRANSACTION_ON;
    for (size_t at = 0; at < text.length;) {
        struct slice line = line_at(text, at);
        enum annotation annotation = annotation_of(line);

        has_up |= annotation == UP;
        if (annotation == UP || annotation == DOWN)
            is_kept = (annotation == DOWN) == source->is_inverse;
        else if (annotation == NO_TRANSACTION)
            out->transaction = SCRIPT_TRANSACTION_OFF;
        else if (!is_kept)
            line_blank(script->at + at, line.length);
        at += line.length + 1;
    }
    if (has_up)
        return true;
    error_set(err, ERROR_CLEAN, "the script has no line \"-- +goose Up\"");
    error_point(err, source->path, text.at, text.length, 0);
    return error_hint(err, "Put that line before its first statement: without it, goose runs nothing of it.");
}
