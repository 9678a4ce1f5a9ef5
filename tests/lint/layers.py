"""Includes point down the house, never up or sideways, and each library has one doorman."""

import pathlib
import re
import sys

ROOMS = "base http sql dialect config credentials postgres history lock schema report traffic execution repair backfill apply deploy gate fleet".split()
DOORMEN = {
    r"libpq-fe\.h": r"entrypoint/postgres/",
    r"curl/": r"entrypoint/http/",
    r"yaml\.h": r"entrypoint/config/yaml\.c",
    r"jansson\.h": r"entrypoint/base/json\.c",
    r"openssl/": r"entrypoint/(base/hash|config/trust)\.c",
}

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
for file in pathlib.Path("cmd").rglob("*.[ch]"):
    bad += [f"{file}: <{used}> is not for cmd/" for used in re.findall(r"#include <((?:libpq-fe|yaml|jansson|curl|openssl)[^>]*)>", file.read_text())]
print("\n".join(bad))
sys.exit(bool(bad))
