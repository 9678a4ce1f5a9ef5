"""Functions of at most 55 lines, files of at most 450; what is longer is named here, with the reason."""

import pathlib
import subprocess
import sys

LONGER = {
    "entrypoint/config/options.c": "one table",
    "entrypoint/schema/effect_table.c": "one table",
    "entrypoint/lock/lease.c": "one protocol: each answer of the API server decides what is asked next",
}

files = [str(path) for top in ("cmd", "entrypoint") for path in sorted(pathlib.Path(top).rglob("*.[ch]"))]
bad = [f"{file}: {lines} lines" for file in files if (lines := len(pathlib.Path(file).read_text().splitlines())) > 450 and file not in LONGER]
tags = subprocess.run(
    ["ctags", "-x", "--c-kinds=f", "--_xformat=%F:%n %N %{end}", *files], capture_output=True, text=True, check=True
).stdout
for line in tags.splitlines():
    place, name, end = line.rsplit(" ", 2)
    length = int(end) - int(place.rsplit(":", 1)[1]) + 1
    if length > 55:
        bad.append(f"{place}: {name} has {length} lines")
bad += [f"{file}: no longer too long, take it off the list" for file in LONGER if len(pathlib.Path(file).read_text().splitlines()) <= 450]
print("\n".join(bad))
sys.exit(bool(bad))
