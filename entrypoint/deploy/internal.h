/*
 * The phases of a deployment and what they share. Of this room.
 */
#ifndef DEPLOY_INTERNAL_H
#define DEPLOY_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apply/burst.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/pod.h"
#include "config/config.h"
#include "deploy/deployment.h"
#include "deploy/headroom.h"
#include "deploy/loss.h"
#include "execution/execution.h"
#include "history/compare.h"
#include "history/ledger.h"
#include "history/origin.h"
#include "history/read_ahead.h"
#include "lock/beacon.h"
#include "lock/follow.h"
#include "lock/leader.h"
#include "lock/lease.h"
#include "lock/turn.h"
#include "postgres/identity.h"
#include "postgres/pooler.h"
#include "report/progress.h"
#include "schema/rule_levels.h"

enum phase {
    PHASE_CONNECTING, /* at first, after each wait, and after a lost connection */
    PHASE_COMPARING,  /* folder against ledger, without a lock */
    PHASE_BUDGETING,  /* waiting until the application has enough free connections; none is held meanwhile */
    PHASE_LEADING,    /* trying to get the leader lock */
    PHASE_FOLLOWING,  /* another process leads; no connection is held meanwhile */
    PHASE_PREPARING,  /* under the lock: the ledger exists, and is compared again */
    PHASE_APPLYING,   /* each pending migration, in order */
    PHASE_COMPLETE,   /* the database holds every migration of the folder */
    PHASE_FAILED,     /* the error says what the database holds */
    PHASES
};

/* What going back needs. */
struct back {
    bool is_known;              /* what is due: */
    size_t first;               /* from this number on, what is applied */
    struct migration *inverses; /* of each of the folder's that is due */
    struct loss_guard guard;
};

/* How far a migration had come that takes more than one transaction, when its connection was lost. */
struct reached {
    size_t index; /* the folder's count = there is none */
    size_t steps;
    int64_t batches;
    bool is_elsewhere; /* another server has answered since */
};

struct deployment {
    struct arena *arena; /* of the caller: what the report points to */
    struct arena *look;  /* of the latest comparison */
    const struct config *config;
    struct endpoint *endpoint;
    const struct folder *folder;
    struct deployment_report *report;
    struct progress *progress;

    struct connection *begun; /* the first connection, while it is not complete */
    struct connection *conn;
    struct ledger ledger;
    struct history history;
    struct read_ahead *read_ahead;
    struct leader holder;
    struct turn turn;       /* among those of this process, as long as the connection */
    struct identity server; /* on which this run last led */
    bool *is_ours;          /* of each of the folder's: this run has applied it, or undone it */
    struct reached reached;
    struct lease lease;
    struct patience following;
    struct headroom headroom;
    struct watch watch;
    struct session_settings settings;
    struct execution execution;  /* the migration at hand, or the last one */
    int64_t started_ms;          /* when it was begun */
    struct known_script **known; /* of each of the folder's that is large; or NULL */
    struct known_script *kept;   /* one whose bytes are kept, or NULL */
    size_t next;                 /* index in the folder of what is looked at next; its count = none */
    struct back *back;           /* what is due is to be undone, the newest first (back.h); or NULL */
    size_t due;                  /* … and in the report of what is applied next */
    unsigned losses;
    enum pooling pooling;
    bool must_write; /* a connection that only reads was seen, when there was something to do */
    bool is_session_used;
    bool is_session_marked; /* … by a script that may have left what nothing takes back */
    bool has_journal;       /* it is recorded there who applies what */
    char host[POD_NAME_SIZE];
    struct origin_queue origins; /* what is not recorded yet */
    struct beacon beacon;        /* of this session */
    bool *is_for_burst;          /* of each of the folder's */
    struct burst *burst;         /* one of which it is not known what became of it, or NULL */
    struct early_failure early;  /* of the one before … */
    size_t alone_until;          /* what is before that index is applied one at a time */
    struct rule_levels levels;
    struct lock_wishes *wishes; /* of each of the folder's, as far as they are known; or NULL */
    struct deadline calm_until; /* see traffic/lock_wish.h */
    bool is_unused;             /* the schema was empty when the deployment began */
    bool is_warned;             /* what is dangerous has been said once */
    bool is_drift_checked;      /* the schema has been compared with what was recorded */
    bool is_secured;            /* there is a backup, and a restore point, if that is asked for */
    bool is_reviewed;           /* what an operator should know has been said once */
};

/* What a phase does; returns the next one. */
typedef enum phase phase_step(struct deployment *d, struct error *err);

struct phase_row {
    enum progress_phase shown; /* what the world outside sees of it */
    phase_step *step;
    unsigned next; /* a bit for each phase it may lead to, PHASE_FAILED aside; the driver insists on that */
};

extern const struct phase_row PHASE_ROWS[PHASES];

/* Reads the ledger into `d->look`, with the care that whoever writes must take, and compares. */
must_use bool deployment_read(struct deployment *d, struct error *err);

/* The same, anew, for all to see. */
must_use bool deployment_look(struct deployment *d, struct error *err);

/* The migration number `index` of the folder, about to be applied. */
struct execution deployment_begin_migration(struct deployment *d, size_t index);

/* Whether that one is to be applied, or gone on with; or undone. */
bool deployment_is_due(const struct deployment *d, size_t index);

/* The folder's migrations in the order in which those that are due come: the first, and the one behind
 * another; the folder's count = there is none. */
size_t deployment_first(const struct deployment *d);
size_t deployment_behind(const struct deployment *d, size_t index);

/* The script that is run of it: its own, or its inverse. */
const struct migration *deployment_script_of(const struct deployment *d, size_t index);

/* For execution_revive(): `context` is the deployment. */
struct connection *deployment_reconnect(void *context);

/* One migration more has been applied: adds it to the report, logs it. */
void deployment_report_applied(struct deployment *d);

/* The same, and counts it as applied: in its ledger, and among the migrations. */
void deployment_note_applied(struct deployment *d);

/* One migration changes from one state to another, for all to see. */
void deployment_count(struct deployment *d, enum verdict from, enum verdict to);

/* The watch may have to be opened soon. */
void deployment_prepare_watch(struct deployment *d);

/* Whether something can be written to the journal: not in a session that came after a loss and has not led.
 */
bool deployment_may_record(const struct deployment *d);

/* Records who applied what is in the queue, or forgets it where that is rolled back, if that is still
 * possible. */
void deployment_record_origins(struct deployment *d);

/* Adds what this run has applied before it ended, as a sentence. */
void deployment_add_applied(const struct deployment *d, struct text *out);

/* What can be told before the first migration begins: a schema that holds tables, but no ledger; what failed
 * before; what differs; and whether every pending script can be applied. Fills what is due into the report.
 */
must_use bool deployment_check(struct deployment *d, struct error *err);

/* Gives the bytes of a script back that has been kept for whoever applies it. */
void deployment_forget_script(struct deployment *d);

/* Finds out, once, whether there is a pooler in between. */
must_use bool deployment_find_pooling(struct deployment *d, struct error *err);

/* PHASE_LEADING: the budget, the Lease, the leader lock. */
phase_step deployment_lead;

/* The leader lock behind a pooler in transaction mode, for one transaction, which is then begun:
 * PHASE_PREPARING; PHASE_FOLLOWING where another process has it. */
phase_step deployment_lead_once;

/* PHASE_PREPARING: what has to hold under the leader lock before the first migration begins. */
phase_step deployment_prepare;

#endif
