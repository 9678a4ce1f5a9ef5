/*
 * How far something long is, for people: on a terminal a line that is replaced, elsewhere one now and then.
 */
#ifndef REPORT_PROGRESS_LINE_H
#define REPORT_PROGRESS_LINE_H

#include "base/clock.h"
#include "base/text.h"

struct progress_line {
    struct deadline next; /* when to log the next one, where they stay */
};

/* Begins: where lines stay, the first one is logged after ten seconds. */
struct progress_line progress_line_begin(void);

/* Shows it. `ratio` is how much is done, from 0 to 1; negative = not known. `text` begins with what matters
 * most: a narrow terminal cuts its end, and shows no bar before it. */
void progress_line_show(struct progress_line *line, double ratio, const char *text);

/* Adds "[=========>           ]", `width` characters in all. Pure. */
void progress_line_add_bar(double ratio, int width, struct text *out);

#endif
