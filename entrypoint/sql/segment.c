#include "sql/segment.h"

#include "base/text.h"

static enum segment_answer advance(struct segment_reader *reader, struct error *err)
{
    switch (script_next(&reader->script, &reader->next, err)) {
    case SCRIPT_STATEMENT:
        reader->has_next = true;
        return SEGMENT_FOUND;
    case SCRIPT_END:
        reader->has_next = false;
        return SEGMENT_END;
    case SCRIPT_ERROR:
        break;
    }
    return SEGMENT_ERROR;
}

struct segment_reader segment_reader_of(struct script_reader script, size_t first, bool is_grouping)
{
    return (struct segment_reader) { .script = script, .statements = first, .is_grouping = is_grouping };
}

/* Adds the current statement to the segment. */
static enum segment_answer take(struct segment_reader *reader, struct segment *segment, struct error *err)
{
    segment->end = reader->next.end;
    segment->count++;
    segment->is_data &= reader->next.is_data || reader->next.kind == KIND_BEGIN;
    reader->statements++;
    return advance(reader, err);
}

static bool is_plain(const struct segment_reader *reader)
{
    return reader->has_next && (reader->next.kind == KIND_PLAIN || reader->next.kind == KIND_SAVEPOINT);
}

/* Everything up to its COMMIT or ROLLBACK; mode_decide() has ruled out that the script ends first. */
static enum segment_answer read_block(struct segment_reader *reader, struct segment *segment,
                                      struct error *err)
{
    segment->kind = SEGMENT_BLOCK;
    while (reader->has_next && reader->next.kind != KIND_COMMIT && reader->next.kind != KIND_ROLLBACK) {
        if (take(reader, segment, err) == SEGMENT_ERROR)
            return SEGMENT_ERROR;
    }
    segment->closing = reader->next;
    segment->count++;
    reader->statements++;
    return advance(reader, err);
}

/* One statement, or a run of them; a COMMIT after them commits what would have been an implicit
 * transaction. */
static enum segment_answer read_run(struct segment_reader *reader, struct segment *segment, struct error *err)
{
    segment->kind = SEGMENT_PLAIN;
    do {
        if (take(reader, segment, err) == SEGMENT_ERROR)
            return SEGMENT_ERROR;
    } while (reader->is_grouping && is_plain(reader));
    return SEGMENT_FOUND;
}

/* A COMMIT outside a block ends what came before it, which is already committed: there is nothing left to
 * do. */
static enum segment_answer skip_stray_commits(struct segment_reader *reader, struct segment *segment,
                                              struct error *err)
{
    while (reader->has_next && reader->next.kind == KIND_COMMIT) {
        segment->count++;
        reader->statements++;
        if (advance(reader, err) == SEGMENT_ERROR)
            return SEGMENT_ERROR;
    }
    return SEGMENT_FOUND;
}

static enum segment_answer refuse_rollback(const struct segment_reader *reader, struct error *err)
{
    error_set(err, ERROR_CLEAN,
              "ROLLBACK outside a transaction block: what it undoes depends on who runs the script");
    error_point(err, reader->script.file, reader->script.bytes.at, reader->script.bytes.length,
                reader->next.start);
    error_hint(err, "Put a BEGIN before the statements that it should undo, or remove it.");
    return SEGMENT_ERROR;
}

enum segment_answer segment_next(struct segment_reader *reader, struct segment *out, struct error *err)
{
    enum segment_answer answer;

    if (!reader->has_started && advance(reader, err) == SEGMENT_ERROR)
        return SEGMENT_ERROR;
    reader->has_started = true;
    if (!reader->has_next)
        return SEGMENT_END;
    if (reader->next.kind == KIND_ROLLBACK)
        return refuse_rollback(reader, err);
    *out = (struct segment) {
        .start = reader->next.start, .end = reader->next.start, .first = reader->statements, .is_data = true
    };
    if (reader->next.kind == KIND_BEGIN)
        answer = read_block(reader, out, err);
    else if (reader->next.kind == KIND_NONTRANSACTIONAL) {
        out->kind = SEGMENT_ALONE;
        out->nontransactional = reader->next;
        answer = take(reader, out, err);
    } else if (reader->next.kind == KIND_COMMIT) {
        answer = SEGMENT_FOUND; /* a script that starts with one: an empty run */
    } else {
        answer = read_run(reader, out, err);
    }
    return answer == SEGMENT_ERROR ? SEGMENT_ERROR : skip_stray_commits(reader, out, err);
}

bool statement_is_setting(struct slice script, const struct statement *statement)
{
    struct slice text = { .at = script.at + statement->start, .length = statement->end - statement->start };
    struct slice word = { .at = text.at, .length = 0 };

    while (word.length < text.length &&
           ((text.at[word.length] | 0x20) >= 'a' && (text.at[word.length] | 0x20) <= 'z'))
        word.length++;
    return statement->kind == KIND_PLAIN &&
           (slice_equals_ignoring_case(word, "set") || slice_equals_ignoring_case(word, "reset"));
}
