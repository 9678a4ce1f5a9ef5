"""What limits a migration limits all of it: the ledger's row, COMMIT, and what the server itself ends."""

import signal

import pytest
from servers import Database, Server, distribution_major
from tool import Tool, wait_for_nobody, wait_for_session
from wait import wait_until

pytestmark = pytest.mark.fault

PATIENCE = 60
MODES = {
    "atomic": "ALTER TABLE t ADD COLUMN c int;",
    "stepwise": "-- tidelock: transaction=off\nALTER TABLE t ADD COLUMN c int;",
    "self-managed": "BEGIN; ALTER TABLE t ADD COLUMN c int; COMMIT;",
}
CREATE_T = "CREATE TABLE t (id int)"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'tidelock%%' AND wait_event_type = 'Lock'"


@pytest.fixture
def locked(database, folder, tidelock):
    """Somebody reads the ledger under a lock that lets nobody write."""
    folder.add("001_t", CREATE_T)
    tidelock("deploy").succeeds()
    with database.connect() as holder:
        yield holder


def lock_ledger(holder):
    holder.execute("BEGIN")
    holder.execute("LOCK TABLE _prisma_migrations IN SHARE MODE")


def start_and_lock(tidelock, database, holder, *arguments):
    """The lock comes when the script is running: modes other than atomic have a row by then."""
    running = tidelock.start("deploy", *arguments)
    wait_for_session(database, "pg_sleep")
    lock_ledger(holder)
    return running


@pytest.mark.parametrize("mode", MODES)
def test_nobody_waits_long_for_a_script_that_waits_for_the_ledger(database, folder, tidelock, locked, mode):
    folder.add("002_c", MODES[mode].replace("ALTER", "SELECT pg_sleep(1); ALTER"))
    running = start_and_lock(tidelock, database, locked, "--lock-timeout", "1s", "--retry-for", "20s")
    wait_until(lambda: database.value(WAITING), "it to wait for the ledger")
    with database.connect() as application:
        application.execute("SET statement_timeout = '15s'")
        assert application.execute("SELECT count(*) FROM t").fetchone() == (0,)
    pid = locked.info.backend_pid
    running.wait_for_line("held up by", str(pid))
    locked.execute("COMMIT")
    running.wait(PATIENCE).succeeds(applied=["002_c"])


@pytest.mark.parametrize("limit", [["--migration-timeout", "8s"], ["--retry-for", "2s", "--lock-timeout", "1s"], ["--max-blocked-for", "1s", "--max-blocked", "0", "--lock-timeout", "9s", "--retry-for", "1s"]], ids=["migration-timeout", "retry-for", "max-blocked-for"])
def test_a_locked_ledger_ends_a_deployment_in_time(database, folder, tidelock, locked, limit):
    folder.add("002_c", "SELECT pg_sleep(1); ALTER TABLE t ADD COLUMN c int;")
    running = start_and_lock(tidelock, database, locked, *limit)
    if "--max-blocked-for" in limit:
        wait_until(lambda: database.value(WAITING), "it to wait for the ledger")
        assert database.value("SELECT count(*) FROM t") == 0
    result = running.wait(PATIENCE)
    assert result.code != 0 and "Nothing of 002_c" in result.errors, result.errors
    assert f"pid {locked.info.backend_pid}" in result.errors
    locked.execute("COMMIT")
    wait_for_nobody(database)
    assert database.applied() == ["001_t"]


@pytest.mark.parametrize("mode", [*MODES, "backfill"])
def test_a_ledger_that_was_locked_before_is_waited_for_as_long_as_any_table(database, folder, tidelock, locked, mode):
    folder.add("002_c", {**MODES, "backfill": "-- tidelock: backfill t key=id\nUPDATE t SET n = id"}[mode])
    database.query("ALTER TABLE t ADD PRIMARY KEY (id), ADD COLUMN n int")
    lock_ledger(locked)
    tidelock("deploy", "--retry-for", "2s", "--lock-timeout", "1s").fails(exit=9, says=["Nothing of 002_c", f"pid {locked.info.backend_pid}"])
    running = tidelock.start("deploy")
    running.wait_for_line("lock timeout")
    locked.execute("COMMIT")
    running.wait(PATIENCE).succeeds()
    assert database.applied() == ["001_t", "002_c"]


BY_HAND = {"applied": ["resolve", "--applied", "002_c"], "rolled back": ["resolve", "--rolled-back", "002_c"], "baseline": ["baseline", "--all"]}


@pytest.mark.parametrize("how", ["signal", "time"])
@pytest.mark.parametrize("command", BY_HAND)
def test_a_command_by_hand_neither_waits_for_ever_nor_acts_after_its_end(database, folder, tidelock, locked, command, how):
    folder.add("002_c", "-- tidelock: transaction=off\nCREATE TABLE c (); SELECT 1 / 0;")
    if command != "baseline":
        tidelock("deploy").fails(exit=7)
    before = [(row.name, row.finished, row.rolled_back) for row in database.ledger()]
    lock_ledger(locked)
    running = tidelock.start(*BY_HAND[command])
    wait_until(lambda: database.value(WAITING), "it to wait for the ledger")
    if how == "signal":
        running.signal(signal.SIGTERM)
    running.wait(PATIENCE).fails(exit=143 if how == "signal" else 9, says=["Nothing was changed."])
    wait_for_nobody(database)
    locked.execute("COMMIT")
    assert [(row.name, row.finished, row.rolled_back) for row in database.ledger()] == before
    tidelock(*BY_HAND[command]).succeeds()


def test_a_signal_ends_the_wait_for_the_ledger(database, folder, tidelock, locked):
    folder.add("002_c", "SELECT pg_sleep(1); ALTER TABLE t ADD COLUMN c int;")
    running = start_and_lock(tidelock, database, locked, "--lock-timeout", "60s")
    wait_until(lambda: database.value(WAITING), "it to wait for the ledger")
    running.signal(signal.SIGTERM)
    running.wait(PATIENCE).fails(exit=143, says="Nothing of 002_c")
    assert database.value(WAITING) == 0


@pytest.mark.parametrize("how", ["timeout", "signal"])
def test_a_deferred_trigger_is_limited(database, folder, tidelock, how):
    folder.add(
        "001_t",
        "CREATE TABLE t (id int); CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NULL; END';"
        " CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()",
    )
    tidelock("deploy").succeeds()
    folder.add("002_insert", "INSERT INTO t VALUES (1)")
    running = tidelock.start("deploy", *(["--migration-timeout", "2s"] if how == "timeout" else []))
    wait_until(lambda: database.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND application_name LIKE 'tidelock%%'"), "the trigger")
    if how == "signal":
        running.signal(signal.SIGTERM)
    running.wait(PATIENCE).fails(exit=143 if how == "signal" else 6, says="Nothing of 002_insert")
    wait_for_nobody(database)
    assert database.value("SELECT count(*) FROM t") == 0


@pytest.fixture
def waiting_server(servers):
    """Its standby is away: COMMIT is done and not answered."""
    server = Server(distribution_major(), servers.binaries[distribution_major()])
    yield server
    server.remove()


@pytest.mark.parametrize("mode", ["atomic", "stepwise"])
def test_a_signal_while_commit_is_not_answered(waiting_server, folder, binary, mode):
    """It is committed: what is not known yet must not be told as "nothing"."""
    database = Database(waiting_server, "postgres", is_there=True)
    tool = Tool(binary, database, folder)
    folder.add("001_t", CREATE_T)
    tool("deploy").succeeds()
    folder.add("002_c", MODES[mode].replace("ALTER", "SELECT pg_sleep(2); ALTER"))
    running = tool.start("deploy")
    wait_for_session(database, "pg_sleep")
    database.query("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    database.query("SELECT pg_reload_conf()")
    wait_until(lambda: database.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name LIKE 'tidelock%%'"), "COMMIT to wait")
    running.signal(signal.SIGTERM)
    result = running.wait(PATIENCE).fails(exit=143, says="It is not known yet whether")
    assert "Nothing of" not in result.errors
    database.query("ALTER SYSTEM RESET synchronous_standby_names")
    database.query("SELECT pg_reload_conf()")
    wait_for_nobody(database)
    tool("deploy").succeeds()
    assert database.applied() == ["001_t", "002_c"]
    assert database.value("SELECT count(*) FROM information_schema.columns WHERE table_name = 't'") == 2


LIMITED = {
    "atomic": ("CREATE TABLE a ();\nSELECT pg_sleep(60);", 2),
    "stepwise": ("-- tidelock: transaction=off\nCREATE TABLE a ();\nSELECT pg_sleep(60);", 3),
    "self-managed": ("BEGIN;\nCREATE TABLE a ();\nSELECT pg_sleep(60);\nCOMMIT;", 3),
}


@pytest.mark.parametrize("major", [17, 18])
@pytest.mark.parametrize("mode", LIMITED)
def test_the_roles_transaction_timeout_is_the_scripts_failure(database, folder, tidelock, mode):
    script, line = LIMITED[mode]
    folder.add("001_a", "CREATE SEQUENCE runs")
    tidelock("deploy").succeeds()
    path = folder.add("002_slow", script.replace("SELECT pg_sleep", "SELECT nextval('runs'), pg_sleep"))
    role = f"limited_{database.name[-8:]}"
    database.query(f"CREATE ROLE {role} LOGIN SUPERUSER; ALTER ROLE {role} SET transaction_timeout = '800ms'")
    try:
        url = database.server.url(database.name, user=role)
        result = tidelock("deploy", url=url)
        result.fails(exit=7 if mode == "stepwise" else 6, says=["P3018", "25P04", "The limit for transactions is 800 ms; it comes from: user.", "transaction_timeout"], at=f"{path.relative_to(folder.root)}:{line}:1")
        assert database.value("SELECT last_value FROM runs") == 1, "it ran again"
        (row,) = [row for row in database.ledger() if row.name == "002_slow"]
        assert "25P04" in row.logs
        tidelock("deploy", "--migration-timeout", "3s", url=url).fails(exit=7 if mode == "stepwise" else 6, says="it took longer than the migration-timeout")
    finally:
        wait_for_nobody(database)
        database.query(f"DROP OWNED BY {role}; DROP ROLE {role}")


SLOW = {
    "atomic": "CREATE TABLE a ();\nSELECT pg_sleep(1);",
    "stepwise": "-- tidelock: transaction=off\nCREATE TABLE a ();\nSELECT pg_sleep(1);",
    "self-managed": "BEGIN;\nCREATE TABLE a ();\nCOMMIT;\nBEGIN;\nSELECT pg_sleep(1);\nCOMMIT;",
    "backfill": "-- tidelock: backfill t key=id target=10s rows=1..1 rest=0%\nUPDATE t SET v = CASE id WHEN 1 THEN 1 ELSE 1 + length(pg_sleep(1)::text) END WHERE v IS NULL;",
}


@pytest.mark.parametrize("major", [17])
@pytest.mark.parametrize("mode", SLOW)
def test_what_is_advised_against_the_roles_transaction_timeout_works(database, folder, tidelock, mode):
    """Whatever of the script is done by then."""
    folder.add("001_t", "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1), (2)")
    tidelock("deploy").succeeds()
    database.query(f"ALTER DATABASE \"{database.name}\" SET transaction_timeout = '400ms'")
    folder.add("002_slow", SLOW[mode])
    result = tidelock("deploy").fails(exit=6 if mode == "atomic" else 7, says=["25P04", "The limit for transactions is 400 ms", "next      Deploy again with --migration-timeout"])
    assert "begin " not in result.errors
    tidelock("deploy", "--migration-timeout", "1h").succeeds(applied=["002_slow"])


LIMITING = {
    "the transaction": (6, "CREATE TABLE a ();\nSET LOCAL transaction_timeout = '300ms';\nSELECT pg_sleep(1);", "Raise transaction_timeout in prisma/migrations/002_slow/migration.sql, line 2, and deploy again.", None),
    "a statement that is done": (7, "-- tidelock: transaction=off\nSET transaction_timeout = '300ms';\nCREATE TABLE a ();\nSELECT pg_sleep(1);", "before statement 3 (line 4), where it resumes", 4),
    "outside a transaction that is done": (7, "SET transaction_timeout = '300ms';\nBEGIN; CREATE TABLE a ();\nCOMMIT;\nBEGIN;\nSELECT pg_sleep(1);\nCOMMIT;", "before statement 5 (line 4), where it resumes", 4),
    "after what is done": (7, "-- tidelock: transaction=off\nCREATE TABLE a ();\nSELECT set_config('transaction_timeout', '300ms', false), pg_sleep(1);", "Raise transaction_timeout in prisma/migrations/002_slow/migration.sql, line 3, and deploy again.", None),
    "what it calls": (6, "SELECT limiting();\nSELECT pg_sleep(1);", "Find what sets transaction_timeout, a function or a trigger", None),
}


@pytest.mark.parametrize("major", [17])
@pytest.mark.parametrize("where", LIMITING)
def test_what_is_advised_against_the_scripts_own_transaction_timeout_works(database, folder, tidelock, where):
    """Where that is set by what is done, another line in front would be a changed script."""
    code, script, advice, line = LIMITING[where]
    folder.add("001_f", "CREATE FUNCTION limiting() RETURNS void LANGUAGE sql AS $$ SELECT set_config('transaction_timeout', '300ms', false) $$")
    tidelock("deploy").succeeds()
    folder.add("002_slow", script)
    tidelock("deploy").fails(exit=code, says=["25P04", advice])
    lines = script.split("\n")
    if line:
        lines.insert(line - 1, "SET transaction_timeout = 0;")
    folder.replace("002_slow", "\n".join(lines).replace("'300ms'", "'300ms'" if line else "'1h'"))
    if where == "what it calls":
        database.query("CREATE OR REPLACE FUNCTION limiting() RETURNS void LANGUAGE sql AS ''")
    tidelock("deploy").succeeds(applied=["002_slow"])


@pytest.mark.parametrize("major", [17])
@pytest.mark.parametrize("mode", LIMITED)
def test_the_migration_timeout_takes_the_place_of_the_roles(database, folder, tidelock, mode):
    script, _ = LIMITED[mode]
    folder.add("001_a", script.replace("60", "2"))
    database.query(f"ALTER DATABASE \"{database.name}\" SET transaction_timeout = '800ms'")
    tidelock("deploy").fails(exit=7 if mode == "stepwise" else 6, says="it comes from: database.")
    tidelock("deploy", "--migration-timeout", "60s").succeeds(applied=["001_a"])


@pytest.mark.parametrize("major", [17])
def test_the_server_ends_what_a_stopped_process_does_not(database, folder, tidelock):
    """Also where the role has a longer limit of its own."""
    folder.add("001_a", LIMITED["atomic"][0])
    database.query(f"ALTER DATABASE \"{database.name}\" SET transaction_timeout = '50s'")
    running = tidelock.start("deploy", "--migration-timeout", "1s")
    wait_for_session(database, "pg_sleep")
    running.signal(signal.SIGSTOP)
    wait_for_nobody(database)
    running.signal(signal.SIGCONT)
    result = running.wait(PATIENCE).fails(exit=6, says=["it took longer than the migration-timeout", "Nothing of 001_a"])
    assert "reconnecting" not in result.errors


WAITING_FOR_T = {
    "atomic": "ALTER TABLE t ADD COLUMN w int;",
    "stepwise": "-- tidelock: transaction=off\nALTER TABLE t ADD COLUMN w int;",
    "self-managed": "BEGIN;\nALTER TABLE t ADD COLUMN w int;\nCOMMIT;",
    "partial": "BEGIN;\nCREATE TABLE a ();\nCOMMIT;\nALTER TABLE t ADD COLUMN w int;",
    "backfill": "-- tidelock: backfill t key=id target=20ms\nUPDATE t SET v = 1;",
}


@pytest.mark.parametrize("mode", WAITING_FOR_T)
def test_the_migration_timeout_is_named_where_it_ends_the_attempts(database, folder, tidelock, mode):
    """More time for them alone would not help."""
    folder.add("001_t", "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT generate_series(1, 9)")
    tidelock("deploy").succeeds()
    folder.add("002_w", WAITING_FOR_T[mode])
    with database.connect() as holder:
        holder.execute("BEGIN; LOCK TABLE t IN SHARE MODE")
        result = tidelock("deploy", "--migration-timeout", "3s")
        assert result.code in (7 if mode == "partial" else 6, 9), result.errors
        assert "--migration-timeout" in result.errors and "--retry-for" not in result.errors and "10 min" not in result.errors, result.errors
        assert ": the migration-timeout of 3.0 s leaves no time for another." in result.errors or "it took longer than the migration-timeout" in result.errors
        folder.replace("002_w", "-- tidelock: retry-for=1s\n" + WAITING_FOR_T[mode])
        tidelock("deploy", "--migration-timeout", "1h").fails(exit=9, says=["in 1.0 s.", "retry-for=… in the script's directive"])
        holder.execute("COMMIT")
    tidelock("deploy").succeeds(applied=["002_w"])


@pytest.mark.parametrize("code", ["08000", "08006", "08P01", "28P01", "3D000", "53300", "57P01", "57P03", "57P05", "25P03", "25P04"])
@pytest.mark.parametrize("mode", ["atomic", "stepwise"])
def test_what_a_statement_raises_is_its_own_failure(database, folder, tidelock, code, mode):
    folder.add("001_runs", "CREATE SEQUENCE runs")
    tidelock("deploy").succeeds()
    raising = f"DO $$ BEGIN PERFORM nextval('runs'); RAISE EXCEPTION 'the other server is away' USING ERRCODE = '{code}'; END $$;"
    path = folder.add("002_raises", ("-- tidelock: transaction=off\n" if mode == "stepwise" else "\n") + raising)
    tidelock("deploy").fails(exit=6, says=["P3018", code, "the other server is away", "Nothing of 002_raises"], at=f"{path.relative_to(folder.root)}:2:1")
    assert database.value("SELECT last_value FROM runs") == 1
    assert [(row.name, row.rolled_back) for row in database.ledger()] == [("001_runs", False), ("002_raises", True)]


def test_what_is_raised_at_commit_is_the_scripts_failure(database, folder, tidelock):
    folder.add(
        "001_t",
        "CREATE TABLE t (id int); CREATE FUNCTION away() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'away' USING ERRCODE = '08006'; END $$;"
        " CREATE CONSTRAINT TRIGGER away AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION away()",
    )
    tidelock("deploy").succeeds()
    folder.add("002_insert", "INSERT INTO t VALUES (1)")
    result = tidelock("deploy").fails(exit=6, says=["P3018", "08006", "Nothing of 002_insert"])
    assert "reconnecting" not in result.errors
