"""Started with some of its standard streams closed, it neither writes into what takes their numbers nor spins."""

import os
import pathlib
import subprocess

import pytest

pytestmark = pytest.mark.libraries

CLOSED = [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]


def close_all(closed):
    for number in closed:
        os.close(number)


def run_without(closed, binary, *words, url, cwd):
    """(exit code, seconds of CPU) of a run that finds `closed` closed."""
    process = subprocess.Popen(
        [binary, *words], env={"DATABASE_URL": url, "PATH": os.environ["PATH"]}, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=lambda: close_all(closed),
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime


@pytest.mark.parametrize("closed", CLOSED)
def test_nothing_of_ours_gets_into_the_protocol(binary, database, folder, closed):
    folder.add("001_a", "DO $$ BEGIN RAISE NOTICE 'said'; END $$; CREATE TABLE a ()")
    folder.add("002_b", "CREATE TABLE b (); SELECT pg_sleep(2)")
    code, busy = run_without(closed, binary, "deploy", "--log-level", "debug", url=database.url(), cwd=folder.root)
    assert code == 0 and busy < 1
    assert [row.name for row in database.ledger()] == ["001_a", "002_b"]
    assert "invalid frontend message" not in database.server.log.read_text(errors="replace")


@pytest.mark.parametrize("closed", CLOSED)
def test_a_wait_does_not_spin(binary, database, folder, closed):
    folder.add("001_a", "CREATE TABLE a ()")
    code, busy = run_without(closed, binary, "wait", "--leader-timeout", "2s", url=database.url(), cwd=folder.root)
    assert code == 4 and busy < 1


@pytest.mark.parametrize("words, code", [(["status", "--exit-code"], 1), (["baseline"], 0), (["budget"], 0), (["ready", "--status-file", "none"], 1), (["help"], 0), (["nonsense"], 2)])
def test_every_command_can_do_without(binary, database, folder, words, code):
    folder.add("001_a", "CREATE TABLE a ()")
    database.query("CREATE TABLE a ()")
    assert run_without((0, 1, 2), binary, *words, url=database.url(), cwd=folder.root)[0] == code


def test_the_command_finds_them_closed_as_well(binary, database, folder):
    folder.add("001_t", "SELECT 1")
    show = "import os; open('seen', 'w').write(str([n for n in (0, 1, 2) if os.path.lexists(f'/proc/{os.getpid()}/fd/{n}')]))"
    seen = pathlib.Path(folder.root / "seen")
    assert run_without((0, 2), binary, "run", "--", "/usr/bin/python3", "-IEsc", show, url=database.url(), cwd=folder.root)[0] == 0
    with_us = seen.read_text()
    subprocess.run(["/usr/bin/python3", "-IEsc", show], cwd=folder.root, stdout=subprocess.DEVNULL, preexec_fn=lambda: close_all((0, 2)), check=True)
    assert with_us == seen.read_text()
