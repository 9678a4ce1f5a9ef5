"""PostgreSQL's own regression scripts, out of the distribution's source package.

apt keeps its state in a folder of ours and takes its sources from a copy of the machine's own, so nothing
of the machine's configuration changes. What was fetched stays in build/.
"""

import fcntl
import os
import pathlib
import re
import subprocess
import tarfile

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build" / "regression-scripts"
HEADER = pathlib.Path("/usr/include/pg_query.h")


def package():
    """The source package of the version that libpg_query speaks."""
    major = re.search(r'PG_MAJORVERSION "(\d+)"', HEADER.read_text())[1]
    return f"postgresql-{major}"


def _apt_options():
    apt = BUILD / "apt"
    for folder in ("state/lists/partial", "cache/archives/partial", "sources"):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    settings = {
        "Dir::State": apt / "state",
        "Dir::State::status": "/var/lib/dpkg/status",
        "Dir::Cache": apt / "cache",
        "Dir::Etc::SourceList": "/dev/null",
        "Dir::Etc::SourceParts": apt / "sources",
        "APT::Sandbox::User": "",
    }
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


def _write_sources():
    """The machine's package sources, asked for sources instead of binaries."""
    etc = pathlib.Path("/etc/apt")
    for file in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]:
        if file.suffix not in (".list", ".sources") or not file.is_file():
            continue
        text = file.read_text()
        if file.suffix == ".sources":
            text = re.sub(r"(?m)^Types:.*$", "Types: deb-src", text)
        else:
            text = re.sub(r"(?m)^\s*deb\s", "deb-src ", text)
        (BUILD / "apt" / "sources" / file.name).write_text(text)


def _versions(options):
    """Every version on offer, newest first."""
    command = ["apt-cache", *options, "madison", package()]
    rows = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    versions = [row.split("|")[1].strip() for row in rows if row.rstrip().endswith("Sources")]
    return list(dict.fromkeys(reversed(versions)))


def _download():
    options = _apt_options()
    _write_sources()
    subprocess.run(["apt-get", *options, "--quiet", "update"], capture_output=True, check=False)
    failures = []
    # The newest version may be announced before its files are there: an older one serves as well.
    for version in _versions(options):
        source = ["source", "--download-only", "--tar-only", f"{package()}={version}"]
        command = ["apt-get", *options, "--quiet", *source]
        answer = subprocess.run(command, cwd=BUILD, capture_output=True, text=True, check=False)
        found = sorted(BUILD.glob(f"{package()}_*.orig.tar.*"))
        if answer.returncode == 0 and found:
            return found[-1]
        failures.append(f"{version}: {answer.stderr.strip()}")
    raise RuntimeError(f"no version of the source package {package()} could be had\n" + "\n".join(failures))


def _extract(archive):
    with tarfile.open(archive) as tar:
        for member in tar:
            parts = pathlib.PurePosixPath(member.name).parts
            if member.isfile() and len(parts) > 2 and parts[-2] == "sql" and parts[-1].endswith(".sql"):
                target = BUILD / "scripts" / pathlib.Path(*parts[1:])
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(tar.extractfile(member).read())


def scripts():
    """The paths of all scripts, relative to folder(); fetches them the first time."""
    BUILD.mkdir(parents=True, exist_ok=True)
    done = BUILD / "done"
    # Several test processes may begin at the same moment.
    with (BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            archive = _download()
            _extract(archive)
            archive.unlink()
            done.write_text(archive.name + "\n")
    return sorted(os.fspath(path.relative_to(folder())) for path in folder().rglob("*.sql"))


def folder():
    return BUILD / "scripts"


COPY_STDIN = re.compile(rb"\bfrom\s+(?:p?stdin|stdout)\b", re.I)
COMMAND = re.compile(rb"\s*\\(?:[A-Za-z_]+\*?[+S]*|!|\?)(?:\s|\\|$)")
TRAILING_COMMAND = re.compile(rb"\s*\\(?:gset|gexec|gdesc|gx|g|crosstabview|p|r|watch)\b[^']*$")
SET = re.compile(rb"\s*\\set\s+(\w+)\s+(.*)$")
WORD = re.compile(rb"'((?:[^']|'')*)'|([^\s']+)")
VARIABLE = re.compile(rb"(?<![:\w\[]):(?:(['\"])(\w+)\1|([A-Za-z_]\w*))")


def _data_lines(lines, first):
    """How many lines from `first` on are data of a COPY.

    One that is meant to fail has none: then the next COPY comes before the next end of data."""
    for index in range(first, len(lines)):
        if lines[index].rstrip() == rb"\.":
            return index + 1 - first
        if COPY_STDIN.search(lines[index]):
            return 0
    return 0


def _value(words, variables):
    parts = [(quoted.replace(b"''", b"'") or plain) for quoted, plain in WORD.findall(words)]
    return _substitute(b"".join(parts), variables)


def _substitute(line, variables):
    def value(found):
        quote, name = found[1] or b"", found[2] or found[3]
        return quote + variables.get(name, name) + quote

    return VARIABLE.sub(value, line)


def without_psql(script):
    """The script without what only psql understands: its commands and variables, and the data of COPY."""
    lines = script.split(b"\n")
    variables = {}
    kept = []
    index = 0
    while index < len(lines):
        line = lines[index]
        index += 1
        for _ in COPY_STDIN.findall(line):
            index += _data_lines(lines, index)
        if setting := SET.match(line):
            variables[setting[1]] = _value(setting[2], variables)
        if COMMAND.match(line):
            kept.append(b"")
            continue
        line = COPY_STDIN.sub(b"from 'data'", line)
        line = TRAILING_COMMAND.sub(b";", line)
        kept.append(_substitute(line.replace(rb"\;", b";"), variables))
    return b"\n".join(kept)


if __name__ == "__main__":
    print(f"{len(scripts())} regression scripts of {package()}")
