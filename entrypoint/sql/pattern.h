/*
 * How a statement begins, as a line of text for use in a table.
 *
 * A pattern is a row of items with one blank between them:
 *
 *     WORD, A|B    that keyword, or one of several; in any case, never quoted
 *     *            that byte
 *     <name>       an identifier with any number of qualifying ones before it
 *     <string>     a string constant
 *     ()           a pair of parentheses and all between them
 *     [ITEMS]      nothing, or these; not nested
 *     $            the end of the statement
 *
 * Comments and blanks may be anywhere. What follows the last item does not matter.
 */
#ifndef SQL_PATTERN_H
#define SQL_PATTERN_H

#include <stdbool.h>

#include "sql/scan.h"

enum { HEAD_TOKENS = 3 };

/* The first tokens of a statement, read once for many patterns. */
struct head {
    struct token tokens[HEAD_TOKENS];
    struct scanner rest; /* after them */
};

/* Reads the head of the statement that `scanner` is about to read and whose text ends with the scanner's. */
struct head head_of(struct scanner scanner);

/* Whether the statement begins as the pattern says. */
bool pattern_matches(const char *pattern, const struct head *head);

/* What a statement says about an option in parentheses: "WITH (refresh = off)", "REINDEX (CONCURRENTLY)
 * …". */
enum option_state {
    OPTION_ABSENT,
    OPTION_ON, /* also when its value is not a boolean */
    OPTION_OFF
};

/* Looks through all of the statement's top-level parentheses. */
enum option_state option_find(const char *name, struct scanner scanner);

#endif
