/*
 * How far a long statement has come, as the server's progress views tell, and what that means. Pure.
 */
#ifndef APPLY_HEADWAY_H
#define APPLY_HEADWAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct headway {
    char command[64]; /* empty = nothing is known */
    char phase[64];
    double done;
    double total;     /* 0 = this phase counts nothing */
    double first;     /* done, when the phase was seen first … */
    int64_t since_ms; /* … and when that was */
    int64_t now_ms;
};

/* Takes in what was seen at `now_ms`. */
void headway_see(struct headway *headway, const char *command, const char *phase, double done, double total,
                 int64_t now_ms);

/* From 0 to 1; negative when it is not known. */
double headway_ratio(const struct headway *headway);

/* "create index concurrently: building index: scanning table, 45 % (1,170 of 2,600), 650/s, about 2 s left".
 */
void headway_describe(const struct headway *headway, struct text *out);

/* "[=========>           ]", `width` characters in all. */
void headway_bar(const struct headway *headway, int width, struct text *out);

#endif
