/*
 * What an edit has changed in a script, as far as a checksum can tell. Pure.
 *
 * The ledger holds nothing of the script that was applied but its checksum, and the journal its gist
 * (sql/gist.h), unless another tool applied it. Without the gist, it is tried whether the checksum is that of
 * the script as it is now with other blanks, or without some of its comments.
 */
#ifndef HISTORY_EDIT_H
#define HISTORY_EDIT_H

#include <stdbool.h>

#include "base/text.h"
#include "dialect/dialect.h"

enum edit {
    EDIT_NONE,     /* the checksum is the script's */
    EDIT_BLANKS,   /* line ends, blanks at the ends of lines or of the script, a byte order mark */
    EDIT_COMMENTS, /* comments, perhaps blanks, too; both around tokens, not in strings */
    EDIT_SQL,      /* more than that */
    EDIT_UNKNOWN,  /* it may be anything */
};

/* What is known of the script that was applied. */
struct edit_facts {
    const char *checksum; /* in the ledger */
    const char *gist;     /* or NULL */
    bool has_standard_strings;
};

/* Trials with blanks and comments are made of a script up to 1 MB. */
enum edit edit_find(const struct dialect *dialect, const struct edit_facts *was, struct slice script);

#endif
