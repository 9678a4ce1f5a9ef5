"""Statements that refuse a transaction, killed in every phase: the rerun leaves what the script wants and nothing else, and asks nobody."""

import contextlib
import re
import shutil

import psycopg
import pytest
from status import migration_of, status_of
from tool import wait_for_nobody, wait_for_session
from wait import wait_until

SETUP = """
CREATE TABLE t (id int PRIMARY KEY, a int, long text);
INSERT INTO t SELECT i, i, repeat('x', 100) FROM generate_series(1, 1000) AS i;
CREATE INDEX t_a ON t (a);
CREATE INDEX t_b ON t (a) WHERE a > 5;
CREATE TABLE elsewhere (id int);
CREATE TABLE parted (id int, a int) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (100) TO (200);
CREATE INDEX parted_a ON parted (a);
"""

CREATE = "CREATE UNIQUE INDEX CONCURRENTLY t_new ON t (a DESC, lower(long)) WHERE a > 1"
CREATE_UNNAMED = "CREATE INDEX CONCURRENTLY ON t (a, id)"
CREATE_GUARDED = "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_new ON public.t USING btree (a) WITH (fillfactor = 70)"
REINDEX_INDEX = "REINDEX INDEX CONCURRENTLY t_a"
REINDEX_TABLE = "REINDEX TABLE CONCURRENTLY t"
REINDEX_SCHEMA = "REINDEX SCHEMA CONCURRENTLY public"
DROP = "DROP INDEX CONCURRENTLY t_a"
DETACH = "ALTER TABLE parted DETACH PARTITION parted_1 CONCURRENTLY"

WRITER = "UPDATE t SET a = a WHERE id = 1"
WRITER_TOO = "UPDATE t SET a = a WHERE id = 2"
SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT * FROM elsewhere"
READER = "SELECT FROM t LIMIT 1"
READER_OF_PARTED = "SELECT FROM parted LIMIT 1"

PHASES = {
    "before the build": [WRITER],
    "before validation": [WRITER, WRITER_TOO],
    "waiting for old snapshots": [SNAPSHOT],
    "before the old one is dead": [READER],
    "before the old one is dropped": [READER, READER],
    "half detached": [READER_OF_PARTED],
}
BUILDING = ["before the build", "before validation", "waiting for old snapshots"]
READERS = ["before the old one is dead", "before the old one is dropped"]

CASES = [
    *[(script, phase) for script in [CREATE, CREATE_UNNAMED, CREATE_GUARDED] for phase in BUILDING],
    *[(script, phase) for script in [REINDEX_INDEX, REINDEX_TABLE, REINDEX_SCHEMA] for phase in BUILDING + READERS],
    *[(DROP, phase) for phase in READERS],
]

LEFT = """
SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid
UNION ALL SELECT relname FROM pg_class WHERE relname ~ '_cc(new|old)'
UNION ALL SELECT inhrelid::regclass::text FROM pg_inherits WHERE (to_jsonb(pg_inherits) ->> 'inhdetachpending')::boolean
"""


@contextlib.contextmanager
def transactions(database):
    """Begins transactions, each with its statement; ends those that are left."""
    with contextlib.ExitStack() as stack:

        def begin(sql):
            connection = stack.enter_context(psycopg.connect(database.url(), autocommit=True))
            connection.execute("BEGIN")
            connection.execute(sql)
            return connection

        yield begin


@pytest.fixture
def prepared(database, folder, tidelock):
    database.query(SETUP)
    folder.add("000_before", "SELECT 1")
    tidelock("baseline").succeeds()


def run_until(database, tidelock, begin, script, phase):
    """Starts it, and leads it from one transaction that it waits for to the next, until it is in that phase."""
    former = begin(PHASES[phase][0])
    running = tidelock.start("deploy")
    pid = wait_for_session(database, script[:20])
    for sql in [*PHASES[phase][1:], None]:
        waits_for = former.info.backend_pid
        wait_until(lambda: database.value("SELECT %s = ANY (pg_blocking_pids(%s))", waits_for, pid), f"it to wait for {waits_for}")
        if sql is not None:
            following = begin(sql)
            former.execute("COMMIT")
            former = following
    return running, pid, former


def indexes(database):
    """What each index of the tables is, by its definition."""
    found = database.query("SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid IN ('t'::regclass, 'parted_1'::regclass)")
    return dict(found)


def expected(database, script):
    """The indexes that psql's run of it leaves."""
    before = indexes(database)
    database.query(script)
    after = indexes(database)
    for name in after.keys() - before.keys():
        database.query(f"DROP INDEX {name}")
    for name in before.keys() - after.keys():
        database.query(before[name])
    return after


def kill_in_phase(database, folder, tidelock, script, phase):
    folder.add("001_alone", script)
    with transactions(database) as begin:
        running, pid, _ = run_until(database, tidelock, begin, script, phase)
        running.kill()
        database.query("SELECT pg_terminate_backend(%s)", pid)
        wait_for_nobody(database)
        assert database.query(LEFT), "nothing is left to recover from"


@pytest.mark.every_major
@pytest.mark.parametrize(("script", "phase"), CASES)
def test_killed_in_a_phase(database, folder, tidelock, prepared, script, phase):
    wanted = expected(database, script)
    kill_in_phase(database, folder, tidelock, script, phase)
    result = tidelock("deploy").succeeds(applied=["001_alone"])
    assert not database.query(LEFT)
    assert indexes(database) == wanted
    assert database.value("SELECT count(*) FROM tidelock.intent") == 0
    if script in (REINDEX_INDEX, REINDEX_TABLE) and phase in READERS:
        assert "statement 1 was already done" in result.errors


@pytest.mark.parametrize(("script", "what"), [(CREATE, "the INVALID index"), (REINDEX_INDEX, "t_a_ccnew")])
@pytest.mark.parametrize("way", ["--applied", "--rolled-back"])
def test_what_is_left_behind_keeps_it_from_being_resolved(database, folder, tidelock, prepared, script, what, way):
    kill_in_phase(database, folder, tidelock, script, "before the build")
    persists = migration_of(status_of(tidelock), "001_alone")["failure"]["persists"]
    assert what in persists and persists.endswith(", which the next deployment cleans up") and what in tidelock("status").succeeds().out
    before = database.ledger()
    words = ("resolve", way, "001_alone")
    refusal = tidelock(*words).fails(exit=8, says=["cannot be resolved yet", what, "Nothing was changed.", "tidelock deploy"])
    assert database.ledger() == before and database.query(LEFT)
    database.query(re.search(r"ype: (DROP INDEX CONCURRENTLY [^;]*);", refusal.errors)[1])
    if way == "--applied":
        database.query(script)
    tidelock(*words).succeeds()
    tidelock("deploy").succeeds(applied=["001_alone"] if way == "--rolled-back" else [])
    assert not database.query(LEFT)


@pytest.mark.parametrize("major", range(14, 19), ids=lambda major: f"pg{major}", scope="session")
def test_killed_half_detached(database, folder, tidelock, prepared):
    kill_in_phase(database, folder, tidelock, DETACH, "half detached")
    tidelock("deploy").succeeds(applied=["001_alone"], says="FINALIZE")
    assert not database.query(LEFT) and database.holds("parted_1")
    assert not database.query("SELECT 1 FROM pg_inherits WHERE inhrelid = 'parted_1'::regclass")


@pytest.mark.parametrize("script", [CREATE, REINDEX_TABLE, DROP, DETACH])
def test_a_signal_in_the_middle(database, folder, tidelock, prepared, script):
    """It has seconds to clear up; what it can't it says, and the next run does it."""
    folder.add("001_alone", script)
    phase = {DROP: READERS[0], DETACH: "half detached"}.get(script, "before the build")
    with transactions(database) as begin:
        running, *_ = run_until(database, tidelock, begin, script, phase)
        running.signal()
        result = running.wait().fails(exit=143)
        wait_for_nobody(database)
        if database.query(LEFT):
            assert "Left over: " in result.errors and "the next deployment cleans that up" in result.errors
    tidelock("deploy").succeeds(applied=["001_alone"])
    assert not database.query(LEFT)


def test_a_cancelled_drop_says_what_the_index_is_now(database, folder, tidelock, prepared):
    folder.add("001_alone", DROP)
    with transactions(database) as begin:
        running, pid, _ = run_until(database, tidelock, begin, DROP, READERS[0])
        database.query("SELECT pg_cancel_backend(%s)", pid)
        running.wait().fails(exit=7, says=['the index "t_a", which is INVALID: no query uses it', "somebody cancelled it"])
    tidelock("deploy").succeeds(applied=["001_alone"])
    assert not database.holds("t_a")


def test_a_statement_that_failed_cleanly_leaves_no_intent(database, folder, tidelock, prepared):
    folder.add("001_alone", "CREATE INDEX CONCURRENTLY t_new ON t (nothing)")
    tidelock("deploy").fails(exit=6, says='column "nothing" does not exist')
    assert database.value("SELECT count(*) FROM tidelock.intent") == 0


def test_a_deadlock_is_tried_again_and_leaves_nothing(database, folder, tidelock, prepared):
    """A CREATE INDEX CONCURRENTLY that waits for a transaction which then waits for it."""
    folder.add("001_alone", CREATE)
    with transactions(database) as begin:
        running, _, other = run_until(database, tidelock, begin, CREATE, "before validation")
        other.execute("SET deadlock_timeout = '1min'")
        other.execute("LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE")
    result = running.wait().succeeds(applied=["001_alone"])
    assert "the server ended a deadlock with another session" in result.errors
    assert not database.query(LEFT) and database.holds("t_new")


def test_a_leftover_that_is_not_provably_ours_is_left_to_a_person(database, folder, tidelock, prepared):
    """Of our name, on our table, younger than the intent: but made otherwise."""
    kill_in_phase(database, folder, tidelock, CREATE, "before the build")
    database.query("DROP INDEX t_new")
    database.query("CREATE INDEX t_new ON t (a)")
    database.query("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_new'::regclass")
    tidelock("deploy").fails(exit=7, says=["it is not certain that this migration left it behind", 'DROP INDEX CONCURRENTLY "public"."t_new"; and deploy again'])
    assert database.holds("t_new")
    database.query("UPDATE pg_index SET indisvalid = true WHERE indexrelid = 't_new'::regclass")
    tidelock("deploy").fails(exit=7, says=["was created after this migration was interrupted, but differs from what the script creates now"])
    database.query("DROP INDEX t_new")
    tidelock("deploy").succeeds(applied=["001_alone"])


def test_a_corrected_statement_clears_the_former_one_away(database, folder, tidelock, prepared):
    kill_in_phase(database, folder, tidelock, CREATE, "before the build")
    folder.replace("001_alone", "CREATE INDEX CONCURRENTLY t_other ON t (a)")
    tidelock("deploy").succeeds(applied=["001_alone"], says='dropping the INVALID index "public"."t_new"')
    assert not database.query(LEFT) and database.holds("t_other") and not database.holds("t_new")


@pytest.mark.parametrize("mode", ["", "-- tidelock: transaction=off\n", "BEGIN; CREATE TABLE x (); COMMIT;\n"])
def test_if_not_exists_is_not_content_with_an_invalid_index(database, folder, tidelock, prepared, mode):
    database.query("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_a'::regclass")
    folder.add("001_guarded", mode + "CREATE INDEX IF NOT EXISTS t_a ON t (a)")
    tidelock("deploy").fails(exit=7 if "BEGIN" in mode else 6, says=['the index "public"."t_a" exists but is INVALID', "DROP INDEX CONCURRENTLY"])
    database.query("REINDEX INDEX t_a")
    tidelock("deploy").succeeds(applied=["001_guarded"])


def test_a_partitioned_index_that_waits_for_its_parts_is_no_broken_one(database, folder, tidelock, prepared):
    folder.add("001_only", "CREATE INDEX IF NOT EXISTS parted_only ON ONLY parted (a)")
    tidelock("deploy").succeeds(applied=["001_only"])
    assert not database.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'parted_only'::regclass")


def test_a_partition_that_somebody_else_half_detached(database, folder, tidelock, prepared):
    with transactions(database) as begin:
        begin(READER_OF_PARTED)
        with pytest.raises(psycopg.errors.QueryCanceled), database.connect() as other:
            other.execute("SET statement_timeout = 200")
            other.execute(DETACH)
    folder.add("001_alone", DETACH)
    tidelock("deploy").fails(exit=7, says=["already half detached", "FINALIZE; then remove the statement"])
    assert database.query(LEFT)


@pytest.mark.every_major
def test_an_invalid_database_can_only_be_dropped_again(database, folder, tidelock, prepared):
    other = f"{database.name}_other"
    database.query(f"CREATE DATABASE {other}")
    try:
        database.query("UPDATE pg_database SET datconnlimit = -2 WHERE datname = %s", other)
        folder.add("001_create", f"CREATE DATABASE {other}")
        tidelock("deploy").fails(exit=7, says=["exists but is invalid", f'DROP DATABASE "{other}"'])
        folder.remove("001_create")
        tidelock("resolve", "--rolled-back", "001_create").succeeds()
        folder.add("002_drop", f"DROP DATABASE {other}")
        tidelock("deploy").succeeds(applied=["002_drop"])
        assert not database.query("SELECT 1 FROM pg_database WHERE datname = %s", other)
    finally:
        database.query(f"DROP DATABASE IF EXISTS {other}")


@pytest.mark.parametrize("made", ["DATABASE", "TABLESPACE"])
def test_what_was_done_when_the_answer_was_lost_is_not_done_again(database, folder, tidelock, prepared, made, proxy):
    name = f"{database.name}_made"
    where = ""
    if made == "TABLESPACE":
        directory = database.server.home / name
        directory.mkdir()
        shutil.chown(directory, database.server.user.pw_uid)
        where = f" LOCATION '{directory}'"
    folder.add("001_make", f"CREATE {made} {name}{where}")
    folder.add("002_unmake", f"DROP {made} {name}")
    url = database.server.url(database.name, port=proxy.port)

    def cut(message):
        """The server's answer to the statement itself, once for each."""
        if message.kind == "C" and f"{made}" in message.text and message.text not in seen:
            seen.append(message.text)
            return "drop"
        return None

    seen = []
    proxy.on_message = cut
    result = tidelock("deploy", url=url).succeeds(applied=["001_make", "002_unmake"])
    assert result.errors.count("statement 1 was already done") == 2


@pytest.mark.every_major
def test_a_new_value_of_an_enum_can_be_used_in_the_next_step(database, folder, tidelock, prepared):
    database.query("CREATE TYPE mood AS ENUM ('fine')")
    script = "ALTER TYPE mood ADD VALUE 'great';\nCREATE TABLE moods AS SELECT 'great'::mood AS mood;"
    folder.add("001_enum", script)
    tidelock("deploy").succeeds(applied=["001_enum"])
    folder.add("002_enum", "-- tidelock: transaction=off\n" + script.replace("great", "good").replace("moods", "more_moods"))
    tidelock("deploy").succeeds(applied=["002_enum"])
    assert database.query("SELECT mood::text FROM moods UNION ALL SELECT mood::text FROM more_moods") == [("great",), ("good",)]


def test_a_role_of_the_script_does_not_hide_our_own_tables(database, folder, tidelock, prepared):
    role = f"owner_{database.name}"
    database.query(f"CREATE ROLE {role}; ALTER TABLE t OWNER TO {role}; GRANT ALL ON SCHEMA public TO {role}")
    try:
        folder.add("001_role", f"SET ROLE {role};\n{CREATE};\n{REINDEX_INDEX};\n{DROP};")
        tidelock("deploy").succeeds(applied=["001_role"])
        assert database.holds("t_new") and not database.holds("t_a")
    finally:
        database.query(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


def test_a_vacuum_full_makes_nobody_wait(database, folder, tidelock, prepared):
    """It leaves nothing behind, so it waits for its lock as shortly as any other statement."""
    folder.add("001_vacuum", "VACUUM FULL t")
    with transactions(database) as begin:
        begin(READER)
        running = tidelock.start("deploy")
        running.wait_for_line("not queueing for AccessExclusiveLock on t")
    running.wait().succeeds(applied=["001_vacuum"])


@pytest.mark.fault
def test_what_keeps_a_leftover_from_being_dropped_is_told_as_any_failure_is(database, folder, tidelock, prepared):
    folder.add("001_alone", CREATE)
    with transactions(database) as begin:
        other = begin(WRITER)
        for left in ["", '  while     dropping the INVALID index "public"."t_new"\n']:
            result = tidelock("deploy", "--retry-for", "500ms", "--lock-timeout", "100ms")
            result.fails(exit=9, says=['error P3018: migration "001_alone" failed: cancelled: it waited for others', left, 'Left over: the INVALID index "public"."t_new"', f"pg_terminate_backend({other.info.backend_pid})", "whose transaction has to end"])
            assert "drop_invalid_index" not in result.errors and "ExclusiveLock" not in result.errors
    tidelock("deploy").succeeds(applied=["001_alone"])
