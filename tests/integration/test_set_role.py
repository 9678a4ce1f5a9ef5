"""--set-role: whoever logs in, what is created belongs to the role, and nothing of ours stands in its way."""

import contextlib
import os
import threading
import urllib.parse

import pytest
from pooler import HBA, PASSWORD, Pooler
from servers import Database, Server, distribution_major
from tool import Tool, wait_for_session

# Everything in the database that has an owner, but what initdb made.
OWNERS = """
SELECT DISTINCT pg_get_userbyid(owner) FROM (
    SELECT relowner FROM pg_class WHERE oid >= 16384 UNION ALL SELECT proowner FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT typowner FROM pg_type WHERE oid >= 16384 UNION ALL SELECT nspowner FROM pg_namespace WHERE oid >= 16384
) AS objects (owner)
"""
SCRIPTS = {
    "001_atomic": "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT i FROM generate_series(1, 500) AS i; CREATE SCHEMA s; CREATE TYPE s.e AS ENUM ('a');"
    " CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "002_stepwise": "CREATE INDEX CONCURRENTLY t_n ON t (n);\nCREATE TABLE u (id int UNIQUE);\nCREATE INDEX CONCURRENTLY u_i ON u (id);",
    "003_self_managed": "BEGIN; CREATE TABLE v (id serial); COMMIT;\nCREATE VIEW w AS SELECT * FROM v;\nBEGIN; CREATE TABLE x (); COMMIT;",
    "004_backfill": "-- tidelock: backfill t key=id rows=100..100 rest=0%\nUPDATE t SET n = 1",
    "005_atomic": "CREATE TABLE y ()",
}


class Team:
    """`user` may log in and is a member of `owner`, to whom the database belongs."""

    def __init__(self, database, owner=None, options="NOINHERIT"):
        self.database = database
        mark = os.urandom(4).hex()
        self.owner = owner or f"owner_{mark}"
        self.user = f"user_{mark}"
        self.quoted = '"' + self.owner.replace('"', '""') + '"'
        database.query(f"CREATE ROLE {self.quoted}; CREATE ROLE {self.user} LOGIN {options} IN ROLE {self.quoted}")
        database.query(f'ALTER DATABASE "{database.name}" OWNER TO {self.quoted}')
        # On old servers everybody may create there, so that a mistake would not show.
        database.query(f"REVOKE ALL ON SCHEMA public FROM public; GRANT ALL ON SCHEMA public TO {self.quoted}")

    def url(self, **parameters):
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        return f"postgresql://{self.user}@127.0.0.1:{self.database.server.port}/{self.database.name}{query}"

    def owners(self):
        return {owner for (owner,) in self.database.query(OWNERS)}

    def remove(self):
        self.database.drop()
        self.database.server.query(f"DROP ROLE {self.user}; DROP ROLE {self.quoted}")


@pytest.fixture
def team(database):
    with contextlib.ExitStack() as stack:

        def create(**words):
            team = Team(database, **words)
            stack.callback(team.remove)
            return team

        yield create


@pytest.mark.every_major
def test_everything_belongs_to_the_role_whatever_made_it(database, folder, tidelock, team):
    team = team()
    for name, script in SCRIPTS.items():
        folder.add(name, script)
    tidelock("deploy", "--set-role", team.owner, url=team.url()).succeeds(applied=list(SCRIPTS))
    assert team.owners() == {team.owner}
    assert database.holds("_prisma_migrations") and database.holds("tidelock.intent") and database.holds("w")
    tidelock("status", "--exit-code", "--set-role", team.owner, url=team.url()).succeeds()


@pytest.mark.parametrize(
    "changed", ["SET ROLE {other}", "SET LOCAL ROLE {other}", "RESET ROLE", "SET ROLE NONE", "SET SESSION AUTHORIZATION {user}", "RESET SESSION AUTHORIZATION", "RESET ALL"]
)
@pytest.mark.parametrize(
    "around",
    [
        "{change}; CREATE TABLE mine ()",
        "BEGIN; {change}; CREATE TABLE mine (); COMMIT; CREATE TABLE another ();",
        "-- tidelock: transaction=off\n{change};\nCREATE TABLE mine ();\nCREATE INDEX CONCURRENTLY ON mine ((1));",
    ],
    ids=["atomic", "self-managed", "stepwise"],
)
def test_a_role_that_a_script_takes_is_its_own_affair(database, folder, tidelock, team, changed, around):
    """Neither the ledger, nor our own tables, nor the next script is touched by it."""
    team = team()
    other = f"other_{team.user}"
    database.query(f"CREATE ROLE {other} IN ROLE {team.quoted}; GRANT {other} TO {team.user}; GRANT ALL ON SCHEMA public TO {other}, {team.user}")
    try:
        folder.add("001_before", "CREATE TABLE before ()")
        folder.add("002_change", around.format(change=changed.format(other=other, user=team.user)))
        folder.add("003_after", "CREATE TABLE after (); CREATE TABLE seen AS SELECT current_user AS name, session_user AS session")
        folder.add("004_after", "CREATE INDEX CONCURRENTLY ON after ((1));")
        tidelock("deploy", "--set-role", team.owner, url=team.url()).succeeds(applied=["001_before", "002_change", "003_after", "004_after"])
        assert database.query("SELECT * FROM seen") == [(team.owner, team.user)]
        # What resetting an authorization that was never set leaves depends on the version.
        made = {"SET ROLE {other}": other, "SET LOCAL ROLE {other}": other, "RESET ROLE": team.owner, "RESET ALL": team.owner}.get(changed, team.user)
        owners = dict(database.query("SELECT tablename, tableowner FROM pg_tables WHERE schemaname IN ('public', 'tidelock')"))
        # Outside of a transaction SET LOCAL does nothing.
        assert "RESET SESSION" in changed or owners["mine"] == (team.owner if "LOCAL" in changed and "CONCURRENTLY" in around else made)
        assert {owner for table, owner in owners.items() if table not in ("mine", "another")} == {team.owner}
    finally:
        database.drop()
        database.server.query(f"DROP ROLE {other}")


def test_what_failed_is_repaired_and_gone_on_with_as_the_role(database, folder, tidelock, team):
    team = team()
    folder.add("001_t", "CREATE TABLE t AS SELECT 1 AS id UNION ALL SELECT 1")
    folder.add("002_i", "CREATE TABLE u ();\nSET ROLE NONE;\nSET ROLE {};\nCREATE UNIQUE INDEX CONCURRENTLY i ON t (id);\nCREATE TABLE v ();".format(team.quoted))
    words = ["deploy", "--set-role", team.owner]
    tidelock(*words, url=team.url()).fails(exit=7, says="Key (id)=(1) is duplicated")
    assert not database.query("SELECT FROM pg_index WHERE NOT indisvalid")
    database.query("DELETE FROM t WHERE ctid = '(0,1)'")
    tidelock(*words, url=team.url()).succeeds(applied=["002_i"])
    folder.add("003_wrong", "SELECT 1/0")
    tidelock(*words, url=team.url()).fails(exit=6)
    tidelock("resolve", "--applied", "003_wrong", "--set-role", team.owner, url=team.url()).succeeds()
    assert team.owners() == {team.owner} and database.applied() == ["001_t", "002_i", "003_wrong"]


def test_a_baseline_belongs_to_the_role(database, folder, tidelock, team):
    team = team()
    database.query(f"CREATE TABLE there (); ALTER TABLE there OWNER TO {team.quoted}")
    folder.add("001_t", "SELECT 1")
    tidelock("baseline", "--set-role", team.owner, url=team.url()).succeeds()
    assert team.owners() == {team.owner}


def test_a_killed_deployment_is_gone_on_with_by_another_user(database, folder, tidelock, team):
    """As with users that live for one deployment."""
    team = team()
    for name, script in SCRIPTS.items():
        folder.add(name, script)
    folder.replace(
        "003_self_managed",
        "BEGIN; CREATE TABLE v (id serial); COMMIT;\nSELECT pg_sleep(CASE WHEN EXISTS (SELECT FROM go_on) THEN 0 ELSE 600 END);\nBEGIN; CREATE TABLE x (); COMMIT;",
    )
    database.query(f"CREATE TABLE go_on (id int); ALTER TABLE go_on OWNER TO {team.quoted}")
    folder.add("000_baseline", "SELECT 1")
    tidelock("baseline", "--to", "000_baseline", "--set-role", team.owner, url=team.url()).succeeds()
    running = tidelock.start("deploy", "--set-role", team.owner, url=team.url())
    wait_for_session(database, "pg_sleep(CASE")
    running.kill()
    database.query("INSERT INTO go_on VALUES (1)")
    second = f"second_{team.user}"
    database.query(f"CREATE ROLE {second} LOGIN NOINHERIT IN ROLE {team.quoted}")
    try:
        url = team.url().replace(team.user, second)
        tidelock("deploy", "--set-role", team.owner, url=url).succeeds(applied=["003_self_managed", "004_backfill", "005_atomic"])
        assert team.owners() == {team.owner}
    finally:
        database.drop()
        database.server.query(f"DROP ROLE {second}")


@pytest.mark.parametrize(
    "name", ["a role", 'quo"te', "it's", "back\\slash", "tab\there", "line\nfeed", " around ", "CamelCase", "-c", "a=b", "a,b", "$user", "ünï", "x" * 63, "\\", "\\ \\"], ids=repr
)
def test_roles_of_every_name(database, folder, tidelock, team, name):
    team = team(owner=f"{name[:40]}{os.urandom(4).hex()}" if len(name) < 63 else f"{'x' * 55}{os.urandom(4).hex()}")
    folder.add("001_t", "CREATE TABLE t ()")
    tidelock("deploy", "--set-role", team.owner, url=team.url(), environment={"PGOPTIONS": "-c work_mem=7MB"}).succeeds(applied=["001_t"])
    assert team.owners() == {team.owner}


def test_what_else_is_said_of_the_session_stays(database, folder, tidelock, team):
    team = team()
    seen = "SELECT current_user AS role, current_setting('work_mem') AS memory, current_setting('extra_float_digits') AS digits, current_setting('my.own') AS own"
    words = ["deploy", "--set-role", team.owner]
    variable = {"PGOPTIONS": "-c work_mem=7MB -c my.own=a\\ b\\\\"}
    folder.add("001_variable", f"CREATE TABLE s1 AS {seen}")
    tidelock(*words, url=team.url(), environment=variable).succeeds()
    folder.add("002_url", f"CREATE TABLE s2 AS {seen}")
    tidelock(*words, url=team.url(options="-c work_mem=8MB --extra_float_digits=2 -cmy.own="), environment=variable).succeeds()
    folder.add("003_other", f"CREATE TABLE s3 AS {seen}")
    # A role that is said there yields to the one that is said here.
    tidelock(*words, url=team.url(options=f"-c role={team.user} -c my.own=x")).succeeds()
    found = [database.query(f"SELECT * FROM {table}")[0] for table in ("s1", "s2", "s3")]
    assert found == [(team.owner, "7MB", "1", "a b\\"), (team.owner, "8MB", "2", ""), (team.owner, "4MB", "1", "x")]


@pytest.mark.parametrize("spelling", ["environment", "file"])
def test_it_is_an_option_like_others(folder, tidelock, team, spelling):
    team = team()
    folder.add("001_t", "CREATE TABLE t ()")
    if spelling == "file":
        (folder.root / "tidelock.yaml").write_text(f"set_role: {team.owner}\n")
    environment = {"TIDELOCK_SET_ROLE": team.owner} if spelling == "environment" else {}
    tidelock("deploy", url=team.url(), environment=environment).succeeds(applied=["001_t"])
    assert team.owners() == {team.owner}


def test_a_superuser_works_as_the_role(database, folder, tidelock, team):
    team = team()
    folder.add("001_t", "CREATE TABLE t ()")
    tidelock("deploy", "--set-role", team.owner).succeeds(applied=["001_t"])
    assert team.owners() == {team.owner}


def test_a_role_that_cannot_be_had_is_said_at_once(database, folder, tidelock, team):
    team = team()
    folder.add("001_t", "CREATE TABLE t ()")

    def refused(role, says):
        result = tidelock("deploy", "--set-role", role, url=team.url()).fails(exit=2, says=says)
        assert "waiting" not in result.errors and not database.holds("t")

    refused("nobody_at_all", 'role "nobody_at_all" does not exist')
    refused("postgres", 'permission denied to set role "postgres"')
    refused("", "--set-role has an empty value")
    database.query(f"REVOKE {team.quoted} FROM {team.user}")
    refused(team.owner, f'permission denied to set role "{team.owner}"')


@pytest.mark.parametrize("major", [16, 18], scope="session", ids=lambda major: f"pg{major}")
def test_a_member_that_may_not_set_the_role(database, folder, tidelock, team, major):
    team = team()
    database.query(f"GRANT {team.quoted} TO {team.user} WITH SET FALSE")
    folder.add("001_t", "CREATE TABLE t ()")
    tidelock("deploy", "--set-role", team.owner, url=team.url()).fails(exit=2, says=f'permission denied to set role "{team.owner}"')


def test_who_waits_behind_the_role_is_seen(database, folder, tidelock, team):
    """Nor does the role need to see what the user might."""
    team = team()
    folder.add("001_t", "CREATE TABLE t ()")
    tidelock("deploy", "--set-role", team.owner, url=team.url()).succeeds()
    folder.add("002_t", "LOCK TABLE t; SELECT pg_sleep(600)")
    running = tidelock.start("deploy", "--max-blocked-for", "0", "--set-role", team.owner, url=team.url())
    wait_for_session(database, "pg_sleep(600)")
    with database.connect() as application:
        reading = threading.Thread(target=application.execute, args=["SELECT * FROM t"], daemon=True)
        reading.start()
        running.wait_for_line("1 session blocked by this run")
        running.signal()
        assert running.wait().code == 143
        reading.join()


@pytest.fixture(scope="module")
def pooled(servers):
    server = Server(distribution_major(), servers.binaries[distribution_major()], hba=HBA)
    server.query("SET password_encryption = 'scram-sha-256'")
    server.query(f"CREATE ROLE app LOGIN PASSWORD '{PASSWORD}'; CREATE ROLE owner; GRANT owner TO app")
    server.query("CREATE DATABASE app OWNER owner")
    yield Database(server, "app", is_there=True)
    server.remove()


@pytest.fixture
def through(pooled, binary, folder):
    """through(mode): a tool and the URL of a pooler before the database."""
    with contextlib.ExitStack() as stack:

        def start(mode, **settings):
            pooler = Pooler(pooled.server, mode, **settings)
            stack.callback(pooler.remove)
            tool = Tool(binary, pooled, folder)
            stack.callback(tool.clean_up)
            return tool, pooler.url("app")

        yield start
    pooled.query("ALTER ROLE app RESET role; DROP SCHEMA public CASCADE; DROP SCHEMA IF EXISTS tidelock CASCADE; CREATE SCHEMA public AUTHORIZATION owner")


DROPPED = {"ignore_startup_parameters": "options"}


@pytest.mark.parametrize("settings", [{}, DROPPED], ids=["refuses", "drops"])
@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_a_pooler_that_does_not_hand_on_the_role(pooled, folder, through, mode, settings):
    folder.add("001_t", "CREATE TABLE t ()")
    tool, url = through(mode, **settings)
    tool("deploy", "--set-role", "owner", url=url).fails(exit=2, says="DIRECT_URL")
    assert not pooled.holds("t") and not pooled.holds("_prisma_migrations")


@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_a_pooler_behind_which_the_user_works_as_the_role_anyway(pooled, folder, through, mode):
    pooled.query("ALTER ROLE app SET role = 'owner'")
    folder.add("001_t", "CREATE TABLE t ()")
    folder.add("002_t", "RESET ROLE; CREATE TABLE u ()")
    tool, url = through(mode, **DROPPED)
    tool("deploy", "--set-role", "owner", url=url).succeeds(applied=["001_t", "002_t"])
    assert {owner for (owner,) in pooled.query(OWNERS)} == {"owner"}
