/*
 * What an edit has changed in a script, as far as a checksum can tell. Pure.
 *
 * The ledger holds nothing of the script that was applied but its checksum. So it is tried whether that is
 * the checksum of the script as it is now with other blanks, or without some of its comments.
 */
#ifndef HISTORY_EDIT_H
#define HISTORY_EDIT_H

#include "base/text.h"
#include "dialect/dialect.h"

enum edit {
    EDIT_NONE,     /* the checksum is the script's */
    EDIT_BLANKS,   /* line ends, blanks at the ends of lines or of the script, a byte order mark */
    EDIT_COMMENTS, /* comments were added; perhaps blanks, too */
    EDIT_UNKNOWN,  /* none of that: it may be anything */
};

/* By the checksum in the ledger. A script over 1 MB is only compared as it is. */
enum edit edit_find(const struct dialect *dialect, const char *stored, struct slice script);

#endif
