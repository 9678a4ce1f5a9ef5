"""Drift where the tenants are schemas of one database: that of a tenant is what changed in its own schema."""

import re

import pytest
from test_drift import found
from test_snapshot import BEFORE, changes_of, facts
from wait import wait_until

TABLES = """CREATE TYPE mood AS ENUM ('calm', 'rough');
CREATE TABLE ship (id serial PRIMARY KEY, mood mood, name text CHECK (name <> ''));
CREATE TABLE berth (ship int REFERENCES ship, at timestamptz);
CREATE INDEX berth_at ON berth (at);
CREATE VIEW moored AS SELECT * FROM berth;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touched BEFORE UPDATE ON ship FOR EACH ROW EXECUTE FUNCTION touch();
COMMENT ON COLUMN ship.name IS 'as it is painted'"""
# What belongs to the database, and not to a schema of it.
OF_THE_DATABASE = re.compile(
    "(comment |owner |grant |revoked )?(access.method|cast|database|event.trigger|extension|foreign.data.wrapper|language|publication|published|server|setting|"
    "subscription|subscription-option|transform|user-mapping)\\b"
)


@pytest.fixture
def ports(database, folder, tidelock):
    """Three schemas, deployed to."""
    folder.add("001_tables", TABLES)
    make(database, "port_bergen", "port_oslo", "port_stavanger")
    tidelock("deploy", "--schemas", "port*").succeeds(says="3 tenants: 3 done")
    return database


def make(database, *schemas):
    with database.one_connection():
        for schema in schemas:
            database.query(f"CREATE SCHEMA {schema}")


def is_of(name, schema):
    return name.startswith("tidelock snapshot ") or not OF_THE_DATABASE.match(name) and re.search(rf"[ (,]{schema}(\.|$| )", re.sub(" (to|from) public$", "", name))


@pytest.mark.every_major
def test_what_is_read_of_one_schema_is_what_is_read_of_it_with_all_others(database, major, folder, tidelock):
    """Whatever there is in it: found in another way, it must be the same."""
    folder.add("001_first", "SELECT 1")
    tidelock("deploy", "--schemas", "public").succeeds()
    with database.one_connection():
        database.query(BEFORE)
        for change in changes_of(major):
            database.query(change)
        database.query("COMMENT ON CONSTRAINT t_pkey ON t IS 'c'; COMMENT ON INDEX t_note IS 'i'; COMMENT ON POLICY mine ON t IS 'p'; COMMENT ON RULE quiet ON parents IS 'r'")
        database.query("COMMENT ON COLUMN pair.a IS 'a'; COMMENT ON CONSTRAINT small ON DOMAIN positive IS 'd'; COMMENT ON TRIGGER logged ON log IS 't'; COMMENT ON TYPE mood IS 'm'")
        database.query("CREATE TABLE app.logged PARTITION OF log FOR VALUES FROM ('2030-01-01') TO ('2031-01-01'); COMMENT ON TRIGGER logged ON app.logged IS 'elsewhere'")
        for kind, name, rest in (("TABLE", "came", "(id serial PRIMARY KEY, note text)"), ("TYPE", "pairs_of", "AS (a int)"), ("DOMAIN", "few", "AS int CHECK (VALUE < 3)")):
            database.query(f"CREATE {kind} app.{name} {rest}; ALTER {kind} app.{name} SET SCHEMA public")
            database.query(f"CREATE {kind} public.{name}_left {rest}; ALTER {kind} public.{name}_left SET SCHEMA app")
        database.query("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO pg_monitor; CREATE INDEX \"odd \"\"name\" ON t (id, note)")
    folder.add("002_second", "SELECT 1")
    tidelock("deploy", "--schemas", "public").succeeds()
    (alone,) = (facts(text) for (text,) in database.query("SELECT facts FROM tidelock.schema"))
    of_all = facts(tidelock("snapshot").succeeds().out)
    assert alone == {name: definition for name, definition in of_all.items() if is_of(name, "public")}
    assert len(alone) > 150 and "comment trigger logged on public.log" in alone and "comment trigger logged on app.logged" not in alone


@pytest.mark.every_major
def test_what_is_deployed_to_another_is_none(ports, folder, tidelock):
    folder.add("002_more", "CREATE TABLE more (id int); ALTER TABLE ship ADD COLUMN length int; COMMENT ON TYPE mood IS 'of the sea'")
    assert not found(tidelock("deploy", "--schemas", "port_oslo").succeeds(says="1 tenant: 1 done"))
    tidelock("drift", "--schemas", "port*").succeeds(says="3 tenants: 3 without a difference")
    assert not found(tidelock("deploy", "--schemas", "port*", "--drift", "fail").succeeds(says="3 tenants: 3 done, of which 1 had nothing to do"))
    tidelock("drift", "--schemas", "port*").succeeds(says="3 tenants: 3 without a difference")


def test_what_changed_in_its_own_schema_is_told_of_that_tenant_alone(ports, folder, tidelock):
    ports.query("CREATE INDEX hotfix ON port_oslo.berth (ship); CREATE SCHEMA nobodys; CREATE TABLE nobodys.t (); CREATE EXTENSION citext")
    seen = tidelock("drift", "--schemas", "port*").fails(exit=1, says="port_oslo: 1 difference")
    assert "3 tenants: 2 without a difference, 1 with differences" in seen.out
    assert re.findall(r"(?m)^tidelock: warning: (\S+):   ([-+~] .*)$", seen.errors) == [("port_oslo", "+ index port_oslo.hotfix")]
    ports.query("; ".join(f"CREATE INDEX odd_{i} ON port_bergen.berth (ship)" for i in range(12)))
    assert "port_bergen:   and 2 more: --json has all of them\n" in tidelock("drift", "--schemas", "port_bergen").fails(exit=1, says="port_bergen: 12 differences").errors
    assert "  + index" not in tidelock("drift", "--schemas", "port_bergen", "--json").fails(exit=1).errors
    ports.query("; ".join(f"DROP INDEX port_bergen.odd_{i}" for i in range(12)))
    tidelock("status", "--schemas", "port_oslo").succeeds(says="port_oslo: drift")
    folder.add("002_more", "CREATE TABLE more (id int)")
    refused = tidelock("deploy", "--schemas", "port*", "--drift", "fail", "--on-failure", "continue").fails(exit=8)
    assert "+ index port_oslo.hotfix" in refused.errors and "1 difference" in refused.errors and "3 tenants: 2 done" in refused.out
    told = tidelock("deploy", "--schemas", "port*").succeeds()
    assert re.findall(r"(?m)^tidelock: warning: (\S+):   ([-+~] .*)$", told.errors) == [("port_oslo", "+ index port_oslo.hotfix")]
    assert "tidelock drift --shadow create, with the tenant's own --database-url" in told.errors
    tidelock("drift", "--schemas", "port*").succeeds(says="3 tenants: 3 without a difference")


def test_what_refers_to_another_schema_is_told_by_its_name(ports, folder, tidelock):
    ports.query("ALTER TABLE port_oslo.berth ADD FOREIGN KEY (ship) REFERENCES port_bergen.ship")
    folder.add("002_more", "ALTER TABLE ship ADD COLUMN length int")
    tidelock("deploy", "--schemas", "port*").succeeds()
    (facts_of_oslo,) = (facts(text) for (text,) in ports.query("SELECT facts FROM tidelock.schema WHERE ledger_schema = 'port_oslo'"))
    assert "REFERENCES port_bergen.ship(id)" in facts_of_oslo["constraint port_oslo.berth.berth_ship_fkey1"]
    ports.query("ALTER TABLE port_bergen.ship DROP COLUMN name")
    tidelock("drift", "--schemas", "port_oslo").succeeds()


def test_each_tenant_has_a_record_of_its_own(ports, tidelock):
    for schema, text in ports.query("SELECT ledger_schema, facts FROM tidelock.schema"):
        assert f"table {schema}.ship" in facts(text) and all(is_of(name, schema) for name in facts(text)), schema
    assert ports.value("SELECT count(*) FROM tidelock.schema") == 3


def test_the_record_of_one_is_no_measure_for_another(ports, tidelock):
    ports.query("UPDATE tidelock.schema AS a SET form_sha256 = b.form_sha256, facts = b.facts FROM tidelock.schema AS b WHERE a.ledger_schema = 'port_oslo' AND b.ledger_schema = 'port_bergen'")
    tidelock("drift", "--schemas", "port_oslo").fails(exit=8, says="it was recorded by another version of tidelock")


WHOLE = "it was recorded of the whole database, not of a tenant's schema"
ALONE = "it was recorded of a tenant's schema, not of the whole database"


def test_a_record_of_the_whole_database_says_nothing_of_a_schema(ports, folder, tidelock):
    folder.add("002_more", "CREATE TABLE more (id int)")
    url = ports.url(schema="port_oslo")
    tidelock("drift", url=url).fails(exit=8, says=ALONE)
    assert not found(tidelock("deploy", url=url).succeeds(applied=["002_more"]))
    tidelock("drift", url=url).succeeds(says="no difference")
    ports.query("CREATE TABLE port_oslo.stray ()")
    tidelock("drift", "--schemas", "port_oslo").fails(exit=8, says=WHOLE)
    folder.add("003_more", "CREATE TABLE another (id int)")
    assert not found(tidelock("deploy", "--schemas", "port_oslo").succeeds())
    tidelock("drift", "--schemas", "port_oslo").succeeds()


def test_a_locked_table_of_another_tenant_keeps_nobody(ports, folder, tidelock):
    """To say how a view is defined, the server locks the tables in it."""
    folder.add("002_more", "CREATE TABLE more (id int)")
    with ports.connect() as blocker, blocker.transaction():
        blocker.execute("LOCK TABLE port_bergen.berth IN ACCESS EXCLUSIVE MODE")
        tidelock("drift", "--schemas", "port_oslo").succeeds()
        assert "warning" not in tidelock("deploy", "--schemas", "port_oslo").succeeds().errors
        assert found(tidelock("drift", "--schemas", "port_bergen").fails(exit=9)) == []


def test_no_large_catalog_is_read_from_end_to_end_for_one_schema_of_many(database, major, folder, tidelock):
    if major < 15:
        pytest.skip("the server tells only some time later what was read")
    folder.add("001_tables", TABLES)
    names = [f"port{number:02}" for number in range(40)]
    make(database, *names)
    tidelock("deploy", "--schemas", "port*", "--parallel", "8").succeeds(says="40 tenants: 40 done")
    database.query("VACUUM ANALYZE")
    scans = """SELECT relname, seq_scan FROM pg_stat_sys_tables WHERE schemaname = 'pg_catalog' AND relname = ANY ('{pg_attribute,pg_depend,pg_type}')"""

    def scanned(*command):
        """How often each was, meanwhile."""
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        wait_until(lambda: database.value(others) == 0, "nobody else to be there")
        before = dict(database.query(scans))
        tidelock(*command).succeeds()
        wait_until(lambda: database.value(others) == 0, "nobody else to be there")
        return {name: count - before[name] for name, count in database.query(scans) if count != before[name]}

    assert scanned("drift", "--schemas", "port07") == {}
    assert scanned("snapshot")["pg_attribute"] > 0
    folder.add("002_more", "ALTER TABLE ship ADD COLUMN length int")
    assert scanned("deploy", "--schemas", "port07") == {}
