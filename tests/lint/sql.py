"""No SQL of ours can be resolved outside pg_catalog: every statement in the C sources is parsed, and each name in it must say its schema.

Whoever may create objects in a schema of the search_path could otherwise plant an operator, function, type or relation that fits better than the
server's own and runs with the rights of the role that migrates (CVE-2018-1058). Some syntax names no operator and looks one up all the same: IN, LIKE,
BETWEEN, CASE x WHEN, IS DISTINCT FROM, NULLIF, JOIN … USING. Casts need no name: who plants one must own one of its types.

Statements are read from the preprocessed sources, because macros are part of them. Texts that a function puts together, piece by piece, are joined in
the order of its lines; what is filled in at run time becomes a placeholder, which is taken as qualified. With --list it prints what it sees.
"""

import itertools
import json
import pathlib
import re
import subprocess
import sys

import pglast

HOLE = "hole"
STATEMENT = re.compile(
    r"\s*;?\s*(SELECT|WITH|INSERT INTO|UPDATE|DELETE FROM|CREATE|DROP|ALTER|SET|RESET|BEGIN|START|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|LOCK|COMMENT ON|"
    r"EXPLAIN|DISCARD|UNLISTEN|LISTEN|CLOSE|DEALLOCATE|PREPARE|EXECUTE|CALL|DO|GRANT|REVOKE|REINDEX|VACUUM|ANALYZE|TRUNCATE|MERGE|COPY|VALUES|DECLARE|"
    r"FETCH|NOTIFY|SHOW|CHECKPOINT|CLUSTER|REFRESH)\b(?! ?=)"
)
PIECE = re.compile(
    r"\b(SELECT|FROM|WHERE|RETURNING|COALESCE|VALUES|ORDER BY|GROUP BY|SET LOCAL|LIMIT|OFFSET|INTO|EXTRACT|EXISTS|JOIN|DETACH|ON CONFLICT)\b|"
    r"pg_catalog\.|OPERATOR\(|::[a-z]"
)
# What people read, or what is compared with a script's text: never sent.
NOT_SENT = re.compile(
    r"(error|log|print)_\w+|strcmp|strncmp|strstr|slice_\w+|pattern_\w+|refuse|give_up|note|usage|metric|sentence|say|printf|fprintf|fputs|_Static_assert"
)
NOT_SENT_UNITS = {
    # What a person is told to type.
    "entrypoint/execution/advice.c",
    "entrypoint/postgres/query_failure.c",
    "entrypoint/shadow/replay.c:may_keep",
    "entrypoint/postgres/denial.c:NEEDS",
    "entrypoint/shadow/replay.c:HINTS",
    "entrypoint/postgres/writable.c:SOURCES",
    "entrypoint/traffic/blockers.c:blocker_add_remedy",
    # What diff --script prints.
    "entrypoint/schema/script.c",
    "entrypoint/schema/script_access.c",
    "entrypoint/schema/script_code.c",
    "entrypoint/schema/script_column.c",
    "entrypoint/schema/script_database.c",
    "entrypoint/schema/script_foreign.c",
    "entrypoint/schema/script_publication.c",
    # Names of kinds of statements, patterns that scripts are compared with, the script's own statement, sentences, names of options.
    "entrypoint/schema/effect_table.c",
    "entrypoint/sql/grammar_expression.c",
    "entrypoint/sql/definition.c",
    "entrypoint/sql/kind.c",
    "entrypoint/sql/update_statement.c",
    "entrypoint/dialect/dbmate.c",
    "entrypoint/dialect/flyway.c",
    "entrypoint/dialect/golang_migrate.c",
    "entrypoint/dialect/goose.c",
    "entrypoint/dialect/prisma.c",
    "entrypoint/dialect/drizzle.c",
    "entrypoint/dialect/sqlx.c",
    "entrypoint/execution/failure.c",
    "entrypoint/sql/pattern.c",
    "entrypoint/sql/script.c",
    "entrypoint/sql/segment.c",
    "entrypoint/sql/subject.c",
    "entrypoint/sql/directive.c",
    "entrypoint/execution/mode.c",
    "entrypoint/postgres/sqlstate.c",
    "entrypoint/postgres/refusal.c",
    "entrypoint/config/options.c",
    "cmd/tidelock/diff.c",
    "cmd/tidelock/manual.c",
    "cmd/tidelock/plan_report.c",
    "cmd/tidelock/help.c",
    "cmd/tidelock/exits.c",
    "cmd/tidelock/surroundings.c",
}
# Functions that add to a text; what they add, where that is not a text of this file.
ADDS = {"text_add_string", "text_add_format", "text_add"}
ADDS_ELSEWHERE = {
    "quote_identifier": HOLE,
    "quote_qualified": f"{HOLE}.{HOLE}",
    "quote_literal": "'hole'",
    "live_add_name": f"{HOLE}.{HOLE}",
    "add_all_given": f"{HOLE} IS NOT NULL",
    "advisory_add_try": "true",
    "beacon_add": "true",
    "beacon_add_local": "true",
    "watch_progress_add": "SELECT 1",
    "session_settings_add": "SET LOCAL a = 1;",
    "session_cleanup_add": "CLOSE ALL;",
    "ledger_add_unchanged": "SELECT true",
    "update_statement_add": "UPDATE hole SET a = 1 WHERE true",
    "guard_add": "SELECT 1;",
    "add_exists": "SELECT true",
    "add_for_extent": "SELECT true",
    "catalog_add_neighbour": "true",
    "catalog_add_session": "SET LOCAL a = 1;",
    "add_creation": " UNION ALL SELECT 1, ''::pg_catalog.text, true",
    "add_creations": " UNION ALL SELECT 1, ''::pg_catalog.text, true",
    "add_sql": "SELECT 1",
    "add_column": f"{HOLE}.{HOLE}",
    "add_texts": HOLE,
    "add_operator": "",
    "add_side": HOLE,
    "add_lock": "true",
    "key_add_listed": HOLE,
    "key_add_order": HOLE,
    "key_add_range": "(true)",
    "blocker_add_signal": "SELECT true",
}
# Parts of statements, and the statement that each is part of.
COMPLETED = {
    "entrypoint/lock/tool_lock.c:tool_lock_add:sql": "SELECT true{}",
    "entrypoint/backfill/key.c:add_column:out": "SELECT {}",
    "entrypoint/backfill/key.c:add_texts:out": "SELECT 1{}",
    "entrypoint/backfill/key.c:key_add_listed:out": "SELECT {}",
    "entrypoint/backfill/key.c:key_take:key>valuesi": "SELECT {}",
    "entrypoint/traffic/blockers.c:add_lock:sql": "SELECT FROM hole AS l WHERE {}",
    "entrypoint/execution/presence.c:add_creation:sql": "SELECT 0, ''::pg_catalog.text, true{}",
    "entrypoint/execution/presence.c:add_creations:sql": "SELECT 0, ''::pg_catalog.text, true{}",
    "entrypoint/execution/presence.c:add_type:sql": "SELECT FROM hole AS a WHERE true{}",
    "entrypoint/postgres/advisory.c:advisory_add_try:sql": "SELECT {}",
    "entrypoint/lock/beacon.c:beacon_add:sql": "SELECT {}",
    "entrypoint/lock/beacon.c:beacon_add_local:sql": "SELECT {}",
    "entrypoint/lock/beacon.c:add_search:sql": "SELECT {}",
    "entrypoint/lock/beacon.c:add_exchange:sql": "SELECT {}",
    "entrypoint/schema/catalog_setting.c:add_choice:sql": "SELECT FROM hole AS n WHERE true{}",
    "entrypoint/schema/catalog.c:add_count:sql": "SELECT 1{}",
    "entrypoint/schema/catalog_setting.c:catalog_add_neighbour:sql": "SELECT {}",
}
# What the user's own text stands for, where an expression would not do.
TEXTS_OF_USERS = {"entrypoint/deploy/backup.c:check_said": "SELECT 1", "entrypoint/repair/invalid_index.c:invalid_index_definition": " (hole)", "entrypoint/backfill/plan.c:check_statement": "UPDATE hole SET a = 1", "entrypoint/apply/block.c:block_send": "SELECT 1", "entrypoint/apply/script_send.c:send_end": "SELECT 1", "entrypoint/apply/atomic.c:begin_with_script": "SELECT 1"}


def unescaped(text):
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t", "r": "\r", "0": ""}.get(found[1], found[1]), text)


def tokens(path, flags):
    """Of the file itself, macros expanded: (kind, text, line)."""
    source = subprocess.run(["cpp", *flags, path], capture_output=True, text=True, check=True).stdout
    line, is_ours = 0, True
    for row in source.splitlines():
        if marker := re.match(r'# (\d+) "([^"]*)"', row):
            line, is_ours = int(marker[1]), marker[2] == str(path)
            continue
        if is_ours:
            for found in re.finditer(r'"((?:[^"\\]|\\.)*)"|\'(?:[^\'\\]|\\.)+\'|([A-Za-z_]\w*)|(\S)', row):
                if found[1] is not None:
                    yield "string", unescaped(found[1]), line
                elif found[2]:
                    yield "name", found[2], line
                elif found[3]:
                    yield "mark", found[3], line
        line += 1


def joined(stream):
    """Adjacent strings are one."""
    out = []
    for kind, text, line in stream:
        if kind == "string" and out and out[-1][0] == "string":
            out[-1] = ("string", out[-1][1] + text, out[-1][2])
        else:
            out.append((kind, text, line))
    return out


def matching(code, start):
    """The position of the bracket that closes the one at `start`."""
    depth = 0
    for at in range(start, len(code)):
        if code[at][0] == "mark":
            depth += code[at][1] in "({["
            depth -= code[at][1] in ")}]"
            if depth == 0:
                return at
    return len(code) - 1


def arguments(code, start, end):
    out, depth = [[]], 0
    for token in code[start:end]:
        if token[0] == "mark" and token[1] in "({[":
            depth += 1
        if token[0] == "mark" and token[1] in ")}]":
            depth -= 1
        if token == ("mark", ",", token[2]) and depth == 0:
            out.append([])
        else:
            out[-1].append(token)
    return out


def units(code):
    """Top-level definitions: (name, tokens)."""
    at = 0
    while at < len(code):
        end, name = at, None
        while end < len(code) and not (code[end][0] == "mark" and code[end][1] == ";"):
            if code[end][0] == "mark" and code[end][1] in "({[":
                close = matching(code, end)
                before = code[end - 1] if end > 0 else None
                if before and before[0] == "name" and before[1] not in ("__attribute__", "aligned") and name is None and code[end][1] in "([":
                    name = before[1]
                if code[end][1] == "{" and before and before[1] == ")":
                    end = close
                    break
                end = close
            elif code[end][0] == "mark" and code[end][1] == "=" and name is None:
                name = code[end - 1][1]
            end += 1
        yield name or "?", code[at : end + 1]
        at = end + 1


def is_call(code, at):
    """Or a definition."""
    return code[at][0] == "name" and at + 1 < len(code) and code[at + 1][:2] == ("mark", "(")


def buffer_of(argument):
    return "".join(text for kind, text, _ in argument if kind == "name" or text in ".>") or "?"


def choices(argument, known):
    """The texts that an argument may be."""
    texts = [text for kind, text, _ in argument if kind == "string"]
    names = [text for kind, text, _ in argument if kind == "name"]
    if names and names[-1] == "sql":
        return ["CLOSE ALL"]  # a statement that is read where it is written
    return texts or [choice for name in names for choice in known.get(name, [])] or [HOLE]


def formatted(template, given, known, text_of_user):
    """A template with what its arguments may be."""
    parts = re.split(r"(%(?:\.\*)?[a-z]+)", template)
    options = []
    for part in parts:
        if not part.startswith("%") or not given:
            options.append([part])
        elif part == "%.*s":
            options.append([text_of_user])
            given = given[2:]
        else:
            options.append(choices(given[0], known) if part == "%s" else ["1"])
            given = given[1:]
    return ["".join(chosen) for chosen in itertools.product(*options)]


def looks_like_sql(text):
    return bool(STATEMENT.match(text) or PIECE.search(text))


class Builder:
    """The texts that a function puts together, a list of choices for each piece."""

    def __init__(self, path, name, code, arrays):
        self.texts = {}  # buffer: (line, pieces)
        self.text_of_user = TEXTS_OF_USERS.get(f"{path}:{name}", HOLE)
        self.known = {array: [text] for array, text in arrays.items()}
        self.used = set()
        for at, (kind, text, _) in enumerate(code):
            is_definition = kind == "mark" and text == "=" and (code[at - 1][0] == "name" or code[at - 1][1] == "]") and code[at - 2][1] != "."
            if is_definition and code[at + 1][1] != "=":
                end = next(i for i in range(at, len(code)) if code[i][1] in (";", "{") and code[i][0] == "mark")
                names = [token[1] for token in code[max(0, at - 3) : at] if token[0] == "name"]
                found = [token[1] for token in code[at:end] if token[0] == "string"]
                if found and names:
                    self.known[names[-1]] = found
        self.local = {text for texts in self.known.values() for text in texts}

    def add(self, call, given, line, is_alternative):
        if call in ADDS_ELSEWHERE:
            buffer, content = given[-1], [ADDS_ELSEWHERE[call]]
        elif call == "text_add_format":
            buffer = given[0]
            content = [text for template in choices(given[1], self.known) for text in formatted(template, given[2:], self.known, self.text_of_user)]
        elif call in ADDS:
            buffer, content = given[0], [self.text_of_user] if call == "text_add" else choices(given[1], self.known)
        else:
            return
        self.used |= {text for argument in given for kind, text, _ in argument if kind == "name"}
        pieces = self.texts.setdefault(buffer_of(buffer), (line, []))[1]
        if is_alternative and pieces:
            pieces[-1] = pieces[-1] + content
        else:
            pieces.append(content)


class File:
    def __init__(self, path, flags):
        self.path = path
        self.code = joined(tokens(path, flags))
        self.used = set()
        self.arrays = {}
        for name, code in units(self.code):
            strings = [token for token in code if token[0] == "string"]
            if len(strings) == 1 and any(token[1] == "char" for token in code) and code[-2] == strings[0]:
                self.arrays[name] = strings[0][1]

    def statements(self):
        """(unit, line, texts) of all that is sent; a text that is put together has several forms."""
        for name, code in units(self.code):
            builder = Builder(self.path, name, code, self.arrays)
            whole, calls = [], []
            for at, (kind, text, line) in enumerate(code):
                while calls and calls[-1][1] < at:
                    calls.pop()
                if is_call(code, at) and code[matching(code, at + 1) + 1][1] != "{":
                    end = matching(code, at + 1)
                    calls.append((text, end))
                    builder.add(text, arguments(code, at + 2, end), line, is_alternative=code[at - 1][1] == "else")
                elif kind == "string" and name not in self.arrays:
                    callers = [call for call, _ in calls]
                    if any(NOT_SENT.fullmatch(call) for call in callers) or any(call in ADDS for call in callers[-1:]):
                        continue
                    if STATEMENT.match(text) or (not callers and PIECE.search(text)):
                        whole.append((line, text))
            self.used |= builder.used
            local = {text for known in builder.used for text in builder.known.get(known, [])}
            yield from ((name, line, [[[text]]]) for line, text in whole if text not in local)
            for buffer, (line, pieces) in builder.texts.items():
                if any(looks_like_sql(choice) for piece in pieces for choice in piece):
                    yield f"{name}:{buffer}", line, [pieces]
        for name, text in self.arrays.items():
            if name not in self.used and STATEMENT.match(text):
                yield name, 0, [[[text]]]


def forms(pieces):
    return itertools.islice(itertools.product(*pieces), 64)


def filled(text):
    """With placeholders for what is filled in at run time."""
    text = text.replace("{ledger}", f"{HOLE}.ledger").replace("{lease}", f"{HOLE}.lease").replace("{journal}", HOLE).replace("{before}", "'hole'")
    text = re.sub(r"\{\w+\}", HOLE, text)
    text = re.sub(r"%(?:\.\*)?s", f"{HOLE}", text)
    return re.sub(r"%(?:ll|z)?[du]|%\.\df", "1", text).replace("%%", "%")


def strings(names):
    return [name["String"].get("sval", "") for name in names or [] if "String" in name]


def is_qualified(names):
    return HOLE in names[-1:] or (len(names) >= 2 and names[-2] in ("pg_catalog", HOLE))


def named_queries(tree):
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key == "CommonTableExpr":
                yield value["ctename"]
            yield from named_queries(value)
    elif isinstance(tree, list):
        for item in tree:
            yield from named_queries(item)


HIDDEN = {
    "AEXPR_DISTINCT": "IS DISTINCT FROM",
    "AEXPR_NOT_DISTINCT": "IS NOT DISTINCT FROM",
    "AEXPR_NULLIF": "NULLIF",
    "AEXPR_IN": "IN",
    "AEXPR_LIKE": "LIKE",
    "AEXPR_ILIKE": "ILIKE",
    "AEXPR_SIMILAR": "SIMILAR TO",
    "AEXPR_BETWEEN": "BETWEEN",
    "AEXPR_NOT_BETWEEN": "NOT BETWEEN",
    "AEXPR_BETWEEN_SYM": "BETWEEN SYMMETRIC",
    "AEXPR_NOT_BETWEEN_SYM": "NOT BETWEEN SYMMETRIC",
}


def faults_of(kind, node, queries):
    """What one node of the parse tree leaves to the search_path."""
    if kind == "A_Expr":
        if node["kind"] in HIDDEN:
            yield f"{HIDDEN[node['kind']]} looks for an operator"
        elif not is_qualified(strings(node["name"])):
            yield f"operator {strings(node['name'])[-1]}"
    elif kind == "SubLink" and node["subLinkType"] in ("ANY_SUBLINK", "ALL_SUBLINK"):
        if "operName" not in node:
            yield "IN looks for an operator"
        elif not is_qualified(strings(node["operName"])):
            yield f"operator {strings(node['operName'])[-1]}"
    elif kind == "CaseExpr" and "arg" in node:
        yield "CASE x WHEN looks for an operator"
    elif kind == "JoinExpr" and ("usingClause" in node or node.get("isNatural")):
        yield "JOIN … USING looks for an operator"
    elif kind == "FuncCall" and not is_qualified(strings(node["funcname"])):
        yield f"function {strings(node['funcname'])[-1]}"
    # "serial" is no type: the parser knows it by this word alone.
    elif kind in ("TypeName", "typeName") and "names" in node and not is_qualified(strings(node["names"])) and strings(node["names"]) != ["serial"]:
        yield f"type {strings(node['names'])[-1]}"
    elif kind in ("RangeVar", "relation", "view", "sequence") and "relname" in node:
        is_known = node["relname"] == HOLE or (not node.get("schemaname") and node["relname"] in queries)
        if not is_known and node.get("schemaname") not in ("pg_catalog", "pg_temp", HOLE):
            yield f"relation {node['relname']}"
    elif kind == "CollateClause" and not is_qualified(strings(node["collname"])):
        yield f"collation {strings(node['collname'])[-1]}"
    elif kind == "SortBy" and "useOp" in node and not is_qualified(strings(node["useOp"])):
        yield f"operator {strings(node['useOp'])[-1]}"
    elif kind == "IndexElem" and "opclass" in node and not is_qualified(strings(node["opclass"])):
        yield f"operator class {strings(node['opclass'])[-1]}"


def walk(tree, queries):
    if isinstance(tree, dict):
        for key, value in tree.items():
            if isinstance(value, dict):
                yield from faults_of(key, value, queries)
            yield from walk(value, queries)
    elif isinstance(tree, list):
        for item in tree:
            yield from walk(item, queries)


def expressions(tree):
    """Of a PL/pgSQL block, each as a statement."""
    if isinstance(tree, dict):
        if query := tree.get("PLpgSQL_expr", {}).get("query"):
            query = query.partition(":=")[2] or query
            yield query if STATEMENT.match(query) else f"SELECT {query}"
        for value in tree.values():
            yield from expressions(value)
    elif isinstance(tree, list):
        for item in tree:
            yield from expressions(item)


def faults(text):
    """What a statement, several, or a block of PL/pgSQL leave to the search_path."""
    try:
        if declared := re.match(r"DECLARE\b(.*?;)\s*BEGIN\b", text, re.S):
            types = re.findall(r"\s*\w+(?: CONSTANT)? ([^:;]+?)\s*(?::=[^;]*)?;", declared[1])
            block = pglast.parser.parse_plpgsql_json(f"CREATE FUNCTION hole() RETURNS void LANGUAGE plpgsql AS $hole${text}$hole$")
            parts = [*(f"SELECT NULL::{name}" for name in types), *expressions(json.loads(block))]
            return [fault for part in parts for fault in faults(part)]
        tree = json.loads(pglast.parser.parse_sql_json(text))
    except pglast.parser.ParseError as error:
        return [f"does not parse: {error}"]
    return list(dict.fromkeys(walk(tree, set(named_queries(tree)))))


# A lint that finds nothing must be known to find something.
SELF_TEST = {
    "SELECT a = b FROM x.y": "operator =",
    "SELECT -a FROM x.y": "operator -",
    "SELECT a OPERATOR(public.=) b FROM x.y": "operator =",
    "SELECT ROW(a, b) > ROW(c, d) FROM x.y": "operator >",
    "SELECT a = ANY (b) FROM x.y": "operator =",
    "SELECT a > ALL (SELECT pg_catalog.now()) FROM x.y": "operator >",
    "SELECT a IN (1, 2) FROM x.y": "IN",
    "SELECT a NOT IN (SELECT 1) FROM x.y": "IN",
    "SELECT a LIKE 'b' FROM x.y": "LIKE",
    "SELECT a ILIKE 'b' FROM x.y": "ILIKE",
    "SELECT a SIMILAR TO 'b' FROM x.y": "SIMILAR",
    "SELECT a BETWEEN 1 AND 2 FROM x.y": "BETWEEN",
    "SELECT CASE a WHEN 1 THEN 2 END FROM x.y": "CASE x WHEN",
    "SELECT a IS DISTINCT FROM b FROM x.y": "IS DISTINCT FROM",
    "SELECT a IS NOT DISTINCT FROM b FROM x.y": "IS NOT DISTINCT FROM",
    "SELECT NULLIF(a, b) FROM x.y": "NULLIF",
    "SELECT a || b FROM x.y": "operator ||",
    "SELECT a -> 'b' FROM x.y": "operator ->",
    "SELECT a ~ 'b' FROM x.y": "operator ~",
    "SELECT 1 FROM x.y JOIN x.z USING (a)": "USING",
    "SELECT 1 FROM x.y NATURAL JOIN x.z": "USING",
    "SELECT now()": "function now",
    "SELECT public.now()": "function now",
    "SELECT count(*) FROM x.y": "function count",
    "SELECT a::text FROM x.y": "type text",
    "SELECT CAST(a AS timestamptz[]) FROM x.y": "type timestamptz",
    "CREATE TABLE x.y (a text)": "type text",
    "SELECT a FROM pg_class": "relation pg_class",
    "INSERT INTO y VALUES (1)": "relation y",
    "UPDATE y SET a = 1": "relation y",
    "DELETE FROM y": "relation y",
    "SELECT a COLLATE \"C\" FROM x.y": "collation C",
    "SELECT a FROM x.y ORDER BY a USING <": "operator <",
    "CREATE INDEX ON x.y (a text_ops)": "operator class text_ops",
    "SELECT FROM WHERE": "does not parse",
    "DECLARE a text; BEGIN NULL; END": "type text",
    "DECLARE a integer := now(); BEGIN NULL; END": "function now",
    "DECLARE a integer; BEGIN a := 1 + 1; END": "operator +",
    "DECLARE a integer; BEGIN IF a = 1 THEN NULL; END IF; END": "operator =",
    "DECLARE a integer; BEGIN SELECT b INTO a FROM y; END": "relation y",
    "DECLARE a integer; BEGIN PERFORM f(); END": "function f",
    "DECLARE a integer; BEGIN EXECUTE 'x' || a; END": "operator ||",
}
CLEAN = (
    "WITH q AS (SELECT 1 AS a) SELECT q.a OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[]), COALESCE(pg_catalog.now(), $2::integer),"
    " EXTRACT(epoch FROM b AT TIME ZONE 'UTC'), CASE WHEN c IS NULL THEN 1 END FROM q, pg_catalog.pg_class ORDER BY 1"
)
# In C: what the extraction must see.
SOURCE = """
#define TAIL " WHERE a = 1"
static const struct query WHOLE = { .name = "x", .sql = "SELECT 1 FROM x.y" TAIL };
static const char ARRAY[] = "SELECT b = 2";
static bool built(void)
{
    text_add_string(&sql, "BEGIN;SELECT ");
    quote_identifier(name, &sql);
    text_add_format(&sql, " = %s FROM %s", one, other);
    text_add_string(&more, ARRAY);
    error_hint(err, "SELECT c = 3 by hand");
    return query_run(conn, &(const struct query) { .name = "y", .sql = x ? "SELECT d = 4" : "SELECT e = 5" });
}
"""


def self_test():
    for text, expected in SELF_TEST.items():
        if not any(expected in fault for fault in faults(text)):
            yield f"self-test: {text}: {expected} was not found, but {faults(text)}"
    if faults(CLEAN):
        yield f"self-test: {faults(CLEAN)} where nothing is wrong"
    path = pathlib.Path("build/sql_self_test.c")
    path.write_text(SOURCE)
    seen = [filled("".join(next(forms(pieces)))) for _, _, texts in File(path, []).statements() for pieces in texts]
    path.unlink()
    wanted = ["SELECT 1 FROM x.y WHERE a = 1", "BEGIN;SELECT hole = hole FROM hole", "SELECT b = 2", "SELECT d = 4", "SELECT e = 5"]
    if sorted(seen) != sorted(wanted):
        yield f"self-test: {sorted(seen)} was read, not {sorted(wanted)}"


def check(place, pieces):
    """(statement, fault) of a text: of its forms at least one parses, and each piece is in one that does."""
    seen, texts = set(), []
    for form in forms(pieces):
        text = filled(COMPLETED.get(place, "{}").replace("{}", "".join(form)))
        found = faults(text)
        texts.append((text, found))
        if not found or "does not parse" not in found[0]:
            seen |= set(form)
            yield from ((text, fault) for fault in found)
    for piece in {choice for piece in pieces for choice in piece if looks_like_sql(choice)} - seen:
        yield texts[0][0], f"{texts[0][1][0] if texts[0][1] else 'does not parse'}, so nobody knows of {piece!r}"


def main():
    flags = [flag for flag in sys.argv[1:] if flag != "--list"]
    is_list = "--list" in sys.argv
    bad = list(self_test())
    count = 0
    for path in sorted([*pathlib.Path("entrypoint").rglob("*.c"), *pathlib.Path("cmd").rglob("*.c")]):
        if str(path) in NOT_SENT_UNITS:
            continue
        for unit, line, texts in File(path, flags).statements():
            place = f"{path}:{unit}"
            if f"{path}:{unit.partition(':')[0]}" in NOT_SENT_UNITS:
                continue
            for pieces in texts:
                count += 1
                if is_list:
                    print(f"{place}: {filled(''.join(next(forms(pieces))))}")
                bad += [f"{path}:{line}: {unit}: {fault}\n    {text}" for text, fault in dict.fromkeys(check(place, pieces))]
    bad += [f"{path}: not there, take it off the list" for path in NOT_SENT_UNITS if not pathlib.Path(path.partition(":")[0]).exists()]
    print("\n".join(bad))
    if is_list:
        print(f"{count} statements")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
