"""Every secret at once, and everything that can go wrong around it: nothing that is printed, kept or handed on shows one."""

import pytest
from world import BAD_ANSWERS, Answer, ApiServer, World

pytestmark = pytest.mark.usefixtures("database")
SECRETS = {
    "password": "pa55word-of-the-owner",
    "webhook": "path-of-the-webhook-T00/B00/xyz",
    "key": "key-of-the-signature",
    "pushgateway": "pa55word-of-the-pushgateway",
    "token": "token-of-the-pod-eyJhbGciOi",
    "vault": "hvs.token-of-vault",
}
FAULTS = list(BAD_ANSWERS)
SCRIPTS = {"good": "CREATE TABLE one (id int)", "bad": f"DO $$ BEGIN RAISE EXCEPTION 'the password is {SECRETS['password']}'; END $$"}


@pytest.fixture
def worlds(authority):
    """A receiver each for the webhook, the Pushgateway and Vault, and an API server."""
    certificate = str(authority.folder / "server")
    worlds = {"webhook": World(certificate=certificate), "pushgateway": World(), "vault": World(certificate=certificate), "api": ApiServer(certificate)}
    worlds["api"].token = SECRETS["token"]
    worlds["vault"].answer = lambda request: Answer(200, {"data": {"data": {"password": SECRETS["password"]}, "metadata": {}}})
    yield worlds
    for world in worlds.values():
        world.close()


@pytest.fixture
def environment(worlds, authority, database, tmp_path):
    database.query(f"CREATE ROLE {database.name}_owner LOGIN SUPERUSER PASSWORD '{SECRETS['password']}'")
    (tmp_path / "hook").write_text(f"{worlds['webhook'].url}/{SECRETS['webhook']}")
    (tmp_path / "log").write_text("")
    direct = database.url().replace("postgres@", f"{database.name}_owner:{SECRETS['password']}@")
    yield {
        **worlds["api"].mount(tmp_path / "serviceaccount", authority),
        "DIRECT_URL": direct,
        "SSL_CERT_FILE": str(authority.folder / "ca.crt"),
        "TIDELOCK_WEBHOOK_FILE": str(tmp_path / "hook"),
        "TIDELOCK_WEBHOOK_KEY": SECRETS["key"],
        "TIDELOCK_WEBHOOK_ON": "started,blocked,succeeded,failed",
        "TIDELOCK_PUSHGATEWAY": worlds["pushgateway"].url.replace("://", f"://user:{SECRETS['pushgateway']}@"),
        "TIDELOCK_EVENTS": "true",
        "TIDELOCK_LEASE": "shop-db",
        "TIDELOCK_LEASE_DURATION": "3s",
        "TIDELOCK_LOG_LEVEL": "debug",
        "TIDELOCK_STATUS_FILE": str(tmp_path / "status.prom"),
        "TIDELOCK_TERMINATION_LOG": str(tmp_path / "log"),
        "TIDELOCK_LEADER_TIMEOUT": "2s",
        "TIDELOCK_CONNECT_DEADLINE": "2s",
        "VAULT_ADDR": worlds["vault"].url,
        "VAULT_TOKEN": SECRETS["vault"],
        "TIDELOCK_SECRET_NAME": "kv/data/shop",
        "POD_NAME": "shop-1",
    }
    database.query(f"DROP OWNED BY {database.name}_owner; DROP ROLE {database.name}_owner")


def sweep(result, worlds, tmp_path):
    """Everything that anybody sees of a run."""
    seen = {"stdout": result.out, "stderr": result.errors}
    for file in ["status.prom", "log"]:
        seen[file] = (tmp_path / file).read_text() if (tmp_path / file).exists() else ""
    for name, world in worlds.items():
        seen[f"bodies to {name}"] = "".join(request.body.decode(errors="replace") for request in world.requests if name != "vault")
    for place, text in seen.items():
        for name, secret in SECRETS.items():
            assert secret not in text, f"{place} shows the {name}:\n{text[-3000:]}"
    assert "Sanitizer" not in result.errors, result.errors


def test_it_works_when_nothing_is_wrong(worlds, environment, folder, tidelock, tmp_path, database):
    folder.add("001_one", SCRIPTS["good"])
    result = tidelock("run", "--password-from", "vault", "--", "/bin/sh", "-c", "cat /proc/self/environ /proc/self/cmdline; cat /proc/$PPID/cmdline", environment=environment)
    result.succeeds()
    sweep(Without(result, SECRETS["vault"]), worlds, tmp_path)
    assert database.holds("one") and worlds["webhook"].requests and worlds["pushgateway"].requests and worlds["api"].events and worlds["vault"].requests


class Without:
    """A result without what is the application's own: the clouds' and Vault's variables stay in its environment."""

    def __init__(self, result, own):
        self.out = result.out.replace(own, "")
        self.errors = result.errors


@pytest.mark.parametrize("first", range(len(FAULTS)), ids=FAULTS)
def test_whatever_goes_wrong(worlds, environment, folder, tidelock, tmp_path, first):
    """Up to five things at once, each in another way: the receivers, the API server, Vault, the migration."""
    folder.add("001_one", SCRIPTS["bad" if first % 2 else "good"])
    for number, name in enumerate(["webhook", "pushgateway"]):
        worlds[name].misbehave(FAULTS[(first + number) % len(FAULTS)])
    worlds["api"].broken = None if first % 3 else BAD_ANSWERS[FAULTS[(first + 2) % len(FAULTS)]](worlds["api"].url)
    if first % 4 == 3:
        worlds["vault"].misbehave(FAULTS[(first + 3) % len(FAULTS)])
    source = ["--password-from", "vault"] if first % 4 == 3 else []
    result = tidelock("run", *source, "--", "/bin/sh", "-c", "cat /proc/self/cmdline", environment=environment)
    sweep(result, worlds, tmp_path)
