"""A statement has to end, and the network that carries it does not carry the request for that."""

import signal
import time

import pytest
from tool import wait_for_nobody, wait_for_session
from wait import wait_until

pytestmark = [pytest.mark.libraries, pytest.mark.fault]

SLOW = "CREATE TABLE slow (); SELECT pg_sleep(60);"
HOLES = ["hold", "swallow", "refuse", "drop"]
MODES = {
    "atomic": SLOW,
    "stepwise": f"-- tidelock: transaction=off\n{SLOW}",
    "self-managed": f"BEGIN; {SLOW} COMMIT;",
}
# Far less than the script takes, far more than tidelock needs.
PATIENCE = 30


def break_cancels(proxy, hole):
    if hole in ("hold", "swallow"):
        proxy.on_cancel = hole
    else:
        getattr(proxy, hole)()


def through(database, proxy, **parameters):
    return database.server.url(database.name, port=proxy.port, sslmode="disable", **parameters)


@pytest.mark.parametrize("hole", HOLES)
@pytest.mark.parametrize("mode", ["atomic", "stepwise"])
def test_a_signal_is_obeyed(database, folder, tidelock, proxy, hole, mode):
    folder.add("001_slow", MODES[mode])
    running = tidelock.start("deploy", "--connections", "1", url=through(database, proxy))
    wait_for_session(database, "pg_sleep")
    break_cancels(proxy, hole)
    running.signal(signal.SIGTERM)
    result = running.wait(PATIENCE).fails(exit=143, says="stopped by SIGTERM")
    assert "the connection was closed: its session ends when the server notices that" in result.errors
    if mode == "atomic":
        assert "Nothing of 001_slow" in result.errors
    else:
        assert "It is not known yet whether statement 2 was done" in result.errors


@pytest.mark.parametrize("hole", HOLES)
@pytest.mark.parametrize("mode", ["atomic", "self-managed"])
def test_the_migration_timeout_is_obeyed(database, folder, tidelock, proxy, hole, mode):
    folder.add("001_slow", MODES[mode])
    running = tidelock.start("deploy", "--connections", "1", "--migration-timeout", "2s", url=through(database, proxy))
    wait_for_session(database, "pg_sleep")
    break_cancels(proxy, hole)
    result = running.wait(PATIENCE)
    assert result.code == (6 if mode == "atomic" else 3), result.errors
    assert "it took longer than the migration-timeout" in result.errors and "tidelock: applied" not in result.errors
    wait_for_nobody(database)
    assert not database.holds("slow") and database.applied() == []


def test_what_ended_by_itself_is_too_late_all_the_same(database, folder, tidelock, proxy):
    """The script ends while its cancel request is under way."""
    folder.add("001_slow", "CREATE TABLE slow (); SELECT pg_sleep(3);")
    proxy.on_cancel = "swallow"
    result = tidelock("deploy", "--connections", "1", "--migration-timeout", "2s", url=through(database, proxy))
    result.fails(exit=6, says=["it took longer than the migration-timeout", "Nothing of 001_slow"])
    assert not database.holds("slow") and database.applied() == []


def test_a_refused_request_is_sent_again(database, folder, tidelock, proxy):
    folder.add("001_slow", SLOW)
    proxy.on_cancel = "swallow the first"
    running = tidelock.start("deploy", "--migration-timeout", "2s", "--connections", "1", url=through(database, proxy))
    result = running.wait(PATIENCE).fails(exit=6, says=["it took longer than the migration-timeout", "Nothing of 001_slow"])
    assert proxy.cancels > 1 and "the connection was closed" not in result.errors
    assert [row.name for row in database.ledger()] == ["001_slow"], result.errors


def test_what_is_next_is_known_though_the_connection_breaks_behind_the_cancelled_statement(database, folder, tidelock, proxy):
    folder.add("001_slow", SLOW)
    sent = []

    def on_message(message):
        sent.append("pg_sleep" in message.text)
        return "drop" if any(sent) and message.direction == "client" and "ROLLBACK" in message.text else None

    proxy.on_message = on_message
    running = tidelock.start("deploy", "--migration-timeout", "2s", "--connections", "1", url=through(database, proxy))
    running.wait(PATIENCE).fails(exit=6, says=["sqlstate  57014", "Nothing of 001_slow", "Allow it more time: --migration-timeout"])


def test_a_second_signal_ends_it_as_well(database, folder, tidelock, proxy):
    folder.add("001_slow", SLOW)
    running = tidelock.start("deploy", "--connections", "1", url=through(database, proxy))
    wait_for_session(database, "pg_sleep")
    proxy.on_cancel = "hold"
    running.signal(signal.SIGTERM)
    wait_until(lambda: proxy.cancels > 0, "the request")
    begun = time.monotonic()
    wait_until(lambda: time.monotonic() > begun + 0.3, "what is no echo of the first")
    running.signal(signal.SIGTERM)
    running.wait(PATIENCE).fails(exit=143, says=["stopped by SIGTERM", "Nothing of 001_slow"])


def test_whoever_blocks_others_too_long_ends(database, folder, tidelock, proxy):
    folder.add("001_t", "CREATE TABLE t (id int)")
    tidelock("deploy").succeeds()
    folder.add("002_slow", "LOCK TABLE t; SELECT pg_sleep(60);")
    running = tidelock.start("deploy", "--max-blocked-for", "1s", "--max-blocked", "0", url=through(database, proxy))
    wait_for_session(database, "pg_sleep")
    proxy.on_cancel = "hold"
    assert database.value("SELECT count(*) FROM t") == 0
    result = running.wait(PATIENCE)
    assert result.code != 0 and "it blocked 1 session" in result.errors


@pytest.mark.parametrize("number", [signal.SIGTERM, None], ids=["signal", "timeout"])
def test_copy_to_stdout_is_not_deaf(database, folder, tidelock, number, tmp_path):
    folder.add("001_copy", "COPY (SELECT repeat('x', 10000), CASE WHEN g > 1 THEN pg_sleep(60) END FROM generate_series(1, 2) g) TO STDOUT;")
    running = tidelock.start("deploy", "--status-file", tmp_path / "status", *([] if number else ["--migration-timeout", "2s"]))
    wait_for_session(database, "COPY")
    seen = (tmp_path / "status").stat().st_mtime_ns
    wait_until(lambda: (tmp_path / "status").stat().st_mtime_ns > seen, "the status file to be written again")
    if number:
        running.signal(number)
    running.wait(PATIENCE).fails(exit=143 if number else 6, says="Nothing of 001_copy")
    wait_for_nobody(database)


def test_what_copy_to_stdout_sends_is_dropped(database, folder, tidelock):
    folder.add("001_copy", "CREATE TABLE a (); COPY (SELECT repeat('x', 1000) FROM generate_series(1, 50000)) TO STDOUT; COPY (SELECT 1) TO STDOUT; CREATE TABLE b ()")
    folder.add("002_fails", "COPY (SELECT 1 / (3 - g), repeat('x', 10000) FROM generate_series(1, 5) g) TO STDOUT;")
    result = tidelock("deploy").fails(exit=6, says="division by zero")
    assert database.applied() == ["001_copy"] and database.holds("b"), result.errors


@pytest.mark.parametrize("limit", ["signal", "timeout"])
def test_what_ended_by_itself_is_recorded_before_the_request_arrives(database, folder, tidelock, proxy, limit):
    """Nobody could find out later how far a procedure came that commits by itself."""
    gate = "WHILE NOT EXISTS (SELECT FROM opened) LOOP PERFORM pg_sleep(0.01); COMMIT; END LOOP;"
    folder.add("000_slow", f"CREATE TABLE opened (); CREATE TABLE done (n int); CREATE PROCEDURE slow() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO done VALUES (0); COMMIT; {gate} INSERT INTO done VALUES (1); END $$")
    tidelock("deploy").succeeds()
    folder.add("001_slow", "-- tidelock: transaction=off\nCALL slow();\nINSERT INTO done VALUES (2);")
    proxy.on_cancel = "hold"
    running = tidelock.start("deploy", "--connections", "1", *(["--migration-timeout", "3s"] if limit == "timeout" else []), url=through(database, proxy))
    wait_until(lambda: database.value("SELECT count(*) FROM done"), "the procedure to have committed")
    if limit == "signal":
        running.signal(signal.SIGTERM)
    wait_until(lambda: proxy.cancels > 0, "the request")
    database.query("INSERT INTO opened DEFAULT VALUES")
    result = running.wait(PATIENCE)
    if "the connection was closed" in result.errors:
        pytest.skip("this machine was too slow: the procedure had not ended when the request was given up")
    result.fails(exit=143 if limit == "signal" else 7, says=["1 of 2 statements persisted", "to resume at statement 2"])
    wait_for_nobody(database)
    tidelock("deploy").succeeds(applied=["001_slow"])
    assert database.query("SELECT n FROM done ORDER BY n") == [(0,), (1,), (2,)]
