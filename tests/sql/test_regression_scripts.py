"""Our splitter and libpg_query find the same statements in PostgreSQL's own regression scripts, file by file.

libpg_query splits in two ways. Its parser is right by definition but refuses a whole file for one syntax
error, and these scripts are full of deliberate ones; its scanner does not mind but knows less. So each file
is compared twice: with the parser after every statement that it refuses has been blanked out, in the one text
that both splitters get, and with the scanner as it stands.
"""

import pathlib
import re
import subprocess

import pytest
import regression_scripts

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What cannot be compared, and why. Nothing else is left out.
MEANT_FOR_PSQL = "hardly a statement without commands of psql in its midst"
CRASHES = "libpg_query's scanner crashes on it"
WITHOUT_KEYWORD = "libpg_query's scanner drops statements without any keyword, like xxx;"
WITH_BODY = "libpg_query's scanner ends BEGIN ATOMIC … END at a semicolon in it"
NOT_FOR_THE_PARSER = {
    "src/test/regress/sql/psql.sql": MEANT_FOR_PSQL,
}
NOT_FOR_THE_SCANNER = {
    "src/test/regress/sql/psql.sql": MEANT_FOR_PSQL,
    "src/test/regress/sql/create_am.sql": CRASHES,
    "src/test/regress/sql/strings.sql": CRASHES,
    "src/test/regress/sql/errors.sql": WITHOUT_KEYWORD,
    "src/test/regress/sql/tuplesort.sql": WITHOUT_KEYWORD,
    "src/test/regress/sql/numerology.sql": "libpg_query's scanner stops at 123abc",
    "src/test/regress/sql/create_function_sql.sql": WITH_BODY,
    "src/test/regress/sql/create_procedure.sql": WITH_BODY,
    "src/test/regress/sql/rules.sql": WITH_BODY,
    "src/test/regress/sql/window.sql": WITH_BODY,
}
# Statements that the parser refuses without saying where they stand.
REFUSED_WITHOUT_PLACE = {
    "src/test/regress/sql/foreign_key.sql": [
        rb"ALTER TABLE fktable ALTER CONSTRAINT \w+ NO INHERIT;",
        rb"ALTER TABLE fktable ALTER CONSTRAINT \w+ NOT VALID;",
    ],
    "src/test/regress/sql/limit.sql": [
        rb"SELECT[^;]*WITH TIES FOR UPDATE SKIP LOCKED;",
        rb"SELECT[^;]*WHERE unique1 > 50\s+FETCH FIRST 2 ROW WITH TIES;",
    ],
}

try:
    SCRIPTS = set(regression_scripts.scripts())
except RuntimeError as error:
    pytest.skip(str(error), allow_module_level=True)

STATEMENT_END = re.compile(rb";[ \t]*(?:--[^\n]*)?(?:\n|$)")
NOTHING = re.compile(rb"(?:[ \t\n\r\f\v]|--[^\n\r]*)*")


@pytest.fixture(scope="session")
def splitter(tmp_path_factory):
    """tests/sql/split.c, built from the sources as they are now."""
    program = tmp_path_factory.mktemp("split") / "split"
    sources = sorted(path for room in ("sql", "base") for path in ROOT.glob(f"entrypoint/{room}/*.c") if not path.name.startswith("grammar"))
    flags = ["-O1", "-g", "-std=c11", "-D_GNU_SOURCE", "-Ientrypoint"]
    libraries = ["-lpg_query", "-ljansson", "-lcrypto"]
    command = ["cc", *flags, "-o", program, "tests/sql/split.c", *sources, *libraries]
    subprocess.run(command, cwd=ROOT, check=True)

    def split(way, script):
        """[(start, end)], and where and why it stopped: (position, message), or None."""
        answer = subprocess.run([program, way], input=script, capture_output=True, check=True)
        rows = answer.stdout.splitlines()
        if rows and rows[-1].startswith(b"error "):
            _, position, message = rows.pop().split(b" ", 2)
            return [tuple(map(int, row.split())) for row in rows], (position.decode(), message.decode())
        return [tuple(map(int, row.split())) for row in rows], None

    return split


def after_nothing(script, at):
    """Just past all blanks and comments that begin at `at`."""
    while True:
        at = NOTHING.match(script, at).end()
        if not script.startswith(b"/*", at):
            return at
        depth = 0
        while True:
            mark = script[at : at + 2]
            depth += (mark == b"/*") - (mark == b"*/")
            at += 2 if mark in (b"/*", b"*/") else 1
            if depth == 0 or at >= len(script):
                break


def check_same(script, ours, theirs):
    """libpg_query counts blanks and comments around a statement to it; we do not."""
    for mine, other in zip(ours, theirs):
        is_same = mine[0] == after_nothing(script, other[0])
        is_same &= after_nothing(script, mine[1]) == after_nothing(script, other[1])
        assert is_same, f"ours: {script[slice(*mine)].decode()}\ntheirs: {script[slice(*other)].decode()}"
    assert len(ours) == len(theirs)


def blank(script, start, end):
    return script[:start] + re.sub(rb"[^\n]", b" ", script[start:end]) + script[end:]


def byte_offset(script, position):
    """libpg_query counts characters from 1; 0 is the end."""
    text = script.decode(errors="surrogateescape")
    return len(text[: position - 1].encode(errors="surrogateescape")) if position > 0 else len(script)


def blank_refused(splitter, script):
    """The script without the statements that the parser refuses, and what it finds in the rest."""
    while True:
        theirs, error = splitter("parser", script)
        if error is None:
            return script, theirs
        at = byte_offset(script, int(error[0]))
        start = max((found.end() for found in STATEMENT_END.finditer(script, 0, at)), default=0)
        found = STATEMENT_END.search(script, at)
        end = found.end() if found else len(script)
        assert script[start:end].strip(), f"the parser refuses nothing in particular: {error[1]}"
        script = blank(script, start, end)


def read(name):
    return regression_scripts.without_psql((regression_scripts.folder() / name).read_bytes())


def read_for_parser(name):
    script = read(name)
    for pattern in REFUSED_WITHOUT_PLACE.get(name, []):
        found = re.search(pattern, script)
        assert found, f"{name} has no {pattern}"
        script = blank(script, *found.span())
    return script


@pytest.mark.parametrize("name", sorted(SCRIPTS - set(NOT_FOR_THE_PARSER)))
def test_our_statements_are_the_parsers(name, splitter):
    script, theirs = blank_refused(splitter, read_for_parser(name))
    ours, error = splitter("ours", script)
    assert error is None
    check_same(script, ours, theirs)


@pytest.mark.parametrize("name", sorted(SCRIPTS - set(NOT_FOR_THE_SCANNER)))
def test_our_statements_are_the_scanners(name, splitter):
    script = read(name)
    theirs, error = splitter("scanner", script)
    assert error is None
    ours, error = splitter("ours", script)
    assert error is None
    check_same(script, ours, theirs)


def test_the_comparison_is_about_something(splitter):
    total = 0
    for name in sorted(SCRIPTS - set(NOT_FOR_THE_PARSER)):
        total += len(blank_refused(splitter, read_for_parser(name))[1])
    assert total > 30000
