"""The rows of lock, and the places where their files are found: what fetch and update share."""

import hashlib
import os
import pathlib
import platform
import shutil
import subprocess
import tempfile
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOCK = ROOT / "docker" / "deps" / "lock"
SOURCES = ROOT / "build" / "deps" / "sources"
MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
FIELDS = ["name", "archive", "version", "licence", "place", "package", "machine", "file", "sha256", "page"]
WHEEL_PLATFORMS = {"amd64": "manylinux_2_17_x86_64", "arm64": "manylinux_2_17_aarch64"}


def rows():
    """All rows of lock, as dicts of FIELDS; "page" is None where there is none."""
    lines = [line.split() for line in LOCK.read_text().splitlines() if line and not line.startswith("#")]
    return [dict(zip(FIELDS, line + [None])) for line in lines]


def digest(file):
    sha256 = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            sha256.update(block)
    return sha256.hexdigest()


def run(*words, **more):
    """What a command prints; its last words as an OSError when it fails."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise OSError(said[-1] if said else f"{words[0]} failed")
    return done.stdout


def download(address, file):
    with urllib.request.urlopen(address, timeout=60) as answer, file.open("wb") as stream:
        shutil.copyfileobj(answer, stream)


def from_mirror(mirror, row, folder):
    if "://" in mirror:
        download(f"{mirror.rstrip('/')}/{urllib.parse.quote(row['file'])}", folder / row["file"])
    else:
        shutil.copy(pathlib.Path(mirror) / row["file"], folder)


def from_crate(row, folder):
    """Cargo keeps the file itself, below a folder that it names after the registry."""
    run("cargo", "info", "--quiet", row["package"], cwd=folder)
    home = pathlib.Path(os.environ.get("CARGO_HOME") or pathlib.Path.home() / ".cargo")
    for file in home.glob(f"registry/cache/*/{row['file']}"):
        shutil.copy(file, folder)


def from_wheel(row, folder):
    pip = ROOT / "build" / "deps" / "pip"
    if not (pip / "bin" / "pip").exists():
        run("/usr/bin/python3", "-m", "venv", pip)
    words = ["--no-deps", "--only-binary", ":all:", "--dest", folder, row["package"]]
    if row["machine"] not in ("any", MACHINE):
        words += ["--platform", WHEEL_PLATFORMS[row["machine"]]]
    run(pip / "bin" / "pip", "download", *words)


def debian_archives():
    """Where the machine's own packages come from; nothing where it is not Debian."""
    if not shutil.which("apt-get"):
        return []
    return sorted(set(run("apt-get", "indextargets", "--no-release-info", "--format", "$(SITE)", "Created-By: Packages").split()))


def from_debian(row, folder):
    """By path, whatever the index says: it forgets a version before the pool does, and knows one before the pool does."""
    package = row["package"]
    path = f"pool/main/{package[:4] if package.startswith('lib') else package[0]}/{package}/{row['file']}"
    reason = "no Debian archive is known here"
    for archive in debian_archives():
        try:
            run("/usr/lib/apt/apt-helper", "download-file", f"{archive.rstrip('/')}/{path}", folder / row["file"])
            return
        except OSError as error:
            reason = error
    raise OSError(reason)


def from_page(row, folder):
    download(row["page"], folder / row["file"])


PLACES = {"crate": from_crate, "wheel": from_wheel, "debian": from_debian}


def places(row):
    """Pairs of a place's name and the function that takes the row's file from there into a folder, in the order to ask."""
    mirror = os.environ.get("SOURCES_MIRROR")
    if mirror:
        yield mirror, lambda row, folder: from_mirror(mirror, row, folder)
    yield row["place"], PLACES[row["place"]]
    if row["page"]:
        yield row["page"], from_page


def take(row, place):
    """Puts the row's file from `place` into SOURCES; an OSError says why it could not. Without a checksum in the row, any will do."""
    SOURCES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=SOURCES) as name:
        file = pathlib.Path(name) / row["file"]
        place(row, file.parent)
        found = digest(file)
        if row["sha256"] not in (None, found):
            raise OSError(f"the SHA-256 is {found}, not {row['sha256']}")
        file.chmod(0o644)
        file.replace(SOURCES / row["file"])
