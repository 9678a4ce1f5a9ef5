"""A container engine: the machine's own where one runs, otherwise one that is started here and stopped again.

No image can be taken for granted: base images are made with debootstrap from the archive the machine uses. Everything gets a name of its own, and goes.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import uuid

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
STAND_INS = pathlib.Path(__file__).parent / "stand-ins"
CA_CERTIFICATES = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")

sys.path.insert(0, str(ROOT / "tests" / "integration"))

from servers import room_for_data  # noqa: E402
from wait import wait_until  # noqa: E402


class Refused(Exception):
    """Why there is no engine here."""


def _distribution():
    release = pathlib.Path("/etc/os-release").read_text()
    return re.search(r"(?m)^VERSION_CODENAME=(\w+)", release)[1]


def _archive(suite):
    """Where the machine's own packages come from."""
    rows = subprocess.run(["apt-get", "indextargets", "--format", "$(SITE) $(CODENAME) $(ORIGIN)", "Created-By: Packages"], capture_output=True, text=True, check=True)
    for row in rows.stdout.splitlines():
        site, codename, origin = (row + "  ").split(" ")[:3]
        if codename == suite and origin == "Debian":
            return site
    raise Refused(f"no archive of Debian {suite} is known here")


class Engine:
    def __init__(self):
        # Debian's client: others want plugins for what it can do.
        self.program = "/usr/bin/docker" if os.path.exists("/usr/bin/docker") else shutil.which("docker")
        if not self.program:
            raise Refused("no container engine is installed")
        self.name = f"tidelock-test-{uuid.uuid4().hex[:8]}"
        self.environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
        self.home = None
        self.daemon = None
        self.images = []
        if self.run("info", check=False).returncode != 0:
            self._start()

    def _start(self):
        if os.getuid() != 0 or not shutil.which("dockerd"):
            raise Refused("no container engine runs, and one can be started only as root, with docker.io installed")
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="tidelock-engine-", dir=room_for_data()))
        socket = f"unix://{self.home}/socket"
        self.environment["DOCKER_HOST"] = socket
        with (self.home / "log").open("wb") as log:
            words = ["dockerd", "--host", socket, "--data-root", self.home / "data", "--exec-root", self.home / "run", "--pidfile", self.home / "pid"]
            self.daemon = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)
        wait_until(self._is_up, "the container engine to start", 60)

    def _is_up(self):
        if self.daemon.poll() is not None:
            raise Refused("the container engine does not start: " + (self.home / "log").read_text()[-1000:])
        return self.run("info", check=False).returncode == 0

    def run(self, *words, check=True, input=None, seconds=900):
        process = subprocess.run(
            [self.program, *map(str, words)], env=self.environment, input=input, capture_output=True, timeout=seconds, stdin=None if input is not None else subprocess.DEVNULL
        )
        process.out, process.errors = process.stdout.decode(errors="replace"), process.stderr.decode(errors="replace")
        if check and process.returncode != 0:
            raise AssertionError(f"$ docker {' '.join(map(str, words))}\nexit {process.returncode}\n{process.out}\n{process.errors[-4000:]}")
        return process

    def tag(self, what):
        tag = f"{self.name}/{what}"
        if tag not in self.images:
            self.images.append(tag)
        return tag

    def build(self, what, dockerfile, context, platform=None, **arguments):
        words = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
        platform = ["--platform", platform] if platform else []
        self.run("build", "--network", "host", "--progress", "plain", "-f", dockerfile, "-t", self.tag(what), *platform, *words, context, seconds=1800)
        return self.tag(what)

    def base(self):
        """The distribution that the machine runs, as small as it gets, with the machine's package sources."""
        suite = _distribution()
        tree = pathlib.Path(tempfile.mkdtemp(prefix="tidelock-base-", dir=room_for_data()))
        try:
            subprocess.run(["debootstrap", "--variant=minbase", suite, tree / "root", _archive(suite)], check=True, capture_output=True)
            for file in [pathlib.Path("/etc/apt/sources.list"), pathlib.Path("/etc/apt/sources.list.d/debian.sources")]:
                if file.exists():
                    shutil.copy(file, f"{tree}/root{file}")
            subprocess.run(["tar", "-C", tree / "root", "-cf", tree / "base.tar", "."], check=True)
            self.run("import", tree / "base.tar", self.tag("base"))
        finally:
            shutil.rmtree(tree, ignore_errors=True)
        return self.tag("base")

    def remove(self):
        if self.images:
            self.run("rmi", "--force", *self.images, check=False)
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait(60)
            shutil.rmtree(self.home, ignore_errors=True)


def started():
    """The body of a fixture: an engine, or no test where there is none."""
    try:
        engine = Engine()
    except Refused as reason:
        pytest.skip(str(reason))
    yield engine
    engine.remove()
