"""Log lines: for people, or for machines by option; results alone on stdout."""

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def records(result):
    """All that it wrote is records."""
    assert result.out == ""
    return [json.loads(line) for line in result.errors.splitlines()]


def test_json_lines_are_json_with_fields(database, folder, tidelock):
    folder.add("001_a", "DO $$ BEGIN RAISE NOTICE 'said so'; RAISE WARNING 'careful'; END $$")
    folder.add("002_b", "SELECT 1/0")
    start, where, notice, warning, applied, failure = records(tidelock("deploy", "--log-format", "json").fails(exit=6))
    assert all(TIME.fullmatch(record["time"]) and record["msg"] for record in (start, where, notice, warning, applied, failure))
    assert [record["level"] for record in (notice, warning, applied, failure)] == ["info", "warn", "info", "error"]
    assert notice["msg"] == "server: said so" and notice["migration"] == "001_a" and notice["database"] == database.name
    assert applied["duration_ms"] >= 0 and applied["mode"] == "atomic"
    assert failure["code"] == "P3018" and failure["sqlstate"] == "22012" and failure["exit_code"] == 6
    assert failure["at"].endswith("002_b/migration.sql:1:1")
    assert failure["applied"] == 1 and failure["pending"] == 1 and failure["retries"] == 0 and failure["duration_ms"] >= applied["duration_ms"]


@pytest.mark.parametrize("command", [["deploy"], ["run", "--", "true"]], ids=["deploy", "run"])
def test_the_first_record_says_what_runs_and_the_last_how_it_went(database, folder, tidelock, command):
    folder.add("001_a", "CREATE TABLE a ()")
    folder.add("002_b", "CREATE TABLE b ()")
    words = [command[0], "--log-format", "json", *command[1:]]
    seen = records(tidelock(*words).succeeds())
    assert seen[0] | {"database": database.name, "folder": "prisma/migrations", "migrations": 2} == seen[0] and seen[0]["version"] == json.loads(tidelock("version", "--json").out)["version"]
    where = {"database": database.name, "schema": "public", "host": f"127.0.0.1:{database.server.port}", "role": "postgres"}
    assert seen[1] | where == seen[1] and re.fullmatch(r"\d+\.\d+", seen[1]["server_version"])
    assert seen[-1] | {"applied": 2, "pending": 0, "retries": 0, "exit_code": 0, "phase": "complete"} == seen[-1]
    assert sum("exit_code" in record for record in seen) == 1
    again = records(tidelock(*words).succeeds())
    assert again[-1] | {"applied": 0, "pending": 0, "exit_code": 0} == again[-1] and len(again) == 3


LISTED = {
    "libpq's variables": lambda host, port: {"PGHOST": host, "PGPORT": port},
    "several hosts": lambda host, port: {"PGHOST": f"{host},{host}", "PGPORT": f"1,{port}"},
    "an address": lambda host, port: {"PGHOSTADDR": host, "PGPORT": port},
    "a service": lambda host, port: {"PGSERVICE": "here"},
}


@pytest.mark.parametrize("way", LISTED)
def test_the_host_is_the_one_that_was_reached(database, folder, tidelock, way, tmp_path):
    """Whoever names it."""
    folder.add("001_a", "SELECT 1")
    host, port = "127.0.0.1", str(database.server.port)
    (tmp_path / "services").write_text(f"[here]\nhost={host}\nport={port}\ndbname={database.name}\nuser=postgres\n")
    environment = LISTED[way](host, port) | {"PGSERVICEFILE": str(tmp_path / "services")}
    if "PGSERVICE" not in environment:
        environment |= {"PGDATABASE": database.name, "PGUSER": "postgres"}
    seen = records(tidelock("deploy", "--log-format", "json", url="", environment=environment).succeeds())
    assert seen[1] | {"database": database.name, "host": f"{host}:{port}"} == seen[1]
    assert f'schema "public" at {host}:{port}\n' in tidelock("status", url="", environment=environment).succeeds().out


def test_of_several_hosts_each_has_its_port_where_none_is_reached(tidelock, folder):
    folder.add("001_a", "SELECT 1")
    tidelock("status", "--connect-deadline", "0s", url="postgresql://u@127.0.0.1:1,127.0.0.1:2/d").fails(exit=3, says="127.0.0.1:1, 127.0.0.1:2: ")
    tidelock("status", "--connect-deadline", "0s", url="", environment={"PGHOST": "127.0.0.1", "PGPORT": "1", "PGUSER": "u"}).fails(exit=3, says="could not connect to 127.0.0.1:1: ")


def test_phases_are_called_what_the_status_file_calls_them(database, folder, tidelock, tmp_path):
    folder.add("001_a", "DO $$ BEGIN RAISE NOTICE 'here'; END $$")
    status = tmp_path / "status.prom"
    seen = records(tidelock("deploy", "--log-format", "json", "--status-file", status).succeeds())
    known = set(re.findall(r'\ntidelock_phase\{.*?phase="(\w+)"', status.read_text()))
    assert {record["phase"] for record in seen} <= known and {"connecting", "applying", "complete"} <= {record["phase"] for record in seen}


def test_logfmt_is_one_line_an_event(database, folder, tidelock):
    folder.add("001_a", "SELECT 1/0 -- \"quoted\"")
    result = tidelock("deploy", "--log-format", "logfmt").fails(exit=6)
    lines = result.errors.splitlines()
    assert result.out == "" and all(TIME.match(line.removeprefix("time=")) and " level=" in line and " msg=" in line for line in lines)
    assert " level=error " in lines[-1] and " sqlstate=22012 " in lines[-1] and " exit_code=6" in lines[-1]


def add_three(database, folder, tidelock):
    """One is applied, one is half done, one is pending."""
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy").succeeds()
    folder.add("002_b", "-- tidelock: transaction=off\nCREATE TABLE b ();\nSELECT 1/0;")
    tidelock("deploy").fails(exit=7)
    folder.add("003_c", "SELECT 1")


EDITING = {
    "deploy --dry-run": {"applied": 0, "pending": 2, "exit_code": 0},
    "deploy --dry-run --exit-code": {"applied": 0, "pending": 2, "exit_code": 1},
    "resolve --applied 002_b": {"applied": 0, "recorded": 1, "exit_code": 0},
    "resolve --applied 002_b 003_c": {"applied": 0, "recorded": 2, "exit_code": 0},
    "resolve --rolled-back 002_b --dry-run": {"applied": 0, "recorded": 0, "exit_code": 0},
    "baseline --all": {"applied": 0, "exit_code": 8},
    "resolve --applied 001_a": {"applied": 0, "exit_code": 8},
    "resolve --rolled-back 002_b 003_c": {"applied": 0, "exit_code": 8},
}


@pytest.mark.parametrize("words", EDITING)
def test_every_command_begins_and_ends_with_a_record(database, folder, tidelock, words):
    add_three(database, folder, tidelock)
    result = tidelock(*words.split(), "--log-format", "json")
    seen = records(result)
    assert seen[0] | {"folder": "prisma/migrations", "migrations": 3} == seen[0] and seen[0]["version"]
    assert {record["database"] for record in seen} == {database.name}
    assert seen[-1] | EDITING[words] == seen[-1] and result.code == seen[-1]["exit_code"] and seen[-1]["retries"] == 0 and seen[-1]["duration_ms"] >= 0
    assert sum("exit_code" in record for record in seen) == 1
    for record in seen[1:]:
        for name in ("001_a", "002_b", "003_c"):
            assert (name in record["msg"]) == (record.get("migration") == name), record


def test_baseline_names_each_in_a_field(database, folder, tidelock):
    database.query("CREATE TABLE a ()")
    folder.add("001_a", "CREATE TABLE a ()")
    folder.add("002_b", "CREATE TABLE b ()")
    seen = records(tidelock("baseline", "--log-format", "json").succeeds())
    assert [record["migration"] for record in seen if "migration" in record] == ["001_a", "002_b"]
    assert seen[-1] | {"recorded": 2, "applied": 0, "exit_code": 0} == seen[-1]


def test_what_only_looks_has_a_last_record(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    for words in (["status", "--log-format", "logfmt"], ["budget", "--log-format", "logfmt"]):
        lines = tidelock(*words).succeeds().errors.splitlines()
        assert [" exit_code=" in line for line in lines] == [False] * (len(lines) - 1) + [True]
    assert 'migration=001_a' in tidelock("status", "--log-format", "logfmt").succeeds().errors


@pytest.mark.parametrize("form", ["json", "logfmt"])
def test_in_a_log_for_machines_nothing_else_is_written(database, folder, tidelock, form):
    folder.add("001_a", "SELECT 1/0")
    tidelock("deploy").fails(exit=6)
    folder.replace("001_a", "SELECT 1")
    for words in ["status"], ["baseline"], ["deploy", "--dry-run"], ["ready", "--status-file", "nowhere"], ["resolve", "--applied", "001_a"], ["wait", "--leader-timeout", "5s"]:
        result = tidelock(*words, "--log-format", form)
        if words == ["status"] and form == "json":
            assert json.loads(result.out)["migrations"] and result.errors == ""
            continue
        assert result.out == "" and result.errors
        for line in result.errors.splitlines():
            assert json.loads(line)["msg"] if form == "json" else TIME.match(line.removeprefix("time="))


def test_a_wrong_option_is_a_record_too(tidelock):
    for words, environment in (["deploy", "--lock-timeout", "5", "--log-format", "json"], {}), (["deploy", "--sterict"], {"TIDELOCK_LOG_FORMAT": "json"}):
        [record] = records(tidelock(*words, environment=environment).fails(exit=2))
        assert record["level"] == "error" and record["exit_code"] == 2


WRONG = [["frobnicate"], ["migrate", "dev"], ["db", "push"], ["up"], ["status", "extra"], ["help", "frobnicate"], ["completion"], ["run"], ["deploy", "-x"], []]


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_wrong_words_are_a_record_wherever_one_is_asked_for(tidelock, words):
    asked = [(["--log-format", "json", *words], {}), (["--log-format=json", *words], {}), (words, {"TIDELOCK_LOG_FORMAT": "json"})]
    if words:
        asked.append(([*words, "--log-format", "json"], {}))
    for line, environment in asked:
        [record] = records(tidelock(*line, environment=environment).fails(exit=2))
        assert record["level"] == "error" and record["exit_code"] == 2 and record["next"]
    result = tidelock("--log-format", "logfmt", *words).fails(exit=2)
    assert result.out == "" and len(result.errors.splitlines()) == 1 and " level=error " in result.errors and " exit_code=2" in result.errors


def test_a_person_reads_everything_once(database, folder, tidelock):
    for number in range(30):
        folder.add(f"{number:03}_t", f"CREATE TABLE t{number} ()")
    result = tidelock("deploy").succeeds()
    assert all((result.out + result.errors).count(f"{number:03}_t") == 1 for number in range(30))
    assert len((result.out + result.errors).splitlines()) == 30 + 4
    assert f'database "{database.name}", schema "public" at 127.0.0.1:{database.server.port}, as "postgres", PostgreSQL ' in result.errors
    again = tidelock("deploy").succeeds()
    assert again.out == "No pending migrations to apply.\n" and len(again.errors.splitlines()) == 2


def test_quiet_leaves_warnings_and_errors(database, folder, tidelock):
    folder.add("001_a", "DO $$ BEGIN RAISE NOTICE 'said so'; RAISE WARNING 'careful'; END $$")
    result = tidelock("deploy", "--quiet").succeeds()
    assert result.out == "" and result.errors == "tidelock: warning: server: careful\n"
    folder.add("002_b", "SELECT 1/0")
    result = tidelock("-q", "deploy").fails(exit=6, says="division by zero")
    assert result.out == "" and result.errors.startswith("tidelock: error P3018")
    result = tidelock("status", "-q", "--exit-code")
    assert result.code == 1 and result.out == result.errors == ""


QUIET = [["-q"], ["--log-level", "warn"], ["--log-level", "error"]]


@pytest.mark.parametrize("quiet", QUIET, ids=" ".join)
def test_a_failure_names_the_database_where_no_line_before_it_has(database, folder, tidelock, quiet):
    folder.add("001_a", "SELECT 1/0")
    for words in ["deploy"], ["deploy", "--dry-run", "--to", "nothing"], ["resolve", "--applied", "nothing"], ["run", "--", "true"], ["status", "--migrations", "nowhere"]:
        result = tidelock(words[0], *quiet, *words[1:])
        assert result.code != 0 and f"\n  database  {database.name}\n" in result.errors, result.errors
        assert "  database  " not in tidelock(*words).errors


def test_options_may_stand_before_the_command(database, folder, tidelock):
    folder.add("001_a", "SELECT 1")
    assert records(tidelock("--log-format", "json", "deploy").succeeds())[-1]["applied"] == 1
    assert records(tidelock("--log-format=json", "migrate", "deploy").succeeds())[-1]["applied"] == 0
    tidelock("-v", "deploy").succeeds(says="tidelock: debug: ")
    tidelock("deploy", "-v").succeeds(says="tidelock: debug: ")
    assert tidelock("-v").succeeds().out == tidelock("--version").succeeds().out == tidelock("-V").succeeds().out
    assert tidelock("-q", "run", "--", "echo", "-v").succeeds().out == "-v\n"
    tidelock("--log-format", "json").fails(exit=2, says="no command given")
    tidelock("--lock-timeot", "5s", "deploy").fails(exit=2)


def on_a_terminal(binary, words, database, folder, columns=80, **environment):
    """All that stderr showed, as bytes."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": database.url(), "TERM": "xterm", **environment}
    process = subprocess.Popen([binary, *words], cwd=folder.root, env=environment, stderr=theirs, stdout=subprocess.DEVNULL)
    os.close(theirs)
    seen = b""
    with contextlib.suppress(OSError):
        while more := os.read(ours, 65536):
            seen += more
    os.close(ours)
    process.wait()
    return seen


def test_signs_and_colours_only_on_a_terminal_and_colours_never_with_no_color(binary, database, folder, tidelock):
    folder.add("001_a", "SELECT 1")
    folder.add("002_b", "SELECT 1/0")
    for number, (environment, has_color) in enumerate([({}, True), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False)]):
        folder.add(f"001_a{number}", "SELECT 1")
        seen = on_a_terminal(binary, ["deploy"], database, folder, **environment).decode()
        plain = re.sub(r"\x1b\[[0-9;]*m", "", seen)
        assert f"tidelock: ✓ applied 001_a{number} (" in plain and "tidelock: ✗ error P3018: " in plain
        assert ("\x1b[32m✓ \x1b[0m" in seen and "\x1b[1;31m✗ error P3018\x1b[0m" in seen) == has_color == ("\x1b[" in seen)
    seen = on_a_terminal(binary, ["deploy"], database, folder, TERM="dumb").decode()
    assert "tidelock: error P3018: " in seen and "\x1b" not in seen
    errors = tidelock("deploy").fails(exit=6).errors
    assert "tidelock: error P3018: " in errors and "\x1b" not in errors


def test_who_waits_has_a_sign(binary, database, folder, tidelock):
    folder.add("001_a", "SELECT 1")
    with database.connect() as other:
        other.execute("SELECT pg_advisory_lock(72707369)")
        seen = on_a_terminal(binary, ["deploy", "--leader-timeout", "1s"], database, folder, NO_COLOR="1").decode()
    assert "tidelock: … waiting for the leader: pid " in seen and "tidelock: ✗ error" in seen


@pytest.mark.parametrize("columns", [40, 60, 72, 73, 120, 200])
def test_progress_fits_the_terminal_and_begins_with_what_matters(binary, database, folder, columns):
    folder.add("000_big", "CREATE TABLE big AS SELECT i AS id, 0 AS n FROM generate_series(1, 3000) AS i; ALTER TABLE big ADD PRIMARY KEY (id); ANALYZE big")
    folder.add("001_fill", "-- tidelock: backfill big key=id rows=20..20 rest=0%\nUPDATE big SET n = 1")
    seen = on_a_terminal(binary, ["deploy"], database, folder, columns=columns, NO_COLOR="1").decode()
    passing = [line for line in re.split(r"\r\x1b\[K|\r?\n", seen) if " %, " in line]
    assert passing and all(len(line) < columns for line in passing)
    assert all(re.match(r"\d+ %, ", line) if columns <= 72 else line.startswith("[") for line in passing if "backfill" in line)
    assert re.search(r"\d+ %, [\d.]+ \w+ to [\d.]+ \w+ left", passing[-1])
    assert "tidelock: ✓ applied 001_fill" in seen


def test_a_failure_of_one_of_many_does_not_stand_behind_the_line_that_passes(binary, database, folder):
    folder.add("001_a", "SELECT 1/0")
    for schema in ("s1", "s2"):
        database.query(f"CREATE SCHEMA {schema}")
    seen = on_a_terminal(binary, ["deploy", "--schemas", "s*", "--on-failure", "continue"], database, folder, NO_COLOR="1").decode()
    failure = r"tidelock: ✗ error(?: P3018: s\d: migration|: s\d: the same as s\d: migration)"
    assert len(re.findall(failure, seen)) == len(re.findall(rf"\r\x1b\[K{failure}", seen)) == 2


def test_usage_errors_name_what_was_probably_meant(database, folder, tidelock):
    folder.add("001_a", "SELECT 1")
    tidelock("depoly").fails(exit=2, says="tidelock deploy")
    tidelock("deploy", "--lock-timeot", "5s").fails(exit=2, says="--lock-timeout")
    tidelock("deploy", "--lock-timeout", "5").fails(exit=2, says=["--lock-timeout", "duration"])
    tidelock("deploy", "--json").fails(exit=2, says="this command has no option --json")
    tidelock("deploy", environment={"TIDELOCK_LOG_FORMAT": "xml"}).fails(exit=2, says=["TIDELOCK_LOG_FORMAT", "logfmt"])
    tidelock("deploy", environment={"TIDELOCK_STRCT": "1", "TIDELOCK_PORT": "tcp://10.0.0.1:80"}).succeeds(says="TIDELOCK_STRICT")
    (folder.root / "tidelock.yaml").write_text("migrations: prisma/migrations\nlock_timout: 5s\n")
    tidelock("deploy").fails(exit=2, says=["tidelock.yaml:2", "lock_timeout"])
    (folder.root / "tidelock.yaml").unlink()
    tidelock().fails(exit=2, says="tidelock deploy")
    tidelock("deploy", "--migrations", "nowhere").fails(exit=2, says="nowhere")
