/*
 * What a folder of migrations lists: which of its entries are migrations, by the rules of its dialect.
 */
#ifndef HISTORY_LISTING_H
#define HISTORY_LISTING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/memory.h"
#include "dialect/dialect.h"
#include "history/directory.h"
#include "history/migration.h"

/* One of them. The order comes first: an array can be sorted by the dialect's compare_keys(). */
struct listed {
    struct order_key order;
    const char *key; /* as an index has it; NULL = to be told from the name */
    bool is_program;
    bool is_way_back;
};

/* Those in `folder->path`, which the directory is: sorted by bytes unless an index says the order. The array
 * is the caller's to free, also after an error; what it points to lives in the directory's arena. ERROR_USAGE
 * when it can't be read, ERROR_REFUSED for a name that no ledger can hold and for what its tool would run and
 * we can't. */
must_use bool listing_read(const struct directory *directory, const struct folder *folder,
                           struct listed **out, size_t *count, struct error *err);

#endif
