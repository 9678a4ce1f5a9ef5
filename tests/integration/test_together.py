"""Migrations that go to the server in one message: each commits alone with its row, and what fails, breaks or stops is told as if it had come alone."""

import signal

import pytest
from peers import Drizzle, Drizzle1
from tool import Tool, wait_for_nobody
from wait import wait_until

pytestmark = pytest.mark.libraries


def add_tables(folder, numbers):
    for number in numbers:
        folder.add(f"{number:03}_t", f"-- CreateTable\nCREATE TABLE t{number} (id int);\n")


def on_ddl(database, body, role=""):
    """Runs at the end of each statement that defines something; `name` is the table's."""
    database.query(
        f"CREATE SCHEMA hidden; CREATE FUNCTION hidden.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ DECLARE name text;"
        f" BEGIN SELECT object_identity INTO name FROM pg_event_trigger_ddl_commands() LIMIT 1; {body} END $$;"
        f"CREATE EVENT TRIGGER on_ddl ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION hidden.on_ddl()"
    )


def wait_for_sleep(database):
    wait_until(lambda: database.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"), "a session that sleeps")


def messages_with(proxy, text):
    return sum(text in message.text for message in proxy.messages if message.direction == "client")


def rows(database):
    return [(row.name, row.finished, row.rolled_back) for row in database.ledger()]


@pytest.mark.every_major
def test_one_message_and_a_transaction_each(server, database, folder, tidelock, proxy):
    add_tables(folder, range(100))
    tidelock("deploy", url=server.url(database.name, port=proxy.port)).succeeds(applied=[f"{number:03}_t" for number in range(100)])
    assert messages_with(proxy, "CREATE TABLE t") == 1
    assert database.value("SELECT count(DISTINCT xmin::text) FROM _prisma_migrations") == 100
    assert database.value("SELECT count(DISTINCT xmin::text) FROM pg_class WHERE relname ~ '^t[0-9]+$'") == 100
    assert database.applied() == [f"{number:03}_t" for number in range(100)]
    # Each begins when the one before has ended.
    assert database.value("SELECT count(*) FROM _prisma_migrations AS a JOIN _prisma_migrations AS b ON b.started_at = a.finished_at AND b.id <> a.id") == 99
    assert database.value("SELECT bool_and(started_at < finished_at) FROM _prisma_migrations")


@pytest.mark.parametrize("script, says, line", [("CREATE TABLE one ();\nCREATE TABLE t1 ();", "already exists", 2), ("CREATE TABLE one ();\n\nCREATE TABLE two (;", "syntax error", 3), ("CREATE TABLE größer ();\nCREATE TABLE two (id nonsense);", "does not exist", 2)])
def test_a_failure_is_its_own(server, database, folder, tidelock, script, says, line):
    """A syntax error keeps the server from the whole message."""
    add_tables(folder, range(5))
    folder.add("005_broken", script)
    add_tables(folder, range(6, 9))
    tidelock("deploy").fails(exit=6, says=['migration "005_broken" failed', says, "already applied by this run: 5 migrations"], at=f"005_broken/migration.sql:{line}")
    assert rows(database) == [(f"{number:03}_t", True, False) for number in range(5)] + [("005_broken", False, True)]
    assert not database.holds("one") and not database.holds("t6")
    folder.replace("005_broken", "SELECT 1")
    tidelock("deploy").succeeds(applied=["005_broken", "006_t", "007_t", "008_t"])


def test_what_has_failed_is_not_run_again(database, folder, tidelock):
    """It may have taken an hour."""
    database.query("CREATE SEQUENCE tries")
    on_ddl(database, "IF name = 'public.t2' THEN PERFORM nextval('public.tries'); RAISE 'not today'; END IF;")
    add_tables(folder, range(5))
    tidelock("deploy").fails(exit=6, says=['migration "002_t" failed: not today'])
    assert database.value("SELECT last_value FROM tries") == 1 and database.value("SELECT is_called FROM tries")
    assert database.applied() == ["000_t", "001_t"]


HOSTILE = {
    "settings": "PERFORM set_config('search_path', 'decoy', false), set_config('session_replication_role', 'replica', false), set_config('default_transaction_read_only', 'on', false);",
    "role": "PERFORM set_config('role', 'nobody_at_all', false);",
    "temporary": "CREATE TEMPORARY TABLE _prisma_migrations (LIKE public._prisma_migrations); CREATE TEMPORARY TABLE hidden_by_it (id int);",
    "locks": "PERFORM pg_advisory_unlock_all();",
    "encoding": "PERFORM set_config('client_encoding', 'SJIS', false), set_config('standard_conforming_strings', 'off', false);",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_runs_within_misdirects_nothing(server, database, folder, tidelock, proxy, what):
    """Not even the next script: it begins in a session as it was."""
    database.query("CREATE SCHEMA decoy; CREATE TABLE decoy._prisma_migrations (id text, checksum text, migration_name text, started_at timestamptz, finished_at timestamptz, applied_steps_count int)")
    if what == "role":
        database.query("DROP ROLE IF EXISTS nobody_at_all; CREATE ROLE nobody_at_all")
    on_ddl(database, f"IF name = 'public.t2' THEN {HOSTILE[what]} END IF;")
    add_tables(folder, range(6))
    folder.add("006_größer", "CREATE TABLE größer (id int)")
    tidelock("deploy", url=server.url(database.name, port=proxy.port)).succeeds()
    assert messages_with(proxy, "CREATE TABLE t") == 1
    assert database.applied() == [f"{number:03}_t" for number in range(6)] + ["006_größer"]
    assert all(database.holds(f"public.t{number}") for number in range(6)) and database.holds("public.größer")
    assert database.value("SELECT count(*) FROM decoy._prisma_migrations") == 0
    assert database.value("SELECT count(DISTINCT relowner) FROM pg_class WHERE relname ~ '^t[0-9]+$'") == 1
    assert not database.holds("hidden_by_it")


def test_other_rows_of_their_names_are_seen(database, folder, tidelock):
    on_ddl(database, "IF name = 'public.t2' THEN INSERT INTO public._prisma_migrations (id, checksum, migration_name) VALUES ('x', 'y', '003_t'); END IF;")
    add_tables(folder, range(5))
    tidelock("deploy").fails(exit=8, says=["changed during this run", "This run has applied 4 migrations"])
    assert database.applied() == [f"{number:03}_t" for number in range(4)] and not database.holds("t4")


def test_a_ledger_that_does_more_than_it_is_told_gets_one_at_a_time(server, database, folder, tidelock, proxy):
    folder.add("000_first", "SELECT 1")
    tidelock("deploy").succeeds()
    database.query("CREATE TABLE audit (name text); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.audit VALUES (NEW.migration_name); RETURN NEW; END'; CREATE TRIGGER note AFTER INSERT ON _prisma_migrations FOR EACH ROW EXECUTE FUNCTION note()")
    add_tables(folder, range(1, 5))
    tidelock("deploy", url=server.url(database.name, port=proxy.port)).succeeds()
    assert database.query("SELECT name FROM audit ORDER BY 1") == [(f"{number:03}_t",) for number in range(1, 5)]
    assert messages_with(proxy, "CREATE TABLE t") == 5


@pytest.mark.parametrize("change", ["ALTER TABLE _prisma_migrations ENABLE ROW LEVEL SECURITY", "CREATE RULE more AS ON DELETE TO _prisma_migrations DO ALSO NOTHING"])
@pytest.mark.parametrize("is_planted", [False, True], ids=["by a script", "meanwhile"])
def test_a_ledger_that_comes_to_do_more_is_no_reason_to_stop(database, folder, tidelock, change, is_planted):
    """As Supabase advises to protect it."""
    add_tables(folder, [0, 1, 3, 4, 5, 6])
    if is_planted:
        on_ddl(database, f"IF name = 'public.t3' THEN {change}; END IF;")
    else:
        folder.add("002_change", change)
    tidelock("deploy").succeeds()
    assert len(database.applied()) == 7 - is_planted == len(database.ledger()) and database.holds("t6")


ALONE = {
    "rows": "INSERT INTO counter VALUES (1)",
    "a query": "SELECT 42",
    "a query's table": "CREATE TABLE copy AS SELECT 1 AS n",
    "code": "DO $$ BEGIN END $$",
    "a setting": "SET lock_timeout = '1s'",
    "a directive": "-- tidelock: lock-timeout=2s\nCREATE TABLE directed ()",
    "a lock": "CREATE TABLE advisory_note ()",
    "an existing table": "ALTER TABLE counter ADD COLUMN other int",
    "what waits for it": "CREATE TABLE child (id int REFERENCES counter (n))",
    "another mode": "CREATE INDEX CONCURRENTLY ON counter (n)",
}


@pytest.mark.parametrize("what", ALONE)
def test_what_goes_alone(server, database, folder, tidelock, proxy, what):
    folder.add("000_first", "CREATE TABLE counter (n int PRIMARY KEY)")
    tidelock("deploy").succeeds()
    folder.add("001_t", "CREATE TABLE t1 ()")
    folder.add("002_alone", ALONE[what])
    folder.add("003_t", "CREATE TABLE t3 ()")
    folder.add("004_t", "CREATE TABLE t4 ()")
    tidelock("deploy", url=server.url(database.name, port=proxy.port)).succeeds()
    words = ALONE[what].split("\n")[-1][:20]
    assert not any(words in message.text and "CREATE TABLE t" in message.text for message in proxy.messages if message.direction == "client")
    assert messages_with(proxy, "CREATE TABLE t3 ()") == 1 and messages_with(proxy, "CREATE TABLE t1 ()") == 1
    assert any("CREATE TABLE t3 ()" in message.text and "CREATE TABLE t4 ()" in message.text for message in proxy.messages)


@pytest.mark.parametrize(
    "script, is_brief",
    [
        ("ALTER TABLE counter ADD COLUMN other int", True),
        ("ALTER TABLE counter ALTER COLUMN n DROP DEFAULT; COMMENT ON TABLE counter IS 'x'", True),
        ("ALTER TABLE counter ALTER COLUMN n TYPE bigint", False),
        ("ALTER TABLE counter ADD CHECK (n > 0)", False),
        ("CREATE INDEX ON counter (n)", False),
        ("INSERT INTO counter VALUES (1)", False),
        ("ALTER TABLE counter ADD COLUMN other int; UPDATE counter SET other = n", False),
        ("DO $$ BEGIN ALTER TABLE counter ADD COLUMN other int; END $$", False),
        ("-- tidelock: lock-timeout=2s\nALTER TABLE counter ADD COLUMN other int", False),
    ],
)
def test_what_is_brief_brings_its_commit(server, database, folder, tidelock, proxy, script, is_brief):
    """No lock is held while a message travels; but what may take long is committed by a process that is alive."""
    folder.add("000_first", "CREATE TABLE counter (n int PRIMARY KEY)")
    tidelock("deploy").succeeds()
    folder.add("001_alone", script)
    tidelock("deploy", url=server.url(database.name, port=proxy.port)).succeeds(applied=["001_alone"])
    words = script.split("\n")[-1]
    (message,) = [message.text for message in proxy.messages if message.direction == "client" and words in message.text]
    assert ("COMMIT" in message.split(words)[1]) == is_brief


def test_what_an_old_transaction_is_in_the_way_of_waits_without_queueing(server, database, folder, tidelock, proxy):
    folder.add("000_first", "CREATE TABLE counter (n int PRIMARY KEY)")
    tidelock("deploy").succeeds()
    folder.add("001_alone", "ALTER TABLE counter ADD COLUMN other int")
    with database.connect() as reader:
        reader.execute("BEGIN; SELECT FROM counter")
        wait_until(lambda: database.value("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database() AND xact_start < now() - interval '1.5 s'"), "a transaction that is old")
        running = tidelock.start("deploy", url=server.url(database.name, port=proxy.port))
        running.wait_for_line("not queueing for AccessExclusiveLock on counter")
        assert messages_with(proxy, "ADD COLUMN other") == 0
        reader.execute("COMMIT")
        running.wait().succeeds(applied=["001_alone"])


@pytest.mark.parametrize("words, setting", [(["--migration-timeout", "1h"], None), ([], "pgaudit.log = 'ddl'")])
def test_what_has_to_be_looked_at_in_between_goes_alone(server, database, folder, tidelock, proxy, words, setting):
    """An audit writes the whole message for each of its statements."""
    if setting:
        database.query(f'ALTER DATABASE "{database.name}" SET {setting}')
    add_tables(folder, range(3))
    tidelock("deploy", *words, url=server.url(database.name, port=proxy.port)).succeeds()
    assert messages_with(proxy, "CREATE TABLE t") == 3


def test_a_signal_stops_the_one_that_runs(database, folder, tidelock):
    on_ddl(database, "IF name = 'public.t2' THEN PERFORM pg_sleep(600); END IF;")
    add_tables(folder, range(5))
    running = tidelock.start("deploy", "--status-file", str(folder.root / "status"))
    wait_for_sleep(database)
    running.signal(signal.SIGTERM)
    running.wait().fails(exit=143, says=["stopped by SIGTERM", "Nothing of 002_t", "already applied by this run: 2 migrations"])
    wait_for_nobody(database)
    assert database.applied() == ["000_t", "001_t"] and not database.holds("t2") and not database.holds("t3")
    database.query("DROP EVENT TRIGGER on_ddl")
    tidelock("deploy").succeeds(applied=["002_t", "003_t", "004_t"])


def test_who_works_on_what_is_shown(database, folder, tidelock):
    """The server keeps short answers back until there are more; it is asked not to when it has worked for a while."""
    on_ddl(database, "IF name = 'public.t1' THEN PERFORM pg_sleep(0.2); ELSIF name = 'public.t3' THEN PERFORM pg_sleep(600); END IF;")
    add_tables(folder, range(6))
    running = tidelock.start("deploy")
    running.wait_for_line("applied 001_t")
    running.wait_for_line("applied 002_t")
    running.signal(signal.SIGTERM)
    result = running.wait().fails(exit=143, says="Nothing of 003_t")
    assert "applied 003_t" not in result.errors


@pytest.mark.parametrize("is_heard", [0, 2])
def test_a_lost_connection_leaves_no_doubt(server, database, folder, tidelock, proxy, is_heard):
    """The server goes on without us; whoever leads next waits for its end."""
    add_tables(folder, range(5))
    commits = []

    def cut(message):
        if message.direction == "server" and message.kind == "C" and message.text.startswith("COMMIT"):
            commits.append(message)
            if seen and len(commits) == seen[0] + is_heard + 1:
                return "drop"
        if message.direction == "client" and "CREATE TABLE t0" in message.text:
            seen.append(len(commits))
        return None

    seen = []
    proxy.on_message = cut
    result = tidelock("deploy", url=server.url(database.name, port=proxy.port))
    result.succeeds(says=f"the answer to COMMIT of {is_heard:03}_t was lost: it was committed")
    result.succeeds(says="the answer to COMMIT of 004_t was lost: it was committed")
    assert result.errors.count("applied 004_t") == 1 and result.errors.count("applied 000_t") == 1
    assert database.applied() == [f"{number:03}_t" for number in range(5)] and len(database.ledger()) == 5


def test_all_are_committed_and_nothing_else_is_heard(server, database, folder, tidelock, proxy):
    add_tables(folder, range(5))
    folder.add("005_alone", "SELECT 42")
    commits = []

    def cut(message):
        if message.direction == "client" and "CREATE TABLE t0" in message.text:
            commits.append(message)
        if commits and message.direction == "server" and message.kind == "C" and message.text.startswith("COMMIT"):
            commits.append(message)
            return "drop after" if len(commits) == 6 else None
        return None

    proxy.on_message = cut
    result = tidelock("deploy", url=server.url(database.name, port=proxy.port)).succeeds(applied=[f"{number:03}_t" for number in range(5)] + ["005_alone"])
    assert "the answer to COMMIT" not in result.errors


def test_killed_while_the_server_works_on(database, folder, tidelock):
    on_ddl(database, "IF name = 'public.t2' THEN PERFORM pg_sleep(1); END IF;")
    add_tables(folder, range(5))
    running = tidelock.start("deploy")
    wait_for_sleep(database)
    running.process.kill()
    running.wait()
    tidelock("deploy").succeeds()
    assert database.applied() == [f"{number:03}_t" for number in range(5)] and len(database.ledger()) == 5


def test_what_is_not_known_at_the_end_is_said(server, database, folder, tidelock, proxy):
    add_tables(folder, range(5))

    def freeze(message):
        return "freeze" if message.direction == "client" and "CREATE TABLE t0" in message.text else None

    proxy.on_message = freeze
    running = tidelock.start("deploy", url=server.url(database.name, port=proxy.port))
    assert proxy.frozen.wait(20)
    running.signal(signal.SIGTERM)
    running.signal(signal.SIGTERM)
    running.wait().fails(exit=143, says="It is not known yet whether 000_t and the 4 migrations after it were committed; the next deployment finds out.")
    proxy.on_message = None
    proxy.thaw()
    wait_for_nobody(database)
    tidelock("deploy").succeeds()
    assert len(database.ledger()) == 5


def of_tool(peer, path, numbers):
    app = peer.folder(path / "app")
    for number in numbers:
        app.add(number, f"t{number}", f"CREATE TABLE t{number} (id int);\n")
    return app


def transactions(database, peer):
    """That made the tables, and that wrote the rows."""
    return (
        database.value("SELECT count(DISTINCT xmin::text) FROM pg_class WHERE relname ~ '^t[0-9]+$'"),
        database.value(f"SELECT count(DISTINCT xmin::text) FROM {peer.ledger_table}"),
    )


def test_of_other_tools_too(server, database, tmp_path, binary, proxy, peer):
    """The tool finds nothing left to do."""
    app = of_tool(peer, tmp_path, range(1, 31))
    tidelock = Tool(binary, database, app)
    tidelock("deploy", "--format", peer.name, "--migrations", "migrations", url=server.url(database.name, port=proxy.port)).succeeds()
    assert messages_with(proxy, "CREATE TABLE t") == 1
    tables, rows = transactions(database, peer)
    assert tables == 30 and rows >= (1 if peer.name == "golang-migrate" else 30)
    if not isinstance(peer, Drizzle) or isinstance(peer, Drizzle1):
        before = peer.ledger(database)
        done = peer.up(database.url(), app)
        assert done.returncode == 0 and peer.applied(done) == [] and peer.ledger(database) == before, done.stdout
        assert peer.is_content(database.url(), app)
    tidelock("deploy", "--format", peer.name, "--migrations", "migrations").succeeds(says="No pending")


def test_a_failure_of_another_tools_is_its_own(database, tmp_path, binary, peer):
    app = of_tool(peer, tmp_path, range(1, 5))
    path = app.add(5, "broken", "CREATE TABLE one (); CREATE TABLE t1 ();\n")
    app.add(6, "t6", "CREATE TABLE t6 ();\n")
    tidelock = Tool(binary, database, app)
    words = ["deploy", "--format", peer.name, "--migrations", "migrations"]
    tidelock(*words).fails(exit=6, says=["already exists", "already applied by this run: 4 migrations"])
    assert database.holds("t4") and not database.holds("one") and not database.holds("t6")
    path.write_text(path.read_text().replace("t1", "t5"))
    tidelock(*words).succeeds()
    assert database.holds("t5") and database.holds("t6")


def test_a_lost_answer_of_another_tools(server, database, tmp_path, binary, proxy, peer):
    """Its rows have no ids: who has written one that is there by then, nobody can tell."""
    app = of_tool(peer, tmp_path, range(1, 6))
    tidelock = Tool(binary, database, app)
    seen = []

    def cut(message):
        if message.direction == "client" and "CREATE TABLE t1" in message.text:
            seen.append(message)
        return "drop" if seen and message.direction == "server" and message.kind == "C" and message.text.startswith("COMMIT") and len(seen) == 1 and not seen.append(message) else None

    proxy.on_message = cut
    result = tidelock("deploy", "--format", peer.name, "--migrations", "migrations", url=server.url(database.name, port=proxy.port)).succeeds()
    assert result.errors.count("it is applied, by this process or by another") == 5, result.errors
    assert transactions(database, peer)[0] == 5
    tidelock("deploy", "--format", peer.name, "--migrations", "migrations").succeeds(says="No pending")
