/*
 * Prints -1, 0 or 1 a line for each pair of names on standard input, as prisma_order_compare() orders them
 * (and prisma_order_compare_keys(), or it aborts). A NUL byte ends each name.
 */
#include <stdio.h>
#include <stdlib.h>

#include "dialect/prisma_order.h"

int main(void)
{
    char *one = NULL;
    char *other = NULL;
    size_t one_size = 0;
    size_t other_size = 0;

    while (getdelim(&one, &one_size, '\0', stdin) > 0 && getdelim(&other, &other_size, '\0', stdin) > 0) {
        struct order_key one_key = prisma_order_key_of(one);
        struct order_key other_key = prisma_order_key_of(other);
        int difference = prisma_order_compare(one, other);
        int by_keys = prisma_order_compare_keys(&one_key, &other_key);

        if ((difference > 0) - (difference < 0) != (by_keys > 0) - (by_keys < 0))
            abort();
        (void)printf("%d\n", (difference > 0) - (difference < 0));
    }
    free(one);
    free(other);
    return 0;
}
