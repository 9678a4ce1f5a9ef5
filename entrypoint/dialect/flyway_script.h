/*
 * Flyway's scripts: placeholders, the settings in a file beside a script, and checksums.
 */
#ifndef DIALECT_FLYWAY_SCRIPT_H
#define DIALECT_FLYWAY_SCRIPT_H

#include "dialect/dialect.h"

/* Replaces the placeholders, and reads the settings, see dialect.h. */
must_use bool flyway_script_read(const struct script_source *source, struct text *script,
                                 struct script_wishes *out, struct error *err);

/* CRC-32 over the lines without their ends and a byte order mark, as a signed number in decimal. */
void flyway_checksum_of(struct slice script, char out[CHECKSUM_SIZE]);
bool flyway_checksum_matches(const char *stored, struct slice script);

#endif
