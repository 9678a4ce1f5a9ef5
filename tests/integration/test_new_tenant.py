"""--create: a tenant whose database or schema is not there yet."""

import json

import pytest
from servers import Database
from wait import wait_until

# A name must not end the identifier, the statement or the program.
HOSTILE = ['with "quotes"', "it's; DROP DATABASE x", "ünïcode", "UPPER lower", "back\\slash", "select", "%s", "-1"]


@pytest.fixture
def role(database):
    """A user who may not create databases, and owns nothing."""
    name = "newcomer_" + database.name[-8:]
    database.query(f"CREATE ROLE {name} LOGIN")
    yield name
    database.query(f"DROP OWNED BY {name} CASCADE")
    database.query(f"DROP ROLE {name}")


@pytest.fixture
def fleet(database, role):
    """Databases whose names begin with what is the test's own; gone before the role that may own some."""
    prefix = "fleet_" + database.name[-8:] + "_t"

    class Fleet:
        pattern = prefix + "*"

        def name(self, suffix):
            return prefix + suffix

        def make(self, suffix):
            return Database(database.server, self.name(suffix))

        def find(self, suffix):
            return Database(database.server, self.name(suffix), is_there=True)

        def names(self):
            rows = database.server.query("SELECT datname FROM pg_database WHERE starts_with(datname::text, %s) ORDER BY 1", prefix)
            return [name.removeprefix(prefix) for (name,) in rows]

        def url(self, suffix, user="postgres"):
            return database.server.url(self.name(suffix), user=user)

    fleet = Fleet()
    yield fleet
    for suffix in fleet.names():
        quoted = fleet.name(suffix).replace('"', '""')
        database.server.query(f'DROP DATABASE "{quoted}" WITH (FORCE)')


@pytest.fixture
def users(folder):
    folder.add("001_users", "CREATE TABLE users (id int)")
    return folder


def owner_of(database):
    return database.value("SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = current_database()")


def test_a_new_database_is_created_and_brought_to_the_level(fleet, users, tidelock):
    fleet.make("old")
    tidelock("deploy", "--databases", fleet.pattern, "--tenant", fleet.name("new"), "--create").succeeds(says="created, applied 1 migration")
    assert fleet.names() == ["new", "old"]
    assert fleet.find("new").applied() == ["001_users"]
    assert not fleet.find("old").holds("_prisma_migrations"), "only the named one is meant"


def test_nothing_is_created_unless_it_is_asked_for(fleet, users, tidelock):
    fleet.make("old")
    tidelock("deploy", "--databases", fleet.pattern, "--tenant", fleet.name("new")).fails(exit=2, says=["there is no such database", "--create"])
    users.root.joinpath("tenants.csv").write_text(f"name,database\nnew,{fleet.name('new')}\n")
    result = tidelock("deploy", "--tenants", "tenants.csv")
    assert result.code != 0 and "does not exist" in result.errors
    assert fleet.names() == ["old"]


def test_all_of_a_list_that_are_missing_are_created(fleet, users, tidelock):
    fleet.make("1")
    users.root.joinpath("tenants.csv").write_text("name,database\n" + "".join(f"customer {i},{fleet.name(str(i))}\n" for i in range(1, 5)))
    tidelock("deploy", "--tenants", "tenants.csv", "--create", "--parallel", 4).succeeds(says="applied 4 migrations to 4 of 4 tenants")
    assert fleet.names() == ["1", "2", "3", "4"]
    assert all(fleet.find(suffix).applied() == ["001_users"] for suffix in fleet.names())
    tidelock("deploy", "--tenants", "tenants.csv", "--create").succeeds(says="4 done, of which 4 had nothing to do")


def test_a_copy_of_a_template_at_the_level_needs_nothing(fleet, users, tidelock):
    template = fleet.make("emplate")
    tidelock("deploy", url=template.url()).succeeds(applied=["001_users"])
    template.query("INSERT INTO users VALUES (42)")
    tidelock("deploy", "--databases", fleet.pattern, "--tenant", fleet.name("new"), "--create", "--template", template.name).succeeds(says="created, nothing pending")
    assert fleet.find("new").value("SELECT id FROM users") == 42


def test_the_template_may_be_the_urls_database(fleet, users, tidelock):
    template = fleet.make("emplate")
    names = [fleet.name(suffix) for suffix in "abcd"]
    chosen = [word for name in names for word in ("--tenant", name)]
    tidelock("deploy", "--databases", fleet.pattern, *chosen, "--create", "--template", template.name, "--parallel", 4, url=template.url()).succeeds(
        says="applied 4 migrations to 4 of 4 tenants"
    )


def test_a_template_in_use_is_named_with_what_to_do(fleet, users, tidelock):
    template = fleet.make("emplate")
    with template.connect():
        tidelock("deploy", "--databases", fleet.pattern, "--tenant", fleet.name("new"), "--create", "--template", template.name).fails(
            exit=6, says=["could not create database", "is being accessed by other users", "ALLOW_CONNECTIONS false", "55006"]
        )
    assert fleet.names() == ["emplate"]


def test_a_template_or_an_owner_that_is_not_there_is_the_callers_mistake(fleet, users, tidelock):
    words = ("deploy", "--databases", fleet.pattern, "--tenant", fleet.name("new"), "--create")
    tidelock(*words, "--template", "nowhere").fails(exit=2, says=['template database "nowhere" does not exist', "Correct --template"])
    tidelock(*words, "--owner", "nobody").fails(exit=2, says=['role "nobody" does not exist', "--owner"])
    assert fleet.names() == []


def test_it_belongs_to_the_owner_that_is_named(fleet, users, role, tidelock):
    tidelock("deploy", "--databases", fleet.pattern, "--tenant", fleet.name("new"), "--create", "--owner", role).succeeds()
    assert owner_of(fleet.find("new")) == role


def test_it_belongs_to_the_tenants_own_user(fleet, users, role, tidelock):
    users.root.joinpath("tenants.csv").write_text(f"name,database,user\nnew,{fleet.name('new')},{role}\n")
    tidelock("deploy", "--tenants", "tenants.csv", "--create").succeeds(says="created, applied 1 migration")
    new = fleet.find("new")
    assert owner_of(new) == role
    assert new.value("SELECT tableowner::text FROM pg_tables WHERE tablename = 'users'") == role


def test_a_url_of_the_same_server_is_created_by_the_database_urls_user(fleet, users, role, tidelock):
    users.root.joinpath("tenants.csv").write_text(f"name,url\nnew,{fleet.url('new', user=role)}\n")
    tidelock("deploy", "--tenants", "tenants.csv", "--create").succeeds(says="created, applied 1 migration")
    assert owner_of(fleet.find("new")) == role


def test_without_another_url_the_tenants_user_creates_it(fleet, users, role, tidelock):
    users.root.joinpath("tenants.csv").write_text(f"name,url\nnew,{fleet.url('new')}\nmore,{fleet.url('more', user=role)}\n")
    tidelock("deploy", "--tenants", "tenants.csv", "--create", "--on-failure", "continue", url="").fails(
        exit=8, says=["created, applied 1 migration", "permission denied to create database", "CREATEDB"]
    )
    assert fleet.names() == ["new"]


def test_a_new_schema_is_created_for_its_owner(database, users, role, tidelock):
    tidelock("deploy", "--schemas", "tenant_*", "--tenant", "tenant_1", "tenant_2", "--create", "--owner", role).succeeds(says="applied 2 migrations to 2 of 2 tenants")
    assert database.query("SELECT nspname::text, pg_get_userbyid(nspowner)::text FROM pg_namespace WHERE nspname LIKE 'tenant%%' ORDER BY 1") == [
        ("tenant_1", role),
        ("tenant_2", role),
    ]
    assert database.holds("tenant_2.users")


def test_a_schema_in_a_database_that_is_new_as_well(fleet, users, tidelock):
    users.root.joinpath("tenants.csv").write_text(f"name,database,schema\nnew,{fleet.name('new')},inner\n")
    tidelock("deploy", "--tenants", "tenants.csv", "--create").succeeds(says="created, applied 1 migration")
    assert fleet.find("new").holds("inner.users")


def test_a_schema_that_may_not_be_created_says_what_is_lacking(database, users, role, tidelock):
    tidelock("deploy", "--schemas", "*", "--tenant", "inner", "--create", url=database.server.url(database.name, user=role)).fails(
        exit=8, says=['could not create schema "inner"', "needs CREATE on the database"]
    )


@pytest.mark.parametrize("suffix", HOSTILE)
def test_no_name_can_mean_more_than_a_name(fleet, users, tidelock, suffix):
    tidelock("deploy", "--databases", "*", "--tenant", fleet.name(suffix), "--create").succeeds(says="created, applied 1 migration")
    assert fleet.names() == [suffix]


def test_no_schema_can_mean_more_than_a_name(database, users, tidelock):
    (users.root / "tenants.json").write_text(json.dumps([{"name": f"number {i}", "schema": name} for i, name in enumerate(HOSTILE)]), encoding="utf-8")
    tidelock("deploy", "--tenants", "tenants.json", "--create").succeeds(says=f"applied {len(HOSTILE)} migrations to {len(HOSTILE)} of {len(HOSTILE)} tenants")
    made = {name for (name,) in database.query("SELECT nspname::text FROM pg_namespace")}
    assert set(HOSTILE) <= made


def test_a_rehearsal_says_what_would_be_created(fleet, users, tidelock):
    words = ("deploy", "--databases", fleet.pattern, "--tenant", fleet.name("new"), "--create", "--dry-run")
    tidelock(*words).succeeds(says="would be created, and get 1 migration")
    tidelock(*words, "--template", "any", "--exit-code").fails(exit=1, says='would be created from template "any"')
    assert fleet.names() == []


def test_two_at_once_create_it_once(fleet, users, tidelock):
    words = ("deploy", "--databases", fleet.pattern, "--tenant", fleet.name("new"), "--create")
    for running in [tidelock.start(*words) for _ in range(8)]:
        running.wait().succeeds()
    assert fleet.find("new").applied() == ["001_users"]


@pytest.mark.parametrize("pattern, name", [("*", "postgres"), ("*", "template1"), ("templ*", "template0")])
def test_the_servers_own_databases_are_never_tenants(users, tidelock, database, pattern, name):
    tidelock("deploy", "--databases", pattern, "--tenant", name, "--create").fails(exit=2, says=f'the database "{name}" is never a tenant')


@pytest.mark.parametrize("name", ["pg_catalog", "information_schema", "pg_mine", "tidelock"])
def test_the_servers_own_schemas_are_never_tenants(users, tidelock, database, name):
    result = tidelock("deploy", "--schemas", "*", "--tenant", name, "--create")
    assert result.code == 2, result.errors
    assert not database.query("SELECT 1 FROM pg_namespace WHERE nspname IN ('pg_mine', 'tidelock')")


def test_a_name_that_the_list_lacks_is_a_mistake(database, users, tidelock):
    users.root.joinpath("tenants.csv").write_text("name,schema\none,one\n")
    tidelock("deploy", "--tenants", "tenants.csv", "--tenant", "two").fails(exit=2, says='no tenant is called "two"')
    tidelock("status", "--schemas", "t*", "--tenant", "one").fails(exit=2, says='tenant "one" does not fit --schemas "t*"')
    tidelock("deploy", "--tenants-query", "SELECT 'x' AS name, 'x' AS schema WHERE false", "--tenant", "x").fails(exit=2, says='no tenant is called "x"')


@pytest.mark.parametrize(
    "words, says",
    [
        (("deploy", "--databases", "*", "--template", "x"), "--template says how a database is created"),
        (("deploy", "--schemas", "*", "--owner", "x"), "--owner says how a database is created"),
        (("deploy", "--schemas", "*", "--tenant", "x", "--create", "--template", "t"), "--template is for databases"),
        (("deploy", "--create"), "nothing says which tenants there are"),
        (("deploy", "--tenant", "x"), "nothing says which tenants there are"),
        (("run", "--wait", "--schemas", "*", "--create", "--", "true"), "--create and --wait exclude each other"),
    ],
)
def test_options_that_say_nothing_are_refused(database, users, tidelock, words, says):
    tidelock(*words).fails(exit=2, says=says)


def test_run_creates_its_tenant_and_becomes_the_application(fleet, users, tidelock):
    result = tidelock("run", "--databases", fleet.pattern, "--tenant", fleet.name("new"), "--create", "--", "echo", "started")
    assert result.code == 0 and result.out.endswith("started\n"), result.errors
    assert fleet.find("new").applied() == ["001_users"]


def test_a_signal_ends_it_and_nothing_is_created(fleet, users, database, tidelock):
    """The server waits for seconds until nobody is connected to a template, and lets nobody connect meanwhile."""
    template = fleet.make("emplate")
    creating = "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'tidelock%%' AND query LIKE 'CREATE DATABASE%%' AND query LIKE %s"
    with template.connect():
        running = tidelock.start("deploy", "--databases", fleet.pattern, "--tenant", fleet.name("new"), "--create", "--template", template.name)
        wait_until(lambda: database.query(creating, f"%{template.name}%"), "the statement that creates it")
        running.signal()
        running.wait().fails(exit=143, says="0 tenants are done")
    assert fleet.names() == ["emplate"]
