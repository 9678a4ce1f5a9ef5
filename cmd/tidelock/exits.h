/*
 * Exit codes: stable, since a Job's podFailurePolicy is made from them. One table.
 */
#ifndef EXITS_H
#define EXITS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"

enum { EXIT_YES = 0, EXIT_NO = 1, EXIT_SIGNAL = 128 };

struct exit_row {
    enum error_class class;
    int code;             /* EXIT_SIGNAL: the signal's number is added */
    bool is_retry_useful; /* without anybody changing anything */
    unsigned commands;    /* FOR_… bits of the commands that can end with it */
    const char *meaning;
};

/* Ends with a row whose meaning is NULL. */
extern const struct exit_row EXITS[];

const struct exit_row *exit_find(enum error_class class);
int exit_code_of(const struct error *err);

/* What it means for this error: "stopped by SIGTERM; the next run resumes". */
void exit_add_meaning(const struct exit_row *row, const struct error *err, struct text *out);

/* "3", "128+n". */
void exit_add_code(const struct exit_row *row, struct text *out);

#endif
