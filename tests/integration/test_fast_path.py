"""With nothing pending a deployment is one connection and one question, and takes no lock."""

import json

import pytest


@pytest.fixture
def deployed(database, folder, tidelock):
    for number in range(20):
        folder.add(f"{number:03}_t", f"CREATE TABLE t{number} ()")
    tidelock("deploy").succeeds()


def test_one_connection_and_one_round_trip(server, database, folder, tidelock, deployed, proxy):
    tidelock("deploy", url=database.server.url(database.name, port=proxy.port)).succeeds(says="No pending")
    assert proxy.connections == 1
    assert proxy.round_trips() == 1


def test_no_session_begins_without_a_folder(database, tidelock, deployed, proxy):
    url = database.server.url(database.name, port=proxy.port)
    tidelock("deploy", "--migrations", "nowhere", url=url).fails(exit=2, says="could not open the folder")
    assert proxy.connections == 0


@pytest.mark.parametrize("schema", ["Odd", 'with "quotes"', '"', "with\nlines", "größer", "select"])
def test_the_schema_in_which_it_is_found(server, database, folder, tidelock, schema):
    """Its name comes from the server in quotes, if it needs them."""
    quoted = '"' + schema.replace('"', '""') + '"'
    folder.add("001_t", "CREATE TABLE t ()")
    database.query(f"CREATE SCHEMA {quoted}")
    for path, done in ((quoted, "applied 001_t"), (f"missing, public, {quoted}", "no pending migrations")):
        database.query(f"ALTER DATABASE {database.name} SET search_path = {path}")
        result = tidelock("deploy", "--log-format", "json").succeeds(says=done)
        assert [json.loads(line)["schema"] for line in result.errors.splitlines() if '"schema"' in line] == [schema]


def test_no_lock_is_taken_and_a_held_one_does_not_matter(database, folder, tidelock, deployed):
    with database.connect() as other:
        other.execute("SELECT pg_advisory_lock(72707369)")
        tidelock("deploy", "--leader-timeout", "0").succeeds(says="No pending")


@pytest.mark.parametrize("script", ["CREATE TABLE {0} (id int); SELECT 42", "CREATE TABLE {0} (id int); INSERT INTO {0} VALUES (1)"])
def test_few_round_trips_for_an_atomic_migration_that_goes_alone(server, database, folder, tidelock, deployed, proxy, script):
    """Rows are waited for behind tables as briefly as these: the time to wait does not change. Nobody watches, who would ask, too."""
    folder.add("100_a", script.format("a"))
    tidelock("deploy", "--connections", "1", url=server.url(database.name, port=proxy.port)).succeeds()
    with_one = proxy.round_trips()
    for number in range(101, 111):
        folder.add(f"{number}_t", script.format(f"t{number}"))
    before = proxy.round_trips()
    tidelock("deploy", "--connections", "1", url=server.url(database.name, port=proxy.port)).succeeds()
    # That no transaction is old is known for a second: a slow machine asks again.
    assert 9 * 2 <= proxy.round_trips() - before - with_one <= 9 * 2 + 2


@pytest.mark.parametrize("script", ["ALTER TABLE there100 ADD COLUMN c{0} int", "ALTER TABLE there{0} ADD COLUMN c int", "ALTER TABLE there100 DROP COLUMN IF EXISTS c{0}; COMMENT ON TABLE there100 IS '{0}'"])
def test_a_hundred_pending_that_change_a_table_take_one_round_trip_each(server, database, folder, tidelock, proxy, script):
    folder.add("000_first", "".join(f"CREATE TABLE there{number} (id int);" for number in range(100, 200)))
    tidelock("deploy").succeeds()
    for number in range(100, 200):
        folder.add(f"{number:03}_t", script.format(number))
    tidelock("deploy", "--drift", "off", url=server.url(database.name, port=proxy.port)).succeeds()
    assert len(database.ledger()) == 101
    assert proxy.round_trips() <= 108


@pytest.mark.every_major
@pytest.mark.parametrize("is_first, drift, most", [(True, "warn", 11), (True, "off", 7), (False, "warn", 15), (False, "off", 7)])
def test_a_hundred_pending_tables_take_few_round_trips(server, database, folder, tidelock, proxy, is_first, drift, most):
    """Far from the server each of them counts. Most of these find out who leads, what is there and what is dangerous."""
    if not is_first:
        folder.add("000_first", "CREATE TABLE there (id int)")
        tidelock("deploy").succeeds()
    for number in range(100, 200):
        folder.add(f"{number:03}_t", f"CREATE TABLE t{number} (id int)" if number % 4 else f"CREATE TABLE t{number} (id int); CREATE INDEX ON t{number} (id)")
    tidelock("deploy", "--connections", "1", "--drift", drift, url=server.url(database.name, port=proxy.port)).succeeds()
    assert len(database.ledger()) == 100 + (not is_first)
    assert proxy.round_trips() <= most


def test_on_a_standby_with_nothing_pending_it_succeeds(servers, database, folder, tidelock, deployed):
    # A read-only session is what a standby looks like to everything that writes.
    tidelock("deploy", url=database.url(options="-c default_transaction_read_only=on")).succeeds(says="No pending")
    folder.add("100_a", "CREATE TABLE a ()")
    tidelock("deploy", "--connect-deadline", "1s", url=database.url(options="-c default_transaction_read_only=on")).fails(exit=3, says="by the client")
