"""Fixtures: real Helm of each major version, Kubernetes' own schemas, promtool."""

import json
import pathlib
import subprocess
import sys

import helm as helms
import jsonschema
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

KUBERNETES = ["1.25.0", "1.29.4-gke.100", "1.36.0"]


@pytest.fixture(scope="session", params=sorted(helms.installed()) or [None], ids=lambda major: f"helm{major}")
def helm(request, tmp_path_factory):
    if request.param is None:
        pytest.skip("Helm is not built: tests/deps chart")
    return helms.Helm(helms.installed()[request.param], tmp_path_factory.mktemp("helm"))


def pytest_collection_modifyitems(items):
    """What depends on the chart alone is tried with one Helm: older versions of Kubernetes, and tests with the mark "one_helm"."""

    def is_needed(item):
        params = getattr(getattr(item, "callspec", None), "params", {})
        is_newest = params.get("helm") == max(helms.installed(), default=None)
        return is_newest or (params.get("kubernetes") in [None, KUBERNETES[-1]] and not item.get_closest_marker("one_helm"))

    items[:] = [item for item in items if is_needed(item)]


def pytest_configure(config):
    config.addinivalue_line("markers", "one_helm: what it tests is the same in every Helm")


@pytest.fixture(scope="session")
def check_strictly():
    """Refuses a document that Kubernetes 1.36 would refuse, unknown fields too. What Prometheus' operator defines is not in it."""
    schemas = json.loads((pathlib.Path(__file__).parent / "kubernetes-1.36-schemas.json").read_text())
    validators = {kind: jsonschema.Draft7Validator({"$ref": reference, "definitions": schemas["definitions"]}) for kind, reference in schemas["kinds"].items()}

    def check(document):
        if document["apiVersion"].startswith("monitoring.coreos.com/"):
            return
        errors = [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in validators[document["kind"]].iter_errors(document)]
        assert not errors, f"{document['kind']} {document['metadata']['name']}: {errors}"

    return check


@pytest.fixture(scope="session")
def promtool():
    program = ROOT / "build" / "promtool" / "usr" / "bin" / "promtool"
    if not program.exists():
        pytest.skip("promtool is not there: tests/deps chart")

    def run(*words, check=True):
        done = subprocess.run([program, *map(str, words)], capture_output=True, text=True)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    return run
