#include "dialect/numbered.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static size_t digits_of(const char *name)
{
    return strspn(name, "0123456789");
}

bool numbered_has_number(const char *name)
{
    size_t digits = digits_of(name);

    return digits > 0 && name[digits] == '_';
}

uint64_t numbered_number_of(const char *name)
{
    unsigned long long number;

    errno = 0;
    number = strtoull(name, NULL, 10);
    return errno == 0 ? (uint64_t)number : UINT64_MAX;
}

struct order_key numbered_order_key_of(const char *name)
{
    return (struct order_key) { .head = { numbered_number_of(name) }, .is_exact = true, .name = name };
}

int numbered_compare_keys(const void *one, const void *other)
{
    const struct order_key *a = one;
    const struct order_key *b = other;

    if (a->head[0] != b->head[0])
        return a->head[0] < b->head[0] ? -1 : 1;
    return strcmp(a->name, b->name);
}

void numbered_key_of(const char *name, char out[KEY_SIZE])
{
    size_t zeros = strspn(name, "0");
    size_t digits = digits_of(name);

    if (zeros > 0 && zeros == digits)
        zeros--;
    if (digits - zeros >= KEY_SIZE)
        digits = zeros + KEY_SIZE - 1;
    memcpy(out, name + zeros, digits - zeros);
    out[digits - zeros] = '\0';
}

bool numbered_is_order_certain(const char *name)
{
    (void)name;
    return true;
}
