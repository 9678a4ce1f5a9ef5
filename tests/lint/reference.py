"""The generated parts of the documents are what the program's tables say; with --write they are brought up to date.

A part stands between "<!-- generated: NAME -->" and "<!-- end -->", in any document; the makers of NAME are below.
"""

import json
import pathlib
import re
import subprocess
import sys

BINARY = "build/tidelock"
OF_THE_CHART = {"values"}  # made by chart.py
PART = re.compile(r"(<!-- generated: (.+?) -->\n)(.*?)(<!-- end -->\n)", re.S)


def cell(text):
    return (text or "").replace("|", "\\|").replace("*", "\\*")


def code(words):
    """Each of several names with commas between, in type of its own."""
    return ", ".join(f"`{word}`" for word in words.split(", ")) if words else ""


def table(titles, rows):
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join(re.sub(r"  +", " ", "| " + " | ".join(line) + " |\n") for line in lines)


def who(names, tables):
    """Commands by what they have in common, where that is shorter."""
    for option, common in {"log-level": "all", "database-url": "all that use the database", "migrations": "all that use the folder"}.items():
        (row,) = (row for row in tables["options"] if row["name"] == option)
        if set(names) - {"help"} == set(row["commands"]):
            return common
    return ", ".join(names)


def description(tables):
    return tables["description"] + "\n"


def commands(tables):
    return table(["command", "does"], ([f"[`{row['name']}`](#{row['name']})", cell(row["summary"])] for row in tables["commands"]))


def each_command(tables):
    """A section a command."""
    parts = []
    for row in tables["commands"]:
        codes = sorted({exit["code"] for exit in tables["exits"] if row["name"] in exit["commands"]}, key=lambda code: int(code.split("+")[0]))
        usage = f"tidelock {row['name']} {row['usage']}".strip()
        parts.append(f"### {row['name']}\n\n`{usage}`\n\n{row['about']}\n\n```sh\n{row['example']}\n```\n\nExit codes: {', '.join(codes)}\n")
    return "\n".join(parts)


def what(option):
    text = cell(option["text"])
    if option["choices"]:
        text += " One of " + ", ".join(f"`{choice}`" for choice in option["choices"]) + "."
    return text + (f" {option['range']}." if option["range"] else "")


def options(tables):
    """A table for each group."""
    parts = []
    for group in dict.fromkeys(option["group"] for option in tables["options"]):
        rows = [
            [f"`{cell(option['flag'])}`", code(option["environment"]), code(option["default"]), who(option["commands"], tables), what(option)]
            for option in tables["options"]
            if option["group"] == group
        ]
        parts.append(f"### {group}\n\n" + table(["option", "environment", "default", "commands", ""], rows))
    return "\n".join(parts)


def directives(tables):
    return table(["directive", ""], ([f"`{cell(row['usage'])}`", cell(row["meaning"])] for row in tables["directives"]))


def exit_codes(tables):
    rows = ([row["code"], cell(row["meaning"]), "yes" if row["retry"] else "", who(row["commands"], tables)] for row in tables["exits"])
    return table(["code", "meaning", "retry helps", "commands"], rows)


def surroundings(name):
    return lambda tables: table(["", ""], ([code(row["names"]), cell(row["meaning"])] for row in tables[name]))


MAKERS = {
    "description": description,
    "commands": commands,
    "each command": each_command,
    "options": options,
    "directives": directives,
    "exit codes": exit_codes,
    "environment": surroundings("environment"),
    "files": surroundings("files"),
}


def documents():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], check=True, capture_output=True, text=True).stdout
    return [pathlib.Path(path) for path in listed.splitlines() if pathlib.Path(path).exists()]


def main():
    tables = json.loads(subprocess.run([BINARY, "manual", "--json"], check=True, capture_output=True, text=True).stdout)
    behind = []
    for path in documents():
        text = path.read_text()
        parts = PART.findall(text)
        if len(parts) != text.count("<!-- generated: "):
            sys.exit(f"{path}: a generated part has no end")
        unknown = {name for _, name, _, _ in parts} - MAKERS.keys() - OF_THE_CHART
        if unknown:
            sys.exit(f"{path}: nothing makes {', '.join(sorted(unknown))}")
        fresh = PART.sub(lambda part: part[0] if part[2] in OF_THE_CHART else part[1] + MAKERS[part[2]](tables) + part[4], text)
        if fresh == text:
            continue
        if "--write" in sys.argv:
            path.write_text(fresh)
        else:
            behind.append(str(path))
    if behind:
        sys.exit(f"{', '.join(behind)}: behind the program: python3 tests/lint/reference.py --write")


main()
