#include "sql/segment.h"

#include "base/text.h"

static struct scanner scanner_at(const struct segment_reader *reader, const struct statement *statement)
{
    struct scanner scanner = reader->script.scanner;

    scanner.offset = statement->start;
    scanner.length = statement->end;
    return scanner;
}

static void mark_refused(struct segment_reader *reader)
{
    struct statement *next = &reader->next;

    if (!reader->rules.has_refused || reader->rules.refused != reader->statements || next->kind != KIND_PLAIN)
        return;
    next->kind = KIND_NONTRANSACTIONAL;
    next->nontransactional = refused_kind_of(scanner_at(reader, next));
}

static enum segment_answer advance(struct segment_reader *reader, struct error *err)
{
    switch (script_next(&reader->script, &reader->next, err)) {
    case SCRIPT_STATEMENT:
        reader->has_next = true;
        mark_refused(reader);
        return SEGMENT_FOUND;
    case SCRIPT_END:
        reader->has_next = false;
        return SEGMENT_END;
    case SCRIPT_ERROR:
        break;
    }
    return SEGMENT_ERROR;
}

struct segment_reader segment_reader_of(struct script_reader script, size_t first,
                                        const struct segment_rules *rules)
{
    return (struct segment_reader) { .script = script, .statements = first, .rules = *rules };
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
    bool is_ended;

    segment->kind = SEGMENT_PLAIN;
    do {
        is_ended = !reader->rules.is_grouping ||
                   (reader->rules.ends_at_value && statement_adds_value(scanner_at(reader, &reader->next)));
        if (take(reader, segment, err) == SEGMENT_ERROR)
            return SEGMENT_ERROR;
    } while (!is_ended && is_plain(reader));
    return SEGMENT_FOUND;
}

static bool is_stray(const struct segment_reader *reader)
{
    return reader->next.kind == KIND_COMMIT || reader->next.kind == KIND_ROLLBACK;
}

/* A COMMIT outside a block ends what came before it, which is already committed: there is nothing left to
 * do. */
static enum segment_answer skip_stray_commits(struct segment_reader *reader, struct segment *segment,
                                              struct error *err)
{
    while (reader->has_next && is_stray(reader)) {
        segment->count++;
        reader->statements++;
        if (advance(reader, err) == SEGMENT_ERROR)
            return SEGMENT_ERROR;
    }
    return SEGMENT_FOUND;
}

enum segment_answer segment_next(struct segment_reader *reader, struct segment *out, struct error *err)
{
    enum segment_answer answer;

    if (!reader->has_started && advance(reader, err) == SEGMENT_ERROR)
        return SEGMENT_ERROR;
    reader->has_started = true;
    if (!reader->has_next)
        return SEGMENT_END;
    *out = (struct segment) {
        .start = reader->next.start, .end = reader->next.start, .first = reader->statements, .is_data = true
    };
    if (reader->next.kind == KIND_BEGIN)
        answer = read_block(reader, out, err);
    else if (reader->next.kind == KIND_NONTRANSACTIONAL) {
        out->kind = SEGMENT_ALONE;
        out->nontransactional = reader->next;
        answer = take(reader, out, err);
    } else if (is_stray(reader)) {
        answer = SEGMENT_FOUND; /* a script that starts with one: an empty run */
    } else {
        answer = read_run(reader, out, err);
    }
    return answer == SEGMENT_ERROR ? SEGMENT_ERROR : skip_stray_commits(reader, out, err);
}

bool statement_is_setting(struct slice script, const struct statement *statement)
{
    struct slice text = statement_text(script, statement);
    struct slice word = { .at = text.at, .length = 0 };

    while (word.length < text.length &&
           ((text.at[word.length] | 0x20) >= 'a' && (text.at[word.length] | 0x20) <= 'z'))
        word.length++;
    return statement->kind == KIND_PLAIN &&
           (slice_equals_ignoring_case(word, "set") || slice_equals_ignoring_case(word, "reset"));
}
