/*
 * What a run reads besides its options: environment variables and files.
 */
#ifndef SURROUNDINGS_H
#define SURROUNDINGS_H

struct surrounding {
    const char *names; /* one or several, comma-separated */
    const char *meaning;
};

/* Each ends with NULL names. */
extern const struct surrounding ENVIRONMENT[];
extern const struct surrounding FILES[];

#endif
