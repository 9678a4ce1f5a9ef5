"""The README's generated parts are what the program prints; with --write they are brought up to date."""

import pathlib
import re
import subprocess
import sys

BINARY = "build/tidelock"
README = pathlib.Path("README.md")


def printed(*words):
    return subprocess.run([BINARY, *words], check=True, capture_output=True, text=True).stdout


def exit_codes():
    return "```\n" + printed("help").split("Exit codes:\n")[1] + "```\n"


PARTS = {"options": lambda: printed("help", "--options"), "exit codes": exit_codes}

text = README.read_text()
fresh = text
for name, make in PARTS.items():
    pattern = rf"(<!-- generated: {name} -->\n).*?(<!-- end -->)"
    assert re.search(pattern, fresh, re.S), f"the README has no part {name!r}"
    fresh = re.sub(pattern, lambda match: match[1] + make() + match[2], fresh, flags=re.S)
if "--write" in sys.argv:
    README.write_text(fresh)
elif fresh != text:
    sys.exit("README.md is behind the program: python3 tests/lint/reference.py --write")
