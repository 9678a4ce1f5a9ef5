/*
 * Releases of the application, and which of two is the older one. Pure.
 *
 * The order is that of semantic versions, with as many numbers as one likes: an initial "v" and what follows
 * a "+" say nothing, numbers that are missing are zero, and what follows a "-" makes it a pre-release, which
 * comes before its release. So 2026.11.30 is a release, too. What has no order, such as the hash of a commit,
 * is none.
 */
#ifndef BASE_RELEASE_H
#define BASE_RELEASE_H

#include "base/error.h"
#include "base/text.h"

enum { RELEASE_SIZE = 56 }; /* with its NUL: as much as fits into an application_name, see stamp.h */

/* One that has an order. It points to the text that it was made from. */
struct release {
    struct slice numbers; /* "1.20.3" */
    struct slice before;  /* "rc.1"; empty = it is no pre-release */
};

/* How one is written, as a hint. */
extern const char RELEASE_HINT[];

/* False: it can't be put in order. */
must_use bool release_parse(struct slice text, struct release *out);

/* Below zero if `one` is the older one, above if it is the newer. */
int release_compare(const struct release *one, const struct release *other);

/* Whether release `ours` is older than `theirs`, or one of the two is none. */
bool release_is_older(const char *ours, const char *theirs);

#endif
