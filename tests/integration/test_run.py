"""run: the database first, then the application, which finds everything as if nobody had been there before it."""

import json
import os
import signal
import subprocess
import sys

import pytest
from tool import wait_for_session

pytestmark = pytest.mark.libraries

# What a process sees of itself.
SHOW = """
import json, os, signal, sys
signals = {name: str(signal.getsignal(getattr(signal, name))) for name in ("SIGTERM", "SIGINT", "SIGPIPE", "SIGHUP")}
print(json.dumps({
    "words": sys.argv[1:], "environment": dict(os.environ), "pid": os.getpid(), "cwd": os.getcwd(), "umask": os.umask(0),
    "descriptors": sorted(int(name) for name in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{name}")),
    "blocked": [int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, [])], "ignored": next(line for line in open("/proc/self/status") if line.startswith("SigIgn")),
}))
"""
APPLICATION = ["/usr/bin/python3", "-IEs", "-c", SHOW]


def shown(result):
    result.succeeds()
    return json.loads(result.out)


def test_it_deploys_and_becomes_the_command(tidelock, folder, database):
    folder.add("001_t", "CREATE TABLE t ()")
    running = tidelock.start("run", "--", *APPLICATION, "--help", "a b", "", "--")
    seen = shown(running.wait())
    assert seen["words"] == ["--help", "a b", "", "--"]
    assert seen["pid"] == running.process.pid
    assert database.query("SELECT to_regclass('t') IS NOT NULL") == [(True,)]


def test_the_dashes_may_be_left_out(tidelock, folder, database):
    folder.add("001_t", "SELECT 1")
    assert shown(tidelock("run", "--log-level", "warn", *APPLICATION, "--strict"))["words"] == ["--strict"]


def test_its_own_words_are_on_stderr(tidelock, folder, database):
    folder.add("001_t", "CREATE TABLE t ()")
    first = tidelock("run", "--", "echo", "hello")
    assert first.out == "hello\n" and "applied 1 migration in" in first.errors
    second = tidelock("run", "--", "echo", "hello")
    assert second.out == "hello\n" and "the database holds 1 of 1" in second.errors


def test_the_command_finds_the_process_as_it_was(tidelock, folder, database, tmp_path):
    folder.add("001_t", "SELECT 1")

    def start(*before):
        """The same command, after the words of `before`; with something ignored, something blocked and an umask of its own."""

        def change():
            os.umask(0o037)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])

        done = subprocess.run(
            [*before, *APPLICATION], env={"DATABASE_URL": database.url(), "PATH": "/usr/bin"}, cwd=folder.root, capture_output=True, preexec_fn=change, restore_signals=False, check=True
        )
        seen = json.loads(done.stdout)
        del seen["pid"]
        return seen

    assert start(tidelock.binary, "run", "--") == start()


def test_what_is_for_migrations_only_does_not_reach_the_command(tidelock, folder, database, tmp_path):
    folder.add("001_t", "SELECT 1")
    (tmp_path / "url").write_text(database.url())
    environment = {
        "DIRECT_URL_FILE": str(tmp_path / "url"),
        "TIDELOCK_LOCK_TIMEOUT": "1s",
        "TIDELOCKED": "mine",
        "DIRECT_URLS": "mine too",
        "PGAPPNAME": "app",
    }
    seen = shown(tidelock("run", "--", *APPLICATION, environment=environment))["environment"]
    assert seen["DATABASE_URL"] == database.url()
    assert {name: seen.get(name) for name in environment} == {**environment, "DIRECT_URL_FILE": None, "TIDELOCK_LOCK_TIMEOUT": None}
    kept = shown(tidelock("run", "--keep-env", "--", *APPLICATION, environment=environment))["environment"]
    assert {name: kept[name] for name in environment} == environment


def test_the_direct_url_does_not_reach_the_command(tidelock, folder, database):
    folder.add("001_t", "SELECT 1")
    seen = shown(tidelock("run", "--", *APPLICATION, url="postgresql://nowhere.invalid/d", environment={"DIRECT_URL": database.url()}))["environment"]
    assert "DIRECT_URL" not in seen and seen["DATABASE_URL"] == "postgresql://nowhere.invalid/d"


@pytest.mark.parametrize("name", ["no-such-command", "./no-such-file", "/", "/etc", ""])
def test_a_command_that_is_not_there_changes_nothing(tidelock, folder, database, name):
    folder.add("001_t", "CREATE TABLE t ()")
    tidelock("run", "--", name).fails(exit=127, says=["could not find command", "tidelock run -- CMD"])
    assert database.query("SELECT to_regclass('t') IS NULL") == [(True,)]


def test_a_command_that_may_not_be_executed_changes_nothing(tidelock, folder, database):
    folder.add("001_t", "CREATE TABLE t ()")
    (folder.root / "plain").write_text("no program")
    tidelock("run", "--", "./plain").fails(exit=126, says="no permission to execute")
    tidelock("run", "--", "plain", environment={"PATH": f"/nowhere:{folder.root}"}).fails(exit=126, says="no permission to execute")
    assert database.query("SELECT to_regclass('t') IS NULL") == [(True,)]


@pytest.mark.parametrize(
    "content, code, says",
    [
        ("#!/no/such/interpreter\n", 127, 'names, "/no/such/interpreter", is missing'),
        ("#! /no/such/interpreter -x\n", 127, "is missing"),
        ("#!/bin/sh\r\nexit 0\r\n", 127, "carriage return"),
        ("#!/usr/bin/env no-such-interpreter\n", 127, "is not in PATH"),
        ("#!/usr/bin/env sh\r\n", 127, "carriage return"),
        ("#!/usr/bin/env -S no-such-interpreter --option\n", 127, "is not in PATH"),
        ("#!/etc/passwd\n", 126, "may not be executed"),
        ("#!/etc\n", 126, "may not be executed"),
        ("#!\nexit 0\n", 126, "names no interpreter"),
        ("#!/" + "x" * 300 + "\n", 126, "too long"),
        ("#!./second\n", 127, '"./second": the interpreter'),
        ("\ufeff#!/bin/sh\n", 126, "byte order mark"),
        ("exit 0\n", 126, "names no interpreter"),
        ("", 126, "empty file"),
    ],
)
def test_a_script_that_cannot_start_changes_nothing(tidelock, folder, database, content, code, says):
    folder.add("001_t", "CREATE TABLE t ()")
    for name, text in [("broken", content), ("second", "#!/no/such/interpreter\n")]:
        (folder.root / name).write_text(text, newline="")
        (folder.root / name).chmod(0o755)
    tidelock("run", "--", "./broken").fails(exit=code, says=["could not execute", says])
    assert database.query("SELECT to_regclass('t') IS NULL") == [(True,)]


def test_a_script_starts_by_whatever_way_the_kernel_knows(tidelock, folder, database):
    folder.add("001_t", "SELECT 1")
    for name, text in [("first", "#!  ./second\n"), ("second", "#!/usr/bin/env -S sh -e\necho $# started\n"), ("third", "#!/bin/sh")]:
        (folder.root / name).write_text(text)
        (folder.root / name).chmod(0o755)
    assert tidelock("run", "--", "./first", "word").out == "2 started\n"
    tidelock("run", "--", "./third").succeeds()


def test_a_program_that_the_kernel_refuses(tidelock, folder, database):
    folder.add("001_t", "SELECT 1")
    (folder.root / "broken").write_text("\x7fELF no program")
    (folder.root / "broken").chmod(0o755)
    tidelock("run", "--", "./broken").fails(exit=126, says="could not execute")


@pytest.mark.parametrize("name", ["/dev/null", "./fifo"])
def test_what_is_no_file_is_not_executed(tidelock, folder, database, name):
    os.mkfifo(folder.root / "fifo", 0o777)
    folder.add("001_t", "CREATE TABLE t ()")
    tidelock("run", "--", name).fails(exit=126, says="no permission to execute")
    assert database.query("SELECT to_regclass('t') IS NULL") == [(True,)]


def test_the_commands_exit_code_is_the_runs(tidelock, folder, database):
    folder.add("001_t", "SELECT 1")
    assert tidelock("run", "--", "sh", "-c", "exit 42").code == 42


def test_no_command_is_an_error(tidelock, folder, database):
    tidelock("run").fails(exit=2, says="run needs the command to start")
    tidelock("run", "--strict", "--").fails(exit=2, says="run needs the command to start")


def test_a_failed_deployment_starts_nothing(tidelock, folder, database):
    folder.add("001_bad", "SELECT 1/0")
    assert tidelock("run", "--", "touch", "started").fails(exit=6, says="P3018").out == ""
    assert not (folder.root / "started").exists()


def test_a_signal_during_the_deployment_starts_nothing(tidelock, folder, database):
    folder.add("001_slow", "SELECT pg_sleep(600)")
    running = tidelock.start("run", "--", "touch", "started")
    wait_for_session(database, "pg_sleep")
    running.signal()
    running.wait().fails(exit=128 + signal.SIGTERM, says="stopped by SIGTERM")
    assert not (folder.root / "started").exists()


def test_a_signal_reaches_the_command(tidelock, folder, database):
    folder.add("001_t", "SELECT 1")
    script = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7)); print('up', flush=True); signal.pause()"
    running = tidelock.start("run", "--", sys.executable, "-c", script)
    assert running.process.stdout.readline() == b"up\n"
    running.signal()
    assert running.wait().code == 7
