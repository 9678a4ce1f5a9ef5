/*
 * Which comments are directives, and which were only meant as one. Pure.
 */
#ifndef SQL_DIRECTIVE_MARK_H
#define SQL_DIRECTIVE_MARK_H

#include <stdbool.h>

#include "base/text.h"

struct directive_mark {
    bool is_named;      /* its first word is "tidelock", in whatever case and behind whatever ornament */
    bool has_colon;     /* right behind that */
    bool is_directive;  /* "-- tidelock:" as it has to be */
    struct slice words; /* what follows, on the same line; blanks, colons and the like are taken off */
};

/* `comment` begins with "--" or with a slash and an asterisk. */
struct directive_mark directive_mark_of(struct slice comment);

/* Whether "tidelock:" is anywhere in the text; saves looking for comments in most scripts. */
bool directive_mark_occurs(struct slice text);

#endif
