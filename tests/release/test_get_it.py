"""Every command that the README's "Get it" shows is run as it stands, with a place of this machine for each public one."""

import os
import re
import subprocess

import pytest
from conftest import ROOT, built
from project import ABOUT, IMAGE, VERSION

SECTION = (ROOT / "README.md").read_text().split("\n## Get it\n")[1].split("\n## ")[0]
BLOCKS = dict(zip(["binary", "image", "chart", "package", "source"], re.findall(r"```\w+\n(.*?)```", SECTION, re.S), strict=True))
SAYS = f"tidelock {VERSION} ("


@pytest.fixture
def shell(tmp_path):
    """Runs a block in a folder of its own, with some words exchanged: {as it stands: as it must be here}."""

    def run(block, exchanged, **environment):
        for word, other in exchanged.items():
            assert word in block, (word, block)
            block = block.replace(word, str(other))
        done = subprocess.run(["bash", "-eu", "-c", block], cwd=tmp_path, env={**os.environ, **environment}, capture_output=True, text=True)
        assert done.returncode == 0, f"{block}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    return run


def version(program):
    return subprocess.run([program, "version"], check=True, capture_output=True, text=True).stdout


def test_the_binary_with_its_checksum(shell, downloads, tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    said = shell(BLOCKS["binary"], {ABOUT["download"]: downloads, "sudo install": "install", "/usr/local/bin": place})
    assert said == f"tidelock-{VERSION}-linux-amd64.tar.gz: OK\n"
    assert version(place / "tidelock").startswith(SAYS)


def test_the_image(engine, registry, tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM scratch\n" + BLOCKS["image"].replace(ABOUT["registry"], registry) + 'ENTRYPOINT ["/tidelock"]\n')
    engine.images.append(IMAGE.replace(ABOUT["registry"], registry))
    image = engine.build("copied", tmp_path / "Dockerfile", tmp_path)
    assert engine.run("run", "--rm", image, "version").out.startswith(SAYS)


@pytest.mark.parametrize("helm", ["helm3", "helm4"])
def test_the_chart(shell, registry, helm):
    """Up to the cluster, which is for tests/kubernetes."""
    program = f"{built(helm)} template --kube-version 1.36.0 --plain-http"
    said = shell(BLOCKS["chart"], {"helm upgrade --install": program, ABOUT["registry"]: registry})
    assert set(re.findall(r'image: "?([^"\s]+)', said)) == {IMAGE, "guestbook:1.4.0"}


def test_the_package(shell, downloads, tmp_path):
    root = tmp_path / "root"
    for folder in ["info", "updates"]:
        (root / "var/lib/dpkg" / folder).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    shell(BLOCKS["package"], {ABOUT["download"]: downloads, "sudo dpkg": f"dpkg --root={root}"})
    assert version(root / "usr/bin/tidelock").startswith(SAYS)


def test_the_source(shell, tmp_path):
    """What this checkout has compiled already is lent to the clone."""
    published = tmp_path / "published.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", ROOT, published], check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    subprocess.run(["git", "-C", published, "tag", "--force", f"v{VERSION}", commit], check=True, capture_output=True)
    lent = f"cd tidelock\nmkdir build\ncp -r '{ROOT}/build/dynamic' build/\n"
    exchanged = {ABOUT["project"]: published, "--branch": "-c advice.detachedHead=false --branch", "/published.git\n": "/published.git tidelock\n", "cd tidelock\n": lent, "sudo make install": f"make install DESTDIR={tmp_path}/root"}
    shell(BLOCKS["source"], exchanged)
    assert version(tmp_path / "root/usr/local/bin/tidelock").startswith(f"{SAYS}{commit[:12]}, ")
