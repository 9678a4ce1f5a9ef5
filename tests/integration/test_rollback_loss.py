"""What an inverse would destroy, kind by kind: refused with what it is, nothing changed; done when it is named; and what loses nothing needs no word."""

import pytest

ITEMS = "CREATE TABLE item (id int PRIMARY KEY, name text, price numeric(10,2))"
ROWS = "INSERT INTO item VALUES (1, 'axe', 1.50), (2, 'bow', 2.00), (3, NULL, NULL)"
PARTS = "CREATE TABLE item (id int, name text) PARTITION BY RANGE (id); CREATE TABLE low PARTITION OF item FOR VALUES FROM (0) TO (10); CREATE TABLE high PARTITION OF item FOR VALUES FROM (10) TO (20)"
IN_PARTS = "INSERT INTO item VALUES (1, 'axe'), (11, 'bow')"
CHILD = f"{ITEMS}; CREATE TABLE part (id int, item int REFERENCES item ON DELETE SET NULL ON UPDATE CASCADE)"
IN_CHILD = f"{ROWS}; INSERT INTO part VALUES (1, 1), (2, 1)"
MOOD = "CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE item (id int, m mood)"
MOODS = "INSERT INTO item VALUES (1, 'good'), (2, 'bad')"
NO_BAD = "ALTER TYPE mood RENAME TO old; CREATE TYPE mood AS ENUM ('good'); ALTER TABLE item ALTER m TYPE mood USING CASE m::text WHEN 'good' THEN 'good'::mood END; DROP TYPE old"

# What the migration makes, what comes into it, its inverse, what that would lose, and how that is named.
LOSSES = {
    "drop table": (ITEMS, ROWS, "DROP TABLE item", 'drops table "item", which holds 3 rows', ["item"]),
    "drop table, if it exists": (ITEMS, ROWS, "DROP TABLE IF EXISTS nothing, public.item CASCADE", 'drops table "item", which holds 3 rows', ["item"]),
    "drop column": (ITEMS, ROWS, "ALTER TABLE item DROP COLUMN price", 'drops column "item.price", which holds 2 values', ["item.price"]),
    "drop a table that was renamed": (ITEMS, ROWS, "ALTER TABLE item RENAME TO thing; DROP TABLE thing", 'drops table "thing", which holds 3 rows', ["thing"]),
    "drop schema": (f"CREATE SCHEMA shop; {ITEMS}; ALTER TABLE item SET SCHEMA shop", ROWS.replace("item", "shop.item"), "DROP SCHEMA shop CASCADE", 'drops table "shop.item", which holds 3 rows', ["shop.item"]),
    "truncate": (ITEMS, ROWS, "TRUNCATE item", 'empties table "item", which holds 3 rows', ["item"]),
    "truncate, with what refers to it": (CHILD, IN_CHILD, "TRUNCATE item CASCADE", 'empties table "item", which holds 3 rows', ["item", "public.part"]),
    "delete": (ITEMS, ROWS, "DELETE FROM item WHERE id > 1", 'deletes 2 rows of table "item"', ["item"]),
    "delete, in a query": (ITEMS, ROWS, "WITH gone AS (DELETE FROM item WHERE id = 1 RETURNING *) SELECT count(*) FROM gone", 'deletes 1 row of table "item"', ["item"]),
    "delete, what refers to it": (CHILD, IN_CHILD, "DELETE FROM item WHERE id = 1", 'deletes 1 row of table "item"', ["item", "part"]),
    "update to null": (ITEMS, ROWS, "UPDATE item SET name = NULL", 'overwrites column "item.name" in 3 rows', ["item.name"]),
    "update to another value": (ITEMS, ROWS, "UPDATE ONLY public.item AS i SET price = 0, name = 'x' WHERE i.id = 1", 'overwrites column "item.price" in 1 row', ["item.price", "item.name"]),
    "update, in a query": (ITEMS, ROWS, "WITH u AS (UPDATE item SET name = '') SELECT 1", 'changes 3 rows of table "item"', ["item"]),
    "update, what refers to it": (CHILD, IN_CHILD, "UPDATE item SET id = 10 WHERE id = 1", 'overwrites column "item.id" in 1 row', ["item.id", "part"]),
    "insert on conflict": (ITEMS, ROWS, "INSERT INTO item VALUES (1, 'new') ON CONFLICT (id) DO UPDATE SET name = excluded.name", 'changes 1 row of table "item"', ["item"]),
    "a trigger": (
        f"{ITEMS}; CREATE TABLE log (n int); CREATE FUNCTION wipe() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE item SET name = NULL; RETURN NULL; END';"
        "CREATE TRIGGER wipe AFTER INSERT ON log EXECUTE FUNCTION wipe()",
        ROWS,
        "INSERT INTO log VALUES (1)",
        'changes 3 rows of table "item"',
        ["item"],
    ),
    "an enum's value": (MOOD, MOODS, NO_BAD, 'changes the type of column "item.m", which holds 1 value that the new type does not have', ["item.m"]),
    "a type that rounds": (ITEMS, ROWS, "ALTER TABLE item ALTER price TYPE int", 'changes the type of column "item.price", which holds 1 value that the new type does not keep', ["item.price"]),
    "a type that cuts": (ITEMS, ROWS, "ALTER TABLE item ALTER name TYPE varchar(2) USING left(name, 2)", 'changes the type of column "item.name", which holds 2 values that the new type does not keep', ["item.name"]),
    "a type, by an expression": (ITEMS, ROWS, "ALTER TABLE item ALTER id TYPE bigint, ALTER name SET DATA TYPE int USING NULL::int", 'changes the type of column "item.name", which holds 2 values that the new type does not keep', ["item.name"]),
    "a type without the time": ("CREATE TABLE item (t timestamp)", "INSERT INTO item VALUES ('2026-01-01 12:00'), ('2026-01-01')", "ALTER TABLE item ALTER t TYPE date", "which holds 1 value that the new type does not keep", ["item.t"]),
    "a type that cannot be told": ("CREATE TABLE item (c text)", "INSERT INTO item VALUES ('yes')", "ALTER TABLE item ALTER c TYPE boolean USING c LIKE 'y%'", "which holds 1 value that the new type does not keep", ["item.c"]),
    "a type that cannot be told back": ("CREATE TABLE item (c int)", "INSERT INTO item VALUES (7)", "ALTER TABLE item ALTER c TYPE boolean USING c > 1", "which holds 1 value that the new type may not keep", ["item.c"]),
    "drop type": ("CREATE TYPE pair AS (a int, b int); CREATE TABLE item (id int, p pair)", "INSERT INTO item VALUES (1, (1, 2))", "DROP TYPE pair CASCADE", 'also drops column "public.item.p", which its text does not show', ["public.item.p"]),
    "drop a column of rows": ("CREATE TYPE pair AS (a int, b int); CREATE TABLE item (id int, p pair)", "INSERT INTO item VALUES (1, (1, NULL)), (2, (NULL, NULL)), (3, NULL)", "ALTER TABLE item DROP p", "which holds 2 values", ["item.p"]),
    "drop extension": ("CREATE EXTENSION citext; CREATE TABLE item (id int, c citext)", "INSERT INTO item VALUES (1, 'x')", "DROP EXTENSION citext CASCADE", 'also drops column "public.item.c", which its text does not show', ["public.item.c"]),
    "drop a partitioned table": (PARTS, IN_PARTS, "DROP TABLE item", 'drops table "item", which holds 2 rows', ["item"]),
    "drop a partition": (PARTS, IN_PARTS, "DROP TABLE high", 'drops table "high", which holds 1 row', ["high"]),
    "drop a partition that was detached": (PARTS, IN_PARTS, "ALTER TABLE item DETACH PARTITION low; DROP TABLE low", 'drops table "low", which holds 1 row', ["low"]),
    "truncate a partitioned table": (PARTS, IN_PARTS, "TRUNCATE item", 'empties table "item", which holds 2 rows', ["item"]),
    "drop a column of partitions": (PARTS, IN_PARTS, "ALTER TABLE item DROP name", 'drops column "item.name", which holds 2 values', ["item.name"]),
    "delete from partitions": (PARTS, IN_PARTS, "DELETE FROM item", 'deletes 2 rows of table "item"', ["item"]),
    "update partitions": (PARTS, IN_PARTS, "UPDATE item SET name = NULL", 'overwrites column "item.name" in 2 rows', ["item.name"]),
    "do: drop table": (ITEMS, ROWS, "DO $$BEGIN EXECUTE 'DROP TABLE ' || 'item'; END$$", 'also drops table "public.item", which its text does not show', ["public.item"]),
    "do: drop column": (ITEMS, ROWS, "DO $$BEGIN ALTER TABLE item DROP name; END$$", 'also drops column "public.item.name", which its text does not show', ["public.item.name"]),
    "do: truncate": (ITEMS, ROWS, "DO $$BEGIN TRUNCATE item; END$$", 'also empties table "public.item", which its text does not show', ["public.item"]),
    "do: truncate, and fill again": (ITEMS, ROWS, "DO $$BEGIN TRUNCATE item; INSERT INTO item VALUES (9); END$$", 'also replaces the rows of table "public.item", which its text does not show', ["public.item"]),
    "do: delete": (ITEMS, ROWS, "DO $$BEGIN DELETE FROM item; END$$", 'deletes 3 rows of table "item"', ["item"]),
    "do: update": (ITEMS, ROWS, "DO $$BEGIN UPDATE item SET name = 'x' WHERE id = 2; END$$", 'changes 1 row of table "item"', ["item"]),
    "do: a type": (ITEMS, ROWS, "DO $$BEGIN ALTER TABLE item ALTER price TYPE int; END$$", 'also changes the type of column "public.item.price", which its text does not show', ["public.item.price", "public.item"]),
    "a function": (
        f"{ITEMS}; CREATE FUNCTION undo() RETURNS void LANGUAGE sql AS 'DELETE FROM item'",
        ROWS,
        "SELECT undo(); DROP FUNCTION undo()",
        'deletes 3 rows of table "item"',
        ["item"],
    ),
}
STATE = "SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM {} AS a"


def deploy(database, folder, tidelock, up, rows, down):
    folder.add("001_it", up)
    (folder.path / "001_it" / "down.sql").write_text(down)
    tidelock("deploy", "--drift", "off").succeeds()
    database.query(rows)


@pytest.mark.every_major(13, 18)
@pytest.mark.parametrize("kind", LOSSES)
def test_it_is_refused_until_it_is_named(database, folder, tidelock, kind):
    up, rows, down, says, names = LOSSES[kind]
    table = rows.split("INTO ")[1].split()[0]
    deploy(database, folder, tidelock, up, rows, down)
    held, schema = database.value(STATE.format(table)), tidelock("snapshot").out
    tidelock("rollback", "--drift", "off").fails(exit=8, says=[says, 'the inverse of migration "001_it"', "001_it/down.sql", "tidelock rollback --allow-loss"])
    assert database.value(STATE.format(table)) == held and tidelock("snapshot").out == schema and database.applied() == ["001_it"]
    for known in range(len(names)):
        tidelock("rollback", "--drift", "off", *(["--allow-loss", *names[:known]] if known else [])).fails(exit=8)
    tidelock("rollback", "--drift", "off", "--allow-loss", *names).succeeds()
    assert database.applied() == []


@pytest.mark.parametrize(
    "settings",
    ["SET LOCAL search_path = shop, public", "SET LOCAL role = {role}", "SET LOCAL standard_conforming_strings = off", "SET LOCAL row_security = off"],
)
@pytest.mark.parametrize("kind", ["update to null", "a type that rounds", "do: update", "do: truncate, and fill again"])
def test_whatever_the_inverse_has_set(database, folder, tidelock, kind, settings):
    up, rows, down, _, _ = LOSSES[kind]
    role = f"app_{database.name}"
    traps = "CREATE SCHEMA shop; CREATE FUNCTION shop.never(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false'; CREATE OPERATOR shop.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = shop.never)"
    database.query(f"CREATE ROLE {role}; GRANT ALL ON SCHEMA public TO {role}")
    try:
        deploy(database, folder, tidelock, f"{traps}; {up}; ALTER TABLE item OWNER TO {role}", rows, f"{settings.format(role=role)}; {down}")
        tidelock("rollback", "--drift", "off").fails(exit=8, says=["item", "--allow-loss"])
        assert database.value("SELECT count(price) FROM item") == 2
    finally:
        database.query(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


def test_counting_may_take_longer_than_the_inverse(database, folder, tidelock):
    slow = "CREATE FUNCTION slow(numeric) RETURNS numeric LANGUAGE sql AS 'SELECT pg_sleep(0.5); SELECT $1'"
    down = "SET LOCAL statement_timeout = '200ms'; ALTER TABLE item ALTER price TYPE int USING slow(price)"
    deploy(database, folder, tidelock, f"{ITEMS}; {slow}", ROWS, down)
    tidelock("rollback", "--drift", "off").fails(exit=8, says="which holds 1 value that the new type does not keep")
    tidelock("rollback", "--drift", "off", "--allow-loss", "item.price").fails(exit=6, says="statement timeout")


@pytest.mark.parametrize("down", ["DELETE FROM item", "DROP VIEW v"])
def test_a_server_that_does_not_count(database, folder, tidelock, down):
    deploy(database, folder, tidelock, f"{ITEMS}; CREATE VIEW v AS SELECT 1", ROWS, down)
    database.query(f'ALTER DATABASE "{database.name}" SET track_counts = off')
    tidelock("rollback", "--drift", "off").fails(exit=8, says="cannot be counted: track_counts is off")
    assert database.value("SELECT count(*) FROM item") == 3


# What the migration makes, what comes into it, and an inverse that loses nothing of that.
KEEPS = {
    "views": (f"{ITEMS}; CREATE VIEW v AS SELECT * FROM item; CREATE MATERIALIZED VIEW m AS SELECT 1 AS n", ROWS, "DROP MATERIALIZED VIEW m; DROP VIEW v CASCADE"),
    "an index, a default, a constraint": (f"{ITEMS}; CREATE INDEX i ON item (name); ALTER TABLE item ALTER name SET DEFAULT 'x', ADD CHECK (id > 0)", ROWS, "DROP INDEX i; ALTER TABLE item ALTER name DROP DEFAULT, DROP CONSTRAINT item_id_check"),
    "routines and types": (f"{ITEMS}; CREATE TYPE mood AS ENUM ('x'); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", ROWS, "DROP FUNCTION f(); DROP TYPE mood"),
    "an empty table": (f"{ITEMS}; CREATE TABLE empty (id int)", ROWS, "DROP TABLE empty"),
    "an empty column": (f"{ITEMS}; ALTER TABLE item ADD COLUMN empty int", ROWS, "ALTER TABLE item DROP COLUMN empty"),
    "a detached partition": (PARTS, IN_PARTS, "ALTER TABLE item DETACH PARTITION low"),
    "a column that it fills itself": (ITEMS, ROWS, "ALTER TABLE item ADD COLUMN title text; UPDATE item SET title = name"),
    "a column of partitions that it fills itself": (PARTS, IN_PARTS, "ALTER TABLE item ADD COLUMN title text; UPDATE item SET title = name"),
    "an update of no row": (ITEMS, ROWS, "UPDATE item SET name = NULL WHERE id > 99; DELETE FROM item WHERE id > 99"),
    "what it has made itself": (ITEMS, ROWS, "CREATE TABLE own AS SELECT * FROM item; UPDATE own SET name = NULL; ALTER TABLE own ALTER price TYPE int; DELETE FROM own; DROP TABLE own"),
    "a wider type": (ITEMS, ROWS, "ALTER TABLE item ALTER id TYPE bigint, ALTER price TYPE numeric(12,3), ALTER name TYPE varchar(9)"),
    "a narrower type that holds it all": (ITEMS, "INSERT INTO item VALUES (1, '7', 2.00)", "ALTER TABLE item ALTER price TYPE int, ALTER id TYPE smallint, ALTER name TYPE int USING name::int"),
    "a column with a default for each row": (ITEMS, ROWS, "ALTER TABLE item ADD COLUMN r float8 DEFAULT random()"),
    "a table that is not logged": (ITEMS, ROWS, "ALTER TABLE item SET UNLOGGED"),
    "a type of no value": (ITEMS, "INSERT INTO item VALUES (1, NULL, NULL)", "ALTER TABLE item ALTER name TYPE boolean USING name LIKE 'x'"),
    "an enum that holds it all": (MOOD, "INSERT INTO item VALUES (1, 'good')", NO_BAD),
    "an enum as text": (MOOD, MOODS, "ALTER TABLE item ALTER m TYPE text; DROP TYPE mood"),
    "rows it adds": (ITEMS, ROWS, "INSERT INTO item VALUES (4, 'pan', 1)"),
}


@pytest.mark.parametrize("kind", KEEPS)
def test_what_loses_nothing_needs_no_word(database, folder, tidelock, kind):
    up, rows, down = KEEPS[kind]
    deploy(database, folder, tidelock, up, rows, down)
    tidelock("rollback", "--drift", "off").succeeds()
    assert database.applied() == []
