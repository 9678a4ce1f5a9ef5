/*
 * One migration while it is applied: what the modes share.
 */
#ifndef EXECUTION_EXECUTION_H
#define EXECUTION_EXECUTION_H

#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/text.h"
#include "execution/failure.h"
#include "execution/mode.h"
#include "history/ledger.h"
#include "history/migration.h"
#include "lock/lease.h"
#include "postgres/connection.h"
#include "postgres/query.h"
#include "postgres/session.h"
#include "report/progress.h"
#include "sql/directive.h"
#include "sql/script.h"
#include "traffic/blockers.h"
#include "traffic/retry.h"
#include "traffic/watch.h"

/* Waiting for locks: tries, who is in the way, what may be done about them. */
struct lock_wait {
    struct retry retry;
    struct blocker_policy policy;
    int64_t lock_timeout_ms;      /* that we have set last */
    int blocker_pid;              /* who was in the way last; 0 = not known */
    char unseen[32];              /* the virtual transaction id of a holder whose age is hidden from us … */
    struct deadline unseen_until; /* … and until when it counts as young */
};

/* An atomic migration: what is needed to find out about a COMMIT whose answer was lost. */
struct commit_doubt {
    char txid[24];
    bool is_in_doubt;
};

struct execution {
    struct connection *conn;
    const struct ledger *ledger;
    const struct migration *migration;
    const struct ledger_row *unfinished; /* the row to go on with, or NULL */
    struct slice script;                 /* without a byte order mark; NUL-terminated */
    char checksum[CHECKSUM_SIZE];
    struct script_summary summary;
    struct directives directives;
    struct session_settings settings;
    int64_t timeout_ms; /* of the whole migration; 0 = none */
    struct deadline until;
    struct watch *watch;
    const struct lease *lease; /* that we must hold, too */
    enum mode mode;
    struct progress *progress;
    bool is_session_used; /* an earlier script ran in this session */
    bool is_pooled;       /* no session is ours: the leader lock lasts for each transaction only */
    char id[UUID_SIZE];   /* of the ledger row */

    struct failure failure;
    struct commit_doubt commit_doubt;
    struct lock_wait lock_wait;

    /* Atomic, pooled: nothing was run, for another process leads or has led since the last look. */
    bool is_overtaken;
};

struct script_reader execution_reader(const struct execution *execution);

/* Turns the server's error into the migration's: message, code, place. The failed text began at byte `start`
 * of the script with its statement number `first`, and `completed` statements of it were done. Returns false.
 */
bool execution_failed_at(const struct execution *execution, size_t start, size_t first, size_t completed,
                         struct error *err);

/* Sends the bytes from `start` to `end`, whose first statement is number `first` of the script. One round
 * trip. */
must_use bool execution_send(struct execution *execution, size_t start, size_t end, size_t first,
                             struct error *err);

/* Sets lock_timeout for what is sent next, unless the script has one of its own: one round trip when it
 * changes. For the transaction only with `is_local`. */
must_use bool execution_set_lock_timeout(struct execution *execution, enum retry_wait wait, bool is_local,
                                         struct error *err);

/* What the ledger's logs shall say of a failure: the message with its place, no times, so that the same
 * failure gives the same text. */
void execution_failure_text(const struct error *err, struct text *out);

/* Adds the items of a batch that undo SET, SET ROLE and SET SESSION AUTHORIZATION of a script, so that what
 * is written behind them is not led astray, and returns how many. In a session of ours, its safety net,
 * which RESET ALL takes back, is set again; one that others use after us gets back what a script
 * may have left in it. */
enum { RESETS_MOST = 3 + SESSION_CLEANUPS };
size_t execution_add_resets(const struct execution *execution, struct batch_item items[RESETS_MOST]);

/* Undoes SET, SET ROLE and SET SESSION AUTHORIZATION of a script, so that our own writes are not led astray.
 * One round trip. */
must_use bool execution_reset_session(struct execution *execution, struct error *err);

/* SHA-256 over the script's first `count` statements, without what stands between them: whether a changed
 * script may go on where the former one stopped. */
must_use bool execution_hash_prefix(const struct execution *execution, size_t count,
                                    char hex[SHA256_HEX_SIZE], struct error *err);

/* Takes down what a statement left behind: `what` ("the INVALID index x remains"), and what a person would
 * type about it. */
void execution_note_leftover(struct execution *execution, enum failure_leftover leftover, const char *what,
                             const char *remedy);

/* The class of the failure as far as it is known, see failure_decide(). Sets err->class. */
void execution_judge(struct execution *execution, struct error *err);

/* The same, and says what the database holds and what comes next. Returns false. */
bool execution_explain(struct execution *execution, struct error *err);

/* Whether nothing asks us to stop: a signal (ERROR_INTERRUPTED), a Lease that was lost (ERROR_LEADER). Before
 * every COMMIT, and wherever it can be stopped. */
must_use bool execution_may_go_on(const struct execution *execution, struct error *err);

/* ERROR_LEADER: somebody else may be writing now. Returns false. */
bool execution_lost_leader(struct error *err);

/* Ends an open transaction after a failure. Errors are left alone: the session's end rolls back as well. */
void execution_roll_back(struct connection *conn);

/* Ends a transaction of our own beside the script, failed or not; signals may cancel what comes next. */
void execution_roll_back_own(struct connection *conn);

/* The text of a statement of the script. */
struct slice execution_text(const struct execution *execution, const struct statement *statement);

/* Points the error at byte `offset` of the script. Returns false. */
bool execution_point(const struct execution *execution, size_t offset, struct error *err);

#endif
