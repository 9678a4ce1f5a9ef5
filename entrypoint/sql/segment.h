/*
 * The segments of a script that is not atomic: the statements that commit together. Pure.
 *
 * A segment is one of the script's own transaction blocks, or a run of plain statements (which becomes one
 * transaction of ours), or a statement that cannot run in a transaction. Progress is recorded after each; a
 * rerun starts at the first that is not done.
 */
#ifndef SQL_SEGMENT_H
#define SQL_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "sql/script.h"

enum segment_kind {
    SEGMENT_PLAIN, /* statements without transaction control */
    SEGMENT_BLOCK, /* BEGIN …; `end` is that of the last statement before COMMIT or ROLLBACK */
    SEGMENT_ALONE, /* one statement that refuses a transaction block */
};

struct segment {
    enum segment_kind kind;
    size_t start; /* byte offsets in the script */
    size_t end;
    size_t first;                      /* number of its first statement in the script, from 0 */
    size_t count;                      /* of its statements, COMMIT or ROLLBACK included */
    bool is_data;                      /* all of them write rows, except BEGIN, COMMIT and ROLLBACK */
    struct statement closing;          /* SEGMENT_BLOCK: its COMMIT or ROLLBACK */
    struct statement nontransactional; /* SEGMENT_ALONE */
};

/* How a script is cut. */
struct segment_rules {
    bool is_grouping;   /* adjacent plain statements become one segment; otherwise each is its own */
    bool ends_at_value; /* … which ends behind an ALTER TYPE … ADD VALUE: the value can be used then */
    bool has_refused;
    size_t refused; /* statement of that number, though its text is plain, cannot run in a transaction */
};

/* Walks through a script. Its members are private. */
struct segment_reader {
    struct script_reader script;
    struct segment_rules rules;
    struct statement next;
    bool has_started;
    bool has_next;
    size_t statements; /* passed so far */
};

enum segment_answer { SEGMENT_FOUND, SEGMENT_END, SEGMENT_ERROR };

/* Reads segments from the position of `script`, whose next statement is number `first` of the whole. */
struct segment_reader segment_reader_of(struct script_reader script, size_t first,
                                        const struct segment_rules *rules);

/* The next segment. A COMMIT outside a block ends a run and counts as part of it; so does a ROLLBACK there,
 * which mode_decide() has ruled out. */
must_use enum segment_answer segment_next(struct segment_reader *reader, struct segment *out,
                                          struct error *err);

/* Whether the statement only changes the session (SET, RESET): repeating it is harmless, and it leaves
 * nothing in the database. */
bool statement_is_setting(struct slice script, const struct statement *statement);

#endif
