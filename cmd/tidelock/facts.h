/*
 * What else to say about an option: where it can be set, to what, for which commands.
 */
#ifndef FACTS_H
#define FACTS_H

#include "config/options.h"

struct fact {
    const char *label;
    void (*add)(const struct option *option, struct text *out); /* adds nothing if there is nothing to say */
};

/* In the order of reading; ends with a NULL label. */
extern const struct fact FACTS[];

#endif
