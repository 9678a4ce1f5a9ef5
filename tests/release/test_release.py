"""What make release made: that it is all there, that it works, and that it is the same bytes elsewhere."""

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import tarfile

import pytest
import yaml
from conftest import ROOT, built
from project import ABOUT, IMAGE, VERSION

MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
THIS = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout.strip()
SAYS = f"tidelock {VERSION} ({ABOUT['commit']}, {ABOUT['date']})\n"
# What a package holds beside the binary, in Debian's places.
PAPERS = ["doc/tidelock/NOTICE", "doc/tidelock/README.md", "man/man1/tidelock.1.gz"]
COMPLETIONS = ["bash-completion/completions/tidelock", "fish/vendor_completions.d/tidelock.fish"]


def static(machine):
    return ROOT / "build" / ("static" if machine == THIS else f"static-{machine}")


def run(*words, **more):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **more)
    assert done.returncode == 0, f"{words}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def digest(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_every_file_is_there_and_has_its_checksum(release):
    names = {"oci.tar", "sources.tar"} | {f"linux-{machine}.{end}" for machine in MACHINES for end in ["tar.gz", "spdx.json"]} | {f"1.{machine}.rpm" for machine in MACHINES.values()}
    expected = {f"tidelock-{VERSION}-{name}" for name in names} | {f"tidelock-{VERSION}.tgz"} | {f"tidelock_{VERSION}_{machine}.deb" for machine in MACHINES}
    assert {file.name for file in release.iterdir()} == expected | {"SHA256SUMS"}
    rows = (line.split("  ") for line in (release / "SHA256SUMS").read_text().splitlines())
    assert {name: checksum for checksum, name in rows} == {name: digest(release / name) for name in expected}


def test_packed_elsewhere_it_is_byte_for_byte_the_same(release, tmp_path):
    """By another user's habits, too."""
    for folder in ["docker", "helm", "build/deps/sources"]:
        shutil.copytree(ROOT / folder, tmp_path / folder)
    files = ["LICENSE", "README.md"] + [f"build/deps/{machine}/root/share/ca-certificates.crt" for machine in MACHINES]
    files += [static(machine).relative_to(ROOT) / name for machine in MACHINES for name in ["tidelock", "NOTICE", "tidelock.spdx.json"]]
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    (tmp_path / "build/go").symlink_to(ROOT / "build/go")
    environment = os.environ | {name.upper(): value for name, value in ABOUT.items()} | {"TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"}
    run(tmp_path / "docker/release", tmp_path / "out", env=environment, umask=0o077)
    assert (tmp_path / "out/SHA256SUMS").read_text() == (release / "SHA256SUMS").read_text()


@pytest.mark.parametrize("machine", MACHINES)
def test_an_archive(release, machine, tmp_path):
    name = f"tidelock-{VERSION}-linux-{machine}"
    with tarfile.open(release / f"{name}.tar.gz") as tar:
        entries = {entry.name.removeprefix(f"{name}/"): entry for entry in tar if not entry.isdir()}
    run("tar", "-xzf", release / f"{name}.tar.gz", "-C", tmp_path)
    completions = {f"completions/{file}" for file in ["tidelock.bash", "_tidelock", "tidelock.fish"]}
    assert set(entries) == {"tidelock", "LICENSE", "NOTICE", "README.md", "tidelock.1"} | completions
    assert {(entry.uid, entry.gid, entry.uname, entry.mode) for file, entry in entries.items() if file != "tidelock"} == {(0, 0, "", 0o644)}
    assert entries["tidelock"].mode == 0o755 and all(entry.size > 500 for entry in entries.values())
    emulator = [] if machine == THIS else [f"qemu-{MACHINES[machine]}-static"]
    assert run(*emulator, tmp_path / name / "tidelock", "version") == SAYS
    assert f"the manual of version {VERSION}." in (tmp_path / name / "tidelock.1").read_text()


@pytest.mark.parametrize("machine", MACHINES)
def test_a_debian_package(release, machine, tmp_path):
    package = release / f"tidelock_{VERSION}_{machine}.deb"
    fields = dict(line.split(": ", 1) for line in run("dpkg-deb", "--field", package).splitlines() if not line.startswith(" "))
    assert (fields["Package"], fields["Version"], fields["Architecture"], fields["Homepage"]) == ("tidelock", VERSION, machine, ABOUT["project"])
    assert "Depends" not in fields
    run("dpkg-deb", "--extract", package, tmp_path)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    own = ["doc/tidelock/copyright", "zsh/vendor-completions/_tidelock"]
    assert found == {"usr/bin/tidelock"} | {f"usr/share/{file}" for file in PAPERS + COMPLETIONS + own}
    assert digest(tmp_path / "usr/bin/tidelock") == digest(static(machine) / "tidelock")
    assert b"tidelock" in gzip.decompress((tmp_path / "usr/share/man/man1/tidelock.1.gz").read_bytes())


@pytest.mark.parametrize("machine", MACHINES)
def test_an_rpm(release, machine):
    package = release / f"tidelock-{VERSION}-1.{MACHINES[machine]}.rpm"
    form = "%{NAME} %{VERSION} %{RELEASE} %{ARCH} %{LICENSE} %{URL}"
    assert run("rpm", "-qp", "--queryformat", form, package) == f"tidelock {VERSION} 1 {MACHINES[machine]} Apache-2.0 {ABOUT['project']}"
    own = ["licenses/tidelock/LICENSE", "zsh/site-functions/_tidelock"]
    assert set(run("rpm", "-qpl", package).split()) == {"/usr/bin/tidelock"} | {f"/usr/share/{file}" for file in PAPERS + COMPLETIONS + own}
    assert digest(static(machine) / "tidelock") in run("rpm", "-qp", "--dump", package)
    run("rpm", "--checksig", "--nosignature", package)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_bill_of_materials(release, machine):
    file = release / f"tidelock-{VERSION}-linux-{machine}.spdx.json"
    run(ROOT / "build/python/bin/pyspdxtools", "-i", file)
    (us,) = [package for package in json.loads(file.read_text())["packages"] if package["name"] == "tidelock"]
    assert us["versionInfo"] == VERSION and us["checksums"][0]["checksumValue"] == digest(static(machine) / "tidelock")


def test_the_sources_are_those_of_the_lock(release):
    """Unpacked in a clone, nothing has to be fetched."""
    with tarfile.open(release / f"tidelock-{VERSION}-sources.tar") as tar:
        found = {os.path.basename(entry.name): hashlib.sha256(tar.extractfile(entry).read()).hexdigest() for entry in tar if entry.isfile()}
        assert {os.path.dirname(name) for name in tar.getnames()} == {"build/deps/sources"}
    rows = [line.split() for line in (ROOT / "docker/deps/lock").read_text().splitlines() if line and not line.startswith("#")]
    assert found == {row[7]: row[8] for row in rows if row[6] in ("any", THIS)}


def test_the_chart(release):
    chart = release / f"tidelock-{VERSION}.tgz"
    for helm in ["helm3", "helm4"]:
        about = yaml.safe_load(run(built(helm), "show", "chart", chart))
        assert (about["version"], about["appVersion"]) == (VERSION, VERSION)
        run(built(helm), "lint", "--strict", chart)
    with tarfile.open(chart) as tar:
        packed = {name for name in tar.getnames() if tar.getmember(name).isfile()}
    assert packed == {f"tidelock/{path.relative_to(ROOT / 'helm/tidelock')}" for path in (ROOT / "helm/tidelock").rglob("*") if path.is_file()} - {"tidelock/.helmignore"}


# ---- the image ----


def test_the_image_is_one_index_of_both_machines(release):
    archive = f"oci-archive:{release}/tidelock-{VERSION}-oci.tar:{VERSION}"
    index = json.loads(run("skopeo", "inspect", "--raw", archive))
    assert [manifest["platform"] for manifest in index["manifests"]] == [{"architecture": machine, "os": "linux"} for machine in MACHINES]
    for machine in MACHINES:
        config = json.loads(run("skopeo", "inspect", "--config", f"--override-arch={machine}", archive))
        assert config["architecture"] == machine
        assert config["config"]["User"] == "65532:65532" and config["config"]["Entrypoint"] == ["/tidelock"] and config["config"]["Cmd"] == ["help"]
        assert config["config"]["Labels"]["org.opencontainers.image.version"] == VERSION


def test_the_engine_pulls_and_runs_it(engine, registry):
    image = IMAGE.replace(ABOUT["registry"], registry)
    engine.images.append(image)
    assert engine.run("run", "--rm", "--read-only", image, "version").out == SAYS
    assert "Usage: tidelock COMMAND" in engine.run("run", "--rm", image).out


def test_the_image_for_the_other_machine_is_its(registry, tmp_path):
    machine = next(machine for machine in MACHINES if machine != THIS)
    image = f"docker://{IMAGE.replace(ABOUT['registry'], registry)}"
    run("skopeo", "copy", f"--override-arch={machine}", "--src-tls-verify=false", image, f"dir:{tmp_path}")
    (layer,) = json.loads((tmp_path / "manifest.json").read_text())["layers"]
    with tarfile.open(tmp_path / layer["digest"].removeprefix("sha256:")) as tar:
        assert hashlib.sha256(tar.extractfile("tidelock").read()).hexdigest() == digest(static(machine) / "tidelock")
        assert b"BEGIN CERTIFICATE" in tar.extractfile("etc/ssl/certs/ca-certificates.crt").read()
