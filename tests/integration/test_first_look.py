"""A table that an old transaction holds: whoever locks it is known before the statement is sent, and does not queue even once."""

import pytest
from wait import wait_until

SCHEMA = """
CREATE TABLE busy (id int PRIMARY KEY, n int);
CREATE INDEX busy_n ON busy (n);
CREATE TABLE child (id int PRIMARY KEY, busy int CONSTRAINT child_busy REFERENCES busy);
CREATE TABLE other (id int);
CREATE TABLE parts (id int) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF parts FOR VALUES FROM (1) TO (2);
CREATE TABLE loose (id int);
CREATE VIEW shown AS SELECT id FROM busy;
CREATE MATERIALIZED VIEW kept AS SELECT id FROM busy;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER busy_touch BEFORE UPDATE ON busy FOR EACH ROW EXECUTE FUNCTION touch();
"""
READS = "SELECT FROM busy, part, loose, shown, kept"
WRITES = "INSERT INTO busy VALUES (1); INSERT INTO part VALUES (1)"
# What waits for readers, and what waits for writers alone.
STATEMENTS = {
    READS: [
        "ALTER TABLE busy ADD COLUMN c int",
        "ALTER TABLE other ADD COLUMN c int; ALTER TABLE busy ADD COLUMN c int",
        "ALTER TABLE parts ADD COLUMN c int",
        "ALTER TABLE parts ATTACH PARTITION loose FOR VALUES FROM (2) TO (3)",
        "ALTER TABLE parts DETACH PARTITION part",
        "ALTER TABLE child DROP CONSTRAINT child_busy",
        "ALTER VIEW shown RENAME TO seen",
        "CLUSTER busy USING busy_n",
        "COMMENT ON TABLE other IS 'x'; CREATE RULE r AS ON DELETE TO busy DO INSTEAD NOTHING",
        "CREATE OR REPLACE VIEW shown AS SELECT id FROM busy",
        "CREATE POLICY p ON busy USING (true)",
        "DROP INDEX busy_n",
        "DROP TABLE child",
        "DROP TRIGGER busy_touch ON busy",
        "LOCK TABLE busy",
        "REFRESH MATERIALIZED VIEW kept",
        "TRUNCATE busy CASCADE",
        "VACUUM FULL busy",
        "BEGIN; ALTER TABLE other ADD COLUMN c int; COMMIT; ALTER TABLE busy ADD COLUMN c int",
    ],
    WRITES: [
        "ALTER TABLE other ADD FOREIGN KEY (id) REFERENCES busy",
        "CREATE INDEX i ON busy (id)",
        "CREATE TABLE fresh (id int REFERENCES busy)",
        "CREATE TRIGGER c BEFORE INSERT ON busy FOR EACH ROW EXECUTE FUNCTION touch()",
        "CREATE TRIGGER c BEFORE INSERT ON parts FOR EACH ROW EXECUTE FUNCTION touch()",
        "LOCK TABLE busy IN EXCLUSIVE MODE",
        "REINDEX TABLE busy",
    ],
}
# Reads and writes go on beside these, so they may queue.
HARMLESS = ["COMMENT ON TABLE busy IS 'x'", "ALTER TABLE busy SET (fillfactor = 70)", "LOCK TABLE busy IN ROW SHARE MODE", "ALTER TABLE other ADD COLUMN c int"]


def is_old(database, session):
    wait_until(lambda: database.value(f"SELECT clock_timestamp() - xact_start > '1100 ms' FROM pg_stat_activity WHERE pid = {session.info.backend_pid}"), "an old transaction")


@pytest.fixture
def held(database, folder, tidelock):
    database.query(SCHEMA)
    folder.add("000_before", "SELECT 1")
    tidelock("baseline").succeeds()
    return database


@pytest.mark.every_major
@pytest.mark.parametrize("statement", STATEMENTS, ids=["readers", "writers"])
def test_no_statement_that_would_block_others_queues(held, folder, tidelock, statement):
    migration = folder.add("001_a", "SELECT 1")
    with held.connect() as session:
        session.execute("BEGIN; " + statement)
        is_old(held, session)
        for script in STATEMENTS[statement]:
            migration.write_text(script)
            result = tidelock("deploy", "--retry-for", "50ms")
            assert result.code == 9 and "Gave up before the first attempt" in result.errors, f"{script}: {result.errors}"
            held.query("DELETE FROM _prisma_migrations WHERE migration_name = '001_a'")


def test_what_blocks_nobody_is_tried_at_once(held, folder, tidelock):
    with held.connect() as session:
        session.execute("BEGIN; " + READS)
        is_old(held, session)
        for number, script in enumerate(HARMLESS):
            folder.add(f"{number + 1:03}_a", script)
        result = tidelock("deploy").succeeds()
    assert "not queueing" not in result.errors


def test_it_says_who_is_in_the_way_and_goes_on_when_they_end(held, folder, tidelock):
    folder.add("001_a", "CREATE TABLE fresh ();\nALTER TABLE busy ADD COLUMN c int")
    with held.connect() as session:
        session.execute("BEGIN; " + READS)
        is_old(held, session)
        running = tidelock.start("deploy")
        running.wait_for_line(f"not queueing for AccessExclusiveLock on busy, which would block other sessions: held up by pid {session.info.backend_pid}")
        held.query("SET lock_timeout = '1ms'; SELECT FROM busy")
        session.execute("COMMIT")
        result = running.wait().succeeds(applied=["001_a"])
    assert "attempt 1 was rolled back" not in result.errors


def test_with_one_try_it_just_tries(held, folder, tidelock):
    folder.add("001_a", "ALTER TABLE busy ADD COLUMN c int")
    with held.connect() as session:
        session.execute("BEGIN; " + READS)
        is_old(held, session)
        tidelock("deploy", "--retry-for", "0").fails(exit=9, says="lock timeout")


def test_giving_up_names_the_statement_and_the_holder(held, folder, tidelock):
    folder.add("001_a", "SELECT 1;\nALTER TABLE busy ADD COLUMN c int")
    with held.connect() as session:
        session.execute("BEGIN; " + READS)
        is_old(held, session)
        tidelock("deploy", "--retry-for", "100ms").fails(
            exit=9, at="001_a/migration.sql:2", says=["could not get AccessExclusiveLock on busy", f"Blocked by: pid {session.info.backend_pid}", "Nothing of 001_a", "--retry-for"]
        )
