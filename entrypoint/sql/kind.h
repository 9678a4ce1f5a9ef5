/*
 * What a statement means to us: whether it begins or ends a transaction, may run in one, and can be sent at
 * all.
 *
 * Decided by a table, from its first words alone. If the text cannot tell, it counts as plain: REINDEX and
 * CLUSTER of a partitioned table, DROP SUBSCRIPTION with a slot, CALL and DO that commit. In a transaction
 * the server then refuses it and nothing is changed; refused_kind_of() says what it is once that is known.
 */
#ifndef SQL_KIND_H
#define SQL_KIND_H

#include <stdbool.h>

#include "sql/scan.h"

enum statement_kind {
    KIND_PLAIN,
    KIND_BEGIN,               /* BEGIN, START TRANSACTION */
    KIND_COMMIT,              /* COMMIT, END */
    KIND_COMMIT_CHAIN,        /* … AND CHAIN: ends a transaction and begins the next */
    KIND_ROLLBACK,            /* ROLLBACK, ABORT */
    KIND_ROLLBACK_CHAIN,      /* … AND CHAIN */
    KIND_SAVEPOINT,           /* SAVEPOINT, RELEASE, ROLLBACK TO */
    KIND_PREPARE_TRANSACTION, /* ends the transaction of this session without committing it */
    KIND_NONTRANSACTIONAL,    /* refused inside a transaction block by this server version */
    KIND_PSQL,                /* a command of psql: a script with one is refused */
    KIND_COPY_STDIN,          /* COPY … FROM STDIN: a script with one is refused */
    KIND_COPY_STDOUT,         /* the server answers with rows for whoever sent it */
    STATEMENT_KINDS
};

/* Which of the statements that cannot run in a transaction block. */
enum nontransactional {
    NONTRANSACTIONAL_NO,
    NONTRANSACTIONAL_CREATE_INDEX, /* CONCURRENTLY, like the next two */
    NONTRANSACTIONAL_DROP_INDEX,
    NONTRANSACTIONAL_REINDEX_CONCURRENTLY,
    NONTRANSACTIONAL_REINDEX, /* of a schema, a database, the system, a partitioned table: a transaction for
                                 each table */
    NONTRANSACTIONAL_VACUUM,
    NONTRANSACTIONAL_CLUSTER, /* of every table, or of a partitioned one */
    NONTRANSACTIONAL_DATABASE,
    NONTRANSACTIONAL_TABLESPACE,
    NONTRANSACTIONAL_SYSTEM, /* ALTER SYSTEM */
    NONTRANSACTIONAL_DISCARD,
    NONTRANSACTIONAL_DETACH,
    NONTRANSACTIONAL_SUBSCRIPTION,
    NONTRANSACTIONAL_PREPARED,   /* COMMIT PREPARED, ROLLBACK PREPARED */
    NONTRANSACTIONAL_COMMITTING, /* DO or CALL that commits: nobody can tell from outside how far it came */
    NONTRANSACTIONAL_KINDS
};

/* "plain", "begin", …: for logs and tests. */
extern const char *const STATEMENT_KIND_NAMES[STATEMENT_KINDS];

/* The kind of the statement whose first token `scanner` is at and whose text ends with the scanner's, for a
 * server of `server_version` (as libpq's PQserverVersion: 150004). *nontransactional becomes
 * NONTRANSACTIONAL_NO unless the kind is KIND_NONTRANSACTIONAL. */
enum statement_kind statement_kind_of(struct scanner scanner, int server_version,
                                      enum nontransactional *nontransactional);

/* What a plain statement is, after the server has refused it in a transaction block. */
enum nontransactional refused_kind_of(struct scanner scanner);

/* Whether it is a DO or a CALL: the only plain statements that may commit by themselves. */
bool statement_may_commit(struct scanner scanner);

/* Whether it is ALTER TYPE … ADD VALUE: the value cannot be used before it is committed (documentation,
 * "ALTER TYPE"). */
bool statement_adds_value(struct scanner scanner);

/* Whether it sets the isolation level, the access mode or the deferrable mode of its transaction, which has
 * to come before the first query: SET TRANSACTION, SET [LOCAL] transaction_isolation, … */
bool statement_sets_transaction(struct scanner scanner);

/* Whether the server runs it without a snapshot, so that SET TRANSACTION may still follow: SET, RESET, SHOW,
 * LOCK. */
bool statement_is_before_queries(struct scanner scanner);

/* Whether the statement whose first token `scanner` is at writes rows: INSERT, UPDATE, DELETE, MERGE, COPY.
 * Such a statement usually waits for rows, not for a table. SELECT is none of them: it does whatever its
 * functions do, ALTER TABLE included. */
bool statement_is_data(struct scanner scanner);

/* Whether it is one of these, or SELECT, VALUES, TABLE or WITH. */
bool statement_is_query(struct scanner scanner);

/* Whether it is CREATE INDEX IF NOT EXISTS, which accepts an existing index that is INVALID. */
bool statement_is_guarded_index(struct scanner scanner);

#endif
