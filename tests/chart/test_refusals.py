"""Wrong values: refused, with a message that says what to write."""

import pytest
from value_sets import DATABASE, merged

CASES = {
    "a typo": ({"imgae": {"tag": "1"}}, "imgae"),
    "a typo further down": ({"job": {"backofLimit": 1}}, "backofLimit"),
    "a typo in an option": ({"config": {"retry_fro": "3m"}}, "retry_fro"),
    "a typo in one of several databases": ({"databases": {"a": {"database": {"exsitingSecret": "x"}}}}, "exsitingSecret"),
    "a typo in the init container's database": ({"initContainer": {"database": {"exsitingSecret": "x"}}}, "exsitingSecret"),
    "a mode that is none": ({"job": {"mode": "sync"}}, "/job/mode"),
    "a duration without unit": ({"config": {"retry_for": "half an hour"}}, "/config/retry_for"),
    "a number as text": ({"job": {"backoffLimit": "3"}}, "/job/backoffLimit"),
    "a port that is none": ({"database": {"port": 0}}, "/database/port"),
    "an sslmode that is none": ({"database": {"sslmode": "verify"}}, "/database/sslmode"),
    "a digest that is none": ({"image": {"digest": "latest"}}, "/image/digest"),
    "a probe that costs too much": ({"probe": {"periodSeconds": 1}}, "/probe/periodSeconds"),
    "the log of a migration deleted at once": ({"job": {"ttlSecondsAfterFinished": 0}}, "/job/ttlSecondsAfterFinished"),
    "a secret among the options": ({"config": {"database_url": "postgresql://x"}}, "database_url"),
    "a database's name that is no label": ({"databases": {"Main_DB": {}}}, "Main_DB"),
    "an item that is no script": ({"migrations": {"configMap": {"name": "x", "items": [{"key": "a", "path": "a.sql"}]}}}, "/migrations/configMap/items/0/path"),
    "no database": ({"database": {"existingSecret": ""}}, "kubectl create secret generic"),
    "a hook and a Secret of its own": ({"database": {"existingSecret": "", "url": "postgresql://u:hidden@h/d"}}, "set job.mode=job"),
    "PreSync and a Secret of its own": (
        {"database": {"existingSecret": "", "url": "postgresql://u:hidden@h/d"}, "job": {"mode": "argocd", "argocd": {"hook": "PreSync"}}},
        "set job.argocd.hook=Sync",
    ),
    "a hook and a Secret among the extra objects": (
        {"extraObjects": ["apiVersion: v1\nkind: Secret\nmetadata: {name: '{{ .Release.Name }}-db'}\n"], "database": {"existingSecret": "{{ .Release.Name }}-db"}},
        '"app-db" is among extraObjects',
    ),
    "a replacement beside a failure policy": ({"job": {"podReplacementPolicy": "TerminatingOrFailed"}}, "Set job.podFailurePolicy=null"),
    "a URL twice": ({"database": {"url": "postgresql://u:hidden@h/d"}, "job": {"mode": "job"}}, "Give one: existingSecret with a URL"),
    "a direct URL alone": ({"database": {"directUrl": "postgresql://u:hidden@h/d"}}, "name the key: database.secretKeys.directUrl"),
    "a host without user": ({"database": {"host": "db", "name": "d"}}, "Set database.user and database.name"),
    "a CA twice": ({"database": {"sslRootCert": {"existingSecret": "a", "existingConfigMap": "b"}}}, "sslRootCert has an existingSecret and an existingConfigMap"),
    "migrations from two places": ({"migrations": {"image": {"repository": "shop"}, "volume": {"emptyDir": {}}}}, "come from image and volume at once"),
    "a ConfigMap without items": ({"migrations": {"configMap": {"name": "x"}}}, "path: 20260101000000_init/migration.sql"),
    "a migration that can't be a key": ({"migrations": {"files": {"a b": "SELECT 1"}}}, '"a b" can\'t be the key'),
    "more than a ConfigMap holds": ({"migrations": {"files": {"1_a": "x" * 1_100_000}}}, "Put them into an image"),
    "a PodMonitor of nothing": ({"metrics": {"podMonitor": {"enabled": True}}}, "Set metrics.sidecar.enabled=true"),
    "an old cluster": ({}, "kubeVersion"),
}


@pytest.mark.parametrize("name", CASES)
def test_refused(helm, name):
    values, says = CASES[name]
    refused = helm.template(merged(DATABASE, values), kubernetes="1.24.0" if name == "an old cluster" else "1.36.0", check=False)
    assert refused.returncode != 0
    said = refused.stderr.replace("(root).", "/").replace("config.", "/config/")
    assert says in refused.stderr or says in said, refused.stderr
    assert "hidden" not in refused.stderr


def test_a_parent_may_have_a_condition_and_globals(helm):
    """What a parent chart passes along is no typo."""
    assert helm.template(merged(DATABASE, {"enabled": True, "global": {"anything": {"else": 1}}}))
