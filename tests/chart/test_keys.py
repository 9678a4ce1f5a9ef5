"""Every key of values.yaml, one after the other: null, missing as in an older chart, of the wrong type. Nothing crashes.

Each variant is an alias of one parent chart, so that Helm renders all of them at once.
"""

import copy
import json
import re
import shutil

import pytest
import ruamel.yaml
import yaml
from helm import CHART, of_kind
from project import VERSION
from value_sets import DATABASE, SETS, merged

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
VALUES = ruamel.yaml.YAML(typ="safe").load((CHART / "values.yaml").read_text())
CRASH = re.compile(r"nil pointer|wrong type|error calling (?!fail)|incompatible types|can't evaluate|YAML parse error|cannot unmarshal|interface conversion")

# Everything switched on, so that every key is read.
FULL = yaml.safe_load(
    """
    database:
      existingSecret: db
      sslRootCert: {existingSecret: ca}
      clientCert: {existingSecret: client}
      setRole: owner
      passwordFrom: {source: vault, secretName: creds, vault: {address: "https://vault:8200", role: r, namespace: team, caCert: {existingConfigMap: vault-ca}}}
    migrations: {path: db, configMap: {name: scripts, items: [{key: a, path: 1_a/migration.sql}]}}
    lease: {enabled: true}
    events: {enabled: true}
    pushgateway: {url: "http://push:9091"}
    webhook: {existingSecret: hook, secretKeys: {signingKey: key}}
    serviceAccount: {create: true}
    networkPolicy: {enabled: true}
    metrics: {sidecar: {enabled: true}, podMonitor: {enabled: true}}
    prometheusRule: {enabled: true}
    grafanaDashboard: {enabled: true}
    mesh: {kind: istio}
    """
)


def paths(values=VALUES, path=()):
    """Every key, sections and leaves."""
    for key, child in values.items():
        yield (*path, key)
        if isinstance(child, dict) and schema_at((*path, key)).get("additionalProperties") is False:
            yield from paths(child, (*path, key))


def schema_at(path):
    found = SCHEMA
    for key in path:
        found = found.get("properties", {}).get(key, {})
    return found


# Of tenants: one of them at most, and not beside the Lease of FULL.
LISTS = ["existingSecret", "existingConfigMap", "query", "databases", "schemas"]


def string_paths():
    """The keys that take any text."""
    for path in paths():
        schema = schema_at(path)
        if "string" in schema.get("type", []) and not {"enum", "pattern"} & set(schema) and path != ("database", "url") and path != ("database", "directUrl"):
            if path[:2] not in [("database", "host"), ("migrations", "image"), *(("tenants", list_of) for list_of in LISTS)] and path[-2:] not in [("sslRootCert", "existingConfigMap"), ("caCert", "existingSecret")]:
                yield path


def at(path, value):
    for key in reversed(path):
        value = {key: value}
    return value


def aliases(folder, names, chart=CHART):
    """A chart that has tidelock under each of these names."""
    parent = folder / "parent"
    shutil.copytree(chart, parent / "charts" / "tidelock")
    dependencies = [{"name": "tidelock", "version": VERSION, "alias": name} for name in names]
    (parent / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": "parent", "version": "1.0.0", "dependencies": dependencies}))
    return parent


def rendered(helm, check_strictly, folder, variants, chart=CHART):
    """The documents of all variants, each checked; some at a time, as Helm gets slower with the number of templates."""
    documents, names = [], list(variants)
    for start in range(0, len(names), 20):
        some = {name: variants[name] for name in names[start : start + 20]}
        documents += helm.template(some, chart=aliases(folder / str(start), some, chart))
    # Most differ in nothing but the alias's name and hashes of it.
    for text in {re.sub(r"\bk\d+\b|\b[0-9a-f]{16}\b", "k", json.dumps(document, sort_keys=True)) for document in documents}:
        check_strictly(json.loads(text))
    return documents


BASES = {"alone": DATABASE, "full": FULL}


@pytest.mark.parametrize("base", ["alone", pytest.param("full", marks=pytest.mark.one_helm)])
def test_null_is_the_default(helm, check_strictly, tmp_path, base):
    """As a key that is left empty."""
    variants, refused = {}, {}
    for number, path in enumerate(paths()):
        variant = merged(BASES[base], at(path, None))
        (refused if NEEDED[base] & {path[:end] for end in range(len(path) + 1)} else variants)[f"k{number}"] = variant
    documents = rendered(helm, check_strictly, tmp_path, variants)
    assert len(of_kind(documents, "Job")) == len(variants)
    for variant in refused.values():
        said = helm.template(variant, check=False)
        assert said.returncode == 0 or (not CRASH.search(said.stderr) and re.search(r"\n(Set|Create|The database|  )", said.stderr)), said.stderr


# What can't be null, as it is needed beside the others: then it is refused with a sentence.
NEEDED = {
    "alone": {("database",), ("database", "existingSecret")},
    "full": {("serviceAccount",), ("serviceAccount", "create"), ("migrations", "configMap", "items"), ("metrics", "sidecar"), ("metrics", "sidecar", "enabled"), ("database",), ("database", "existingSecret")}
    | {("database", "passwordFrom", key) for key in ["secretName", "vault"]}
    | {("database", "passwordFrom", "vault", key) for key in ["address", "role"]},
}


@pytest.mark.one_helm
def test_values_of_an_older_chart(helm, check_strictly, tmp_path):
    """"helm upgrade --reuse-values" replaces the chart's own values by those of the older release, which lack what is new."""
    values = {}
    for number, path in enumerate(path for path in paths() if not NEEDED["full"] & {path[:end] for end in range(len(path) + 1)}):
        older = copy.deepcopy(VALUES)
        section = older
        for key in path[:-1]:
            section = section[key]
        del section[path[-1]]
        values[f"k{number}"] = merged(older, FULL)
    emptied = tmp_path / "chart"
    shutil.copytree(CHART, emptied)
    (emptied / "values.yaml").write_text("{}\n")
    documents = rendered(helm, check_strictly, tmp_path, values, emptied)
    assert len(of_kind(documents, "Job")) == len(values)


WRONG = {"string": [1], "integer": "many", "boolean": "perhaps", "array": "none", "object": ["a"]}


def wrong_types():
    for path in paths():
        kinds = [kind for kind in schema_at(path).get("type", ["enum"]) if kind != "null"]
        yield path, {"enum": ["a"], **WRONG}[kinds[0]]


def wrong_items():
    """Of every list, and of every map of texts."""
    for path in paths():
        schema = schema_at(path)
        if "array" in schema.get("type", []):
            yield path, ["x" if schema["items"].get("type") == "integer" else 1]
        elif re.search("labels$|annotations$|nodeSelector$", path[-1], re.I):
            yield path, {"a": {"b": 1}}


@pytest.mark.parametrize("kind", [wrong_types, wrong_items])
def test_a_wrong_type_is_named(helm, tmp_path, kind):
    """By its key, for every key."""
    wrong = dict(kind())
    assert len(wrong) > 20
    values = {f"k{number}": merged(DATABASE, at(path, value)) for number, (path, value) in enumerate(wrong.items())}
    said = helm.template(values, chart=aliases(tmp_path, values), check=False)
    assert said.returncode != 0 and not CRASH.search(said.stderr)
    flat = re.sub(r"\(root\)\.|'", "", said.stderr).replace(".", "/")
    missing = [path for path in wrong if "/".join(path) not in flat]
    assert not missing


@pytest.mark.one_helm
def test_whatever_of_a_job_cannot_change_is_in_its_name(helm):
    """Over every set of values and versions of Kubernetes: two Jobs of one name are one and the same, so that an upgrade never meets an immutable field."""
    seen = {}
    for values, _ in SETS.values():
        if values.get("job", {}).get("mode") == "argocd" or "metrics" in values:
            continue
        for kubernetes in ["1.25.0", "1.36.0"]:
            for job in of_kind(helm.template(merged(values, {"job": {"mode": "job"}}), kubernetes=kubernetes), "Job"):
                fixed = {key: job["spec"].get(key) for key in ["template", "podFailurePolicy", "podReplacementPolicy"]}
                assert seen.setdefault(job["metadata"]["name"], fixed) == fixed, job["metadata"]["name"]
    assert len(seen) > len(SETS)
