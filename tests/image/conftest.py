"""Fixtures: the static binary, a container engine, the images."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from engine import CA_CERTIFICATES, STAND_INS, started  # noqa: E402
from project import ABOUT  # noqa: E402

# What the binary calls itself, in an image, where there is no git, as outside.
ITSELF = {name.upper(): ABOUT[name] for name in ("version", "commit", "date")}


def _make(*words, within=()):
    done = subprocess.run([*within, "make", "-C", ROOT, "static", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="session")
def make_static():
    """make static, with further words; what it printed."""
    return _make


@pytest.fixture(scope="session")
def static():
    """The release binary for this machine."""
    _make()
    return ROOT / "build" / "static" / "tidelock"


@pytest.fixture(scope="session")
def static_arm64(static):
    """The release binary for another machine. All sources are there by now: without a network, its libraries are made of nothing else."""
    _make("ARCH=arm64", *(f"{name}={value}" for name, value in ITSELF.items()), within=["unshare", "--net"])
    return ROOT / "build" / "static-arm64" / "tidelock"


@pytest.fixture(scope="session")
def engine():
    yield from started()


@pytest.fixture(scope="session")
def base(engine):
    return engine.base()


@pytest.fixture(scope="session")
def image(engine, base):
    """The image, built in a container by its Dockerfile."""
    return engine.build("tidelock", ROOT / "docker" / "Dockerfile", ROOT, DEBIAN=base, **ITSELF)


@pytest.fixture(scope="session")
def postgres_image(engine, base):
    return engine.build("postgres", STAND_INS / "postgres.Dockerfile", STAND_INS, DEBIAN=base)


@pytest.fixture(scope="session")
def node_image(engine, base, tmp_path_factory):
    context = tmp_path_factory.mktemp("node")
    if CA_CERTIFICATES.exists():
        (context / CA_CERTIFICATES.name).write_bytes(CA_CERTIFICATES.read_bytes())
    return engine.build("node", STAND_INS / "node.Dockerfile", context, DEBIAN=base)


@pytest.fixture
def folder(tmp_path):
    from folder import Folder

    os.chmod(tmp_path, 0o755)
    return Folder(tmp_path / "app")
