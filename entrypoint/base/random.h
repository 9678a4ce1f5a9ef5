/*
 * Randomness from the kernel: ids and jitter.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

enum { UUID_SIZE = 37 };

/* A number from 0 to `below` - 1; 0 when `below` is 0. */
uint64_t random_below(uint64_t below);

/* A version 4 UUID in lower case with hyphens, NUL-terminated. */
void random_uuid(char uuid[UUID_SIZE]);

#endif
