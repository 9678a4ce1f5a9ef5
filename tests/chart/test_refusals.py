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
    "an item that is no script": ({"migrations": {"configMap": {"name": "x", "items": [{"key": "a", "path": "a"}]}}}, "/migrations/configMap/items/0/path"),
    "an item outside the folder": ({"migrations": {"configMap": {"name": "x", "items": [{"key": "a", "path": "a/../../b.sql"}]}}}, "/migrations/configMap/items/0/path"),
    "an item at the root": ({"migrations": {"configMap": {"name": "x", "items": [{"key": "a", "path": "/etc/a.sql"}]}}}, "/migrations/configMap/items/0/path"),
    "a script outside the folder": ({"migrations": {"files": {"../a.sql": "SELECT 1"}}}, "../a.sql"),
    "a script at the root": ({"migrations": {"files": {"/a.sql": "SELECT 1"}}}, "/a.sql"),
    "a script twice": ({"migrations": {"files": {"1_a": "SELECT 1", "1_a/migration.sql": "SELECT 1"}}}, '"1_a" and "1_a/migration.sql" are the same file'),
    "a format that is none": ({"config": {"format": "liquibase"}}, "/config/format"),
    "an answer to drift that is none": ({"config": {"drift": "stop"}}, "/config/drift"),
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
    "a URL twice": ({"database": {"url": "postgresql://u:hidden@h/d"}, "job": {"mode": "job"}}, "Set only one: existingSecret with a URL"),
    "a direct URL alone": ({"database": {"directUrl": "postgresql://u:hidden@h/d"}}, "name the key: database.secretKeys.directUrl"),
    "a standby's key without Secret": (
        {"database": {"existingSecret": "", "url": "postgresql://u:hidden@h/d", "secretKeys": {"replica": "standby"}}, "job": {"mode": "job"}},
        "database.secretKeys.replica is set without database.existingSecret",
    ),
    "tenants from two places": ({"tenants": {"existingSecret": "x", "schemas": "*"}}, "tenants has several lists: existingSecret, schemas"),
    "parts of nothing": ({"tenants": {"pods": 2}}, "nothing says which tenants there are"),
    "tenants and a Lease": ({"tenants": {"schemas": "*"}, "lease": {"enabled": True}, "serviceAccount": {"create": True}}, "tenants and lease.enabled exclude each other"),
    "tenants and a standby": (
        {"tenants": {"schemas": "*"}, "database": {"existingSecret": "x", "secretKeys": {"replica": "standby"}}},
        "tenants and database.secretKeys.replica exclude each other",
    ),
    "tenants among the options": ({"config": {"tenants": "x.csv"}}, "Set tenants.existingSecret"),
    "no pod": ({"tenants": {"pods": 0}}, "/tenants/pods"),
    "a host without user": ({"database": {"host": "db", "name": "d"}}, "Set database.user and database.name"),
    "a CA twice": ({"database": {"sslRootCert": {"existingSecret": "a", "existingConfigMap": "b"}}}, "sslRootCert has an existingSecret and an existingConfigMap"),
    "migrations from two places": ({"migrations": {"image": {"repository": "shop"}, "volume": {"emptyDir": {}}}}, "come from image and volume at once"),
    "a ConfigMap without items": ({"migrations": {"configMap": {"name": "x"}}}, "path: 20260101000000_init/migration.sql"),
    "a migration that can't be a key": ({"migrations": {"files": {"a b": "SELECT 1"}}}, '"a b" is no migration'),
    "more than a ConfigMap holds": ({"migrations": {"files": {"1_a": "x" * 1_100_000}}}, "Put them into an image"),
    "a PodMonitor of nothing": ({"metrics": {"podMonitor": {"enabled": True}}}, "Set metrics.sidecar.enabled=true"),
    "a webhook in the values": ({"webhook": {"url": "https://hidden"}}, "webhook"),
    "a webhook among the options": ({"config": {"webhook": "https://hidden"}}, "Set webhook.existingSecret"),
    "a Lease among the options of an init container": ({"databases": {"a": {"config": {"lease": "x"}}}}, "Set lease.enabled and lease.name"),
    "a webhook's event that is none": ({"webhook": {"existingSecret": "x", "events": ["done"]}}, "/webhook/events/0"),
    "a hook and the webhook's Secret among the extra objects": (
        {"extraObjects": [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hook"}}], "webhook": {"existingSecret": "hook"}},
        '"hook" is among extraObjects',
    ),
    "a Pushgateway with a password": ({"pushgateway": {"url": "http://u:hidden@push:9091"}}, "set TIDELOCK_PUSHGATEWAY from a Secret"),
    "a Pushgateway without scheme": ({"pushgateway": {"url": "push:9091"}}, "/pushgateway/url"),
    "a label that Prometheus has not": ({"pushgateway": {"url": "http://push", "labels": {"a-b": "c"}}}, "a-b"),
    "a label that is Prometheus' own": ({"pushgateway": {"url": "http://push", "labels": {"__b": "c"}}}, "__b"),
    "a label's value that would be two": ({"pushgateway": {"url": "http://push", "labels": {"a": "b,c=d"}}}, "/pushgateway/labels/a"),
    "a Lease too short": ({"lease": {"enabled": True, "duration": "2s"}}, "/lease/duration"),
    "a Lease's name that is none": ({"lease": {"name": "My_Lease"}}, "/lease/name"),
    "rights for every pod of the namespace": ({"lease": {"enabled": True}, "events": {"enabled": True}}, "lease.enabled and events.enabled: the Job needs rights"),
    "a Lease of pods that only wait": ({"lease": {"enabled": True}, "job": {"enabled": False}}, "lease.enabled would have no effect: there is no Job"),
    "a webhook of pods that only wait": (
        {"webhook": {"existingSecret": "x"}, "pushgateway": {"url": "http://push"}, "job": {"enabled": False}},
        "pushgateway.url and webhook.existingSecret would have no effect",
    ),
    "a source that is none": ({"database": {"passwordFrom": {"source": "aws"}}}, "/database/passwordFrom/source"),
    "a password twice": ({"database": {"host": "h", "user": "u", "name": "d", "passwordFrom": {"source": "google"}}}, "with database.host, the Secret holds the password"),
    "a secret without name": ({"database": {"passwordFrom": {"source": "aws-secret"}}}, "Set database.passwordFrom.secretName"),
    "Vault nowhere": ({"database": {"passwordFrom": {"source": "vault", "secretName": "x"}}}, "Set database.passwordFrom.vault.address"),
    "Vault without login": ({"database": {"passwordFrom": {"source": "vault", "secretName": "x", "vault": {"address": "https://v"}}}}, "a way to log in to Vault"),
    "Vault's CA twice": (
        {"database": {"passwordFrom": {"source": "vault", "secretName": "x", "vault": {"address": "https://v", "role": "r", "caCert": {"existingSecret": "a", "existingConfigMap": "b"}}}}},
        "vault.caCert has an existingSecret and an existingConfigMap",
    ),
    "Vault nowhere, of one of several databases": (
        {"databases": {"a": {"database": {"passwordFrom": {"source": "vault", "secretName": "x"}}}}},
        "Set databases.a.database.passwordFrom.vault.address",
    ),
    "an old cluster": ({}, "kubeVersion"),
}


# As `config` has them, though each has a value of its own, on which more hangs than a variable.
APART = "lease lease_duration events service_account pushgateway pushgateway_labels webhook webhook_on webhook_key password_from secret_name vault_role vault_auth set_role"


@pytest.mark.parametrize("option", APART.split())
def test_refused_among_the_options(helm, option):
    refused = helm.template(merged(DATABASE, {"config": {option: {"lease_duration": "15s", "events": True}.get(option, "hidden")}}), check=False)
    assert f"config.{option} has a value of its own in the chart.\nSet " in refused.stderr and "hidden" not in refused.stderr


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
