"""Through a real PgBouncer: which kind it is, is told by what it does; what would be unsafe behind it is refused."""

import contextlib
import os
import re
import threading

import psycopg
import pytest
from pooler import PASSWORD, Pooler, server_with_passwords
from proxy import Proxy
from servers import Database
from status import migration_of, status_of
from tool import wait_for_nobody, wait_for_session
from wait import wait_until

pytestmark = pytest.mark.libraries

LEADER_LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 72707369"
POOLED = "behind a pooler in transaction mode"


@pytest.fixture(scope="module")
def server(servers):
    yield from server_with_passwords(servers)


@pytest.fixture
def database(server, request):
    database = Database(server, f"pooled_{os.urandom(4).hex()}")
    server.query(f"ALTER DATABASE {database.name} OWNER TO app")
    yield database
    database.drop()


@pytest.fixture
def pooler(server):
    with contextlib.ExitStack() as stack:

        def start(mode, **settings):
            pooler = Pooler(server, mode, **settings)
            stack.callback(pooler.remove)
            return pooler

        yield start


@pytest.fixture
def url(database, pooler):
    """Through a pooler in transaction mode, which is not said."""
    return pooler("transaction").url(database.name)


def direct(database):
    return f"postgresql://app:p%40ss%3Aw%2Frd%25@127.0.0.1:{database.server.port}/{database.name}"


@contextlib.contextmanager
def traffic(url, clients=4):
    """An application that uses the same pool."""
    is_over = threading.Event()

    def work():
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
            while not is_over.is_set():
                connection.execute("SELECT 1")

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("settings", [{}, {"default_pool_size": 1}, {"server_round_robin": 1}], ids=["plain", "pool of one", "round robin"])
@pytest.mark.parametrize("mode", ["session", "transaction"])
@pytest.mark.parametrize("is_busy", [False, True], ids=["idle", "busy"])
def test_which_kind_it_is_shows(database, folder, tidelock, pooler, mode, settings, is_busy):
    if mode == "session" and is_busy and "default_pool_size" in settings:
        settings = {"default_pool_size": 6}
    folder.add("001_a", "CREATE TABLE a ()")
    url = pooler(mode, **settings).url(database.name)
    with traffic(url) if is_busy else contextlib.nullcontext():
        result = tidelock("deploy", url=url).succeeds(applied=["001_a"])
    assert (POOLED in result.errors) == (mode == "transaction")


def test_with_sessions_of_its_own_everything_is_as_without_it(database, folder, tidelock, pooler):
    folder.add("001_a", "CREATE TABLE a ()")
    folder.add("002_b", "BEGIN; CREATE TABLE b (); COMMIT; CREATE INDEX CONCURRENTLY ON a ((1));")
    url = pooler("session").url(database.name)
    tidelock("deploy", url=url).succeeds(applied=["001_a", "002_b"])
    folder.add("003_c", "SELECT 1/0")
    tidelock("deploy", url=url).fails(exit=6)
    tidelock("resolve", "--applied", "003_c", url=url).succeeds()
    wait_until(lambda: database.value(LEADER_LOCKS) == 0, "the leader lock to be free")


def test_no_shadow_is_made_through_one(server, database, folder, tidelock, url):
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("plan", "--shadow", "create", url=url).fails(exit=2, says=[POOLED, "Set DIRECT_URL"])
    tidelock("plan", "--shadow", url, url=direct(database)).fails(exit=2, says=POOLED)
    assert not server.query("SELECT 1 FROM pg_database WHERE datname LIKE 'tidelock_shadow%%'")


@pytest.mark.parametrize("is_said", [True, False], ids=["pgbouncer=true", "not said"])
def test_each_migration_takes_the_lock_for_itself(database, folder, tidelock, pooler, is_said):
    for number in range(5):
        folder.add(f"{number:03}_t", f"CREATE TABLE t{number} (); SELECT pg_advisory_xact_lock(1)")
    url = pooler("transaction").url(database.name, **({"pgbouncer": "true"} if is_said else {}))
    result = tidelock("deploy", url=url).succeeds(applied=[f"{number:03}_t" for number in range(5)])
    assert POOLED in result.errors and PASSWORD not in result.errors
    assert database.value(LEADER_LOCKS) == 0
    tidelock("deploy", url=url).succeeds(says="No pending")
    tidelock("status", url=url).succeeds()


def test_nothing_of_a_script_stays_in_the_pool(database, folder, tidelock, pooler):
    url = pooler("transaction", default_pool_size=1).url(database.name)
    database.query("CREATE ROLE owner_of_it; GRANT owner_of_it TO app; GRANT CREATE ON SCHEMA public TO app, owner_of_it")
    try:
        folder.add(
            "001_a",
            "SET ROLE owner_of_it; SET search_path = pg_catalog; SET lock_timeout = '7s'; CREATE TEMP TABLE left_behind (); LISTEN something;"
            " DECLARE held CURSOR WITH HOLD FOR SELECT 1; CREATE TABLE public.a ()",
        )
        folder.add("002_b", "CREATE TABLE b ()")
        tidelock("deploy", "--statement-timeout", "9s", url=url).succeeds(applied=["001_a", "002_b"])
        with psycopg.connect(url, autocommit=True) as other:
            assert other.execute(
                "SELECT current_user, current_setting('search_path'), current_setting('lock_timeout'), current_setting('statement_timeout'),"
                " current_setting('idle_in_transaction_session_timeout'), current_setting('idle_session_timeout'),"
                " current_setting('client_connection_check_interval')"
            ).fetchone() == ("app", '"$user", public', "0", "0", "0", "0", "0")
            assert other.execute("SELECT to_regclass('left_behind'), (SELECT count(*) FROM pg_cursors), (SELECT count(*) FROM pg_listening_channels())").fetchone() == (None, 0, 0)
        assert database.value("SELECT tableowner FROM pg_tables WHERE tablename = 'a'") == "owner_of_it"
    finally:
        database.query("DROP OWNED BY owner_of_it; DROP ROLE owner_of_it")


LEAVING = (
    "PREPARE left_behind AS SELECT 1; PREPARE \"Left \"\"behind\" AS SELECT 2;"
    " SELECT pg_advisory_lock(4242), pg_advisory_lock(4242), pg_advisory_lock(-1), pg_advisory_lock_shared(4243), pg_advisory_lock(-7, 8), pg_advisory_lock_shared(1, 2);"
    " SET work_mem = '99MB'; LISTEN something; CREATE TEMP TABLE left_behind (); DECLARE held CURSOR WITH HOLD FOR SELECT 1;"
    " SELECT pg_advisory_xact_lock(5); CREATE TABLE {table} (); "
)
HELD = (
    "SELECT (SELECT array_agg(name ORDER BY name) FROM pg_prepared_statements WHERE from_sql), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),"
    " current_setting('work_mem'), (SELECT count(*) FROM pg_listening_channels()), to_regclass('pg_temp.left_behind'), (SELECT count(*) FROM pg_cursors)"
)


@pytest.mark.fault
@pytest.mark.parametrize("is_shared", [False, True], ids=["clean", "others left something"])
@pytest.mark.parametrize("end", ["success", "failure", "at commit", "signal", "timeout"])
def test_whatever_happens_nothing_of_a_script_stays_in_the_pool(database, folder, tidelock, pooler, end, is_shared):
    """And what others have left there is not touched: it is in the same session."""
    url = pooler("transaction", default_pool_size=1).url(database.name)
    folder.add("001_f", "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'; CREATE TABLE t (id int);"
               " CREATE CONSTRAINT TRIGGER no AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION no()")
    tidelock("deploy", url=url).succeeds()
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as other:
        if is_shared:
            other.execute("PREPARE theirs AS SELECT 3")
            other.execute("SELECT pg_advisory_lock(77), pg_advisory_lock(77)")
        before = other.execute(HELD).fetchone()
        ending = {"success": "", "failure": "SELECT 1/0", "at commit": "INSERT INTO t VALUES (1)"}.get(end, "SELECT pg_sleep(600)")
        folder.add("002_leaves", LEAVING.format(table="left_by_script") + ending)
        running = tidelock.start("deploy", *(["--migration-timeout", "2s"] if end == "timeout" else []), url=url)
        if end == "signal":
            wait_for_session(database, "pg_sleep")
            running.signal()
        result = running.wait()
        assert result.code == {"success": 0, "signal": 143}.get(end, 6), result.errors
        assert other.execute(HELD).fetchone() == before
        assert "could not clean up" not in result.errors


@pytest.mark.fault
def test_nothing_stays_in_a_pool_that_many_use(database, folder, tidelock, pooler):
    url = pooler("transaction", default_pool_size=4).url(database.name)
    for number in range(6):
        folder.add(f"{number:03}_leaves", LEAVING.format(table=f"left_{number}"))
    folder.add("006_fails", LEAVING.format(table="left_6") + "SELECT 1/0")
    with traffic(url, clients=8):
        for _ in range(2):
            tidelock("deploy", url=url).fails(exit=6, says="division by zero")
        ours = "SELECT count(*) FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid) WHERE l.locktype = 'advisory' AND a.datname = current_database()"
        assert database.value(ours) == 0
        for _ in range(40):
            with psycopg.connect(url, autocommit=True, prepare_threshold=None) as other:
                assert other.execute(HELD).fetchone() == (None, 0, "4MB", 0, None, 0)


@pytest.mark.parametrize("script", ["CREATE INDEX CONCURRENTLY ON a ((1))", "BEGIN; CREATE TABLE b (); COMMIT", "-- tidelock: transaction=off\nCREATE TABLE b ()"])
def test_what_needs_a_session_is_refused_before_anything_is_applied(database, folder, tidelock, pooler, script):
    url = pooler("transaction").url(database.name)
    folder.add("001_a", "CREATE TABLE a ()")
    folder.add("002_b", script)
    tidelock("deploy", url=url).fails(exit=2, says=['migration "002_b" needs a session of its own', "DIRECT_URL"])
    assert database.applied() == [] and not database.holds("a")
    tidelock("deploy", url=url, environment={"DIRECT_URL": direct(database)}).succeeds(applied=["001_a", "002_b"])


@pytest.mark.fault
def test_a_script_that_sets_its_transaction_first_runs_in_it(database, folder, tidelock, url):
    folder.add("001_a", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nCREATE TABLE a AS SELECT current_setting('transaction_isolation') AS level;")
    tidelock("deploy", url=url).succeeds(applied=["001_a"])
    assert database.value("SELECT level FROM a") == "serializable"


@pytest.mark.fault
@pytest.mark.parametrize("script", ["DO $$ BEGIN CREATE TABLE b (); COMMIT; END $$", "ALTER TYPE mood ADD VALUE 'great'; CREATE TABLE b AS SELECT 'great'::mood"])
def test_what_the_server_says_needs_a_session_is_rolled_back_and_needs_the_database_itself(database, folder, tidelock, url, script):
    folder.add("001_a", "CREATE TYPE mood AS ENUM ('fine')")
    folder.add("002_b", script)
    tidelock("deploy", url=url).fails(exit=6, says=["Nothing of 002_b", "Set DIRECT_URL"])
    assert not database.holds("b")
    tidelock("deploy", url=url, environment={"DIRECT_URL": direct(database)}).succeeds(applied=["002_b"])


def test_a_failure_leaves_nothing_and_is_recorded(database, folder, tidelock, url):
    folder.add("001_a", "CREATE TABLE a (); SELECT 1/0")
    tidelock("deploy", url=url).fails(exit=6, says=["division by zero", "Nothing of 001_a"])
    assert not database.holds("a") and [row.rolled_back for row in database.ledger()] == [True]
    folder.replace("001_a", "CREATE TABLE a ()")
    tidelock("deploy", url=url).succeeds(applied=["001_a"])


@pytest.mark.parametrize("words", [("baseline",), ("resolve", "--applied", "001_a"), ("resolve", "--rolled-back", "001_a")])
@pytest.mark.parametrize("is_said", [True, False])
def test_editing_the_ledger_by_hand_wants_the_database_itself(database, folder, tidelock, pooler, words, is_said):
    url = pooler("transaction").url(database.name, **({"pgbouncer": "true"} if is_said else {}))
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock(*words, url=url).fails(exit=2, says=["pooler in transaction mode", "DIRECT_URL"])
    assert database.value(LEADER_LOCKS) == 0 and not database.holds("_prisma_migrations")


def test_without_transactions_it_is_refused(database, folder, tidelock, pooler):
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy", url=pooler("statement").url(database.name)).fails(exit=2, says=["does not support transactions", "DIRECT_URL"])


def test_a_leader_with_a_session_is_followed(database, folder, tidelock, url):
    folder.add("001_a", "CREATE TABLE a ()")
    with psycopg.connect(direct(database), autocommit=True, application_name="prisma") as leader:
        leader.execute("SELECT pg_advisory_lock(72707369)")
        running = tidelock.start("deploy", url=url)
        running.wait_for_line('("prisma"')
        assert not database.holds("_prisma_migrations")
    running.wait().succeeds(applied=["001_a"])


@pytest.mark.parametrize("is_direct", [True, False], ids=["direct", "pooled"])
def test_who_was_overtaken_looks_again(database, folder, tidelock, url, is_direct):
    """Another process leads, and has done, exactly between this one's last look and its lock."""
    folder.add("001_a", "CREATE TABLE a ()")
    folder.add("002_b", "CREATE TABLE b (); CREATE TABLE counter AS SELECT 1 AS n")
    others = []
    proxy = Proxy(int(url.rsplit(":", 1)[1].split("/")[0]))

    def overtake(message):
        if message.direction == "client" and "CREATE TABLE a ()" in message.text and not others:
            others.append(tidelock("deploy", url=direct(database) if is_direct else url))

    proxy.on_message = overtake
    try:
        result = tidelock("deploy", url=f"{url.rsplit(':', 1)[0]}:{proxy.port}/{database.name}").succeeds(says="No pending")
    finally:
        proxy.close()
    others[0].succeeds(applied=["001_a", "002_b"])
    assert "applied 001_a" not in result.errors and database.applied() == ["001_a", "002_b"] and len(database.ledger()) == 2


def test_a_ledger_that_another_process_creates_meanwhile(database, folder, tidelock, url):
    folder.add("001_a", "CREATE TABLE a ()")
    others = []
    proxy = Proxy(int(url.rsplit(":", 1)[1].split("/")[0]))

    def overtake(message):
        if message.direction == "client" and "BEGIN ISOLATION LEVEL READ COMMITTED" in message.text and not others:
            others.append(tidelock("deploy", url=direct(database)))

    proxy.on_message = overtake
    try:
        tidelock("deploy", url=f"{url.rsplit(':', 1)[0]}:{proxy.port}/{database.name}").succeeds()
    finally:
        proxy.close()
    others[0].succeeds(applied=["001_a"])
    assert database.applied() == ["001_a"]


@pytest.mark.parametrize("is_committed", [True, False])
def test_a_lost_answer_to_commit_is_looked_up(database, folder, tidelock, url, is_committed):
    folder.add("001_a", "CREATE TABLE a (); CREATE TABLE counter AS SELECT 1 AS n")
    folder.add("002_b", "UPDATE counter SET n = n + 1")
    proxy = Proxy(int(url.rsplit(":", 1)[1].split("/")[0]))
    cuts = []

    def cut(message):
        wanted = ("server", "C", "COMMIT") if is_committed else ("client", "P", "COMMIT")
        if (message.direction, message.kind) == wanted[:2] and wanted[2] in message.text:
            cuts.append(message)
            # The first is that of the creation of the ledger.
            return "drop" if len(cuts) == 3 else None
        return None

    proxy.on_message = cut
    try:
        result = tidelock("deploy", url=f"{url.rsplit(':', 1)[0]}:{proxy.port}/{database.name}")
    finally:
        proxy.close()
    result.succeeds(says=f"the answer to COMMIT of 002_b was lost: it was {'committed' if is_committed else 'rolled back'}")
    assert database.value("SELECT n FROM counter") == 2 and database.applied() == ["001_a", "002_b"] and len(database.ledger()) == 2


def test_a_killed_one_leaves_nothing(database, folder, tidelock, url):
    folder.add("001_a", "CREATE TABLE a (); SELECT pg_sleep(60)")
    running = tidelock.start("deploy", url=url)
    wait_for_session(database, "pg_sleep")
    running.kill()
    wait_for_nobody(database)
    folder.replace("001_a", "CREATE TABLE a ()")
    tidelock("deploy", url=url).succeeds(applied=["001_a"])


def test_many_at_once_some_direct(database, folder, tidelock, url):
    folder.add("000_first", "CREATE TABLE applied (number int)")
    for number in range(1, 11):
        folder.add(f"{number:03}_step", f"INSERT INTO applied VALUES ({number}); SELECT pg_sleep(0.02)")
    running = [tidelock.start("deploy", url=url if number % 3 else direct(database)) for number in range(18)]
    results = [one.wait().succeeds() for one in running]
    assert sum(len(re.findall(r"applied \d+_step", result.errors)) for result in results) == 10
    assert database.query("SELECT count(*), count(DISTINCT number) FROM applied") == [(10, 10)]
    assert len(database.ledger()) == 11


def test_the_leader_is_at_work_since_its_transaction_began(database, folder, tidelock, url):
    """The session is the pooler's, and older."""
    folder.add("001_a", "SELECT pg_sleep(1.1)")
    folder.add("002_slow", "SELECT pg_sleep(600)")
    running = tidelock.start("deploy", url=url)
    pid = wait_until(lambda: database.query("SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%%pg_sleep(600)%%' AND pid <> pg_backend_pid()"), "the second one")[0][0]
    data = status_of(tidelock, url=direct(database))
    seen = "SELECT to_char(xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), xact_start > backend_start + interval '1 s' FROM pg_stat_activity WHERE pid = %s"
    assert (data["leader"]["pid"], data["leader"]["since"], True) == (pid, *database.query(seen, pid)[0])
    assert migration_of(data, "002_slow")["state"] == "running"
    running.kill()


def test_going_back(database, folder, tidelock, url):
    """Each inverse takes the leader lock for its own transaction."""
    for name in ["001_a", "002_b", "003_c"]:
        folder.add(name, f"CREATE TABLE {name[4:]} (id int)").with_name("down.sql").write_text(f"DROP TABLE {name[4:]}")
    tidelock("deploy", url=url).succeeds()
    database.query("INSERT INTO b VALUES (1)")
    tidelock("rollback", "--to", "001_a", url=url).fails(exit=8, says='drops table "b", which holds 1 row')
    assert len(database.applied()) == 3
    tidelock("rollback", "--to", "001_a", "--allow-loss", "b", url=url).succeeds(says=POOLED)
    assert database.applied() == ["001_a"] and not database.holds("b") and not database.holds("c")
    tidelock("rollback", url=url).succeeds(says="Migration 001_a rolled back.")


@contextlib.contextmanager
def in_between(url):
    proxy = Proxy(int(url.rsplit(":", 1)[1].split("/")[0]))
    try:
        yield proxy, f"{url.rsplit(':', 1)[0]}:{proxy.port}/{url.rsplit('/', 1)[1]}"
    finally:
        proxy.close()


def add_tables(folder, numbers):
    for number in numbers:
        folder.add(f"{number:03}_t", f"CREATE TABLE t{number} (id int)")


def test_a_hundred_tables_take_few_round_trips(database, folder, tidelock, url):
    add_tables(folder, range(100))
    with in_between(url) as (proxy, between):
        tidelock("deploy", url=between).succeeds(applied=[f"{number:03}_t" for number in range(100)])
        assert proxy.round_trips() <= 105
        assert sum("CREATE TABLE t" in message.text for message in proxy.messages if message.direction == "client") == 1
    assert database.value("SELECT count(DISTINCT xmin::text) FROM _prisma_migrations") == 100


def on_t2(database, body):
    database.query(
        f"CREATE SCHEMA hidden; CREATE FUNCTION hidden.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity = 'public.t2') THEN {body} END IF; END $$;"
        f"CREATE EVENT TRIGGER on_ddl ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION hidden.on_ddl();"
        f"GRANT USAGE ON SCHEMA hidden TO app"
    )


@pytest.mark.parametrize("body", ["PERFORM pg_advisory_lock(4711)", "PREPARE left_over AS SELECT 1", "PERFORM set_config('search_path', 'hidden', false)", "CREATE TEMPORARY TABLE t3 (other int)"])
def test_what_code_leaves_in_the_middle_is_cleaned_up(database, folder, tidelock, pooler, body):
    url = pooler("transaction", default_pool_size=1).url(database.name)
    on_t2(database, body + ";")
    add_tables(folder, range(5))
    tidelock("deploy", url=url).succeeds()
    assert database.applied() == [f"{number:03}_t" for number in range(5)] and database.holds("public.t3")
    with psycopg.connect(url) as other:
        assert other.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711").fetchone() == (0,)
        assert other.execute("SELECT count(*) FROM pg_prepared_statements WHERE name = 'left_over'").fetchone() == (0,)
        assert other.execute("SHOW search_path").fetchone() == ('"$user", public',)


@pytest.mark.parametrize("body", ["RAISE 'not today';", "PERFORM pg_advisory_lock(4711); RAISE 'not today';"])
def test_a_failure_in_the_middle_is_its_own(database, folder, tidelock, pooler, body):
    url = pooler("transaction", default_pool_size=1).url(database.name)
    on_t2(database, body)
    add_tables(folder, range(5))
    tidelock("deploy", url=url).fails(exit=6, says=['migration "002_t" failed: not today', "already applied by this run: 2 migrations"])
    assert [(row.name, row.finished, row.rolled_back) for row in database.ledger()] == [("000_t", True, False), ("001_t", True, False), ("002_t", False, True)]
    with psycopg.connect(url) as other:
        assert other.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711").fetchone() == (0,)


def test_another_leader_ends_what_was_sent(database, folder, tidelock, url):
    """While the second is at work, the ledger gets a row: nobody holds the lock between two transactions."""
    on_t2(database, "PERFORM pg_sleep(2);")
    add_tables(folder, range(5))
    running = tidelock.start("deploy", url=url)
    wait_until(lambda: database.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"), "a session that sleeps")
    database.query("INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count) VALUES ('x', 'y', 'zzz_newer', now(), 1)")
    result = running.wait()
    result.succeeds()
    assert sorted(database.applied()) == [f"{number:03}_t" for number in range(5)] + ["zzz_newer"]
    assert all(result.errors.count(f"applied {number:03}_t") == 1 for number in range(5))


@pytest.mark.parametrize("heard", [0, 2, 5])
def test_a_lost_connection_in_the_middle_leaves_no_doubt(database, folder, tidelock, url, heard):
    add_tables(folder, range(5))
    seen = []

    def cut(message):
        if message.direction == "client" and "CREATE TABLE t0" in message.text:
            seen.append(message)
        if seen and message.direction == "server" and message.kind == "C" and message.text.startswith("COMMIT"):
            seen.append(message)
            return "drop" if len(seen) == heard + 2 else "drop after" if len(seen) == heard + 1 == 6 else None
        return None

    with in_between(url) as (proxy, between):
        proxy.on_message = cut
        result = tidelock("deploy", url=between).succeeds()
    assert database.applied() == [f"{number:03}_t" for number in range(5)] and len(database.ledger()) == 5
    assert all(result.errors.count(f"applied {number:03}_t") == 1 for number in range(heard))
