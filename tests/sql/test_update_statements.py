"""Our reading of UPDATE and libpg_query's agree: on statements made at random, and on the same with pieces lost, doubled and swapped."""

import json
import pathlib
import random
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
COUNT = 20000
BLANKS = [" ", " ", " ", "\n", " /* , set x = where */ ", " -- from o where\n", "\t"]
NAMES = ["a", "b", "Name", '"from"', '"a ""b"""', "set", "current", "of", "where_", "_returning"]
FIELDS = ["a", "from", "where", "returning", "set", '"x y"', "distinct"]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def any(self, *choices):
        return self.random.choice(choices)

    def name(self):
        return self.random.choice([name for name in NAMES if name != "set"])

    def expression(self, depth=3):
        if depth == 0:
            return self.any("1", "1.", ".5e1", self.name(), f"{self.name()}.{self.random.choice(FIELDS)}", "'from'", "'it''s'", "E'\\' where '", "$$ from $$", "$x$ , b = $x$", "NULL", "DEFAULT")
        one, other = self.expression(depth - 1), self.expression(depth - 1)
        return self.any(
            one, f"{one} + {other}", f"({one})", f"{one} IS DISTINCT FROM {other}", f"{one} IS NOT DISTINCT FROM {other}",
            f"extract(day FROM {one})", f"substring({one} from {other} for 2)", f"trim(both from {one})", f"f({one}, {other})",
            f"ARRAY[{one}, {other}]", f"ARRAY[[{one}], [{other}]]", f"(ARRAY[{one}])[1]", f"{self.name()}[{one}:2]", f"({self.name()}).{self.random.choice(FIELDS)}",
            f"CASE WHEN {one} THEN {other} END", f"(SELECT {one} FROM o WHERE {other})", f"(SELECT DISTINCT {one} FROM o)", f"EXISTS (SELECT FROM o WHERE {one})",
            f"{one} IN ({one}, {other})", f"{one} BETWEEN {one} AND {other}", f"{one}::text[]", f"{one} AT TIME ZONE {other}", f"ROW ({one}, {other})",
            f"{one} OR {other}", f"NOT {one}", f"{one} OPERATOR(pg_catalog.=) {other}", f"{one} IS NULL", "interval '1' day", f'{one} COLLATE "C"',
        )  # fmt: skip

    def target(self):
        return self.name() + self.any("", "", "", "[1]", "[1][2:3]", f".{self.random.choice(FIELDS)}", ".x[1]")

    def assignment(self):
        if self.random.random() < 0.3:
            return f"({self.target()}, {self.target()}) = {self.any(f'({self.expression(1)}, DEFAULT)', 'ROW (1, 2)', '(SELECT 1, 2 FROM o WHERE true)')}"
        return f"{self.target()} = {self.expression()}"

    def statement(self):
        table = self.any("t", "s.t", 'S."T"', "only t", "ONLY (s.t)", "t *", "d.s.t")
        alias = self.any("", "", "x", "AS x", 'AS "X"', "AS set")
        parts = ["UPDATE", table, alias, "SET", ", ".join(self.assignment() for _ in range(self.random.randint(1, 3)))]
        if self.random.random() < 0.4:
            parts.append("FROM " + self.any("o", "o, p", "o JOIN p ON o.a IS DISTINCT FROM p.a", "(SELECT 1 FROM q WHERE true) AS y", "f(1) AS z (a, b)", "ROWS FROM (f(1), g(2)) AS z"))
        if self.random.random() < 0.6:
            parts.append("WHERE " + self.any(self.expression(), self.expression(), self.expression(), "CURRENT OF c", "current IS NULL"))
        if self.random.random() < 0.1:
            parts.append("RETURNING " + self.expression(1))
        return "".join(part + self.random.choice(BLANKS) for part in parts).strip()

    def damaged(self, statement):
        words = statement.split(" ")
        for _ in range(self.random.randint(1, 3)):
            one, other = self.random.randrange(len(words)), self.random.randrange(len(words))
            change = self.random.randrange(3)
            if change == 0 and len(words) > 1:
                del words[one]
            elif change == 1:
                words.insert(other, words[one])
            else:
                words[one], words[other] = words[other], words[one]
            other = min(other, len(words) - 1)
        return " ".join(words)


def statements():
    maker = Maker(1)
    for number in range(COUNT):
        statement = maker.statement()
        yield statement if number % 3 else maker.damaged(statement)


def bare(tree):
    """Without places."""
    if isinstance(tree, list):
        return [bare(item) for item in tree]
    if isinstance(tree, dict):
        return {key: bare(value) for key, value in tree.items() if key not in ("location", "stmt_location", "stmt_len", "rexpr_list_start")}
    return tree


def update_of(tree):
    """The UPDATE of a text that is one and nothing else."""
    found = tree["stmts"] if tree else []
    return found[0]["stmt"].get("UpdateStmt") if len(found) == 1 else None


def conjuncts(where):
    """Of AND, however it is nested."""
    if where and where.get("BoolExpr", {}).get("boolop") == "AND_EXPR":
        return [item for argument in where["BoolExpr"]["args"] for item in conjuncts(argument)]
    return [where] if where else []


RANGE = {"ColumnRef": {"fields": [{"String": {"sval": "tidelock_range"}}]}}


def wrong(statement, ours, theirs, ranged):
    """What we read in another way, or None."""
    update = update_of(bare(theirs))
    if update is None:
        return None  # the server refuses it
    cannot = "withClause" in update or "returningList" in update or "CurrentOfExpr" in update.get("whereClause", {}) or "U&" in statement.upper()
    if ours is None:
        return None if cannot else "refused"
    if cannot and "U&" not in statement.upper():
        return "accepted"
    relation = update["relation"]
    seen = {
        "schema": relation.get("schemaname", ""), "table": relation["relname"], "alias": relation.get("alias", {}).get("aliasname", relation["relname"]),
        "only": not relation.get("inh", False), "where": "whereClause" in update, "columns": [item["ResTarget"]["name"] for item in update["targetList"]],
    }  # fmt: skip
    if seen != ours:
        return f"theirs: {seen}"
    added = update_of(bare(ranged))
    if added is None:
        return "no statement with a range"
    if conjuncts(added.pop("whereClause", None)) != [*conjuncts(update.pop("whereClause", None)), RANGE] or added != update:
        return "another statement with a range"
    return None


@pytest.mark.fault
def test_every_update_is_read_as_the_server_would(tmp_path):
    program = tmp_path / "update"
    sources = sorted(path for room in ("sql", "base") for path in ROOT.glob(f"entrypoint/{room}/*.c") if not path.name.startswith("grammar"))
    subprocess.run(["cc", "-O1", "-g", "-std=c11", "-D_GNU_SOURCE", "-Ientrypoint", "-o", program, "tests/sql/update.c", *sources, "-lpg_query", "-ljansson", "-lcrypto"], cwd=ROOT, check=True)
    made = list(statements())
    answer = subprocess.run([program], input="".join(statement + "\0" for statement in made), capture_output=True, check=True, text=True)
    lines = [json.loads(line) for line in answer.stdout.splitlines()]
    assert len(lines) == 3 * len(made)
    found = [(statement, why) for number, statement in enumerate(made) if (why := wrong(statement, *lines[3 * number : 3 * number + 3]))]
    assert not found, "\n".join(f"{why}: {statement}" for statement, why in found[:10])
    assert sum(update_of(lines[3 * number + 1]) is not None for number in range(len(made))) > COUNT / 2
