"""Output that could not be written is not success: stdout is full, or nobody reads it any more."""

import json
import os
import signal
import subprocess

import pytest

WORDS = [
    ["status"], ["status", "--all"], ["status", "--json"], ["status", "--json-schema"], ["status", "--exit-code"], ["budget"], ["budget", "--json"], ["baseline", "--all", "--dry-run"],
    ["deploy", "--dry-run"], ["resolve", "--applied", "002_b", "--dry-run"], ["help"], ["help", "deploy"], ["deploy", "--help"],
    ["help", "lock-timeout"], ["manual"], ["completion", "bash"], ["completion", "zsh"], ["completion", "fish"], ["version"], ["version", "--json"], ["-V"], ["install", "."],
]  # fmt: skip


def run(binary, words, out, database, folder):
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": database.url()}
    return subprocess.run([binary, *words], stdout=out, stderr=subprocess.PIPE, env=environment, cwd=folder.root, text=True)


@pytest.fixture
def half(database, folder, tidelock):
    """One is applied, one is pending."""
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy").succeeds()
    folder.add("002_b", "CREATE TABLE b ()")


@pytest.mark.usefixtures("half")
@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_on_a_full_device(binary, database, folder, words):
    with open("/dev/full", "wb") as full:
        done = run(binary, words, full, database, folder)
    assert done.returncode == 2 and "could not write to standard output: No space left on device" in done.stderr
    assert "exit      2: the output could not be written" in done.stderr


@pytest.mark.parametrize("words", [["help"], ["version", "--json"]], ids=" ".join)
def test_into_a_closed_pipe(binary, database, folder, words):
    ours, theirs = os.pipe()
    os.close(ours)
    done = run(binary, words, theirs, database, folder)
    os.close(theirs)
    assert done.returncode == -signal.SIGPIPE and done.stderr == ""


@pytest.mark.usefixtures("half")
@pytest.mark.parametrize("words", [["deploy"], ["resolve", "--applied", "002_b"], ["migrate", "deploy"]], ids=" ".join)
@pytest.mark.parametrize("way", ["full", "closed"])
def test_what_is_done_is_done_whoever_hears_of_it(binary, database, folder, tidelock, words, way):
    """An application would not start because a collector of logs has gone."""
    ours, theirs = os.pipe()
    os.close(ours)
    with open("/dev/full", "wb") as full:
        done = run(binary, words, full if way == "full" else theirs, database, folder)
    os.close(theirs)
    assert done.returncode == 0 and "could not write to standard output" in done.stderr
    tidelock("status").succeeds(says="2 applied")


def test_it_is_a_record_where_the_log_is_for_machines(binary, database, folder):
    with open("/dev/full", "wb") as full:
        done = run(binary, ["version", "--json", "--log-format", "json"], full, database, folder)
    record = json.loads(done.stderr)
    assert done.returncode == record["exit_code"] == 2 and record["msg"].startswith("could not write to standard output")


def test_what_the_command_failed_with_is_said_instead(binary, database, folder):
    with open("/dev/full", "wb") as full:
        done = run(binary, ["deploy", "--migrations", "nowhere"], full, database, folder)
    assert done.returncode == 2 and "nowhere" in done.stderr and "standard output" not in done.stderr


def test_quiet_has_nothing_to_write(binary, database, folder):
    folder.add("001_a", "SELECT 1")
    with open("/dev/full", "wb") as full:
        assert run(binary, ["deploy", "--quiet"], full, database, folder).returncode == 0
