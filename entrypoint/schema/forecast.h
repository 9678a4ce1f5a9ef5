/*
 * What a script will do to a live database, by its text alone: a verdict for each statement. Pure.
 *
 * A rule is about one change; here is what only the script as a whole says: which tables are its own, which
 * locks it already holds, what it allows.
 */
#ifndef SCHEMA_FORECAST_H
#define SCHEMA_FORECAST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/memory.h"
#include "schema/duration.h"
#include "schema/effect.h"
#include "schema/rule_levels.h"
#include "sql/directive.h"
#include "sql/script.h"

struct live_table;  /* of deploy/live.h */
struct measurement; /* of schema/measurement.h */

struct finding {
    const struct rule *rule;
    struct change change;
    enum level level;               /* that of the rule, unless something is known that changes it */
    bool is_level_set;              /* the configuration has set it: nothing that is known raises it */
    const char *because;            /* why it is allowed, or NULL */
    bool is_live;                   /* the database was asked */
    const struct live_table *table; /* as it is there, or NULL */
    const char *note;               /* what else the database says, or NULL */
    bool is_small;                  /* the table is: its work takes no time */
    bool is_refuted;                /* the rows that are there now do not allow it */
    struct duration_range takes;    /* its work, on the rows that are there now */
    const char *held_by;            /* who holds a lock now that it would wait for, or NULL */
    const char *seen;               /* what the rehearsal has to say of it, or NULL */
};

struct prediction {
    struct statement statement;
    struct finding *findings; /* at least one, the worst first */
    size_t count;
    enum level level;                   /* the worst of those that are not allowed */
    const struct measurement *measured; /* in the rehearsal, or NULL */
};

struct forecast {
    const char *file;
    struct slice script;
    struct script_summary summary;
    struct directives directives;
    struct prediction *predictions; /* one for each statement, in the script's order */
    size_t count;
    enum level level;
};

/* A CHECK of one column IS NOT NULL that a script has added; once it is valid, SET NOT NULL needs no scan. */
struct proof {
    struct relation table;
    char constraint[IDENTIFIER_SIZE];
    char column[IDENTIFIER_SIZE];
    bool is_valid;
};

/* The version that counts where none is known. */
enum { NEWEST_SERVER = 180000 };

/* What the scripts of one run share; the forecasts live in its arena. */
struct forecasts {
    struct arena *arena;
    int server_version; /* as libpq has it; 0 = not known: the worst of all versions counts */
    const struct rule_levels *levels;
    /* Of earlier scripts, begins zeroed: types that are no domains … */
    struct relation *types;
    size_t count;
    size_t capacity;
    struct proof *proofs; /* … and what has been proven */
    size_t proof_count;
    size_t proof_capacity;
};

/* Sorts findings whose levels have changed, and says what they amount to. */
void prediction_settle(struct prediction *prediction);
void forecast_settle(struct forecast *forecast);

/* `script` must outlive the result. ERROR_CLEAN, with the place, for a script or a directive that cannot be
 * read. */
must_use bool forecast_read(struct forecasts *shared, const char *file, struct slice script,
                            struct forecast *out, struct error *err);

#endif
