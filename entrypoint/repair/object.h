/*
 * Partitions, databases, tablespaces, subscriptions: statements that broke, or had done their work when we
 * could not know it; see repair/repair.h.
 */
#ifndef REPAIR_OBJECT_H
#define REPAIR_OBJECT_H

#include "history/journal.h"
#include "repair/leftover.h"
#include "sql/subject.h"

/* A partition that is detached halfway can only be detached wholly (documentation, "ALTER TABLE", FINALIZE).
 */
must_use enum repair_answer detach_before(const struct broken *broken, const struct subject *subject,
                                          const struct intent *intent, struct error *err);
must_use bool detach_after(const struct broken *broken, const struct subject *subject,
                           const struct intent *intent, struct leftover *left);

/* CREATE and DROP: was it done? A database whose DROP was interrupted can only be dropped again. */
must_use enum repair_answer object_before(const struct broken *broken, const struct subject *subject,
                                          const struct intent *intent, struct error *err);

#endif
