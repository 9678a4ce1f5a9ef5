"""baseline: what the schema already holds is recorded as applied, and nothing else is."""

import pytest

NAMES = ["001_a", "002_b", "003_c"]


def fill(folder):
    for name in NAMES:
        folder.add(name, f"CREATE TABLE {name[4:]} ()")


def listed(result):
    return [line.strip() for line in result.out.splitlines() if line.startswith("  ")]


def test_it_lists_what_it_records(database, folder, tidelock):
    database.query("CREATE TABLE a (); CREATE TABLE b ()")
    fill(folder)
    tidelock("deploy").fails(exit=8, says="P3005")
    tidelock("baseline", "--to", "nothing").fails(exit=2, says="P3017")
    assert listed(tidelock("baseline", "--to", "001_a").succeeds(says="1 of 3 migrations recorded as applied, 0 already were:")) == ["001_a"]
    assert listed(tidelock("baseline", "--to", "001_a").succeeds(says="0 of 3 migrations recorded as applied, 1 already was.")) == []
    assert listed(tidelock("baseline", "--to", "002_b").succeeds(says="1 of 3 migrations recorded as applied, 1 already was:")) == ["002_b"]
    tidelock("deploy").succeeds(applied=["003_c"])


def test_a_ledger_that_has_something_applied_needs_a_name_or_all(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy").succeeds()
    tidelock("baseline").succeeds(says="0 of 1 migration recorded as applied, 1 already was.")
    folder.add("002_b", "CREATE TABLE b ()")
    folder.add("003_c", "CREATE TABLE c ()")
    before = database.ledger()
    for words in ([], ["--dry-run"]):
        tidelock("baseline", *words).fails(exit=8, says=["says that 1 migration is applied", "--to NAME, or --all", "Nothing was changed.", "tidelock deploy"])
    assert database.ledger() == before
    tidelock("baseline", "--to", "002_b", "--all").fails(exit=2, says="not both")
    assert listed(tidelock("baseline", "--to", "002_b").succeeds()) == ["002_b"]
    assert listed(tidelock("baseline", "--all").succeeds()) == ["003_c"]
    assert database.applied() == NAMES


def test_what_was_only_tried_is_nothing_applied(database, folder, tidelock):
    """An empty ledger with a migration that failed cleanly, as advice sends here."""
    fill(folder)
    folder.replace("001_a", "SELECT 1/0")
    tidelock("deploy").fails(exit=6)
    database.query("CREATE TABLE a ()")
    assert listed(tidelock("baseline").succeeds()) == NAMES


def test_a_dry_run_changes_nothing(database, folder, tidelock):
    database.query("CREATE TABLE a ()")
    fill(folder)
    assert listed(tidelock("baseline", "--dry-run").succeeds(says="3 of 3 migrations would be recorded as applied, 0 already were:")) == NAMES
    assert not database.holds("_prisma_migrations")
    tidelock("baseline", "--to", "001_a").succeeds()
    before = database.ledger()
    assert listed(tidelock("baseline", "--to", "002_b", "--dry-run").succeeds(says="Nothing was changed.")) == ["002_b"]
    assert database.ledger() == before


def test_an_empty_schema_is_to_be_deployed_to(database, folder, tidelock):
    fill(folder)
    refusal = ['schema "public" is empty', "Nothing was changed.", "tidelock deploy", "tidelock resolve --applied NAME"]
    for words in (["--all"], ["--to", "001_a"], ["--dry-run"]):
        tidelock("baseline", *words).fails(exit=8, says=refusal)
    assert not database.holds("_prisma_migrations")
    tidelock("resolve", "--applied", "001_a").succeeds()
    tidelock("baseline", "--all").fails(exit=8, says=refusal)
    assert database.applied() == ["001_a"]


def test_a_schema_that_is_not_there_is_empty_too(database, folder, tidelock):
    database.query("CREATE TABLE elsewhere ()")
    fill(folder)
    tidelock("baseline", url=database.url(schema="app")).fails(exit=8, says='schema "app" is empty')
    assert not database.query("SELECT 1 FROM pg_namespace WHERE nspname = 'app'")


@pytest.mark.every_major
@pytest.mark.parametrize(
    "made",
    ["CREATE VIEW v AS SELECT 1 AS n", "CREATE SEQUENCE s", "CREATE TYPE mood AS ENUM ('sad')", "CREATE DOMAIN d AS int", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"],
)
def test_a_schema_without_tables_may_hold_something(database, folder, tidelock, made):
    database.query(made)
    folder.add("001_made", made)
    tidelock("baseline").succeeds()
    assert database.applied() == ["001_made"]


def test_what_belongs_to_an_extension_is_nothing_that_migrations_made(database, folder, tidelock):
    database.query("CREATE EXTENSION pg_trgm")
    fill(folder)
    tidelock("baseline").fails(exit=8, says="is empty")
