"""A ledger is begun in one message, where nothing speaks against it at that moment; then little has to be asked."""

import pytest
from tool import wait_for_nobody

LEADER = "pg_catalog.pg_try_advisory_lock("


@pytest.fixture
def just_before_the_lock(server, database, folder, tidelock, proxy):
    """Runs something when the ledger was looked for and the leader lock is about to be taken; what the deployment says then."""

    def deploy(run, *words):
        done = []

        def look(message):
            if message.direction == "client" and LEADER in message.text and not done:
                done.append(True)
                run()

        proxy.on_message = look
        result = tidelock("deploy", "--drift", "off", *words, url=server.url(database.name, port=proxy.port))
        assert done
        return result

    return deploy


def test_five_tables_in_an_empty_database_take_seven_round_trips(server, database, folder, tidelock, proxy):
    """The look, the lock, the budget, the ledger, the journal, all five, who applied them."""
    for number in range(1, 6):
        folder.add(f"{number:03}_t", f'CREATE TABLE "t{number}" ("id" SERIAL NOT NULL, "name" TEXT, PRIMARY KEY ("id"))')
    tidelock("deploy", "--connections", "1", "--drift", "off", url=server.url(database.name, port=proxy.port)).succeeds()
    assert len(database.applied()) == 5 and database.value("SELECT count(*) FROM tidelock.origin") == 5
    assert proxy.round_trips() == 7


def test_one_that_another_process_has_created_meanwhile_is_read(database, folder, tidelock, just_before_the_lock):
    folder.add("001_a", "CREATE TABLE a ()")
    just_before_the_lock(lambda: tidelock("deploy").succeeds(applied=["001_a"])).succeeds(says="No pending")
    assert database.applied() == ["001_a"]


@pytest.mark.parametrize("what", ["CREATE TABLE late ()", "CREATE TABLE late PARTITION OF early DEFAULT"])
def test_tables_that_were_created_meanwhile_are_seen(database, folder, just_before_the_lock, what):
    folder.add("001_a", "CREATE TABLE a ()")
    if "early" in what:
        database.query("CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.early (id int) PARTITION BY LIST (id)")
        what = what.replace("early", "elsewhere.early")
    just_before_the_lock(lambda: database.query(what)).fails(exit=8, says=["P3005", "public.late"])
    assert not database.holds("_prisma_migrations") and not database.holds("a")


def test_one_in_another_schema_of_the_search_path_is_found(server, database, folder, tidelock, just_before_the_lock):
    database.query(f'CREATE SCHEMA elsewhere; ALTER DATABASE {database.name} SET search_path = public, elsewhere')
    folder.add("001_a", "SELECT 1")

    def create():
        tidelock("deploy", url=database.url(schema="elsewhere")).succeeds(applied=["001_a"])

    just_before_the_lock(create).succeeds(says="No pending")
    assert not database.holds("public._prisma_migrations")


@pytest.mark.parametrize(
    "already",
    [
        "CREATE TYPE mood AS ENUM ('ok')",
        "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE VIEW one AS SELECT 1 AS a",
        "CREATE SEQUENCE one",
        "CREATE SCHEMA tidelock",
        "CREATE SCHEMA tidelock_public",
    ],
)
def test_what_is_no_table_keeps_nobody_from_it(database, folder, tidelock, already):
    database.query(already)
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy").succeeds(applied=["001_a"])
    place = "tidelock_public" if already.endswith("_public") else "tidelock"
    assert database.value(f"SELECT count(*) FROM {place}.origin") == 1


def test_a_schema_that_is_not_there_is_created_with_it(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy", url=database.url(schema='with"quote')).succeeds(applied=["001_a"])
    assert database.holds('"with""quote"._prisma_migrations') and database.holds('"with""quote".a')


def test_a_schema_that_a_stranger_has_made_for_the_journal_meanwhile_is_not_used(database, folder, tidelock, just_before_the_lock):
    """The schema was there when the ledger was begun: the look that follows sees whose it is."""
    stranger = f"stranger_{database.name[-8:]}"
    folder.add("001_a", "CREATE TABLE a ()")
    database.query(f"CREATE ROLE {stranger}")
    try:
        just_before_the_lock(lambda: database.query(f"CREATE SCHEMA tidelock AUTHORIZATION {stranger}")).succeeds(applied=["001_a"])
        assert not database.holds("tidelock.origin") and database.value("SELECT count(*) FROM tidelock_public.origin") == 1
    finally:
        database.query(f"DROP OWNED BY {stranger}; DROP ROLE {stranger}")


def test_a_role_that_may_not_create_a_ledger_is_told_what_helps(server, database, folder, tidelock):
    role = f"plain_{database.name[-8:]}"
    folder.add("001_a", "CREATE TABLE a ()")
    database.query(f"CREATE ROLE {role} LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    try:
        tidelock("deploy", url=server.url(database.name, user=role)).fails(exit=8, says=["creating the ledger", "permission denied for schema public"])
    finally:
        database.query(f"DROP OWNED BY {role}; DROP ROLE {role}")


TABLES = "SELECT array_agg(relname::text ORDER BY relname) FROM pg_class WHERE relnamespace = 'tidelock'::regnamespace AND relkind = 'r'"
ALL = ["backfill", "intent", "origin", "session"]


def test_the_journal_has_the_tables_that_are_needed_before_the_first_is_applied(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a (id int)")
    tidelock("deploy", "--drift", "off").succeeds()
    assert database.value(TABLES) == ["origin"]
    folder.add("002_seen", f"CREATE TABLE seen AS {TABLES}")
    folder.add("003_index", "CREATE INDEX CONCURRENTLY i ON a (id)")
    tidelock("deploy", "--drift", "off").succeeds()
    assert database.value("SELECT array_agg FROM seen") == ALL and database.value(TABLES) == ALL


def test_what_is_unfinished_is_told_and_resolved_with_the_origins_alone(database, folder, tidelock):
    """As Prisma leaves it: there is no table of intents, and none of backfills."""
    folder.add("001_a", "CREATE TABLE a ()")
    folder.add("002_b", "CREATE TABLE b ()")
    tidelock("deploy", "--drift", "off", "--to", "001_a").succeeds()
    database.query("INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'x', '002_b')")
    tidelock("status").succeeds(says="002_b")
    tidelock("resolve", "--rolled-back", "002_b").succeeds()
    assert database.value(TABLES) == ["origin"]
    tidelock("deploy", "--drift", "off").succeeds(applied=["002_b"])


def test_who_may_only_read_finds_origins_though_other_tables_are_missing(server, database, folder, tidelock):
    role = f"reader_{database.name[-8:]}"
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy", "--drift", "off", environment={"POD_NAME": "web-1"}).succeeds()
    database.query(f"CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA tidelock TO {role}; GRANT SELECT ON tidelock.origin, _prisma_migrations TO {role}")
    try:
        assert "web-1" in tidelock("status", "--all", url=server.url(database.name, user=role)).succeeds().out
    finally:
        database.query(f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.every_major
def test_how_much_other_schemas_hold_takes_no_time(database, folder, tidelock):
    """A database of many tenants has many tables: the catalog of all is not searched for those of one."""
    tables = 400
    database.query("CREATE SCHEMA full_one; CREATE SCHEMA tenant;" + "".join(f"CREATE TABLE full_one.t{number} ();" for number in range(tables)))

    def searched():
        wait_for_nobody(database)
        return database.value("SELECT seq_tup_read FROM pg_stat_sys_tables WHERE relname = 'pg_class'")

    folder.add("001_a", "CREATE TABLE a ()")
    before = searched()
    tidelock("deploy", "--drift", "off", url=database.url(schema="tenant")).succeeds(applied=["001_a"])
    assert searched() - before < tables
