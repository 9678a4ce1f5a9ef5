/*
 * Shell completion: scripts made from the commands and the options.
 */
#ifndef COMPLETION_H
#define COMPLETION_H

#include "base/text.h"
#include "command.h"
#include "config/options.h"

struct shell {
    const char *name;
    void (*write)(struct text *out); /* the whole script */
};

/* Ends with a NULL name. */
extern const struct shell SHELLS[];

void completion_write_bash(struct text *out);
void completion_write_zsh(struct text *out);
void completion_write_fish(struct text *out);

/* How an option's value is completed. */
enum completing {
    COMPLETING_NOTHING,
    COMPLETING_CHOICE,
    COMPLETING_CHOICES,
    COMPLETING_FILE,
    COMPLETING_FOLDER
};

enum completing completing_of(const struct option *option);

/* The arguments of a command that has a fixed set of them, separated by spaces: shells, or commands and
 * options.
 * */
void completion_add_words(enum words words, struct text *out);

/* Adds text for use inside single quotes: `quote` replaces a single quote, and each of `special` gets a
 * backslash. */
void completion_add_quoted(const char *words, const char *quote, const char *special, struct text *out);

#endif
