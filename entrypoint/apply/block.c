#include "apply/block.h"

#include <string.h>

#include "postgres/advisory.h"
#include "postgres/query.h"

enum { LOCK_MOST = 512 };

/* Where the lock is put in, and how many statements come before. */
struct seam {
    size_t offset;
    size_t statements;
};

/* Whether a statement may come before the first snapshot. */
static bool is_preamble(struct slice text)
{
    static const char *const words[] = { "set", "lock" };
    size_t length = 0;

    while (length < text.length && ((text.at[length] | 0x20) >= 'a' && (text.at[length] | 0x20) <= 'z'))
        length++;
    text.length = length;
    return slice_equals_ignoring_case(text, words[0]) || slice_equals_ignoring_case(text, words[1]);
}

/* After BEGIN and its preamble; at the end of the segment if there is nothing else. */
static struct seam find_seam(const struct execution *execution, const struct segment *segment)
{
    struct script_reader reader = script_reader_of(
        execution->migration->script_path,
        (struct slice) { execution->script.at + segment->start, segment->end - segment->start },
        connection_server_version(execution->conn), execution->ledger->has_standard_strings);
    struct seam seam = { .offset = segment->end };
    struct statement statement;
    struct error ignored;

    while (script_next(&reader, &statement, &ignored) == SCRIPT_STATEMENT) {
        statement.start += segment->start;
        statement.end += segment->start;
        if (seam.statements > 0 && !is_preamble(execution_text(execution, &statement))) {
            seam.offset = statement.start;
            break;
        }
        seam.statements++;
    }
    return seam;
}

bool block_send(struct execution *execution, const struct segment *segment, struct error *err)
{
    const char *script = execution->script.at;
    struct seam seam = find_seam(execution, segment);
    auto_text struct text sql = text_init(segment->end - segment->start + LOCK_MOST);
    size_t before;
    size_t added;
    size_t completed;

    text_add(&sql, script + segment->start, seam.offset - segment->start);
    before = utf8_count(sql.at, sql.length);
    added = sql.length;
    if (seam.offset == segment->end)
        text_add_string(&sql, "\n;");
    text_add_string(&sql, "SELECT 1 OPERATOR(pg_catalog./) (");
    advisory_add_try(execution->ledger->lock_key, true, &sql);
    text_add_string(&sql, ")::pg_catalog.int4;");
    added = sql.length - added;
    /* What takes our settings away, or is looked at, is sent in pieces. */
    if (!execution_sends_guarded(execution))
        text_add(&sql, script + seam.offset, segment->end - seam.offset);
    if (query_script(execution->conn, sql.at, &completed, err))
        return !execution_sends_guarded(execution) ||
               execution_send(execution, seam.offset, segment->end, segment->first + seam.statements, err);
    /* What the server says of a place counts the lock, too. */
    if (completed == seam.statements && strcmp(err->sqlstate, "22012") == 0)
        return advisory_lost(err);
    if (err->position > before + added)
        err->position -= added;
    completed -= completed > seam.statements;
    return execution_failed_at(execution, segment->start, segment->first, completed, err);
}
