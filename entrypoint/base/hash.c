/* Those of EVP look up what implements them by name, which the first time takes longer than a start with
 * nothing to do may take, and each time longer than the hash of a small script. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "base/hash.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

static _Noreturn void hash_unavailable(void)
{
    (void)fputs("tidelock: OpenSSL provides no SHA-2\n", stderr);
    _Exit(1);
}

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct sha256), "the library's state fits");

void sha256_begin(struct sha256 *sha256)
{
    if (SHA256_Init((SHA256_CTX *)sha256) != 1)
        hash_unavailable();
}

void sha256_add(struct sha256 *sha256, const void *bytes, size_t length)
{
    if (SHA256_Update((SHA256_CTX *)sha256, bytes, length) != 1)
        hash_unavailable();
}

void sha256_end(struct sha256 *sha256, unsigned char digest[SHA256_BYTES])
{
    if (SHA256_Final(digest, (SHA256_CTX *)sha256) != 1)
        hash_unavailable();
}

static void write_hex(const unsigned char *digest, size_t length, char *hex)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < length; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 0x0F];
    }
    hex[2 * length] = '\0';
}

void sha256_hex(const unsigned char digest[SHA256_BYTES], char hex[SHA256_HEX_SIZE])
{
    write_hex(digest, SHA256_BYTES, hex);
}

void sha256_of(struct slice bytes, char hex[SHA256_HEX_SIZE])
{
    unsigned char digest[SHA256_BYTES];
    struct sha256 sha256;

    sha256_begin(&sha256);
    sha256_add(&sha256, bytes.at, bytes.length);
    sha256_end(&sha256, digest);
    sha256_hex(digest, hex);
}

void sha384_of(struct slice bytes, char hex[SHA384_HEX_SIZE])
{
    unsigned char digest[SHA384_BYTES];

    if (EVP_Digest(bytes.at, bytes.length, digest, NULL, EVP_sha384(), NULL) != 1)
        hash_unavailable();
    write_hex(digest, SHA384_BYTES, hex);
}

void hmac_sha256(struct slice key, struct slice message, unsigned char digest[SHA256_BYTES])
{
    unsigned length = SHA256_BYTES;

    if (key.length > INT_MAX || HMAC(EVP_sha256(), key.at, (int)key.length, (const unsigned char *)message.at,
                                     message.length, digest, &length) == NULL)
        hash_unavailable();
}

uint32_t crc32_of(struct slice bytes)
{
    enum { BITS = 8 };
    const uint32_t polynomial = 0xEDB88320; /* reflected */
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < bytes.length; i++) {
        crc ^= (unsigned char)bytes.at[i];
        for (int bit = 0; bit < BITS; bit++)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
    }
    return ~crc;
}
