"""Fixtures of every suite: a real server, a database of its own for each test, a folder, the tool."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import uuid

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "integration"))

from certificates import Authority  # noqa: E402
from folder import Folder  # noqa: E402
from peers import PEERS  # noqa: E402
from prisma_cli import Prisma  # noqa: E402
from proxy import Proxy  # noqa: E402
from servers import Database, Server, Servers, distribution_major  # noqa: E402
from tool import Tool  # noqa: E402
from world import ApiServer  # noqa: E402

# What this was started with may ignore it (nohup), and children inherit that.
signal.signal(signal.SIGHUP, signal.SIG_DFL)

ROOT = pathlib.Path(__file__).resolve().parents[1]
MAJORS = range(13, 19)


def pytest_addoption(parser):
    parser.addoption("--majors", help="run every test on these major versions of PostgreSQL: 13,18")
    parser.addoption("--every", type=int, default=42, help="in tests/rig, disturb every N-th message only; 1 disturbs each")
    parser.addoption("--every-build", action="store_true", help="in tests/image, build the image for the other machine, too, with all its libraries")
    parser.addoption("--rounds", default="40", help="in tests/rig/test_random_backfills.py, so many; or FIRST..LAST")
    parser.addoption("--write", action="store_true", help="in test_documents.py, rewrite the samples that are behind the program")


def pytest_configure(config):
    config.addinivalue_line("markers", "libraries: leans on what a build links: names, TLS, HTTP, files, processes, signals")
    config.addinivalue_line("markers", "fault: holds an input that once failed")
    config.addinivalue_line("markers", "every_major: runs on every major version of PostgreSQL that is supported, or on those that are named")


def pytest_generate_tests(metafunc):
    is_said = any(mark.args[0] == "major" for mark in metafunc.definition.iter_markers("parametrize"))
    if "major" in metafunc.fixturenames and not is_said:
        marked = metafunc.definition.get_closest_marker("every_major")
        majors = sorted({*(marked.args or MAJORS), distribution_major()}) if marked else [distribution_major()]
        if metafunc.config.getoption("majors"):
            majors = [int(major) for major in metafunc.config.getoption("majors").split(",")]
        metafunc.parametrize("major", majors, scope="session", ids=lambda major: f"pg{major}")


@pytest.fixture(scope="session")
def binary():
    return os.environ.get("TIDELOCK_BINARY", str(ROOT / "build" / "tidelock"))


@pytest.fixture(scope="session")
def servers():
    servers = Servers()
    yield servers
    servers.remove()


@pytest.fixture
def server(servers, major):
    if major not in servers.binaries:
        pytest.skip(f"PostgreSQL {major} could not be installed")
    return servers.get(major)


@pytest.fixture
def database(server, request):
    name = re.sub(r"\W+", "_", request.node.originalname)[:40] + "_" + uuid.uuid4().hex[:8]
    database = Database(server, name)
    yield database
    database.drop()


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Whose certificate "server" what is not the database shows on this machine."""
    authority = Authority(tmp_path_factory.mktemp("authority"))
    authority.issue("server", "outside", "subjectAltName=IP:127.0.0.1,DNS:localhost")
    return authority


@pytest.fixture
def api(authority):
    server = ApiServer(str(authority.folder / "server"))
    yield server
    server.close()


@pytest.fixture
def pod(api, authority, tmp_path):
    """A pod's environment."""
    return api.mount(tmp_path / "serviceaccount", authority)


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "app")


@pytest.fixture
def tidelock(binary, request, folder):
    tool = Tool(binary, request.getfixturevalue("database") if "database" in request.fixturenames else None, folder)
    yield tool
    tool.clean_up()


@pytest.fixture
def proxy(server):
    proxy = Proxy(server.port)
    yield proxy
    proxy.close()


@pytest.fixture
def prisma(database, folder):
    if not Prisma.is_installed():
        pytest.skip("the Prisma command line could not be installed")
    return Prisma(database, folder)


@pytest.fixture(params=PEERS, ids=lambda peer: peer.label or peer.name)
def peer(request):
    """Each tool whose folders tidelock takes over."""
    if not request.param.is_installed():
        pytest.skip(f"{request.param.name} could not be installed")
    peer = request.param()
    yield peer
    peer.clean_up()


@pytest.fixture
def psql(database):
    def run(*arguments):
        return subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database.url(), *map(str, arguments)], check=True, capture_output=True, text=True).stdout

    return run


@pytest.fixture
def replica(server):
    """A primary and its streaming replica, for this test alone: its replay is paused."""
    with contextlib.ExitStack() as stack:
        primary = Server(server.major, server.binaries)
        stack.callback(primary.remove)
        standby = Server(server.major, server.binaries, ["cluster_name=replica_one"], primary=primary)
        stack.callback(standby.remove)
        yield primary, standby
