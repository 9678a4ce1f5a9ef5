"""status: what is applied, pending, failed, edited, missing; it changes nothing."""

import os
import pty
import re
import subprocess

import pytest
from servers import free_port
from status import migration_of, status_of


def test_every_state_is_listed_and_counted(database, folder, tidelock):
    for name in ["001_a", "002_b", "003_c"]:
        folder.add(name, f"CREATE TABLE t{name} ()")
    tidelock("status", "--exit-code").fails(exit=1)
    tidelock("status").succeeds(says="(no ledger)")
    assert not database.holds("_prisma_migrations")
    tidelock("deploy").succeeds()
    tidelock("status", "--exit-code").succeeds(says="Database schema is up to date!")

    folder.replace("001_a", "SELECT 'edited'")
    folder.remove("002_b")
    folder.add("002_late", "SELECT 1")
    folder.add("004_bad", "SELECT 1/0")
    tidelock("deploy").fails(exit=6)
    folder.add("000_first", "SELECT 1")

    data = status_of(tidelock)
    states = {entry["name"]: entry for entry in data["migrations"]}
    assert {name: entry["state"] for name, entry in states.items()} == {
        "000_first": "pending", "001_a": "edited", "002_late": "applied", "003_c": "applied", "004_bad": "pending", "002_b": "missing",
    }  # fmt: skip
    assert states["000_first"]["out_of_order"] and states["004_bad"]["rolled_back_before"]
    assert data["missing"] == ["002_b"] and data["failed"] == [] and not data["up_to_date"]
    text = tidelock("status").succeeds().out
    for line in ["edited      001_a", "missing     002_b", "pending     004_bad  (rolled back before)"]:
        assert line in text, text


def test_line_endings_do_not_count_as_an_edit(database, folder, tidelock):
    folder.add("001_lf", "SELECT 1;\nSELECT 2;\n")
    tidelock("deploy").succeeds()
    folder.replace("001_lf", "SELECT 1;\r\nSELECT 2;\r\n")
    tidelock("status").succeeds(says="1 applied, 0 pending, 0 failed, 0 edited")


def test_an_applied_script_that_is_gone_stops_nobody(database, folder, tidelock):
    file = folder.add("001_a", "SELECT 1")
    tidelock("deploy").succeeds()
    file.unlink()
    tidelock("deploy").succeeds(says="No pending")
    said = tidelock("status", "--exit-code").succeeds().out
    assert "applied     001_a  (its script is missing or cannot be read: edited or not, nobody knows)" in said and "is up to date!" in said
    entry = migration_of(status_of(tidelock), "001_a")
    assert entry["state"] == "applied" and entry["script_unreadable"]
    folder.add("002_b", "SELECT 1")
    assert status_of(tidelock)["refusal"] is None
    tidelock("status", "--strict").succeeds(says="A deployment would be refused: could not read file")
    tidelock("deploy", "--strict").fails(exit=8, says="P3015")
    tidelock("deploy").succeeds(applied=["002_b"], says="could not check whether 001_a was edited")


def add_tables_without_ledger(database, folder, tidelock):
    database.query("CREATE TABLE legacy ()")
    folder.add("001_a", "SELECT 1")


def add_others_history(database, folder, tidelock):
    folder.add("001_other", "CREATE TABLE other ()")
    tidelock("deploy").succeeds()
    folder.remove("001_other")
    folder.add("001_a", "SELECT 1")


def add_directory_without_script(database, folder, tidelock):
    folder.add("001_a", "SELECT 1")
    folder.add("002_none", None)


def add_psql_command(database, folder, tidelock):
    folder.add("001_a", "SELECT 1")
    folder.add("002_psql", "\\connect other")


def add_open_transaction(database, folder, tidelock):
    folder.add("001_open", "BEGIN;\nSELECT 1;")


def add_failed_one(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t ()")
    tidelock("deploy").succeeds()
    folder.add("002_u", "CREATE TABLE u ()")
    database.query("INSERT INTO _prisma_migrations (id, checksum, migration_name, logs) VALUES ('x', repeat('0', 64), '002_u', 'broken')")


def add_changed_half_done_one(database, folder, tidelock):
    folder.add("001_steps", "-- tidelock: transaction=off\nCREATE TABLE t ();\nSELECT 1/0;\n")
    tidelock("deploy").fails(exit=7)
    folder.replace("001_steps", "-- tidelock: transaction=off\nCREATE TABLE other ();\nSELECT 1;\n")


def add_changed_backfill(database, folder, tidelock):
    database.query("CREATE TABLE t AS SELECT i AS id, 0 AS n FROM generate_series(1, 5000) AS i; ALTER TABLE t ADD PRIMARY KEY (id), ADD CHECK (id < 4000 OR n = 0); ANALYZE t")
    folder.add("000_base", "SELECT 1")
    tidelock("baseline").succeeds()
    folder.add("001_fill", "-- tidelock: backfill t rows=100..100 rest=0%\nUPDATE t SET n = 1")
    tidelock("deploy").fails(exit=7)
    folder.replace("001_fill", "-- tidelock: backfill t rows=100..100 rest=0%\nUPDATE t SET n = 2")


REFUSED = [add_tables_without_ledger, add_others_history, add_directory_without_script, add_psql_command, add_open_transaction, add_failed_one, add_changed_half_done_one, add_changed_backfill]


CAUSES = {
    add_tables_without_ledger: "schema without ledger", add_others_history: "other migrations in the database", add_directory_without_script: "missing script",
    add_failed_one: "failed migration", add_changed_half_done_one: "failed migration", add_changed_backfill: "failed migration",
}  # fmt: skip


@pytest.mark.parametrize("prepare", REFUSED, ids=lambda prepare: prepare.__name__.removeprefix("add_"))
def test_what_a_deployment_would_refuse_is_not_recommended(database, folder, tidelock, prepare):
    """It says what `deploy` says, with its exit code."""
    prepare(database, folder, tidelock)
    said = tidelock("status").succeeds().out
    data = status_of(tidelock)
    refused = tidelock("deploy")
    assert f"A deployment would be refused: {data['refusal']['message']}." in said and "tidelock deploy" not in said.replace("--allow-unrelated", "")
    assert f"{data['refusal']['message']}\n" in refused.errors and refused.code == data["refusal"]["exit_code"]
    assert f"error {data['refusal']['code']}:" in refused.errors if data["refusal"]["code"] else "error:" in refused.errors
    assert data["refusal"]["next"] in said and data["refusal"]["next"][:60] in refused.errors
    if refused.code == 8:
        assert refused.errors.endswith(f"\n  exit      8: a person has to decide: {CAUSES[prepare]}\n")
    assert data["needs_baseline"] == (prepare == add_tables_without_ledger)
    assert [line for line in said.splitlines() if line.startswith("tidelock:")] == []


def test_what_is_allowed_is_no_refusal(database, folder, tidelock):
    add_others_history(database, folder, tidelock)
    assert "To apply what is pending: tidelock deploy" in tidelock("status", "--allow-unrelated").succeeds().out
    tidelock("deploy", "--allow-unrelated").succeeds(applied=["001_a"])


def test_what_strict_refuses(database, folder, tidelock):
    folder.add("002_b", "SELECT 1")
    tidelock("deploy").succeeds()
    folder.add("001_a", "SELECT 1")
    said = tidelock("status", "--strict=out-of-order").succeeds().out
    assert "A deployment would be refused: the folder and the ledger differ, and --strict forbids that." in said
    assert "To apply what is pending" in tidelock("status", "--strict=edited").succeeds().out


def test_a_pending_migration_without_a_script_stops_all_of_them(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    folder.add("002_none", None)
    folder.add("003_c", "CREATE TABLE c ()")
    tidelock("deploy").fails(exit=8, says=["P3015", "002_none"])
    assert database.applied() == [] and not database.holds("a")


@pytest.mark.parametrize("words, seconds", [([], 5), (["--connect-deadline", "20s"], 20)], ids=["default", "said"])
def test_on_a_terminal_it_waits_for_seconds_and_says_so(binary, folder, words, seconds):
    folder.add("001_a", "SELECT 1")
    main, other = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": f"postgresql://u@127.0.0.1:{free_port()}/d", "TERM": "dumb"}
    process = subprocess.Popen([binary, "status", *words], cwd=folder.root, env=environment, stdout=subprocess.DEVNULL, stderr=other)
    os.close(other)
    try:
        said = b""
        while b"\n" not in said:
            said += os.read(main, 4096)
        found = re.match(rb"tidelock: waiting for the database, ([\d.]+) s at most: could not connect", said)
        assert found and seconds / 2 < float(found[1]) <= seconds, said
    finally:
        process.terminate()
        process.wait()
        os.close(main)


def test_elsewhere_it_waits_as_long_as_every_command(binary, folder):
    folder.add("001_a", "SELECT 1")
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": f"postgresql://u@127.0.0.1:{free_port()}/d"}
    process = subprocess.Popen([binary, "status"], cwd=folder.root, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    found = re.match(r"tidelock: waiting for the database, (1 min|[3-5]\d\.\d s) at most: could not connect", process.stderr.readline())
    process.terminate()
    process.communicate()
    assert found
