"""Where the sources of the static binary come from when a place is gone, lies, or holds something else."""

import http.server
import os
import pathlib
import re
import shutil
import subprocess
import threading

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEPT = ROOT / "build" / "deps" / "sources"
NOWHERE = "http://127.0.0.1:9"


class Archive:
    """A web server with the files below a folder; `asked` is what was asked for."""

    def __init__(self, folder):
        self.folder = folder
        self.asked = []
        archive = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *words):
                super().__init__(*words, directory=folder)

            def do_GET(self):
                archive.asked.append(self.path)
                super().do_GET()

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Checkout:
    """docker/deps in a folder of its own, on a machine that can reach nothing but what a test offers."""

    def __init__(self, folder):
        self.root = folder
        self.sources = folder / "build" / "deps" / "sources"
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        shutil.copytree(ROOT / "docker" / "deps", folder / "docker" / "deps")
        script = folder / "docker" / "deps" / "fetch"
        script.write_text(script.read_text().replace("PAUSE_SECONDS = 5", "PAUSE_SECONDS = 0"))
        (self.home / "cargo").mkdir()
        (self.home / "cargo" / "config.toml").write_text(f'[source.crates-io]\nreplace-with = "gone"\n[source.gone]\nregistry = "sparse+{NOWHERE}/"\n')
        self.offer_debian(NOWHERE)

    def offer_debian(self, address):
        """An archive whose index says nothing: it was never fetched."""
        (self.home / "sources.list").write_text(f"deb [trusted=yes] {address}/debian stable main\n")
        settings = {"Dir::Etc::SourceList": self.home / "sources.list", "Dir::Etc::SourceParts": "/dev/null", "Dir::State::Lists": self.home / "lists"}
        (self.home / "apt.conf").write_text("".join(f'{name} "{value}";\n' for name, value in settings.items()))

    def keep_only(self, *names):
        lock = self.root / "docker" / "deps" / "lock"
        lock.write_text("".join(line for line in lock.read_text().splitlines(True) if line.split()[0] in names))

    def rewrite(self, pattern, replacement):
        lock = self.root / "docker" / "deps" / "lock"
        lock.write_text(re.sub(pattern, replacement, lock.read_text()))

    def fetch(self, *names, **environment):
        gone = {"CARGO_HOME": self.home / "cargo", "PIP_INDEX_URL": f"{NOWHERE}/simple", "PIP_RETRIES": "0", "CARGO_NET_RETRY": "0", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": "/dev/null"}
        environment = {**os.environ, **gone, "APT_CONFIG": self.home / "apt.conf", **environment}
        return subprocess.run([self.root / "docker" / "deps" / "fetch", *names], env=environment, capture_output=True, text=True)

    def holds(self, *files):
        return all((self.sources / file).read_bytes() == (KEPT / file).read_bytes() for file in files)


@pytest.fixture
def checkout(static, tmp_path):
    return Checkout(tmp_path / "checkout")


@pytest.fixture
def archive(tmp_path):
    (tmp_path / "archive").mkdir()
    archive = Archive(tmp_path / "archive")
    yield archive
    archive.close()


def put(archive, path, name, text=None):
    folder = archive.folder / path
    folder.mkdir(parents=True, exist_ok=True)
    if text is None:
        shutil.copy(KEPT / name, folder)
    else:
        (folder / name).write_bytes(text)


YAML = "libyaml_0.2.5.orig.tar.gz"


def test_every_row_names_what_was_fetched(static):
    for line in (ROOT / "docker" / "deps" / "lock").read_text().splitlines():
        if not line.startswith("#") and line.split()[6] == "any":
            assert (KEPT / line.split()[7]).exists(), line


def test_what_was_fetched_before_is_not_fetched_again(checkout):
    shutil.copytree(KEPT, checkout.sources)
    done = checkout.fetch()
    assert done.returncode == 0 and done.stdout == "" and done.stderr == ""


def test_a_folder_that_the_user_names_has_everything(checkout):
    done = checkout.fetch(SOURCES_MIRROR=str(KEPT))
    assert done.returncode == 0, done.stderr
    assert checkout.holds(*(file.name for file in checkout.sources.iterdir())) and (checkout.sources / YAML).exists()


def test_only_what_is_named_is_fetched(checkout):
    done = checkout.fetch("libyaml", "libpg_query", SOURCES_MIRROR=str(KEPT))
    assert done.returncode == 0, done.stderr
    assert {file.name for file in checkout.sources.iterdir()} == {YAML, "pg_query-6.2.1.crate"}
    done = checkout.fetch("--missing", "libyaml", "jansson")
    assert done.stdout == "jansson_2.14.orig.tar.gz\n"
    assert checkout.fetch("libyml").returncode != 0


def test_an_address_that_the_user_names_has_everything(checkout, archive):
    for file in KEPT.iterdir():
        put(archive, "mirror", file.name)
    done = checkout.fetch(SOURCES_MIRROR=f"{archive.address}/mirror/")
    assert done.returncode == 0, done.stderr
    assert any("openssl-src" in path for path in archive.asked)


def test_the_pool_of_an_archive_whose_index_knows_no_pinned_version(checkout, archive):
    checkout.keep_only("libyaml")
    checkout.offer_debian(archive.address)
    put(archive, "debian/pool/main/liby/libyaml", YAML)
    done = checkout.fetch()
    assert done.returncode == 0 and checkout.holds(YAML), done.stderr
    assert not any("dists" in path for path in archive.asked)


@pytest.mark.parametrize("text", [None, b"", b"something else"], ids=["gone", "empty", "something else"])
def test_upstream_has_what_the_archive_no_longer_holds(checkout, archive, text):
    """Announced or not: an archive may answer 404, or with other bytes."""
    checkout.keep_only("libyaml")
    checkout.offer_debian(archive.address)
    checkout.rewrite(r"https://\S+", f"{archive.address}/upstream/{YAML}")
    if text is not None:
        put(archive, "debian/pool/main/liby/libyaml", YAML, text)
    put(archive, "upstream", YAML)
    done = checkout.fetch()
    assert done.returncode == 0 and checkout.holds(YAML), done.stderr
    assert "debian: " in done.stderr


def test_the_wrong_bytes_are_taken_from_nowhere(checkout, archive):
    checkout.keep_only("libyaml")
    checkout.offer_debian(archive.address)
    checkout.rewrite(r"https://\S+", f"{archive.address}/upstream/{YAML}")
    put(archive, "debian/pool/main/liby/libyaml", YAML, b"something else")
    put(archive, "upstream", YAML, b"something else")
    done = checkout.fetch()
    assert done.returncode == 1 and f"no place has {YAML}" in done.stderr and "SOURCES_MIRROR" in done.stderr, done.stderr
    assert list(checkout.sources.iterdir()) == []


def test_a_place_that_fails_once_is_asked_again(checkout, archive):
    checkout.keep_only("libyaml")
    checkout.rewrite(r"https://\S+", f"{archive.address}/upstream/{YAML}")
    handler = archive.server.RequestHandlerClass
    answer = handler.do_GET

    def fail_once(self):
        handler.do_GET = answer
        put(archive, "upstream", YAML)
        self.send_error(503)

    handler.do_GET = fail_once
    done = checkout.fetch()
    assert done.returncode == 0 and checkout.holds(YAML) and "503" in done.stderr, done.stderr


def test_with_every_place_gone_it_says_what_is_missing_and_what_to_do(checkout):
    checkout.keep_only("musl", "openssl", "ca-certificates")
    checkout.rewrite(r"https://\S+", f"{NOWHERE}/gone")
    done = checkout.fetch()
    assert done.returncode == 1
    for file in ("musl_1.2.5.orig.tar.gz", "openssl-src-400.0.2+4.0.3.crate", "certifi-"):
        assert f"no place has {file}" in done.stderr, done.stderr
    assert done.stderr.splitlines()[-1].startswith("Put what is missing into build/deps/sources")
