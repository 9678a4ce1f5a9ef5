/*
 * Looking on while scripts run in a shadow: what each statement locks, scans and writes anew, and whether it
 * reaches beyond its database. Notices of the scripts are kept from the log meanwhile.
 */
#ifndef SHADOW_OBSERVE_H
#define SHADOW_OBSERVE_H

#include "execution/execution.h"
#include "schema/measurement.h"
#include "shadow/look.h"

enum { OBSERVE_SAID_MOST = 16 };

struct observe {
    struct observer observer;       /* the first member: what an execution asks */
    bool is_on_live_server;         /* a statement fails that writes to what all databases share … */
    bool has_reached;               /* … which is why the latest script has failed */
    struct arena *arena;            /* for measurements */
    const struct look *first;       /* what counts as having been there before; NULL = nothing is measured */
    const struct measurement **all; /* gets that of each statement, by its number; NULL where there is none */
    size_t count;                   /* of the script's statements */

    struct look *before; /* the current statement … */
    bool is_listening;   /* … during which the server says this of its work: */
    const char *said[OBSERVE_SAID_MOST];
    size_t said_count;
};

/* `is_on_live_server` and, to measure, `arena` and `first` have been set; it must stay where it is until
 * observe_end(). */
void observe_begin(struct observe *observe, struct connection *conn);
void observe_end(struct observe *observe, struct connection *conn);

/* Before a script of so many statements that is measured. */
void observe_script(struct observe *observe, size_t statements);

#endif
