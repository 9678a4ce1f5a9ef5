"""status: what is applied, pending, failed, edited, missing; it changes nothing."""

import os
import pty
import re
import subprocess

import pytest
from servers import free_port
from status import status_of


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


def test_an_applied_script_that_is_gone_is_an_error(database, folder, tidelock):
    file = folder.add("001_a", "SELECT 1")
    tidelock("deploy").succeeds()
    file.unlink()
    tidelock("deploy").succeeds(says="No pending")
    tidelock("status").fails(exit=8, says="P3015")
    folder.add("002_b", "SELECT 1")
    tidelock("deploy", "--strict").fails(exit=8, says="P3015")
    tidelock("deploy").succeeds(applied=["002_b"], says="could not check whether 001_a was edited")


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
    found = re.match(r"tidelock: waiting for the database, (1 min 0 s|[3-5]\d\.\d s) at most: could not connect", process.stderr.readline())
    process.terminate()
    process.communicate()
    assert found
