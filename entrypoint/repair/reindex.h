/*
 * Interrupted REINDEX CONCURRENTLY; see repair/repair.h. It builds a new index beside the old one: "x_ccnew"
 * is the new one until it is complete, "x_ccold" is the old one after that (documentation, "REINDEX").
 */
#ifndef REPAIR_REINDEX_H
#define REPAIR_REINDEX_H

#include "history/journal.h"
#include "repair/leftover.h"
#include "sql/subject.h"

must_use enum repair_answer reindex_before(const struct broken *broken, const struct subject *subject,
                                           const struct intent *intent, struct error *err);
must_use bool reindex_after(const struct broken *broken, const struct subject *subject,
                            const struct intent *intent, struct leftover *left);

#endif
