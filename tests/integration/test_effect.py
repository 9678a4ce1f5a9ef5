"""The catalogue of rules against real servers: what each claims of its example is what every version does."""

import json

import psycopg
import pytest
from wait import wait_until

SCHEMA = """
CREATE TABLE customers (id int PRIMARY KEY, email text);
CREATE TABLE orders (id int PRIMARY KEY, customer int, note text, code varchar(20), amount int, state text, required int NOT NULL DEFAULT 0);
CREATE INDEX orders_note ON orders (note);
CREATE UNIQUE INDEX orders_code ON orders (code);
CREATE TABLE keyless (id int);
CREATE UNIQUE INDEX keyless_id ON keyless (id);
CREATE TABLE child (id int PRIMARY KEY, customer int);
ALTER TABLE child ADD CONSTRAINT child_customer FOREIGN KEY (customer) REFERENCES customers NOT VALID;
ALTER TABLE child ADD CONSTRAINT child_positive CHECK (id > 0);
CREATE TABLE events (at date) PARTITION BY RANGE (at);
CREATE TABLE events_old PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE events_next (at date);
CREATE TABLE logs (at date) PARTITION BY RANGE (at);
CREATE VIEW notes AS SELECT id, note FROM orders;
CREATE MATERIALIZED VIEW totals AS SELECT id, customer FROM orders;
CREATE UNIQUE INDEX totals_id ON totals (id);
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
ALTER DOMAIN positive ADD CONSTRAINT small CHECK (VALUE < 9) NOT VALID;
CREATE TABLE measures (value positive);
CREATE SEQUENCE numbers;
CREATE FUNCTION own_number() RETURNS int LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN 1; END';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER orders_touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
CREATE SCHEMA elsewhere;
DO $$ BEGIN CREATE ACCESS METHOD heap_again TYPE TABLE HANDLER heap_tableam_handler; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
"""
LOCKS = [None, *"AccessShareLock RowShareLock RowExclusiveLock ShareUpdateExclusiveLock ShareLock ShareRowExclusiveLock ExclusiveLock AccessExclusiveLock".split()]
RELATIONS = """
SELECT c.oid, c.relname, c.relkind, pg_relation_filenode(c.oid), pg_stat_get_xact_numscans(c.oid), i.indrelid
FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'elsewhere')) AND c.relkind <> 'c'
"""
HELD = "SELECT relation, mode FROM pg_locks WHERE locktype = 'relation' AND pid = %s"
# What cannot run in a transaction, and whom it waits for, so that its locks can be looked at.
IS_ALONE = {
    "CREATE INDEX CONCURRENTLY": "INSERT INTO orders (id) VALUES (-1)",
    "DROP INDEX CONCURRENTLY": "INSERT INTO orders (id) VALUES (-1)",
    "REINDEX TABLE CONCURRENTLY": "INSERT INTO orders (id) VALUES (-1)",
    "VACUUM FULL": "INSERT INTO orders (id) VALUES (-1)",
    "VACUUM": "LOCK TABLE orders IN SHARE UPDATE EXCLUSIVE MODE",
    "ALTER TABLE events DETACH PARTITION events_old CONCURRENTLY": "LOCK TABLE ONLY events IN SHARE UPDATE EXCLUSIVE MODE",
}


def relations(connection):
    return {row[0]: row for row in connection.execute(RELATIONS).fetchall()}


def strongest(modes):
    return max(modes, key=LOCKS.index, default=None)


def locks_by_name(held, before):
    """The strongest lock on each table, view or sequence that was there before."""
    found = {}
    for oid, mode in held:
        if oid in before and before[oid][2] in "rpmvS":
            found.setdefault(before[oid][1], []).append(mode)
    return {name: strongest(modes) for name, modes in found.items()}


def work_of(before, after, example):
    """What was done to what was there before."""
    if example.startswith("TRUNCATE"):  # what it scans are the new, empty files
        return "instant"
    old = {oid: row for oid, row in before.items() if oid in after}
    files = {row[3] for row in before.values()}
    has_scanned = any(after[oid][4] > row[4] for oid, row in old.items() if row[2] in "rpm")
    is_new_file = any(after[oid][3] != row[3] for oid, row in old.items() if row[2] in "rm")
    if is_new_file:
        return "rewrite"
    is_built = any(row[5] in before and row[3] not in files and row[2] == "i" for row in after.values())
    if is_built:
        return "index build"
    return "scan" if has_scanned else "instant"


def measure_in_transaction(connection, example):
    with connection.transaction(force_rollback=True):
        before = relations(connection)
        connection.execute(example)
        held = connection.execute(HELD, [connection.info.backend_pid]).fetchall()
        return locks_by_name(held, before), work_of(before, relations(connection), example)


def in_the_way(example):
    return next((other for begin, other in IS_ALONE.items() if example.startswith(begin)), None)


def measure_alone(database, connection, example):
    """Somebody uses the table meanwhile, so that the statement stops where it waits for that; then its locks are looked at."""
    before = relations(connection)
    worker = psycopg.connect(database.url(), autocommit=True)
    pid = worker.info.backend_pid
    writer = psycopg.connect(database.url())
    writer.execute(in_the_way(example))

    def is_waiting():
        return connection.execute("SELECT count(*) FROM pg_locks WHERE pid = %s AND NOT granted", [pid]).fetchone()[0]

    worker.pgconn.send_query(example.encode())
    wait_until(is_waiting, "the statement waits")
    locks = locks_by_name(connection.execute(HELD, [pid]).fetchall(), before)
    writer.rollback()
    writer.close()
    while worker.pgconn.get_result():
        pass
    worker.close()
    return locks, work_of(before, relations(connection), example)


def differences(rule, finding, locks, work):
    table = (finding["table"] or "").replace('"', "").split(".")[-1]
    if table in locks or rule["lock"] is None:
        main, others = locks.get(table), strongest(mode for name, mode in locks.items() if name != table)
    else:  # the text does not say which table that is
        main, others = strongest(locks.values()), rule["other_lock"]
    told = {"lock": main, "other_lock": others, "work": work}
    return [f"{rule['rule']}: {rule['example']}: {key} is {value}, not {rule[key]}" for key, value in told.items() if rule[key] != value]


def rules_of(tidelock, major):
    rules = json.loads(tidelock("plan", "--rules", "--json").succeeds().out)
    return [rule for rule in rules if rule["example"] and rule["since"] <= major and (not rule["until"] or major <= rule["until"])]


def finding_of(tidelock, tmp_path, rule):
    script = tmp_path / "script.sql"
    script.write_text(rule["example"])
    plan = json.loads(tidelock("plan", "--files", script, "--json").succeeds().out)
    (statement,) = plan["migrations"][0]["statements"]
    found = {finding["rule"]: finding for finding in statement["findings"]}
    assert rule["rule"] in found, f"the example of {rule['rule']} breaks {sorted(found)}: {rule['example']}"
    return found[rule["rule"]]


@pytest.mark.every_major
def test_every_rule_claims_what_the_server_does(database, tidelock, tmp_path, major):
    wrong = []
    with psycopg.connect(database.url(), autocommit=True) as connection:
        connection.execute(SCHEMA)
        rules = rules_of(tidelock, major)
        for rule in sorted(rules, key=lambda rule: in_the_way(rule["example"]) is not None):
            finding = finding_of(tidelock, tmp_path, rule)
            try:
                if in_the_way(rule["example"]):
                    connection.execute("DROP SCHEMA public, elsewhere CASCADE; CREATE SCHEMA public;" + SCHEMA)
                    locks, work = measure_alone(database, connection, rule["example"])
                else:
                    locks, work = measure_in_transaction(connection, rule["example"])
            except psycopg.Error as error:
                wrong.append(f"{rule['rule']}: {rule['example']}: {error}")
                continue
            wrong += differences(rule, finding, locks, work)
    assert len(rules) > 80
    assert not wrong, "\n".join(wrong)


def test_every_rule_has_a_name_of_its_own_and_a_reason(tidelock):
    rules = json.loads(tidelock("plan", "--rules", "--json").succeeds().out)
    names = [(rule["rule"], rule["until"]) for rule in rules]
    assert len(set(names)) == len(names)
    for rule in rules:
        assert rule["reason"] and not rule["reason"].endswith("."), rule
        assert rule["level"] != "dangerous" or rule["cure"] or not rule["can_be_undone"], rule
