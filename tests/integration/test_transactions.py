"""What a script says about its own transactions: told from its text before anything is sent, or from what the server refuses."""

import pytest
from servers import Database, Server
from tool import Tool, wait_for_nobody, wait_for_session
from wait import wait_until

pytestmark = [pytest.mark.every_major, pytest.mark.fault]


@pytest.fixture
def notes(database, folder, tidelock):
    folder.add("001_notes", "CREATE TABLE notes (id int PRIMARY KEY, level text, done boolean); INSERT INTO notes SELECT i FROM generate_series(1, 30) AS i;")
    tidelock("deploy").succeeds()
    return "002_script"


STRAYS = [
    "DELETE FROM notes; -- a trial\nROLLBACK;",
    "CREATE TABLE a1 (); ROLLBACK; CREATE TABLE a2 ();",
    "DELETE FROM notes; ABORT WORK;",
    "ROLLBACK; DELETE FROM notes;",
    "BEGIN; DELETE FROM notes; COMMIT; /* ; */ rollback transaction and no chain;",
    "DELETE FROM notes; COMMIT; ROLLBACK;",
    "-- tidelock: transaction=off\nDELETE FROM notes;\nROLLBACK;",
    "-- tidelock: transaction=on\nDELETE FROM notes;\nROLLBACK;",
    "DELETE FROM notes; ROLLBACK; CREATE INDEX CONCURRENTLY ON notes (done);",
    "DELETE FROM notes; CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END; ROLLBACK;",
    "DO $$ BEGIN DELETE FROM notes; END $$; ROLLBACK;",
]


@pytest.mark.parametrize("script", STRAYS)
def test_a_rollback_without_a_block_is_refused_before_anything_is_sent(database, folder, tidelock, notes, script):
    folder.add(notes, script)
    tidelock("deploy").fails(exit=6, says=["P3018", f'migration "{notes}" was not started: ROLLBACK outside', f"Nothing of {notes}"], at=f"{notes}/migration.sql:")
    assert database.value("SELECT count(*) FROM notes") == 30
    assert len(database.ledger()) == 1 and not database.holds("a1")


@pytest.mark.parametrize("script", ["BEGIN; DELETE FROM notes; ROLLBACK; SELECT 1", "DO $$ BEGIN PERFORM 'ROLLBACK;'; END $$; -- ROLLBACK;\nSELECT $x$; ROLLBACK; $x$, '; ROLLBACK;'", "/* ROLLBACK; */ SAVEPOINT s; DELETE FROM notes; ROLLBACK TO s;"])
def test_what_only_looks_like_a_stray_rollback_applies(database, folder, tidelock, notes, script):
    folder.add(notes, script)
    tidelock("deploy").succeeds(applied=[notes])
    assert database.value("SELECT count(*) FROM notes") == 30


@pytest.mark.parametrize("script", ["-- tidelock: transaction=off\nSAVEPOINT s; DELETE FROM notes; ROLLBACK TO s;", "DELETE FROM notes; BEGIN; COMMIT; SAVEPOINT s; CREATE TABLE a1 (); ROLLBACK TO s;"])
def test_a_savepoint_is_refused_where_nothing_holds_it(database, folder, tidelock, notes, script):
    folder.add(notes, script)
    tidelock("deploy").fails(exit=6, says=["was not started: a savepoint outside"])
    assert database.value("SELECT count(*) FROM notes") == 30


INSERT_LEVEL = "INSERT INTO notes (id, level) VALUES (100, current_setting('transaction_isolation'));"
HEADS = [
    "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;",
    "-- why\nset local transaction isolation level serializable, read write, deferrable;",
    "SET LOCAL transaction_isolation = 'serializable';",
    "SET transaction_isolation TO serializable;",
    "SET LOCAL lock_timeout = '1s'; /* and */ SET TRANSACTION READ WRITE, ISOLATION LEVEL SERIALIZABLE;",
    "LOCK TABLE notes; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;",
]


@pytest.mark.parametrize("head", HEADS)
def test_a_script_that_sets_its_transaction_first_runs_in_it(database, folder, tidelock, notes, head):
    folder.add(notes, f"{head}\n{INSERT_LEVEL}\nUPDATE notes SET done = true;\nALTER TABLE notes ADD COLUMN more int;")
    # In a session that has applied something already, too.
    folder.add("003_more", f"{head}\n{INSERT_LEVEL.replace('100', '101')}\nALTER TABLE notes DROP COLUMN more;")
    tidelock("deploy").succeeds(applied=[notes, "003_more"])
    assert database.query("SELECT level FROM notes WHERE id > 99") == [("serializable",)] * 2


def test_a_part_of_a_script_that_sets_its_transaction_first_runs_in_it(database, folder, tidelock, notes):
    script = f"{HEADS[0]} {INSERT_LEVEL} CREATE INDEX CONCURRENTLY notes_done ON notes (done); SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; {INSERT_LEVEL.replace('100', '101')}"
    folder.add(notes, script)
    folder.add("003_managed", script.replace("CREATE INDEX CONCURRENTLY notes_done ON notes (done)", "COMMIT").replace("100", "200").replace("101", "201"))
    tidelock("deploy").succeeds(applied=[notes, "003_managed"])
    assert database.query("SELECT level FROM notes WHERE id > 99 ORDER BY id") == [("serializable",), ("repeatable read",)] * 2


def test_an_error_behind_a_head_is_at_its_place(database, folder, tidelock, notes):
    folder.add(notes, f"{HEADS[0]}\nSELECT 1;\n\nSELECT 1/0;")
    tidelock("deploy").fails(exit=6, says="division by zero", at=f"{notes}/migration.sql:4:1")
    folder.replace(notes, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nSET TRANSACTION ISOLATION LEVEL NONSENSE;")
    tidelock("deploy").fails(exit=6, says="syntax error", at=f"{notes}/migration.sql:2:33")
    assert len([row for row in database.ledger() if row.finished]) == 1


BATCHES = "DO $$ BEGIN FOR i IN 0..2 LOOP UPDATE notes SET done = true WHERE id / 10 = i; COMMIT; END LOOP; END $$;"
PROCEDURE = "CREATE PROCEDURE work() LANGUAGE plpgsql AS $$ BEGIN UPDATE notes SET done = true; COMMIT; UPDATE notes SET level = coalesce(level, '') || 'x'; END $$"


@pytest.mark.parametrize("script", [BATCHES, "-- in batches\n" + BATCHES, "CALL work()", "/* now */ call work();;"])
def test_one_statement_that_commits_by_itself_applies(database, folder, tidelock, notes, script):
    database.query(PROCEDURE)
    folder.add(notes, script)
    tidelock("deploy").succeeds(applied=[notes])
    assert database.value("SELECT count(*) FROM notes WHERE done") == 29 + ("work" in script)
    assert database.value("SELECT count(*) FROM tidelock.intent") == 0
    assert [(row.name, row.finished, row.steps) for row in database.ledger()][1:] == [(notes, True, 1)]


@pytest.mark.parametrize("before", ["-- tidelock: transaction=off\nCREATE TABLE a1 ();\n", "BEGIN; CREATE TABLE a1 (); COMMIT;\n", "CREATE TABLE a1 (); CREATE INDEX CONCURRENTLY ON a1 ((1));\n"])
def test_a_statement_that_commits_applies_in_a_script_of_several_transactions(database, folder, tidelock, notes, before):
    database.query(PROCEDURE)
    folder.add(notes, f"{before}UPDATE notes SET level = 'a'; CALL work(); {BATCHES} UPDATE notes SET level = level || 'b';")
    tidelock("deploy").succeeds(applied=[notes])
    assert database.value("SELECT DISTINCT level FROM notes") == "axb"
    assert database.value("SELECT count(*) FROM tidelock.intent") == 0


def test_a_statement_that_fails_before_it_commits_leaves_nothing_and_is_retried(database, folder, tidelock, notes):
    script = "DO $$ BEGIN UPDATE notes SET done = true; IF to_regclass('marker') IS NULL THEN RAISE 'not yet'; END IF; COMMIT; END $$"
    folder.add(notes, "CALL work()")
    database.query("CREATE PROCEDURE work() LANGUAGE plpgsql AS $$ BEGIN BEGIN COMMIT; EXCEPTION WHEN division_by_zero THEN NULL; END; END $$")
    tidelock("deploy").fails(exit=6, says=["2D000", f"Nothing of {notes}"])
    assert database.ledger()[-1].rolled_back
    folder.replace(notes, f"-- tidelock: transaction=off\nCREATE TABLE a1 ();\n{script}")
    tidelock("deploy").fails(exit=7, says=["not yet", "1 of 2 statements persisted"])
    database.query("CREATE TABLE marker ()")
    tidelock("deploy").succeeds(applied=[notes])


def test_a_statement_that_fails_after_it_committed_needs_a_person(database, folder, tidelock, notes):
    folder.add(notes, "DO $$ BEGIN UPDATE notes SET done = true; COMMIT; RAISE 'half-way'; END $$;")
    tidelock("deploy").fails(exit=7, says=["half-way", "whatever statement 1 committed before it was stopped", f'resolve --rolled-back "{notes}"', f'resolve --applied "{notes}"'])
    for _ in range(2):
        tidelock("deploy").fails(exit=7, says=["it is not known how far it came", "whatever statement 1 committed", f'resolve --rolled-back "{notes}"'])
    tidelock("resolve", "--rolled-back", notes).succeeds()
    folder.replace(notes, BATCHES)
    tidelock("deploy").succeeds(applied=[notes])


@pytest.mark.parametrize("script", ["DO $$ BEGIN UPDATE notes SET done = true; COMMIT; PERFORM pg_sleep(600); END $$", "-- tidelock: transaction=off\nDO $$ BEGIN UPDATE notes SET done = true; COMMIT; PERFORM pg_sleep(600); END $$; SELECT 1;"])
def test_killed_in_a_statement_that_commits_it_is_not_run_again(database, folder, tidelock, notes, script):
    folder.add(notes, script)
    running = tidelock.start("deploy")
    wait_until(lambda: database.value("SELECT count(*) FROM notes WHERE done") == 30, "its first COMMIT")
    pid = wait_for_session(database, "pg_sleep")
    running.kill()
    database.query("SELECT pg_terminate_backend(%s)", pid)
    wait_for_nobody(database)
    tidelock("deploy").fails(exit=7, says=["it is not known how far it came", "whatever statement 1 committed before it was stopped"])
    tidelock("resolve", "--applied", notes).succeeds()
    tidelock("deploy").succeeds(applied=[])


def test_stopped_in_a_statement_that_commits_the_last_line_says_what_may_persist(database, folder, tidelock, notes):
    folder.add(notes, "DO $$ BEGIN UPDATE notes SET done = true; COMMIT; PERFORM pg_sleep(600); END $$")
    running = tidelock.start("deploy")
    wait_until(lambda: database.value("SELECT count(*) FROM notes WHERE done") == 30, "its first COMMIT")
    wait_for_session(database, "pg_sleep")
    running.signal()
    running.wait().fails(exit=143, says="whatever statement 1 committed before it was stopped")


PARTITIONED = "CREATE TABLE p (id int, v int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); CREATE INDEX pi ON p (v);"


def alone(major):
    """Statements that refuse a transaction block, though their text does not show it."""
    statements = []
    if major >= 14:
        statements += ["REINDEX TABLE p", "REINDEX INDEX pi", "REINDEX (VERBOSE) TABLE p"]
    if major >= 15:
        statements += ["CLUSTER p USING pi"]
    return statements


@pytest.mark.parametrize("before", ["", "-- tidelock: transaction=off\nCREATE TABLE a1 ();\n"])
def test_what_refuses_a_transaction_block_runs_alone(database, folder, tidelock, notes, major, before):
    database.query(PARTITIONED)
    names = []
    for number, statement in enumerate(alone(major)):
        names.append(f"{notes}_{number}")
        folder.add(names[-1], before.replace("a1", f"a{number}") + statement + ";")
    tidelock("deploy").succeeds(applied=names)
    if names:
        assert database.value("SELECT count(*) FROM tidelock.intent") == 0


@pytest.mark.parametrize("before", ["", "-- tidelock: transaction=off\nCREATE TABLE a1 ();\n"])
def test_dropping_a_subscription_with_a_slot_runs_alone(servers, major, folder, binary, before):
    server = Server(major, servers.binaries[major], settings=["wal_level=logical"])
    try:
        database = Database(server, "subscribed")
        database.query("SELECT pg_create_logical_replication_slot('a_slot', 'pgoutput')")
        database.query(f"CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port={server.port} dbname=subscribed user=postgres' PUBLICATION x WITH (connect = false, slot_name = 'a_slot')")
        folder.add("001_drop", f"{before}DROP SUBSCRIPTION s;")
        Tool(binary, database, folder)("deploy").succeeds(applied=["001_drop"])
        assert not database.query("SELECT FROM pg_subscription") and not database.query("SELECT FROM pg_replication_slots")
    finally:
        server.remove()


ENUM = "CREATE TYPE task AS ENUM ('A', 'B'); CREATE TABLE jobs (task task NOT NULL);"


@pytest.mark.parametrize(
    ("script", "mode"),
    [
        ("ALTER TYPE task ADD VALUE 'C'; INSERT INTO jobs SELECT 'C' WHERE NOT EXISTS (SELECT FROM jobs WHERE task = 'C');", ", stepwise"),
        ("CREATE TABLE a1 (); ALTER TYPE public.task ADD VALUE IF NOT EXISTS 'C' BEFORE 'B'; ALTER TYPE task ADD VALUE 'D'; INSERT INTO jobs VALUES ('C'), ('D'); DELETE FROM jobs WHERE task = 'D';", ", stepwise"),
        ("ALTER TYPE task ADD VALUE 'C'; CREATE INDEX CONCURRENTLY ON jobs (task); ALTER TYPE task ADD VALUE 'D'; ALTER TABLE jobs ALTER task SET DEFAULT 'D'; INSERT INTO jobs VALUES ('C');", ", stepwise"),
        ("BEGIN; COMMIT; ALTER TYPE task ADD VALUE 'C'; INSERT INTO jobs VALUES ('C');", ", self-managed"),
        ("ALTER TYPE task ADD VALUE 'C'; INSERT INTO jobs VALUES ('B');", ""),
    ],
)
def test_a_new_value_of_an_enum_is_committed_where_it_is_used(database, folder, tidelock, notes, script, mode):
    database.query(ENUM)
    folder.add(notes, script)
    result = tidelock("deploy").succeeds(applied=[notes])
    assert f"ms{mode})" in result.errors
    assert database.query("SELECT task::text FROM jobs") == [("C" if mode else "B",)]


def test_a_failure_behind_a_committed_value_says_what_persists_and_goes_on(database, folder, tidelock, notes):
    database.query(ENUM)
    script = "ALTER TYPE task ADD VALUE 'C';\nINSERT INTO jobs VALUES ('C');\nINSERT INTO missing VALUES (1);"
    folder.add(notes, script)
    # Before the value is used there is one transaction.
    folder.replace(notes, script.replace("INSERT INTO jobs VALUES ('C');", ""))
    tidelock("deploy").fails(exit=6, says=f"Nothing of {notes}")
    folder.replace(notes, script)
    tidelock("deploy").fails(exit=7, says=["1 of 3 statements persisted", "line 1: ALTER TYPE task ADD VALUE", "resume at statement 2"])
    assert database.value("SELECT count(*) FROM jobs") == 0
    database.query("CREATE TABLE missing (id int)")
    tidelock("deploy").succeeds(applied=[notes])
    assert database.value("SELECT count(*) FROM jobs") == 1


MIXED = "ALTER TABLE notes ADD COLUMN rank int NOT NULL DEFAULT 0;\nALTER TABLE notes ALTER COLUMN no_such_column SET NOT NULL;\nCREATE INDEX CONCURRENTLY notes_rank ON notes (rank);"


def test_a_stepwise_script_that_fails_before_its_first_concurrent_statement_leaves_nothing(database, folder, tidelock, notes):
    folder.add(notes, MIXED)
    tidelock("deploy").fails(exit=6, says=["no_such_column", f"Nothing of {notes}"], at=f"{notes}/migration.sql:2:")
    assert database.value("SELECT count(*) FROM pg_attribute WHERE attrelid = 'notes'::regclass AND attname = 'rank'") == 0
    assert database.ledger()[-1].rolled_back
    folder.replace(notes, MIXED.replace("no_such_column", "rank"))
    tidelock("deploy").succeeds(applied=[notes])


def test_what_follows_a_concurrent_statement_is_one_transaction_too(database, folder, tidelock, notes):
    folder.add(notes, "CREATE INDEX CONCURRENTLY notes_done ON notes (done);\nCREATE TABLE a1 ();\nSELECT 1/0;")
    tidelock("deploy").fails(exit=7, says=["1 of 3 statements persisted", "resume at statement 2"])
    assert not database.holds("a1")
    folder.replace(notes, "CREATE INDEX CONCURRENTLY notes_done ON notes (done);\nCREATE TABLE a1 ();\nSELECT 1;")
    tidelock("deploy").succeeds(applied=[notes])


def test_transaction_off_still_commits_statement_by_statement(database, folder, tidelock, notes):
    folder.add(notes, "-- tidelock: transaction=off\n" + MIXED)
    tidelock("deploy").fails(exit=7, says="1 of 3 statements persisted")
