"""diff --script: SQL that turns one schema into another, or a list of what stands in the way and no SQL."""

import subprocess

import pytest
from servers import Database
from test_snapshot import BEFORE, CHANGES


def state(tidelock, database, file):
    """A snapshot of the database, as a file."""
    file.write_text(tidelock("snapshot", url=database.url()).succeeds().out)
    return file


def run(database, script):
    """Applies it as a person would."""
    done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database.url()], input=script.encode(), capture_output=True)
    assert done.returncode == 0, f"{done.stderr.decode()}\n{script}"


@pytest.fixture
def other(database):
    """A second, empty database."""
    other = Database(database.server, database.name[:50] + "_other")
    yield other
    other.drop()


@pytest.mark.every_major
def test_every_change_is_scripted_forward_and_back(database, other, tidelock, tmp_path):
    for here in (database, other):
        here.query(BEFORE)
    before, after = tmp_path / "before.txt", tmp_path / "after.txt"
    state(tidelock, database, before)
    with database.one_connection():
        bad = []
        for change in CHANGES:
            database.query(change)
            state(tidelock, database, after)
            for one, two in ((before, after), (after, before), (before, after)):
                try:
                    r = tidelock("diff", "--script", one, two)
                    if r.code != 0:
                        bad.append((change, r.errors))
                        break
                    run(other, r.out)
                    d = tidelock("diff", "--exit-code", two, other.url())
                    if d.code != 0:
                        bad.append((change, r.out, d.out))
                except AssertionError as e:
                    bad.append((change, str(e)))
            r = tidelock("diff", "--script", other.url(), after)
            try:
                run(other, r.out)
            except AssertionError as e:
                bad.append((change, str(e)))
            before.write_text(after.read_text())
        for b in bad:
            print("BAD", *b, sep="\n")
        assert not bad
