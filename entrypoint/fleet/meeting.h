/*
 * A session in which processes that work on the same list hear from each other: on one server, for one role.
 *
 * It is a help, not a lock: where it is not to be had, or breaks, nobody is told anything, and each process
 * looks at every tenant itself. Only sessions of the same role are believed (peers.h).
 */
#ifndef FLEET_MEETING_H
#define FLEET_MEETING_H

#include <stdbool.h>

#include "config/config.h"
#include "fleet/word.h"

struct meeting;

/* Who attends it. Both are called from some wait, and must not wait. */
struct attendee {
    /* Once: whether it is in, and then the lowest number that none of the others has. */
    void (*enter)(void *context, bool is_in, unsigned number);
    /* Another one has said something. */
    void (*hear)(void *context, const struct word *word);
    void *context;
};

/* Connects to the database that the configuration names, in a task. NULL where there is no memory for that.
 */
struct meeting *meeting_begin(const struct config *config, const struct attendee *attendee);

/* Whether anybody else was heard. */
bool meeting_has_company(const struct meeting *meeting);

/* Says it with the next meeting_flush() or later, if anybody else is there. Never waits, as the next. */
void meeting_say(struct meeting *meeting, enum word_kind kind, const char *key);
void meeting_flush(struct meeting *meeting);

/* Says the rest, leaves, and frees it. Not from a task. NULL is fine. */
void meeting_end(struct meeting *meeting);

#endif
