"""Processes that work on the same list of tenants share it, and believe nobody who could not do their work himself."""

import contextlib
import os
import re
import uuid

import psycopg
import pytest
from folder import Folder
from peers import Flyway, PeerFolder
from pooler import Pooler, server_with_passwords
from servers import Database, Server
from wait import wait_until

STEPS = 3
CHANNEL = "tidelock_tenants"
MET = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1953063023 AND granted"
COUNTS = re.compile(r"(\d+) done, of which (\d+) had nothing to do(?: and (\d+) were done by another process)?; (\d+) failed, (\d+) not begun")
HELLO = "h" + 64 * "0"


class Tenants:
    """Databases of their own on one server, found by a pattern; the processes meet in another one."""

    def __init__(self, server, count):
        self.server = server
        self.mark = uuid.uuid4().hex[:8]
        self.base = Database(server, f"base_{self.mark}")
        self.databases = [Database(server, f"shared_{self.mark}_{number:02}") for number in range(count)]

    @property
    def words(self):
        return ("deploy", "--databases", f"shared_{self.mark}_*", "--headroom", 0)

    @property
    def url(self):
        return self.base.url(sslmode="disable")

    def assert_complete(self, steps=STEPS):
        for database in self.databases:
            with database.one_connection():
                assert database.query("SELECT number FROM steps ORDER BY 1") == [(number,) for number in range(1, steps + 1)], database.name
                assert len(database.applied()) == steps + 1

    def begun(self):
        return [database.name for database in self.databases if database.holds("_prisma_migrations")]

    def refresh(self):
        """The same ones, empty."""
        for database in self.databases:
            database.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public")

    def wait_for_meeting(self, count=1):
        wait_until(lambda: self.base.value(MET) == count, f"{count} to hear from each other")

    def drop(self):
        for database in [self.base, *self.databases]:
            database.drop()


@pytest.fixture
def listed(server):
    with contextlib.ExitStack() as stack:

        def make(count=10, on=None):
            tenants = Tenants(on or server, count)
            stack.callback(tenants.drop)
            return tenants

        yield make


@pytest.fixture
def one(server):
    """A server for this test alone, which writes down who connects."""
    one = Server(server.major, server.binaries, settings=["log_connections=on"])
    yield one
    one.remove()


@pytest.fixture(autouse=True)
def steps(folder):
    fill(folder)


def fill(folder):
    folder.add("000_steps", "CREATE TABLE steps (number int)")
    for number in range(1, STEPS + 1):
        folder.add(f"{number:03}_step", f"INSERT INTO steps VALUES ({number})")


def counts(result):
    """(done, had nothing to do, done by another process, failed, not begun)"""
    return tuple(int(count or 0) for count in COUNTS.search(result.out).groups())


@contextlib.contextmanager
def held(database, folder):
    """A process that has come to this tenant stays there until the end."""
    folder.replace("000_steps", "CREATE TABLE steps (number int); SELECT pg_advisory_xact_lock(4711)")
    with database.connect() as session:
        session.execute("SELECT pg_advisory_lock(4711)")
        yield


def wait_until_held(database):
    find = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    wait_until(lambda: database.query(find), f"a process at {database.name}")


@pytest.mark.every_major
def test_ten_processes_share_a_list(one, listed, tidelock):
    """Each tenant is connected to about once, and not by each process."""
    tenants = listed(30, on=one)
    running = [tidelock.start(*tenants.words, url=tenants.url) for _ in range(10)]
    results = [process.wait().succeeds() for process in running]
    seen = one.log.read_text(errors="replace")
    connections = len(re.findall(rf"connection authorized: .*database=shared_{tenants.mark}_", seen))
    tenants.assert_complete()
    assert [counts(result)[0] for result in results] == 10 * [30]
    assert sum(counts(result)[2] for result in results) > 9 * 30 * 0.7
    assert len(re.findall(r"(?m)^tidelock: \S+: applied 4 migrations \(", "".join(result.errors for result in results))) == 30
    assert connections < 3 * 30


def test_schemas_of_one_database_are_left_to_the_one_that_leads(one, tidelock):
    base = Database(one, "schemas")
    for number in range(30):
        base.query(f"CREATE SCHEMA s{number:02}")
    running = [tidelock.start("deploy", "--schemas", "s*", "--headroom", 0, url=base.url(sslmode="disable")) for _ in range(6)]
    results = [process.wait().succeeds(says="30 tenants: 30 done") for process in running]
    connections = len(re.findall("connection authorized: .*database=schemas", one.log.read_text(errors="replace")))
    for number in range(30):
        assert base.query(f"SELECT number FROM s{number:02}.steps ORDER BY 1") == [(step,) for step in range(1, STEPS + 1)]
    assert sum(counts(result)[2] for result in results) > 5 * 30 * 0.5
    assert connections < 3 * 30


def test_alone_nothing_is_said_and_the_order_is_that_of_the_list(listed, tidelock):
    tenants = listed()
    with psycopg.connect(tenants.url, autocommit=True) as ear:
        ear.execute(f"LISTEN {CHANNEL}")
        result = tidelock(*tenants.words, url=tenants.url).succeeds()
        assert [notify.payload for notify in ear.notifies(timeout=0.1)] == [HELLO]
    assert counts(result) == (10, 0, 0, 0, 0)
    done = re.findall(r"(?m)^tidelock: (shared_\S+): applied", result.errors)
    assert done == [database.name for database in tenants.databases]


def test_a_canary_that_another_process_has_done_is_done(listed, tidelock, folder):
    tenants = listed()
    words = (*tenants.words, "--canary", tenants.databases[0].name)
    with held(tenants.databases[0], folder):
        first = tidelock.start(*words, url=tenants.url)
        wait_until_held(tenants.databases[0])
        other = tidelock.start(*words, url=tenants.url)
        tenants.wait_for_meeting(2)
        assert tenants.begun() in ([], [tenants.databases[0].name])
    results = [first.wait().succeeds(), other.wait().succeeds()]
    tenants.assert_complete()
    assert sum(counts(result)[2] for result in results) > 0


def heard(tenants, tidelock):
    """The keys of the tenants, as two processes tell each other of them."""
    with psycopg.connect(tenants.url, autocommit=True) as ear:
        ear.execute(f"LISTEN {CHANNEL}")
        with tenants.databases[0].connect() as session:
            session.execute("SELECT pg_advisory_lock(4711)")
            running = [tidelock.start(*tenants.words, url=tenants.url) for _ in range(2)]
            wait_until_held(tenants.databases[0])
            tenants.wait_for_meeting(2)
        for process in running:
            process.wait().succeeds()
        said = "".join(notify.payload for notify in ear.notifies(timeout=0.2))
    return {word[1:] for word in re.findall("[a-z][0-9a-f]{64}", said)} - {64 * "0"}


@pytest.mark.parametrize("role, is_believed", [("postgres", True), ("stranger", False), ("superuser", False)])
def test_only_the_same_role_is_believed(one, listed, tidelock, folder, role, is_believed):
    """Who says that a tenant is done, and knows its key, is believed only with a session of the role that does the work."""
    tenants = listed(on=one)
    first = tenants.databases[0]
    for name, right in (("stranger", ""), ("superuser", "SUPERUSER")):
        one.query(f"CREATE ROLE {name} LOGIN {right}")
    folder.replace("000_steps", "CREATE TABLE steps (number int); SELECT pg_advisory_xact_lock(4711)")
    keys = heard(tenants, tidelock)
    assert len(keys) >= 8
    tenants.refresh()
    with held(first, folder), psycopg.connect(one.url(tenants.base.name, user=role), autocommit=True) as other:
        running = tidelock.start(*tenants.words, url=tenants.url)
        wait_until_held(first)
        other.execute(f"SELECT pg_notify('{CHANNEL}', %s)", (HELLO,))
        asked = "SELECT 1 FROM pg_stat_activity WHERE datname = %s AND (query LIKE '%%pg_stat_get_activity(NULL)%%' OR query LIKE 'SELECT pg_catalog.pg_notify(%%') AND state = 'idle' AND pid <> pg_backend_pid()"
        wait_until(lambda: one.query(asked, tenants.base.name), "the sender to be looked up")
        other.execute("SELECT 1")
        other.execute(f"SELECT pg_notify('{CHANNEL}', %s)", ("".join("d" + key for key in sorted(keys)),))
        if is_believed:
            running.wait_for_line("done by another process")
    result = running.wait().succeeds()
    if is_believed:
        assert counts(result)[2] >= 7 and len(tenants.begun()) <= 3
    else:
        assert counts(result) == (10, 0, 0, 0, 0)
        tenants.assert_complete()


def test_nonsense_is_not_heard(listed, tidelock, folder):
    tenants = listed()
    first = tenants.databases[0]
    with held(first, folder), psycopg.connect(tenants.url, autocommit=True) as other:
        running = tidelock.start(*tenants.words, url=tenants.url)
        wait_until_held(first)
        for text in ("", "d", "d" + 64 * "f", "x" + 64 * "0", 7999 * "d", "'", "ä", "d" + 63 * "0" + "ä", HELLO + "rest"):
            other.execute(f"SELECT pg_notify('{CHANNEL}', %s)", (text,))
    running.wait().succeeds()
    tenants.assert_complete()


@pytest.mark.parametrize("end", ["kill", "signal"])
def test_the_others_do_what_one_leaves(listed, tidelock, folder, end):
    tenants = listed(12)
    with held(tenants.databases[0], folder):
        first = tidelock.start(*tenants.words, url=tenants.url)
        wait_until_held(tenants.databases[0])
        other = tidelock.start(*tenants.words, url=tenants.url)
        other.wait_for_line("applied 4 migrations")
        getattr(first, end)()
        if end == "signal":
            first.wait().fails(exit=143)
    other.wait().succeeds(says="12 tenants: 12 done")
    tenants.assert_complete()


def test_what_fails_elsewhere_fails_here(listed, tidelock, folder):
    """Each process reports it itself."""
    tenants = listed()
    folder.add("900_check", "SELECT 1 / CASE current_setting('tide.odd', true) WHEN 'yes' THEN 0 ELSE 1 END")
    odd = tenants.databases[6]
    odd.query(f"ALTER DATABASE {odd.name} SET tide.odd = 'yes'")
    running = [tidelock.start(*tenants.words, "--on-failure", "continue", url=tenants.url) for _ in range(3)]
    for process in running:
        assert counts(process.wait().fails(exit=6, says="1 of 10 tenants failed"))[3:] == (1, 0)


def test_another_target_is_another_matter(listed, tidelock, folder):
    """Who applies less has not done what another process wants done."""
    tenants = listed()
    with held(tenants.databases[0], folder):
        first = tidelock.start(*tenants.words, url=tenants.url)
        wait_until_held(tenants.databases[0])
        less = tidelock.start(*tenants.words, "--to", "001_step", "--canary", tenants.databases[9].name, url=tenants.url)
        less.wait_for_line("applied 2 migrations")
    results = [first.wait().succeeds(), less.wait().succeeds()]
    assert [counts(result)[2] for result in results] == [0, 0]
    tenants.assert_complete()


def test_other_scripts_are_another_matter(listed, tidelock, tmp_path, binary):
    tenants = listed()
    other = Folder(tmp_path / "other")
    fill(other)
    other.replace("003_step", "INSERT INTO steps VALUES (3) -- the same, in other words")
    running = [tidelock.start(*tenants.words, url=tenants.url), tidelock.start(*tenants.words, url=tenants.url, cwd=other.root)]
    results = [process.wait() for process in running]
    assert [counts(result)[2] for result in results] == [0, 0]


@pytest.mark.parametrize("environment", [{"FLYWAY_DEFAULT_SCHEMA": "other"}, {"FLYWAY_PLACEHOLDERS_NUMBER": "2"}, {"PGOPTIONS": "-c search_path=other"}], ids=lambda environment: next(iter(environment)))
def test_what_variables_say_is_another_matter(listed, tidelock, tmp_path, environment):
    """Of where the ledger is, and of what stands in the scripts."""
    tenants = listed()
    app = PeerFolder(Flyway(), tmp_path / "flyway")
    (app.path / "V1__a.sql").write_text("CREATE TABLE steps (number int);\n")
    (app.path / "R__b.sql").write_text("INSERT INTO steps VALUES (${number});\n")
    for database in tenants.databases:
        database.query("CREATE SCHEMA other")
    common = {"FLYWAY_PLACEHOLDERS_NUMBER": "1"}
    running = [tidelock.start(*tenants.words, url=tenants.url, cwd=app.root, environment=own) for own in (common, {**common, **environment})]
    results = [process.wait() for process in running]
    assert [counts(result)[2] for result in results] == [0, 0]


def test_a_session_that_is_lost_is_not_missed(listed, tidelock, folder):
    tenants = listed()
    with held(tenants.databases[0], folder):
        running = [tidelock.start(*tenants.words, url=tenants.url) for _ in range(2)]
        wait_until_held(tenants.databases[0])
        tenants.wait_for_meeting(2)
        tenants.base.query("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1953063023")
    for process in running:
        process.wait().succeeds(says="10 tenants: 10 done")
    tenants.assert_complete()


def says_why_not(tidelock, *words, **options):
    result = tidelock(*words, "--log-level", "debug", **options).succeeds()
    said = re.findall("does not hear from other processes: (.*)", result.errors)
    assert "as number" not in result.errors
    return said


def test_where_there_is_no_room_it_does_without(listed, tidelock):
    tenants = listed()
    words = [word if word != 0 else 56 for word in tenants.words]
    assert says_why_not(tidelock, *words, url=tenants.url) == ["the server has too few connections left"]
    tenants.assert_complete()


def test_few_tenants_and_commands_that_only_look_do_without(listed, tidelock):
    few = listed(7)
    assert says_why_not(tidelock, *few.words, url=few.url) == []
    many = listed()
    tidelock(*many.words, url=many.url).succeeds()
    for command in (("status",), ("plan",), ("wait",), ("drift",), ("deploy", "--dry-run")):
        assert says_why_not(tidelock, *command, "--databases", f"shared_{many.mark}_*", url=many.url) == []
    assert says_why_not(tidelock, *many.words, "--connections", 1, url=many.url) == []


@pytest.fixture(scope="module")
def pooled(servers):
    yield from server_with_passwords(servers)


@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_behind_a_pooler_it_does_without(pooled, tidelock, mode):
    databases = [Database(pooled, f"pooled_{os.urandom(4).hex()}") for _ in range(8)]
    pooler = Pooler(pooled, mode)
    try:
        for database in databases:
            pooled.query(f"ALTER DATABASE {database.name} OWNER TO app")
        assert says_why_not(tidelock, "deploy", "--databases", "pooled_*", "--parallel", 2, url=pooler.url("postgres")) == ["a pooler is in between"]
        for database in databases:
            assert len(database.applied()) == STEPS + 1
    finally:
        pooler.remove()
        for database in databases:
            database.drop()


def test_a_list_of_urls_meets_where_its_own_role_is(one, listed, tidelock, folder):
    """In the first tenant's database, if the database URL is somebody else's."""
    tenants = listed(on=one)
    one.query("CREATE ROLE app LOGIN")
    list_of = folder.root / "urls.csv"
    list_of.write_text("name,url\n" + "".join(f"{database.name},{database.url(sslmode='disable')}\n" for database in tenants.databases))
    with held(tenants.databases[0], folder):
        running = [tidelock.start("deploy", "--tenants", list_of, "--headroom", 0, url=one.url(tenants.base.name, user="app")) for _ in range(3)]
        wait_until(lambda: tenants.databases[0].value(MET + " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())") == 3, "three to hear from each other")
    assert sum(counts(process.wait().succeeds())[2] for process in running) > 0
    tenants.assert_complete()


def test_where_the_roles_are_not_the_same_nobody_else_is_heard(pooled, tidelock, folder):
    """Who owns one tenant has no say about others."""
    databases = [Database(pooled, f"own_{os.urandom(4).hex()}") for _ in range(8)]
    try:
        rows = [f"t{number},postgresql://{'app' if number == 0 else 'postgres'}:{'p%40ss%3Aw%2Frd%25'}@127.0.0.1:{pooled.port}/{database.name}" for number, database in enumerate(databases)]
        pooled.query(f"ALTER DATABASE {databases[0].name} OWNER TO app")
        list_of = folder.root / "own.csv"
        list_of.write_text("name,url\n" + "\n".join(rows) + "\n")
        assert says_why_not(tidelock, "deploy", "--tenants", list_of) == []
    finally:
        for database in databases:
            database.drop()
