"""Includes point down the house, never up or sideways, each library has one doorman, and what a migration tool calls things stands in dialect/ alone."""

import pathlib
import re
import sys

ROOMS = "base http sql dialect config credentials postgres history tenants lock schema report traffic execution repair backfill apply shadow deploy gate fleet".split()
DOORMEN = {
    r"libpq-fe\.h": r"entrypoint/postgres/",
    r"curl/": r"entrypoint/http/",
    r"yaml\.h": r"entrypoint/config/yaml\.c",
    r"jansson\.h": r"entrypoint/base/json\.c",
    r"(pg_query|postgres\.h|nodes/|parser/|utils/)": r"entrypoint/sql/grammar_tree\.h",
    r"openssl/": r"entrypoint/(base/hash|config/trust)\.c",
}
# What other rooms know of a tool, and what they do not say of it: its table, its key, its files, its codes of migrations. Which tool it is, is
# decided in one place. (The manual lists the environment.)
DESCRIPTIONS = "attempts dialect foreign known_ledger ledger_row ledger_sql order_key".split()
TOOLS_WORDS = r"_prisma_migrations|72707369|migration_lock\.toml|\"P3\d{3}\"|\bDIALECT_[A-Z]+\b"
TOOLS_WORDS_ALLOWED = {}

rank = {room: number for number, room in enumerate(ROOMS)}
bad = []
for file in sorted(pathlib.Path("entrypoint").rglob("*.[ch]")):
    room = file.parts[1]
    text = file.read_text()
    for used in re.findall(r'#include "(\w+)/', text):
        if used != room and rank.get(used, 99) >= rank[room]:
            bad.append(f"{file}: {room}/ may not include {used}/")
    for library in re.findall(r"#include <([^>]+)>", text):
        for header, doorman in DOORMEN.items():
            if re.match(header, library) and not re.match(doorman, str(file)):
                bad.append(f"{file}: <{library}> belongs to {doorman}")
for file in sorted([*pathlib.Path("entrypoint").rglob("*.[ch]"), *pathlib.Path("cmd").rglob("*.[ch]")]):
    if file.parts[1] == "dialect":
        continue
    text = file.read_text()
    bad += [f"{file}: dialect/{used}.h is known by dialect.h alone" for used in re.findall(r'#include "dialect/(\w+)', text) if used not in DESCRIPTIONS]
    bad += [f"{file}: {word} belongs into dialect/" for word in set(re.findall(TOOLS_WORDS, text)) if word != TOOLS_WORDS_ALLOWED.get(str(file))]
for file in pathlib.Path("cmd").rglob("*.[ch]"):
    bad += [f"{file}: <{used}> is not for cmd/" for used in re.findall(r"#include <((?:libpq-fe|yaml|jansson|curl|openssl)[^>]*)>", file.read_text())]
print("\n".join(bad))
sys.exit(bool(bad))
