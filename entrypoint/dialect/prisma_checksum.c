#include "dialect/prisma_checksum.h"

#include <stdio.h>
#include <string.h>

/* How line endings are read for a comparison. */
enum endings { ENDINGS_KEPT, ENDINGS_LF, ENDINGS_CRLF, ENDINGS_COUNT };

static const char REPLACEMENT[] = "\xEF\xBF\xBD"; /* U+FFFD */

/* How many bytes at `at` one U+FFFD stands for: the longest start of a character, or one byte (WHATWG
 * Encoding Standard, "UTF-8 decoder"). */
static size_t broken_length(const unsigned char *at, size_t left)
{
    unsigned char least = 0x80;
    unsigned char most = 0xBF;
    size_t wanted = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
    size_t length = 1;

    if (at[0] < 0xC2 || at[0] > 0xF4)
        return 1;
    if (at[0] == 0xE0)
        least = 0xA0;
    else if (at[0] == 0xED)
        most = 0x9F;
    else if (at[0] == 0xF0)
        least = 0x90;
    else if (at[0] == 0xF4)
        most = 0x8F;
    while (length < wanted && length < left && at[length] >= least && at[length] <= most) {
        least = 0x80;
        most = 0xBF;
        length++;
    }
    return length;
}

static void add_decoded(struct sha256 *sha256, const char *at, size_t length)
{
    size_t bad;

    while (!utf8_is_valid(at, length, &bad)) {
        size_t broken = broken_length((const unsigned char *)at + bad, length - bad);

        sha256_add(sha256, at, bad);
        sha256_add(sha256, REPLACEMENT, sizeof REPLACEMENT - 1);
        at += bad + broken;
        length -= bad + broken;
    }
    sha256_add(sha256, at, length);
}

/* Line by line, to avoid copying a large script. */
static void hash_script(struct slice script, enum endings endings, unsigned char digest[SHA256_BYTES])
{
    struct sha256 sha256;
    const char *at = script.at;
    const char *end = script.at + script.length;
    const struct slice ending = slice_of(endings == ENDINGS_LF ? "\n" : "\r\n");
    const char *feed;

    sha256_begin(&sha256);
    while (endings != ENDINGS_KEPT && at < end && (feed = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        bool has_return = feed > at && feed[-1] == '\r';

        add_decoded(&sha256, at, (size_t)(feed - at) - (endings == ENDINGS_LF && has_return ? 1 : 0));
        sha256_add(&sha256, ending.at, ending.length);
        at = feed + 1;
    }
    add_decoded(&sha256, at, (size_t)(end - at));
    sha256_end(&sha256, digest);
}

void prisma_checksum_of(struct slice script, char hex[SHA256_HEX_SIZE])
{
    unsigned char digest[SHA256_BYTES];

    hash_script(script, ENDINGS_KEPT, digest);
    sha256_hex(digest, hex);
}

static void unpadded_hex(const unsigned char digest[SHA256_BYTES], char hex[SHA256_HEX_SIZE])
{
    size_t used = 0;

    for (size_t i = 0; i < SHA256_BYTES; i++)
        used += (size_t)snprintf(hex + used, SHA256_HEX_SIZE - used, "%x", digest[i]);
}

bool prisma_checksum_matches(const char *stored, struct slice script)
{
    size_t length = strlen(stored);

    if (length == 0 || length >= SHA256_HEX_SIZE)
        return false;
    for (int endings = 0; endings < ENDINGS_COUNT; endings++) {
        unsigned char digest[SHA256_BYTES];
        char hex[SHA256_HEX_SIZE];

        hash_script(script, (enum endings)endings, digest);
        if (length == SHA256_HEX_SIZE - 1)
            sha256_hex(digest, hex);
        else
            unpadded_hex(digest, hex);
        if (strcmp(hex, stored) == 0)
            return true;
    }
    return false;
}
