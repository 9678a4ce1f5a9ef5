"""kill -9 and cut connections at every message of a deployment, in every mode: the rerun completes, nothing is applied twice, and the ledger
says what is true."""

import hashlib

import pytest
from tool import wait_for_nobody

ATOMIC = "CREATE TABLE one (id int); INSERT INTO one VALUES (1); UPDATE counter SET n = n + 1;"
SELF_MANAGED = """
BEGIN; CREATE TABLE two (id int); UPDATE counter SET n = n + 10; COMMIT;
CREATE TABLE three (id int); UPDATE counter SET n = n + 100;
BEGIN; UPDATE counter SET n = n + 1000; COMMIT;
"""
STEPWISE = """
UPDATE counter SET n = n + 10000;
CREATE INDEX CONCURRENTLY counter_idx ON counter (n);
UPDATE counter SET n = n + 100000;
DROP INDEX CONCURRENTLY counter_idx;
CREATE UNIQUE INDEX CONCURRENTLY counter_unique ON counter (n);
"""
MODES = {"atomic": (ATOMIC, 1), "self_managed": (SELF_MANAGED, 1110), "stepwise": (STEPWISE, 110000)}


def check(database, folder, schema, total):
    rows = database.ledger(schema)
    names = sorted(path.name for path in folder.path.iterdir())
    assert sorted(row.name for row in rows if row.finished) == names, rows
    assert all(row.finished and not row.rolled_back and row.steps == 1 for row in rows), rows
    for row in rows:
        assert row.checksum == hashlib.sha256((folder.path / row.name / "migration.sql").read_bytes()).hexdigest()
    assert database.value(f"SELECT n FROM {schema}.counter") == total
    assert not database.query("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid")
    if database.holds("tidelock.intent"):
        assert database.value("SELECT count(*) FROM tidelock.intent") == 0


def count_messages(database, tidelock, proxy):
    """One undisturbed run: how many messages both sides send."""
    url = database.server.url(database.name, port=proxy.port, schema="undisturbed")
    tidelock("deploy", url=url).succeeds()
    return len(proxy.messages)


@pytest.mark.parametrize("fault", ["killed before", "killed after", "cut before", "cut after"])
@pytest.mark.parametrize("mode", MODES)
def test_at_every_message(database, folder, tidelock, mode, fault, proxy):
    script, total = MODES[mode]
    folder.add("000_counter", "CREATE TABLE counter (n int); INSERT INTO counter VALUES (0);")
    folder.add(f"001_{mode}", script)
    messages = count_messages(database, tidelock, proxy)
    assert messages > 20

    for at in range(messages):
        schema = f"s{at}"
        proxy.messages.clear()
        disturb(proxy, tidelock, database.server.url(database.name, port=proxy.port, schema=schema), at, fault)
        wait_for_nobody(database)
        result = tidelock("deploy", url=database.url(schema=schema))
        assert result.code == 0, f"{fault} message {at}: {proxy.messages[-1]}\n{result.errors}"
        check(database, folder, schema, total)


def disturb(proxy, tidelock, url, at, fault, *arguments):
    running = None

    def on_message(message):
        if len(proxy.messages) - 1 != at:
            return None
        if fault.startswith("killed"):
            running.process.kill()
        return "drop" if fault.endswith("before") else "drop after"

    with proxy.lock:
        proxy.on_message = on_message
        running = tidelock.start(*(arguments or ["deploy"]), "--connect-deadline", "10s", url=url)
    result = running.wait()
    proxy.on_message = None
    # Cut only once, a deployment recovers by itself.
    if not arguments and fault.startswith("cut"):
        assert result.code == 0, f"{fault} message {at}: {proxy.messages}\n{result.errors}"


LEDGERS = {
    "resolve --applied": (["resolve", "--applied", "001_half"], [("001_half", True, False), ("001_half", False, True)]),
    "resolve --rolled-back": (["resolve", "--rolled-back", "001_half"], [("001_half", False, True)]),
    "baseline": (["baseline"], [("001_half", True, False)]),
}


@pytest.mark.parametrize("fault", ["killed before", "killed after", "cut before", "cut after"])
@pytest.mark.parametrize("command", LEDGERS)
def test_the_ledger_is_edited_once(database, folder, tidelock, command, fault, proxy):
    """Whatever stops it, saying it again makes it complete, and nothing is there twice."""
    arguments, expected = LEDGERS[command]
    folder.add("001_half", "SELECT 1")

    def prepare(schema):
        database.query(f"CREATE SCHEMA {schema}")
        if command != "baseline":
            database.query(f"CREATE TABLE {schema}._prisma_migrations (LIKE template_ledger INCLUDING ALL)")
            database.query(f"INSERT INTO {schema}._prisma_migrations (id, checksum, migration_name) VALUES ('1', 'x', '001_half')")
        return database.server.url(database.name, port=proxy.port, schema=schema)

    tidelock("baseline").succeeds()
    database.query("ALTER TABLE _prisma_migrations RENAME TO template_ledger")
    url = prepare("undisturbed")
    proxy.messages.clear()
    tidelock(*arguments, url=url).succeeds()
    messages = len(proxy.messages)
    assert messages > 8

    for at in range(messages):
        schema = f"s{at}"
        url = prepare(schema)
        proxy.messages.clear()
        disturb(proxy, tidelock, url, at, fault, *arguments)
        wait_for_nobody(database)
        # Rolled back is said of a row once; what was said may have arrived.
        result = tidelock(*arguments, url=database.url(schema=schema))
        assert result.code == 0 or (command == "resolve --applied" and "P3008" in result.errors), f"{fault} message {at}: {result.errors}"
        rows = [(row.name, row.finished, row.rolled_back) for row in database.ledger(schema)]
        assert sorted(rows) == sorted(expected), f"{fault} message {at}: {proxy.messages[-1]}\n{rows}"
