/*
 * The progress of a run: the source of the status file and the metrics.
 *
 * Filled by the code that does the work; never read to decide anything.
 */
#ifndef REPORT_PROGRESS_H
#define REPORT_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/labels.h"
#include "history/compare.h"

enum progress_phase {
    PROGRESS_CONNECTING,
    PROGRESS_WAITING_BUDGET, /* the application would have too few connections left */
    PROGRESS_WAITING_LEADER, /* another process leads, or (wait) is waited for */
    PROGRESS_WAITING_LOCK,   /* a table lock was not obtained: pausing before the next attempt */
    PROGRESS_APPLYING,
    PROGRESS_COMPLETE,
    PROGRESS_FAILED,
    PROGRESS_INTERRUPTED,
    PROGRESS_PHASES
};

extern const char *const PROGRESS_PHASE_NAMES[];

/* Whether no phase follows it. */
bool progress_is_final(enum progress_phase phase);

/* Why a transaction was retried. */
enum retry_reason { RETRY_LOCK_TIMEOUT, RETRY_DEADLOCK, RETRY_SERIALIZATION, RETRY_REASONS };
extern const char *const RETRY_REASON_NAMES[];

/* What the binary is, for tidelock_build_info. */
struct build {
    const char *version;
    const char *libpq;
    const char *openssl;
};

/* The server's connections at the last count. */
enum progress_connections {
    PROGRESS_CONNECTIONS_USED,
    PROGRESS_CONNECTIONS_RESERVED,
    PROGRESS_CONNECTIONS_FREE, /* for applications */
    PROGRESS_CONNECTIONS
};

extern const char *const PROGRESS_CONNECTIONS_NAMES[];

/* How long a migration of this run took. */
struct migration_duration {
    const char *name;
    double seconds;
};

enum { DURATIONS_MOST = 64, FAILED_TENANTS_MOST = 64 };

struct progress {
    const char *path;     /* the status file, or NULL */
    struct labels labels; /* of every metric: the same from beginning to end */
    struct build build;
    enum progress_phase phase;
    bool goes_back;    /* what it does is undo migrations: the folder is not complete afterwards … */
    bool is_ready;     /* … and nothing is ready */
    double started_at; /* seconds since 1970, as all times here */
    double ended_at;   /* 0 = not yet */
    double written_at;
    int exit_code; /* once ended */

    bool is_compared; /* migrations[] is known */
    size_t migrations[VERDICTS];
    size_t due;           /* to be applied, of these: no more than --to asks for */
    size_t applied;       /* by this process; or rolled back */
    size_t asked;         /* all that this process has applied or has yet to; or rolled back */
    const char *database; /* its name; NULL = not known yet */
    const char *current;  /* the migration being applied, or NULL */
    const char *latest;   /* … or the last one that was */
    const char *mode;
    double current_started_at;
    double current_ratio;        /* of the current statement, from 0 to 1; negative = not known */
    bool is_backfill;            /* then: */
    int64_t backfill_rows;       /* changed so far, including earlier runs */
    int64_t backfill_batch_rows; /* per batch, currently */
    bool is_throttled;           /* it pauses */
    double last_seconds;         /* duration of the last one; negative = none yet */
    struct migration_duration durations[DURATIONS_MOST]; /* of each; if there are more, of the longest */
    size_t duration_count;
    size_t retries[RETRY_REASONS]; /* of transactions */
    double lock_wait_seconds;      /* for locks of tables and rows, including attempts that timed out */
    int blocked_by;                /* sessions that block us, as far as they were seen */
    char in_the_way[512];          /* … and their latest description */
    int blocked;                   /* sessions that are blocked by us */
    int64_t differences;           /* of the schema, from what was recorded; -1 = not known */
    bool is_leader;
    double leader_wait_seconds;

    int connections_most; /* that this run may have; 0 = not known */
    bool is_counted;      /* server_connections[] is known */
    int server_connections[PROGRESS_CONNECTIONS];

    const size_t *tenants;                           /* of each state; NULL = there is one database */
    const char *failed_tenants[FAILED_TENANTS_MOST]; /* the first of them, by name */
    size_t failed_tenant_count;
    size_t changed_tenants; /* to which something was applied */

    bool has_warned; /* that the file cannot be written */

    void (*changed)(void *context); /* called when a phase is entered; or NULL */
    void *context;
};

/* How many migrations of the folder the database does not hold, as far as is known. */
size_t progress_pending(const struct progress *progress);

/* An empty one for a run that begins now. */
struct progress progress_begin(const char *path, struct build build);

/* Counts a migration that was applied; the name must outlive `progress`. */
void progress_applied(struct progress *progress, const char *name, double seconds);

/* Enters the phase, which the log names from now on, too, and writes the status file. */
void progress_enter(struct progress *progress, enum progress_phase phase);

/* Ends it, and writes the file for the last time. */
void progress_end(struct progress *progress, enum progress_phase phase, int exit_code);

#endif
