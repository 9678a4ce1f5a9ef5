"""A run whose connection is lost goes on only where what it has done is still there."""

import subprocess

import pytest
from proxy import Proxy
from servers import Database, Server
from tool import Tool
from wait import wait_until

FIRST, SECOND, THIRD = "001_first", "002_second", "003_third"


class Failover:
    """A primary with a standby, and an address that leads to the one that is in use."""

    def __init__(self, primary, standby, binary, folder):
        self.primary = primary
        self.standby = standby
        self.database = Database(primary, "app")
        self.proxy = Proxy(primary.port)
        self.tidelock = Tool(binary, self.database, folder)
        self.url = primary.url("app", port=self.proxy.port)
        self.steps = []
        self.proxy.on_message = self._on_message
        folder.add(FIRST, "CREATE TABLE done (n int); INSERT INTO done VALUES (1); -- the first")

    def _on_message(self, message):
        """When the client sends `text` for the first time, `act` runs before it is forwarded, or in its place."""
        if self.steps and message.direction == "client" and self.steps[0][0] in message.text:
            return self.steps.pop(0)[1]()
        return None

    def when(self, text, act):
        self.steps.append((text, act))

    def there(self):
        return Database(self.standby, "app", is_there=True)

    def wait_for_replay(self):
        """A commit that nobody waits for, such as that of a backfill's batch, is in the log only once a later one is waited for."""
        self.primary.query("SELECT pg_logical_emit_message(true, 'tidelock', '')")
        lsn = self.primary.query("SELECT pg_current_wal_lsn()")[0][0]
        wait_until(lambda: self.standby.query("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", lsn)[0][0], "the standby to replay")

    def cut_replication(self):
        self.wait_for_replay()
        self.standby.query("ALTER SYSTEM SET primary_conninfo = ''")
        self.standby.query("SELECT pg_reload_conf()")
        wait_until(lambda: not self.standby.query("SELECT FROM pg_stat_wal_receiver"), "the standby to stop receiving")

    def switch_to(self, server):
        self.primary.stop("fast")
        self.standby = server
        self.database.server = server
        self.proxy.server_port = server.port
        return "drop"

    def promote(self):
        """Not "immediate": a postmaster that has to kill a session then may take a minute to notice its end."""
        self.primary.stop("fast")
        self.standby.query("SELECT pg_promote()")
        return self.switch_to(self.standby)

    def promote_in_step(self):
        self.wait_for_replay()
        return self.promote()

    def deploy(self, *arguments, command="deploy"):
        result = self.tidelock(command, *arguments, url=self.url)
        assert not self.steps, f"not everything was sent:\n{result.errors}"
        return result

    def remove(self):
        self.tidelock.clean_up()
        self.proxy.close()


@pytest.fixture
def failover(replica, binary, folder):
    failover = Failover(*replica, binary, folder)
    yield failover
    failover.remove()


def add_two_more(folder):
    folder.add(SECOND, "INSERT INTO done VALUES (2); -- the second")
    folder.add(THIRD, "INSERT INTO done VALUES (3); -- the third")


def test_a_promoted_standby_that_has_it_all_is_as_good(failover, folder):
    add_two_more(folder)
    failover.when("-- the third", failover.promote_in_step)
    result = failover.deploy("--restore-point").succeeds(applied=[FIRST, SECOND, THIRD])
    assert "the server has changed to timeline 2: a standby was promoted; it holds what this run has done so far" in result.errors
    assert failover.there().query("SELECT n FROM done") == [(1,), (2,), (3,)]
    assert result.errors.count("made a restore point") == 1


def test_a_promoted_standby_that_lacks_the_last_commit_is_left_alone(failover, folder):
    add_two_more(folder)
    failover.when("-- the second", failover.cut_replication)
    failover.when("-- the third", failover.promote)
    result = failover.deploy()
    result.fails(
        exit=8,
        says=[
            f"the database lacks 1 migration that this run has applied: {SECOND}",
            "The server is on timeline 2, and was on 1 when this run began: a standby was promoted, or a backup was restored.",
            "This run has applied 2 migrations; the database that answers now shows 1 of them.",
            "Find out which server is the right one",
            "applied migrations lost",
        ],
    )
    assert "could not be recorded" not in result.errors
    assert failover.there().query("SELECT n FROM done") == [(1,)]
    failover.tidelock("status", url=failover.url)
    failover.tidelock("deploy", url=failover.url).succeeds(applied=[SECOND, THIRD])


def test_one_that_lacks_even_the_ledger_is_left_alone(failover, folder):
    folder.add(SECOND, "INSERT INTO done VALUES (2); -- the second")
    failover.cut_replication()
    failover.when("-- the second", failover.promote)
    failover.deploy().fails(exit=8, says=[f"lacks 1 migration that this run has applied: {FIRST}", "timeline 2"])
    assert not failover.there().holds("_prisma_migrations")


def test_before_anything_is_applied_another_server_is_as_good(failover, folder):
    failover.when("-- the first", failover.promote_in_step)
    failover.deploy().succeeds(applied=[FIRST])


def test_a_commit_that_was_never_heard_of_is_no_loss(failover, folder):
    """Its transaction's id means another one on the new timeline."""
    add_two_more(folder)

    def at_commit():
        failover.when("COMMIT", failover.promote)
        failover.cut_replication()

    failover.when("-- the second", at_commit)
    result = failover.deploy().succeeds(applied=[FIRST, SECOND, THIRD])
    assert "the answer to COMMIT of 002_second was lost: it was rolled back" in result.errors
    assert failover.there().query("SELECT n FROM done") == [(1,), (2,), (3,)]


@pytest.mark.parametrize("is_recovered", [True, False], ids=["recovered", "copied back"])
def test_a_backup_that_was_restored_meanwhile_is_left_alone(failover, folder, request, is_recovered):
    add_two_more(folder)
    kept = []

    def restore():
        primary = failover.primary
        settings = []
        if is_recovered:
            (kept[0] / "recovery.signal").touch()
            settings = ["restore_command=false", "recovery_target_action=promote"]
        primary.stop("fast")
        restored = Server(primary.major, primary.binaries, settings, backup=kept[0])
        request.addfinalizer(restored.remove)
        wait_until(lambda: not restored.query("SELECT pg_is_in_recovery()")[0][0], "the recovery to end")
        return failover.switch_to(restored)

    failover.when("-- the second", lambda: kept.append(failover.primary.back_up()))
    failover.when("-- the third", restore)
    result = failover.deploy().fails(exit=8, says=f"lacks 1 migration that this run has applied: {SECOND}")
    assert ("The server is on timeline 2, and was on 1" if is_recovered else "The server is the same, on the same timeline") in result.errors
    assert failover.there().query("SELECT n FROM done") == [(1,)]


def test_another_system_is_left_alone_though_it_holds_it_all(failover, folder, request):
    add_two_more(folder)

    def move():
        primary = failover.primary
        other = Server(primary.major, primary.binaries)
        request.addfinalizer(other.remove)
        other.query("CREATE DATABASE app")
        dump = subprocess.run(["pg_dump", "-d", primary.url("app")], check=True, capture_output=True, text=True).stdout
        subprocess.run(["psql", "-XqAt", "-d", other.url("app")], input=dump, check=True, capture_output=True, text=True)
        return failover.switch_to(other)

    failover.when("-- the third", move)
    result = failover.deploy()
    result.fails(exit=8, says=["another server answers than the one that this run has changed", "its system identifier is ", "Its ledger holds what this run has done so far."])
    assert failover.there().query("SELECT n FROM done") == [(1,), (2,)]
    failover.tidelock("deploy", url=failover.url).succeeds(applied=[THIRD])


def test_a_role_that_may_not_ask_goes_by_the_ledger(failover, folder):
    failover.database.query("REVOKE EXECUTE ON FUNCTION pg_control_system(), pg_walfile_name(pg_lsn) FROM PUBLIC; CREATE ROLE plain LOGIN; GRANT ALL ON SCHEMA public TO plain")
    failover.url = failover.primary.url("app", user="plain", port=failover.proxy.port)
    add_two_more(folder)
    failover.when("-- the second", failover.cut_replication)
    failover.when("-- the third", failover.promote)
    result = failover.deploy().fails(exit=8, says=[f"lacks 1 migration that this run has applied: {SECOND}", "The server may have been replaced"])
    assert "it is not known which server this is" not in result.errors
    result = failover.tidelock("deploy", "-v", url=failover.url).succeeds(applied=[SECOND, THIRD])
    assert "it is not known which server this is" in result.errors


def test_a_row_that_somebody_has_removed_meanwhile_is_told(failover, folder):
    add_two_more(folder)

    def remove():
        failover.database.query(f"DELETE FROM _prisma_migrations WHERE migration_name = '{SECOND}'")
        return "drop"

    failover.when("-- the third", remove)
    failover.deploy().fails(exit=8, says=[f"lacks 1 migration that this run has applied: {SECOND}", "somebody has changed the ledger"])
    assert failover.database.query("SELECT n FROM done") == [(1,), (2,)]


def test_half_a_migration_that_is_lost_is_told(failover, folder):
    folder.add(SECOND, "-- tidelock: transaction=off\nCREATE TABLE b1 ();\nCREATE TABLE b2 ();\nCREATE TABLE b3 ();")
    failover.when("CREATE TABLE b2", failover.cut_replication)
    failover.when("CREATE TABLE b3", failover.promote)
    result = failover.deploy()
    result.fails(exit=8, says=[f'the database has lost a part of migration "{SECOND}" that this run had done', "timeline 2"])
    assert failover.there().holds("b1") and not failover.there().holds("b2")
    failover.tidelock("deploy", url=failover.url).succeeds(applied=[SECOND])
    assert failover.there().holds("b3")


def test_batches_of_a_backfill_that_are_lost_are_told(failover, folder):
    failover.database.query("CREATE SCHEMA app; CREATE TABLE app.t (id int PRIMARY KEY, n int); INSERT INTO app.t SELECT generate_series(1, 300)")
    folder.add(SECOND, "-- tidelock: backfill app.t rows=100..100\nUPDATE app.t SET n = id WHERE n IS NULL;")
    failover.when("WITH tidelock_changed", lambda: None)
    failover.when("WITH tidelock_changed", failover.cut_replication)
    failover.when("WITH tidelock_changed", failover.promote)
    result = failover.deploy()
    result.fails(exit=8, says=[f'the database has lost a part of the backfill of "{SECOND}"', "it holds 1 of the 2 batches"])
    failover.tidelock("deploy", url=failover.url).succeeds(applied=[SECOND])
    assert failover.there().value("SELECT count(*) FROM app.t WHERE n IS NULL") == 0


def test_what_was_rolled_back_and_is_there_again_is_told(failover, folder):
    add_two_more(folder)
    for name in (SECOND, THIRD):
        (folder.path / name / "down.sql").write_text(f"DELETE FROM done WHERE n = {name[2]}; -- back {name}")
    failover.deploy().succeeds(applied=[FIRST, SECOND, THIRD])
    failover.when(f"-- back {THIRD}", failover.cut_replication)
    failover.when(f"-- back {SECOND}", failover.promote)
    result = failover.deploy("--to", FIRST, "--allow-loss", "done", command="rollback")
    result.fails(exit=8, says=[f"the database holds again 1 migration that this run has rolled back: {THIRD}", "timeline 2"])
    assert failover.there().query("SELECT n FROM done") == [(1,), (2,), (3,)]


def test_a_process_that_waits_does_not_trust_a_server_that_lost_what_it_has_seen(failover, folder):
    add_two_more(folder)
    failover.tidelock("deploy", "--to", FIRST, url=failover.url).succeeds()
    failover.cut_replication()
    failover.tidelock("deploy", "--to", SECOND, url=failover.url).succeeds(applied=[SECOND])
    waiting = failover.tidelock.start("wait", url=failover.url)
    waiting.wait_for_line("waiting for 1 migration, first 003_third")
    failover.promote()
    result = waiting.wait().fails(exit=8, says=["the database lacks 1 migration that it held while this process waited", "Nothing was changed."])
    assert "a standby was promoted" in result.errors


def test_a_process_that_waits_goes_on_after_a_rollback(database, folder, tidelock):
    add_two_more(folder)
    folder.add(FIRST, "CREATE TABLE done (n int)")
    (folder.path / SECOND / "down.sql").write_text("SELECT 1")
    tidelock("deploy", "--to", SECOND).succeeds()
    waiting = tidelock.start("wait")
    waiting.wait_for_line("waiting for 1 migration")
    tidelock("rollback", "--to", FIRST).succeeds()
    waiting.wait_for_line("waiting for 2 migrations")
    tidelock("deploy").succeeds()
    waiting.wait().succeeds()
