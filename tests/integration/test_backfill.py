"""Backfills: an UPDATE of many rows in many small transactions, each row exactly once whatever happens."""

import contextlib
import random
import signal
import threading

import psycopg
import pytest
from metrics import samples
from servers import Database, Server
from tool import Tool, wait_for_nobody
from wait import wait_until

# Every change of a row is counted in the row itself.
SETUP = """
CREATE TABLE orders (id bigint PRIMARY KEY, status text NOT NULL, status_new text, changes int NOT NULL DEFAULT 0);
INSERT INTO orders SELECT i, 'open' FROM generate_series(1, %d) AS i;
CREATE FUNCTION count_changes() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.changes := OLD.changes + 1; RETURN NEW; END';
CREATE TRIGGER count_changes BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION count_changes();
ANALYZE orders;
"""
UPDATE = "UPDATE orders SET status_new = upper(status)"
CONDITION = " WHERE status_new IS NULL"
VERIFY = "-- tidelock: verify NOT EXISTS (SELECT FROM orders WHERE status_new IS NULL)\n"
BACKFILL = "-- tidelock: backfill orders key=id target=20ms rows=100..1000 rest=0%\n"


@pytest.fixture
def orders(database, folder, tidelock):
    rows = 20000
    database.query(SETUP % rows)
    folder.add("000_before", "SELECT 1")
    tidelock("baseline").succeeds()
    return rows


def each_once(database, rows):
    return database.query("SELECT status_new, changes, count(*) FROM orders GROUP BY 1, 2") == [("OPEN", 1, rows)]


@pytest.mark.every_major
@pytest.mark.parametrize("condition", ["", CONDITION])
def test_every_row_once_in_many_transactions(database, folder, tidelock, orders, condition):
    folder.add("001_fill", BACKFILL + VERIFY + UPDATE + condition + ";")
    transactions = "SELECT count(DISTINCT xmin::text) FROM orders"
    result = tidelock("deploy").succeeds(applied=["001_fill"])
    assert each_once(database, orders) and database.value(transactions) >= orders / 1000
    assert f"backfill of \"orders\": {orders} rows changed" in result.errors
    assert database.value("SELECT count(*) FROM tidelock.backfill") == 0 and database.value("SELECT count(*) FROM tidelock.intent") == 0
    (row,) = [row for row in database.ledger() if row.name == "001_fill"]
    assert row.finished and row.steps == 1


def test_to_everyone_else_it_is_a_plain_update(database, folder, orders, psql):
    psql("-f", folder.add("001_fill", BACKFILL + VERIFY + UPDATE + CONDITION))
    assert each_once(database, orders)


@pytest.mark.parametrize("fault", ["kill", "cut", "term"])
def test_stopped_again_and_again_no_row_is_done_twice(database, folder, tidelock, orders, proxy, fault):
    folder.add("001_fill", BACKFILL.replace("1000", "500") + UPDATE)
    url = database.server.url(database.name, port=proxy.port)
    choose = random.Random(1)
    for _ in range(10):
        left = choose.randrange(20, 60)

        def on_message(message):
            nonlocal left
            left -= 1
            if left == 0 and fault == "kill":
                running.process.kill()
            elif left == 0 and fault == "term":
                running.process.send_signal(signal.SIGTERM)
            return "drop" if left == 0 and fault == "cut" else None

        with proxy.lock:
            proxy.on_message = on_message
            running = tidelock.start("deploy", "--connect-deadline", "1s", url=url)
        result = running.wait()
        proxy.on_message = None
        wait_for_nobody(database)
        assert result.code in {"kill": [-9, 0], "term": [143, 0], "cut": [0]}[fault], result.errors
        assert database.value("SELECT max(changes) FROM orders") <= 1
    tidelock("deploy").succeeds()
    assert each_once(database, orders)


@pytest.mark.parametrize(
    ("create", "directive", "update"),
    [
        ("CREATE TABLE t (a text, b int, n int, PRIMARY KEY (a, b)); INSERT INTO t SELECT 'it''s \"' || i % 7, i FROM generate_series(1, 3000) AS i", "t", "UPDATE t SET n = 1"),
        ("CREATE TABLE t (\"Id\" uuid PRIMARY KEY DEFAULT gen_random_uuid(), n int); INSERT INTO t SELECT FROM generate_series(1, 3000)", 't key="Id"', "UPDATE public.t AS x SET n = 1 WHERE x.n IS NULL OR x.n = 2 -- not yet"),
        ("CREATE TABLE t (at timestamptz NOT NULL, n int); CREATE INDEX ON t (at); INSERT INTO t SELECT now() + (i / 10) * interval '1 s' FROM generate_series(1, 3000) AS i", "public.t key=at", "UPDATE ONLY t SET n = 1"),
        ("CREATE TABLE t (id int PRIMARY KEY, n int, m int); INSERT INTO t SELECT i FROM generate_series(1, 3000) AS i; CREATE TABLE o AS SELECT id FROM t", "t", "UPDATE t SET (n, m) = (1, o.id) FROM o WHERE o.id = t.id"),
        ("CREATE TABLE t (id int, n int, PRIMARY KEY (id)) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (1000); CREATE TABLE t_2 PARTITION OF t DEFAULT; INSERT INTO t SELECT i FROM generate_series(1, 3000) AS i", "t", "UPDATE t SET n = (SELECT 1 WHERE true)"),
        ("CREATE TABLE t (id int NOT NULL, n int); CREATE UNIQUE INDEX ON t (id DESC); INSERT INTO t SELECT i FROM generate_series(1, 3000) AS i", "t", "update t set n = case when true then 1 end"),
    ],
    ids=["two columns", "quoted", "not unique", "from", "partitioned", "unique"],
)
def test_keys_and_statements_of_all_sorts(database, folder, tidelock, create, directive, update):
    database.query(create)
    database.query("CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF OLD.n = 1 THEN RAISE ''twice''; END IF; RETURN NEW; END'")
    database.query("CREATE TRIGGER stamp BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION stamp()")
    folder.add("000_before", "SELECT 1")
    tidelock("baseline").succeeds()
    folder.add("001_fill", f"-- tidelock: backfill {directive} rows=100..400 rest=0\n{update}")
    tidelock("deploy").succeeds(applied=["001_fill"])
    assert database.query("SELECT n, count(*) FROM t GROUP BY n") == [(1, 3000)]


def test_an_empty_table(database, folder, tidelock, orders):
    database.query("TRUNCATE orders")
    folder.add("001_fill", BACKFILL + VERIFY + UPDATE)
    tidelock("deploy").succeeds(applied=["001_fill"])


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (BACKFILL + UPDATE + "; SELECT 1", "one statement"),
        (BACKFILL + "DELETE FROM orders", "one plain UPDATE, but this is something else"),
        (BACKFILL + UPDATE + " RETURNING id", "returns rows"),
        (BACKFILL + "UPDATE orders SET id = id + 1", 'changes "id", which is part of its key'),
        (BACKFILL + "UPDATE orders SET status = 'x', (changes, id) = (1, 2)", 'changes "id", which is part of its key'),
        (BACKFILL + "UPDATE nowhere SET id = 1", 'relation "nowhere" does not exist'),
        (BACKFILL + "UPDATE orders SET statut = 1", "column"),
        (BACKFILL.replace("orders", "other") + UPDATE, 'says backfill "other", but the statement updates "orders"'),
        (BACKFILL.replace("key=id", "key=status") + UPDATE, "no index of"),
        (BACKFILL.replace("key=id", "key=status_new") + UPDATE, "no index of"),
        (BACKFILL.replace("target", "tarte") + UPDATE, "Use key=, target=, rows= or rest="),
        (BACKFILL.replace("20ms", "20") + UPDATE, "Write a time with its unit"),
        (BACKFILL.replace("100..1000", "1000..100") + UPDATE, "the fewest and the most rows"),
        ("-- tidelock: throttle lag=5s\n" + UPDATE, "need a backfill"),
        (BACKFILL + "-- tidelock: throttle slot=2\n" + UPDATE, "a size with its unit"),
        (BACKFILL + "-- tidelock: transaction=off\n" + UPDATE, "its own transactions"),
        (BACKFILL + BACKFILL + UPDATE, "two backfills"),
    ],
)
def test_what_can_not_be_done_in_parts_is_refused(database, folder, tidelock, orders, script, says):
    folder.add("001_fill", script)
    tidelock("deploy").fails(exit=6, says=[says, "001_fill/migration.sql:"])
    assert database.value("SELECT count(*) FROM orders WHERE changes > 0") == 0
    assert not [row for row in database.ledger() if row.name == "001_fill" and not row.rolled_back]


def test_a_table_that_would_be_read_as_a_whole_is_refused(database, folder, tidelock):
    """One of its parts has no index."""
    database.query("CREATE TABLE t (a int PRIMARY KEY, n int); INSERT INTO t SELECT i FROM generate_series(1, 1000) AS i; CREATE TABLE part () INHERITS (t); INSERT INTO part VALUES (5000)")
    folder.add("000_before", "SELECT 1")
    tidelock("baseline").succeeds()
    folder.add("001_fill", "-- tidelock: backfill t key=a\nUPDATE t SET n = 1")
    tidelock("deploy").fails(exit=6, says=["would read all of", 'Its plan: Seq Scan on "part"'])


@pytest.mark.parametrize(
    ("key", "is_walked"),
    [("", True), (" key=a", True), (" key=a,b", False), (" key=b", False), (" key=c", True), (" key=d", False), (" key=e", False), (" key=c,a", False)],
)
def test_which_keys_can_be_walked_along(database, folder, tidelock, key, is_walked):
    """Columns that begin an index of the whole table, none of them null."""
    database.query("CREATE TABLE t (id int UNIQUE NOT NULL, a int NOT NULL, b int, c int NOT NULL, d int NOT NULL, e int NOT NULL, n int)")
    database.query("CREATE INDEX ON t (a, b, c); CREATE INDEX ON t (c, a DESC); CREATE INDEX ON t (d) WHERE d > 1; CREATE INDEX ON t USING hash (e)")
    database.query("INSERT INTO t SELECT i, i, i, i, i, i FROM generate_series(1, 500) AS i")
    folder.add("000_before", "SELECT 1")
    tidelock("baseline").succeeds()
    folder.add("001_fill", f"-- tidelock: backfill t{key}\nUPDATE t SET n = 1")
    if is_walked:
        tidelock("deploy").succeeds(applied=["001_fill"])
    else:
        tidelock("deploy").fails(exit=6, says="no index of")


def test_batches_that_always_take_too_long(database, folder, tidelock, orders):
    database.query("CREATE OR REPLACE FUNCTION count_changes() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(100); RETURN NEW; END'")
    folder.add("001_fill", BACKFILL + UPDATE)
    at = "001_fill/migration.sql:2:1\n            UPDATE orders SET status_new"
    tidelock("deploy").fails(exit=6, says=["error P3018", "5 batches in a row took too long", "even one of at most 100 rows"], at=at)


def test_a_failing_row_keeps_what_is_committed_and_a_correction_goes_on(database, folder, tidelock, orders):
    database.query("ALTER TABLE orders DISABLE TRIGGER count_changes; UPDATE orders SET status = 'bad' WHERE id = 15000; ALTER TABLE orders ENABLE TRIGGER count_changes")
    database.query("ALTER TABLE orders ADD CHECK (status_new <> 'BAD')")
    folder.add("001_fill", BACKFILL + UPDATE)
    at = "001_fill/migration.sql:2:1\n            UPDATE orders SET status_new"
    tidelock("deploy").fails(exit=7, says=['error P3018: migration "001_fill" failed: ', "violates check constraint", "are changed, in ", "resume after that row"], at=at)
    done = database.value("SELECT count(*) FROM orders WHERE status_new IS NOT NULL")
    assert 13000 < done < 15000
    folder.replace("001_fill", BACKFILL + "UPDATE orders SET status_new = lower(status)")
    tidelock("deploy").fails(exit=8, says="has been changed since")
    database.query("ALTER TABLE orders DISABLE TRIGGER count_changes; UPDATE orders SET status = 'open' WHERE id = 15000; ALTER TABLE orders ENABLE TRIGGER count_changes")
    folder.replace("001_fill", BACKFILL.replace("rest=0%", "rest=10%") + UPDATE)
    result = tidelock("deploy").succeeds(applied=["001_fill"])
    assert "resuming: " in result.errors and each_once(database, orders)


def test_a_deferred_trigger_fails_where_the_statement_is(database, folder, tidelock, orders):
    database.query("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one'; END $$")
    database.query("CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.id = 15000) EXECUTE FUNCTION refuse()")
    folder.add("001_fill", BACKFILL + UPDATE)
    says = ['error P3018: migration "001_fill" failed: not this one', "  while     checking deferred constraints and triggers at the end of a batch\n", "resume after that row"]
    tidelock("deploy").fails(exit=7, says=says, at="001_fill/migration.sql:2:1\n            UPDATE orders SET status_new")


def test_rows_that_were_written_meanwhile_are_swept_up(database, folder, tidelock, orders):
    """By somebody who does not know the new column yet."""
    folder.add("001_fill", BACKFILL.replace("rest=0%", "rest=200%") + VERIFY + UPDATE + CONDITION)
    running = tidelock.start("deploy")
    wait_until(lambda: database.value("SELECT count(*) FROM orders WHERE changes > 0") > 1000, "the first batches")
    database.query("INSERT INTO orders (id, status) VALUES (-5, 'open'), (100000, 'open')")
    running.wait().succeeds(applied=["001_fill"], says="going over the table again")
    assert each_once(database, orders + 2)


def test_what_it_verifies_has_to_be_true(database, folder, tidelock, orders):
    folder.add("001_fill", BACKFILL + "-- tidelock: verify (SELECT count(*) FROM orders) = 1\n" + UPDATE)
    tidelock("deploy").fails(exit=7, says=['error P3018: migration "001_fill" failed: ', "its verify condition is not true: (SELECT count(*) FROM orders) = 1", f"{20000} rows"], at="001_fill/migration.sql:2:21")
    assert each_once(database, orders)
    database.query("DELETE FROM orders WHERE id > 1")
    tidelock("deploy").succeeds(applied=["001_fill"])


def test_a_row_that_is_locked_is_waited_for(database, folder, tidelock, orders):
    folder.add("001_fill", BACKFILL + UPDATE)
    with database.connect() as application:
        application.execute("BEGIN")
        application.execute("SELECT FROM orders WHERE id = 10000 FOR UPDATE")
        running = tidelock.start("deploy")
        running.wait_for_line("attempt 1 was rolled back")
        # Nothing of ours is locked while it rests.
        wait_until(lambda: database.value("SELECT count(*) FROM orders WHERE changes = 1") > 9000, "all before it")
        application.execute("COMMIT")
        running.wait().succeeds(applied=["001_fill"])
    assert each_once(database, orders)


@pytest.mark.fault
@pytest.mark.fault
def test_every_row_is_changed_and_the_ledger_is_locked(database, folder, tidelock, orders):
    folder.add("001_fill", BACKFILL + UPDATE + CONDITION + ";")
    with database.connect() as holder, database.connect() as application:
        application.execute("BEGIN; SELECT * FROM orders WHERE id = 20000 FOR UPDATE")
        running = tidelock.start("deploy", "--retry-for", "2s")
        wait_until(lambda: database.value("SELECT count(status_new) FROM orders"), "batches to be done")
        holder.execute("BEGIN; LOCK TABLE _prisma_migrations IN SHARE MODE")
        application.execute("COMMIT")
        running.wait().fails(exit=9, says=[f'holds     {orders} rows of "orders" are changed, in ', " to record it as finished; every row was visited."])
        holder.execute("COMMIT")
    assert each_once(database, orders)
    tidelock("deploy").succeeds(applied=["001_fill"])
    assert each_once(database, orders)


def test_no_batch_takes_much_longer_than_its_target(database, folder, tidelock, orders):
    """Rows that are not changed take no time; then come those that take 10 ms each."""
    database.query("CREATE OR REPLACE FUNCTION count_changes() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.01); NEW.changes := OLD.changes + 1; RETURN NEW; END'")
    database.query("ALTER TABLE orders DISABLE TRIGGER count_changes; UPDATE orders SET status_new = 'OPEN', changes = 1 WHERE id <= 19900; ALTER TABLE orders ENABLE TRIGGER count_changes")
    folder.add("001_fill", "-- tidelock: backfill orders target=20ms rest=0\n" + UPDATE + CONDITION)
    tidelock("deploy").succeeds(applied=["001_fill"])
    assert each_once(database, orders)
    # Twice the target, with room for none that ended in time after the last row.
    assert database.value("SELECT max(count) FROM (SELECT count(*) FROM orders WHERE id > 19900 GROUP BY xmin::text) AS batches") <= 4


def test_no_row_stays_locked_for_the_network(database, folder, tidelock, orders, proxy):
    """A batch is committed although the client never hears of it: it is one message."""
    is_begun = False

    def on_message(message):
        nonlocal is_begun
        is_begun |= message.direction == "client" and "tidelock_changed" in message.text
        return "freeze" if is_begun and message.direction == "server" and message.kind == "Z" else None

    folder.add("001_fill", BACKFILL + UPDATE)
    proxy.on_message = on_message
    running = tidelock.start("deploy", url=database.server.url(database.name, port=proxy.port))
    wait_until(lambda: database.value("SELECT count(*) FROM orders WHERE changes = 1"), "the batch to be committed")
    proxy.on_message = None
    proxy.thaw()
    running.wait().succeeds(applied=["001_fill"])
    assert each_once(database, orders)


def test_a_role_that_may_not_keep_its_place(database, folder, tidelock, orders):
    role = f"plain_{database.name}"
    database.query(f"CREATE ROLE {role} LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}; ALTER TABLE orders OWNER TO {role}")
    try:
        folder.add("001_fill", BACKFILL + UPDATE)
        url = database.url().replace("postgres@", f"{role}@")
        tidelock("deploy", url=url).fails(exit=6, says="GRANT CREATE ON DATABASE")
        database.query(f"DROP SCHEMA tidelock CASCADE; CREATE SCHEMA tidelock AUTHORIZATION {role}")
        tidelock("deploy", url=url).succeeds(applied=["001_fill"])
        assert each_once(database, orders)
    finally:
        database.query(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


def test_its_progress_can_be_seen(database, folder, tidelock, orders, tmp_path):
    """In the metrics and the log while it works, and in the error when it is stopped."""
    status = tmp_path / "status.prom"
    folder.add("001_fill", BACKFILL.replace("100..1000", "100..100").replace("rest=0%", "rest=90000%") + UPDATE)
    running = tidelock.start("deploy", "--status-file", status)

    def metric(name):
        return samples(status).get(name, 0)

    wait_until(lambda: metric("tidelock_backfill_changed_rows") > 0, "the rows in the metrics")
    assert 0 < metric("tidelock_current_migration_progress_ratio") < 1 and metric("tidelock_backfill_batch_rows") == 100
    running.wait_for_line('backfill of "orders": ')
    running.signal()
    running.wait().fails(exit=143, says=['rows of "orders" are changed, in ', ", up to key '", "next      Deploy again to resume after that row"])
    assert "To resume it: tidelock deploy" in tidelock("status").out


@pytest.mark.parametrize("is_seen", [True, False], ids=["with pg_monitor", "without"])
def test_a_replica_that_stays_behind_is_waited_for(replica, folder, binary, is_seen, tmp_path):
    primary, standby = replica
    database = Database(primary, "app")
    database.query(SETUP % 20000)
    database.query("CREATE ROLE migrator LOGIN; GRANT CREATE ON SCHEMA public TO migrator; GRANT CREATE ON DATABASE app TO migrator; ALTER TABLE orders OWNER TO migrator")
    if is_seen:
        database.query("GRANT pg_monitor TO migrator")
    replayed = "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()"
    wait_until(lambda: database.value(replayed) == 1, "the replica to follow")
    standby.query("SELECT pg_wal_replay_pause()")
    tidelock = Tool(binary, database, folder)
    folder.add("000_before", "SELECT 1")
    tidelock("baseline").succeeds()
    database.query("ALTER TABLE _prisma_migrations OWNER TO migrator")
    # It has to take a while: where it meets the locked row before it has lagged for a second, it waits for that.
    folder.add("001_fill", BACKFILL.replace("rest=0%", "rest=80%") + "-- tidelock: throttle lag=1s\n" + UPDATE)
    status = tmp_path / "status.prom"
    with database.connect() as application:
        application.execute("BEGIN")
        application.execute("SELECT FROM orders WHERE id = 10000 FOR UPDATE")
        running = tidelock.start("deploy", "--status-file", status, url=database.url().replace("postgres@", "migrator@"))
        if is_seen:
            running.wait_for_line('the backfill is paused: the replica "replica_one" is ')
            wait_until(lambda: samples(status).get("tidelock_backfill_throttled") == 1, "the metric")
            application.execute("COMMIT")
            assert database.value("SELECT count(*) FROM orders WHERE changes > 0") < 10000
            standby.query("SELECT pg_wal_replay_resume()")
            running.wait_for_line("the backfill continues")
        else:
            running.wait_for_line("cannot see how far the replicas lag")
    running.wait().succeeds(applied=["001_fill"])
    assert each_once(database, 20000)


@pytest.fixture
def own(server, folder, binary):
    """A server for this test alone, with a replication slot that can run out of room and an archive."""
    with contextlib.ExitStack() as stack:
        own = Server(server.major, server.binaries, ["max_slot_wal_keep_size=100MB", "archive_mode=on", "archive_command=test ! -e broken"])
        stack.callback(own.remove)
        database = Database(own, "app")
        database.query(SETUP % 20000)
        tidelock = Tool(binary, database, folder)
        folder.add("000_before", "SELECT 1")
        tidelock("baseline").succeeds()
        yield database, tidelock
        tidelock.clean_up()


@contextlib.contextmanager
def slot_without_room(database):
    database.query("SELECT pg_create_physical_replication_slot('behind', true)")
    for _ in range(4):
        database.query("SELECT pg_logical_emit_message(false, 'a', 'b')")
        database.query("SELECT pg_switch_wal()")
    yield
    database.query("SELECT pg_drop_replication_slot('behind')")


@contextlib.contextmanager
def runs(database, *statements):
    """A session that runs the last one until the end."""

    def run():
        with contextlib.suppress(psycopg.errors.QueryCanceled):
            for statement in statements:
                session.execute(statement)

    with database.connect() as session:
        thread = threading.Thread(target=run)
        thread.start()
        yield
        session.cancel()
        thread.join()


def leave_dead_rows(database):
    database.query("ALTER TABLE orders DISABLE TRIGGER count_changes; UPDATE orders SET status = status WHERE id > 10000; ALTER TABLE orders ENABLE TRIGGER count_changes")
    dead = "SELECT n_dead_tup > 0.3 * n_live_tup FROM pg_stat_all_tables WHERE relname = 'orders'"
    wait_until(lambda: database.value(dead), "the statistics")


def vacuum(database):
    return runs(database, "SET vacuum_cost_delay = 100", "SET vacuum_cost_limit = 1", "VACUUM orders")


@contextlib.contextmanager
def failing_archiver(database):
    broken = database.server.data / "broken"
    broken.touch()
    database.query("SELECT pg_logical_emit_message(false, 'a', 'b')")
    database.query("SELECT pg_switch_wal()")
    wait_until(lambda: database.value("SELECT last_failed_time IS NOT NULL FROM pg_stat_archiver"), "the archiver to fail")
    yield
    broken.unlink()
    database.query("SELECT pg_switch_wal()")


@pytest.mark.parametrize(
    ("trouble", "limit", "says"),
    [
        (slot_without_room, "slot=2GB", "a replication slot has "),
        (lambda database: runs(database, "SELECT pg_sleep(600)"), "active=1%", " of 60 sessions are active (active=1%)"),
        (vacuum, "active=0", "an autovacuum is removing dead rows from the table"),
        (failing_archiver, "active=0", "the server is failing to archive its WAL"),
    ],
    ids=["slot", "active", "vacuum", "archiver"],
)
def test_it_pauses_while_others_suffer(own, folder, trouble, limit, says):
    database, tidelock = own
    # It has to take a while.
    folder.add("001_fill", f"-- tidelock: backfill orders rows=5..5\n-- tidelock: throttle {limit}\n" + UPDATE)
    if trouble is vacuum:
        leave_dead_rows(database)
    running = tidelock.start("deploy")
    # What is so from the beginning may be how this server always is.
    wait_until(lambda: database.value("SELECT count(*) FROM orders WHERE changes > 0"), "the first batch")
    with trouble(database):
        running.wait_for_line("the backfill is paused: ", says)
    running.wait_for_line("the backfill continues")
    running.wait().succeeds(applied=["001_fill"])
    assert each_once(database, 20000)


@pytest.mark.fault
@pytest.mark.parametrize("directive", ["", "-- tidelock: throttle slot=4GB\n"], ids=["default", "asked for"])
def test_a_limit_that_no_slot_of_this_server_can_meet_is_lowered(own, folder, directive):
    database, tidelock = own
    database.query("SELECT pg_create_physical_replication_slot('healthy', true)")
    folder.add("001_fill", BACKFILL + directive + UPDATE)
    result = tidelock("deploy").succeeds(applied=["001_fill"], says="replication slots of this server have 100 MB at most")
    assert "paused" not in result.errors and each_once(database, 20000)
    database.query("SELECT pg_drop_replication_slot('healthy')")


def test_a_batch_waits_for_the_disk_only_where_standbys_are_waited_for(own, folder):
    """Each row keeps how its batch was committed; to be known as applied, the whole waits in any case."""
    database, tidelock = own
    database.query("CREATE OR REPLACE FUNCTION count_changes() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.status_new := current_setting('synchronous_commit'); RETURN NEW; END$$")
    database.query("ALTER DATABASE app SET synchronous_commit = local")
    for name, standbys, expected in [("001_fill", "", "off"), ("002_fill", "nobody", "local")]:
        database.query(f"ALTER SYSTEM SET synchronous_standby_names = '{standbys}'")
        database.query("SELECT pg_reload_conf()")
        wait_until(lambda standbys=standbys: database.value("SHOW synchronous_standby_names") == standbys, "the setting")
        folder.add(name, BACKFILL + UPDATE)
        tidelock("deploy").succeeds(applied=[name])
        assert database.query("SELECT DISTINCT status_new FROM orders") == [(expected,)]


def test_a_server_that_crashes_loses_a_batch_and_its_place_or_neither(own, folder):
    database, tidelock = own
    folder.add("001_fill", BACKFILL.replace("100..1000", "100..100") + UPDATE)
    for most in (2000, 8000):
        running = tidelock.start("deploy", "--connect-deadline", "1s")
        wait_until(lambda most=most: database.value("SELECT count(*) FROM orders WHERE changes = 1") > most, "some batches")
        database.server.stop("immediate")
        running.wait()
        database.server.start()
        assert database.value("SELECT COALESCE(max(changes), 0) FROM orders") <= 1
    tidelock("deploy").succeeds(applied=["001_fill"])
    assert each_once(database, 20000)


@pytest.mark.fault
def test_the_statement_of_a_half_done_backfill_is_not_to_be_edited(database, folder, tidelock):
    database.query("CREATE TABLE orders (id int PRIMARY KEY, n int, d int); INSERT INTO orders SELECT i, 0, 1 FROM generate_series(1, 60) AS i; UPDATE orders SET d = 0 WHERE id = 40")
    tidelock("baseline").succeeds()
    script = "-- tidelock: backfill orders key=id rows=10..10 rest=0%\nUPDATE orders SET n = n + 1 / d"
    folder.add("001_fill", script)
    tidelock("deploy").fails(exit=7, says=["22012", "Correct the data that the statement met", "has to stay as it is", "to resume after that row"])
    folder.replace("001_fill", script + " WHERE d <> 0")
    tidelock("deploy").fails(exit=8, says=["P3009", "What the backfill of the former script has changed persists."])
    folder.replace("001_fill", script)
    database.query("UPDATE orders SET d = 1")
    tidelock("deploy").succeeds(applied=["001_fill"])
    assert database.query("SELECT DISTINCT n FROM orders") == [(1,)]


FILLED = "INSERT INTO filled SELECT i, repeat('x', 50) FROM generate_series(1, 200000) AS i"
FILLINGS = {
    "before its key": f"CREATE TABLE filled (id bigint NOT NULL, old text, new text); {FILLED}; ALTER TABLE filled ADD PRIMARY KEY (id)",
    "behind its key": f"CREATE TABLE filled (id bigint PRIMARY KEY, old text, new text); {FILLED}",
    "partitioned": "CREATE TABLE filled (id bigint NOT NULL, old text, new text) PARTITION BY RANGE (id);"
    "CREATE TABLE filled_1 PARTITION OF filled FOR VALUES FROM (0) TO (100000); CREATE TABLE filled_2 PARTITION OF filled FOR VALUES FROM (100000) TO (900000);"
    f"{FILLED}; ALTER TABLE filled ADD PRIMARY KEY (id)",
}


@pytest.mark.parametrize("filling", FILLINGS)
def test_what_the_same_run_has_filled_needs_no_analyze(database, folder, tidelock, filling):
    """No autovacuum has seen it yet; and reading here and there is costly, so that a range of unknown size looks like most of the table."""
    folder.add("000_before", "SELECT 1")
    tidelock("deploy").succeeds()
    database.query(f'ALTER DATABASE "{database.name}" SET random_page_cost = 40')
    folder.add("001_filled", FILLINGS[filling])
    folder.add("002_fill", "-- tidelock: backfill filled target=200ms rest=0%\nUPDATE filled SET new = upper(old) WHERE new IS NULL")
    tidelock("deploy").succeeds(applied=["001_filled", "002_fill"])
    assert database.value("SELECT count(*) FROM filled WHERE new IS NULL") == 0
