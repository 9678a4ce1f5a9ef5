/*
 * Interrupted CREATE and DROP INDEX CONCURRENTLY; see repair/repair.h.
 */
#ifndef REPAIR_INDEX_H
#define REPAIR_INDEX_H

#include "history/journal.h"
#include "repair/leftover.h"
#include "sql/index_statement.h"

must_use enum repair_answer index_create_before(const struct broken *broken,
                                                const struct index_statement *index,
                                                const struct intent *intent, struct error *err);
must_use bool index_create_after(const struct broken *broken, const struct index_statement *index,
                                 const struct intent *intent, struct leftover *left);

must_use enum repair_answer index_drop_before(const struct broken *broken,
                                              const struct index_statement *index,
                                              const struct intent *intent, struct error *err);
must_use bool index_drop_after(const struct broken *broken, const struct index_statement *index,
                               const struct intent *intent, struct leftover *left);

/* Whether the index that the statement asked for is valid; one without a name was certainly created by it. */
must_use bool index_verify(const struct broken *broken, const struct index_statement *index,
                           struct error *err);

#endif
