/*
 * What a script says, without the blanks and comments around its tokens and without empty statements, as a
 * checksum: two scripts with the same one are the same to the server. Not every pair that is the same has the
 * same one: "a . b" is not seen to be "a.b". Pure.
 */
#ifndef SQL_GIST_H
#define SQL_GIST_H

#include <stdbool.h>

#include "base/hash.h"
#include "base/text.h"

/* In hexadecimal digits. `has_standard_strings` as for scanner_of(). */
void gist_of(struct slice script, bool has_standard_strings, char out[SHA256_HEX_SIZE]);

#endif
