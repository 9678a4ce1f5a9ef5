"""Fixtures: what make release made, and what stands for the places it is published at: a registry, a web server."""

import functools
import http.server
import pathlib
import subprocess
import sys
import threading

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
for folder in ["integration", "image"]:
    sys.path.insert(0, str(ROOT / "tests" / folder))

from engine import started  # noqa: E402
from project import VERSION  # noqa: E402
from servers import free_port  # noqa: E402
from wait import wait_until  # noqa: E402


def built(name):
    """A program that tests/deps builds from a Go module."""
    program = ROOT / "build" / "go" / name
    if not program.exists():
        pytest.skip(f"{name} is not built: tests/deps chart release")
    return program


@pytest.fixture(scope="session")
def release():
    """Its folder."""
    built("nfpm")
    done = subprocess.run(["make", "-C", ROOT, "release"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return ROOT / "build" / "release"


@pytest.fixture(scope="session")
def engine():
    yield from started()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def downloads(release):
    """The address that the release's files stand below."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=release))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


CONFIGURATION = """
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


@pytest.fixture(scope="session")
def registry(release, tmp_path_factory):
    """HOST/PATH of a registry with image and chart in it, put there as release.yaml does."""
    folder = tmp_path_factory.mktemp("registry")
    port = free_port()
    (folder / "config.yml").write_text(CONFIGURATION.format(folder=folder / "data", port=port))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["docker-registry", "serve", folder / "config.yml"], stdout=log, stderr=log)
    name = f"localhost:{port}/tidelock"
    try:
        image = ["skopeo", "copy", "--all", "--preserve-digests", "--dest-tls-verify=false"]
        image += [f"oci-archive:{release}/tidelock-{VERSION}-oci.tar:{VERSION}", f"docker://{name}/tidelock:{VERSION}"]
        wait_until(lambda: subprocess.run(image, capture_output=True).returncode == 0, "the registry to take the image", 30)
        chart = [built("helm3"), "push", "--plain-http", release / f"tidelock-{VERSION}.tgz", f"oci://{name}/charts"]
        subprocess.run(chart, check=True, capture_output=True)
        yield name
    finally:
        process.terminate()
        process.wait()
