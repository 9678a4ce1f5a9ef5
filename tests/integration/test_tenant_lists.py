"""What a list of tenants must not say, and the commands that take none."""

import pytest


@pytest.fixture
def users(folder):
    folder.add("001_users", "CREATE TABLE users (id int)")
    return folder


def write_list(folder, text):
    (folder.root / "tenants.csv").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("words", [(), ("--create",), ("--parallel", 3)])
@pytest.mark.parametrize("source", ["list", "pattern", "url", "database"])
def test_a_rehearsal_refuses_tables_without_a_ledger(database, users, tidelock, source, words):
    database.query("CREATE SCHEMA full_1; CREATE SCHEMA full_2; CREATE TABLE full_1.legacy (); CREATE TABLE legacy ()")
    write_list(users, {"url": f"name,url\none,{database.url(schema='full_1')}\ntwo,{database.url(schema='full_2')}\n", "database": f"name,database\none,{database.name}\n"}.get(source, "name,schema\none,full_1\ntwo,full_2\n"))
    given = ("--schemas", "full_*") if source == "pattern" else ("--tenants", "tenants.csv")
    for more in (("--dry-run",), ()):
        tidelock("deploy", *given, *words, *more).fails(exit=8, says=["P3005", "legacy"])


@pytest.mark.parametrize("words", [("deploy",), ("deploy", "--dry-run"), ("status",), ("plan",)])
def test_a_schema_that_a_list_misspells_is_not_created(database, users, tidelock, words):
    database.query("CREATE SCHEMA s_01")
    write_list(users, "name,schema\none,s_01\ntypo,s_0l\n")
    tidelock(*words, "--tenants", "tenants.csv").fails(exit=2, says=['typo: schema "s_0l" does not exist', "Correct the list, or let it be created: tidelock deploy --create."])
    assert not database.query("SELECT FROM pg_namespace WHERE nspname = 's_0l'")
    tidelock("deploy", "--tenants", "tenants.csv", "--create").succeeds(says="created, applied 1 migration")
    tidelock(*words, "--tenants", "tenants.csv").succeeds()


def test_nor_is_one_of_a_query(database, users, tidelock):
    tidelock("deploy", "--tenants-query", "SELECT 'gone' AS name, 'gone' AS schema").fails(exit=2, says='schema "gone" does not exist')
    assert not database.query("SELECT FROM pg_namespace WHERE nspname = 'gone'")


def test_the_schema_of_one_url_is_created_as_before(database, users, tidelock):
    tidelock("deploy", url=database.url(schema="own")).succeeds()
    assert database.holds("own.users")


ONE = {
    "baseline": ("baseline",),
    "resolve": ("resolve", "--applied", "001_users"),
    "rollback": ("rollback",),
}
LISTS = {"TENANTS": "tenants.csv", "TENANTS_QUERY": "SELECT 1", "DATABASES": "t*", "SCHEMAS": "t*"}


@pytest.mark.parametrize("command", ONE)
@pytest.mark.parametrize("variable", LISTS)
def test_what_changes_one_database_refuses_a_list(database, users, tidelock, command, variable):
    database.query("CREATE TABLE legacy ()")
    result = tidelock(*ONE[command], environment={f"TIDELOCK_{variable}": LISTS[variable]})
    result.fails(exit=2, says=[f"works on one database, and TIDELOCK_{variable} lists many", "Unset it, and give that tenant's own URL: --database-url."])
    (users.root / "tidelock.yaml").write_text(f"{variable.lower()}: '{LISTS[variable]}'\n", encoding="utf-8")
    tidelock(*ONE[command]).fails(exit=2, says=[f"and the file's key {variable.lower()} lists many", "--config"])
    assert not database.holds("_prisma_migrations")


def test_an_empty_variable_lists_nobody(database, users, tidelock):
    database.query("CREATE TABLE legacy ()")
    tidelock("baseline", environment={"TIDELOCK_TENANTS": ""}).succeeds()
    assert database.applied() == ["001_users"]


def test_a_failure_says_how_one_is_mended_by_hand(database, users, tidelock):
    database.query("CREATE SCHEMA full_1; CREATE TABLE full_1.legacy ()")
    write_list(users, "name,schema\none,full_1\n")
    tidelock("deploy", "--tenants", "tenants.csv").fails(exit=8, says="One of them alone: --tenant NAME; resolve and rollback take its own --database-url.")
    tidelock("baseline", url=database.url(schema="full_1")).succeeds()
    tidelock("deploy", "--tenants", "tenants.csv").succeeds(says="1 tenant: 1 done")
