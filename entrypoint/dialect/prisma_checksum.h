/*
 * The checksum of a script as Prisma computes and compares it.
 *
 * SHA-256 over the text as Node decodes the file: line endings and a byte order mark stay, each invalid UTF-8
 * sequence becomes U+FFFD. For valid UTF-8 that is simply the file's bytes.
 */
#ifndef DIALECT_PRISMA_CHECKSUM_H
#define DIALECT_PRISMA_CHECKSUM_H

#include <stdbool.h>

#include "base/hash.h"
#include "base/text.h"

/* 64 lower-case hexadecimal digits. */
void prisma_checksum_of(struct slice script, char hex[SHA256_HEX_SIZE]);

/* Whether a checksum from the ledger belongs to the script: as it is, with CRLF turned into LF, or with every
 * LF turned into CRLF. One whose length is not 64 was written by an old version that did not pad each byte's
 * hex with a zero. */
bool prisma_checksum_matches(const char *stored, struct slice script);

#endif
