"""Real Helm, of each major version that tests/deps has built."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import yaml
from project import REGISTRY

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "helm" / "tidelock"
EXAMPLE = ROOT / "helm" / "examples" / "guestbook"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def installed():
    """{major: program}"""
    return {int(path.name[4:]): path for path in sorted((ROOT / "build" / "go").glob("helm[34]"))}


class Helm:
    def __init__(self, program, home, kubeconfig=None):
        self.program = program
        self.major = int(program.name[4:])
        folders = {f"HELM_{kind}_HOME": str(home / kind.lower()) for kind in ["CACHE", "CONFIG", "DATA"]}
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(home), **folders}
        if kubeconfig:
            self.environment["KUBECONFIG"] = str(kubeconfig)

    def start(self, *words, **more):
        return subprocess.Popen([self.program, *map(str, words)], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)

    def run(self, *words, check=True, seconds=300, input=None):
        done = subprocess.run([self.program, *map(str, words)], env=self.environment, capture_output=True, text=True, timeout=seconds, input=input)
        if check and done.returncode != 0:
            raise AssertionError(f"$ helm {' '.join(map(str, words))}\nexit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done

    def template(self, values, *words, chart=CHART, release="app", namespace="ns", kubernetes="1.36.0", check=True):
        """What the chart makes of values, as a list of documents; with check=False, what Helm said."""
        command = ["template", release, chart, "--namespace", namespace, "--kube-version", kubernetes, "--values", "-", *words]
        done = self.run(*command, input=json.dumps(values), check=check)
        return [document for document in yaml.load_all(done.stdout, Loader=LOADER) if document] if check else done

    def with_dependencies(self, chart, folder):
        """A copy of a chart of this repository with its dependencies, which are this repository's as well, beside it."""
        shutil.copytree(ROOT / "helm", folder / "helm")
        copy = folder / "helm" / chart.relative_to(ROOT / "helm")
        manifest = copy / "Chart.yaml"
        manifest.write_text(manifest.read_text().replace(f"oci://{REGISTRY}/charts", "file://../../tidelock"))
        self.run("dependency", "update", copy)
        return copy


def of_kind(documents, kind):
    return [document for document in documents if document["kind"] == kind]


def the(documents, kind, name=None):
    """The only document of a kind, or the one of that name."""
    found = [document for document in of_kind(documents, kind) if name is None or re.fullmatch(name, document["metadata"]["name"])]
    assert len(found) == 1, f"{len(found)} documents of kind {kind}"
    return found[0]


def environment(container):
    return {entry["name"]: entry.get("value") for entry in container["env"]}


def fields(container):
    """The variables that Kubernetes fills in, and from where."""
    return {entry["name"]: entry["valueFrom"]["fieldRef"]["fieldPath"] for entry in container["env"] if "fieldRef" in entry.get("valueFrom", {})}
