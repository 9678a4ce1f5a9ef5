/*
 * What holds for the reading of any bytes as a script, for the unit tests and the fuzzer.
 */
#ifndef FUZZ_SCRIPT_PROPERTIES_H
#define FUZZ_SCRIPT_PROPERTIES_H

#include <stddef.h>

#include "sql/script.h"

static inline struct script_reader property_reader(struct slice bytes, bool has_standard_strings)
{
    return script_reader_of("any.sql", bytes, 150004, has_standard_strings);
}

static inline struct slice property_part(struct slice bytes, size_t start, size_t end)
{
    return (struct slice) { .at = bytes.at + start, .length = end - start };
}

/* A statement read alone is that statement. One that begins with the bytes of a byte order mark loses them.
 */
static inline bool statement_stands_alone(struct slice text, const struct statement *statement,
                                          bool has_standard_strings)
{
    struct script_reader reader = property_reader(text, has_standard_strings);
    struct statement single;
    struct error err;

    if (script_without_bom(text).length != text.length)
        return true;
    return script_next(&reader, &single, &err) == SCRIPT_STATEMENT && single.start == 0 &&
           single.end == text.length && single.line == 1 && single.kind == statement->kind &&
           single.nontransactional == statement->nontransactional &&
           script_next(&reader, &single, &err) == SCRIPT_END;
}

static inline bool gap_is_empty(struct slice gap, bool has_standard_strings)
{
    struct script_reader reader = property_reader(gap, has_standard_strings);
    struct statement statement;
    struct error err;

    return script_next(&reader, &statement, &err) == SCRIPT_END;
}

/* Statements and the gaps between them make up the script: in the gaps there is nothing, in a statement
 * nothing else. */
static inline bool statements_tile(struct slice bytes, bool has_standard_strings)
{
    struct script_reader reader = property_reader(bytes, has_standard_strings);
    struct statement statement;
    struct error err;
    enum script_answer answer;
    size_t covered = 0;

    while ((answer = script_next(&reader, &statement, &err)) == SCRIPT_STATEMENT) {
        if (statement.start < covered || statement.end <= statement.start || statement.end > bytes.length ||
            !gap_is_empty(property_part(bytes, covered, statement.start), has_standard_strings) ||
            !statement_stands_alone(property_part(bytes, statement.start, statement.end), &statement,
                                    has_standard_strings))
            return false;
        covered = statement.end;
    }
    if (answer == SCRIPT_ERROR)
        return err.class == ERROR_CLEAN && err.place.line > 0 && err.message[0] != '\0' &&
               err.hint[0] != '\0';
    return gap_is_empty(property_part(bytes, covered, bytes.length), has_standard_strings);
}

/* Whatever follows, the statements whose semicolon stands before `cut` are the same. */
static inline bool prefix_is_stable(struct slice bytes, size_t cut, bool has_standard_strings)
{
    struct script_reader whole = property_reader(bytes, has_standard_strings);
    struct script_reader prefix = property_reader(property_part(bytes, 0, cut), has_standard_strings);
    struct statement expected;
    struct statement found;
    struct error err;

    while (script_next(&whole, &expected, &err) == SCRIPT_STATEMENT && whole.scanner.offset <= cut &&
           bytes.at[whole.scanner.offset - 1] == ';') {
        if (script_next(&prefix, &found, &err) != SCRIPT_STATEMENT || found.start != expected.start ||
            found.end != expected.end || found.line != expected.line || found.kind != expected.kind)
            return false;
    }
    return true;
}

#endif
