"""Names over generated releases, aliases and databases: no two objects share one, and Kubernetes takes each; whatever a value looks like."""

import itertools
import re

import pytest
import yaml
from helm import CHART, of_kind
from test_keys import FULL, LISTS, aliases, at, string_paths
from value_sets import DATABASE, merged

EVERYTHING = merged(FULL, {"migrations": {"configMap": {"name": ""}}, "databases": {name: {"migrations": {"files": {"1_a": "SELECT 1"}}} for name in ["shop", "bills-of-the-year-20"]}})
LONG = "customer-portal-production-eu-west"
RELEASES = [f"{LONG}-{number}" for number in [1, 2, 21]] + ["a" * 29 + ".b", "a" * 53, "a" * 52 + "b", "a.b", "1234", "12e5", "0x1f", "true", "null", "2026.11.29", "tidelock"]
IDENTIFIER = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")
LABEL = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")


def names(documents):
    """(kind, name) of every object, and nothing in them that Kubernetes refuses."""
    found = []
    for document in documents:
        metadata = document["metadata"]
        assert IDENTIFIER.fullmatch(metadata["name"]) and ".-" not in metadata["name"] and "-." not in metadata["name"], metadata["name"]
        for labels in [metadata["labels"], document.get("spec", {}).get("template", {}).get("metadata", {}).get("labels", {})]:
            assert all(isinstance(value, str) and LABEL.fullmatch(value) for value in labels.values()), labels
        found.append((document["kind"], metadata["name"]))
    return found


@pytest.mark.parametrize("mode", ["hook", "job", "argocd"])
def test_no_two_objects_share_a_name(helm, check_strictly, mode):
    """Neither in one release nor in two of one namespace."""
    found = []
    for release in RELEASES:
        documents = helm.template(merged(EVERYTHING, {"job": {"mode": mode}}), release=release)
        for document in documents:
            if "-" not in release:
                check_strictly(document)
            # A pod's name adds six characters, and the Job's own name is a label of it.
            assert document["kind"] != "Job" or len(document["metadata"]["name"]) <= 61
        found += names(documents)
    assert sorted(found) == sorted(set(found))


def test_no_two_aliases_share_a_name(helm, tmp_path):
    """In releases whose names are long, or those of the aliases."""
    named = {name: DATABASE for name in ["orders", "billing", "orders-archive-of-the-years", "orders-archive-of-the-years-before"]}
    chart = aliases(tmp_path, named)
    for release in ["orders-billing", "orders", "customer-portal-production-eu1", f"{LONG}-1", "b" * 53]:
        found = names(helm.template(named, chart=chart, release=release))
        assert sorted(found) == sorted(set(found)) and len(found) == 2 * len(named)


def test_long_databases_of_long_releases(helm):
    databases = {"".join(letters): {} for letters in itertools.product("ab", ["c" * 18], "ab")}
    for values in [{}, {"fullnameOverride": "x" * 80}, {"fullnameOverride": "x" * 46 + ".-.y"}, {"nameOverride": "y" * 70}]:
        documents = helm.template(merged(merged(FULL, {"databases": databases}), values), release="a" * 53)
        jobs = [job["metadata"]["name"] for job in of_kind(documents, "Job")]
        assert len(set(jobs)) == len(databases) and not re.search("[-.]$", " ".join(jobs))


# What YAML would take for something else than text.
HOSTILE = ["12345", "true", "null", "1e5", "0x1f", "~", "2026-11-29", "1_000"]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_text_stays_text(helm, check_strictly, hostile):
    """In every key that takes any text: what Kubernetes gets is text."""
    values = FULL
    for path in string_paths():
        values = merged(values, at(path, hostile))
    for document in helm.template(values):
        check_strictly(document)


@pytest.mark.parametrize("list_of", LISTS)
def test_text_stays_text_in_lists_of_tenants(helm, check_strictly, list_of):
    for document in helm.template(merged(DATABASE, {"tenants": {list_of: "12345"}})):
        check_strictly(document)


def test_templates_in_the_values(helm, check_strictly):
    """Expanded wherever they stand: an image's tag that labels repeat, the service account, the environment."""
    values = yaml.safe_load(
        """
        database: {existingSecret: db}
        global: {tag: 1.4.0+eu, who: me}
        image: {registry: "{{ .Values.global.who }}.test", repository: "{{ .Release.Name }}/guestbook", tag: "{{ .Values.global.tag }}"}
        serviceAccount: {create: true, name: "{{ .Release.Name }}-app", annotations: {who: "{{ .Values.global.who }}"}}
        extraEnv: [{name: A, value: "{{ .Values.global.who }}"}]
        extraEnvFrom: [{secretRef: {name: "{{ .Release.Name }}-env"}}]
        imagePullSecrets: ["{{ .Release.Name }}-pull", {name: "{{ .Values.global.who }}"}]
        """
    )
    documents = helm.template(values)
    for document in documents:
        check_strictly(document)
        assert "{{" not in str(document) and document["metadata"]["labels"]["app.kubernetes.io/version"] == "1.4.0_eu"
    pod = of_kind(documents, "Job")[0]["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == "me.test/app/guestbook:1.4.0+eu" and pod["serviceAccountName"] == "app-app"
    assert {"name": "A", "value": "me"} in pod["containers"][0]["env"] and pod["containers"][0]["envFrom"] == [{"secretRef": {"name": "app-env"}}]
    assert pod["imagePullSecrets"] == [{"name": "app-pull"}, {"name": "me"}]
    (account,) = of_kind(documents, "ServiceAccount")
    assert account["metadata"]["name"] == "app-app" and account["metadata"]["annotations"]["who"] == "me"


def test_the_chart_is_found_under_its_own_name():
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["name"] == "tidelock"
