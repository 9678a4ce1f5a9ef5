"""SIGTERM, SIGINT, SIGQUIT and SIGHUP cancel, roll back and leave a clean state."""

import os
import pathlib
import signal
import subprocess

import pytest
from tool import wait_for_nobody, wait_for_session

pytestmark = pytest.mark.libraries


@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGQUIT, 131), (signal.SIGHUP, 129)])
def test_a_signal_in_an_atomic_migration(database, folder, tidelock, number, code):
    folder.add("001_a", "CREATE TABLE a ()")
    folder.add("002_slow", "CREATE TABLE slow (); SELECT pg_sleep(600);")
    running = tidelock.start("deploy")
    wait_for_session(database, "pg_sleep")
    running.signal(number)
    running.wait().fails(exit=code, says=[f"stopped by {number.name}", "Nothing of 002_slow"])
    wait_for_nobody(database)
    assert database.holds("a") and not database.holds("slow")
    assert [row.name for row in database.ledger()] == ["001_a"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP])
def test_as_the_first_process_of_a_container(database, folder, tidelock, number):
    """The kernel passes PID 1 only those signals that it handles."""
    if subprocess.run(["unshare", "--pid", "--fork", "true"], capture_output=True).returncode != 0:
        pytest.skip("no namespace can be made here")
    folder.add("001_slow", "CREATE TABLE slow (); SELECT pg_sleep(600);")
    words = ["unshare", "--pid", "--fork", "--kill-child", tidelock.binary, "run", "--", "touch", "started"]
    environment = {"DATABASE_URL": database.url(), "PATH": os.environ["PATH"]}
    process = subprocess.Popen(words, env=environment, cwd=folder.root, stderr=subprocess.PIPE, text=True)
    wait_for_session(database, "pg_sleep")
    (first,) = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(first), number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number and f"stopped by {number.name}" in errors and "Nothing of 001_slow" in errors
    wait_for_nobody(database)
    assert not database.holds("slow") and not (folder.root / "started").exists()


def test_what_was_started_to_outlive_its_terminal_does(database, folder, tidelock):
    """nohup has SIGHUP ignored."""
    folder.add("001_slow", "CREATE TABLE slow (); SELECT pg_sleep(2);")
    words = ["nohup", tidelock.binary, "deploy"]
    environment = {"DATABASE_URL": database.url(), "PATH": os.environ["PATH"]}
    process = subprocess.Popen(words, env=environment, cwd=folder.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for_session(database, "pg_sleep")
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=60)
    assert process.returncode == 0 and database.holds("slow")


def test_a_second_signal_changes_nothing(database, folder, tidelock):
    folder.add("001_slow", "CREATE TABLE slow (); SELECT pg_sleep(600);")
    running = tidelock.start("deploy")
    wait_for_session(database, "pg_sleep")
    for _ in range(5):
        running.signal(signal.SIGTERM)
        running.signal(signal.SIGINT)
    assert running.wait().code in (143, 130)
    wait_for_nobody(database)
    assert not database.holds("slow") and database.ledger() == []


def test_a_signal_in_a_concurrent_index_leaves_no_invalid_one(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t AS SELECT 1 AS id")
    tidelock("deploy").succeeds()
    folder.add("002_index", "CREATE INDEX CONCURRENTLY t_idx ON t (id);")
    with database.connect() as writer:
        writer.execute("BEGIN")
        writer.execute("UPDATE t SET id = 2")
        running = tidelock.start("deploy")
        wait_for_session(database, "CREATE INDEX CONCURRENTLY")
        running.signal()
        running.wait().fails(exit=143)
    wait_for_nobody(database)
    tidelock("deploy").succeeds(applied=["002_index"])
    assert database.query("SELECT indisvalid FROM pg_index WHERE indrelid = 't'::regclass") == [(True,)]


def test_a_signal_in_a_later_step_says_what_persists(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t AS SELECT 1 AS id; CREATE TABLE u AS SELECT 1 AS id")
    tidelock("deploy").succeeds()
    folder.add("002_steps", "CREATE INDEX CONCURRENTLY t_idx ON t (id); CREATE INDEX CONCURRENTLY u_idx ON u (id);")
    with database.connect() as writer:
        writer.execute("BEGIN; LOCK TABLE u IN ROW EXCLUSIVE MODE")
        running = tidelock.start("deploy")
        wait_for_session(database, "CREATE INDEX CONCURRENTLY u_idx")
        running.signal()
        running.wait().fails(exit=143, says=["1 of 2 statements persisted", "resume at statement 2"])
    wait_for_nobody(database)
    tidelock("deploy").succeeds(applied=["002_steps"])


def test_a_signal_while_waiting_for_the_leader(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t ()")
    with database.connect() as other:
        other.execute("SELECT pg_advisory_lock(72707369)")
        running = tidelock.start("deploy")
        running.wait_for_line("waiting for the leader")
        running.signal()
        block = ["  holds     This run has applied no migration.\n", "  next      Deploy again.\n", "  exit      143: stopped by SIGTERM; the next run resumes\n"]
        running.wait().fails(exit=143, says=block)
    assert not database.holds("t")


def test_a_signal_while_waiting_for_the_database(binary, folder):
    from servers import free_port
    from tool import Tool

    tool = Tool(binary, None, folder)
    folder.add("001_t", "CREATE TABLE t ()")
    running = tool.start("deploy", url=f"postgresql://x@127.0.0.1:{free_port()}/x")
    running.wait_for_line("waiting for the database")
    running.signal()
    running.wait().fails(exit=143, says=["  holds     This run has applied no migration.\n", "  next      Deploy again.\n"])


@pytest.mark.parametrize("words", [["wait"], ["status"], ["budget"]], ids=lambda words: words[0])
def test_who_only_looks_changes_nothing_when_it_is_stopped(binary, folder, words):
    from servers import free_port
    from tool import Tool

    folder.add("001_t", "CREATE TABLE t ()")
    running = Tool(binary, None, folder).start(*words, url=f"postgresql://x@127.0.0.1:{free_port()}/x")
    running.wait_for_line("waiting for the database")
    running.signal(signal.SIGINT)
    running.wait().fails(exit=130, says=["  holds     Nothing was changed.\n", "  next      Type the same again.\n", "  exit      130: stopped by SIGINT; "])
