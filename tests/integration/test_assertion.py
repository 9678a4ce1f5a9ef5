"""Assertions before and behind a migration, and limits on how long one may take."""

import pytest
from tool import wait_for_session

CONTRACT = "-- tidelock: assert {words}NOT EXISTS (SELECT FROM orders WHERE status IS NULL)\nALTER TABLE orders DROP COLUMN old"


@pytest.fixture
def orders(database, folder, tidelock):
    folder.add("000_orders", "CREATE TABLE orders (old int, status text); INSERT INTO orders VALUES (1, NULL), (2, 'sent')")
    tidelock("deploy").succeeds()


def test_what_is_not_true_stops_before_anything_is_done(database, folder, tidelock, orders):
    script = folder.add("001_contract", CONTRACT.format(words=""))
    result = tidelock("deploy").fails(exit=6, says=["assertion failed in migration \"001_contract\": NOT EXISTS (SELECT FROM orders", "Nothing of 001_contract", "wait=10m"], at=f"{script.name}:1:21")
    assert "P3018" in result.errors and [row.name for row in database.ledger()] == ["000_orders"]
    database.query("UPDATE orders SET status = 'new' WHERE status IS NULL")
    tidelock("deploy").succeeds(applied=["001_contract"])


def test_it_waits_until_it_is_true(database, folder, tidelock, orders):
    folder.add("001_contract", CONTRACT.format(words="wait=5m "))
    running = tidelock.start("deploy")
    running.wait_for_line("waiting until the assertion is true: NOT EXISTS")
    database.query("UPDATE orders SET status = 'new' WHERE status IS NULL")
    running.wait().succeeds(applied=["001_contract"])


def test_it_does_not_wait_longer_than_it_should(folder, tidelock, orders):
    folder.add("001_contract", CONTRACT.format(words="wait=1s "))
    tidelock("deploy").fails(exit=6, says=["assertion failed in", "let it wait longer"])


def test_a_signal_ends_the_wait(folder, tidelock, orders):
    folder.add("001_contract", CONTRACT.format(words="wait=5m "))
    running = tidelock.start("deploy")
    running.wait_for_line("waiting until the assertion is true")
    running.signal()
    running.wait().fails(exit=143)


def test_an_assertion_behind_the_script_rolls_it_back(database, folder, tidelock, orders):
    folder.add("001_delete", "-- tidelock: assert after (SELECT count(*) FROM orders) = 2\nDELETE FROM orders")
    tidelock("deploy").fails(exit=6, says=["assertion failed in migration \"001_delete\": (SELECT count(*)", "Nothing of 001_delete"])
    assert database.value("SELECT count(*) FROM orders") == 2
    assert [row.rolled_back for row in database.ledger()] == [False, True]


def test_behind_a_stepwise_script_what_was_done_stays(database, folder, tidelock, orders):
    folder.add("001_index", "-- tidelock: assert after (SELECT count(*) FROM orders WHERE status IS NULL) = 0\nCREATE INDEX CONCURRENTLY ON orders (status)")
    tidelock("deploy").fails(exit=7, says=["assertion failed in migration", "1 of 1 statement persisted"])
    database.query("DELETE FROM orders WHERE status IS NULL")
    again = tidelock("deploy").succeeds(applied=["001_index"], says="001_index was interrupted after its last statement: what is left is to check and record it")
    assert "resuming at statement" not in again.errors
    assert database.value("SELECT count(*) FROM pg_index WHERE indrelid = 'orders'::regclass") == 1


@pytest.mark.parametrize(
    "assertion, says",
    [
        ("nobody_knows_this", ["could not evaluate an assertion in", ": nobody_knows_this"]),
        ("'x'", ["could not evaluate an assertion in", ": 'x'"]),
        ("SELECT true UNION ALL SELECT true", "could not evaluate an assertion in"),
        ("true); DROP TABLE orders; SELECT (true", "could not evaluate an assertion in"),
        ("nextval('s') > 0", "could not evaluate an assertion in"),
        ("NULL", ["assertion failed in", ": NULL"]),
    ],
)
def test_what_can_not_be_asked_stops_too(database, folder, tidelock, orders, assertion, says):
    database.query("CREATE SEQUENCE s")
    folder.add("001_a", f"-- tidelock: assert {assertion}\nDROP TABLE orders")
    tidelock("deploy").fails(exit=6, says=says)
    assert database.holds("orders")


@pytest.mark.parametrize(
    "directive, says",
    [("assert", "the assertion has no expression"), ("assert after", "the assertion has no expression"), ("assert wait=soon true", '"wait" has no valid time'), ("assert after wait=1m true", "cannot wait")],
)
def test_an_assertion_that_makes_no_sense(folder, tidelock, orders, directive, says):
    folder.add("001_a", f"-- tidelock: {directive}\nSELECT 1")
    tidelock("deploy").fails(exit=6, says=[says, "was not started"])


def test_several_are_all_asked_where_the_url_points(database, folder, tidelock):
    folder.add("000_t", "CREATE TABLE only_here ()")
    tidelock("deploy", url=database.url(schema="elsewhere")).succeeds()
    folder.add("001_a", "-- tidelock: assert SELECT true\n-- tidelock: lock-timeout=1s assert EXISTS (SELECT FROM pg_class WHERE oid = 'only_here'::regclass) -- yes\nSELECT 1")
    tidelock("deploy", url=database.url(schema="elsewhere")).succeeds(applied=["001_a"])


@pytest.mark.every_major
@pytest.mark.parametrize("script", ["CREATE TABLE t (); SELECT pg_sleep(600)", "CREATE INDEX CONCURRENTLY ON orders (old); CREATE TABLE t (); SELECT pg_sleep(600)"])
def test_a_migration_that_takes_too_long_is_cancelled(database, folder, tidelock, orders, script):
    is_atomic = "INDEX" not in script
    folder.add("001_long", script)
    result = tidelock("deploy", "--migration-timeout", "1s")
    result.fails(exit=6 if is_atomic else 7, says=["cancelled: it took longer than the migration-timeout", "57014"])
    assert not database.holds("t")
    assert database.holds("orders_old_idx") is not is_atomic


def test_a_script_may_say_how_long_it_takes(folder, tidelock, orders):
    folder.add("001_long", "-- tidelock: migration-timeout=500ms\nSELECT pg_sleep(600)")
    tidelock("deploy", "--migration-timeout", "1h").fails(exit=6, says="cancelled: it took longer")


def test_whose_limit_it_was_is_said(database, folder, tidelock, orders):
    folder.add("001_long", "SELECT pg_sleep(600)")
    tidelock("deploy", "--statement-timeout", "500ms").fails(exit=6, says=["more time than 500 ms (set by tidelock's --statement-timeout"])
    database.query(f"ALTER DATABASE {database.name} SET statement_timeout = '700ms'")
    tidelock("deploy").fails(exit=6, says=["more time than 700 ms (set for the database)"])
    database.query(f"ALTER DATABASE {database.name} RESET statement_timeout")
    running = tidelock.start("deploy")
    database.query("SELECT pg_cancel_backend(%s)", wait_for_session(database, "pg_sleep"))
    running.wait().fails(exit=6, says="somebody cancelled it")
