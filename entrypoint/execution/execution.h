/*
 * One migration while it is being applied: what the modes share.
 */
#ifndef EXECUTION_EXECUTION_H
#define EXECUTION_EXECUTION_H

#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/text.h"
#include "execution/failure.h"
#include "execution/mode.h"
#include "history/journal.h"
#include "history/ledger.h"
#include "history/migration.h"
#include "lock/beacon.h"
#include "lock/lease.h"
#include "postgres/connection.h"
#include "postgres/query.h"
#include "postgres/session.h"
#include "report/progress.h"
#include "sql/directive.h"
#include "sql/script.h"
#include "sql/segment.h"
#include "traffic/blockers.h"
#include "traffic/lock_wish.h"
#include "traffic/retry.h"
#include "traffic/watch.h"

/* Waiting for locks: attempts, blockers, and what may be done about them. */
struct lock_wait {
    struct retry retry;
    struct blocker_policy policy;
    int64_t lock_timeout_ms;      /* as last set by us */
    bool locks_tables;            /* what should only write rows has kept others from a table */
    struct blockers blockers;     /* the latest that were seen, those of the oldest transactions first */
    unsigned cycles;              /* attempts in a row in which it waited for us, too */
    bool is_cut_short;            /* the migration's time ends before that for the attempts */
    char unseen[32];              /* the virtual transaction id of a holder whose age is hidden from us … */
    struct deadline unseen_until; /* … and until when it counts as young */
};

/* An atomic migration: what is needed to find out about a COMMIT whose answer was lost. */
struct commit_doubt {
    char txid[24];
    bool is_in_doubt;
    bool is_elsewhere; /* another server answers, on which that id means another transaction, or none */
};

/* See execution_add_limits(). */
struct own_limits {
    char lock_timeout[24];
    const char *parameters[3];
};

/* A migration that commits more than once: how far it is. */
struct course {
    size_t done;     /* statements, including those of rolled-back blocks */
    size_t recorded; /* … as its ledger row says; fewer where that could not be written */
    size_t resumed;  /* … by an earlier run */
    int64_t batches; /* of its backfill */
    bool has_effect; /* something done so far persists: more than settings */
};

/* Somebody who looks on: asked in the session right before and right after each statement that is sent in a
 * transaction, which is then sent alone. What either fails with, the script fails with. */
struct observer {
    bool (*before)(struct observer *observer, struct connection *conn, size_t statement, struct error *err);
    bool (*after)(struct observer *observer, struct connection *conn, size_t statement, struct error *err);
};

/* A script that has failed in its transaction, which was begun for it in a message with others: the
 * transaction is still open. */
struct early_failure {
    char checksum[CHECKSUM_SIZE]; /* of the script */
    char started[40];
    int64_t lock_timeout_ms;
    size_t completed; /* statements of the script */
    const char *held; /* pooled: see pooler_add_look() */
    struct error err; /* its position counts from the script's first statement */
};

/* What was found out about a script when all were looked at, before the first is applied. */
struct known_script {
    char checksum[CHECKSUM_SIZE];
    struct script_summary summary;
    struct script_wishes wishes;
    struct text bytes; /* as it is run, for whoever applies it to take; or nothing: then it is read again */
};

struct execution {
    struct connection *conn;
    /* Opens another connection in place of one that is lost, and leads there again; NULL when it can't. */
    struct connection *(*reconnect)(void *context);
    void *context;
    bool is_ended; /* the server has ended the session, see execution_revive() */
    struct ledger *ledger;
    const struct migration *migration;
    const struct ledger_row *unfinished; /* the row to resume, or NULL */
    const struct ledger_row *applied;    /* of an inverse: the row of what it undoes */
    struct slice script;                 /* without a byte order mark; NUL-terminated */
    char checksum[CHECKSUM_SIZE];
    char gist[SHA256_HEX_SIZE]; /* of the script, for the journal; only with a host */
    struct script_summary summary;
    struct known_script *known; /* which holds for the same checksum; or NULL */
    struct directives directives;
    struct floor_record floor;           /* see execution/floor.h */
    struct script_wishes wishes_of_tool; /* what its dialect's words in the script ask for */
    struct session_settings settings;
    int64_t timeout_ms; /* of the whole migration; 0 = none */
    struct deadline until;
    struct own_limits own_limits;
    struct watch *watch;
    const struct lease *lease; /* that must be held, too */
    struct beacon *beacon;
    enum mode mode;
    struct segment_rules rules; /* unless it is atomic: how it is cut into transactions */
    struct progress *progress;
    bool was_rolled_back;  /* an earlier try, by hand: it may have left something */
    bool is_folder_behind; /* migrations are applied that were removed from the folder, squashed or renamed */
    bool is_session_used;  /* an earlier script ran in this session */
    bool is_replay;        /* in a shadow, which holds no rows: nothing is asserted of them */
    struct observer *observer; /* or NULL */
    /* Which this run has done of its backfill, on a server that another one has taken the place of. A crash
     * alone may lose some: they do not wait for the disk. */
    int64_t batches_before;
    const char *host;    /* who we are, for the journal; NULL = nothing is recorded */
    const char *release; /* … and of which release; NULL = not known */
    bool is_for_burst;   /* found out before: see apply/burst.h */
    bool hides_sessions; /* the application may be behind a pooler in transaction mode */
    bool is_pooled; /* behind a pooler in transaction mode: the leader lock lasts only for each transaction */
    char id[UUID_SIZE]; /* of the ledger row */
    struct course course;

    /* Of the session, see execution/session_state.h. */
    char *baseline;     /* the settings that it was set up with, as JSON; NULL = not read */
    bool is_state_kept; /* the journal has a row for what the script sets */
    bool has_resets;    /* the script may take away our own settings */
    bool has_advisory;  /* … may take advisory locks */

    const struct early_failure *early; /* the first try, or NULL */
    struct failure failure;
    size_t failed_statement; /* its number, from 0, as the server's latest error told */
    struct commit_doubt commit_doubt;
    struct lock_wait lock_wait;
    const struct lock_wishes *wishes; /* what its statements are known to lock; NULL = nothing is known */
    struct deadline *calm_until;      /* see traffic/lock_wish.h; with wishes */

    /* Atomic, pooled: nothing was run, because another process leads or has led since the last look. */
    bool is_overtaken;
};

/* Why a migration is stopped whose time is over. */
#define EXECUTION_LATE "it took longer than the migration-timeout"

/* The journal of its ledger. */
struct journal execution_journal(const struct execution *execution);

struct script_reader execution_reader(const struct execution *execution);

/* Turns the server's error into the migration's: message, code, place. The failed text began at byte `start`
 * of the script with its statement number `first`, and `completed` statements of it were done. Returns false.
 */
bool execution_failed_at(struct execution *execution, size_t start, size_t first, size_t completed,
                         struct error *err);

/* Sends the bytes from `start` to `end`, whose first statement is number `first` of the script. One round
 * trip. */
must_use bool execution_send(struct execution *execution, size_t start, size_t end, size_t first,
                             struct error *err);

/* Whether a part of the script goes through that, or may be sent as it is. */
bool execution_sends_guarded(const struct execution *execution);

/* What statements wait for that only write rows, according to their words (`is_data`), or others; learnt from
 * the attempts so far: a trigger may lock tables. */
enum retry_wait execution_wait_of(const struct execution *execution, bool is_data);

/* Tells the watch that what runs now waits so. */
void execution_expect(const struct execution *execution, enum retry_wait wait);

/* Sets lock_timeout for what is sent next, unless the script has one of its own: one round trip when it
 * changes. For the transaction only with `is_local`. */
must_use bool execution_set_lock_timeout(struct execution *execution, enum retry_wait wait, bool is_local,
                                         struct error *err);

/* A failure's text for the ledger's logs: the message with its place, without times, so that the same failure
 * gives the same text. */
void execution_failure_text(const struct error *err, struct text *out);

/* Adds the items of a batch that make the session ours again after a script, and returns how many. They undo
 * SET, SET ROLE and SET SESSION AUTHORIZATION, so that our own writes after them are not misdirected; the
 * leader lock is taken again (it counts), so that a script that called pg_advisory_unlock_all() has not
 * released it; our own limits hold, see execution_add_limits(). A session that others use after us is cleaned
 * up instead: there, no script can release the transaction's lock. */
enum { REGAIN_MOST = 4 + SESSION_CLEANUPS };
size_t execution_add_regain(struct execution *execution, struct batch_item items[REGAIN_MOST]);

/* An item that limits, until the transaction ends, how long our own writes in it wait for a lock, whatever
 * the script has set or reset: it holds its own locks meanwhile. The item is good until the next call. */
struct batch_item execution_add_limits(struct execution *execution);

/* For the server's own limit of a transaction: what is left of the migration-timeout, and a little more,
 * since it ends the session; 0 = none, or not known to the server (before version 17). */
int64_t execution_server_limit_ms(const struct execution *execution);

/* Begins a transaction of our own with these limits. */
must_use bool execution_begin_own(struct execution *execution, struct error *err);

/* True when the connection is alive, or when it could be replaced: the server has said that it ended the
 * session, and with it the transaction, for what the script did (SQLSTATE 25P04). Then its failure can be
 * recorded. */
must_use bool execution_revive(struct execution *execution, const struct error *err);

/* SHA-256 over the script's first `count` statements, without what is between them: tells whether a changed
 * script may resume where the former one stopped. */
must_use bool execution_hash_prefix(const struct execution *execution, size_t count,
                                    char hex[SHA256_HEX_SIZE], struct error *err);

/* Records what a statement left behind: `what` ("the INVALID index x"), and what a person would type to
 * remove it. */
void execution_note_leftover(struct execution *execution, enum failure_leftover leftover, const char *what,
                             const char *remedy);

/* Sets err->class to the class of the failure as far as it is known, see failure_decide(). */
void execution_judge(struct execution *execution, struct error *err);

/* The same, and also sets what the database holds and what to do next. Returns false. */
bool execution_explain(struct execution *execution, struct error *err);

/* False when the run has to stop: a signal (ERROR_INTERRUPTED), a lost Lease (ERROR_LEADER), the
 * migration-timeout, also when the server did not get the cancel request for it (ERROR_CLEAN). Checked before
 * every COMMIT, and wherever the run can be stopped. */
must_use bool execution_may_go_on(const struct execution *execution, struct error *err);

/* Ends an open transaction after a failure. Errors are ignored: the end of the session rolls back, too. An
 * answer that does not come in time counts as that. */
void execution_roll_back(struct connection *conn);

/* Ends one of our own transactions, failed or not; signals may cancel what comes next as before. */
void execution_roll_back_own(struct connection *conn);

/* What allows more time, for the migration or for its attempts to get a lock, whichever ended it: the option,
 * or the directive that takes its place. */
const char *execution_more_time(const struct execution *execution);

/* The text of a statement of the script. */
struct slice execution_text(const struct execution *execution, const struct statement *statement);

/* Points the error at statement `number` of the script. Returns false. */
bool execution_point_at(const struct execution *execution, size_t number, struct error *err);

/* Points the error at byte `offset` of the script. Returns false. */
bool execution_point(const struct execution *execution, size_t offset, struct error *err);

#endif
