/*
 * What processes that work on the same list say to each other, as the text of a notification. Pure.
 *
 * Each word is a letter and a key of 64 hexadecimal digits; a text has one after the other.
 */
#ifndef FLEET_WORD_H
#define FLEET_WORD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"

enum word_kind {
    WORD_HELLO,   /* a process has come, … */
    WORD_BYE,     /* … or goes; both with a key that says nothing */
    WORD_BEGUN,   /* it has begun with a tenant, … */
    WORD_DONE,    /* … or done it: nothing was left to do, … */
    WORD_APPLIED, /* … or it has applied something, as the leader in its database */
    WORD_KINDS
};

struct word {
    enum word_kind kind;
    char key[SHA256_HEX_SIZE];
};

/* So many fit into one notification, which the server cuts off at 8,000 bytes (documentation, "NOTIFY"). */
enum { WORDS_IN_TEXT = 120 };

void word_add(const struct word *word, struct text *out);

/* Takes the first one off; false = there is none, or it is none of ours. */
must_use bool word_take(struct slice *text, struct word *out);

#endif
