"""What persists after a failure in the middle, and going on from there."""

import pytest

pytestmark = pytest.mark.every_major


def test_self_managed_clean_failure_leaves_nothing(database, folder, tidelock):
    folder.add("001_s", "BEGIN; CREATE TABLE a (); SELECT 1/0; COMMIT; CREATE TABLE b ();")
    tidelock("deploy").fails(exit=6, says=["division by zero", "Nothing of 001_s"])
    assert not database.holds("a")
    [row] = database.ledger()
    assert row.rolled_back and "division by zero" in row.logs
    folder.replace("001_s", "BEGIN; CREATE TABLE a (); COMMIT; CREATE TABLE b ();")
    tidelock("deploy").succeeds(applied=["001_s"])


def test_self_managed_partial_failure_lists_what_persists_and_goes_on(database, folder, tidelock):
    file = folder.add("001_s", "BEGIN;\nCREATE TABLE a ();\nCOMMIT;\nCREATE TABLE b ();\nINSERT INTO missing VALUES (1);\n")
    tidelock("deploy").fails(exit=7, says=["3 of 5 statements done; what persists: line 2: CREATE TABLE a ().", "resume at statement 4"], at=f"{file.relative_to(folder.root)}:5:")
    assert database.holds("a") and not database.holds("b")
    [row] = database.ledger()
    assert not row.finished and not row.rolled_back and row.steps == 3

    database.query("CREATE TABLE missing (id int)")
    tidelock("deploy").succeeds(applied=["001_s"])
    assert database.holds("b") and database.value("SELECT count(*) FROM missing") == 1
    [row] = database.ledger()
    assert row.finished and row.steps == 1 and row.logs is None


def test_a_corrected_rest_is_gone_on_with_however_its_statements_group(database, folder, tidelock):
    database.query("CREATE TABLE counter AS SELECT 0 AS n")
    tidelock("baseline").succeeds()
    done = "UPDATE counter SET n = n + 1;\nUPDATE counter SET n = n + 10;\n"
    folder.add("001_s", done + "BEGIN; SELECT 1/0; COMMIT;\nUPDATE counter SET n = n + 100;")
    tidelock("deploy").fails(exit=7, says="2 of 6 statements persisted")
    # What ended the first unit is gone: it must not become part of a larger one that would run again.
    folder.replace("001_s", done + "UPDATE counter SET n = n + 100; BEGIN; UPDATE counter SET n = n + 1000; COMMIT;")
    tidelock("deploy").succeeds(applied=["001_s"])
    assert database.value("SELECT n FROM counter") == 1111


def test_stepwise_goes_on_with_a_corrected_rest_but_not_with_another_beginning(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t AS SELECT 1 AS id UNION ALL SELECT 1")
    folder.add("002_i", "CREATE INDEX CONCURRENTLY t_a ON t (id);\nCREATE UNIQUE INDEX CONCURRENTLY t_b ON t (id);")
    tidelock("deploy").fails(exit=7, says=["1 of 2 statements persisted", "Key (id)=(1) is duplicated"])
    assert not database.query("SELECT 1 FROM pg_index WHERE NOT indisvalid")

    folder.replace("002_i", "CREATE INDEX CONCURRENTLY t_x ON t (id);\nCREATE INDEX CONCURRENTLY t_c ON t (id);")
    tidelock("deploy").fails(exit=8, says=["P3009", "has been changed since"])
    folder.replace("002_i", "CREATE INDEX CONCURRENTLY t_a ON t (id);\nCREATE INDEX CONCURRENTLY t_c ON t (id);")
    tidelock("deploy").succeeds(applied=["002_i"])
    assert database.holds("t_a") and database.holds("t_c") and not database.holds("t_b")


def test_a_failed_row_of_another_tool_blocks(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy").succeeds()
    database.query("INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', '', '000_gone')")
    folder.add("002_b", "CREATE TABLE b ()")
    tidelock("deploy").fails(exit=8, says=["P3009", "000_gone", "Z)", "resolve --rolled-back"])
    assert not database.holds("b")


def test_an_invalid_index_that_is_not_ours_is_left_alone(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t AS SELECT 1 AS id")
    tidelock("deploy").succeeds()
    database.query("CREATE INDEX t_idx ON t (id)")
    database.query("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_idx'::regclass")
    folder.add("002_i", "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_idx ON t (id);")
    tidelock("deploy").fails(exit=7, says=["INVALID", 'DROP INDEX CONCURRENTLY "public"."t_idx"'])
    assert database.holds("t_idx")
    database.query("DROP INDEX t_idx")
    tidelock("deploy").succeeds(applied=["002_i"])
    assert database.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_idx'::regclass")


def test_settings_before_a_concurrent_index_hold_and_come_again_after_an_interruption(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t AS SELECT 1 AS id UNION ALL SELECT 1; CREATE SCHEMA other;")
    folder.add("002_i", "SET search_path TO other, public;\nCREATE TABLE made (id int);\nCREATE UNIQUE INDEX CONCURRENTLY u ON t (id);\nCREATE TABLE made_later ();")
    tidelock("deploy").fails(exit=7, says="2 of 4 statements done; what persists: line 2: CREATE TABLE made")
    database.query("DELETE FROM t WHERE ctid = '(0,1)'")
    tidelock("deploy").succeeds(applied=["002_i"])
    assert database.holds("other.made") and database.holds("other.made_later")


def test_a_role_set_in_a_block_does_not_keep_progress_from_being_written(database, folder, tidelock):
    database.query("CREATE ROLE other_owner")
    try:
        database.query("GRANT ALL ON SCHEMA public TO other_owner")
        folder.add("001_r", "BEGIN; SET ROLE other_owner; CREATE TABLE a (); COMMIT; CREATE TABLE b ();")
        tidelock("deploy").succeeds(applied=["001_r"])
        owners = database.query("SELECT tableowner FROM pg_tables WHERE tablename IN ('a', 'b') ORDER BY tablename")
        assert owners == [("other_owner",), ("other_owner",)]
    finally:
        database.query("DROP OWNED BY other_owner")
        database.query("DROP ROLE other_owner")


def test_what_could_only_half_work_is_refused_before_anything_runs(database, folder, tidelock):
    for number, (script, says) in enumerate(
        [
            ("CREATE TABLE a (); BEGIN; CREATE TABLE b ();", "does not end"),
            ("CREATE TABLE a ();\n\\i other.sql\n", "psql"),
            ("CREATE TABLE a (); COPY a FROM STDIN;", "COPY"),
            ("CREATE TABLE a (); SELECT 'open", "never ends"),
            (b"CREATE TABLE a ();\0", "NUL"),
            (b"CREATE TABLE a (); SELECT '\xff'", "UTF-8"),
            ("-- tidelock: lock-timeot=5s\nSELECT 1", "lock-timeout"),
        ]
    ):
        name = f"001_{number}"
        folder.add(name, script)
        tidelock("deploy").fails(exit=6, says=says, at=name)
        assert not database.holds("a")
        folder.remove(name)


def test_directives_set_limits_and_say_whose_limit_it_was(database, folder, tidelock):
    database.query("CREATE TABLE busy ()")
    folder.add("001_wait", "-- tidelock: lock-timeout=50ms retry-for=0\nALTER TABLE busy ADD COLUMN c int")
    tidelock("baseline", "--to", "001_wait").succeeds()
    database.query("DELETE FROM _prisma_migrations")
    with database.connect() as other:
        other.execute("BEGIN")
        other.execute("LOCK TABLE busy")
        tidelock("deploy").fails(exit=9, says=["lock timeout", "Nothing of 001_wait"])
    assert database.ledger() == []
    folder.replace("001_wait", "-- tidelock: statement-timeout=50ms\nSELECT pg_sleep(60)")
    tidelock("deploy").fails(exit=6, says="statement timeout")
