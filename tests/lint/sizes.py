"""Functions of at most 80 lines, files of at most 500."""

import pathlib
import subprocess
import sys

files = [str(path) for top in ("cmd", "entrypoint") for path in sorted(pathlib.Path(top).rglob("*.[ch]"))]
bad = [f"{file}: {lines} lines" for file in files if (lines := len(pathlib.Path(file).read_text().splitlines())) > 500]
tags = subprocess.run(
    ["ctags", "-x", "--c-kinds=f", "--_xformat=%F:%n %N %{end}", *files], capture_output=True, text=True, check=True
).stdout
for line in tags.splitlines():
    place, name, end = line.rsplit(" ", 2)
    length = int(end) - int(place.rsplit(":", 1)[1]) + 1
    if length > 80:
        bad.append(f"{place}: {name} has {length} lines")
print("\n".join(bad))
sys.exit(bool(bad))
