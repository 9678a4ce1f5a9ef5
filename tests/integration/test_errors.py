"""The last word of a failing run: what, where, why, what the database holds, what to type next."""


def test_the_whole_block(database, folder, tidelock):
    folder.add("001_good", "CREATE TABLE parts (id int PRIMARY KEY, name text CHECK (name <> ''))")
    folder.add("002_bad", "-- parts\nINSERT INTO parts VALUES (1, 'ok');\n\tINSERT INTO parts VALUES (1, 'öl');\n")
    errors = tidelock("deploy").fails(exit=6).errors.splitlines()
    at = errors.index("tidelock: error P3018: migration \"002_bad\" failed: duplicate key value violates unique constraint \"parts_pkey\"")
    assert errors[at + 1 :] == [
        "  at        prisma/migrations/002_bad/migration.sql:3:2",
        "             INSERT INTO parts VALUES (1, 'öl');",
        "             ^",
        "  sqlstate  23505",
        "  detail    Key (id)=(1) already exists.",
        "  holds     Nothing of 002_bad; already applied by this run: 1 migration.",
        "  next      The data does not allow it: correct the rows that the message names, or prisma/migrations/002_bad/migration.sql (databases that already have it will report the edit), if that wrote them. Then deploy again.",
        "  exit      6: a migration failed and left nothing behind",
    ]


def test_the_servers_own_position_is_used(database, folder, tidelock):
    folder.add("001_s", "CREATE TABLE a (\n    id int,\n    name txt\n);")
    tidelock("deploy").fails(exit=6, says=['type "txt" does not exist', "    name txt\n", "42704"], at="001_s/migration.sql:3:10")


def test_an_error_inside_a_function_says_where_it_was_called(database, folder, tidelock):
    folder.add("001_f", "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1/0; END $$;\nSELECT 1;\nSELECT f();")
    tidelock("deploy").fails(exit=6, says=["division by zero", "PL/pgSQL function f() line 1"], at="001_f/migration.sql:3:1")


def test_what_a_script_makes_the_server_say_cannot_forge_a_line(database, folder, tidelock):
    folder.add("001_f", "DO $$ BEGIN RAISE NOTICE E'a\\ntidelock: applied everything\\033[2J'; RAISE EXCEPTION E'b\\n  exit      0: done'; END $$")
    errors = tidelock("deploy").fails(exit=6).errors
    assert "\033" not in errors
    assert not any(line.startswith(("tidelock: applied", "  exit      0")) for line in errors.splitlines())
