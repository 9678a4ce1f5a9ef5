/*
 * Whose folder it is.
 */
#ifndef HISTORY_RECOGNISE_H
#define HISTORY_RECOGNISE_H

#include <stddef.h>

#include "base/error.h"
#include "base/memory.h"
#include "dialect/dialect.h"
#include "dialect/foreign.h"
#include "history/directory.h"

/* Those dialects that the folder may be of, in the order of DIALECTS; with a format other than FORMAT_AUTO,
 * only that tool's. None fits what holds nothing of any tool: then the first of the format is taken. */
struct recognised {
    const struct dialect *dialects[FORMATS];
    size_t count;                     /* at least 1 */
    bool fits;                        /* false: there is only that one to take */
    const struct foreign_tool *owner; /* the tool whose own file is there, and which can't be applied here */
};

/* Looks at the names in the folder, which is read for that, and into one script, unless the format tells it
 * alone. One that can't be read is taken for the first: whoever reads it says why. */
void recognise(enum format format, struct directory *directory, struct recognised *out);

#endif
