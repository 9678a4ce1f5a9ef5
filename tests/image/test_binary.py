"""The static binary by itself: what it is made of, how it is protected, how it lives where nothing else is."""

import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import threading

import pytest
from servers import Server, distribution_major

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOBODY = "65532:65532"


def readelf(binary, *words):
    return subprocess.run(["readelf", "-W", *words, binary], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def linked(static):
    """The same with its symbols."""
    return static.with_suffix(".unstripped")


def test_it_needs_nothing(static):
    dynamic = readelf(static, "-d")
    assert "NEEDED" not in dynamic and "RPATH" not in dynamic and "RUNPATH" not in dynamic
    assert "INTERP" not in readelf(static, "-l")


def test_it_is_position_independent_without_text_relocations(static):
    assert re.search(r"Type:\s+DYN", readelf(static, "-h"))
    assert "PIE" in readelf(static, "-d") and "TEXTREL" not in readelf(static, "-d")


def test_no_segment_is_both_writable_and_executable(static):
    segments = re.findall(r"(?m)^\s+(LOAD|GNU_STACK)\s.*\s([R ][W ][E ])\s+0x", readelf(static, "-l"))
    assert len(segments) >= 4
    assert not [flags for _, flags in segments if "W" in flags and "E" in flags]


def test_stacks_are_protected(linked):
    assert "__stack_chk_fail" in readelf(linked, "-s")
    calls = subprocess.run(["objdump", "-d", "--no-show-raw-insn", linked], check=True, capture_output=True, text=True).stdout
    assert len(re.findall(r"(call|bl)\s.*<__stack_chk_fail>", calls)) > 500


def test_read_only_relocations_are_sealed_in_memory(static, tmp_path):
    """Not only marked: musl's start-up code would leave them writable."""
    start, size = re.search(r"GNU_RELRO\s+0x\w+ 0x(\w+) 0x\w+ 0x\w+ 0x(\w+)", readelf(static, "-l")).groups()
    (tmp_path / "migrations" / "001_t").mkdir(parents=True)
    (tmp_path / "migrations" / "001_t" / "migration.sql").write_text("SELECT 1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://u@127.0.0.1:{silent.getsockname()[1]}/d"
        process = subprocess.Popen([static, "deploy"], cwd=tmp_path, env={"DATABASE_URL": url}, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            silent.accept()
            maps = pathlib.Path(f"/proc/{process.pid}/maps").read_text()
        finally:
            process.kill()
            process.wait()
    rows = [row.split() for row in maps.splitlines()]
    base = min(int(row[0].split("-")[0], 16) for row in rows if row[-1] == str(static))
    first, last = base + int(start, 16), base + int(start, 16) + int(size, 16)
    covering = [row[1] for row in rows if first <= int(row[0].split("-")[0], 16) < last]
    assert covering and set(covering) == {"r--p"}, maps


def test_no_path_of_the_build_is_in_it(static):
    assert str(ROOT).encode() not in static.read_bytes() and b"build/deps" not in static.read_bytes()


def test_the_budget_ends_the_build(static):
    over = subprocess.run([ROOT / "docker" / "size", static, f"{static}.unstripped.map", "1000000"], capture_output=True, text=True)
    assert over.returncode == 1 and "over its budget" in over.stderr
    parts = dict(reversed(row.split()) for row in over.stdout.splitlines() if row.split()[1].startswith("lib"))
    assert {"libcrypto", "libssl", "libcurl", "libpq", "libpg_query", "libyaml", "libjansson", "libc"} <= set(parts)
    assert sum(map(int, re.findall(r"(?m)^ *(\d+)  [(lt]", over.stdout))) > 0.9 * static.stat().st_size


def test_it_says_what_it_is_made_from(static):
    answer = json.loads(subprocess.run([static, "version", "--json"], check=True, capture_output=True).stdout)
    locked = {row.split()[0]: row.split()[2] for row in (ROOT / "docker/deps/lock").read_text().splitlines() if not row.startswith("#")}
    assert answer["components"] == {name: version for name, version in locked.items() if name in answer["components"]}
    assert {"musl", "openssl", "libpq", "libpg_query", "libyaml", "jansson"} <= set(answer["components"])

    bill = json.loads(static.with_name("tidelock.spdx.json").read_text())
    packages = {package["name"]: package["versionInfo"] for package in bill["packages"]}
    assert packages == {"tidelock": answer["version"], **answer["components"]}
    notice = static.with_name("NOTICE").read_text()
    assert all(f"==== {name} {version} ====" in notice for name, version in answer["components"].items())


def test_the_bill_of_materials_is_valid_spdx(static):
    tool = ROOT / "build/python/bin/pyspdxtools"
    done = subprocess.run([tool, "-i", static.with_name("tidelock.spdx.json")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_second_build_changes_nothing(static, make_static):
    before = static.read_bytes(), static.stat().st_mtime_ns
    assert "cc " not in make_static()
    assert (static.read_bytes(), static.stat().st_mtime_ns) == before


@pytest.mark.skipif(not shutil.which("qemu-aarch64-static"), reason="qemu-user-static is not installed")
def test_for_arm64(static_arm64, database):
    headers = {words: readelf(static_arm64, words) for words in ("-h", "-d", "-l")}
    assert "AArch64" in headers["-h"] and "NEEDED" not in headers["-d"] and "INTERP" not in headers["-l"]
    assert "RELR" in headers["-d"]
    database.folder.add("001_t", "CREATE TABLE t ()")
    words = ["qemu-aarch64-static", static_arm64, "deploy", "--connect-timeout", "1m"]
    done = subprocess.run(words, cwd=database.folder.root, env={"DATABASE_URL": database.url("tls")}, capture_output=True, text=True)
    assert done.returncode == 0 and "applied 001_t" in done.stderr, done.stdout + done.stderr


# ---- where nothing else is ----


class Nowhere:
    """An empty folder as the root of the file system, with the binary and migrations in it."""

    def __init__(self, root, static, folder):
        self.root = root
        self.folder = folder
        root.mkdir(mode=0o755)
        shutil.copy(static, root / "tidelock")
        shutil.copytree(folder.root, root, dirs_exist_ok=True)

    def put(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def __call__(self, *words, user=NOBODY, **environment):
        chroot = ["/usr/sbin/chroot", f"--userspec={user}", self.root, "/tidelock"]
        return subprocess.run([*chroot, *words], env=environment, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)


HBA = """
local all postgres trust
host all postgres 127.0.0.1/32 trust
hostssl all app 127.0.0.1/32 scram-sha-256
"""


class Secured:
    """A server with TLS and passwords, its certificate made out to "db.internal" by a CA of its own."""

    def __init__(self, server, folder):
        self.server = server
        self.folder = folder

    def url(self, name, host="127.0.0.1", **parameters):
        values = {"tls": {"sslmode": "require"}}.get(name, {"sslmode": "verify-full", **parameters})
        query = "&".join(f"{key}={value}" for key, value in values.items())
        return f"postgresql://app:s3cretpw@{host}:{self.server.port}/app?{query}"


def make_certificates(folder, host):
    """ca.crt, server.crt and server.key."""
    openssl = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subprocess.run([*openssl, "-subj", "/CN=tides", "-keyout", folder / "ca.key", "-out", folder / "ca.crt"], check=True, capture_output=True)
    words = ["-CA", folder / "ca.crt", "-CAkey", folder / "ca.key", "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}"]
    words += ["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", folder / "server.key", "-out", folder / "server.crt"]
    subprocess.run([*openssl, *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def secured(tmp_path_factory):
    from servers import Servers

    major = distribution_major()
    server = Server(major, Servers().binaries[major], hba=HBA)
    certificates = tmp_path_factory.mktemp("certificates")
    make_certificates(certificates, "db.internal")
    for name in ("server.key", "server.crt"):
        shutil.copy(certificates / name, server.data / name)
        os.chown(server.data / name, server.user.pw_uid, server.user.pw_gid)
        (server.data / name).chmod(0o600)
    server.stop("fast")
    server.settings.append("ssl=on")
    server.start()
    server.query("CREATE ROLE app LOGIN PASSWORD 's3cretpw'")
    server.ca = (certificates / "ca.crt").read_text()
    yield server
    server.remove()


@pytest.fixture
def database(secured, folder):
    secured.query("DROP DATABASE IF EXISTS app WITH (FORCE)")
    secured.query("CREATE DATABASE app OWNER app")
    return Secured(secured, folder)


@pytest.fixture
def nowhere(tmp_path, static, folder, database):
    folder.add("001_t", "CREATE TABLE t ()")
    nowhere = Nowhere(tmp_path / "root", static, folder)
    nowhere.put("etc/hosts", "127.0.0.1 db.internal\n")
    return nowhere


def test_a_verified_connection_by_a_name_of_etc_hosts(nowhere, database):
    nowhere.put("ca.crt", database.server.ca)
    done = nowhere("deploy", DATABASE_URL=database.url("verified", host="db.internal", sslrootcert="/ca.crt"))
    assert done.returncode == 0 and "applied 001_t" in done.stderr, done.stderr


@pytest.mark.parametrize("place", ["etc/ssl/certs/ca-certificates.crt", "etc/pki/tls/certs/ca-bundle.crt", "etc/ssl/ca-bundle.pem", "etc/ssl/cert.pem"])
def test_the_certificates_of_the_image_are_found(nowhere, database, place):
    nowhere.put(place, database.server.ca)
    done = nowhere("deploy", DATABASE_URL=database.url("verified", host="db.internal"))
    assert done.returncode == 0, done.stderr


def test_ssl_cert_file_goes_before_them(nowhere, database):
    nowhere.put("etc/ssl/cert.pem", "nothing of use")
    nowhere.put("mine.pem", database.server.ca)
    done = nowhere("deploy", DATABASE_URL=database.url("verified", host="db.internal"), SSL_CERT_FILE="/mine.pem")
    assert done.returncode == 0, done.stderr


def test_without_certificates_the_places_are_named(nowhere, database):
    done = nowhere("deploy", DATABASE_URL=database.url("verified", host="db.internal"))
    assert done.returncode == 2 and "/etc/ssl/certs/ca-certificates.crt" in done.stderr and "SSL_CERT_FILE" in done.stderr
    assert "s3cretpw" not in done.stderr


def test_another_name_than_the_certificates_is_refused(nowhere, database):
    nowhere.put("etc/hosts", "127.0.0.1 other.internal\n")
    nowhere.put("etc/ssl/cert.pem", database.server.ca)
    done = nowhere("deploy", DATABASE_URL=database.url("verified", host="other.internal"))
    assert done.returncode == 2 and "does not match host name" in done.stderr, done.stderr


def test_any_user_will_do(nowhere, database):
    nowhere.put("etc/ssl/cert.pem", database.server.ca)
    done = nowhere("deploy", user="4000000000:0", DATABASE_URL=database.url("verified", host="db.internal"))
    assert done.returncode == 0, done.stderr


def test_a_database_user_must_be_named_where_the_system_knows_none(nowhere, database):
    done = nowhere("deploy", DATABASE_URL=f"postgresql://127.0.0.1:{database.server.port}/app")
    assert done.returncode == 2 and "no database user is set" in done.stderr and "PGUSER" in done.stderr


def test_libpqs_variables_will_do(nowhere, database):
    nowhere.put("etc/ssl/cert.pem", database.server.ca)
    where = {"PGHOST": "db.internal", "PGPORT": str(database.server.port), "PGUSER": "app", "PGDATABASE": "app", "PGPASSWORD": "s3cretpw"}
    done = nowhere("deploy", PGSSLMODE="verify-full", **where)
    assert done.returncode == 0, done.stderr


# ---- nameservers ----


class Nameserver:
    """Answers questions for IPv4 addresses, and those for IPv6 with the code given: 0 is "none of that kind"."""

    def __init__(self, address, code_for_ipv6):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        self.code = code_for_ipv6
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                question, client = self.socket.recvfrom(1024)
            except OSError:
                return
            end = question.index(b"\0", 12) + 5
            kind = struct.unpack("!H", question[end - 4 : end - 2])[0]
            if kind == 1:
                answer = b"\xc0\x0c" + struct.pack("!HHIH4B", 1, 1, 60, 4, 127, 0, 0, 1)
                reply = question[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + question[12:end] + answer
            else:
                reply = question[:2] + struct.pack("!HHHHH", 0x8180 | self.code, 1, 0, 0, 0) + question[12:end]
            if self.code is not None or kind == 1:
                self.socket.sendto(reply, client)

    def close(self):
        self.socket.close()


REFUSED, NO_SUCH_NAME = 5, 3


@pytest.mark.parametrize("code", [0, REFUSED, NO_SUCH_NAME], ids=["proper", "refuses IPv6", "denies the name for IPv6"])
def test_a_nameserver_that_knows_only_ipv4(nowhere, database, code):
    """musl takes an error for one kind of address as the answer for both."""
    address = f"127.53.1.{code}"
    nameserver = Nameserver(address, code)
    try:
        nowhere.put("etc/hosts", "")
        nowhere.put("etc/resolv.conf", f"nameserver {address}\noptions timeout:1 attempts:1\n")
        nowhere.put("etc/ssl/cert.pem", database.server.ca)
        done = nowhere("deploy", "--connect-timeout", "1m", DATABASE_URL=database.url("verified", host="db.internal"))
    finally:
        nameserver.close()
    assert done.returncode == 0, done.stderr


@pytest.fixture
def silent_nameserver():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.53.0.2", 53))
        yield "127.53.0.2", silent


def test_a_silent_nameserver_costs_no_more_than_the_timeout(nowhere, silent_nameserver):
    nowhere.put("etc/hosts", "")
    nowhere.put("etc/resolv.conf", f"nameserver {silent_nameserver[0]}\noptions timeout:30 attempts:5\n")
    done = nowhere("deploy", "--connect-timeout", "500ms", "--connect-deadline", "1s", DATABASE_URL="postgresql://u@db.internal/d")
    assert done.returncode == 3 and "no answer from the nameserver" in done.stderr and "P1001" in done.stderr


def test_a_signal_ends_the_wait_for_a_nameserver(nowhere, silent_nameserver):
    address, silent = silent_nameserver
    nowhere.put("etc/hosts", "")
    nowhere.put("etc/resolv.conf", f"nameserver {address}\noptions timeout:30 attempts:5\n")
    words = ["/usr/sbin/chroot", f"--userspec={NOBODY}", nowhere.root, "/tidelock", "deploy", "--connect-timeout", "1h"]
    process = subprocess.Popen(words, env={"DATABASE_URL": "postgresql://u@db.internal/d"}, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    silent.recv(1000)
    process.terminate()
    assert process.communicate(timeout=30)[1].count(b"error: stopped by SIGTERM") == 1
    assert process.returncode == 128 + 15


def test_of_several_hosts_a_dead_name_is_passed_over(nowhere, database):
    nowhere.put("etc/ssl/cert.pem", database.server.ca)
    done = nowhere("deploy", DATABASE_URL=database.url("verified", host=f"gone.invalid:{database.server.port},db.internal"))
    assert done.returncode == 0 and "gone.invalid" in done.stderr, done.stderr


# ---- a copy in a volume ----


@pytest.fixture
def volume(nowhere):
    """A folder for it, in a place that has /proc, as every container does."""
    (nowhere.root / "proc").mkdir()
    (nowhere.root / "volume").mkdir()
    os.chown(nowhere.root / "volume", 65532, 65532)
    if subprocess.run(["mount", "-t", "proc", "none", nowhere.root / "proc"], capture_output=True).returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield nowhere.root / "volume"
    subprocess.run(["umount", nowhere.root / "proc"], check=True)


def test_install_puts_a_whole_copy_into_a_volume(nowhere, volume, static):
    for _ in range(2):  # a restarted pod finds the first copy
        done = nowhere("install", "/volume")
        assert done.returncode == 0 and done.stdout == "/volume/tidelock\n", done.stderr
    copy = volume / "tidelock"
    assert copy.read_bytes() == static.read_bytes() and copy.stat().st_mode & 0o7777 == 0o755
    assert [file.name for file in copy.parent.iterdir()] == ["tidelock"]


def test_install_where_it_may_not_write(nowhere, volume):
    os.chown(volume, 0, 0)
    for folder, reason in (("/volume", "Permission denied"), ("/nowhere", "No such file")):
        done = nowhere("install", folder)
        assert done.returncode == 2 and reason in done.stderr and f"{folder}/tidelock" in done.stderr, done.stderr


def test_install_on_a_full_volume_leaves_nothing(nowhere, volume):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=777", "none", volume], check=True)
    try:
        done = nowhere("install", "/volume")
        assert done.returncode == 2 and "No space left" in done.stderr and not list(volume.iterdir()), done.stderr
    finally:
        subprocess.run(["umount", volume], check=True)


def test_the_everyday_build_knows_its_libraries_too(tmp_path):
    done = subprocess.run([ROOT / "build" / "tidelock", "version", "--json"], check=True, capture_output=True, cwd=tmp_path)
    assert {"libpq", "jansson"} <= set(json.loads(done.stdout)["components"])
