"""Each set of values means what it says, on each version of Kubernetes; Kubernetes takes every document; no value is without a test."""

import json
import re
import subprocess

import pytest
import ruamel.yaml
import service_sets  # noqa: F401
import yaml
from conftest import KUBERNETES
from helm import CHART
from project import IMAGE, VERSION
from value_sets import DATABASE, INCLUDED, SETS, merged

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
VALUES = ruamel.yaml.YAML(typ="safe").load((CHART / "values.yaml").read_text())


@pytest.mark.parametrize("kubernetes", KUBERNETES)
@pytest.mark.parametrize("name", SETS)
def test_what_it_means(helm, check_strictly, name, kubernetes):
    values, check = SETS[name]
    minor = int(kubernetes.split(".")[1])
    if name == "metrics" and minor < 29:
        refused = helm.template(values, kubernetes=kubernetes, check=False)
        assert refused.returncode != 0 and "needs Kubernetes 1.29" in refused.stderr
        return
    documents = helm.template(values, kubernetes=kubernetes)
    check(documents, minor)
    for document in documents:
        check_strictly(document)


def leaves(schema, path=()):
    """Paths of the schema's keys that users set; what is open stands for itself."""
    if "properties" in schema and schema.get("additionalProperties") is False and path[-1:] != ("config",):
        for key, child in schema["properties"].items():
            yield from leaves(child, (*path, key))
    else:
        yield path


def set_paths(values, path=()):
    yield path
    if isinstance(values, dict):
        for key, child in values.items():
            yield from set_paths(child, (*path, key))


def test_every_value_is_set_somewhere():
    wanted = {path for path in leaves(SCHEMA) if path != ("enabled",)}
    tried = {path for values in [*(values for values, _ in SETS.values()), INCLUDED] for path in set_paths(values)}
    assert not wanted - tried


def test_the_schema_knows_every_value():
    """And nothing else; both describe each key."""
    in_values = {path for path in set_paths(VALUES) if path}

    def known(schema, path=()):
        for key, child in schema.get("properties", {}).items():
            yield (*path, key)
            if child.get("additionalProperties") is False and key != "config":
                yield from known(child, (*path, key))

    in_schema = set(known(SCHEMA))
    assert in_schema - in_values == {("enabled",)}
    open_maps = {path for path in leaves(SCHEMA)}
    assert all(path in in_schema or any(path[: len(open_map)] == open_map for open_map in open_maps) for path in in_values)

    def undescribed(schema, path=()):
        for key, child in schema.get("properties", {}).items():
            if "properties" in child and key != "config":
                yield from undescribed(child, (*path, key))
            elif not child.get("description"):
                yield (*path, key)

    assert not list(undescribed(SCHEMA))


def exit_codes():
    """{code: whether a second try helps}, of the program's own table."""
    program = CHART.parents[1] / "build" / "tidelock"
    tables = json.loads(subprocess.run([program, "manual", "--json"], capture_output=True, text=True, check=True).stdout)
    return {int(row["code"]): row["retry"] for row in tables["exits"] if row["code"].isdigit()}


def test_the_failure_policy_is_that_of_the_exit_codes(helm):
    """The Job ends at once for just those codes of a failure that a second try can't change."""
    documents = helm.template(DATABASE)
    job = next(document for document in documents if document["kind"] == "Job")
    fail, ignore = job["spec"]["podFailurePolicy"]["rules"]
    codes = exit_codes()
    assert fail["onExitCodes"]["values"] == sorted(code for code, retry in codes.items() if code > 1 and not retry)
    assert fail["action"] == "FailJob" and fail["onExitCodes"]["containerName"] == job["spec"]["template"]["spec"]["containers"][0]["name"]
    assert ignore == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}


def test_the_choices_and_defaults_are_the_programs():
    program = CHART.parents[1] / "build" / "tidelock"
    tables = json.loads(subprocess.run([program, "manual", "--json"], capture_output=True, text=True, check=True).stdout)
    options = {row["key"]: row for row in tables["options"]}
    source = SCHEMA["properties"]["database"]["properties"]["passwordFrom"]["properties"]["source"]
    assert ["nowhere", *filter(None, source["enum"])] == options["password_from"]["choices"] and options["password_from"]["default"] == "nowhere"
    assert VALUES["database"]["passwordFrom"]["vault"]["auth"] == options["vault_auth"]["default"]
    assert VALUES["lease"]["duration"] == options["lease_duration"]["default"]
    assert ",".join(VALUES["webhook"]["events"]) == options["webhook_on"]["default"]
    assert SCHEMA["properties"]["webhook"]["properties"]["events"]["items"]["enum"] == options["webhook_on"]["choices"]


def job_name(helm, values, *words):
    return next(document["metadata"]["name"] for document in helm.template(merged(DATABASE, {"job": {"mode": "job"}, **values}), *words) if document["kind"] == "Job")


def test_a_plain_job_has_a_new_name_for_what_is_new_in_it(helm):
    same = job_name(helm, {})
    assert same == job_name(helm, {}) == job_name(helm, {"job": {"mode": "job", "backoffLimit": 1, "labels": {"a": "b"}}})
    others = [
        {"image": {"tag": "2"}},
        {"config": {"strict": True}},
        {"database": {"existingSecret": "other"}},
        {"podLabels": {"a": "b"}},
        {"commonLabels": {"c": "d"}},
        {"job": {"mode": "job", "podFailurePolicy": {"rules": []}}},
        {"podAnnotations": {"a": "b"}},
        {"migrations": {"files": {"1_a": "SELECT 1"}}},
        {"migrations": {"files": {"1_a": "SELECT 2"}}},
    ]
    assert len({same, *(job_name(helm, values) for values in others)}) == len(others) + 1
    urls = [{"database": {"existingSecret": "", "url": f"postgresql://u:{password}@h/d"}} for password in ["a", "b"]]
    assert len({job_name(helm, values) for values in urls}) == 2


def test_lint(helm):
    for chart in [CHART]:
        linted = helm.run("lint", "--strict", chart)
        assert "1 chart(s) linted, 0 chart(s) failed" in linted.stdout
    values, _ = SETS["metrics"]
    helm.run("lint", "--strict", CHART, "--values", "-", input=yaml.safe_dump(values))


def test_what_chart_yaml_says(helm):
    """The image that it names is the one that it starts, and a change is described."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    (image,) = yaml.safe_load(chart["annotations"]["artifacthub.io/images"])
    documents = helm.template(DATABASE)
    assert f"'image': '{image['image']}'" in str(documents) and image["image"] == IMAGE
    assert chart["version"] == chart["appVersion"] == VERSION
    kinds = {change["kind"] for change in yaml.safe_load(chart["annotations"]["artifacthub.io/changes"])}
    assert kinds <= {"added", "changed", "deprecated", "removed", "fixed", "security"}


README = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", (CHART / "README.md").read_text(), re.S) if "{{-" not in block and not block.startswith("# ")]


@pytest.mark.parametrize("values", README, ids=lambda values: "-".join(values))
def test_the_readmes_examples(helm, values):
    helm.template(values if "database" in values else merged(DATABASE, values))


def test_packaged(helm, tmp_path):
    helm.run("package", CHART, "--destination", tmp_path)
    (package,) = tmp_path.glob("tidelock-*.tgz")
    documents = helm.template(DATABASE, chart=package)
    assert {document["kind"] for document in documents} == {"Job", "Pod"}
