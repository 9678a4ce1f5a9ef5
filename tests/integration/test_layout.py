"""A folder that holds no migrations is a mistake of the image, never "nothing to do"; and what the text of a script tells is told before the first one runs."""

import pytest

# What lies in prisma/migrations, and what it is applied as where the folder may tell.
FOLDERS = {
    "goose": {"00001_a.sql": "-- +goose Up\nCREATE TABLE a ();\n-- +goose Down\nDROP TABLE a;\n"},
    "dbmate": {"20240101000000_a.sql": "-- migrate:up transaction:false\nCREATE TABLE a ();\n\n-- migrate:down\nDROP TABLE a;\n"},
    "sqlx": {"20240101000000_a.sql": "CREATE TABLE a ();"},
    "Flyway": {"V1__a.sql": "CREATE TABLE a ();", "V2__b.sql": "CREATE TABLE b ();", "V10__c.sql": "CREATE TABLE c ();"},
    "Drizzle": {
        "0000_a.sql": "CREATE TABLE a ();\n--> statement-breakpoint\nCREATE TABLE b ();",
        "meta/_journal.json": '{"version": "7", "dialect": "postgresql", "entries": [{"idx": 0, "version": "7", "when": 1700000000000, "tag": "0000_a", "breakpoints": true}]}',
    },
}
# Nobody but their tools can apply these; with what.
FOREIGN = {
    "sql-migrate": ({"1_a.sql": "-- +migrate Up\nCREATE TABLE a ();\n-- +migrate Down\nDROP TABLE a;\n"}, "sql-migrate up"),
    "rambler": ({"1_a.sql": "-- rambler up\nCREATE TABLE a ();\n-- rambler down\nDROP TABLE a;\n"}, "rambler apply"),
    "tern": ({"001_a.sql": "CREATE TABLE a ();\n---- create above / drop below ----\nDROP TABLE a;\n"}, "tern migrate"),
    "node-pg-migrate": ({"1_a.sql": "-- Up Migration\nCREATE TABLE a ();\n-- Down Migration\nDROP TABLE a;\n"}, "node-pg-migrate up"),
    "micrate": ({"20240101000000_a.sql": "-- +micrate Up\nCREATE TABLE a ();\n-- +micrate Down\nDROP TABLE a;\n"}, "micrate up"),
    "Play": ({"1.sql": "-- !Ups\nCREATE TABLE a ();\n-- !Downs\nDROP TABLE a;\n"}, "play.evolutions.autoApply=true"),
    "shmig": ({"1485643154-a.sql": "-- ==== UP ====\nCREATE TABLE a ();\n-- ==== DOWN ====\nDROP TABLE a;\n"}, "shmig migrate"),
    "graphile-migrate": ({"000001-a.sql": "--! Previous: -\n--! Hash: sha1:0\nCREATE TABLE a ();\n"}, "graphile-migrate migrate"),
    "Liquibase": ({"1_a.sql": "--liquibase formatted sql\n--changeset a:1\nCREATE TABLE a ();"}, "liquibase update"),
}
PROGRAMS = {
    "Rails": ({"20240101000000_create_a.rb": "class CreateUsers < ActiveRecord::Migration[7.1]\nend"}, "bin/rails db:migrate"),
    "Django": ({"__init__.py": "", "0001_initial.py": "from django.db import migrations"}, "python manage.py migrate"),
    "Alembic": ({"1975ea83b712_a.py": "from alembic import op"}, "alembic upgrade head"),
    "Knex": ({"20240101_a.js": "exports.up = function (knex) {}"}, "knex migrate:latest"),
    "TypeORM": ({"1704067200000-A.ts": "class A implements MigrationInterface { async up(queryRunner: QueryRunner) {} }"}, "typeorm migration:run"),
    "Sequelize": ({"20240101-a.js": "module.exports = { up: (queryInterface) => {} }"}, "sequelize db:migrate"),
    "node-pg-migrate": ({"1704067200000_a.mjs": "export const up = (pgm) => {}"}, "node-pg-migrate up"),
    "Entity Framework": ({"20240101000000_A.cs": "public partial class A : Migration {}"}, "dotnet ef database update"),
    "Liquibase": ({"db.changelog-master.yaml": "databaseChangeLog:\n"}, "liquibase update"),
    "Laravel": ({"2024_01_01_000000_a.php": "use Illuminate\\Database\\Migrations\\Migration;"}, "php artisan migrate"),
    "Ecto": ({"20240101000000_a.exs": "defmodule A do"}, "mix ecto.migrate"),
}
COMMANDS = {
    "deploy": ["deploy"],
    "strict": ["deploy", "--strict"],
    "status": ["status", "--exit-code"],
    "wait": ["wait", "--leader-timeout", "1s"],
    "run": ["run", "--", "echo", "APP"],
    "baseline": ["baseline"],
}


def fill(folder, files):
    for name, text in files.items():
        (folder.path / name).parent.mkdir(exist_ok=True)
        (folder.path / name).write_text(text)


def fails_at_once(result, *says):
    result.fails(exit=2, says=[*says, "Nothing was changed", "--migrations DIR"])
    assert "APP" not in result.out
    return result


@pytest.mark.fault
@pytest.mark.parametrize("command", [command for command in COMMANDS if command != "baseline"])
def test_a_folder_that_is_empty(database, folder, tidelock, command):
    folder.provider()
    fails_at_once(tidelock(*COMMANDS[command]), "prisma/migrations\" holds no migrations", 'All it holds is "migration_lock.toml"', "COPY prisma ./prisma")
    assert not database.holds("_prisma_migrations")


def test_a_ledger_before_the_first_migration(database, folder, tidelock):
    """For a schema that is there already, and no migration yet."""
    database.query("CREATE TABLE t ()")
    tidelock("baseline").succeeds()
    folder.add("001_u", "CREATE TABLE u ()")
    tidelock("deploy").succeeds(applied=["001_u"])


@pytest.mark.fault
def test_a_folder_that_became_empty(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t ()")
    tidelock("deploy").succeeds()
    folder.remove("001_t")
    for command in [COMMANDS[name] for name in COMMANDS if name != "baseline"]:
        fails_at_once(tidelock(*command), "holds no migrations")


@pytest.mark.parametrize("tool", FOLDERS)
def test_a_folder_tells_whose_it_is(database, folder, tidelock, tool):
    fill(folder, FOLDERS[tool])
    applied = ["0000_a"] if tool == "Drizzle" else list(FOLDERS[tool])
    tidelock("deploy").succeeds(applied=applied, says=f'"prisma/migrations" is a folder of {tool}')
    assert database.holds("a") and not database.holds("_prisma_migrations")


@pytest.mark.fault
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("tool", FOLDERS)
def test_a_folder_of_another_tool_than_said(database, folder, tidelock, tool, command):
    fill(folder, FOLDERS[tool])
    words = COMMANDS[command]
    at = words.index("--") if "--" in words else len(words)
    result = tidelock(*words[:at], "--format", "prisma", *words[at:])
    fails_at_once(result, f"holds no migrations of Prisma, but looks like a folder of {tool}", f"--format {tool.lower()}, or --format auto")
    assert not database.holds("_prisma_migrations") and not database.holds("a")


@pytest.mark.fault
def test_a_folder_of_prisma_s_that_is_said_to_be_another_tool_s(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t ()")
    fails_at_once(tidelock("deploy", "--format", "goose", "--migrations", "prisma/migrations"), "holds no migrations of goose, but looks like a folder of Prisma", "--format prisma, or --format auto")


@pytest.mark.fault
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("tool", FOREIGN)
def test_scripts_of_a_tool_that_alone_can_apply_them(database, folder, tidelock, tool, command):
    files, says = FOREIGN[tool]
    fill(folder, files)
    fails_at_once(tidelock(*COMMANDS[command]), "1 .sql file", f"looks like a script of {tool}.", f"Only {tool} can apply its own migrations: {says}.")
    assert not database.holds("a")


@pytest.mark.fault
def test_scripts_that_no_tool_calls_so(database, folder, tidelock):
    fill(folder, {"schema.sql": "CREATE TABLE a ()", "seed.sql": "INSERT INTO a VALUES (1)"})
    fails_at_once(tidelock("deploy"), "2 .sql files", 'No tool that is known calls its scripts like "schema.sql"', "Say whose the folder is with --format")
    fails_at_once(tidelock("deploy", "--format", "dbmate", "--migrations", "prisma/migrations"), "holds no migrations of dbmate", "Each migration is a file NUMBER_name.sql.")


@pytest.mark.fault
@pytest.mark.parametrize("command", COMMANDS)
def test_a_tool_s_own_file_says_whose_the_folder_is(database, folder, tidelock, command):
    fill(folder, {"20240101000000_a.sql": "CREATE TABLE a ()", "atlas.sum": "h1:0\n"})
    tidelock(*COMMANDS[command]).fails(exit=2, says=["is one of Atlas: it holds atlas.sum", "Only Atlas can apply its own migrations: atlas migrate apply", "Nothing was changed"])
    tidelock("deploy", "--format", "sqlx", "--migrations", "prisma/migrations").succeeds(applied=["20240101000000_a.sql"])


@pytest.mark.fault
def test_where_a_folder_lies_may_say_whose_it_is(database, folder, tidelock):
    """Supabase's scripts are called as sqlx's are."""
    scripts = folder.root / "supabase" / "migrations"
    scripts.mkdir(parents=True)
    (scripts / "20240101000000_a.sql").write_text("CREATE TABLE a ()")
    tidelock("deploy", "--migrations", "supabase/migrations").fails(exit=2, says=["is one of Supabase: it lies in a folder supabase", "supabase db push", "Nothing was changed"])
    tidelock("deploy", "--format", "sqlx", "--migrations", "supabase/migrations").succeeds(applied=["20240101000000_a.sql"])


@pytest.mark.fault
@pytest.mark.parametrize("file", ["20240101_a.ts", "a.js", "initial.py"])
def test_programs_of_nobody_knows_whom(folder, tidelock, database, file):
    fill(folder, {file: ""})
    fails_at_once(tidelock("deploy"), f'1 file like "{file}"', "Only SQL can be applied here")


@pytest.mark.fault
@pytest.mark.parametrize("tool", PROGRAMS)
def test_migrations_as_programs(folder, tidelock, database, tool):
    files, says = PROGRAMS[tool]
    fill(folder, files)
    fails_at_once(tidelock("deploy"), f"{len(files)} file", f"looks like a migration of {tool}.", f"Only {tool} can apply its own migrations: {says}.")


@pytest.mark.fault
def test_a_migration_in_place_of_its_folder(database, folder, tidelock):
    folder.add("20240101_init", "CREATE TABLE t ()")
    result = tidelock("deploy", "--migrations", "prisma/migrations/20240101_init")
    fails_at_once(result, '"prisma/migrations/20240101_init" is not a folder of migrations, but a single one')


@pytest.mark.fault
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("said", ["prisma", "."])
def test_a_folder_that_is_said_too_high(database, folder, tidelock, command, said):
    folder.add("20240101_init", "CREATE TABLE t ()")
    (folder.path.parent / "schema.prisma").write_text("")
    (folder.path.parent / "a").mkdir()
    (folder.path.parent / "seed.sql").write_text("SELECT 1")
    words = COMMANDS[command]
    at = words.index("--") if "--" in words else len(words)
    below = "prisma/migrations" if said == "prisma" else "./prisma/migrations"
    result = tidelock(*words[:at], "--migrations", said, *words[at:])
    result.fails(exit=2, says=[f'the folder of migrations "{said}" holds none itself, but "{below}" does', f"--migrations {below}", "Nothing was changed"])
    assert "APP" not in result.out
    assert not database.holds("_prisma_migrations")


@pytest.mark.fault
@pytest.mark.parametrize("tool", FOLDERS)
def test_another_tool_s_folder_that_is_said_too_high(database, folder, tidelock, tool):
    fill(folder, FOLDERS[tool])
    result = tidelock("deploy", "--migrations", "prisma")
    result.fails(exit=2, says=['"prisma" holds none itself, but "prisma/migrations" does', "--migrations prisma/migrations", "Nothing was changed"])
    assert ('If all below "prisma" are: --format flyway.' in result.errors) == (tool == "Flyway")
    tidelock("deploy", "--migrations", "prisma/migrations").succeeds()


def test_applied_migrations_need_their_scripts_no_longer(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t ()")
    tidelock("deploy").succeeds()
    (folder.path / "001_t" / "migration.sql").unlink()
    tidelock("deploy").succeeds(says="No pending")


WAYS_BACK = {
    "goose": "-- +goose Up\nCREATE TABLE a ();\n-- +goose Down\nDROP TABLE a;",
    "dbmate": "-- migrate:up\nCREATE TABLE a ();\n--  Migrate:DOWN transaction:false\nDROP TABLE a;",
    "sql-migrate": "-- +migrate Up\nCREATE TABLE a ();\n\n--+migrate Down notransaction\nDROP TABLE a;",
    "rambler": "-- rambler up\nCREATE TABLE a ();\r\n-- rambler down\r\nDROP TABLE a;",
    "micrate": "-- +micrate Up\nCREATE TABLE a ();\n\n-- +micrate Down\nDROP TABLE a;",
    "node-pg-migrate": "--- Up Migration\nCREATE TABLE a ();\n-- - DOWN  migration of a\nDROP TABLE a;",
    "Play": "-- !Ups\nCREATE TABLE a ();\n-- --- !Downs\nDROP TABLE a;",
    "shmig": "-- ====  UP  ====\nCREATE TABLE a ();\n-- ==== DOWN ====\nDROP TABLE a;",
    "MyBatis Migrations": "-- // a: up and down\nCREATE TABLE a ();\n--//@UNDO\nDROP TABLE a; -- down",
    "node-sqlite": "-- Up ---\nCREATE TABLE a ();\n--------\n-- Down\n--------\nDROP TABLE a;",
}
# More ways to write them.
WRITTEN = {
    "no mark in front": ("node-pg-migrate", "CREATE TABLE a ();\n-- Down Migration: undo\nDROP TABLE a;"),
    "nothing in front": ("dbmate", "-- migrate:up\n\n-- migrate:down\nDROP TABLE a;"),
    "colons": ("node-sqlite", "-- Up:\nCREATE TABLE a ();\n-- Down:\nDROP TABLE a;"),
    "frames": ("node-sqlite", "--UP--\nCREATE TABLE a ();\n--DOWN--\nDROP TABLE a;"),
    "a mixture": ("node-sqlite", "-- Up Migration\nCREATE TABLE a ();\n-- Down\nDROP TABLE a;"),
}


@pytest.mark.fault
@pytest.mark.parametrize("mode", ["", "-- tidelock: transaction=off\n", "BEGIN; COMMIT;\n"], ids=["atomic", "stepwise", "self-managed"])
@pytest.mark.parametrize("tool", WAYS_BACK)
def test_a_way_back_is_not_run_behind_the_way_there(database, folder, tidelock, tool, mode):
    folder.add("001_before", "CREATE TABLE before ()")
    file = folder.add("002_a", mode + WAYS_BACK[tool])
    lines = file.read_text().splitlines()
    line = max(number for number, text in enumerate(lines, 1) if text.startswith("--") and ("down" in text.lower() or "UNDO" in text))
    result = tidelock("deploy").fails(exit=6, says=["P3018", '"002_a" was not started', f"to {tool}, what follows undoes the migration"], at=f"002_a/migration.sql:{line}:1")
    assert "Nothing of 002_a" in result.errors
    assert not database.holds("before") and database.ledger() == []


@pytest.mark.fault
@pytest.mark.parametrize("how", WRITTEN)
def test_a_way_back_is_known_however_it_is_written(database, folder, tidelock, how):
    tool, script = WRITTEN[how]
    folder.add("001_a", script)
    tidelock("deploy").fails(exit=6, says=[f"to {tool}, what follows undoes the migration", "word the comment differently" if tool != "dbmate" else "Remove it from here on"])
    assert not database.holds("a") and database.ledger() == []


@pytest.mark.parametrize("script", ["-- Down migration is impossible: data is lost\nSELECT 1", "-- migrate:down is done by hand\nSELECT 1", "-- @undo by hand\nSELECT 1", "SELECT '\n-- +goose Down\n'", "DO $$ BEGIN\n-- migrate:down\nEND $$", "/* -- +goose Down */", "-- see +goose Down", "-- migrate:downwards", "SELECT 1 -- down", "-- down\nSELECT 1", "-- up to ten\nSELECT 1;\n-- down to one\nSELECT 2", "-- up\nSELECT 1;\n-- downs\nSELECT 2", "SELECT 1;\n-- Down Migration\n-- to be written\n;", pytest.param("-" * 300000 + "\nSELECT 1", id="dashes")])
def test_what_is_no_way_back(database, folder, tidelock, script):
    folder.add("001_t", script)
    tidelock("deploy").succeeds(applied=["001_t"])


# What the text tells, and what is said of it.
BAD = {
    "encoding": (b"SELECT '\xff'", "is not valid UTF-8"),
    "NUL": (b"SELECT 1;\0", "NUL byte"),
    "directive": ("-- tidelock: lock-timeut=1s\nSELECT 1", "lock-timeut"),
    "psql": ("\\connect other\nSELECT 1", "psql"),
    "open transaction": ("BEGIN;\nSELECT 1;", "BEGIN"),
    "unterminated": ("SELECT 'x", "002_bad/migration.sql:1:8"),
    "missing": (None, "migration.sql"),
}


@pytest.mark.fault
@pytest.mark.parametrize("what", BAD)
def test_what_the_text_tells_is_told_before_anything_is_applied(database, folder, tidelock, what):
    script, says = BAD[what]
    folder.add("001_before", "CREATE TABLE before ()")
    folder.add("002_bad", script)
    result = tidelock("deploy").fails(exit=8 if what == "missing" else 6, says=[says, "002_bad"])
    assert not database.holds("before") and database.ledger() == [], result.errors
    folder.remove("002_bad")
    tidelock("deploy").succeeds(applied=["001_before"])


@pytest.mark.fault
def test_what_is_half_done_is_said_though_a_later_script_stops_the_run(database, folder, tidelock):
    folder.add("001_half", "-- tidelock: transaction=off\nCREATE TABLE half (); SELECT 1/0")
    tidelock("deploy").fails(exit=7)
    folder.add("002_bad", "BEGIN; SELECT 1")
    result = tidelock("deploy").fails(exit=7, says=["002_bad", "001_half is still half done."])
    assert "left nothing behind" not in result.errors


@pytest.mark.fault
def test_a_password_in_a_script_is_not_shown_as_what_persists(database, folder, tidelock):
    folder.add("001_half", "-- tidelock: transaction=off\nDO $$ BEGIN CREATE ROLE maker PASSWORD 'S3CRET'; DROP ROLE maker; END $$;\nALTER ROLE CURRENT_USER SET lock_timeout = 0;\nSELECT 1/0")
    result = tidelock("deploy").fails(exit=7, says="persisted")
    assert "S3CRET" not in result.errors + tidelock("status").out + tidelock("status", "--json").out


@pytest.mark.fault
def test_a_directive_that_says_nothing(database, folder, tidelock):
    folder.add("001_a", "-- tidelock: \nSELECT 1")
    tidelock("deploy").fails(exit=6, says=["001_a", "the directive says nothing", "tidelock help directives"])
