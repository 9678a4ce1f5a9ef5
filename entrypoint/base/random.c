#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/* The kernel never fails such small requests once it has started; if it did, continuing would mean equal
 * ids. */
static void random_fill(void *bytes, size_t length)
{
    if (getrandom(bytes, length, 0) != (ssize_t)length) {
        (void)fputs("tidelock: the kernel provides no random numbers\n", stderr);
        _Exit(1);
    }
}

uint64_t random_below(uint64_t below)
{
    uint64_t number;

    if (below == 0)
        return 0;
    random_fill(&number, sizeof number);
    return number % below;
}

void random_uuid(char uuid[UUID_SIZE])
{
    unsigned char bytes[16];

    random_fill(bytes, sizeof bytes);
    bytes[6] = (unsigned char)((bytes[6] & 0x0F) | 0x40); /* version 4 (RFC 9562) */
    bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80); /* variant */
    (void)snprintf(uuid, UUID_SIZE, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                   bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7], bytes[8],
                   bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]);
}
