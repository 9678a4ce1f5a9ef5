"""What the last lines say is proven: the ledger is what was read, what is left over is named, and nothing is called clean before it is."""

import contextlib
import re

import psycopg
import pytest
from tool import wait_for_nobody, wait_for_session
from wait import wait_until

pytestmark = pytest.mark.fault

ATOMIC = "CREATE TABLE made ();\nSELECT count(*) FROM gate();"
SELF_MANAGED = "BEGIN; CREATE TABLE made (); COMMIT;\nBEGIN; SELECT count(*) FROM gate(); COMMIT;"
STEPWISE = "-- tidelock: transaction=off\nCREATE TABLE made ();\nSELECT count(*) FROM gate();"
SCRIPTS = {"atomic": ATOMIC, "self-managed": SELF_MANAGED, "stepwise": STEPWISE}
# Holds the script up until the test has a row in it.
GATE = """
CREATE TABLE opened ();
CREATE FUNCTION gate() RETURNS SETOF int LANGUAGE plpgsql AS $$ BEGIN
  WHILE NOT EXISTS (SELECT FROM opened) LOOP PERFORM pg_sleep(0.01); END LOOP; END $$;
"""


@pytest.fixture
def gated(database, folder, tidelock):
    """A database with an applied migration, and a gate."""
    database.query(GATE)
    folder.add("000_before", "SELECT 1")
    tidelock("baseline").succeeds()


def meanwhile(database, folder, tidelock, script, sql):
    """Runs the script, and `sql` by somebody else while it waits in its gate."""
    folder.add("001_script", script)
    running = tidelock.start("deploy")
    wait_for_session(database, "FROM gate")
    database.query(sql)
    database.query("INSERT INTO opened DEFAULT VALUES")
    return running.wait()


EMPTIED = ["TRUNCATE _prisma_migrations", "DROP TABLE _prisma_migrations", "CREATE TABLE other (LIKE _prisma_migrations INCLUDING ALL); DROP TABLE _prisma_migrations; ALTER TABLE other RENAME TO _prisma_migrations"]


@pytest.mark.parametrize("sql", EMPTIED)
@pytest.mark.parametrize("mode", SCRIPTS)
def test_a_ledger_that_is_emptied_meanwhile(database, folder, tidelock, gated, mode, sql):
    result = meanwhile(database, folder, tidelock, SCRIPTS[mode], sql)
    result.fails(exit=6 if mode == "atomic" else 7, says="changed during this run: " + ("the table is gone" if sql.startswith("DROP") else ""))
    assert database.holds("made") == (mode != "atomic")
    if mode != "atomic" and not sql.startswith("DROP"):
        # What is done is not done again.
        [row] = database.ledger()
        assert (row.name, row.finished, row.steps) == ("001_script", False, 3 if mode == "self-managed" else 1)
        folder.remove("000_before")
        tidelock("deploy").succeeds(applied=["001_script"])


OURS = "WHERE migration_name = '001_script'"
TOUCHED = {
    f"DELETE FROM _prisma_migrations {OURS}": "has been deleted",
    f"UPDATE _prisma_migrations SET rolled_back_at = now() {OURS}": "marked the row of this migration as rolled back",
    f"UPDATE _prisma_migrations SET finished_at = now() {OURS}": "marked the row of this migration as applied",
    f"UPDATE _prisma_migrations SET applied_steps_count = 2 {OURS}": "2 statements done where this run has recorded",
}


@pytest.mark.parametrize("sql", TOUCHED)
@pytest.mark.parametrize("mode", ["self-managed", "stepwise"])
def test_a_row_that_somebody_touches_meanwhile(database, folder, tidelock, gated, mode, sql):
    meanwhile(database, folder, tidelock, SCRIPTS[mode], sql).fails(exit=7, says=[TOUCHED[sql], "persist", "CREATE TABLE made"])
    assert database.holds("made")


def test_a_migration_that_somebody_records_meanwhile(database, folder, tidelock, gated):
    other = "INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('x', 'x', '001_script', now())"
    meanwhile(database, folder, tidelock, ATOMIC, other).fails(exit=6, says=["another process has recorded this migration meanwhile", "Nothing of 001_script"])
    assert not database.holds("made")
    assert [row.id for row in database.ledger() if row.name == "001_script" and not row.rolled_back] == ["x"]


SWALLOW = "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} END $$; CREATE TRIGGER swallow {} ON _prisma_migrations FOR EACH ROW EXECUTE FUNCTION swallow()"
SWALLOWED = {
    "before": SWALLOW.format("RETURN NULL;", "BEFORE INSERT OR UPDATE"),
    "undone": SWALLOW.format("NEW.finished_at := NULL; RETURN NEW;", "BEFORE INSERT OR UPDATE"),
    "after": SWALLOW.format("DELETE FROM _prisma_migrations WHERE id = NEW.id; RETURN NEW;", "AFTER INSERT OR UPDATE"),
    "rule": "CREATE RULE swallow AS ON INSERT TO _prisma_migrations DO INSTEAD NOTHING",
}


@pytest.mark.every_major
@pytest.mark.parametrize("how", SWALLOWED)
@pytest.mark.parametrize("mode", SCRIPTS)
def test_what_is_written_is_swallowed(database, folder, tidelock, gated, mode, how):
    database.query(SWALLOWED[how])
    database.query("INSERT INTO opened DEFAULT VALUES")
    folder.add("001_script", SCRIPTS[mode])
    result = tidelock("deploy")
    assert result.code in (6, 7, 8) and "applied 001_script" not in result.errors, result.errors
    assert "does not stay" in result.errors, result.errors
    # Nothing was begun, but for what writes a row only at its end.
    assert database.holds("made") == (mode != "atomic" and how == "undone")
    assert "001_script" not in database.applied()
    for command in [("resolve", "--applied", "001_script"), ("baseline", "--all")]:
        if "001_script" not in [row.name for row in database.ledger()]:
            tidelock(*command).fails(exit=8, says="does not stay")
    assert "001_script" not in database.applied()


def test_a_script_that_deletes_its_own_row(database, folder, tidelock):
    folder.add("001_counter", "CREATE TABLE counter AS SELECT 0 AS n")
    folder.add("002_b", "BEGIN; UPDATE counter SET n = n + 1; COMMIT;\nBEGIN; DELETE FROM _prisma_migrations WHERE migration_name LIKE '002%'; COMMIT;")
    for _ in range(2):
        tidelock("deploy").fails(exit=7, says=["does not stay", "3 of 6 statements done; what persists: line 1: UPDATE counter"])
    assert database.value("SELECT n FROM counter") == 1


OWN_ROW = "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'x', '001_script');"
OWN_ROWS = {
    "atomic": (6, f"CREATE TABLE made ();\n{OWN_ROW}", 2),
    "stepwise": (7, f"-- tidelock: transaction=off\nCREATE TABLE made ();\n{OWN_ROW}", 3),
    "self-managed": (6, f"BEGIN;\nCREATE TABLE made ();\n{OWN_ROW}\nCOMMIT;", 3),
    "what commits by itself": (7, "-- tidelock: transaction=off\nCALL adding();\nCREATE TABLE made ();", None),
    "what commits by itself, at the end": (7, "-- tidelock: transaction=off\nCREATE TABLE made ();\nCALL adding();", None),
}


@pytest.mark.parametrize("how", OWN_ROWS)
def test_a_script_that_adds_an_unfinished_row_of_its_own(database, folder, tidelock, how):
    """The next run would refuse to begin."""
    code, script, line = OWN_ROWS[how]
    folder.add("000_before", f"CREATE PROCEDURE adding() LANGUAGE plpgsql AS $$ BEGIN COMMIT; {OWN_ROW} COMMIT; END $$")
    tidelock("deploy").succeeds()
    folder.add("001_script", script)
    result = tidelock("deploy").fails(exit=code, says=f"The script itself names the ledger's table, in line {line}: take that out of " if line else "it has another row for this migration now")
    if line:
        assert not database.value("SELECT count(*) FROM _prisma_migrations WHERE id = 'x'")
        folder.replace("001_script", script.replace(OWN_ROW, "SELECT 1;"))
    else:
        database.query(re.search(r"DELETE FROM .*;", result.errors)[0])
    tidelock("deploy").succeeds(applied=["001_script"])
    assert database.holds("made") and tidelock("status", "--exit-code").code == 0


CHANGING = {
    "atomic": (6, "CREATE TABLE made ();\nDELETE FROM _prisma_migrations;", 2),
    "stepwise": (7, "-- tidelock: transaction=off\nCREATE TABLE made ();\nDELETE FROM _prisma_migrations WHERE migration_name = '001_script';", 3),
    "self-managed": (7, "BEGIN; CREATE TABLE made (); COMMIT;\nBEGIN; UPDATE _prisma_migrations SET applied_steps_count = 9; COMMIT;", 2),
}


@pytest.mark.parametrize("mode", CHANGING)
def test_a_script_that_names_the_ledger_is_the_suspect(database, folder, tidelock, mode):
    code, script, line = CHANGING[mode]
    folder.add("000_before", "SELECT 1")
    tidelock("deploy").succeeds()
    folder.add("001_script", script)
    tidelock("deploy").fails(exit=code, says=["changed during this run", f"The script itself names the ledger's table, in line {line}"])


def test_a_last_write_that_fails_says_what_was_committed(database, folder, tidelock, gated):
    database.query("INSERT INTO opened DEFAULT VALUES")
    database.query(
        "CREATE FUNCTION deny() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.finished_at IS NOT NULL THEN RAISE 'not today'; END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER deny BEFORE UPDATE ON _prisma_migrations FOR EACH ROW EXECUTE FUNCTION deny()"
    )
    folder.add("001_script", STEPWISE)
    for _ in range(2):
        tidelock("deploy").fails(exit=7, says=["not today", "2 of 2 statements persisted", "nothing else is left to do"])
    database.query("DROP TRIGGER deny ON _prisma_migrations")
    tidelock("deploy").succeeds(applied=["001_script"])


# What stops it while it builds, repairs, and repairs again.
BEFORE = """
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT i, i FROM generate_series(1, 100) AS i; CREATE INDEX t_a ON t (a);
CREATE TABLE parted (id int) PARTITION BY RANGE (id); CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
"""
KINDS = {
    "CREATE INDEX CONCURRENTLY t_new ON t (a, id)": ("UPDATE t SET a = a WHERE id = 1", '"public"."t_new"'),
    "REINDEX INDEX CONCURRENTLY t_a": ("UPDATE t SET a = a WHERE id = 1", "t_a_ccnew"),
    "DROP INDEX CONCURRENTLY t_a": ("SELECT FROM t LIMIT 1", '"t_a"'),
    "ALTER TABLE parted DETACH PARTITION parted_1 CONCURRENTLY": ("SELECT FROM parted LIMIT 1", "half-detached partition"),
}
LEFT = """
SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid
UNION ALL SELECT inhrelid::regclass::text FROM pg_inherits WHERE (to_jsonb(pg_inherits) ->> 'inhdetachpending')::boolean
"""


def set_up(database, server, folder, tidelock, script):
    """A folder in which the script is pending; what is in its way, and what it leaves then."""
    if "DETACH" in script and server.major < 14:
        pytest.skip("not before version 14")
    database.query(BEFORE)
    folder.add("000_before", "SELECT 1")
    tidelock("baseline").succeeds()
    folder.add("001_alone", script)
    return KINDS[script]


@contextlib.contextmanager
def in_the_way(database, sql):
    with psycopg.connect(database.url(), autocommit=True) as other:
        other.execute("BEGIN")
        other.execute(sql)
        yield other.info.backend_pid


def blocked_session(database, blocker):
    find = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'tidelock%%' AND %s = ANY (pg_blocking_pids(pid))"
    return wait_until(lambda: database.query(find, blocker), "it to wait")[0][0]


def stop(database, running, blocker, how):
    pid = blocked_session(database, blocker)
    if how == "SIGTERM":
        running.signal()
    elif how == "SIGKILL":
        running.kill()
        database.query("SELECT pg_terminate_backend(%s)", pid)
        wait_for_nobody(database)
        return None
    elif how == "cancelled":
        database.query("SELECT pg_cancel_backend(%s)", pid)
        # Where it then clears up, it waits again.
        while running.process.poll() is None:
            again = database.query("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'tidelock%%' AND %s = ANY (pg_blocking_pids(pid))", blocker)
            if again:
                database.query("SELECT pg_cancel_backend(%s)", again[0][0])
    result = running.wait()
    wait_for_nobody(database)
    return result


@pytest.mark.parametrize("how", ["SIGTERM", "SIGKILL", "cancelled", "its time is over"])
@pytest.mark.parametrize("script", KINDS)
def test_stopped_in_the_first_run_and_in_those_that_repair(database, server, folder, tidelock, script, how):
    blocker_sql, name = set_up(database, server, folder, tidelock, script)
    words = ["--migration-timeout", "2s"] if how == "its time is over" else []
    with in_the_way(database, blocker_sql) as blocker:
        for _ in range(3):
            result = stop(database, tidelock.start("deploy", *words), blocker, how)
            if result is None:
                continue
            assert result.code in (7, 143), result._explain("it was stopped")
            if database.query(LEFT):
                assert "Nothing of" not in result.errors and name in result.errors, result._explain("what is left is named")
            [row] = [row for row in database.ledger() if row.name == "001_alone" and not row.rolled_back]
            assert not row.finished and database.value("SELECT count(*) FROM tidelock.intent") == 1
    tidelock("deploy").succeeds(applied=["001_alone"])
    assert not database.query(LEFT)
    assert database.value("SELECT count(*) FROM tidelock.intent") == 0


EDITED = {
    "another statement": "SELECT 1",
    "a statement before it": "CREATE TABLE more ();\n{}",
    "in a transaction": "-- tidelock: transaction=on\nCREATE TABLE more ()",
    "nothing": "-- nothing any more",
}


@pytest.mark.parametrize("edit", EDITED)
@pytest.mark.parametrize("script", KINDS)
def test_a_script_that_is_edited_after_a_kill_loses_nothing_of_it(database, server, folder, tidelock, script, edit):
    """What the interrupted statement left is cleaned up by its intent, or named."""
    blocker_sql, name = set_up(database, server, folder, tidelock, script)
    with in_the_way(database, blocker_sql) as blocker:
        stop(database, tidelock.start("deploy"), blocker, "SIGKILL")
    was_left = database.query(LEFT)
    folder.replace("001_alone", EDITED[edit].format(script))
    result = tidelock("deploy")
    if result.code == 0:
        assert not database.query(LEFT) and database.applied() == ["000_before", "001_alone"]
    else:
        assert "Nothing of 001_alone from this run" in result.errors or "Left over" in result.errors, result._explain("it does not say that nothing is left")
        assert was_left and database.value("SELECT count(*) FROM tidelock.intent") == 1
        # The former script still goes on from there.
        folder.replace("001_alone", script)
        tidelock("deploy").succeeds(applied=["001_alone"])
        assert not database.query(LEFT)
    assert database.value("SELECT count(*) FROM tidelock.intent") == 0


def test_an_index_that_was_left_is_found_when_its_table_was_renamed(database, server, folder, tidelock):
    blocker_sql, name = set_up(database, server, folder, tidelock, next(iter(KINDS)))
    with in_the_way(database, blocker_sql) as blocker:
        stop(database, tidelock.start("deploy"), blocker, "SIGKILL")
    database.query("ALTER TABLE t RENAME TO renamed")
    tidelock("deploy").fails(exit=7, says=[f"the index {name} is INVALID", f"DROP INDEX CONCURRENTLY {name}"])
    assert database.query(LEFT)
    database.query("DROP INDEX t_new")
    database.query("ALTER TABLE renamed RENAME TO t")
    tidelock("deploy").succeeds(applied=["001_alone"])


RESUMED = {
    "set_config": ("SELECT set_config('search_path', 'tenant', false)", "tenant"),
    "SET": ("SET search_path = tenant", "tenant"),
    "SET in a block": ("BEGIN; SET search_path = tenant; COMMIT", "tenant"),
    "SET in a function": ("DO $$ BEGIN PERFORM set_config('search_path', 'tenant', false); END $$", "tenant"),
    "SET of a rolled-back block": ("BEGIN; SET search_path = tenant; ROLLBACK", "public"),
    "SET LOCAL": ("BEGIN; SET LOCAL search_path = tenant; COMMIT", "public"),
    "SET rolled back to a savepoint": ("BEGIN; SAVEPOINT s; SET search_path = tenant; ROLLBACK TO s; COMMIT", "public"),
    "RESET ALL": ("SET search_path = tenant; RESET ALL", "public"),
}


@pytest.mark.every_major
@pytest.mark.parametrize("how", RESUMED)
def test_what_a_script_has_set_is_there_when_it_resumes(database, folder, tidelock, how):
    database.query("CREATE SCHEMA tenant; CREATE TABLE public.opened (n int)")
    tidelock("baseline").succeeds()
    sets, schema = RESUMED[how]
    folder.add("001_set", f"{sets};\nBEGIN; CREATE TABLE first (); COMMIT;\nSELECT 1 / count(*) FROM public.opened;\nCREATE TABLE second ();\nBEGIN; COMMIT;")
    tidelock("deploy").fails(exit=7, says="division by zero")
    database.query("INSERT INTO opened VALUES (1)")
    tidelock("deploy").succeeds(applied=["001_set"])
    assert database.query("SELECT tablename, schemaname FROM pg_tables WHERE tablename IN ('first', 'second') ORDER BY 1") == [("first", schema), ("second", schema)]
    assert database.value("SELECT count(*) FROM tidelock.session") == 0


KEPT = {
    "CREATE TEMPORARY TABLE scratch AS SELECT 1 AS id": "INSERT INTO result SELECT id FROM scratch",
    "PREPARE fill AS INSERT INTO result VALUES (1)": "EXECUTE fill",
    "BEGIN; DECLARE kept CURSOR WITH HOLD FOR SELECT 1; COMMIT": "FETCH ALL FROM kept; INSERT INTO result VALUES (1)",
    "SELECT pg_advisory_lock(4711)": "SELECT 1 / pg_advisory_unlock(4711)::int; INSERT INTO result VALUES (1)",
}


@pytest.mark.parametrize("keeps", KEPT)
def test_what_no_other_session_can_have_is_not_guessed(database, folder, tidelock, keeps):
    database.query("CREATE TABLE opened (n int); CREATE TABLE result (id int)")
    tidelock("baseline").succeeds()
    folder.add("001_keep", f"BEGIN; COMMIT;\n{keeps};\nBEGIN; SELECT 1 / count(*) FROM opened; COMMIT;\n{KEPT[keeps]};")
    tidelock("deploy").fails(exit=7, says=["division by zero", "It cannot be resumed: the", "ended with the session of that run", 'resolve --applied "001_keep"'])
    database.query("INSERT INTO opened VALUES (1)")
    tidelock("deploy").fails(exit=7, says=["cannot be resumed at statement", "ended with the session of that run", "resolve --applied"])
    assert database.value("SELECT count(*) FROM result") == 0
    [row] = database.ledger()
    assert not row.finished and not row.rolled_back


def test_without_a_journal_what_was_set_is_not_guessed(database, folder, tidelock):
    role = f"plain_{database.name}"
    database.query(f"CREATE ROLE {role} LOGIN; CREATE TABLE opened (n int); GRANT ALL ON SCHEMA public TO {role}; GRANT ALL ON opened TO {role}; ALTER TABLE opened OWNER TO {role}")
    try:
        url = database.server.url(database.name, user=role)
        tidelock("baseline", url=url).succeeds()
        rest = "BEGIN; CREATE TABLE first (); COMMIT;\nSELECT 1 / count(*) FROM public.opened;"
        folder.add("001_plain", rest)
        folder.add("002_set", f"BEGIN; SET application_name = 'secret'; COMMIT;\n{rest.replace('first', 'second')}")
        tidelock("deploy", url=url).fails(exit=7, says="division by zero")
        database.query("INSERT INTO opened VALUES (1)")
        tidelock("deploy", url=url).succeeds(applied=["001_plain", "002_set"])
        database.query("DELETE FROM opened")
        folder.add("003_set", f"BEGIN; SET application_name = 'secret'; COMMIT;\n{rest.replace('first', 'third')}")
        tidelock("deploy", url=url).fails(exit=7, says="division by zero")
        database.query("INSERT INTO opened VALUES (1)")
        tidelock("deploy", url=url).fails(exit=7, says=["cannot be resumed", "GRANT CREATE ON DATABASE"])
    finally:
        database.query(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


@pytest.mark.parametrize("head", ["", "-- tidelock: transaction=off\n"], ids=["atomic", "stepwise"])
@pytest.mark.parametrize("sets", ["RESET ALL", "BEGIN; RESET ALL; CREATE TABLE made (); COMMIT", "DO $$ BEGIN RESET ALL; END $$", "DISCARD ALL"])
def test_a_script_cannot_take_the_safety_net_away(database, folder, tidelock, sets, head):
    database.query("CREATE SCHEMA app; CREATE TABLE app.seen (name text, value text)")
    tidelock("baseline", url=database.url(schema="app")).succeeds()
    names = "('lock_timeout', 'idle_in_transaction_session_timeout', 'search_path')"
    note = f"INSERT INTO app.seen SELECT name, setting FROM pg_settings WHERE name IN {names};"
    folder.add("001_net", f"{head}{note}\n{sets};\n{note}" if "BEGIN;" not in sets else f"{note}\n{sets.replace('RESET ALL;', f'RESET ALL; {note}')};\n")
    tidelock("deploy", url=database.url(schema="app")).succeeds(applied=["001_net"])
    seen = database.query("SELECT * FROM app.seen")
    assert len(seen) == 6 and seen.count(("search_path", "app")) == seen.count(("idle_in_transaction_session_timeout", "60000")) == 2, seen
    assert ("lock_timeout", "0") not in seen


def test_a_backfill_that_fails_before_it_resumes_keeps_its_progress(database, folder, tidelock):
    database.query("CREATE TABLE orders (id int PRIMARY KEY, n int); INSERT INTO orders SELECT i, 0 FROM generate_series(1, 60) AS i")
    tidelock("baseline").succeeds()
    database.query("CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id > 30 THEN RAISE 'enough'; END IF; RETURN NEW; END $$;"
                   "CREATE TRIGGER stop BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION stop()")
    folder.add("001_fill", "-- tidelock: backfill orders key=id rows=25..25 rest=0%\nUPDATE orders SET n = n + 1")
    tidelock("deploy").fails(exit=7, says="enough")
    database.query("DROP TRIGGER stop ON orders; ALTER TABLE orders RENAME TO away")
    tidelock("deploy").fails(exit=7, says="an earlier run of the backfill has changed persists")
    database.query("ALTER TABLE away RENAME TO orders")
    tidelock("deploy").succeeds(applied=["001_fill"])
    assert database.query("SELECT DISTINCT n FROM orders") == [(1,)]
