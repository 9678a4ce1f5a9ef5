"""The documents agree with the tree and with each other: every link and path leads somewhere, no sentence is in two places, and the
phases in entrypoint/README.md are those of the code; with --write these are brought up to date.
"""

import pathlib
import re
import subprocess
import sys

DESIGN = pathlib.Path("entrypoint/README.md")
README_LINES_MOST = 150
ROOM_ROW = re.compile(r"(?m)^\| `(\w+)` \|")
PATH = re.compile(r"`((?:cmd|entrypoint|docker|helm|tests|\.github|\.ci)/[\w./*-]*)`")
PART = re.compile(r"(<!-- drawn: (\w+) -->\n)(.*?)(<!-- end -->\n)", re.S)
PHASE_ROW = re.compile(r"\[PHASE_(\w+)\] = \{(.*?) \}", re.S)


def rooms():
    """Those that have a folder, the highest first."""
    order = re.search(r"(?m)^ROOMS := (.*)", pathlib.Path("Makefile").read_text())[1].split()
    return [room for room in reversed(order) if pathlib.Path("entrypoint", room).is_dir()]


def phases():
    """Each phase of the table PHASE_ROWS: its name, what it may lead to, what the status file calls it."""
    text = pathlib.Path("entrypoint/deploy/phases.c").read_text().split("PHASE_ROWS[PHASES] = {")[1]
    for name, row in PHASE_ROW.findall(text):
        shown = re.search(r"PROGRESS_(\w+)", row)
        yield name.lower(), [word.lower() for word in re.findall(r"1u << PHASE_(\w+)", row)], shown[1].lower() if shown else name.lower()


def after_a_failure():
    """Where the driver goes on when a phase fails."""
    text = pathlib.Path("entrypoint/deploy/deployment.c").read_text()
    body = re.search(r"static enum phase recover\(.*?\n}\n", text, re.S)[0]
    return [word.lower() for word in re.findall(r"return PHASE_(\w+)", body)]


def meanings():
    """The comment beside each phase in the header."""
    text = pathlib.Path("entrypoint/deploy/internal.h").read_text()
    return {name.lower(): meaning for name, meaning in re.findall(r"(?m)^    PHASE_(\w+), +/\* (.*) \*/", text)}


def draw_phases():
    edges = [(phase, target) for phase, targets, _ in phases() for target in targets]
    said = meanings()
    diagram = ["stateDiagram-v2", "    [*] --> connecting"]
    diagram += [f"    {phase} --> {target}" for phase, target in edges]
    diagram += ["    complete --> [*]", "    failed --> [*]"]
    table = ["| phase | | in the status file |", "| --- | --- | --- |"]
    table += [f"| {phase} | {said[phase]} | `{shown}` |" for phase, _, shown in phases()]
    failing = " or ".join(f"*{phase}*" for phase in dict.fromkeys(after_a_failure()))
    lines = ["```mermaid", *diagram, "```", "", *table, "", f"Every phase may fail; then comes {failing}."]
    return "\n".join(lines) + "\n"


MAKERS = {"phases": draw_phases}


def anchors(text):
    """As the web shows headings: small letters, "-" for blanks, nothing else of what is no letter or digit."""
    prose = re.sub(r"```.*?```", "", text, flags=re.S)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"(?m)^#+ (.*)", prose)}


def faults_of(path, text):
    prose = re.sub(r"```.*?```", "", text, flags=re.S)
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)", prose):
        file = path.parent / target if target else path
        if not file.exists():
            yield f"{path}: there is no {target}"
        elif anchor and anchor not in anchors(file.read_text()):
            yield f"{path}: {target} has no heading #{anchor}"
    for name in PATH.findall(text):
        if not any(pathlib.Path().glob(name.rstrip("/"))):
            yield f"{path}: there is no {name}"


def sentences_in(text):
    """Of the prose, with six words or more."""
    prose = re.sub(r"```.*?```|<!-- generated: .*?<!-- end -->|^[| -]+$", "", text, flags=re.S | re.M)
    for paragraph in re.split(r"\n\n|\n(?=[-|#] ?)", prose):
        for sentence in re.split(r"(?<=[.:;])\s+", " ".join(paragraph.split())):
            if len(sentence.split()) >= 6:
                yield sentence


def faults_of_the_design(text):
    listed = ROOM_ROW.findall(text.split("\n## The rooms\n")[1].split("\n## ")[0])
    if listed != rooms():
        yield f"{DESIGN}: the rooms are {' '.join(rooms())}"
    for section in "Promises", "Where is it?":
        for line in text.split(f"\n## {section}\n")[1].split("\n## ")[0].splitlines():
            if line.startswith("| ") and not line.startswith("| ---") and not PATH.search(line) and line.count("`") > 0:
                yield f"{DESIGN}: this row names no file: {line}"


def main():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], check=True, capture_output=True, text=True).stdout
    faults, places = [], {}
    for path in map(pathlib.Path, listed.splitlines()):
        text = path.read_text()
        fresh = PART.sub(lambda part: part[1] + MAKERS[part[2]]() + part[4], text)
        if fresh != text and "--write" in sys.argv:
            path.write_text(fresh)
        elif fresh != text:
            faults.append(f"{path}: behind the code: python3 tests/lint/documents.py --write")
        faults += faults_of(path, fresh)
        for sentence in sentences_in(fresh):
            if sentence in places:
                faults.append(f"{path}: is in {places[sentence]}, too: {sentence}")
            places[sentence] = path
        if path == DESIGN:
            faults += faults_of_the_design(fresh)
    if (lines := len(pathlib.Path("README.md").read_text().splitlines())) > README_LINES_MOST:
        faults.append(f"README.md: {lines} lines; {README_LINES_MOST} are the most")
    print("\n".join(faults))
    sys.exit(bool(faults))


main()
