/*
 * SHA-2, by OpenSSL: for the ledgers' checksums, and for signatures. CRC-32, for keys of locks.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum { SHA256_BYTES = 32, SHA256_HEX_SIZE = 65, SHA384_BYTES = 48, SHA384_HEX_SIZE = 97 };

/* A running hash: begin, add, end. It owns nothing. */
struct sha256 {
    uint64_t state[14]; /* of the library, for which it is large enough */
};

void sha256_begin(struct sha256 *sha256);
void sha256_add(struct sha256 *sha256, const void *bytes, size_t length);
void sha256_end(struct sha256 *sha256, unsigned char digest[SHA256_BYTES]);

/* 64 lower-case hexadecimal digits and a NUL. */
void sha256_hex(const unsigned char digest[SHA256_BYTES], char hex[SHA256_HEX_SIZE]);

/* All of it at once. */
void sha256_of(struct slice bytes, char hex[SHA256_HEX_SIZE]);
void sha384_of(struct slice bytes, char hex[SHA384_HEX_SIZE]);

/* HMAC-SHA-256 (RFC 2104) of `message`. */
void hmac_sha256(struct slice key, struct slice message, unsigned char digest[SHA256_BYTES]);

/* The one of zlib, Ethernet and most others (CRC-32/ISO-HDLC). */
uint32_t crc32_of(struct slice bytes);

#endif
