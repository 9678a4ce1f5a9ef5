"""What others wrote (names in the ledger, NOTICEs, error texts) steers no terminal and no CI, passes for no line of ours, and is cut, not dropped."""

import json
import re

import pytest

EVIL = "evil\x1b[2J\x9b2J\r\n::error::forged\n  ::error::forged\n##vso[task.complete]\x7f\u0085end"
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def is_harmless(text):
    assert not RAW.search(text), repr(text)
    assert "##vso[" not in text and "##[" not in text
    for line in text.splitlines():
        assert not line.strip().startswith("::"), repr(line)


def quoted(text):
    return "E'" + "".join(f"\\u{ord(c):04x}" for c in text) + "'"


def put_into_ledger(database, name, **columns):
    values = {"id": "gen_random_uuid()::text", "checksum": "repeat('0', 64)", "migration_name": quoted(name), "finished_at": "now()", **columns}
    database.query(f"INSERT INTO _prisma_migrations ({', '.join(values)}) VALUES ({', '.join(values.values())})")


@pytest.mark.parametrize("words", [["status"], ["status", "--json"], ["plan"], ["deploy"], ["deploy", "--strict"], ["wait", "--leader-timeout", "1s"], ["baseline"], ["resolve", "--applied", EVIL.replace("\x00", "")]])
@pytest.mark.parametrize("log_format", ["text", "logfmt", "json"])
@pytest.mark.parametrize("state", ["missing", "failed"])
def test_names_in_the_ledger(tidelock, folder, database, words, log_format, state):
    folder.add("001_t", "CREATE TABLE t ()")
    tidelock("deploy").succeeds()
    put_into_ledger(database, EVIL, **({"finished_at": "NULL"} if state == "failed" else {}))
    result = tidelock(*words, "--log-format", log_format, "--log-level", "debug")
    assert result.code >= 0
    is_harmless(result.out)
    is_harmless(result.errors)


@pytest.mark.parametrize("log_format", ["text", "logfmt", "json"])
def test_notices_and_errors(tidelock, folder, database, log_format):
    folder.add("001_t", f"DO $$ BEGIN RAISE NOTICE '%', {quoted(EVIL)}; RAISE WARNING '%', {quoted(EVIL)}; END $$")
    folder.add("002_bad", f"DO $$ BEGIN RAISE EXCEPTION USING MESSAGE = {quoted(EVIL)}, DETAIL = {quoted(EVIL)}, HINT = {quoted(EVIL)}; END $$")
    result = tidelock("deploy", "--log-format", log_format).fails(exit=6, says="evil")
    is_harmless(result.errors)
    is_harmless(result.out)
    if log_format == "json":
        said = [json.loads(line)["msg"] for line in result.errors.splitlines()]
        assert f"server: {EVIL}" in said


@pytest.mark.parametrize("setting", ["", "SET standard_conforming_strings = off", "SET client_encoding = 'SJIS'", "SET backslash_quote = off", "SET search_path = ''"])
@pytest.mark.parametrize("name", ["plain", "it's $1", "back\\slash \\' $$", 'quoted "$2"', "größer", "'; DROP TABLE t; --"])
def test_a_name_is_recorded_as_it_is_whatever_the_script_sets(tidelock, folder, server, database, setting, name):
    schema = 'odd"$1\''
    folder.add(name, f"{setting}; CREATE TABLE public.t ()")
    tidelock("deploy", url=server.url(database.name, schema=schema)).succeeds()
    assert database.query('SELECT migration_name FROM "odd""$1\'"._prisma_migrations WHERE finished_at IS NOT NULL') == [(name,)]
    assert database.holds("public.t")


def test_a_migration_whose_name_is_a_command(tidelock, folder, database):
    folder.add("::error::x", "SELECT 1")
    result = tidelock("deploy").succeeds()
    is_harmless(result.out + result.errors)
    is_harmless(tidelock("status").out)


@pytest.mark.parametrize("log_format", ["text", "logfmt", "json"])
@pytest.mark.parametrize("character", ["x", "€", "\\u0001", "\\n", "\\u009b"])
def test_a_long_notice_is_cut_not_dropped(tidelock, folder, database, log_format, character):
    folder.add("001_t", f"DO $$ BEGIN RAISE NOTICE '%', 'begun' || repeat(E'{character}', 200000) || 'ended'; RAISE NOTICE 'the next'; END $$")
    result = tidelock("deploy", "--log-format", log_format).succeeds()
    assert "begun" in result.errors and "…" in result.errors and "ended" not in result.errors
    assert sum("the next" in line for line in result.errors.splitlines()) == 1
    if log_format == "json":
        assert [json.loads(line)["msg"][:13] for line in result.errors.splitlines()[2:4]] == ["server: begun"[:13], "server: the n"]
    elif log_format == "text":
        assert "\ntidelock: server: the next\n" in result.errors


def test_a_secret_at_the_cut_is_blanked(tidelock, folder, database):
    for before in range(16 * 1024 - 40, 16 * 1024, 10):
        folder.add(f"{before}", f"DO $$ BEGIN RAISE NOTICE '%', repeat('x', {before}) || 'hunter2hunter2hunter2'; END $$")
    result = tidelock("deploy", url=database.url().replace("postgres@", "postgres:hunter2hunter2hunter2@")).succeeds()
    assert "hunt" not in result.errors
