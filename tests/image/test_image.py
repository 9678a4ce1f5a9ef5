"""The image in a container engine, against a real PostgreSQL on a container network."""

import json
import os
import pathlib
import shutil
import signal
import subprocess

import pytest
from certificates import Authority
from conftest import ITSELF
from test_binary import make_certificates
from wait import wait_until
from world import World

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOCKED_UP = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]


class Network:
    """A container network with a server called "db" (and "other"): TLS by a CA of its own, SCRAM."""

    def __init__(self, engine, postgres_image, certificates):
        self.engine = engine
        self.certificates = certificates
        self.name = engine.name
        engine.run("network", "create", self.name)
        context = certificates / "context"
        context.mkdir()
        for name in ("server.crt", "server.key"):
            shutil.copy(certificates / name, context)
        (context / "Dockerfile").write_text(f"FROM {postgres_image}\nCOPY --chown=postgres --chmod=600 server.crt server.key /tls/\n")
        image = engine.build("postgres-tls", context / "Dockerfile", context)
        words = ["-c", "ssl=on", "-c", "ssl_cert_file=/tls/server.crt", "-c", "ssl_key_file=/tls/server.key"]
        aliases = ["--network-alias", "db", "--network-alias", "other"]
        self.server = engine.run("run", "--detach", "--network", self.name, *aliases, "-e", "POSTGRES_PASSWORD=tide", image, *words).out.strip()
        wait_until(lambda: self.sql("postgres", "SELECT 1", check=False).returncode == 0, "the server in its container", 60)
        self.sql("postgres", "CREATE ROLE only_tls LOGIN PASSWORD 's3cretpw'")

    def sql(self, database, statement, check=True):
        return self.engine.run("exec", self.server, "psql", "-XAtqd", database, "-c", statement, check=check)

    def container(self, image, *words, options=(), migrations=None, **environment):
        variables = [word for name, value in environment.items() for word in ("-e", f"{name}={value}")]
        mounts = ["-v", f"{self.certificates}/ca.crt:/ca.crt:ro"]
        if migrations:
            mounts += ["-v", f"{migrations}:/prisma/migrations:ro"]
        return ["run", *options, "--network", self.name, *LOCKED_UP, *mounts, *variables, image, *words]

    def run(self, *words, **options):
        return self.engine.run(*self.container(*words, **options), check=False)

    def remove(self):
        self.engine.run("rm", "--force", "--volumes", self.server, check=False)
        self.engine.run("network", "rm", self.name, check=False)


@pytest.fixture(scope="module")
def network(engine, postgres_image, tmp_path_factory):
    certificates = tmp_path_factory.mktemp("certificates")
    make_certificates(certificates, "db")
    os.chmod(certificates / "ca.crt", 0o644)
    network = Network(engine, postgres_image, certificates)
    yield network
    network.remove()


@pytest.fixture
def url(network):
    network.sql("postgres", "DROP DATABASE IF EXISTS app WITH (FORCE)")
    network.sql("postgres", "CREATE DATABASE app OWNER only_tls")
    return "postgresql://only_tls:s3cretpw@db:5432/app?sslmode=verify-full&sslrootcert=/ca.crt"


def test_it_holds_the_binary_and_certificates_and_nothing_more(engine, image):
    container = engine.run("create", image).out.strip()
    try:
        listing = subprocess.run(f"{engine.program} export {container} | tar -t", shell=True, check=True, capture_output=True, text=True, env=engine.environment)
    finally:
        engine.run("rm", container)
    made_by_the_engine = (".dockerenv", "dev/", "proc/", "sys/", "etc/hostname", "etc/hosts", "etc/resolv.conf", "etc/mtab")
    files = {name for name in listing.stdout.split() if not name.endswith("/") and not name.startswith(made_by_the_engine)}
    about = {f"usr/share/doc/tidelock/{name}" for name in ("NOTICE", "tidelock.spdx.json")}
    assert files == {"tidelock", "etc/ssl/certs/ca-certificates.crt"} | about


def files_of(engine, image, names, folder):
    container = engine.run("create", image).out.strip()
    try:
        for name in names:
            engine.run("cp", f"{container}:{name}", folder / pathlib.Path(name).name)
    finally:
        engine.run("rm", container)


def test_built_elsewhere_at_another_time_it_is_byte_for_byte_the_same(engine, image, static, tmp_path):
    files_of(engine, image, ["/tidelock"], tmp_path)
    assert (tmp_path / "tidelock").read_bytes() == static.read_bytes()


def test_what_it_says_of_itself(engine, image):
    about = json.loads(engine.run("inspect", image).out)[0]["Config"]
    assert about["Entrypoint"] == ["/tidelock"] and about["User"] == "65532:65532"
    assert about["Labels"]["org.opencontainers.image.version"] == ITSELF["VERSION"] and about["Labels"]["org.opencontainers.image.revision"] == ITSELF["COMMIT"]
    assert "Usage: tidelock COMMAND" in engine.run("run", "--rm", image).out


def test_a_deployment_by_host_name_with_nothing_it_could_lean_on(network, image, folder, url):
    folder.add("001_t", "CREATE TABLE t ()")
    done = network.run(image, "deploy", options=["--rm"], migrations=folder.path, DATABASE_URL=url)
    assert done.returncode == 0 and "applied 001_t" in done.errors, done.errors
    assert network.sql("app", "SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL").out == "001_t\n"
    again = network.run(image, "deploy", options=["--rm", "--user", "4000000:0"], migrations=folder.path, DATABASE_URL=url)
    assert again.returncode == 0 and "No pending migrations" in again.out, again.errors


def test_another_name_of_the_same_server_is_refused(network, image, folder, url):
    folder.add("001_t", "CREATE TABLE t ()")
    done = network.run(image, "deploy", options=["--rm"], migrations=folder.path, DATABASE_URL=url.replace("@db:", "@other:"))
    assert done.returncode == 2 and "does not match host name" in done.errors and "s3cretpw" not in done.errors


def test_the_bundle_of_the_image_is_what_unnamed_certificates_are_checked_with(network, image, folder, url):
    folder.add("001_t", "CREATE TABLE t ()")
    done = network.run(image, "deploy", options=["--rm"], migrations=folder.path, DATABASE_URL=url.split("&")[0])
    assert done.returncode == 2 and "certificate verify failed" in done.errors, done.errors


def test_a_webhook_by_host_name_with_nothing_it_could_lean_on(network, image, folder, url, tmp_path):
    folder.add("001_t", "CREATE TABLE t ()")
    (network_found,) = json.loads(network.engine.run("network", "inspect", network.name).out)
    gateway = network_found["IPAM"]["Config"][0]["Gateway"]
    authority = Authority(tmp_path)
    authority.issue("hooks", "hooks", "subjectAltName=DNS:hooks")
    world = World(certificate=str(tmp_path / "hooks"), host=gateway)
    try:
        options = ["--rm", "--add-host", f"hooks:{gateway}", "-v", f"{tmp_path}/ca.crt:/outside.crt:ro"]
        variables = {"SSL_CERT_FILE": "/outside.crt", "TIDELOCK_WEBHOOK": f"https://hooks:{world.port}/x"}
        done = network.run(image, "deploy", options=options, migrations=folder.path, DATABASE_URL=url, **variables)
    finally:
        world.close()
    assert done.returncode == 0, done.errors
    assert [request.json["event"] for request in world.requests] == ["succeeded"], done.errors


def test_as_pid_1_it_stops_when_told(network, image, folder, url):
    folder.add("001_slow", "CREATE TABLE slow (); SELECT pg_sleep(600)")
    container = network.engine.run(*network.container(image, "deploy", options=["--detach"], migrations=folder.path, DATABASE_URL=url)).out.strip()
    try:
        busy = "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'tidelock%' AND state = 'active' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
        wait_until(lambda: network.sql("app", busy).out, "the migration to run")
        network.engine.run("stop", "--time", "60", container)
        state = json.loads(network.engine.run("inspect", container).out)[0]["State"]
        log = network.engine.run("logs", container).errors
    finally:
        network.engine.run("rm", "--force", container)
    assert state["ExitCode"] == 128 + signal.SIGTERM and "stopped by SIGTERM" in log, log
    assert network.sql("app", "SELECT to_regclass('slow') IS NULL").out == "t\n"


def test_the_copy_in_pattern(network, image, base, folder, url):
    """An init container fills a volume; another image starts through it."""
    folder.add("001_t", "CREATE TABLE t ()")
    volume = network.engine.name
    network.engine.run("volume", "create", volume)
    try:
        mount = ["-v", f"{volume}:/entrypoint"]
        network.engine.run("run", "--rm", "--user", "0:0", *mount, base, "chown", "65532:65532", "/entrypoint")
        filled = network.run(image, "install", "/entrypoint", options=["--rm", *mount])
        assert filled.returncode == 0, filled.errors
        options = ["--rm", "--user", "65532", "--entrypoint", "/entrypoint/tidelock", *mount]
        words = ["run", "--", "sh", "-c", "app=$1; set -- /proc/[0-9]*; echo pid $$ of $#, app is $app", "sh", "up"]
        done = network.run(base, *words, options=options, migrations=folder.path, DATABASE_URL=url)
    finally:
        network.engine.run("volume", "rm", volume)
    assert done.returncode == 0 and done.out == "pid 1 of 1, app is up\n", done.errors
    assert network.sql("app", "SELECT to_regclass('t') IS NULL").out == "f\n"


def test_the_image_for_arm64_is_cross_built_byte_for_byte_the_same(engine, base, static_arm64, tmp_path, request):
    if not request.config.getoption("--every-build"):
        pytest.skip("costs a fourth build of every library: --every-build")
    image = engine.build("tidelock-arm64", ROOT / "docker" / "Dockerfile", ROOT, platform="linux/arm64", DEBIAN=base, **ITSELF)
    assert json.loads(engine.run("inspect", image).out)[0]["Architecture"] == "arm64"
    about = [f"/usr/share/doc/tidelock/{name}" for name in ("NOTICE", "tidelock.spdx.json")]
    files_of(engine, image, ["/tidelock", *about], tmp_path)
    for name in ["tidelock", "NOTICE", "tidelock.spdx.json"]:
        assert (tmp_path / name).read_bytes() == static_arm64.with_name(name).read_bytes(), name


def test_made_without_an_engine_it_is_the_same(engine, image, static, tmp_path):
    """As make release makes it."""
    arch = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout.strip()
    subprocess.run([ROOT / "docker" / "image-root", static.parent, arch, tmp_path / "root"], check=True, cwd=ROOT)
    words = [ROOT / "docker" / "image-layout", tmp_path / "oci.tar", "tag", f"{arch}={tmp_path}/root"]
    subprocess.run(words, check=True, env={**os.environ, **ITSELF, "SOURCE_DATE_EPOCH": "1"})
    layout = json.loads(subprocess.run(["skopeo", "inspect", "--config", f"oci-archive:{tmp_path}/oci.tar:tag"], check=True, capture_output=True).stdout)["config"]
    built = json.loads(engine.run("inspect", image).out)[0]["Config"]
    assert layout == {name: built[name] for name in ("User", "Entrypoint", "Cmd", "Labels")}
    container = engine.run("create", image).out.strip()
    try:
        for file in filter(pathlib.Path.is_file, (tmp_path / "root").rglob("*")):
            name = file.relative_to(tmp_path / "root")
            engine.run("cp", f"{container}:/{name}", tmp_path / "copy")
            assert (tmp_path / "copy").read_bytes() == file.read_bytes(), name
    finally:
        engine.run("rm", container)
