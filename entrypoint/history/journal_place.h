/*
 * Which schema holds a ledger's journal.
 *
 * Usually "tidelock". Where that belongs to another service, the ledger gets one of its own, "tidelock_" and
 * the name of the ledger's schema, and keeps it: once it is there, it is used.
 */
#ifndef HISTORY_JOURNAL_PLACE_H
#define HISTORY_JOURNAL_PLACE_H

#include <stdbool.h>

#include "base/text.h"
#include "sql/name.h"

#define JOURNAL_SHARED "tidelock"

/* The name of a ledger's own; one that would be longer than a name may be is cut, and ends in a hash. */
void journal_own_schema(const char *ledger_schema, char out[IDENTIFIER_SIZE]);

/* A schema as this role sees it. */
struct journal_place {
    bool exists;
    bool is_trusted; /* it and its tables belong to somebody we trust, and no trigger of a stranger's is there
                      */
    bool is_usable;  /* we may use it and its tables, and row security hides nothing */
    unsigned tables; /* which of the journal's are there, a bit for each */
    bool may_create; /* tables in it */
};

enum { PLACE_OWN, PLACE_SHARED, PLACES };

/* Where the journal is, or is to be created: PLACES if nowhere. `tables` are those that are needed; who needs
 * none finds a journal that has some. `may_create` is whether this role may create a schema. */
int journal_choose(const struct journal_place places[PLACES], unsigned tables, bool may_create);

/* Where it is nowhere: adds what an administrator can type to give this role a place, a schema that is
 * created or the one that is there. `own` is the ledger's own schema for it. */
void journal_add_remedy(const struct journal_place places[PLACES], const char *own, const char *role,
                        const char *database, struct text *out);

#endif
