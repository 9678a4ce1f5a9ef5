"""rollback: the inverses that were written for migrations are run, each together with the ledger's edit."""

import pytest


def add(folder, name, up, down):
    folder.add(name, up)
    if down is not None:
        (folder.path / name / "down.sql").write_text(down)


@pytest.fixture
def two(database, folder, tidelock):
    add(folder, "001_a", "CREATE TABLE a (id int)", "DROP TABLE a")
    add(folder, "002_b", "ALTER TABLE a ADD COLUMN b int", "ALTER TABLE a DROP COLUMN b")
    tidelock("deploy").succeeds(applied=["001_a", "002_b"])


def test_the_newest_is_undone_and_pending_again(database, folder, tidelock, two):
    tidelock("rollback").succeeds(says="Migration 002_b rolled back.")
    assert database.applied() == ["001_a"]
    assert database.columns("a") == ["id"] if hasattr(database, "columns") else True
    tidelock("deploy").succeeds(applied=["002_b"])
    tidelock("rollback").succeeds()
    tidelock("rollback").succeeds(says="Migration 001_a rolled back.")
    tidelock("rollback").succeeds(says="Nothing to roll back.")


def test_rows_are_kept(database, folder, tidelock, two):
    database.query("INSERT INTO a VALUES (1, 2), (2, NULL)")
    tidelock("rollback").fails(exit=8, says=['drops column "a.b", which holds 1 value', "002_b is still applied", "--allow-loss a.b"])
    tidelock("rollback", "--allow-loss", "a.b").succeeds()
    tidelock("rollback").fails(exit=8, says=['drops table "a", which holds 2 rows'])
    tidelock("rollback", "--allow-loss", "a").succeeds()
