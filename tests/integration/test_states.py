"""running, interrupted, failed: told apart by status and metrics, whatever way a migration runs; and who did what, when."""

import contextlib
import datetime
import json
import re

import jsonschema
import pytest
from status import CHECKER, migration_of, schema_of, states_of, status_of
from tool import wait_for_nobody, wait_for_session
from wait import wait_until

STEPWISE = "-- tidelock: transaction=off\nCREATE TABLE {0} (id int);\nCREATE TABLE {0}_more (id int);\n{1};\nSELECT 1;\n"


@contextlib.contextmanager
def blocking(database, statement):
    """A transaction that holds what `statement` takes."""
    with database.connect() as other, other.transaction():
        other.execute(statement)
        yield


def count_in(file, state):
    text = file.read_text() if file.exists() else ""
    found = re.search(rf'^tidelock_migrations\{{[^}}]*state="{state}"[^}}]*\}} (\d+)$', text, re.M)
    return found and int(found[1])


# ---- running ----


def test_an_atomic_migration_that_runs(database, folder, tidelock, tmp_path):
    folder.add("001_a", "CREATE TABLE a ()")
    folder.add("002_slow", "SELECT pg_sleep(600)")
    folder.add("003_c", "CREATE TABLE c ()")
    running = tidelock.start("deploy", "--status-file", tmp_path / "metrics", environment={"POD_NAME": "web-1", "POD_NAMESPACE": "shop"})
    pid = wait_for_session(database, "pg_sleep")
    data = status_of(tidelock)
    assert states_of(data) == {"001_a": "applied", "002_slow": "running", "003_c": "pending"}
    assert data["running"] and data["leader"]["pid"] == pid and data["leader"]["application"] == "tidelock web-1 shop"
    assert data["counts"]["running"] == 1 and data["counts"]["pending"] == 1 and data["failed"] == []
    said = tidelock("status").succeeds().out
    assert "running     002_slow" in said and f'pid {pid} ("tidelock web-1 shop")' in said and "1 running" in said
    assert count_in(tmp_path / "metrics", "running") == 1 and count_in(tmp_path / "metrics", "pending") == 1
    tidelock("status", "--exit-code").fails(exit=1)
    running.signal()
    running.wait().fails(exit=143)
    wait_for_nobody(database)
    assert states_of(status_of(tidelock))["002_slow"] == "pending"
    assert count_in(tmp_path / "metrics", "running") == 0 and count_in(tmp_path / "metrics", "pending") == 2


SEEN = "SELECT to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM pg_stat_activity WHERE pid = %s"


def test_what_can_be_seen_of_an_atomic_one_is_said(database, folder, tidelock):
    """It has no row yet; who leads, and since when, tells the session. The run began before its transaction did."""
    folder.add("001_a", "SELECT pg_sleep(1.1)")
    folder.add("002_slow", "CREATE TABLE t ();\nSELECT pg_sleep(600);\n")
    running = tidelock.start("deploy", environment={"POD_NAME": "web-1", "POD_NAMESPACE": "shop"})
    pid = wait_for_session(database, "pg_sleep(600)")
    data = status_of(tidelock)
    entry = migration_of(data, "002_slow")
    assert entry["by"] == {"host": "web-1", "version": None, "release": None} and entry["failure"] is None
    assert entry["progress"] == {"statements_done": None, "statements": 2, "rows_changed": None}
    assert entry["started_at"] == database.value(SEEN.format("xact_start"), pid)
    assert data["leader"]["since"] == database.value(SEEN.format("backend_start"), pid) < entry["started_at"]
    said = tidelock("status").succeeds().out
    assert f"at work since {data['leader']['since']}." in said and "; 2 statements in one transaction" in said
    running.kill()


def test_it_runs_also_while_it_rests_between_attempts(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy").succeeds()
    folder.add("002_alter", "ALTER TABLE a ADD COLUMN x int")
    with blocking(database, "LOCK TABLE a"):
        running = tidelock.start("deploy")
        running.wait_for_line("blocked")
        assert {states_of(status_of(tidelock))["002_alter"] for _ in range(5)} == {"running"}
    running.wait().succeeds(applied=["002_alter"])


def test_a_stepwise_migration_that_runs(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t (id int)")
    folder.add("002_steps", STEPWISE.format("u", "CREATE INDEX CONCURRENTLY t_id ON t (id)"))
    with contextlib.ExitStack() as stack:
        database.query("CREATE TABLE t (id int)")
        tidelock("baseline", "--to", "001_t").succeeds()
        stack.enter_context(blocking(database, "LOCK TABLE t IN ROW EXCLUSIVE MODE"))
        running = tidelock.start("deploy")
        wait_for_session(database, "CREATE INDEX CONCURRENTLY")
        data = status_of(tidelock)
        assert states_of(data)["002_steps"] == "running" and data["failed"] == []
        assert migration_of(data, "002_steps")["progress"] == {"statements_done": 2, "statements": 4, "rows_changed": None}
        assert "create index concurrently" in data["leader"]["statement"]
        said = tidelock("status").succeeds().out
        assert "running     002_steps" in said and "statement 3 of 4" in said and "failed  " not in said
    running.wait().succeeds(applied=["002_steps"])


def test_a_backfill_that_runs(database, folder, tidelock):
    database.query("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT i, 0 FROM generate_series(1, 5000) AS i")
    database.query("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.005); RETURN NEW; END'")
    database.query("CREATE TRIGGER t BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION slow()")
    folder.add("000_base", "SELECT 1")
    tidelock("baseline").succeeds()
    folder.add("001_fill", "-- tidelock: backfill t\nUPDATE t SET v = 1;")
    running = tidelock.start("deploy")
    wait_until(lambda: database.holds("tidelock.backfill") and database.value("SELECT COALESCE(max(changed), 0) FROM tidelock.backfill") > 0, "the first batch")
    entry = migration_of(status_of(tidelock), "001_fill")
    assert entry["state"] == "running" and entry["progress"]["rows_changed"] > 0 and entry["failure"] is None
    running.signal()
    running.wait().fails(exit=143)
    wait_for_nobody(database)
    entry = migration_of(status_of(tidelock), "001_fill")
    assert entry["state"] == "interrupted" and "what the backfill has changed so far" in entry["failure"]["persists"]


def test_what_is_not_in_the_folder_can_run(database, folder, tidelock):
    file = folder.add("001_steps", STEPWISE.format("u", "SELECT pg_sleep(600)"))
    running = tidelock.start("deploy")
    wait_for_session(database, "pg_sleep")
    file.unlink()
    file.parent.rmdir()
    folder.add("000_other", "SELECT 1")
    data = status_of(tidelock)
    assert states_of(data) == {"000_other": "pending", "001_steps": "running"} and not migration_of(data, "001_steps")["in_folder"]
    running.kill()


def test_another_tool_that_leads_is_named(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t ()")
    with database.connect() as other:
        other.execute("SET application_name = 'a person'; SELECT pg_advisory_lock(72707369)")
        data = status_of(tidelock)
        assert data["running"] and data["leader"]["application"] == "a person" and states_of(data) == {"001_t": "pending"}
        tidelock("status").succeeds(says="A deployment is running: pid")


# ---- interrupted ----


@pytest.mark.parametrize("way", ["killed", "asked to stop"])
def test_a_stepwise_migration_that_was_stopped(database, folder, tidelock, way, tmp_path):
    folder.add("001_steps", STEPWISE.format("u", "SELECT pg_sleep(600)"))
    running = tidelock.start("deploy", "--status-file", tmp_path / "metrics")
    wait_for_session(database, "pg_sleep")
    if way == "killed":
        running.kill()
        database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'tidelock%%' AND datname = current_database()")
    else:
        running.signal()
        running.wait().fails(exit=143)
        assert count_in(tmp_path / "metrics", "interrupted") == 1 and count_in(tmp_path / "metrics", "failed") == 0
    wait_for_nobody(database)
    data = status_of(tidelock)
    entry = migration_of(data, "001_steps")
    assert entry["state"] == "interrupted" and data["counts"]["interrupted"] == 1 and data["failed"] == ["001_steps"] and not data["running"]
    assert entry["failure"]["persists"] == "2 of 4 statements done; what persists: line 2: CREATE TABLE u (id int); line 3: CREATE TABLE u_more (id int)"
    assert (entry["failure"]["reason"] is None) == (way == "killed")
    said = tidelock("status").succeeds().out
    assert "interrupted 001_steps  (halfway; the next deployment resumes it" in said and "1 interrupted, 0 failed" in said


def test_one_that_another_tool_left_unfinished_is_not_resumed(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t ()")
    tidelock("deploy").succeeds()
    folder.add("002_u", "CREATE TABLE u ()")
    database.query("INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', repeat('0', 64), '002_u')")
    entry = migration_of(status_of(tidelock), "002_u")
    assert entry["state"] == "interrupted" and entry["failure"] is None
    tidelock("status").succeeds(says="not known: another tool began it")
    tidelock("deploy").fails(exit=8, says=["P3009", '"002_u" was interrupted'])


# ---- failed ----


def test_a_stepwise_migration_that_failed(database, folder, tidelock, tmp_path):
    folder.add("001_steps", "-- tidelock: transaction=off\nCREATE TEMP TABLE scratch (id int);\nCREATE TABLE u (id int);\nSELECT 1/0;\n")
    failed = tidelock("deploy", "--status-file", tmp_path / "metrics").fails(exit=7, says="2 of 3 statements done; what persists: line 3: CREATE TABLE u (id int).")
    assert "CREATE TEMP TABLE" not in failed.errors
    assert count_in(tmp_path / "metrics", "failed") == 1 and count_in(tmp_path / "metrics", "running") == 0
    data = status_of(tidelock)
    entry = migration_of(data, "001_steps")
    assert entry["state"] == "failed" and data["failed"] == ["001_steps"] and data["counts"]["interrupted"] == 0
    assert "division by zero" in entry["failure"]["reason"] and not entry["failure"]["reason"].startswith("tidelock")
    assert entry["failure"]["persists"] == "2 of 3 statements done; what persists: line 3: CREATE TABLE u (id int)"
    said = tidelock("status").succeeds().out
    assert re.search(r"^  failed      001_steps .*\n +reason    .*division by zero.*\n +at line 4, column 1\n +persists  2 of 3 statements done", said, re.M), said


def test_of_a_changed_script_only_the_number_is_told(database, folder, tidelock):
    folder.add("001_steps", STEPWISE.format("u", "SELECT 1/0"))
    tidelock("deploy").fails(exit=7)
    folder.replace("001_steps", "SELECT 1")
    assert migration_of(status_of(tidelock), "001_steps")["failure"]["persists"] == "the first 2 statements of the script as it was"


def test_a_clean_failure_leaves_it_pending_with_its_reason(database, folder, tidelock):
    folder.add("001_bad", "SELECT 1/0")
    tidelock("deploy").fails(exit=6)
    entry = migration_of(status_of(tidelock), "001_bad")
    assert entry["state"] == "pending" and entry["rolled_back_before"] and "division by zero" in entry["failure"]["reason"]


def test_of_one_statement_nothing_is_counted(database, folder, tidelock):
    database.query("CREATE TABLE t (id int)")
    folder.add("000_base", "SELECT 1")
    tidelock("baseline").succeeds()
    folder.add("001_alone", "CREATE INDEX CONCURRENTLY t_id ON t (id)")
    with blocking(database, "LOCK TABLE t IN ROW EXCLUSIVE MODE"):
        running = tidelock.start("deploy")
        wait_for_session(database, "CREATE INDEX CONCURRENTLY")
        running.kill()
        database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'tidelock%%' AND datname = current_database()")
        wait_for_nobody(database)
    assert migration_of(status_of(tidelock), "001_alone")["failure"]["persists"].startswith("its statement is not recorded as done; statement 1 has left the INVALID index")


def test_a_changed_script_of_which_one_statement_is_done(database, folder, tidelock):
    folder.add("001_steps", "-- tidelock: transaction=off\nCREATE TABLE t (id int);\nSELECT 1/0;\n")
    tidelock("deploy").fails(exit=7)
    folder.replace("001_steps", "SELECT 1")
    assert migration_of(status_of(tidelock), "001_steps")["failure"]["persists"] == "the first statement of the script as it was"
    tidelock("deploy").fails(exit=8, says="Of the former script, the first statement persisted.")


# ---- everything, with --all ----


def test_all_says_when_how_long_and_by_whom(database, folder, tidelock):
    database.query("CREATE TABLE there ()")
    folder.add("000_recorded", "SELECT 1")
    tidelock("baseline").succeeds()
    folder.add("001_a", "SELECT pg_sleep(0.05)")
    folder.add("002_steps", STEPWISE.format("u", "SELECT 1"))
    tidelock("deploy", environment={"POD_NAME": "web-1"}).succeeds()
    version = json.loads(tidelock("version", "--json").out)["version"]
    data = status_of(tidelock)
    for name in ("001_a", "002_steps"):
        entry = migration_of(data, name)
        assert entry["state"] == "applied" and entry["by"] == {"host": "web-1", "version": version, "release": None} and not entry["recorded_by_hand"]
        assert datetime.datetime.fromisoformat(entry["started_at"]) <= datetime.datetime.fromisoformat(entry["applied_at"])
    assert migration_of(data, "001_a")["duration_ms"] >= 50
    recorded = migration_of(data, "000_recorded")
    assert recorded["recorded_by_hand"] and recorded["duration_ms"] is None and recorded["by"] is None and recorded["applied_at"]
    said = tidelock("status", "--all").succeeds().out
    assert re.search(rf"^  applied     001_a         {migration_of(data, '001_a')['applied_at']}  \d+ ms +web-1, tidelock {re.escape(version)}$", said, re.M), said
    assert re.search(r"^  applied     000_recorded  \S+Z  - +recorded by hand$", said, re.M), said
    assert "001_a" not in tidelock("status").succeeds().out


def test_whoever_applied_some_before_a_failure_is_known(database, folder, tidelock):
    for number in range(70):
        folder.add(f"{number:03}_t", f"CREATE TABLE t{number} ()")
    folder.add("100_bad", "SELECT 1 / 0")
    tidelock("deploy", environment={"POD_NAME": "web-1"}).fails(exit=6)
    status = status_of(tidelock)
    assert {entry["by"]["host"] for entry in status["migrations"] if entry["state"] == "applied"} == {"web-1"}
    assert sum(entry["state"] == "applied" for entry in status["migrations"]) == 70


def test_a_later_attempt_is_by_another(database, folder, tidelock):
    folder.add("001_steps", STEPWISE.format("u", "SELECT 1/0"))
    tidelock("deploy", environment={"POD_NAME": "web-1"}).fails(exit=7)
    assert migration_of(status_of(tidelock), "001_steps")["by"]["host"] == "web-1"
    folder.replace("001_steps", STEPWISE.format("u", "SELECT 7"))
    tidelock("deploy", environment={"POD_NAME": "web-2"}).succeeds()
    assert migration_of(status_of(tidelock), "001_steps")["by"]["host"] == "web-2"


def test_without_a_place_for_the_journal_nobody_is_named_and_nothing_fails(server, database, folder, tidelock):
    role = f"plain_{database.name[-8:]}"
    database.query(f"CREATE ROLE {role} LOGIN; GRANT ALL ON SCHEMA public TO {role}; REVOKE CREATE ON DATABASE {database.name} FROM PUBLIC")
    try:
        folder.add("001_a", "CREATE TABLE a ()")
        url = server.url(database.name, user=role)
        deployed = tidelock("deploy", url=url).succeeds(applied=["001_a"])
        assert "warning" not in deployed.errors
        assert not database.holds("tidelock.origin")
        assert migration_of(status_of(tidelock, url=url), "001_a")["by"] is None
        assert re.search(r"001_a .* -$", tidelock("status", "--all", url=url).succeeds().out, re.M)
    finally:
        database.query(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_locked_journal_fails_no_migration(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy").succeeds()
    folder.add("002_b", "CREATE TABLE b ()")
    with blocking(database, "LOCK TABLE tidelock.origin"):
        tidelock("deploy").succeeds(applied=["002_b"])
    assert migration_of(status_of(tidelock), "002_b")["by"] is None


def test_a_journal_of_an_older_version_gets_the_table(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy").succeeds()
    database.query("DROP TABLE tidelock.origin")
    assert migration_of(status_of(tidelock), "001_a")["by"] is None
    folder.add("002_b", "CREATE TABLE b ()")
    tidelock("deploy").succeeds()
    assert migration_of(status_of(tidelock), "002_b")["by"] is not None


@pytest.mark.parametrize("lacking", [["release"], ["release", "gist_sha256"]])
def test_a_journal_of_an_older_version_gets_the_columns(database, folder, tidelock, lacking):
    folder.add("001_a", "SELECT 1")
    tidelock("deploy").succeeds()
    for column in lacking:
        database.query(f"ALTER TABLE tidelock.origin DROP COLUMN {column}")
    assert migration_of(status_of(tidelock), "001_a")["by"] is not None
    folder.add("002_b", "SELECT 1")
    tidelock("deploy").succeeds()
    assert migration_of(status_of(tidelock), "001_a")["by"] is not None
    assert migration_of(status_of(tidelock), "002_b")["by"] is not None
    assert database.query("SELECT count(*) FROM tidelock.origin WHERE gist_sha256 IS NOT NULL") == [(3 - len(lacking),)]


def test_the_schema_refuses_what_status_would_never_say(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    validator = jsonschema.Draft202012Validator(schema_of(tidelock), format_checker=CHECKER)
    for key, value in [("state", "lost"), ("applied_at", "2026-01-31 12:00:00"), ("duration_ms", 1.5), ("by", "web-1")]:
        data = status_of(tidelock)
        data["migrations"][0][key] = value
        assert not validator.is_valid(data), key
    # A later version may say more.
    assert validator.is_valid({**status_of(tidelock), "later": 1})


# ---- advice ----


def test_tables_without_a_ledger_call_for_baseline(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    data = status_of(tidelock)
    assert not data["needs_baseline"]
    assert "--ledger" not in tidelock("status").succeeds(says="To apply what is pending: tidelock deploy").out
    database.query("CREATE TABLE legacy ()")
    assert status_of(tidelock)["needs_baseline"]
    said = tidelock("status").succeeds(says="tidelock baseline --to").out
    assert "tidelock deploy" not in said and "the schema is not empty and has no ledger" in said
    assert "(no ledger; if it has another name: --ledger)" in said and "If its ledger has another name: --ledger." in said
    assert not database.holds("_prisma_migrations")


# ---- edited, and --strict ----


def test_an_edited_one_is_warned_about_with_nothing_to_do(database, folder, tidelock, tmp_path):
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy").succeeds()
    folder.replace("001_a", "CREATE TABLE a (id int)")
    tidelock("deploy", "--status-file", tmp_path / "metrics").succeeds(applied=[], says="001_a was edited after it was applied")
    assert count_in(tmp_path / "metrics", "edited") == 1
    tidelock("status").succeeds(says="Warning: 1 migration was edited after it was applied; the edit was not run.")


FINDINGS = {"edited": "001_a was edited", "missing": "002_b is not in the folder", "out-of-order": "000_late is older"}


@pytest.mark.parametrize("finding", FINDINGS)
def test_strict_refuses_what_is_in_its_list(database, folder, tidelock, finding):
    for name in ("001_a", "002_b", "003_c"):
        folder.add(name, f"CREATE TABLE t{name} ()")
    tidelock("deploy").succeeds()
    if finding == "edited":
        folder.replace("001_a", "SELECT 1")
    elif finding == "missing":
        folder.remove("002_b")
    else:
        folder.add("000_late", "SELECT 1")
    others = ",".join(name for name in FINDINGS if name != finding)
    for words in (["--strict"], [f"--strict={finding}"]):
        tidelock("deploy", "--dry-run", *words).fails(exit=8, says=FINDINGS[finding])
    tidelock("deploy", "--dry-run", environment={"TIDELOCK_STRICT": finding}).fails(exit=8, says=FINDINGS[finding])
    tidelock("deploy", f"--strict={others}").succeeds()


def test_what_the_ci_examples_refuse_lets_an_older_image_start(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    folder.add("002_b", "CREATE TABLE b ()")
    tidelock("deploy", "--strict=edited,out-of-order").succeeds()
    folder.remove("002_b")
    tidelock("deploy", "--strict=edited,out-of-order").succeeds(applied=[])
    tidelock("deploy", "--strict").fails(exit=8, says="To deploy an older one after it: --strict=edited,out-of-order.")


def test_a_list_that_strict_does_not_know(tidelock, folder, database):
    folder.add("001_a", "SELECT 1")
    tidelock("deploy", "--strict=edited,all").fails(exit=2, says="Use one of: edited, missing, out-of-order.")
