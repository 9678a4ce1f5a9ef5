"""What "next" advises after a failure that another transaction would not have: each advice is followed, and seen to help."""

import pytest

pytestmark = [pytest.mark.every_major, pytest.mark.fault]

SETUP = """
CREATE TABLE notes (id int, level text);
CREATE TYPE task AS ENUM ('A');
CREATE TABLE jobs (task task);
CREATE PROCEDURE work() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO notes VALUES (1); COMMIT; INSERT INTO notes VALUES (2); END $$;
CREATE FUNCTION ends_early() RETURNS int LANGUAGE plpgsql AS $$ BEGIN COMMIT; RETURN 1; END $$;
CREATE TABLE p (id int) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
"""
OFF = "-- tidelock: transaction=off\n"
ON = "-- tidelock: transaction=on\n"
NAME = "002_script"
TABLE = "CREATE TABLE made ();\n"
SERIALIZABLE = "TRANSACTION ISOLATION LEVEL SERIALIZABLE;\n"
VALUE = "ALTER TYPE task ADD VALUE 'B';\n"
USE = "INSERT INTO jobs VALUES ('B');\n"


@pytest.fixture
def prepared(database, folder, tidelock):
    folder.add("001_setup", SETUP)
    tidelock("deploy").succeeds()


# What fails, with which SQLSTATE, what is advised, and the script that follows it.
ADVICE = {
    "a procedure that commits": ("2D000", TABLE + "CALL work();", ["transaction=off", "--strict refuses it", "Prisma's development command"], OFF + TABLE + "CALL work();"),
    "a block that commits": ("2D000", TABLE + "DO $$ BEGIN COMMIT; END $$;", "transaction=off", OFF + TABLE + "DO $$ BEGIN COMMIT; END $$;"),
    "a late level, moved": ("25001", TABLE + "SELECT 1; SET " + SERIALIZABLE, "move it before the first query", "SET " + SERIALIZABLE + TABLE + "SELECT 1;"),
    "a late level, begun with": ("25001", TABLE + "SET LOCAL " + SERIALIZABLE, "BEGIN ISOLATION LEVEL", "BEGIN ISOLATION LEVEL SERIALIZABLE;\n" + TABLE + "COMMIT;"),
    "a procedure in a block": ("2D000", "BEGIN;\n" + TABLE + "CALL work();\nCOMMIT;", "move the statement behind the COMMIT", "BEGIN;\n" + TABLE + "COMMIT;\nCALL work();"),
    "a value in a block": ("55P04", "BEGIN;\n" + TABLE + VALUE + USE + "COMMIT;", "put COMMIT; BEGIN; behind", "BEGIN;\n" + TABLE + VALUE + "COMMIT; BEGIN;\n" + USE + "COMMIT;"),
    "one transaction, and a procedure": ("2D000", ON + "CALL work();", 'Take "transaction=on" out', "CALL work();"),
    "one transaction, and a value": ("55P04", ON + VALUE + USE, 'Take "transaction=on" out', VALUE + USE),
}


@pytest.mark.parametrize("case", ADVICE)
def test_an_advice_that_is_followed_helps(database, folder, tidelock, prepared, case):
    sqlstate, script, says, corrected = ADVICE[case]
    folder.add(NAME, script)
    tidelock("deploy").fails(exit=6, says=[sqlstate, f"Nothing of {NAME}", *([says] if isinstance(says, str) else says)])
    assert not database.holds("made") and database.value("SELECT count(*) FROM notes") == 0
    folder.replace(NAME, corrected)
    tidelock("deploy").succeeds(applied=[NAME])


@pytest.mark.parametrize("major", range(14, 19), ids=lambda major: f"pg{major}", scope="session")
def test_what_refuses_a_block_among_others_is_advised_to_go_without(database, folder, tidelock, prepared):
    folder.add(NAME, TABLE + "REINDEX TABLE p;")
    tidelock("deploy").fails(exit=6, says=["25001", "transaction=off"])
    folder.replace(NAME, OFF + TABLE + "REINDEX TABLE p;")
    tidelock("deploy").succeeds(applied=[NAME])


def test_the_file_can_be_left_as_it_is(database, folder, tidelock, prepared, psql):
    file = folder.add(NAME, TABLE + "CALL work();")
    tidelock("deploy").fails(exit=6, says=[f"psql -f {file.relative_to(folder.root)}", f'tidelock resolve --applied "{NAME}"'])
    psql("-f", file)
    tidelock("resolve", "--applied", NAME).succeeds()
    tidelock("deploy", "--strict").succeeds(applied=[])
    assert database.holds("made")


def test_a_value_that_the_text_does_not_show_is_added_by_a_migration_before(database, folder, tidelock, prepared):
    add = "DO $$ BEGIN ALTER TYPE task ADD VALUE 'B'; END $$;\n"
    folder.add(NAME, add + USE)
    tidelock("deploy").fails(exit=6, says=["55P04", f"Nothing of {NAME}", "to a migration before it"])
    folder.add("001_value", add)
    folder.replace(NAME, USE)
    tidelock("deploy").succeeds(applied=["001_value", NAME])


@pytest.mark.parametrize("before", ["SAVEPOINT s;\n", "SET LOCAL search_path = elsewhere, public;\n", "CREATE TEMP TABLE x (a int) ON COMMIT DROP;\n", "DECLARE c CURSOR FOR SELECT 1;\n", "SET CONSTRAINTS ALL DEFERRED;\n"])
def test_a_script_that_relies_on_one_transaction_is_not_cut_in_two(database, folder, tidelock, prepared, before):
    folder.add(NAME, before + VALUE + USE)
    tidelock("deploy").fails(exit=6, says=["55P04", f"Nothing of {NAME}", "to a migration before it"])
    folder.add("001_value", VALUE)
    folder.replace(NAME, before + USE)
    tidelock("deploy").succeeds(applied=["001_value", NAME])


@pytest.mark.parametrize("script", [TABLE + "SELECT ends_early();", "SELECT ends_early();", TABLE + "DO $$ BEGIN EXECUTE 'VACUUM notes'; END $$;", "DO $$ BEGIN EXECUTE 'VACUUM notes'; END $$;", TABLE + "SELECT set_config('transaction_isolation', 'serializable', true);"])
def test_what_nothing_helps_is_not_advised_to_go_without_a_transaction(database, folder, tidelock, prepared, script):
    folder.add(NAME, script)
    result = tidelock("deploy").fails(exit=6, says=[f"Nothing of {NAME}", "Correct prisma/migrations/"])
    assert "transaction=off" not in result.errors
    folder.replace(NAME, OFF + script.replace(TABLE, ""))
    tidelock("deploy").fails(exit=6, says=f"Nothing of {NAME}")
