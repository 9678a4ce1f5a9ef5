"""What somebody with a right to create things can plant beside the server's own objects: each raises an alarm when it is used.

An alarm must outlive the transaction that it is raised in, so it is a sequence: what nextval() took stays taken.
"""

import itertools
import pathlib
import re

import psycopg

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = "\n".join(path.read_text() for top in ("entrypoint", "cmd") for path in sorted((ROOT / top).rglob("*.[ch]")))
# What our statements use, and what they would use if they were written as most people write.
OPERATORS = sorted({*re.findall(r"OPERATOR\(pg_catalog\.([^)a-z]+)\)", SOURCES), *"= <> < <= > >= ~ ~~ !~~ || -> ->> + - * / << | &".split()})
FUNCTIONS = sorted({*re.findall(r"pg_catalog\.([a-z]\w+)\(", SOURCES), "timezone", "date_part", "extract", "format_type"})
AGGREGATES = ("count", "sum", "min", "max", "array_agg", "bool_and", "string_agg")
RELATIONS = sorted({*re.findall(r"pg_catalog\.(pg_\w+)\b(?!\()", SOURCES)})
ONE = "text varchar name bpchar oid xid int2 int4 int8 float8 numeric bool timestamptz interval jsonb regclass pg_lsn _text _name _oid".split()
PAIRS = [
    *((kind, kind) for kind in ONE),
    *itertools.permutations(("text", "varchar", "name"), 2),
    *itertools.permutations(("int2", "int4", "int8", "oid", "float8", "numeric"), 2),
    ("jsonb", "text"),
    ("jsonb", "varchar"),
    ("oid", "regclass"),
    ("regclass", "oid"),
    ("text", "xid"),
    ("varchar", "xid"),
]
DOMAINS = "text oid name timestamptz float8 int4 int8 regclass jsonb xid".split()


def of(kind):
    return f"pg_catalog.{kind[1:]}[]" if kind.startswith("_") else f"pg_catalog.{kind}"


def statements(schema, is_whole):
    """Everything that can be planted in `schema`; not `is_whole`: operators and functions alone."""
    alarm = f"{schema}.alarm"
    yield f"CREATE SEQUENCE {schema}.sprung; GRANT USAGE ON SCHEMA {schema} TO PUBLIC; GRANT ALL ON SEQUENCE {schema}.sprung TO PUBLIC"
    body = f"BEGIN PERFORM pg_catalog.nextval('{schema}.sprung'); RAISE EXCEPTION USING MESSAGE = 'a trap: %'; END"
    yield f"CREATE FUNCTION {alarm}() RETURNS pg_catalog.bool LANGUAGE plpgsql AS $_${body.replace('%', 'relation or type')}$_$"
    for number, (left, right) in enumerate([*PAIRS, ("anyelement", "anyelement")]):
        yield (
            f"CREATE FUNCTION {schema}.alarm_{number}({of(left)}, {of(right)}) RETURNS pg_catalog.bool LANGUAGE plpgsql"
            f" AS $_${body.replace('%', f'operator on {left}, {right}')}$_$"
        )
        for operator in OPERATORS:
            yield f"CREATE OPERATOR {schema}.{operator} (LEFTARG = {of(left)}, RIGHTARG = {of(right)}, FUNCTION = {schema}.alarm_{number})"
    arguments = [(), *((kind,) for kind in (*ONE, "anyelement")), *((kind, kind) for kind in ("text", "varchar", "name", "oid", "int8", "anyelement"))]
    arguments += [("text", "text", "bool"), ("varchar", "varchar", "bool"), ("text", "varchar", "bool"), ("oid", "oid", "text"), ("int4", "int4", "int4")]
    for name, given in itertools.product(FUNCTIONS, arguments):
        if name not in AGGREGATES:
            yield (
                f"CREATE FUNCTION {schema}.{name}({', '.join(map(of, given))}) RETURNS pg_catalog.bool LANGUAGE plpgsql"
                f" AS $_${body.replace('%', f'function {name}')}$_$"
            )
    yield (
        f"CREATE FUNCTION {schema}.step(pg_catalog.int8) RETURNS pg_catalog.int8 LANGUAGE plpgsql AS $_${body.replace('%', 'aggregate')}$_$;"
        f"CREATE FUNCTION {schema}.step(pg_catalog.int8, anyelement) RETURNS pg_catalog.int8 LANGUAGE plpgsql AS $_${body.replace('%', 'aggregate')}$_$;"
        f"CREATE AGGREGATE {schema}.count(*) (SFUNC = {schema}.step, STYPE = pg_catalog.int8, INITCOND = '0')"
    )
    for name in AGGREGATES:
        yield f"CREATE AGGREGATE {schema}.{name}(anyelement) (SFUNC = {schema}.step, STYPE = pg_catalog.int8, INITCOND = '0')"
    if is_whole:
        for relation in RELATIONS:
            yield f"CREATE VIEW {schema}.{relation} AS SELECT {alarm}() AS oid; GRANT ALL ON {schema}.{relation} TO PUBLIC"
        for kind in DOMAINS:
            yield f"CREATE DOMAIN {schema}.{kind} AS pg_catalog.{kind} CHECK ({alarm}())"


class Traps:
    """Planted by `role` in `schema`."""

    def __init__(self, database, role, schema, is_whole=True):
        self.database = database
        self.schema = schema
        quiet(database, f"SET search_path = pg_catalog; SET SESSION AUTHORIZATION {role}; {';'.join(statements(schema, is_whole))}")

    def sprung(self):
        return quiet(self.database, f"SELECT last_value, is_called FROM {self.schema}.sprung")[0][1]


def quiet(database, text):
    """As superuser, and out of every trap's reach."""
    with psycopg.connect(database.url(options="-csearch_path=pg_catalog"), autocommit=True) as connection:
        cursor = connection.execute(text)
        return cursor.fetchall() if cursor.description else []
