"""Faults at every message between tidelock and the server: the rerun completes, nothing is applied twice, the ledger says what is true, and
what was said was right."""

import hashlib

import pytest
from tool import wait_for_nobody

pytestmark = pytest.mark.libraries

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
# Tried in one transaction first, which the server refuses.
ANOTHER_WAY = "UPDATE counter SET n = n + 3; ALTER TYPE task ADD VALUE 'C'; UPDATE counter SET n = n + 30; SELECT 'C'::task; UPDATE counter SET n = n + 300;"
# Each change of a row is counted.
BACKFILL = """-- tidelock: backfill orders key=id rows=25..25 rest=0%
UPDATE orders SET filled = true;
"""
BEFORE = """
CREATE TABLE counter (n int); INSERT INTO counter VALUES (0);
CREATE TYPE task AS ENUM ('A');
CREATE TABLE orders (id int PRIMARY KEY, filled boolean); INSERT INTO orders SELECT i FROM generate_series(1, 60) AS i;
CREATE FUNCTION count_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN EXECUTE format(''UPDATE %I.counter SET n = n + 1'', TG_TABLE_SCHEMA); RETURN NEW; END';
CREATE TRIGGER count_change BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION count_change();
"""
# In one message.
TOGETHER = ["CREATE TABLE four (id int)", "CREATE TABLE five (id int); CREATE INDEX ON five (id)", "CREATE TYPE mood AS ENUM ('x')", "ALTER TABLE four ADD COLUMN note text"]
# In one message with its COMMIT, though the table is there.
BRIEF = "ALTER TABLE orders ADD COLUMN note text"
# What a deployment leaves is recorded in one of them alone: it is the same for all.
RECORDED = "recorded"
MODES = {RECORDED: (ATOMIC, 1), "together": (TOGETHER, 0), "brief": (BRIEF, 0), "atomic": (ATOMIC, 1), "self-managed": (SELF_MANAGED, 1110), "stepwise": (STEPWISE, 110000), "another way": (ANOTHER_WAY, 333), "backfill": (BACKFILL, 60)}
# What the proxy does, and with which exit codes tidelock may end: disturbed once, it recovers by itself.
FAULTS = {
    "killed before": ("drop", {-9}),
    "killed after": ("drop after", {-9}),
    "cut before": ("drop", {0}),
    "cut after": ("drop after", {0}),
    "cut within": ("cut", {0}),
    "half-closed": ("half-close", {0}),
    "delayed": ("delay", {0}),
    "garbled": ("garble", {0}),
    # What it waits for never comes; SIGTERM ends it. It may be past its work, or look for a way round.
    "frozen": ("freeze", {0, 143}),
}

# What waits for an answer that can't come is given four seconds to be cancelled.
SLOW = {"frozen": 15}
# Most of these messages are rows of the catalog.
MANY = {RECORDED: 3}


def contents(database, schema):
    """What a schema holds, columns, constraints and indexes with it."""
    return database.query(
        "SELECT c.relname, c.relkind, (SELECT string_agg(a.attname || ' ' || a.atttypid::regtype, ',' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),"
        " (SELECT string_agg(o.conname || ' ' || o.contype::text, ',' ORDER BY o.conname) FROM pg_constraint o WHERE o.conrelid = c.oid)"
        " FROM pg_class c WHERE c.relnamespace = %s::regnamespace AND c.relkind <> 't' ORDER BY 1",
        schema,
    )


def check(database, folder, schema, total):
    with database.one_connection():
        check_state(database, folder, schema, total)


def check_state(database, folder, schema, total):
    rows = database.ledger(schema)
    names = sorted(path.name for path in folder.path.iterdir())
    assert sorted(row.name for row in rows if row.finished) == names, rows
    assert all(row.finished and not row.rolled_back and row.steps == 1 for row in rows), rows
    for row in rows:
        assert row.checksum == hashlib.sha256((folder.path / row.name / "migration.sql").read_bytes()).hexdigest()
    assert database.value(f"SELECT n FROM {schema}.counter") == total
    assert contents(database, schema) == contents(database, "undisturbed")
    assert not database.query("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid")
    for table in ["intent", "backfill"]:
        if database.holds(f"tidelock.{table}"):
            assert database.value(f"SELECT count(*) FROM tidelock.{table}") == 0


def explain(proxy, fault, at, result):
    return f"{fault} message {at}: {proxy.messages[at : at + 1]}, then {proxy.messages[at + 1 :][:10]}\nexit {result.code}\n{result.errors}"


def disturb(proxy, tidelock, url, at, fault, *arguments):
    """Runs it, with the fault at one message; its result."""
    running = None
    verdict, codes = FAULTS[fault]
    if fault == "garbled" and at == 0:
        codes = {2}  # the server says that it does not know such a protocol

    def on_message(message):
        if fault.startswith("killed"):
            running.process.kill()
        return verdict

    with proxy.lock:
        proxy.on_message, proxy.only = on_message, at
        running = tidelock.start(*arguments, "--connect-deadline", "60s", url=url)
    if fault == "frozen":
        while running.process.poll() is None and not proxy.frozen.wait(0.02):
            pass
        running.signal()
    result = running.wait()
    proxy.on_message = proxy.only = None
    proxy.thaw()
    # A kill may come when its work is done.
    assert result.code in codes | ({0} if fault.startswith("killed") else set()), explain(proxy, fault, at, result)
    assert "Sanitizer" not in result.errors, result.errors
    if result.code > 0:
        assert f"exit      {result.code}:" in result.errors, result.errors
    return result


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("mode", MODES)
def test_a_deployment(database, folder, tidelock, mode, fault, proxy, some):
    script, total = MODES[mode]
    words = ["deploy", "--drift", "warn" if mode == RECORDED else "off"]
    folder.add("000_before", BEFORE)
    for number, one in enumerate(script if isinstance(script, list) else [script]):
        folder.add(f"{number + 1:03}_script", one)
    tidelock(*words, url=database.server.url(database.name, port=proxy.port, schema="undisturbed")).succeeds()
    messages = len(proxy.messages)
    assert messages > 20

    for at in some(f"{fault}: {mode}", messages, slow=SLOW.get(fault, 1) * MANY.get(mode, 1)):
        schema = f"s{at}"
        proxy.next_run()
        disturb(proxy, tidelock, database.server.url(database.name, port=proxy.port, schema=schema), at, fault, *words)
        wait_for_nobody(database)
        result = tidelock(*words, url=database.url(schema=schema))
        assert result.code == 0, explain(proxy, fault, at, result)
        check(database, folder, schema, total)


LEDGERS = {
    "resolve --applied": (["resolve", "--drift", "off", "--applied", "001_half"], [("001_half", True, False), ("001_half", False, True)]),
    "resolve --rolled-back": (["resolve", "--rolled-back", "001_half"], [("001_half", False, True)]),
    "baseline": (["baseline", "--all", "--drift", "off"], [("001_half", True, False)]),
}
# These are not tried again by themselves once the database has been reached.
LOST = {"cut before", "cut after", "cut within", "half-closed", "garbled"}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("command", LEDGERS)
def test_the_ledger_is_edited_once(database, folder, tidelock, command, fault, proxy, some, monkeypatch):
    """Whatever stops it, saying it again makes it complete, and nothing is there twice."""
    arguments, expected = LEDGERS[command]
    folder.add("001_half", "SELECT 1")
    if fault in LOST:
        monkeypatch.setitem(FAULTS, fault, (FAULTS[fault][0], {0, 3}))

    def prepare(schema):
        database.query(f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.there ()")
        if command != "baseline":
            database.query(f"CREATE TABLE {schema}._prisma_migrations (LIKE template_ledger INCLUDING ALL)")
            database.query(f"INSERT INTO {schema}._prisma_migrations (id, checksum, migration_name) VALUES ('1', 'x', '001_half')")
        return database.server.url(database.name, port=proxy.port, schema=schema)

    database.query("CREATE TABLE there ()")
    tidelock("baseline").succeeds()
    database.query("ALTER TABLE _prisma_migrations RENAME TO template_ledger")
    url = prepare("undisturbed")
    proxy.next_run()
    tidelock(*arguments, url=url).succeeds()
    messages = len(proxy.messages)
    assert messages > 8

    for at in some(f"{fault}: {command}", messages, slow=SLOW.get(fault, 1)):
        schema = f"s{at}"
        url = prepare(schema)
        proxy.next_run()
        disturb(proxy, tidelock, url, at, fault, *arguments)
        wait_for_nobody(database)
        # Rolled back is said of a row once; what was said may have arrived.
        result = tidelock(*arguments, url=database.url(schema=schema))
        assert result.code == 0 or (command == "resolve --applied" and "P3008" in result.errors), explain(proxy, fault, at, result)
        rows = [(row.name, row.finished, row.rolled_back) for row in database.ledger(schema)]
        assert sorted(rows) == sorted(expected), f"{explain(proxy, fault, at, result)}\n{rows}"
