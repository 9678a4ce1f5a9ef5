#include "base/memory.h"
#include "check.h"
#include "sql/kind.h"

struct expectation {
    const char *sql;
    enum statement_kind kind;
    enum nontransactional nontransactional;
};

static void check(const struct expectation *row, int version)
{
    struct scanner scanner = scanner_of(slice_of(row->sql), true);
    enum nontransactional nontransactional = NONTRANSACTIONAL_KINDS;
    enum statement_kind kind = statement_kind_of(scanner, version, &nontransactional);

    if (kind != row->kind || nontransactional != row->nontransactional)
        print_error("on %d: %s\n", version, row->sql);
    assert_string_equal(STATEMENT_KIND_NAMES[kind], STATEMENT_KIND_NAMES[row->kind]);
    assert_int_equal(nontransactional, row->nontransactional);
}

static void check_all(const struct expectation *rows, size_t count, int version)
{
    for (size_t i = 0; i < count; i++)
        check(&rows[i], version);
}

static void transaction_control_is_told_by_its_first_words(void **state)
{
    static const struct expectation rows[] = {
        { "BEGIN", KIND_BEGIN, NONTRANSACTIONAL_NO },
        { "begin work", KIND_BEGIN, NONTRANSACTIONAL_NO },
        { "BEGIN TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY", KIND_BEGIN, NONTRANSACTIONAL_NO },
        { "Start /* now */ Transaction", KIND_BEGIN, NONTRANSACTIONAL_NO },
        { "COMMIT", KIND_COMMIT, NONTRANSACTIONAL_NO },
        { "COMMIT WORK", KIND_COMMIT, NONTRANSACTIONAL_NO },
        { "COMMIT TRANSACTION AND NO CHAIN", KIND_COMMIT, NONTRANSACTIONAL_NO },
        { "END", KIND_COMMIT, NONTRANSACTIONAL_NO },
        { "END AND CHAIN", KIND_COMMIT_CHAIN, NONTRANSACTIONAL_NO },
        { "COMMIT AND CHAIN", KIND_COMMIT_CHAIN, NONTRANSACTIONAL_NO },
        { "COMMIT WORK AND CHAIN", KIND_COMMIT_CHAIN, NONTRANSACTIONAL_NO },
        { "ROLLBACK", KIND_ROLLBACK, NONTRANSACTIONAL_NO },
        { "ROLLBACK AND NO CHAIN", KIND_ROLLBACK, NONTRANSACTIONAL_NO },
        { "ABORT TRANSACTION", KIND_ROLLBACK, NONTRANSACTIONAL_NO },
        { "ABORT WORK AND CHAIN", KIND_ROLLBACK_CHAIN, NONTRANSACTIONAL_NO },
        { "ROLLBACK AND CHAIN", KIND_ROLLBACK_CHAIN, NONTRANSACTIONAL_NO },
        { "ROLLBACK TO a", KIND_SAVEPOINT, NONTRANSACTIONAL_NO },
        { "ROLLBACK TRANSACTION TO SAVEPOINT a", KIND_SAVEPOINT, NONTRANSACTIONAL_NO },
        { "SAVEPOINT a", KIND_SAVEPOINT, NONTRANSACTIONAL_NO },
        { "RELEASE SAVEPOINT a", KIND_SAVEPOINT, NONTRANSACTIONAL_NO },
        { "PREPARE TRANSACTION 'a'", KIND_PREPARE_TRANSACTION, NONTRANSACTIONAL_NO },
        { "PREPARE TRANSACTION $$a$$", KIND_PREPARE_TRANSACTION, NONTRANSACTIONAL_NO },
        { "PREPARE transaction AS SELECT 1", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "PREPARE a AS SELECT 1", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "COMMIT PREPARED 'a'", KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_PREPARED },
        { "rollback prepared 'a'", KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_PREPARED },
        { "SET TRANSACTION READ ONLY", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "LOCK TABLE begin", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "beginning", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "start", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "\"commit\"", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "(SELECT 1)", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "", KIND_PLAIN, NONTRANSACTIONAL_NO },
    };

    (void)state;
    check_all(rows, array_length(rows), 130000);
    check_all(rows, array_length(rows), 180000);
}

static void statements_that_every_version_runs_alone(void **state)
{
    static const struct expectation rows[] = {
        { "CREATE INDEX CONCURRENTLY i ON t (a)", KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_CREATE_INDEX },
        { "CREATE UNIQUE INDEX CONCURRENTLY ON t (a)", KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_CREATE_INDEX },
        { "create index concurrently if not exists i on t (a)", KIND_NONTRANSACTIONAL,
          NONTRANSACTIONAL_CREATE_INDEX },
        { "DROP INDEX CONCURRENTLY IF EXISTS i", KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_DROP_INDEX },
        { "REINDEX INDEX CONCURRENTLY i", KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_REINDEX_CONCURRENTLY },
        { "REINDEX (VERBOSE) TABLE CONCURRENTLY t", KIND_NONTRANSACTIONAL,
          NONTRANSACTIONAL_REINDEX_CONCURRENTLY },
        { "REINDEX SCHEMA s", KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_REINDEX },
        { "REINDEX (VERBOSE) DATABASE d", KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_REINDEX },
        { "REINDEX SYSTEM CONCURRENTLY d", KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_REINDEX },
        { "VACUUM", KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_VACUUM },
        { "VACUUM (ANALYZE, VERBOSE) t (a)", KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_VACUUM },
        { "vacuum full t", KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_VACUUM },
        { "CLUSTER", KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_CLUSTER },
        { "CLUSTER VERBOSE /* all */ -- of them\n", KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_CLUSTER },
        { "CLUSTER (VERBOSE)", KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_CLUSTER },
        { "CREATE DATABASE d", KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_DATABASE },
        { "DROP DATABASE IF EXISTS d WITH (FORCE)", KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_DATABASE },
        { "ALTER DATABASE d SET TABLESPACE s", KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_DATABASE },
        { "ALTER DATABASE \"D d\" TABLESPACE s", KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_DATABASE },
        { "CREATE TABLESPACE s LOCATION '/x'", KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_TABLESPACE },
        { "DROP TABLESPACE s", KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_TABLESPACE },
        { "ALTER SYSTEM SET work_mem = '1MB'", KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_SYSTEM },
        { "DISCARD ALL", KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_DISCARD },
        { "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p", KIND_NONTRANSACTIONAL,
          NONTRANSACTIONAL_SUBSCRIPTION },
        { "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (connect = true, slot_name = 'false')",
          KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_SUBSCRIPTION },
    };

    (void)state;
    check_all(rows, array_length(rows), 130000);
    check_all(rows, array_length(rows), 150004);
    check_all(rows, array_length(rows), 180000);
}

static void their_neighbours_run_in_a_transaction(void **state)
{
    static const struct expectation rows[] = {
        { "CREATE INDEX i ON t (a)", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "CREATE INDEX \"concurrently\" ON t (a)", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "CREATE INDEX i ON concurrently (a)", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "CREATE TABLE vacuum (id int)", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "CREATE TABLE t (a text DEFAULT 'CREATE INDEX CONCURRENTLY')", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "DROP INDEX a, concurrently_b", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "REINDEX TABLE t", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "REINDEX (VERBOSE) INDEX concurrently_i", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "CLUSTER t USING i", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "CLUSTER VERBOSE t", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "ANALYZE t", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "EXPLAIN ANALYZE SELECT 1", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "ALTER DATABASE d SET search_path = tablespace", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "ALTER DATABASE d RENAME TO e", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "ALTER TABLESPACE s RENAME TO r", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "ALTER TABLE t SET TABLESPACE s", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "ALTER TYPE mood ADD VALUE 'calm'", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "ALTER TABLE t DETACH PARTITION p", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "ALTER TABLE t DETACH PARTITION p FINALIZE", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "DISCARD PLANS", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "DISCARD TEMP", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "REFRESH MATERIALIZED VIEW CONCURRENTLY v", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (connect = false)", KIND_PLAIN,
          NONTRANSACTIONAL_NO },
        { "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p, q WITH (enabled, CREATE_SLOT = 'off')",
          KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "DROP SUBSCRIPTION s", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "ALTER SUBSCRIPTION s DISABLE", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "ALTER SUBSCRIPTION s SET (synchronous_commit = off)", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "ALTER SUBSCRIPTION s SET PUBLICATION p WITH (refresh = false)", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "CALL vacuum()", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "DO $$ BEGIN COMMIT; END $$", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "CHECKPOINT", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "TRUNCATE t", KIND_PLAIN, NONTRANSACTIONAL_NO },
    };

    (void)state;
    check_all(rows, array_length(rows), 130000);
    check_all(rows, array_length(rows), 180000);
}

/* From which version on a statement runs alone. */
static void some_run_alone_from_a_version_on(void **state)
{
    static const struct {
        int since;
        struct expectation then;
    } rows[] = {
        { 140000,
          { "ALTER TABLE t DETACH PARTITION p CONCURRENTLY", KIND_NONTRANSACTIONAL,
            NONTRANSACTIONAL_DETACH } },
        { 140000,
          { "alter table if exists only s.\"T\" * detach partition s.p concurrently", KIND_NONTRANSACTIONAL,
            NONTRANSACTIONAL_DETACH } },
        { 140000,
          { "ALTER TABLE IF EXISTS a.b.c DETACH PARTITION \"p;\" /* x */ CONCURRENTLY", KIND_NONTRANSACTIONAL,
            NONTRANSACTIONAL_DETACH } },
        { 140000,
          { "REINDEX (CONCURRENTLY) TABLE t", KIND_NONTRANSACTIONAL,
            NONTRANSACTIONAL_REINDEX_CONCURRENTLY } },
        { 140000,
          { "REINDEX (VERBOSE, CONCURRENTLY true) INDEX i", KIND_NONTRANSACTIONAL,
            NONTRANSACTIONAL_REINDEX_CONCURRENTLY } },
        { 140000,
          { "ALTER SUBSCRIPTION s REFRESH PUBLICATION", KIND_NONTRANSACTIONAL,
            NONTRANSACTIONAL_SUBSCRIPTION } },
        { 140000,
          { "ALTER SUBSCRIPTION s SET PUBLICATION p", KIND_NONTRANSACTIONAL,
            NONTRANSACTIONAL_SUBSCRIPTION } },
        { 140000,
          { "ALTER SUBSCRIPTION s ADD PUBLICATION p WITH (copy_data = off)", KIND_NONTRANSACTIONAL,
            NONTRANSACTIONAL_SUBSCRIPTION } },
        { 170000,
          { "ALTER SUBSCRIPTION s SET (failover)", KIND_NONTRANSACTIONAL, NONTRANSACTIONAL_SUBSCRIPTION } },
        { 170000,
          { "ALTER SUBSCRIPTION s SET (binary = on, failover = off)", KIND_NONTRANSACTIONAL,
            NONTRANSACTIONAL_SUBSCRIPTION } },
        { 180000,
          { "ALTER SUBSCRIPTION s SET (two_phase = false)", KIND_NONTRANSACTIONAL,
            NONTRANSACTIONAL_SUBSCRIPTION } },
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        const struct expectation before = { rows[i].then.sql, KIND_PLAIN, NONTRANSACTIONAL_NO };

        check(&before, rows[i].since - 1);
        check(&rows[i].then, rows[i].since);
        check(&rows[i].then, 190000);
    }
}

static void an_option_that_is_off_is_not_on(void **state)
{
    static const struct expectation rows[] = {
        { "REINDEX (CONCURRENTLY off) TABLE t", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "REINDEX (VERBOSE, CONCURRENTLY FALSE) TABLE t", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "REINDEX (CONCURRENTLY 0) TABLE t", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "REINDEX (VERBOSE concurrently) TABLE t", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "ALTER SUBSCRIPTION s SET (two_phase = true)", KIND_PLAIN, NONTRANSACTIONAL_NO },
    };

    (void)state;
    check_all(rows, array_length(rows), 180000);
}

static void copy_is_told_by_its_direction_and_end(void **state)
{
    static const struct expectation rows[] = {
        { "COPY t FROM STDIN", KIND_COPY_STDIN, NONTRANSACTIONAL_NO },
        { "copy s.t (a, \"b)\") from stdin (format csv)", KIND_COPY_STDIN, NONTRANSACTIONAL_NO },
        { "COPY BINARY t FROM STDOUT", KIND_COPY_STDIN, NONTRANSACTIONAL_NO },
        { "COPY t TO STDOUT", KIND_COPY_STDOUT, NONTRANSACTIONAL_NO },
        { "COPY (SELECT (1), ')') TO STDOUT", KIND_COPY_STDOUT, NONTRANSACTIONAL_NO },
        { "COPY t (a) TO STDIN", KIND_COPY_STDOUT, NONTRANSACTIONAL_NO },
        { "COPY t FROM '/x'", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "COPY t FROM PROGRAM 'x'", KIND_PLAIN, NONTRANSACTIONAL_NO },
        { "COPY t FROM \"stdin\"", KIND_PLAIN, NONTRANSACTIONAL_NO },
    };

    (void)state;
    check_all(rows, array_length(rows), 150000);
}

static void every_kind_has_a_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < STATEMENT_KINDS; i++)
        assert_non_null(STATEMENT_KIND_NAMES[i]);
}

static void what_was_refused_is_known_by_its_first_words(void **state)
{
    static const struct {
        const char *sql;
        enum nontransactional nontransactional;
        bool may_commit;
    } rows[] = {
        { "REINDEX (VERBOSE) TABLE p", NONTRANSACTIONAL_REINDEX, false },
        { "cluster p", NONTRANSACTIONAL_CLUSTER, false },
        { "Drop Subscription s", NONTRANSACTIONAL_SUBSCRIPTION, false },
        { "ALTER SUBSCRIPTION s ENABLE", NONTRANSACTIONAL_SUBSCRIPTION, false },
        { "CALL p()", NONTRANSACTIONAL_COMMITTING, true },
        { "do language plpgsql $$ $$", NONTRANSACTIONAL_COMMITTING, true },
        { "DOMAIN", NONTRANSACTIONAL_COMMITTING, false },
        { "\"call\" p()", NONTRANSACTIONAL_COMMITTING, false },
        { "", NONTRANSACTIONAL_COMMITTING, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scanner scanner = scanner_of(slice_of(rows[i].sql), true);

        assert_int_equal(refused_kind_of(scanner), rows[i].nontransactional);
        assert_int_equal(statement_may_commit(scanner), rows[i].may_commit);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_refused_is_known_by_its_first_words),
        cmocka_unit_test(transaction_control_is_told_by_its_first_words),
        cmocka_unit_test(statements_that_every_version_runs_alone),
        cmocka_unit_test(their_neighbours_run_in_a_transaction),
        cmocka_unit_test(some_run_alone_from_a_version_on),
        cmocka_unit_test(an_option_that_is_off_is_not_on),
        cmocka_unit_test(copy_is_told_by_its_direction_and_end),
        cmocka_unit_test(every_kind_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
