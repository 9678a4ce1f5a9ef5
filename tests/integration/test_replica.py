"""--replica: new code never reads a standby that has not replayed the schema that it needs."""

import pytest
from servers import Database
from tool import Tool
from wait import wait_until

STARTS = 20


@pytest.fixture
def pair(replica, binary, folder):
    """The tool on a primary, and a standby of it that follows."""
    primary, standby = replica
    database = Database(primary, "app")
    wait_until(lambda: standby.query("SELECT 1 FROM pg_database WHERE datname = 'app'"), "the replica to have the database")
    folder.add("001_t", "CREATE TABLE t (id int)")
    tidelock = Tool(binary, database, folder)
    yield tidelock, standby, {"TIDELOCK_REPLICA": standby.url("app")}
    standby.query("SELECT pg_wal_replay_resume()")
    tidelock.clean_up()


@pytest.mark.parametrize("command", [["deploy"], ["run", "--", "/bin/echo", "open"]], ids=["deploy", "run"])
def test_a_replica_that_follows_is_waited_for(pair, command):
    tidelock, standby, environment = pair
    twice = {"TIDELOCK_REPLICA": f"{environment['TIDELOCK_REPLICA']}\n {environment['TIDELOCK_REPLICA']}\n"}
    tidelock(*command, environment=twice).succeeds()
    assert Database(standby, "app", is_there=True).holds("t")


@pytest.mark.parametrize("command", [["wait"], ["run", "--wait", "--", "/bin/echo", "open"]], ids=["wait", "run"])
def test_the_gate_stays_closed_while_the_replay_is_paused(pair, command):
    tidelock, standby, environment = pair
    standby.query("SELECT pg_wal_replay_pause()")
    tidelock("deploy").succeeds(applied=["001_t"])
    waiting = tidelock.start(*command, environment=environment)
    waiting.wait_for_line("waiting for the replica at ")
    assert not Database(standby, "app", is_there=True).holds("t")
    standby.query("SELECT pg_wal_replay_resume()")
    result = waiting.wait().succeeds(says="its replay is paused")
    assert ("open" in result.out) == (command[0] == "run")


def test_a_replica_that_stays_behind_is_named(pair, folder, tmp_path):
    tidelock, standby, environment = pair
    standby.query("SELECT pg_wal_replay_pause()")
    status = tmp_path / "status.prom"
    result = tidelock("deploy", "--leader-timeout", "300ms", "--status-file", status, environment=environment)
    result.fails(exit=4, says=["the replica at ", "still lacks 1 of 1 migration", "Its replay is paused.", "pg_wal_replay_resume()", "holds all of them"])
    assert 'tidelock_phase{phase="complete"' not in [line for line in status.read_text().splitlines() if line.endswith(" 1")]
    tidelock("ready", "--status-file", status).fails(exit=1)


def test_a_server_that_is_no_standby_is_said(pair, server, database):
    tidelock, _, _ = pair
    result = tidelock("deploy", "--leader-timeout", "300ms", environment={"TIDELOCK_REPLICA": database.url()})
    result.fails(exit=4, says="It is no standby.")


def test_its_password_stays_secret(pair):
    tidelock, standby, environment = pair
    urls = environment["TIDELOCK_REPLICA"] + " postgresql://app:s3cret-word@127.0.0.1:1/app"
    result = tidelock("deploy", "--connect-deadline", "0", environment={"TIDELOCK_REPLICA": urls})
    result.fails(exit=3, says="waiting for a replica")
    assert "s3cret-word" not in result.out + result.errors
    odd = tidelock("wait", environment={"TIDELOCK_REPLICA": "app:s3cret-word@nowhere"})
    odd.fails(exit=2)
    assert "s3cret-word" not in odd.out + odd.errors


def test_no_start_reads_the_old_schema(pair, folder):
    """Each release asks the standby for the column that it has just added, while the replay is held up; without the gate, it finds none."""
    tidelock, standby, environment = pair
    tidelock("deploy").succeeds()

    def start(number, environment):
        folder.add(f"{number:03}_c", f"ALTER TABLE t ADD COLUMN c{number} int")
        standby.query("SELECT pg_wal_replay_pause()")
        reader = ["psql", "-XqAt", "-d", standby.url("app"), "-c", f"SELECT count(c{number}) FROM t"]
        return tidelock.start("run", "--", *reader, environment=environment)

    start(2, {}).wait().fails(exit=1, says='column "c2" does not exist')
    for number in range(3, 3 + STARTS):
        standby.query("SELECT pg_wal_replay_resume()")
        starting = start(number, environment)
        starting.wait_for_line(f"applied {number:03}_c")
        standby.query("SELECT pg_wal_replay_resume()")
        assert starting.wait().succeeds().out == "0\n"
