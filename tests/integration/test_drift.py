"""Drift: what was changed since a deployment left the schema, and by no migration."""

import json
import re

import pytest
from pooler import Pooler
from servers import Database
from test_verify import shadow  # noqa: F401

BY_HAND = "CREATE INDEX hotfix ON t (a); ALTER TABLE t ALTER a SET NOT NULL"
DRIFTED = ["~ column public.t.a", "+ index public.hotfix"]


@pytest.fixture
def deployed(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t (id int PRIMARY KEY, a int); CREATE VIEW v AS SELECT * FROM t")
    tidelock("deploy").succeeds(applied=["001_t"])


def found(result):
    return re.findall(r"(?m)^(?:tidelock: warning:   )?([-+~] \S+ .*)$", result.out + result.errors)


@pytest.mark.every_major
def test_a_change_by_hand_is_told_once_before_the_next_deployment(deployed, database, folder, tidelock):
    tidelock("drift").succeeds(says="no difference between the schema recorded at ")
    database.query(BY_HAND)
    assert found(tidelock("drift").fails(exit=1)) == DRIFTED
    folder.add("002_u", "CREATE TABLE u ()")
    result = tidelock("deploy").succeeds(applied=["002_u"])
    assert found(result) == DRIFTED and "2 differences" in result.errors
    tidelock("drift").succeeds(says="no difference")
    folder.add("003_w", "CREATE TABLE w ()")
    assert not found(tidelock("deploy").succeeds(applied=["003_w"]))


def test_what_a_deployment_does_itself_is_none(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t (id int)")
    folder.add("002_i", "-- tidelock: transaction=off\nCREATE INDEX CONCURRENTLY i ON t (id);\nSET ROLE pg_monitor")
    folder.add("003_role", "CREATE TABLE r (); SET LOCAL search_path = pg_catalog")
    tidelock("deploy").succeeds()
    tidelock("drift").succeeds(says="no difference")
    for number in range(2):
        folder.add(f"01{number}_more", f"CREATE TABLE more{number} ()")
        assert "warning" not in tidelock("deploy").succeeds().errors
    for statement in ("VACUUM FULL t", "ANALYZE", "REINDEX TABLE t", "INSERT INTO t VALUES (1)"):
        database.query(statement)
    tidelock("drift").succeeds(says="no difference")


def test_it_can_be_forbidden(deployed, database, folder, tidelock):
    database.query(BY_HAND)
    folder.add("002_u", "CREATE TABLE u ()")
    result = tidelock("deploy", "--drift", "fail").fails(exit=8, says=["Nothing was changed", "tidelock drift", *DRIFTED])
    assert not database.holds("u") and "2 differences" in result.errors
    status = tidelock("status", "--drift", "fail").succeeds(says="A deployment would be refused: the schema is not as")
    assert all(line in status.out for line in DRIFTED)
    tidelock("deploy", "--dry-run", "--drift", "fail").fails(exit=8, says=DRIFTED)
    database.query("DROP INDEX hotfix; ALTER TABLE t ALTER a DROP NOT NULL")
    tidelock("deploy", "--drift", "fail").succeeds(applied=["002_u"])


def test_off_neither_compares_nor_records(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t (id int PRIMARY KEY, a int)")
    tidelock("deploy", "--drift", "off").succeeds()
    assert not database.holds("tidelock.schema")
    tidelock("drift").fails(exit=8, says=["no deployment has recorded the schema yet", "--shadow create"])
    folder.add("002_u", "CREATE TABLE u ()")
    tidelock("deploy").succeeds()
    database.query(BY_HAND)
    assert json.loads(tidelock("status", "--drift", "off", "--json").succeeds().out)["drift"] is None
    folder.add("003_w", "CREATE TABLE w ()")
    assert not found(tidelock("deploy", "--drift", "off").succeeds(applied=["003_w"]))


def test_status_tells_of_it(deployed, database, tidelock):
    assert json.loads(tidelock("status", "--json").succeeds().out)["drift"]["differences"] == []
    database.query(BY_HAND)
    tidelock("status").succeeds(says="2 differences:\n  ~ column public.t.a\n  + index public.hotfix\nTo see how: tidelock drift")
    told = json.loads(tidelock("status", "--json").succeeds().out)["drift"]
    assert told["unknown_because"] is None and told["differences"] == [
        {"change": "changed", "kind": "column", "name": "public.t.a"},
        {"change": "added", "kind": "index", "name": "public.hotfix"},
    ]


def test_a_metric_counts_the_differences(deployed, database, folder, tidelock, tmp_path):
    def count():
        return re.findall(r"(?m)^tidelock_schema_differences\b.* (\d+)$", (tmp_path / "status").read_text())

    tidelock("deploy", "--status-file", tmp_path / "status").succeeds()
    assert count() == []
    database.query(BY_HAND)
    folder.add("002_u", "CREATE TABLE u ()")
    tidelock("deploy", "--status-file", tmp_path / "status").succeeds()
    assert count() == ["2"]


def test_many_are_listed_in_part(deployed, database, folder, tidelock):
    database.query("; ".join(f"CREATE TABLE by_hand{number} ()" for number in range(30)))
    folder.add("002_u", "CREATE TABLE u ()")
    result = tidelock("deploy", "--ignore", "owner").succeeds(says="30 differences")
    assert len(found(result)) == 10 and "and more" in result.errors


def test_what_the_application_makes_is_ignored_by_patterns_of_the_file(deployed, database, folder, tidelock):
    (folder.root / "tidelock.yaml").write_text('ignore: "index public.hot*, grant"\n')
    database.query(BY_HAND + "; GRANT SELECT ON t TO pg_monitor")
    assert found(tidelock("drift").fails(exit=1)) == ["~ column public.t.a"]
    folder.add("002_u", "CREATE TABLE u ()")
    assert found(tidelock("deploy").succeeds()) == ["~ column public.t.a"]


def test_it_is_written_for_machines_and_proposed_changes(deployed, database, tidelock):
    database.query(BY_HAND + "; COMMENT ON TABLE t IS '```'")
    differences = json.loads(tidelock("drift", "--json").fails(exit=1).out)["differences"]
    assert [(one["kind"], one["change"]) for one in differences] == [("column", "changed"), ("comment", "added"), ("index", "added")]
    text = tidelock("drift", "--output", "markdown").fails(exit=1).out
    assert "\n````diff\n~ column public.t.a\n-    integer\n+    integer not null\n" in text and text.endswith("\n````\n")
    tidelock("drift", "--output", "sarif").fails(exit=2, says="--output markdown")


LEDGER_BY_HAND = "INSERT INTO _prisma_migrations (id, checksum, migration_name, {}) VALUES ('x', 'x', '000_by_another', {})"


@pytest.mark.parametrize(
    "change, why",
    [
        (LEDGER_BY_HAND.format("finished_at", "now()"), "migrations were applied or recorded without recording the schema"),
        (LEDGER_BY_HAND.format("logs", "''"), "a migration is half done"),
        ("UPDATE tidelock.schema SET form_sha256 = 'x'", "it was recorded by another version of tidelock"),
        ("UPDATE tidelock.schema SET facts = 'tidelock snapshot 1, PostgreSQL 9\n'", "no deployment has recorded|another major version"),
        ("DROP TABLE tidelock.schema", "no deployment has recorded the schema yet"),
        ("DROP SCHEMA tidelock CASCADE", "no deployment has recorded the schema yet"),
        ("UPDATE tidelock.schema SET facts = 'rubbish'", "no deployment has recorded the schema yet"),
    ],
)
def test_nothing_is_called_drift_that_was_recorded_of_something_else(deployed, database, folder, tidelock, change, why):
    database.query(BY_HAND)
    database.query(change)
    result = tidelock("drift").fails(exit=8)
    assert re.search(why, result.errors), result.errors
    assert re.search(why, json.loads(tidelock("status", "--json").out)["drift"]["unknown_because"])
    if "half done" not in why:
        folder.add("002_u", "CREATE TABLE u ()")
        assert not found(tidelock("deploy").succeeds(applied=["002_u"]))
        tidelock("drift").succeeds(says="no difference")


def test_another_services_schema_is_none(deployed, database, folder, tidelock):
    database.query("CREATE SCHEMA other; CREATE TABLE other._prisma_migrations (); CREATE TABLE other.x (); CREATE SCHEMA nobodys; CREATE TABLE nobodys.y ()")
    result = tidelock("drift", "--ignore", "owner").fails(exit=1)
    assert found(result) == ["+ schema nobodys", "+ table nobodys.y"]


def test_the_replayed_history_is_compared(deployed, database, folder, shadow, tidelock):  # noqa: F811
    folder.add("002_pending", "CREATE TABLE pending ()")
    tidelock("drift", "--shadow", shadow.url()).succeeds(says="no difference between migrations and the database")
    tidelock("drift", "--shadow", "create").succeeds(says="no difference between migrations and the database")
    database.query(BY_HAND)
    assert found(tidelock("drift", "--shadow", shadow.url()).fails(exit=1)) == DRIFTED
    folder.remove("001_t")
    result = tidelock("drift", "--shadow", shadow.url()).fails(exit=1, says="1 applied migration is missing from the folder")
    assert "+ table public.t" in found(result)


def test_it_waits_for_the_end_of_a_deployment(deployed, database, folder, tidelock):
    with database.connect() as leader:
        leader.execute("SELECT pg_advisory_lock(72707369)")
        running = tidelock.start("drift")
        running.wait_for_line("waiting for the leader")
        leader.execute("CREATE TABLE by_the_deployment ()")
    assert found(running.wait().fails(exit=1))
    with database.connect() as leader:
        leader.execute("SELECT pg_advisory_lock(72707369)")
        tidelock("drift", "--leader-timeout", "1s").fails(exit=4, says="the leader lock is still held by")


def test_a_locked_table_keeps_no_deployment_from_its_work(deployed, database, folder, tidelock):
    folder.add("002_u", "CREATE TABLE u ()")
    with database.connect() as other:
        other.execute("BEGIN; LOCK TABLE t")
        tidelock("deploy").succeeds(applied=["002_u"], says="it is not known whether the schema was changed")
        tidelock("drift").fails(exit=8, says="without recording the schema")
    folder.add("003_w", "CREATE TABLE w ()")
    with database.connect() as other:
        other.execute("BEGIN; LOCK TABLE t")
        result = tidelock("deploy", "--drift", "fail").succeeds(applied=["003_w"])
        assert not found(result)


def test_a_role_that_may_only_read_sees_it(deployed, database, tidelock):
    role = "reader_" + database.name[-8:]
    database.query(f"CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA tidelock TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA tidelock TO {role}")
    database.query(f"GRANT SELECT ON _prisma_migrations TO {role}")
    try:
        url = database.server.url(database.name, user=role)
        assert found(tidelock("drift", "--ignore", "grant", url=url)) == []
        database.query(BY_HAND)
        assert found(tidelock("drift", "--ignore", "grant", url=url).fails(exit=1)) == DRIFTED
    finally:
        database.query(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_baseline_is_recorded(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t (id int PRIMARY KEY, a int)")
    database.query("CREATE TABLE t (id int PRIMARY KEY, a int)")
    tidelock("baseline").succeeds()
    database.query(BY_HAND)
    assert found(tidelock("drift").fails(exit=1)) == DRIFTED


# ---- nothing is held up by it ----


def test_what_was_recorded_is_compared_without_the_folder(deployed, database, tidelock, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    tidelock("drift", cwd=elsewhere).succeeds(says="no difference")
    database.query(BY_HAND)
    assert found(tidelock("drift", cwd=elsewhere).fails(exit=1)) == DRIFTED
    tidelock("drift", "--shadow", "create", cwd=elsewhere).fails(exit=2, says="migrations")


@pytest.mark.fault
def test_a_locked_record_keeps_no_deployment_from_its_work(deployed, database, folder, tidelock):
    folder.add("002_u", "CREATE TABLE u ()")
    with database.connect() as other:
        other.execute("BEGIN; LOCK TABLE tidelock.schema")
        result = tidelock("deploy").succeeds(applied=["002_u"], says="the schema could not be recorded")
        assert "lock timeout" in result.errors


@pytest.mark.fault
def test_who_may_not_record_is_told(deployed, database, folder, tidelock):
    role = "other_" + database.name[-8:]
    database.query(f"CREATE ROLE {role} LOGIN; GRANT ALL ON SCHEMA public TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}; GRANT USAGE ON SCHEMA tidelock TO {role}")
    database.query(f"GRANT ALL ON tidelock.origin TO {role}")
    folder.add("002_u", "CREATE TABLE u ()")
    try:
        tidelock("deploy", url=database.server.url(database.name, user=role)).succeeds(applied=["002_u"], says="the schema could not be recorded")
    finally:
        database.query(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


# ---- nothing is missed ----


def test_a_change_after_a_failed_deployment_is_seen(deployed, database, folder, tidelock):
    folder.add("002_u", "CREATE TABLE u ()")
    folder.add("003_divide", "SELECT 1/0")
    tidelock("deploy").fails(exit=6)
    database.query(BY_HAND)
    folder.replace("003_divide", "SELECT 1")
    assert found(tidelock("deploy").succeeds()) == DRIFTED


def test_fail_says_so_where_nothing_can_be_compared(deployed, database, folder, tidelock):
    database.query(BY_HAND + "; DELETE FROM tidelock.schema")
    folder.add("002_u", "CREATE TABLE u ()")
    tidelock("deploy", "--drift", "fail").succeeds(says="nothing to compare the schema with: no deployment has recorded the schema yet")


@pytest.mark.fault
def test_fail_is_not_passed_over_behind_a_pooler(deployed, database, folder, tidelock):
    database.query("CREATE ROLE app LOGIN SUPERUSER")
    pooler = Pooler(database.server, "transaction", auth_type="trust")
    try:
        database.query(BY_HAND)
        folder.add("002_u", "CREATE TABLE u ()")
        assert found(tidelock("drift", url=pooler.url(database.name)).fails(exit=1)) == DRIFTED
        tidelock("deploy", "--drift", "fail", url=pooler.url(database.name)).fails(exit=8, says=DRIFTED)
    finally:
        pooler.remove()
        database.query("REASSIGN OWNED BY app TO postgres; DROP ROLE app")


def test_a_baseline_that_records_no_migration_swallows_no_difference(deployed, database, tidelock):
    database.query(BY_HAND)
    tidelock("baseline", "--all").succeeds()
    assert found(tidelock("drift").fails(exit=1)) == DRIFTED


@pytest.mark.fault
def test_a_text_that_is_not_utf8_is_recorded_as_well(database, folder, tidelock):
    name = f"ascii_{database.name[-8:]}"
    database.server.query(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    ascii_only = Database(database.server, name, is_there=True)
    try:
        folder.add("001_t", r"CREATE TABLE t (a int); COMMENT ON TABLE t IS E'caf\xe9'")
        done = tidelock("deploy", url=ascii_only.url()).succeeds()
        assert "could not be recorded" not in done.errors, done.errors
        tidelock("drift", url=ascii_only.url()).succeeds(says="no difference")
    finally:
        ascii_only.drop()


# ---- what is none ----


def test_what_another_service_deploys_is_none(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t (a int)")
    tidelock("deploy", url=database.url(schema="one")).succeeds()
    tidelock("deploy", url=database.url(schema="two")).succeeds()
    folder.add(
        "002_more",
        "CREATE TYPE mood AS ENUM ('sad'); CREATE CAST (mood AS int) WITH INOUT; ALTER DEFAULT PRIVILEGES IN SCHEMA two GRANT SELECT ON TABLES TO pg_monitor;"
        " CREATE PUBLICATION of_two FOR TABLE t; CREATE EXTENSION citext",
    )
    tidelock("deploy", url=database.url(schema="two")).succeeds(applied=["002_more"])
    folder.remove("002_more")
    tidelock("drift", url=database.url(schema="one")).succeeds(says="no difference")


def test_what_is_too_large_to_be_looked_at_is_ones_own(database, folder, tidelock):
    """Beside very many tables of others, these few are found in another way."""
    url = database.url(schema="one")
    folder.add("001_t", "CREATE TABLE t (id serial PRIMARY KEY); CREATE VIEW v AS SELECT * FROM t; CREATE DOMAIN d AS int CHECK (VALUE > 0)")
    tidelock("deploy", url=url).succeeds()
    with database.one_connection():
        database.query("CREATE SCHEMA many")
        for _ in range(5):
            database.query("DO $$ BEGIN FOR i IN 1..2000 LOOP EXECUTE format('CREATE SEQUENCE many.%I', gen_random_uuid()); END LOOP; END $$")
    assert "too large" in json.loads(tidelock("status", "--json", url=url).out)["drift"]["unknown_because"]
    database.query("CREATE TABLE many._prisma_migrations ()")
    status = json.loads(tidelock("status", "--json", url=url).out)["drift"]
    assert status["unknown_because"] is None and status["differences"] == []
    database.query("ALTER DOMAIN one.d ADD CONSTRAINT odd CHECK (VALUE <> 2); CREATE SCHEMA nobodys; CREATE TABLE nobodys.y ()")
    folder.add("002_u", "CREATE TABLE u ()")
    assert found(tidelock("deploy", "--ignore", "owner", url=url).succeeds()) == ["+ constraint one.d.odd", "+ schema nobodys", "+ table nobodys.y"]
    tidelock("drift", url=url).succeeds(says="no difference")


def test_a_ledger_in_a_schema_removes_nothing_of_it(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t (); CREATE SCHEMA billing; CREATE TABLE billing.invoice ()")
    tidelock("deploy").succeeds()
    tidelock("baseline", url=database.url(schema="billing")).succeeds()
    tidelock("drift").succeeds(says="no difference")


def test_what_belongs_to_an_extension_is_left_out(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t (); CREATE EXTENSION dblink")
    tidelock("deploy").succeeds()
    assert "dblink_pkey_results" not in tidelock("snapshot").succeeds().out


def test_a_dry_run_says_nothing_of_recording(deployed, database, folder, tidelock):
    database.query(BY_HAND)
    folder.add("002_u", "CREATE TABLE u ()")
    result = tidelock("deploy", "--dry-run").succeeds(says="to see how: tidelock drift\n")
    assert found(result) == DRIFTED and "recorded it" not in result.errors


def test_what_the_warning_says_can_be_typed(deployed, database, folder, shadow, tidelock):  # noqa: F811
    database.query(BY_HAND)
    folder.add("002_u", "CREATE TABLE u ()")
    tidelock("deploy").succeeds(says="tidelock drift --shadow create")
    assert found(tidelock("drift", "--shadow", shadow.url()).fails(exit=1)) == DRIFTED


def test_what_is_recorded_as_applied_counts_as_it_is(deployed, database, folder, tidelock):
    """A hotfix that was put into a migration."""
    database.query(BY_HAND)
    folder.add("002_hotfix", BY_HAND)
    tidelock("deploy", "--drift", "fail").fails(exit=8, says="resolve --applied NAME")
    tidelock("resolve", "--applied", "002_hotfix").succeeds()
    tidelock("drift").succeeds(says="no difference")
    tidelock("drift", "--shadow", "create").succeeds(says="no difference")
    folder.add("003_u", "CREATE TABLE u ()")
    tidelock("deploy", "--drift", "fail").succeeds(applied=["003_u"])


def test_a_script_from_empty_is_a_first_migration_in_any_schema(database, folder, tidelock):
    database.query("CREATE SCHEMA tenant; CREATE TABLE tenant.t (a int)")
    script = tidelock("diff", "--script", "empty", "database", url=database.url(schema="tenant")).succeeds().out
    other = Database(database.server, database.name[:50] + "_other")
    try:
        folder.add("0_init", script)
        tidelock("deploy", url=other.url(schema="tenant")).succeeds(applied=["0_init"])
        assert other.holds("tenant.t")
    finally:
        other.drop()
