/*
 * REINDEX CONCURRENTLY that broke; see repair/repair.h. It works beside the old index: "x_ccnew" is the new
 * one as long as it is not complete, "x_ccold" the old one from then on (documentation, "REINDEX").
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
