"""Help, the manual page, shell completion and the manual's document: all made from the tables of commands and options."""

import json
import pathlib
import re
import shlex
import subprocess

import pytest
from shells import SHELLS

ROOT = pathlib.Path(__file__).resolve().parents[2]
MANUAL = ROOT / "cmd" / "tidelock" / "README.md"


@pytest.fixture(scope="session")
def tables(binary):
    return json.loads(subprocess.run([binary, "manual", "--json"], check=True, capture_output=True, text=True).stdout)


@pytest.fixture(scope="session")
def installed(binary, tmp_path_factory):
    """Where "make install" has put everything."""
    place = tmp_path_factory.mktemp("installed")
    subprocess.run(
        ["make", "--no-print-directory", "install", f"BINARY={binary}", f"DESTDIR={place}", "PREFIX=/usr"], cwd=ROOT, check=True, capture_output=True
    )
    return place / "usr"


@pytest.fixture(params=SHELLS)
def shell(request, installed, tmp_path):
    home, folder = tmp_path / "home", tmp_path / "folder"
    home.mkdir()
    (folder / "db").mkdir(parents=True)
    (folder / "data.prom").touch()
    return SHELLS[request.param](installed, home, folder)


def options_of(tables, command):
    return sorted("--" + option["name"] for option in tables["options"] if command in option["commands"])


def choices_of(tables, name):
    (option,) = (option for option in tables["options"] if option["name"] == name)
    return sorted(option["choices"])


# ---- help ----


def test_help_lists_every_command_and_fits_a_terminal(tidelock, tables):
    for words in ["help"], ["--help"], ["-h"]:
        page = tidelock(*words).succeeds().out
        for command in tables["commands"]:
            assert re.search(rf"^  {command['name']} +{re.escape(command['summary'][:30])}", page, re.M)
        assert max(map(len, page.splitlines())) <= 80


def test_help_of_every_command_fits_a_terminal_and_tells_all_of_it(tidelock, tables):
    for command in tables["commands"]:
        name = command["name"]
        page = tidelock("help", name).succeeds().out
        assert max(map(len, page.splitlines())) <= 80
        assert page.startswith(f"Usage: tidelock {name}")
        assert f"\nExample:\n  {command['example']}\n" in page
        assert sorted(re.findall(r"^  (--[a-z-]+)", page, re.M)) == options_of(tables, name)
        codes = [row["code"] for row in tables["exits"] if name in row["commands"]]
        assert re.findall(r"^  (\d+(?:\+n)?)  ", page.split("Exit codes:")[1], re.M) == codes
        if name != "help":
            assert tidelock(name, "--help").succeeds().out == tidelock(name, "-h").succeeds().out == page


def test_the_usual_options_come_first(tidelock, tables):
    usual = {"--" + option["name"] for option in tables["options"] if option["usual"]}
    page = tidelock("deploy", "--help").succeeds().out
    first, *groups = re.split(r"^[A-Z][\w -]*:\n", page.split("Common options:\n")[1].split("Exit codes:")[0], flags=re.M)
    assert set(re.findall(r"^  (--[a-z-]+)", first, re.M)) == usual & set(options_of(tables, "deploy"))
    assert re.findall(r"^([A-Z][\w-]*):$", page, re.M) == ["Example", "Command-specific", "Database", "Tenants", "Folder", "Waiting", "Locks", "Reporting", "Kubernetes", "Passwords", "General"]
    assert len(groups) == 10


def test_help_of_an_option_takes_any_of_its_spellings(tidelock):
    page = tidelock("help", "lock-timeout").succeeds().out
    assert page.startswith("--lock-timeout TIME\n")
    for fact in ["TIDELOCK_LOCK_TIMEOUT", "lock_timeout", "Default        0", "0 to 24h", "deploy, run"]:
        assert fact in page
    for word in "--lock-timeout", "lock_timeout", "TIDELOCK_LOCK_TIMEOUT":
        assert tidelock("help", word).succeeds().out == page
    url = tidelock("help", "database-url").succeeds().out
    for word in "DATABASE_URL", "DATABASE_URL_FILE", "TIDELOCK_DATABASE_URL_FILE":
        assert tidelock("help", word).succeeds().out == url
    both = tidelock("help", "lock-timeout", "database-url").succeeds().out
    assert both == page + "\n" + url


def test_help_of_every_option_tells_all_of_it(tidelock, tables):
    for option in tables["options"]:
        page = tidelock("help", "--" + option["name"]).succeeds().out
        flat = " ".join(page.split())
        assert max(map(len, page.splitlines())) <= 80
        for fact in [option["flag"], option["text"], option["environment"], option["key"], option["default"], option["range"], ", ".join(option["choices"])]:
            assert (fact or "") in flat


@pytest.mark.parametrize("tool", ["goose", "golang-migrate", "dbmate", "Flyway", "sqlx", "Drizzle"])
def test_help_of_another_tool_says_where_its_users_begin(tidelock, tool):
    page = tidelock("help", tool.lower()).succeeds().out
    assert "tidelock help format" in page and f'"From {tool}"' in page and f"--format {tool.lower()}" in " ".join(page.split())
    manual = pathlib.Path(__file__).resolve().parents[2] / "cmd/tidelock/README.md"
    assert f"\n## From {tool}\n" in manual.read_text()


def test_a_directive_is_explained_alone(tidelock):
    all_of_them = tidelock("help", "directives").succeeds().out
    page = tidelock("help", "contract").succeeds().out
    assert page.startswith("-- tidelock: contract") and page in all_of_them and "floor=" not in page
    tidelock("help", "contrcat").fails(exit=2, says="Did you mean: tidelock help contract")


def test_help_of_the_directives_tells_all_of_them(tidelock, tables):
    page = tidelock("help", "directives").succeeds().out
    assert max(map(len, page.splitlines())) <= 80
    assert re.findall(r"^-- tidelock: (.*)", page, re.M) == [row["usage"] for row in tables["directives"]]
    for row in tables["directives"]:
        assert row["meaning"] in " ".join(page.split())


def test_every_directive_that_the_scripts_of_the_manual_use_is_one(tables):
    """And the reference has a row for each that the program knows."""
    used = re.findall(r"^-- tidelock: ([a-z-]+)", MANUAL.read_text(), re.M)
    known = [row["name"] for row in tables["directives"]]
    assert set(used) <= set(known)
    assert re.findall(r"^\| `([a-z-]+)[ =`]", MANUAL.read_text().split("<!-- generated: directives -->")[1].split("<!-- end -->")[0], re.M) == known


def test_what_help_does_not_know(tidelock):
    tidelock("help", "lock-timeot").fails(exit=2, says=['unknown command or option "lock-timeot"', "Did you mean: tidelock help lock-timeout"])
    tidelock("help", "URL").fails(exit=2, says='unknown command or option "URL"')
    tidelock("help", "").fails(exit=2)


def test_help_needs_no_valid_environment(tidelock):
    tidelock("help", "log-format", environment={"TIDELOCK_LOG_FORMAT": "nonsense"}).succeeds(says="TIDELOCK_LOG_FORMAT")


def test_the_version_in_three_spellings(tidelock):
    assert tidelock("--version").succeeds().out == tidelock("-V").succeeds().out == tidelock("version").succeeds().out


def test_an_option_without_a_command(tidelock):
    answer = tidelock("--database-url=postgresql://u:secret@h/d").fails(exit=2, says="no command given")
    assert "secret" not in answer.errors


# ---- the manual page ----


def test_the_manual_page_is_without_fault(installed):
    page = installed / "share/man/man1/tidelock.1"
    lint = subprocess.run(["mandoc", "-T", "lint", page], capture_output=True, text=True)
    assert (lint.returncode, lint.stdout + lint.stderr) == (0, "")


def test_the_manual_page_tells_everything(installed, tables):
    shown = subprocess.run(["mandoc", "-T", "ascii", installed / "share/man/man1/tidelock.1"], check=True, capture_output=True, text=True).stdout
    page = " ".join(re.sub(r".\x08", "", shown).split())
    for row in tables["commands"]:
        assert row["about"] in page and row["example"] in page
    for row in tables["options"]:
        assert f"{row['flag']} {row['text']}" in page
        for fact in row["environment"], row["key"], row["default"], row["range"]:
            assert (fact or "") in page
    for row in tables["directives"]:
        assert f"{row['usage']} {row['meaning']}" in page
    for row in tables["exits"]:
        assert f"{row['code']} {row['meaning']}" in page
    for row in tables["environment"] + tables["files"]:
        assert f"{row['names']} {row['meaning']}" in page


# ---- completion ----


def test_what_is_installed(installed):
    files = sorted(str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file())
    assert files == [
        "bin/tidelock",
        "share/bash-completion/completions/tidelock",
        "share/fish/vendor_completions.d/tidelock.fish",
        "share/man/man1/tidelock.1",
        "share/zsh/site-functions/_tidelock",
    ]
    assert [oct(path.stat().st_mode & 0o777) for path in installed.rglob("*") if path.is_file() and path.parent.name != "bin"] == ["0o644"] * 4


def test_commands_are_completed(shell, tables):
    assert [offer for offer in shell.offers("tidelock ") if offer[0] != "-"] == sorted(row["name"] for row in tables["commands"])
    assert shell.offers("tidelock ", "re") == ["ready", "resolve"]


def test_the_options_of_each_command_are_completed(shell, tables):
    for row in tables["commands"]:
        if row["name"] != "help":
            assert [offer for offer in shell.offers(f"tidelock {row['name']} ", "--") if offer != "--"] == options_of(tables, row["name"])


def test_choices_are_completed(shell, tables):
    assert shell.offers("tidelock deploy --log-format ") == choices_of(tables, "log-format")
    assert [offer.split("=")[-1] for offer in shell.offers("tidelock deploy --log-format=", "l")] == ["logfmt"]
    assert shell.offers("tidelock status --json --password-from ", "aws") == ["aws-rds", "aws-secret"]


def test_each_of_several_choices_is_completed(shell, tables):
    assert [offer.rstrip(",") for offer in shell.offers("tidelock run --webhook-on ")] == choices_of(tables, "webhook-on")
    assert [offer.split(",")[-1] for offer in shell.offers("tidelock run --webhook-on started,", "f")] == ["failed"]


def test_files_and_folders_are_completed(shell):
    assert shell.offers("tidelock ready --status-file ", "d") == ["data.prom", "db"]
    assert shell.offers("tidelock deploy --migrations ", "d") == ["db"]
    assert shell.offers("tidelock install ", "d") == ["db"]


def test_nothing_is_offered_for_a_value_that_can_be_anything(shell):
    assert shell.offers("tidelock deploy --lock-timeout ") == []


def test_the_words_of_commands_are_completed(shell):
    assert shell.offers("tidelock completion ") == sorted(SHELLS)
    assert shell.offers("tidelock help ", "bas") == ["baseline"]
    assert shell.offers("tidelock help ", "dir") == ["directives"]
    assert shell.offers("tidelock help ", "--lock") == ["--lock-timeout"]


def test_what_run_starts_is_completed(shell):
    assert shell.offers("tidelock run --strict -- ", "tidelo") == ["tidelock"]
    assert shell.offers("tidelock run -- cat ", "dat") == ["data.prom"]


def test_a_shell_without_completion(tidelock):
    tidelock("completion").fails(exit=2, says="completion needs the name of a shell: bash zsh fish")
    tidelock("completion", "tcsh").fails(exit=2, says="completion needs the name of a shell: bash zsh fish")


# ---- the documents ----


def test_every_example_is_understood(tidelock, tables):
    """Up to the missing database."""
    for row in tables["commands"]:
        words = shlex.split(re.search(r"tidelock ([^|)]*)", row["example"])[1])
        answer = tidelock(*(str(tidelock.folder.root) if word == "/shared" else word for word in words))
        assert answer.code == 0 or "no database is set" in answer.errors or row["name"] == "ready", (row["example"], answer.errors)


def test_the_file_of_the_manual_is_understood(tidelock):
    text = re.search(r"```yaml\n(.*?)```", MANUAL.read_text(), re.S)[1]
    (tidelock.folder.root / "tidelock.yaml").write_text(text)
    tidelock("deploy").fails(exit=2, says="no database is set")


def test_every_variable_that_is_read_is_documented(tables):
    """And every documented one is read, but for those of libcurl and libpq."""
    sources = "".join(path.read_text() for top in ("cmd", "entrypoint") for path in (ROOT / top).rglob("*.c") if path.name != "surroundings.c")
    documented = {name for row in tables["environment"] for name in row["names"].split(", ")}
    options = {name for row in tables["options"] if row["environment"] for name in row["environment"].split(", ")}
    read = set(re.findall(r'\b\w*(?:env|variable)\w*\("([A-Z][A-Z0-9_]+)"\)', sources))
    assert read and not read - documented - options
    assert {name for name in documented if f'"{name}"' not in sources} <= {"https_proxy", "http_proxy", "no_proxy", "PGOPTIONS"}


@pytest.mark.parametrize("name, proof", [("bash", "complete -p tidelock"), ("zsh", "print -r -- $_comps[tidelock]"), ("fish", "complete -c tidelock")])
def test_the_line_for_a_start_up_file_works(installed, tmp_path, name, proof):
    line = re.search(rf"^.*tidelock completion {name}[^#\n]*", MANUAL.read_text().split("## Shell completion")[1], re.M)[0]
    before = "autoload -Uz compinit && compinit -u -D; " if name == "zsh" else ""
    environment = {"PATH": f"{installed / 'bin'}:/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "ASAN_OPTIONS": "detect_leaks=0"}
    done = subprocess.run([name, "-c", f"{before}{line.strip()}; {proof}"], env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stderr) == (0, "") and "tidelock" in done.stdout


STRANGERS = {
    "up": "tidelock deploy",
    "apply": "tidelock deploy",
    "lint": "tidelock plan",
    "migration run": "tidelock deploy",
    "prisma migrate deploy": "tidelock migrate deploy",
    "migrate": "tidelock deploy",
    "migrate up": "tidelock deploy",
    "migrate latest": "tidelock deploy",
    "migrate run": "tidelock deploy",
    "migrate dev": "npx prisma migrate dev",
    "migrate reset": "npx prisma migrate reset",
    "db push --accept-data-loss": "npx prisma db push",
    "db pull": "npx prisma db pull",
    "db execute --file x.sql": "psql --file FILE",
    "db seed": "npx prisma db seed",
    "db": "npx prisma db COMMAND",
    "push": "npx prisma db push",
    "pull": "npx prisma db pull",
    "seed": "npx prisma db seed",
    "execute x.sql": "psql --file FILE",
    "goto 3": "tidelock deploy --to NAME",
    "down": "tidelock rollback",
    "redo": "tidelock rollback, then tidelock deploy",
    "info": "tidelock status",
    "pending": "tidelock status",
    "validate": "tidelock deploy --dry-run",
    "repair": "tidelock resolve --accept-edit NAME",
    "force 3": "tidelock resolve",
    "new add_users": "a directory with a migration.sql",
}


@pytest.mark.parametrize("words", STRANGERS)
def test_a_command_of_another_tool_says_what_does_it_here(tidelock, words):
    name = words if words.startswith("migrate") else " ".join(words.split()[: 2 if words.startswith("db ") else 1])
    tidelock(*words.split()).fails(exit=2, says=[f'unknown command "{name}"', STRANGERS[words]])


def test_what_prisma_no_longer_needs_is_ignored(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t ()")
    tidelock("migrate", "deploy", "--preview-feature").succeeds(applied=["001_t"], says="--preview-feature is ignored")


@pytest.mark.parametrize("file", ["prisma.config.ts", "prisma.config.mjs"])
def test_a_configuration_in_another_language_is_called_that(folder, tidelock, file):
    (folder.root / file).write_text("export default {}")
    tidelock("deploy", "--config", file).fails(exit=2, says=["names a program", file, "--migrations DIR"])
