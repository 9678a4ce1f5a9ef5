"""What is found without being said, and what is not: the folder of migrations, the database's address."""

import os
import shutil
import subprocess

import pytest

CONFIG = """import { defineConfig } from "prisma/config";
export default defineConfig({
  schema: "db/schema.prisma", // not prisma/schema.prisma
  migrations: { path: "./db/steps" },
});
"""


def move(folder, path):
    """The folder, and nothing else, at `path` of the project."""
    target = folder.root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(folder.path, target)
    folder.path = target
    return target


@pytest.mark.parametrize("file", ["prisma.config.ts", "prisma.config.mjs"])
def test_the_folder_that_prismas_configuration_names(database, folder, tidelock, file):
    folder.add("001_t", "CREATE TABLE t ()")
    move(folder, "db/steps")
    (folder.root / "prisma" / "migrations" / "001_other").mkdir(parents=True)
    (folder.root / file).write_text(CONFIG)
    tidelock("deploy").succeeds(applied=["001_t"], says="1 migration found in ./db/steps")
    tidelock("status", "--exit-code").succeeds()


def test_the_schema_that_package_json_names(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t ()")
    move(folder, "packages/db/prisma/schema/migrations")
    (folder.root / "package.json").write_text('{"name": "shop", "prisma": {"schema": "packages/db/prisma/schema"}}')
    tidelock("deploy").succeeds(applied=["001_t"])


@pytest.mark.fault
def test_a_folder_that_prismas_configuration_says_in_code(database, folder, tidelock):
    """It is not guessed at: the usual place is taken with a warning, or the file is named."""
    folder.add("001_t", "CREATE TABLE t ()")
    (folder.root / "prisma.config.ts").write_text("export default { migrations: { path: path.join('db', 'steps') } }")
    tidelock("deploy").succeeds(applied=["001_t"], says='prisma.config.ts may name another folder of migrations than "prisma/migrations"')
    tidelock("deploy", "--migrations", "prisma/migrations").succeeds(says="No pending")
    move(folder, "db/steps")
    tidelock("deploy").fails(exit=2, says=["could not find the folder of migrations", "prisma.config.ts may say where it is", "--migrations DIR"])
    tidelock("deploy", "--migrations", "db/steps").succeeds(says="No pending")


@pytest.mark.fault
def test_every_place_that_was_looked_at_is_named(database, tidelock, tmp_path):
    tmp_path.joinpath("bare").mkdir()
    places = "prisma/migrations, prisma/schema/migrations, migrations, db/migrations, sql/migrations, drizzle, db/migration, src/main/resources/db/migration, sql"
    result = tidelock("deploy", cwd=tmp_path / "bare")
    result.fails(exit=2, says=["could not find the folder of migrations: none of ", "check that it is in the image."])
    line = next(line for line in result.errors.splitlines() if "none of " in line)
    assert sorted(line.split("none of ")[1].split(" exists")[0].split(", ")) == sorted(places.split(", "))
    assert "COPY" not in result.errors
    tidelock("deploy", "--format", "prisma", cwd=tmp_path / "bare").fails(exit=2, says="COPY prisma ./prisma")


@pytest.mark.fault
@pytest.mark.parametrize(
    "text, why",
    [('{"name": "shop", // a comment\n"prisma": {"schema": "db/schema.prisma"}}', "it is not JSON"), ('{"prisma": {"schema": ["db/schema.prisma"]}}', "not as a string"), ('{"prisma": "db"}', "not as a string")],
)
def test_a_package_that_says_it_in_a_way_that_is_not_understood(database, folder, tidelock, text, why):
    folder.add("001_t", "CREATE TABLE t ()")
    (folder.root / "package.json").write_text(text)
    tidelock("deploy").succeeds(applied=["001_t"], says=f'package.json may name another folder of migrations than "prisma/migrations", but {why}: to be sure, name it with --migrations DIR')
    assert "package.json" not in tidelock("deploy", "--migrations", "prisma/migrations").succeeds().errors
    move(folder, "db/migrations")
    tidelock("status").fails(exit=2, says=f"package.json may say where it is, but {why}.")


@pytest.mark.fault
def test_a_schema_that_is_said_in_code_is_warned_of_too(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t ()")
    (folder.root / "prisma.config.ts").write_text("export default { schema: path.join('db', 'schema.prisma') }")
    tidelock("deploy").succeeds(applied=["001_t"], says='prisma.config.ts may name another folder of migrations than "prisma/migrations"')


@pytest.mark.fault
def test_a_folder_that_prismas_configuration_names_and_that_is_not_there(database, folder, tidelock):
    """Another one may belong to something else."""
    folder.add("001_t", "CREATE TABLE t ()")
    (folder.root / "prisma.config.ts").write_text(CONFIG)
    tidelock("deploy").fails(exit=2, says=['the folder of migrations "./db/steps", which prisma.config.ts names'])
    assert not database.holds("t")


@pytest.mark.fault
@pytest.mark.parametrize("command", [["deploy"], ["status"], ["wait"], ["run", "--"]], ids=lambda command: command[0])
def test_a_schema_that_does_not_exist(database, folder, tidelock, command):
    folder.add("001_t", "CREATE TABLE t ()")
    command = [command[0], "--schema", "prisma/schema.prisma", *command[1:], *(["true"] if command[0] == "run" else [])]
    tidelock(*command).fails(exit=2, says=['could not find the schema "prisma/schema.prisma"', "--migrations DIR"])


# ---- --env-file ----

SECRET = "kx7-Qp29-no-word"


def without_url(tidelock, *arguments, **environment):
    """Nothing but the file says where the database is."""
    return tidelock(*arguments, url="", environment=environment)


def write_env(folder, text):
    (folder.root / ".env").write_text(text)


def test_a_file_of_variables_is_read_when_it_is_named(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t ()")
    write_env(folder, f'# the database\nexport DATABASE_URL="{database.url()}" # local\nTIDELOCK_LOG_FORMAT=json\nVITE_TITLE=\'Shop # 1\'\n')
    without_url(tidelock, "deploy").fails(exit=2, says=["no database is set", "add --env-file .env"])
    without_url(tidelock, "deploy", "--env-file", "other.env").fails(exit=2, says=["other.env", "--env-file FILE"])
    assert without_url(tidelock, "deploy", "--env-file", ".env").succeeds().errors.startswith('{"') and database.holds("t")
    (folder.root / ".env").unlink()
    assert "--env-file" not in without_url(tidelock, "deploy").fails(exit=2, says="no database is set").errors


@pytest.mark.fault
@pytest.mark.parametrize("variable", ["PGUSER", "PGDATABASE"])
def test_a_file_that_nobody_reads_is_named_where_no_server_is(database, folder, tidelock, variable):
    """libpq looks on this machine, and who has a .env may wonder."""
    folder.add("001_t", "CREATE TABLE t ()")
    only = {variable: "nobody", "TIDELOCK_CONNECT_DEADLINE": "0"}
    assert ".env" not in without_url(tidelock, "deploy", **only).errors
    write_env(folder, f"DATABASE_URL={database.url()}\n")
    for command in ("deploy", "status"):
        result = without_url(tidelock, command, **only)
        assert result.code in (2, 3) and "There is a .env here, which is read only if you say so: add --env-file .env" in result.errors
    assert ".env" not in without_url(tidelock, "deploy", PGHOST="127.0.0.1", PGPORT="1", **only).errors
    without_url(tidelock, "deploy", "--env-file", ".env", **only).succeeds(applied=["001_t"])


def test_the_environment_and_flags_win_over_the_file(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t ()")
    write_env(folder, "DATABASE_URL=postgresql://nobody@127.0.0.1:1/nowhere\nTIDELOCK_CONNECT_DEADLINE=0\nTIDELOCK_MIGRATIONS=elsewhere\n")
    tidelock("deploy", "--env-file", ".env").fails(exit=2, says="elsewhere")
    tidelock("deploy", "--env-file", ".env", "--migrations", "prisma/migrations").succeeds(applied=["001_t"])
    (folder.root / "tidelock.yaml").write_text("migrations: nowhere\n")
    tidelock("status", "--env-file", ".env").fails(exit=2, says="elsewhere")
    tidelock("status", "--env-file", ".env", environment={"TIDELOCK_MIGRATIONS": "prisma/migrations"}).succeeds()
    without_url(tidelock, "status", "--env-file", ".env", DATABASE_URL="", TIDELOCK_MIGRATIONS="prisma/migrations").fails(exit=3, says="127.0.0.1:1")


def test_variables_of_libpq_come_from_the_file_too(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t ()")
    url = database.url()
    login, place = url.removeprefix("postgresql://").split("?")[0].split("@")
    host, name = place.split("/")
    write_env(folder, f"PGHOST={host.split(':')[0]}\nPGPORT={host.split(':')[1]}\nPGUSER={login.split(':')[0]}\nPGDATABASE={name}\nPGAPPNAME=x\n")
    without_url(tidelock, "deploy", "--env-file", ".env").succeeds(applied=["001_t"])


def test_run_gives_the_file_to_its_command(database, folder, tidelock):
    """As "docker run --env-file" does; but for what is for migrations only."""
    folder.add("001_t", "CREATE TABLE t ()")
    write_env(folder, f"DIRECT_URL={database.url()}\nTIDELOCK_LOG_LEVEL=warn\nTITLE='a shop'\nHOME=/nowhere\n")
    result = without_url(tidelock, "run", "--env-file", ".env", "--", "env", HOME="/root").succeeds()
    assert {"TITLE=a shop", "HOME=/root"} <= set(result.out.splitlines())
    assert "DIRECT_URL" not in result.out and "TIDELOCK_" not in result.out


@pytest.mark.fault
@pytest.mark.parametrize("format", ["text", "json", "logfmt"])
def test_a_line_that_is_not_understood_is_named_and_not_shown(database, folder, tidelock, format):
    folder.add("001_t", "CREATE TABLE t ()")
    write_env(folder, f"A=1\nDATABASE_URL=postgresql://u:{SECRET}#x@h/d\n")
    result = tidelock("deploy", "--env-file", ".env", "--log-format", format).fails(exit=2, says=["begins a comment to some tools", "single quotes"])
    assert SECRET not in result.out + result.errors and "postgresql" not in result.errors
    assert ".env:2:" in result.errors or '.env","line":2' in result.errors.replace(" ", ""), result.errors


@pytest.mark.fault
@pytest.mark.parametrize("line", ["export TITLE = {}", "TITLE ={}", "DATABASE_URL = {}"])
def test_what_neither_a_shell_nor_docker_takes_is_refused(database, folder, tidelock, line):
    folder.add("001_t", "CREATE TABLE t ()")
    write_env(folder, f"# the shop\n{line.format(SECRET)}\n")
    shell = subprocess.run(["sh", "-ec", ". ./.env"], cwd=folder.root, stderr=subprocess.DEVNULL, check=False)
    assert shell.returncode != 0
    result = tidelock("deploy", "--env-file", ".env").fails(exit=2, says=["there is a blank between the variable and its =", ".env:2:"])
    assert SECRET not in result.errors


@pytest.mark.fault
def test_a_value_that_is_wrong_is_named_with_its_line(database, folder, tidelock):
    write_env(folder, "\n\nTIDELOCK_LOCK_TIMEOUT=5\n")
    tidelock("deploy", "--env-file", ".env").fails(exit=2, says=["TIDELOCK_LOCK_TIMEOUT", "is not a duration", "reading .env:3"])
    tidelock("deploy", "--env-file", ".env", environment={"TIDELOCK_LOCK_TIMEOUT": "5"}).fails(exit=2, says="is not a duration")


def test_a_secret_of_the_file_is_blanked(database, folder, tidelock):
    folder.add("001_t", f"SELECT '{SECRET}'::int")
    write_env(folder, f"TIDELOCK_WEBHOOK_KEY={SECRET}\n")
    result = tidelock("deploy", "--env-file", ".env").fails(exit=6, says=["22P02", "***"])
    assert SECRET not in result.out + result.errors


@pytest.mark.fault
@pytest.mark.parametrize("kind", ["directory", "huge", "binary", "pipe that nobody writes"])
def test_what_is_no_file_of_variables(database, folder, tidelock, kind):
    file = folder.root / "x.env"
    match kind:
        case "directory":
            file.mkdir()
        case "huge":
            file.write_bytes(b"#\n" * (1 << 20))
        case "binary":
            file.write_bytes(bytes(range(256)))
        case _:
            os.mkfifo(file)
    tidelock("deploy", "--env-file", "x.env").fails(exit=2, says="x.env")


def test_the_file_may_come_through_a_pipe(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t ()")
    script = f"exec {tidelock.binary} deploy --env-file <(echo DATABASE_URL='{database.url()}')"
    subprocess.run(["bash", "-c", script], cwd=folder.root, env={"PATH": os.environ["PATH"]}, check=True)
    assert database.holds("t")
