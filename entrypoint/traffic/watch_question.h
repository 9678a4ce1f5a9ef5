/*
 * What the watch asks about a session: what it waits for and who holds that, how many wait for it, how far
 * its statement is.
 */
#ifndef TRAFFIC_WATCH_QUESTION_H
#define TRAFFIC_WATCH_QUESTION_H

#include "base/text.h"

/* Adds the three queries about the server process `pid`. The first returns a row for each that holds what is
 * waited for: whether that is a row, the lock's mode, the table's oid and name, whether it is the end of a
 * transaction, whether the holder waits for us, what it runs; then what blockers_read() reads. The second
 * returns a number; the third command, phase, done and total, or no row. */
enum { WATCH_WANTED_COLUMNS = 7 };
void watch_question_add(int pid, struct text *out);

/* Adds the third alone. */
void watch_progress_add(int pid, struct text *out);

#endif
