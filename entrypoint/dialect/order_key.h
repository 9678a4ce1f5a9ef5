/*
 * A migration's name with the weights of its first characters, so that sorting a thousand names does not
 * compute them again and again.
 */
#ifndef DIALECT_ORDER_KEY_H
#define DIALECT_ORDER_KEY_H

#include <stdbool.h>
#include <stdint.h>

struct order_key {
    uint64_t head[2];
    bool is_exact; /* the head decides unless it is equal */
    const char *name;
};

#endif
