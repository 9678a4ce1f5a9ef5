"""Tests wait for states, not for time: only wait.py sleeps (and measurements, which have a schedule), and SQL's pg_sleep is for being interrupted."""

import pathlib
import re
import sys

bad = []
for file in sorted(pathlib.Path("tests").rglob("*")):
    if not file.is_file() or file.name in ("wait.py", "sleeps.py") or {"cases", "bench"} & set(file.parts):
        continue
    text = file.read_bytes().decode(errors="replace")
    bad += [f"{file}: {match}" for match in re.findall(r"(?<!pg_)\bu?sleep\(|^\s*sleep \d", text, re.M)]
print("\n".join(bad))
sys.exit(bool(bad))
