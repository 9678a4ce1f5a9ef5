/*
 * What a run looks at besides its options: variables of the environment, and files.
 */
#ifndef SURROUNDINGS_H
#define SURROUNDINGS_H

struct surrounding {
    const char *names; /* one or several, with commas between */
    const char *meaning;
};

/* Each ends with NULL names. */
extern const struct surrounding ENVIRONMENT[];
extern const struct surrounding FILES[];

#endif
