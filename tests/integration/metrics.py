"""What a status file says."""

import pathlib
import re
import subprocess

PROMTOOL = pathlib.Path(__file__).resolve().parents[2] / "build" / "promtool" / "usr" / "bin" / "promtool"


# What every sample has beside its own labels.
PLACE = re.compile(r',?database="[^"]+",schema="[^"]+"')


def samples(file):
    """{name or name{labels}: value}, without what each has, of a status file that promtool likes and that carries no time stamps."""
    text = file.read_text() if file.exists() else ""
    if text and PROMTOOL.exists():
        checked = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True)
        assert checked.returncode == 0 and not checked.stderr, checked.stderr + text
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            assert re.fullmatch(r'[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [0-9.e+-]+', line), line
            name, value = line.rsplit(" ", 1)
            name, places = PLACE.subn("", name)
            name = name.removesuffix("{}")
            assert places == 1 and name not in found, line
            found[name] = float(value)
    return found
