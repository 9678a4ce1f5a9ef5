"""Beside an application at work: who waits for whom, who is innocent, and what ends it."""

import contextlib
import threading

import psycopg
import pytest
from wait import wait_until

pytestmark = pytest.mark.fault

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name NOT LIKE 'tidelock%%'"


@pytest.fixture
def tables(database, folder, tidelock):
    database.query("CREATE TABLE a (id int PRIMARY KEY, v int); CREATE TABLE b (id int PRIMARY KEY, v int); INSERT INTO a VALUES (1, 1), (2, 2); INSERT INTO b VALUES (1, 1), (2, 2)")
    folder.add("000_before", "SELECT 1")
    tidelock("baseline").succeeds()
    return database


@pytest.fixture
def user(database):
    """Not a superuser: those are never touched."""
    name = f"app_{database.name}"
    database.query(f"CREATE ROLE {name} LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}")
    yield name
    database.query(f"DROP OWNED BY {name}; DROP ROLE {name}")


@contextlib.contextmanager
def transaction(database, *statements, user="postgres"):
    """A session in an open transaction, which may be ended for it."""
    session = psycopg.connect(database.server.url(database.name, user=user), autocommit=True, prepare_threshold=None)
    session.execute("BEGIN")
    for statement in statements:
        session.execute(statement)
    try:
        yield session
    finally:
        session.close()


@contextlib.contextmanager
def running(database, statement, user="postgres", times=1):
    """Sessions that run it once; what it ends with is not looked at."""

    def run(session):
        with contextlib.suppress(psycopg.Error):
            session.execute(statement)

    sessions = [psycopg.connect(database.server.url(database.name, user=user), autocommit=True, prepare_threshold=None) for _ in range(times)]
    threads = [threading.Thread(target=run, args=[session]) for session in sessions]
    for thread in threads:
        thread.start()
    try:
        yield sessions
    finally:
        for session in sessions:
            session.cancel()
        for thread in threads:
            thread.join()
        for session in sessions:
            session.close()


def test_who_waits_for_the_leader_lock_is_not_blocked_by_it(tables, folder, tidelock):
    """Another tool's command line, whose session goes on waiting after the tool has given up."""
    folder.add("001_long", "LOCK TABLE a; SELECT pg_sleep(4)")
    process = tidelock.start("deploy", "--max-blocked-for", "1s", "--retry-for", "0", "--status-file", folder.root / "status.prom")
    wait_until(lambda: tables.query("SELECT 1 FROM pg_locks WHERE relation = 'a'::regclass AND mode = 'AccessExclusiveLock'"), "its lock")
    with running(tables, "SELECT pg_advisory_lock(72707369)"):
        wait_until(lambda: tables.value(WAITING) == 1, "the other tool")
        result = process.wait().succeeds(applied=["001_long"])
    assert "cancelling" not in result.errors and "blocked by this run" not in result.errors


def test_a_queue_that_is_too_long_is_left_and_joined_again(tables, folder, tidelock):
    folder.add("001_a", "ALTER TABLE a ADD COLUMN w int")
    with transaction(tables, "SELECT * FROM a") as reader:
        stop = threading.Event()

        def read():
            with tables.connect() as session:
                while not stop.is_set():
                    session.execute("SELECT * FROM a")

        threads = [threading.Thread(target=read) for _ in range(6)]
        for thread in threads:
            thread.start()
        try:
            process = tidelock.start("deploy", "--max-blocked", "2", "--lock-timeout", "5s", "--retry-for", "60s")
            process.wait_for_line("it blocked")
            process.wait_for_line("was rolled back")
            reader.execute("COMMIT")
            process.wait().succeeds(applied=["001_a"])
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def test_a_queue_that_is_always_too_long_says_so(tables, folder, tidelock):
    folder.add("001_a", "ALTER TABLE a ADD COLUMN w int")
    with transaction(tables, "SELECT * FROM a") as reader:
        stop = threading.Event()

        def read():
            with tables.connect() as session:
                while not stop.is_set():
                    session.execute("SELECT * FROM a")

        threads = [threading.Thread(target=read) for _ in range(6)]
        for thread in threads:
            thread.start()
        try:
            result = tidelock("deploy", "--max-blocked", "2", "--lock-timeout", "5s", "--retry-for", "4s")
        finally:
            stop.set()
            reader.execute("COMMIT")
            for thread in threads:
                thread.join()
    result.fails(exit=9, says=["Nothing of 001_a"])
    assert "It held its lock" not in result.errors


@pytest.mark.parametrize("mode", ["", "-- tidelock: transaction=off\n"], ids=["atomic", "own"])
def test_nobody_waits_long_while_a_table_is_locked_and_a_row_is_not_to_be_had(tables, folder, tidelock, mode):
    script = "BEGIN;\nALTER TABLE a ADD COLUMN w int;\nUPDATE b SET v = 2 WHERE id = 1;\nCOMMIT;\n" if mode else "ALTER TABLE a ADD COLUMN w int;\nUPDATE b SET v = 2 WHERE id = 1;\n"
    folder.add("001_a", mode + script)
    with transaction(tables, "UPDATE b SET v = 3 WHERE id = 1") as writer:
        process = tidelock.start("deploy")
        process.wait_for_line("not trying again while a row is locked: held up by pid", str(writer.info.backend_pid))
        # From now on nothing of ours is locked until that transaction ends.
        for _ in range(50):
            assert tables.query("SELECT 1 FROM pg_locks WHERE relation = 'a'::regclass AND mode = 'AccessExclusiveLock'") == []
        writer.execute("COMMIT")
        process.wait().succeeds(applied=["001_a"])


@pytest.mark.parametrize(
    "statement",
    ["SELECT mig()", "WITH x AS (SELECT mig()) SELECT * FROM x", "DO $$BEGIN PERFORM mig(); END$$", "VALUES (mig())"],
)
def test_a_function_that_alters_a_table_waits_for_it_as_briefly(tables, folder, tidelock, statement):
    tables.query("CREATE FUNCTION mig() RETURNS int LANGUAGE plpgsql AS 'BEGIN ALTER TABLE a ADD COLUMN IF NOT EXISTS w int; RETURN 1; END'")
    folder.add("001_a", statement)
    with transaction(tables, "SELECT * FROM a") as reader:
        process = tidelock.start("deploy")
        process.wait_for_line("attempt 1 was rolled back")
        process.wait_for_line("not queueing for AccessExclusiveLock on a")
        reader.execute("COMMIT")
        process.wait().succeeds(applied=["001_a"])


# What a trigger does, nobody sees from the statement.
ALTERS = """
CREATE FUNCTION mig() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN ALTER TABLE a ADD COLUMN IF NOT EXISTS w int; RETURN NEW; END';
CREATE %s mig AFTER INSERT OR UPDATE ON b %s FOR EACH ROW EXECUTE FUNCTION mig();
"""


@pytest.mark.parametrize(
    ("trigger", "script"),
    [
        (("TRIGGER", ""), "INSERT INTO b VALUES (3, 3)"),
        (("TRIGGER", ""), "-- tidelock: transaction=off\nUPDATE b SET v = 2 WHERE id = 1;\n"),
        (("CONSTRAINT TRIGGER", "DEFERRABLE INITIALLY DEFERRED"), "UPDATE b SET v = 2 WHERE id = 1"),
    ],
    ids=["insert", "own", "deferred"],
)
def test_a_trigger_that_alters_a_table_is_noticed(tables, folder, tidelock, trigger, script):
    """Once it has been seen to queue for the table, it waits as briefly as any other that does, long before its time for rows is over."""
    tables.query(ALTERS % trigger)
    folder.add("001_a", script)
    with transaction(tables, "SELECT * FROM a") as reader:
        process = tidelock.start("deploy", "--retry-for", "10s")
        process.wait_for_line("not queueing for AccessExclusiveLock on a")
        reader.execute("COMMIT")
        result = process.wait().succeeds(applied=["001_a"])
    assert "cancelled: " not in result.errors


def test_a_row_is_not_waited_for_while_a_trigger_keeps_a_table_locked(tables, folder, tidelock):
    tables.query(ALTERS % ("TRIGGER", ""))
    folder.add("001_a", "UPDATE b SET v = 2 WHERE id = 1;\nUPDATE b SET v = 2 WHERE id = 2;\n")
    with transaction(tables, "SELECT FROM b WHERE id = 2 FOR UPDATE") as writer:
        process = tidelock.start("deploy", "--retry-for", "10s")
        wait_until(lambda: tables.query("SELECT 1 FROM pg_locks WHERE relation = 'a'::regclass AND mode = 'AccessExclusiveLock'"), "the table to be locked")
        with running(tables, "SELECT * FROM a"):
            process.wait_for_line("not trying again while a row is locked")
            tables.query("SELECT * FROM a")
            writer.execute("COMMIT")
            process.wait().succeeds(applied=["001_a"])


def test_who_waits_for_a_table_that_is_only_written_cancels_nothing(tables, folder, tidelock):
    """Somebody else's index is built, and the row in whose queue we stand is changed, when our rows are done."""
    folder.add("001_a", "UPDATE b SET v = 2 WHERE id = 1;\nUPDATE b SET v = 2 WHERE id = 2;\n")
    with transaction(tables, "SELECT FROM b WHERE id = 2 FOR UPDATE") as writer:
        process = tidelock.start("deploy")
        wait_until(lambda: tables.query("SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"), "the row to be waited for")
        with running(tables, "CREATE INDEX other ON b (v)"), running(tables, "UPDATE b SET v = 3 WHERE id = 2"):
            wait_until(lambda: tables.value(WAITING) == 2, "the others to wait")
            process.wait_for_line("blocked by this run, for")
            writer.execute("COMMIT")
            result = process.wait().succeeds(applied=["001_a"])
    assert "was rolled back" not in result.errors


def test_deferred_triggers_are_watched_like_the_script(tables, folder, tidelock):
    """They hold what the script has locked."""
    tables.query("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(600); RETURN NEW; END'")
    tables.query("CREATE CONSTRAINT TRIGGER slow AFTER UPDATE ON b DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()")
    folder.add("001_a", "UPDATE b SET v = 5 WHERE id = 2; LOCK TABLE a;")
    process = tidelock.start("deploy", "--max-blocked-for", "1s", "--retry-for", "0")
    wait_until(lambda: tables.query("SELECT 1 FROM pg_locks WHERE relation = 'a'::regclass AND mode = 'AccessExclusiveLock'"), "its lock")
    with running(tables, "SELECT * FROM a"):
        result = process.wait()
    result.fails(exit=9, says=["it blocked 1 session", "checking deferred constraints and triggers", "Nothing of 001_a"])


def test_locks_in_the_opposite_order_are_said_to_be_that(tables, folder, tidelock):
    folder.add("001_ab", "ALTER TABLE a ADD COLUMN w int;\nALTER TABLE b ADD COLUMN w int;\n")
    stop = threading.Event()

    def work():
        with tables.connect() as session:
            while not stop.is_set():
                with contextlib.suppress(psycopg.errors.DeadlockDetected), session.transaction():
                    session.execute("SELECT pg_sleep(0.05) FROM b")
                    session.execute("SELECT count(*) FROM a")

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    try:
        result = tidelock("deploy")
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    result.fails(exit=9, says=["001_ab/migration.sql:2", "attempts in a row", "SELECT count(*) FROM a", "Take the locks in the order of the application"])


@pytest.mark.parametrize("queue", [False, True], ids=["alone", "behind another"])
def test_an_idle_transaction_that_holds_a_row_is_ended_when_that_is_allowed(tables, folder, tidelock, user, queue):
    folder.add("001_a", "UPDATE b SET v = 2 WHERE id = 1")
    with transaction(tables, "UPDATE b SET v = 3 WHERE id = 1", user=user) as idle, contextlib.ExitStack() as stack:
        if queue:
            stack.enter_context(running(tables, "UPDATE b SET v = 4 WHERE id = 1", user=user))
            wait_until(lambda: tables.value(WAITING) == 1, "the other one")
        result = tidelock("deploy", "--terminate-idle-in-transaction", "1s").succeeds(applied=["001_a"])
        assert f"ended the session of pid {idle.info.backend_pid} " in result.errors
        assert result.errors.count("ended the session of") == 1


def test_the_wait_for_a_row_counts(tables, folder, tidelock):
    folder.add("001_a", "UPDATE b SET v = 2 WHERE id = 1")
    with transaction(tables, "UPDATE b SET v = 3 WHERE id = 1"):
        result = tidelock("deploy", "--retry-for", "3s")
    result.fails(exit=9, says=["Gave up after 1 attempt"])


@pytest.mark.parametrize("option", ["--terminate-idle-in-transaction", "--cancel-blockers"])
def test_whom_an_index_waits_for_is_ended_when_that_is_allowed(tables, folder, tidelock, user, option):
    folder.add("001_i", "CREATE INDEX CONCURRENTLY i ON b (v)")
    if option == "--cancel-blockers":
        with running(tables, "UPDATE b SET v = v + 0 * length(pg_sleep(600)::text)", user=user) as (session,):
            wait_until(lambda: tables.query("SELECT 1 FROM pg_locks WHERE relation = 'b'::regclass AND mode = 'RowExclusiveLock'"), "its lock")
            result = tidelock("deploy", option, "1s").succeeds(applied=["001_i"])
            assert f"cancelled the statement of pid {session.info.backend_pid} " in result.errors
        return
    with transaction(tables, "UPDATE b SET v = 3 WHERE id = 1", user=user) as idle:
        result = tidelock("deploy", option, "1s").succeeds(applied=["001_i"])
        assert f"ended the session of pid {idle.info.backend_pid} " in result.errors


IN_A_WHILE = {
    "create": ("CREATE INDEX CONCURRENTLY i ON b (v)", 'the INVALID index "public"."i"'),
    "drop": ("DROP INDEX CONCURRENTLY j", 'the index "j", which is INVALID'),
    "reindex": ("REINDEX INDEX CONCURRENTLY j", "_ccnew"),
}


@pytest.mark.parametrize("kind", IN_A_WHILE)
def test_what_runs_concurrently_does_not_wait_for_ever(tables, folder, tidelock, kind):
    script, left = IN_A_WHILE[kind]
    tables.query("CREATE INDEX j ON b (v)")
    folder.add("001_i", script)
    with transaction(tables, "UPDATE b SET v = 3 WHERE id = 1") as session:
        result = tidelock("deploy", "--retry-for", "2s")
        pid = session.info.backend_pid
        result.fails(exit=9, says=["it waited for others for ", f"Blocked by: pid {pid}", left, f"End what held the lock, as a superuser: SELECT pg_terminate_backend({pid}); Or allow more time: --retry-for. Then deploy again."])
        assert tables.applied() == ["000_before"]
    tidelock("deploy").succeeds(applied=["001_i"])
    assert tables.query("SELECT relname FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid WHERE NOT indisvalid") == []
    assert tables.value("SELECT count(*) FROM pg_indexes WHERE tablename = 'b'") == {"create": 3, "drop": 1, "reindex": 2}[kind]


def test_another_transaction_of_the_same_session_is_innocent(tables, folder, tidelock, user, proxy):
    """It began between our look and our signal: far away, a network takes its time."""
    folder.add("001_a", "ALTER TABLE a ADD COLUMN w int")
    tables.query("CREATE TABLE elsewhere (id int)")
    tables.query(f"GRANT ALL ON elsewhere TO {user}")
    url = tables.server.url(tables.name, port=proxy.port)
    with transaction(tables, "SELECT * FROM a", user=user) as session:
        seen = []

        def on_message(message):
            """The statement that signals is held until the session does something else."""
            if message.direction == "client" and "pg_terminate_backend(a.pid)" in message.text and not seen:
                seen.append(message)
                session.execute("COMMIT")
                session.execute("BEGIN")
                session.execute("SELECT * FROM elsewhere")

        proxy.on_message = on_message
        tidelock("deploy", "--terminate-idle-in-transaction", "1s", url=url).succeeds(applied=["001_a"])
        assert seen
        session.execute("SELECT 1")
