"""deploy --dry-run: everything is checked, what would be applied is listed, and nothing is changed."""

import pytest


def add_three(folder):
    folder.add("001_t", "CREATE TABLE t (id int); CREATE TABLE u ()")
    folder.add("002_index", "CREATE INDEX CONCURRENTLY t_id ON t (id)")
    folder.add("003_self", "BEGIN; CREATE TABLE v (); COMMIT; CREATE TABLE w ()")


def test_what_would_be_applied_is_listed(database, folder, tidelock):
    add_three(folder)
    result = tidelock("deploy", "--dry-run").succeeds()
    assert result.out.splitlines() == [
        f'Would apply 3 of 3 migrations to "{database.name}", schema "public":',
        "  001_t (atomic, 2 statements)",
        "  002_index (stepwise, 1 statement)",
        "  003_self (self-managed, 4 statements)",
        "",
        "Nothing was changed.",
    ]
    assert not database.holds("t") and not database.holds("_prisma_migrations")
    tidelock("deploy").succeeds(applied=["001_t", "002_index", "003_self"])
    tidelock("deploy", "--dry-run", "--exit-code").succeeds(says="No pending migrations to apply.")


def test_the_exit_code_says_whether_something_is_pending(database, folder, tidelock):
    add_three(folder)
    assert tidelock("deploy", "--dry-run", "--exit-code").code == 1
    assert tidelock("migrate", "deploy", "--dry-run").code == 1
    assert tidelock("deploy", "--dry-run").code == 0


def test_it_says_no_to_whatever_a_deployment_says_no_to(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t ()")
    folder.add("002_bad", "\\connect other")
    tidelock("deploy", "--dry-run").fails(exit=6, says=["P3018", '"002_bad" was not started'])
    folder.replace("002_bad", "SELECT 1")
    database.query("CREATE TABLE other ()")
    tidelock("deploy", "--dry-run").fails(exit=8, says=["P3005"])
    tidelock("baseline", "--to", "001_t").succeeds()
    folder.replace("001_t", "CREATE TABLE t (); -- edited")
    tidelock("deploy", "--dry-run").succeeds(says="001_t was edited after it was applied")
    tidelock("deploy", "--dry-run", "--strict").fails(exit=8, says="001_t was edited after it was applied")
    database.query("INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'x', '002_bad')")
    tidelock("deploy", "--dry-run").fails(exit=8, says=["P3009", "002_bad"])


def test_it_waits_for_nobody_and_tells_nobody(database, folder, tidelock, tmp_path):
    """Another process leads; what gates the application does not hear of it."""
    add_three(folder)
    status = tmp_path / "status.prom"
    with database.connect() as leader:
        leader.execute("SELECT pg_advisory_lock(72707369)")
        tidelock("deploy", "--dry-run", "--status-file", status, "--ready-file", tmp_path / "ready").succeeds(says="Would apply 3")
        tidelock("deploy", "--dry-run").succeeds(says=f"another process is changing this database: pid {leader.info.backend_pid} (")
    assert "another process" not in tidelock("deploy", "--dry-run").succeeds().errors
    assert not status.exists() and not (tmp_path / "ready").exists()


@pytest.mark.parametrize("mode", ["read only", "no rights"])
def test_the_right_to_look_is_enough(database, folder, tidelock, mode):
    add_three(folder)
    if mode == "read only":
        database.query(f'ALTER DATABASE "{database.name}" SET default_transaction_read_only = on')
    else:
        database.query("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    tidelock("deploy", "--dry-run").succeeds(says="Would apply 3")


ASSERTED = "-- tidelock: assert {}NOT EXISTS (SELECT FROM orders WHERE status IS NULL)\nALTER TABLE orders DROP COLUMN old"


@pytest.fixture
def orders(database, folder, tidelock):
    folder.add("000_orders", "CREATE TABLE orders (old int, status text); INSERT INTO orders VALUES (1, NULL)")
    tidelock("deploy").succeeds()


@pytest.mark.fault
def test_an_assertion_is_tried(database, folder, tidelock, orders):
    folder.add("001_contract", ASSERTED.format(""))
    tidelock("deploy", "--dry-run").fails(exit=6, says=["P3018", 'assertion failed in migration "001_contract": NOT EXISTS', "Nothing of 001_contract"], at="migration.sql:1:21")
    assert len(database.ledger()) == 1
    database.query("UPDATE orders SET status = 'new'")
    tidelock("deploy", "--dry-run").succeeds(says="Would apply 1 of 2")
    folder.replace("001_contract", "-- tidelock: assert nobody_knows_this\nSELECT 1")
    tidelock("deploy", "--dry-run").fails(exit=6, says="could not evaluate an assertion in")
    folder.replace("001_contract", "-- tidelock: assert nextval('s') > 0\nSELECT 1")
    database.query("CREATE SEQUENCE s")
    tidelock("deploy", "--dry-run").fails(exit=6, says="could not evaluate an assertion in")


def test_an_assertion_that_may_become_true_is_a_warning(database, folder, tidelock, orders):
    """Because it waits, or because something else comes first."""
    folder.add("001_contract", ASSERTED.format("wait=1h "))
    tidelock("deploy", "--dry-run").succeeds(says="the assertion of 001_contract is not true now, and a deployment would wait for it: NOT EXISTS")
    folder.replace("001_contract", "UPDATE orders SET status = 'new'")
    folder.add("002_contract", ASSERTED.format(""))
    folder.add("003_new", "-- tidelock: assert EXISTS (SELECT FROM made_before)\nSELECT 1")
    errors = tidelock("deploy", "--dry-run").succeeds(says="Would apply 3 of 4").errors
    assert "the assertion of 002_contract is not true now; what is applied before it may make it so: NOT EXISTS" in errors
    assert "the assertion of 003_new could not be tried now: EXISTS" in errors


def test_an_assertion_that_somebody_blocks_is_not_waited_for(database, folder, tidelock, orders):
    folder.add("001_contract", ASSERTED.format(""))
    with database.connect() as other:
        other.execute("BEGIN; LOCK TABLE orders")
        tidelock("deploy", "--dry-run").succeeds(says="the assertion of 001_contract could not be tried now")


@pytest.mark.fault
def test_that_there_is_no_place_for_a_journal_is_said(database, folder, tidelock, orders):
    role = f"plain_{database.name}"
    database.query(f"CREATE ROLE {role} LOGIN; GRANT SELECT ON _prisma_migrations TO {role}")
    try:
        url = database.server.url(database.name, user=role)
        folder.add("001_index", "CREATE INDEX CONCURRENTLY ON orders (old)")
        tidelock("deploy", "--dry-run", url=url).succeeds(says="if 001_index is killed, you will have to clean up what it leaves behind")
        folder.add("002_fill", "-- tidelock: backfill orders\nUPDATE orders SET old = 1")
        tidelock("deploy", "--dry-run", url=url).fails(exit=6, says=['"002_fill"', "there is no schema for the journal", f'CREATE SCHEMA "tidelock_public" AUTHORIZATION "{role}";'])
        database.query(f"CREATE SCHEMA tidelock_public AUTHORIZATION {role}")
        tidelock("deploy", "--dry-run", url=url).succeeds(says="Would apply 2")
        assert not database.query("SELECT FROM pg_class WHERE relnamespace = 'tidelock_public'::regnamespace")
    finally:
        database.query(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")
