/*
 * A file of variables (".env"), which --env-file names: it is never looked for.
 *
 * Docker, dotenv and shells agree on most of what such a file may say. Where they do not, and a value would
 * depend on who reads it, the line is refused.
 */
#ifndef CONFIG_ENV_FILE_H
#define CONFIG_ENV_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

struct env_file_variable {
    const char *name;
    size_t line;  /* from 1 */
    bool is_used; /* the environment did not have it */
};

struct env_file {
    const char *path;
    char *const *given;                  /* the environment without it; ends with NULL */
    char **environment;                  /* … and with it */
    struct env_file_variable *variables; /* all that it sets */
    size_t count;
};

/* Reads the file, or pipe, at `path`. A variable that `environment` holds already wins, unless it is empty.
 * Everything lives in the arena. ERROR_USAGE with file, line and column; no value is quoted. */
must_use bool env_file_read(struct arena *arena, const char *path, char *const *environment,
                            struct env_file *out, struct error *err);

/* The same for the text of a file, whose path and given environment are in `file`. */
must_use bool env_file_parse(struct arena *arena, struct slice text, struct env_file *file,
                             struct error *err);

/* The line that a variable of the environment comes from; 0 = none. */
size_t env_file_line(const struct env_file *file, const char *name);

#endif
