/*
 * A script that is one transaction of its own: all of it stands between a BEGIN and a COMMIT. Pure.
 */
#ifndef SQL_UNWRAP_H
#define SQL_UNWRAP_H

#include "base/text.h"

/* Turns those two into blanks, if they are all that the script says of transactions: in one that somebody
 * else begins and ends, what is left does the same. Offsets and lines stay. */
void script_unwrap(struct text *script);

#endif
