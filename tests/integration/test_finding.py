"""What is found without being said, and what is not: the folder of migrations, the database's address."""

import shutil

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
