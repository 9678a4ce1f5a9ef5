/*
 * Partitions, databases, tablespaces, subscriptions: statements that were interrupted, or were done when the
 * connection broke; see repair/repair.h.
 */
#ifndef REPAIR_OBJECT_H
#define REPAIR_OBJECT_H

#include "history/journal.h"
#include "repair/leftover.h"
#include "sql/subject.h"

/* A half-detached partition can only be fully detached (documentation, "ALTER TABLE", FINALIZE). */
must_use enum repair_answer detach_before(const struct broken *broken, const struct subject *subject,
                                          const struct intent *intent, struct error *err);
must_use bool detach_after(const struct broken *broken, const struct subject *subject,
                           const struct intent *intent, struct leftover *left);

/* CREATE and DROP: was it done? If the DROP of a database was interrupted, it can only be dropped again. */
must_use enum repair_answer object_before(const struct broken *broken, const struct subject *subject,
                                          const struct intent *intent, struct error *err);

#endif
