/*
 * The configuration while it is loaded. Of this room.
 */
#ifndef CONFIG_INTERNAL_H
#define CONFIG_INTERNAL_H

#include <stdbool.h>

#include "base/error.h"
#include "base/memory.h"
#include "config/config.h"
#include "config/env_file.h"
#include "config/options.h"

struct load {
    struct arena *arena;
    unsigned command;
    char *const *environment;
    struct env_file env_file; /* what of the environment comes from a file */
    struct config *config;
    const struct option *names; /* the flag before, if further words are names for it */
    bool is_said[OPTIONS_MOST]; /* set by a source of higher precedence: a flag hides the environment */
};

/* Whether a source of higher precedence, or this one, has set it. */
bool load_is_said(const struct load *load, const struct option *option);

/* Takes the value, unless it is said already; registers it if it is a secret. `origin` is for messages. */
must_use bool load_take(struct load *load, const struct option *option, const char *text, const char *origin,
                        struct error *err);

#endif
