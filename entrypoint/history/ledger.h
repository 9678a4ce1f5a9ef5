/*
 * The ledger: the table of its dialect, read in one round trip and written as the dialect's own tool writes
 * it.
 *
 * Its place is decided once: the schema that the URL names, else the one found through the session's
 * search_path. From then on every statement names the schema, so that nothing a script sets can misdirect a
 * write. Times come from the server's clock, because rows are ordered by time and the clocks of pods differ.
 */
#ifndef HISTORY_LEDGER_H
#define HISTORY_LEDGER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "dialect/dialect.h"
#include "dialect/ledger_row.h"
#include "history/floor.h"
#include "history/migration.h"
#include "postgres/connection.h"
#include "postgres/query.h"

/* Any write to the ledger changes one of these. */
struct ledger_size {
    size_t rows;
    size_t finished;
    size_t rolled_back;
};

/* What is known of a database because this run has begun its ledger there, by ledger_begin(). */
struct ledger_beginning {
    bool is_done;
    bool has_room_for_journal; /* no schema of the journal's was there, and this role may create one */
    bool can_check_connection; /* see postgres/session.h */
};

struct ledger {
    const struct folder *folder;
    const struct dialect *dialect; /* the folder's */
    bool exists;
    bool is_schema_given;       /* the URL names it */
    const char *schema;         /* where it is, or will be created */
    const char *default_schema; /* where what a script does not qualify goes */
    const char *table;          /* schema and name, quoted */
    const char *lock_key;       /* of the leader lock under which it is written */
    struct ledger_row *rows;    /* oldest first */
    size_t count;
    struct ledger_size size; /* when it was read; a writer of rows must update it */
    char
        anchor[KEY_SIZE]; /* the id of an applied row that must still be there when one is added; "" = none */
    struct query queries[LEDGER_STATEMENTS]; /* for this table … */
    struct query checks[LEDGER_CHECKS];
    struct query row;

    struct ledger_beginning beginning;

    struct floors floors; /* see floor.h */

    struct tool_keys tool_keys; /* of the tool's own locks, see lock/tool_lock.h */

    /* Where what is unfinished or has failed is in the journal (attempts.h). */
    bool has_attempts;    /* the table is there, and may be used */
    const char *stale;    /* ids of attempts whose migrations are applied since, as an array; NULL = none */
    const char *attempts; /* its name, as a query of the journal has it; NULL = the ledger keeps attempts */
    struct query attempt_queries[LEDGER_STATEMENTS];
    struct query attempt_checks[LEDGER_CHECKS];

    /* What the same round trip says about the session. */
    const char *database; /* NULL when a glance was given no answer */
    const char *role;     /* whose rights count: the user's, or --set-role's */
    bool is_read_only;    /* a standby, or default_transaction_read_only */
    int backend_pid;      /* of the process that answered */
    bool has_standard_strings;
    bool is_audited;        /* pgaudit logs what it does */
    bool waits_for_standby; /* COMMIT does, so a cancel request could end that wait */
};

/* How much of each row is read: names and states, which decide what is pending; checksums, too; or all of it.
 */
enum ledger_depth { LEDGER_NAMES, LEDGER_CHECKSUMS, LEDGER_DETAILS };

/* What to read: whose ledger, and where. */
struct ledger_request {
    const struct folder *folder; /* of its dialect, whose names the rows get */
    const char *schema;          /* the URL's ?schema=, or NULL */
    enum ledger_depth depth;
    bool is_only_read; /* nothing will be written, whatever it says */
};

/* Reads it in one round trip. A missing table is not an error (exists = false); only SQLSTATE 42P01 means
 * that. Everything lives in the arena. ERROR_REFUSED for a table that isn't the dialect's, one that belongs
 * to somebody we do not trust (owner.h), and one whose rows row security hides from us. */
must_use bool ledger_read(struct arena *arena, struct connection *conn, const struct ledger_request *wanted,
                          struct ledger *out, struct error *err);

/* The quick read that every start begins with, and most end with: the rows and the session. Nothing can be
 * written with it, and `schema` may be NULL. */
must_use bool ledger_glance(struct arena *arena, struct connection *conn, const struct ledger_request *wanted,
                            struct ledger *out, struct error *err);

/* Whether there is nothing in the schema that a ledger would have to know: ERROR_REFUSED otherwise. */
must_use bool ledger_check_empty(struct connection *conn, const struct ledger *ledger, struct error *err);

/* Whether the schema that a list of tenants names, or NULL, is there, as far as the ledger does not tell:
 * ERROR_USAGE otherwise. */
must_use bool ledger_check_schema(struct connection *conn, const struct ledger *ledger, const char *schema,
                                  struct error *err);

/* Whether the schema holds nothing at all that a migration can have made: what belongs to an extension,
 * and the ledger itself, do not count. */
must_use bool ledger_find_empty(struct connection *conn, const struct ledger *ledger, bool *is_empty,
                                struct error *err);

/* The same question for a batch: a row with the answer. */
struct batch_item ledger_empty_item(const struct ledger *ledger, const char *parameters[3]);

/* Under the leader lock, where there was no ledger at the last look: creates it where its schema is there and
 * holds no relation at all, in one round trip; it is then as if it had been read. Where that is not so, or
 * cannot be told, nothing is done, and `beginning` says so; false only when the session or the run is over.
 * For dialects whose ledger keeps attempts. */
must_use bool ledger_begin(struct arena *arena, struct connection *conn, struct ledger *ledger,
                           struct error *err);

/* Creates it, and its schema if necessary. Call it under the leader lock. */
must_use bool ledger_create(struct connection *conn, const struct ledger *ledger, struct error *err);

/* Adds a statement that returns whether the ledger is still what `ledger->size` says. A row is
 * deleted only where its migration is undone, and one that becomes unfinished again is rolled back. */
void ledger_add_unchanged(const struct ledger *ledger, struct text *sql);

/* Adds a statement that keeps the ledger from being written to until the end of the transaction; readers are
 * not kept from it. It takes no snapshot: under SERIALIZABLE, ledger_add_unchanged() would otherwise see the
 * ledger as it was before the leader lock was obtained. */
void ledger_add_lock(const struct ledger *ledger, struct text *sql);

/* Whether it exists by now; reading a missing one would abort a transaction. */
must_use bool ledger_exists(struct connection *conn, const struct ledger *ledger, bool *exists,
                            struct error *err);

/* What a migration is called, in the values of a row. */
#define ROW_OF_MIGRATION(migration)                                                                          \
    [ROW_NAME] = (migration)->key, [ROW_FILE] = (migration)->name,                                           \
    [ROW_DESCRIPTION] = (migration)->description, [ROW_BACK] = (migration)->back

/* Puts into `row` what a migration is called that somebody named: one of the folder's, or one that only the
 * ledger knows. Returns its name. */
const char *ledger_name_row(const struct folder *folder, const char *name, const char *row[ROW_VALUES]);

/* The id of the row that must be there when `migration` is recorded as applied `after` another (or NULL), or
 * NULL. */
const char *ledger_anchor(const struct ledger *ledger, const struct migration *migration,
                          const struct migration *after);

/* The queries for writing, once the schema is known. */
void ledger_prepare_queries(struct arena *arena, struct ledger *out);

/* The rows of a reading text, into `out` and its sizes. */
void ledger_take_rows(struct arena *arena, const struct result *result, struct ledger *out);

/* The id of the row that says that a migration is applied: a new one, or, where the ledger has none, one that
 * follows from its key. */
void ledger_make_id(const struct ledger *ledger, const char *key, char out[UUID_SIZE]);

/* A migration was applied: what the ledger is known to hold changes. `is_new` if it had no row before. */
void ledger_count_applied(struct ledger *ledger, const struct migration *migration, const char *id,
                          bool is_new);

/* The parameters of a statement that writes and of what checks it, in the ledger and in its attempts. */
struct ledger_parameters {
    const char *of_write[ROW_VALUES];
    const char *of_check[ROW_VALUES];
    const char *of_attempt[ROW_VALUES];
    const char *of_attempt_check[ROW_VALUES];
};

/* A statement that writes, for a batch, and its check; returns how many items that is. Of `values` they take
 * those that the dialect keeps (the others may be NULL), in the dialect's order, into `parameters`, which
 * must live as long as the items. */
enum { LEDGER_ITEMS_MOST = 4 };
size_t ledger_add_items(const struct ledger *ledger, enum ledger_statement statement,
                        const char *const values[ROW_VALUES], struct ledger_parameters *parameters,
                        struct batch_item items[LEDGER_ITEMS_MOST]);

/* A check alone, likewise. */
struct batch_item ledger_check_item(const struct ledger *ledger, enum ledger_check check,
                                    const char *const values[ROW_VALUES],
                                    struct ledger_parameters *parameters);

/* CHECK_NAMES has failed behind the last of several rows: those before it are committed. Returns false. */
bool ledger_refuse_names(const struct ledger *ledger, struct error *err);

/* Runs a batch in which the ledger is written and the leader lock taken. Where the ledger turns out not to be
 * as it was read, nothing is written: the transaction is rolled back, and the error (ERROR_REFUSED, with a
 * hint) says what became of the row whose `values` these are. ERROR_LEADER if another session leads. */
must_use bool ledger_batch(struct connection *conn, const struct ledger *ledger, const struct batch *batch,
                           const char *const values[ROW_VALUES], struct error *err);

/* In the message of that error, behind the table's name. */
#define LEDGER_CHANGED "changed during this run"

/* One statement alone, in a transaction that takes the leader lock first. One round trip. */
must_use bool ledger_write(struct connection *conn, const struct ledger *ledger,
                           enum ledger_statement statement, const char *const values[ROW_VALUES],
                           struct error *err);

/* For a command that only writes the ledger: says in `err` what is known of that when the answer did not
 * come, or that nothing was changed. Returns false. */
bool ledger_say_changed(const struct connection *conn, const struct ledger *ledger, struct error *err);

/* Records a failure that left nothing behind (checksum, name, started and logs): a row that is marked rolled
 * back at once, so that the next deployment tries again. The same failure of the same script reuses its row.
 */
must_use bool ledger_record_clean_failure(struct connection *conn, const struct ledger *ledger,
                                          const char *const values[ROW_VALUES], struct error *err);

/* What our unfinished rows begin their logs with; rows of Prisma's own don't. RUNNING is all that one says
 * until it ends, INTERRUPTED begins what one says that was asked to stop. */
#define LEDGER_OURS "tidelock: "
#define LEDGER_RUNNING (LEDGER_OURS "running")
#define LEDGER_INTERRUPTED LEDGER_OURS "interrupted: "

/* Whether the row was left by a tidelock that stopped halfway, so that its progress can be trusted. */
bool ledger_row_is_resumable(const struct ledger_row *row);

/* Whether an unfinished row tells of no failure: whoever wrote it was stopped, killed, or is at work. */
bool ledger_row_is_interrupted(const struct ledger_row *row);

/* What its logs say of its end, without our own marks; NULL = nothing. */
const char *ledger_row_reason(const struct ledger_row *row);

#endif
