/*
 * What the descriptions of tools share whose ledgers hold applied migrations and little else. Of this room.
 */
#ifndef DIALECT_TOOL_CHECKS_H
#define DIALECT_TOOL_CHECKS_H

#include "dialect/dialect.h"

/* A tool without codes for its errors, and without a file that says where its folder is. */
#define NO_CODES                                                                                             \
    {                                                                                                        \
        .failed = "", .unresolved = "", .not_empty = "", .script_missing = "", .unknown_name = "",           \
        .no_shadow = "", .not_replayed = ""                                                                  \
    }
extern const struct own_file NO_OWN_FILES[];

/* SHA-256 over the bytes: for the journal, where the ledger has no checksums. */
void tool_checksum_of(struct slice script, char out[CHECKSUM_SIZE]);

/* Nothing is known where the ledger says nothing. */
bool tool_checksum_matches(const char *stored, struct slice script);

/* Whether a name may be recorded as applied: not if it is; whether its failed attempts may be closed; and
 * whether it may be taken back, which nobody can know of such a ledger. ERROR_REFUSED otherwise. */
must_use bool tool_check_applied(const struct ledger_row *rows, size_t count, const char *name,
                                 struct error *err);
must_use bool tool_check_rolled_back(const struct ledger_row *rows, size_t count, const char *name,
                                     struct error *err);
must_use bool tool_check_pending(const struct ledger_row *rows, size_t count, const char *name,
                                 struct error *err);

#endif
