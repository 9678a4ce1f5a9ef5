"""Whose tables are used: a ledger or a journal that somebody else has made is not touched, and row security cannot hide the ledger."""

import os
import re
from urllib.parse import quote

import pytest

LEDGER = (
    "id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz, migration_name varchar(255) NOT NULL, logs text,"
    " rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count int NOT NULL DEFAULT 0"
)
EVIL = "CREATE SEQUENCE sprung; GRANT ALL ON sprung TO PUBLIC; CREATE FUNCTION evil() RETURNS int LANGUAGE sql AS 'SELECT nextval(''sprung'')::int';"
PLANTED = {
    "table": f"CREATE TABLE _prisma_migrations ({LEDGER})",
    "default": f"{EVIL} CREATE TABLE _prisma_migrations ({LEDGER}, x int DEFAULT evil())",
    "view": f"{EVIL} CREATE VIEW _prisma_migrations AS SELECT evil()::text AS id, ''::text AS checksum, now() AS finished_at, '001_a'::text AS migration_name,"
    " ''::text AS logs, NULL::timestamptz AS rolled_back_at, now() AS started_at, 1 AS applied_steps_count",
    "materialized view": "CREATE MATERIALIZED VIEW _prisma_migrations AS SELECT ''::text AS id, '001_a'::text AS migration_name, now() AS finished_at,"
    " NULL::timestamptz AS rolled_back_at, now() AS started_at, 1 AS applied_steps_count, ''::text AS logs, ''::text AS checksum",
    "rule": f"{EVIL} CREATE TABLE _prisma_migrations ({LEDGER}); CREATE RULE r AS ON INSERT TO _prisma_migrations DO ALSO SELECT evil()",
    "policy": f"{EVIL} CREATE TABLE _prisma_migrations ({LEDGER}); CREATE POLICY p ON _prisma_migrations USING (evil() > 0);"
    " ALTER TABLE _prisma_migrations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
    "trigger": f"CREATE TABLE _prisma_migrations ({LEDGER}); CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
    " CREATE TRIGGER t BEFORE INSERT ON _prisma_migrations FOR EACH ROW EXECUTE FUNCTION t()",
    "child": f"CREATE TABLE _prisma_migrations ({LEDGER}); CREATE TABLE child () INHERITS (_prisma_migrations)",
    "partitioned": f"CREATE TABLE _prisma_migrations ({LEDGER.replace(' PRIMARY KEY', '')}) PARTITION BY LIST (id)",
    "foreign": f"CREATE FOREIGN TABLE _prisma_migrations ({LEDGER.replace(' PRIMARY KEY', '')}) SERVER nowhere",
    "generated": f"CREATE TABLE _prisma_migrations ({LEDGER}, x int GENERATED ALWAYS AS (applied_steps_count + 1) STORED)",
}
COMMANDS = (("deploy",), ("status",), ("wait", "--leader-timeout", "2s"), ("resolve", "--applied", "001_a"), ("baseline",), ("run", "--", "true"))


class Town:
    """Roles that know nothing of each other, in one database."""

    def __init__(self, database):
        self.database = database
        self.mark = os.urandom(4).hex()
        self.roles = []

    def role(self, name, options="LOGIN"):
        self.roles.append(f"{name}_{self.mark}")
        self.database.query(f"CREATE ROLE {self._quoted(self.roles[-1])} {options}")
        return self.roles[-1]

    @staticmethod
    def _quoted(name):
        return '"' + name.replace('"', '""') + '"'

    def url(self, role, **parameters):
        return self.database.server.url(self.database.name, user=role, **parameters)

    def remove(self):
        self.database.drop()
        for role in reversed(self.roles):
            self.database.server.query(f"DROP ROLE {self._quoted(role)}")


@pytest.fixture
def town(database):
    town = Town(database)
    yield town
    town.remove()


@pytest.mark.fault
@pytest.mark.parametrize("kind", PLANTED)
@pytest.mark.parametrize("victim", ["superuser", "plain"])
def test_a_ledger_that_a_stranger_made_is_not_touched(database, folder, tidelock, town, kind, victim):
    stranger, migrator = town.role("stranger"), town.role("migrator")
    database.query(f"GRANT ALL ON SCHEMA public TO {stranger}, {migrator}; CREATE EXTENSION postgres_fdw; CREATE SERVER nowhere FOREIGN DATA WRAPPER postgres_fdw")
    database.query(f"GRANT USAGE ON FOREIGN SERVER nowhere TO {stranger}; SET SESSION AUTHORIZATION {stranger}; {PLANTED[kind]}; GRANT ALL ON _prisma_migrations TO PUBLIC")
    folder.add("001_a", "CREATE TABLE a ()")
    for schema in ({}, {"schema": "public"}):
        url = database.url(**schema) if victim == "superuser" else town.url(migrator, **schema)
        for words in COMMANDS:
            tidelock(*words, url=url).fails(exit=8, says=['the ledger "public"."_prisma_migrations" belongs to role', stranger, "ALTER TABLE"])
    assert not database.holds("a")
    assert not database.holds("sprung") or not database.value("SELECT is_called FROM sprung")


@pytest.mark.every_major
@pytest.mark.fault
def test_whose_ledger_is_used(database, folder, tidelock, town):
    """Ours, that of the role that --set-role names, of a role that we are a member of, of the database's owner, of a superuser; not another's."""
    migrator, team, other = town.role("migrator"), town.role("team", "NOLOGIN"), town.role("other")
    database.query(f"GRANT {team} TO {migrator}; GRANT ALL ON SCHEMA public TO PUBLIC; CREATE TABLE _prisma_migrations ({LEDGER}); GRANT ALL ON _prisma_migrations TO PUBLIC")
    folder.add("001_a", "CREATE TABLE IF NOT EXISTS a ()")
    for owner in ("postgres", migrator, team):
        database.query(f"DELETE FROM _prisma_migrations; ALTER TABLE _prisma_migrations OWNER TO {owner}")
        tidelock("deploy", url=town.url(migrator)).succeeds(applied=["001_a"])
        tidelock("status", "--exit-code", url=town.url(migrator)).succeeds()
    tidelock("deploy", "--set-role", team, url=town.url(migrator)).succeeds()
    database.query(f"ALTER TABLE _prisma_migrations OWNER TO {other}")
    tidelock("deploy", url=town.url(migrator)).fails(exit=8, says=[f'belongs to role "{other}"'])
    tidelock("deploy").fails(exit=8, says=[f'belongs to role "{other}"'])
    database.query(f'ALTER DATABASE "{database.name}" OWNER TO {other}')
    tidelock("deploy", url=town.url(migrator)).succeeds()
    tidelock("deploy").succeeds()


@pytest.mark.fault
def test_a_trigger_of_a_strangers_in_a_ledger_of_ours_is_refused(database, folder, tidelock, town):
    """Who was granted ALL on it can add one. One of our own is our affair."""
    stranger = town.role("stranger")
    database.query(f"GRANT ALL ON SCHEMA public TO {stranger}")
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy").succeeds()
    trigger = "CREATE FUNCTION {0}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER {0} BEFORE INSERT ON _prisma_migrations FOR EACH ROW EXECUTE FUNCTION {0}()"
    database.query(trigger.format("ours"))
    folder.add("002_b", "CREATE TABLE b ()")
    tidelock("deploy").succeeds(applied=["002_b"])
    database.query(f"GRANT ALL ON _prisma_migrations TO {stranger}; SET SESSION AUTHORIZATION {stranger}; {trigger.format('theirs')}")
    tidelock("deploy").succeeds(applied=[])
    folder.add("003_c", "CREATE TABLE c ()")
    tidelock("deploy").fails(exit=8, says=['trigger "theirs"', stranger, "DROP TRIGGER"])
    assert not database.holds("c")


@pytest.mark.every_major
@pytest.mark.fault
def test_who_only_reads_may_read_what_belongs_to_the_owner_of_the_schema(database, folder, tidelock, town):
    """In its own schema, which the URL names, an owner could say anything anyway; reading a plain table runs nothing of it."""
    owner, reader = town.role("owner"), town.role("reader")
    database.query(f"CREATE SCHEMA shop AUTHORIZATION {owner}")
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy", url=town.url(owner, schema="shop")).succeeds()
    database.query(f"GRANT USAGE ON SCHEMA shop TO {reader}; GRANT SELECT ON shop._prisma_migrations TO {reader}")
    tidelock("status", "--exit-code", url=town.url(reader, schema="shop")).succeeds()
    tidelock("wait", url=town.url(reader, schema="shop")).succeeds()
    tidelock("deploy", url=town.url(reader, schema="shop")).fails(exit=8, says=f'belongs to role "{owner}"')
    tidelock("wait", url=town.url(reader, options="-csearch_path=shop")).fails(exit=8, says=f'belongs to role "{owner}"')
    database.query("ALTER TABLE shop._prisma_migrations RENAME TO real; CREATE VIEW shop._prisma_migrations AS SELECT * FROM shop.real")
    database.query(f"ALTER VIEW shop._prisma_migrations OWNER TO {owner}; GRANT SELECT ON shop._prisma_migrations TO {reader}")
    tidelock("wait", url=town.url(reader, schema="shop")).fails(exit=8, says=f'belongs to role "{owner}"')


@pytest.mark.every_major
@pytest.mark.fault
@pytest.mark.parametrize("policy", [None, "FOR SELECT USING (migration_name > '002')", "FOR UPDATE USING (true)", "AS RESTRICTIVE USING (false)", "USING (current_user = 'x')"])
def test_row_security_hides_nothing(database, folder, tidelock, town, policy):
    """An owner who is forced, and a reader: each command says so, names the policy, and changes nothing."""
    owner, reader = town.role("owner"), town.role("reader")
    # From 16 on, a grant remembers whether the role inherited when it was made.
    database.query(f"ALTER ROLE {reader} NOINHERIT; GRANT ALL ON SCHEMA public TO {owner}, {reader}; GRANT {owner} TO {reader}")
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy", url=town.url(owner)).succeeds()
    folder.add("002_b", "CREATE TABLE b ()")
    database.query(f"GRANT SELECT ON _prisma_migrations TO {reader}; ALTER TABLE _prisma_migrations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    if policy:
        database.query(f'CREATE POLICY "some rows" ON _prisma_migrations {policy}')
    named = 'Its policies: "some rows"' if policy else "It has no policy"
    for words in COMMANDS:
        tidelock(*words, url=town.url(owner)).fails(exit=8, says=["row security", named, "NO FORCE ROW LEVEL SECURITY"])
        tidelock(*words, url=town.url(reader)).fails(exit=8, says=["row security", named, f'ALTER ROLE "{reader}" BYPASSRLS'])
    assert not database.holds("b") and len(database.ledger()) == 1
    database.query("ALTER TABLE _prisma_migrations NO FORCE ROW LEVEL SECURITY")
    tidelock("deploy", url=town.url(owner)).succeeds(applied=["002_b"])


@pytest.mark.fault
def test_a_policy_that_shows_everything_hides_nothing(database, folder, tidelock, town):
    """For reading that is enough; who writes needs it for all commands."""
    owner = town.role("owner")
    database.query(f"GRANT ALL ON SCHEMA public TO {owner}")
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy", url=town.url(owner)).succeeds()
    database.query("ALTER TABLE _prisma_migrations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY seen ON _prisma_migrations FOR SELECT USING (true)")
    for words in (("status", "--exit-code"), ("wait",), ("deploy",)):
        tidelock(*words, url=town.url(owner)).succeeds()
    folder.add("002_b", "CREATE TABLE b ()")
    tidelock("deploy", url=town.url(owner)).fails(exit=8, says="row security")
    database.query("CREATE POLICY written ON _prisma_migrations USING (true)")
    tidelock("deploy", url=town.url(owner)).succeeds(applied=["002_b"])


@pytest.mark.fault
def test_scripts_have_the_row_security_that_they_would_have_without_us(database, folder, tidelock, town):
    for name, script in {"001_a": "CREATE TABLE a AS SELECT {} AS v", "002_s": "CREATE TABLE b AS SELECT {} AS v;\nCREATE INDEX CONCURRENTLY ON b (v);\nCREATE TABLE c AS SELECT {} AS v"}.items():
        folder.add(name, script.replace("{}", "current_setting('row_security') || current_setting('search_path')"))
    tidelock("deploy").succeeds()
    assert {database.value(f"SELECT v FROM {table}") for table in "abc"} == {'on"$user", public'}


STEPWISE = "CREATE TABLE {0} (id int);\nCREATE INDEX CONCURRENTLY {0}_i ON {0} (id);"
BACKFILL = "-- tidelock: backfill t key=id rows=10..10 rest=0%\nUPDATE t SET n = 1 WHERE n IS NULL"


@pytest.mark.every_major
@pytest.mark.fault
def test_two_services_with_a_role_and_a_schema_each(database, folder, tidelock, town):
    """Each has a journal that the other can't touch; after a failure each resumes where it was."""
    first, second = town.role("first"), town.role("second")
    database.query(f'GRANT CREATE ON DATABASE "{database.name}" TO {first}, {second}; CREATE SCHEMA a AUTHORIZATION {first}; CREATE SCHEMA b AUTHORIZATION {second}')
    folder.add("001_t", "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT i FROM generate_series(1, 25) AS i")
    folder.add("002_steps", STEPWISE.format("u"))
    folder.add("003_fill", BACKFILL)
    for role, schema in ((first, "a"), (second, "b")):
        tidelock("deploy", url=town.url(role, schema=schema)).succeeds(applied=["001_t", "002_steps", "003_fill"])
    schemas = "SELECT nspname, pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname LIKE 'tidelock%'"
    assert dict(database.query(schemas)) == {"tidelock": first, "tidelock_b": second}
    folder.add("004_stops", "CREATE TABLE v (id int);\nINSERT INTO v VALUES (1), (1);\nCREATE UNIQUE INDEX CONCURRENTLY v_i ON v (id);")
    for role, schema, journal in ((first, "a", "tidelock"), (second, "b", "tidelock_b")):
        tidelock("deploy", url=town.url(role, schema=schema)).fails(exit=7, says="duplicated")
        assert database.value(f"SELECT count(*) FROM {journal}.intent") > 0
        database.query(f"DELETE FROM {schema}.v")
        tidelock("deploy", url=town.url(role, schema=schema)).succeeds(applied=["004_stops"])
        assert database.value(f"SELECT count(*) FROM {journal}.intent") == 0
    # Its own, once there, is used for good.
    database.query(f"DROP SCHEMA tidelock CASCADE; CREATE SCHEMA tidelock AUTHORIZATION {second}")
    folder.add("005_steps", STEPWISE.format("w"))
    tidelock("deploy", url=town.url(second, schema="b")).succeeds()
    assert not database.holds("tidelock.intent")


@pytest.mark.fault
@pytest.mark.parametrize("planted", ["schema", "table", "trigger", "view"])
def test_a_journal_that_a_stranger_made_is_not_used(database, folder, tidelock, town, planted):
    stranger = town.role("stranger")
    table = "ledger_id text, statement int, txid bigint, prefix_sha256 text, sql text, recorded_at timestamptz, PRIMARY KEY (ledger_id, statement)"
    if planted == "schema":
        database.query(f"CREATE SCHEMA tidelock AUTHORIZATION {stranger}; GRANT ALL ON SCHEMA tidelock TO PUBLIC")
    else:
        database.query(f"CREATE SCHEMA tidelock; GRANT ALL ON SCHEMA tidelock TO {stranger}")
    theirs = {
        "schema": f"CREATE TABLE tidelock.intent ({table})",
        "table": f"CREATE TABLE tidelock.intent ({table}); GRANT ALL ON tidelock.intent TO PUBLIC",
        "view": "CREATE VIEW tidelock.intent AS SELECT 1 AS ledger_id; GRANT ALL ON tidelock.intent TO PUBLIC",
        "trigger": "CREATE FUNCTION tidelock.t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE TRIGGER t BEFORE INSERT ON tidelock.intent FOR EACH ROW EXECUTE FUNCTION tidelock.t()",
    }[planted]
    if planted == "trigger":
        database.query(f"CREATE TABLE tidelock.intent ({table}); GRANT ALL ON tidelock.intent TO {stranger}")
    database.query(f"SET SESSION AUTHORIZATION {stranger}; {theirs}")
    folder.add("001_steps", STEPWISE.format("u"))
    tidelock("deploy").succeeds(applied=["001_steps"])
    assert database.holds("tidelock_public.intent") and not database.holds("tidelock.backfill")


@pytest.mark.fault
def test_a_journal_that_cannot_be_had_costs_one_warning(database, folder, tidelock, town):
    """A backfill, which would lose its progress, is refused."""
    first, second = town.role("first"), town.role("second")
    database.query(f"CREATE SCHEMA tidelock AUTHORIZATION {first}; CREATE SCHEMA b AUTHORIZATION {second}")
    folder.add("001_steps", STEPWISE.format("u") + "\n" + STEPWISE.format("v"))
    result = tidelock("deploy", url=town.url(second, schema="b")).succeeds(applied=["001_steps"])
    assert result.errors.count("there is no schema for the journal") == 1
    folder.add("002_t", "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT i FROM generate_series(1, 25) AS i")
    folder.add("003_fill", BACKFILL)
    tidelock("deploy", url=town.url(second, schema="b")).fails(exit=6, says=["there is no schema for the journal", f'schema "tidelock" belongs to role "{first}"', f'CREATE SCHEMA "tidelock_b" AUTHORIZATION "{second}";'])
    database.query(f"CREATE SCHEMA tidelock_b AUTHORIZATION {second}")
    tidelock("deploy", url=town.url(second, schema="b")).succeeds(applied=["003_fill"])


JOURNAL_WAS = {
    "no schema": "",
    "a stranger has the shared one": "CREATE SCHEMA tidelock AUTHORIZATION {stranger}",
    "an administrator made both": "CREATE SCHEMA tidelock AUTHORIZATION {stranger}; CREATE SCHEMA tidelock_b",
    "an administrator deployed": "CREATE SCHEMA tidelock AUTHORIZATION {stranger}; CREATE SCHEMA tidelock_b; CREATE TABLE tidelock_b.intent (ledger_id text, statement int,"
    " txid bigint, prefix_sha256 text, sql text, recorded_at timestamptz DEFAULT now(), PRIMARY KEY (ledger_id, statement))",
    "a stranger has both": "CREATE SCHEMA tidelock AUTHORIZATION {stranger}; CREATE SCHEMA tidelock_b AUTHORIZATION {stranger}",
}


@pytest.mark.fault
@pytest.mark.parametrize("alternative", [0, -1], ids=["first", "last"])
@pytest.mark.parametrize("was", JOURNAL_WAS)
def test_what_gives_a_role_a_journal_can_be_pasted(database, folder, tidelock, town, was, alternative):
    stranger, role = town.role("stranger"), town.role("Who's \"migrating")
    quoted = role.replace('"', '""')
    database.query(f'CREATE SCHEMA b AUTHORIZATION "{quoted}"; {JOURNAL_WAS[was].format(stranger=stranger)}')
    folder.add("001_t", "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT i FROM generate_series(1, 25) AS i")
    folder.add("002_fill", BACKFILL)
    url = town.url(quote(role), schema="b")
    [hint] = re.findall(r"(?m)^  next +(.*)$", tidelock("deploy", url=url).fails(exit=6, says="there is no schema for the journal").errors)
    statements = re.findall(r"[A-Z]{4,} [A-Z][^;]*;", hint.split("; or, ")[alternative] + ";")
    assert statements
    for statement in statements:
        database.query(statement)
    tidelock("deploy", url=url).succeeds(applied=["002_fill"])


@pytest.mark.fault
def test_what_commits_by_itself_is_told_how_to_get_a_journal(database, folder, tidelock, town):
    role = town.role("plain")
    database.query(f"CREATE SCHEMA b AUTHORIZATION {role}; CREATE PROCEDURE b.adding() LANGUAGE plpgsql AS 'BEGIN CREATE TABLE b.made (); COMMIT; END'")
    folder.add("001_call", "-- tidelock: transaction=off\nCALL b.adding();")
    url = town.url(role, schema="b")
    remedy = f'GRANT CREATE ON DATABASE "{database.name}" TO "{role}";'
    tidelock("deploy", url=url).fails(exit=6, says=["this statement commits by itself, and it could not be recorded that it is about to run", remedy])
    database.query(remedy)
    tidelock("deploy", url=url).succeeds(applied=["001_call"])


@pytest.mark.fault
def test_what_opens_a_hidden_ledger_can_be_pasted(database, folder, tidelock, town):
    role = town.role("reader")
    database.query(f"CREATE SCHEMA AUTHORIZATION {role}; CREATE TABLE _prisma_migrations ({LEDGER}); GRANT SELECT ON _prisma_migrations TO {role}; REVOKE USAGE ON SCHEMA public FROM PUBLIC")
    folder.add("001_a", "SELECT 1")
    result = tidelock("status", url=town.url(role)).fails(exit=8, says=['this role cannot see the ledger "public"', "?schema=public"])
    [statement] = re.findall(r"GRANT [^;]*;", result.errors)
    database.query(statement)
    tidelock("status", url=town.url(role, schema="public")).succeeds()


@pytest.mark.fault
def test_a_backfill_walks_by_the_operators_of_its_index(database, folder, tidelock, town):
    """Those of the type, in whatever schema they are; never one that fits better and comes first in the search_path."""
    stranger = town.role("stranger")
    database.query(f"CREATE SCHEMA types; CREATE EXTENSION citext SCHEMA types; CREATE SCHEMA theirs AUTHORIZATION {stranger}; CREATE SEQUENCE sprung; GRANT ALL ON sprung TO PUBLIC")
    database.query("CREATE TABLE t (name types.citext PRIMARY KEY, code varchar(10) NOT NULL, n int); CREATE INDEX ON t (code)")
    database.query("INSERT INTO t SELECT 'Name ' || i, 'c' || i FROM generate_series(1, 95) AS i")
    plant = "".join(
        f"CREATE FUNCTION theirs.{name}({left}, {right}) RETURNS boolean LANGUAGE sql AS 'SELECT nextval(''public.sprung'') > 0';"
        + "".join(f"CREATE OPERATOR theirs.{operator} (LEFTARG = {left}, RIGHTARG = {right}, FUNCTION = theirs.{name});" for operator in ("=", "<", "<=", ">", ">="))
        for name, left, right in (("f1", "types.citext", "types.citext"), ("f2", "varchar", "varchar"), ("f3", "types.citext", "text"))
    )
    database.query(f"GRANT USAGE ON SCHEMA types TO {stranger}; GRANT USAGE ON SCHEMA theirs TO PUBLIC; SET SESSION AUTHORIZATION {stranger}; {plant}")
    folder.add("000_before", "SELECT 1")
    url = database.url(schema="public", options="-csearch_path=theirs,public")
    tidelock("baseline", url=database.url()).succeeds()
    for number, key in enumerate(("name", "code"), 1):
        folder.add(f"00{number}_fill", f"-- tidelock: backfill t key={key} rows=10..10 rest=0%\nUPDATE public.t SET n = {number}")
        tidelock("deploy", url=url).succeeds(applied=[f"00{number}_fill"])
        assert database.query("SELECT DISTINCT n FROM t") == [(number,)]
    assert not database.value("SELECT is_called FROM sprung")
