"""Passwords from AWS, Google, Azure and Vault: a real server lets in only who brings what the service gave."""

import contextlib
import pathlib
import signal
import time

import pytest
from certificates import Authority
from clouds import HOST, AwsRds, AwsSecret, AzureFederated, AzureMachine, Door, Google, Vault, check_rds_token
from servers import Database
from tool import wait_for_session
from wait import wait_until
from world import BAD_ANSWERS, Answer, World

pytestmark = pytest.mark.libraries

SOURCES = {
    "google": Google,
    "azure machine": AzureMachine,
    "azure federated": AzureFederated,
    "aws-secret": AwsSecret,
    "aws-secret as text": lambda *places: AwsSecret(*places, is_json=False),
    "aws-secret, keys for good": lambda *places: AwsSecret(*places, keys_from="variables without session"),
    "aws-secret, agent": lambda *places: AwsSecret(*places, keys_from="agent"),
    "aws-secret, web identity": lambda *places: AwsSecret(*places, keys_from="web identity"),
    "vault database": Vault,
    "vault kv": lambda *places: Vault(*places, engine="kv"),
    "vault database, token": lambda *places: Vault(*places, is_pod=False),
    "vault kv, token": lambda *places: Vault(*places, is_pod=False, engine="kv"),
}
RDS = {keys_from: lambda *places, keys_from=keys_from: AwsRds(*places, keys_from=keys_from) for keys_from in ["variables", "variables without session", "agent", "web identity"]}
IS_TOKEN = ("google", "azure", "aws-rds")
LEADER = "SELECT pg_advisory_lock(72707369)"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("certificates"))
    authority.issue("server", "server", f"subjectAltName=IP:{HOST}")
    return authority


@pytest.fixture(scope="module")
def door(servers, authority):
    door = Door(servers, authority)
    yield door
    door.remove()


@pytest.fixture
def server(door):
    return door.server


@pytest.fixture
def cloud(authority, tmp_path):
    with contextlib.ExitStack() as stack:

        def start(name, home=tmp_path):
            cloud = (SOURCES | RDS)[name](authority, home)
            stack.callback(cloud.close)
            return cloud

        yield start


class Rig:
    """Runs the tool with all that is written somewhere, and looks for secrets there each time."""

    def __init__(self, tool, home):
        self.tool = tool
        self.files = [home / "status.prom", home / "last-word"]
        self.files[1].write_text("")

    def start(self, cloud, *words, url="", environment=None):
        command, *words = words
        options = ["--log-level", "debug"]
        if command in ("deploy", "run", "wait"):
            options += ["--status-file", self.files[0], "--termination-log", self.files[1]]
        return self.tool.start(command, *cloud.arguments, *options, *words, url=url, environment=cloud.environment | (environment or {}))

    def end(self, cloud, running):
        result = running.wait()
        cloud.hides_from(result.out, result.errors, *[file.read_text() for file in self.files if file.exists()])
        assert "Sanitizer" not in result.errors, result.errors
        return result

    def __call__(self, cloud, *words, **options):
        return self.end(cloud, self.start(cloud, *words, **options))


@pytest.fixture
def rig(tidelock, tmp_path):
    return Rig(tidelock, tmp_path)


@pytest.fixture
def bearer(door, database):
    """bearer(judge): a user whom the directory lets in with whatever password the function likes, and the URL."""

    def let_in(judge):
        user = door.let_in(database, "by_directory")
        door.directory.judges[user] = judge
        return user, door.url(database, user, sslmode="require")

    return let_in


@pytest.mark.parametrize("name", SOURCES)
def test_what_the_service_gives_opens_the_door(door, database, folder, rig, cloud, name):
    folder.add("001_t", "CREATE TABLE t ()")
    cloud = cloud(name)
    group = "by_password" if cloud.source in IS_TOKEN else "by_scram"
    user = door.let_in(database, group, password=cloud.password)
    rig(cloud, "deploy", url=door.url(database, user)).succeeds(applied=["001_t"])
    assert database.holds("t")
    cloud.check()


def judge_tokens(door, user, cloud, faults):
    """The directory lets the user in with the token that AWS would have made for that door; whatever is wrong with one is added to `faults`."""

    def judge(token):
        cloud.secrets.append(token)
        try:
            check_rds_token(token, user, f"{HOST}:{door.server.port}", cloud.keys)
        except (AssertionError, ValueError, KeyError) as error:
            faults.append(error)
        return not faults

    door.directory.judges[user] = judge


@pytest.mark.parametrize("name", RDS)
def test_an_rds_token_is_what_aws_would_have_made(door, database, folder, rig, cloud, name):
    """PostgreSQL hands it to a directory in clear, as RDS does, which computes it a second time."""
    folder.add("001_t", "CREATE TABLE t ()")
    cloud = cloud(name)
    user = door.let_in(database, "by_directory", user=f"a+b @ä~'{database.name[-8:]}")
    faults = []
    judge_tokens(door, user, cloud, faults)
    rig(cloud, "deploy", url=door.url(database, user, sslmode="verify-full")).succeeds(applied=["001_t"])
    assert not faults
    cloud.check()


def test_the_region_is_part_of_an_rds_hosts_name(database, folder, rig, cloud, bearer):
    cloud = cloud("variables")
    del cloud.environment["AWS_REGION"]
    tokens = []
    user, url = bearer(lambda token: tokens.append(token) or True)
    host = "shop.abc123.eu-central-1.rds.amazonaws.com"
    folder.add("001_t", "SELECT 1")
    rig(cloud, "deploy", url=url.replace(f"@{HOST}", f"@{host}") + f"&hostaddr={HOST}").succeeds()
    check_rds_token(tokens[0], user, f"{host}:{database.server.port}", cloud.keys)
    rig(cloud, "deploy", url=url).fails(exit=2, says=["no AWS region", "AWS_REGION"])


@pytest.mark.parametrize("name", ["google", "azure machine", "azure federated", "variables"])
def test_a_token_goes_nowhere_without_tls(door, database, folder, rig, cloud, name):
    folder.add("001_t", "SELECT 1")
    cloud = cloud(name)
    user = door.let_in(database, "by_scram", password=cloud.password)
    for mode in ["disable", "allow", "prefer"]:
        rig(cloud, "deploy", url=door.url(database, user, sslmode=mode)).fails(exit=2, says=[f"sslmode={mode}", "unencrypted", "verify-full"])
    apart = {"PGHOST": HOST, "PGPORT": str(door.server.port), "PGUSER": user, "PGDATABASE": database.name}
    rig(cloud, "deploy", url="", environment={**apart, "PGSSLMODE": "prefer"}).fails(exit=2, says="sslmode=prefer")
    assert not cloud.requests
    if name != "variables":
        rig(cloud, "status", url="", environment={**apart, "PGSSLMODE": "require"}).succeeds()
        rig(cloud, "status", url="", environment=apart).succeeds()


@pytest.mark.parametrize("mode", ["verify-full", "disable"])
def test_a_service_file_is_no_promise_of_tls(door, database, folder, rig, cloud, tmp_path, mode):
    """libpq reads it when the token is in its hands already."""
    folder.add("001_t", "SELECT 1")
    service = tmp_path / "service.conf"
    service.write_text(f"[shop]\nhost={HOST}\nport={door.server.port}\nuser=x\ndbname={database.name}\nsslmode={mode}\n")
    for environment in [{}, {"PGUSER": "x"}, {"PGSSLMODE": "verify-full"}]:
        cloud_ = cloud("google")
        rig(cloud_, "status", url="", environment={"PGSERVICEFILE": str(service), "PGSERVICE": "shop", **environment}).fails(exit=2, says=["service file", "DATABASE_URL"])
        assert not cloud_.requests


def test_a_token_is_not_sent_to_a_server_that_has_no_tls(servers, door, major, folder, rig, cloud):
    folder.add("001_t", "SELECT 1")
    plain = servers.get(major)
    rig(cloud("google"), "deploy", url=plain.url("postgres")).fails(exit=2, says=["P1011", "does not support SSL"])


@pytest.mark.parametrize("name", ["aws-secret", "vault database"])
def test_the_user_comes_with_the_password(door, database, folder, rig, cloud, name):
    folder.add("001_t", "CREATE TABLE t ()")
    cloud = cloud(name)
    cloud.user = door.let_in(database, "by_scram", password=cloud.password)
    rig(cloud, "deploy", url=door.url(database, "somebody_else", sslmode="disable")).succeeds(applied=["001_t"])
    assert database.query("SELECT tableowner FROM pg_tables WHERE tablename = 't'") == [(cloud.user,)]


def test_what_vault_lent_comes_back_when_nobody_uses_it(door, database, folder, rig, cloud):
    """A user that lives as long as the deployment owns nothing, so that Vault can drop it."""
    folder.add("001_t", "CREATE TABLE t (); CREATE INDEX ON t ((1))")
    cloud = cloud("vault database")
    owner, faults = door.let_in(database, "by_scram"), []

    def give():
        cloud.user = f"v-{database.name[-8:]}"
        database.query(f"""CREATE ROLE "{cloud.user}" LOGIN NOINHERIT PASSWORD '{cloud.password}' IN ROLE by_scram, "{owner}" """)
        return cloud.password

    def take_back():
        try:
            # It waits two seconds for the answer.
            wait_until(lambda: not database.query("SELECT FROM pg_stat_activity WHERE usename = %s", cloud.user), "its sessions to end", 1.5)
            database.query(f'DROP ROLE "{cloud.user}"')
        except Exception as error:
            faults.append(error)
        return Answer(204)

    cloud.give, cloud.on_return = give, take_back
    rig(cloud, "deploy", "--set-role", owner, url=door.url(database, "nobody")).succeeds(applied=["001_t"])
    assert not faults and not database.query("SELECT FROM pg_roles WHERE rolname = %s", cloud.user)
    assert database.query("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('public', 'tidelock')") == [(owner,)]


@pytest.mark.parametrize("answer", [Answer(403, {"errors": ["no"]}), Answer(503, "sealed"), Answer(fault="hanging")], ids=["403", "503", "hanging"])
@pytest.mark.parametrize("name", ["vault database", "vault database, token"])
def test_what_cannot_be_given_back_is_one_warning(door, database, folder, rig, cloud, name, answer):
    folder.add("001_t", "CREATE TABLE t ()")
    cloud = cloud(name)
    cloud.on_return = lambda: answer
    user = door.let_in(database, "by_scram", password=cloud.password)
    result = rig(cloud, "deploy", url=door.url(database, user)).succeeds(applied=["001_t"])
    assert result.errors.count("could not revoke the Vault lease") == 1
    cloud.check()


@pytest.mark.parametrize("name", ["vault database", "vault database, token"])
@pytest.mark.parametrize("end", ["failure", "signal", "application"])
def test_vault_gets_it_back_however_it_ends(door, database, folder, rig, cloud, name, end):
    folder.add("001_t", "SELECT 1/0" if end == "failure" else "SELECT 1")
    cloud = cloud(name)
    url = door.url(database, door.let_in(database, "by_scram", password=cloud.password))
    if end == "signal":
        with database.connect() as leader:
            leader.execute(LEADER)
            running = rig.start(cloud, "deploy", url=url)
            running.wait_for_line("waiting for the leader")
            running.signal(signal.SIGTERM)
            assert rig.end(cloud, running).code == 128 + signal.SIGTERM
    elif end == "failure":
        rig(cloud, "deploy", url=url).fails(exit=6)
    else:
        cloud.on_return = lambda: Answer(204 if not application.exists() else 500)
        application = folder.root / "application"
        rig(cloud, "run", "--", "touch", str(application), url=url).succeeds()
        assert application.exists()
    cloud.check()


@pytest.mark.fault
@pytest.mark.parametrize("is_lacking", [False, True], ids=["all good", "the last lacks its password"])
def test_every_lease_is_given_back(door, database, folder, rig, cloud, is_lacking):
    """Short leases, of which many are lent while another leads."""
    folder.add("001_t", "SELECT 1")
    cloud = cloud("vault database, token")
    cloud.expires_in = 1
    url = door.url(database, door.let_in(database, "by_scram", password=cloud.password))
    with database.connect() as leader:
        leader.execute(LEADER)
        running = rig.start(cloud, "deploy", "--connect-deadline", "0", url=url)
        wait_until(lambda: cloud.leases >= 3, "three leases")
        if is_lacking:
            cloud.lacks = "password"
            running.wait()
    result = rig.end(cloud, running)
    assert result.code == (2 if is_lacking else 0), result.errors
    returned = [request.json["lease_id"] for request in cloud.requests if request.path == "/v1/sys/leases/revoke"]
    assert sorted(returned) == sorted(f"{cloud.path}/{number + 1}" for number in range(cloud.leases))


@pytest.mark.parametrize("command", [["deploy"], ["run", "--", "true"]], ids=["deploy", "run"])
def test_all_that_hangs_at_the_end_is_over_within_five_seconds(door, database, folder, rig, cloud, api, pod, command):
    """The webhook, Vault and the API server that has the Lease, all at once."""
    folder.add("001_t", "SELECT pg_sleep(1)")
    cloud, receiver = cloud("vault database, token"), World(lambda request: Answer(fault="hanging"))
    cloud.on_return = lambda: Answer(fault="hanging")
    url = door.url(database, door.let_in(database, "by_scram", password=cloud.password))
    running = rig.start(cloud, command[0], "--lease", "shop-db", *command[1:], url=url, environment=pod | {"TIDELOCK_WEBHOOK": receiver.url})
    wait_for_session(database, "pg_sleep")
    api.broken = Answer(fault="hanging")
    running.wait_for_line("applied 1 ")
    began = time.monotonic()
    result = rig.end(cloud, running).succeeds()
    # The five seconds and what a busy machine takes; without a limit it would hang for ever.
    assert time.monotonic() - began < 5 + 25
    for missed in ("release the Lease", "revoke the Vault lease", "notify the webhook"):
        assert result.errors.count(f"could not {missed}") == 1, result.errors
    receiver.close()


def test_a_signal_ends_the_wait_for_a_service(door, database, folder, rig, cloud):
    folder.add("001_t", "SELECT 1")
    cloud = cloud("google")
    asked = []
    cloud.world.answer = lambda request: asked.append(request) or Answer(fault="hanging")
    running = rig.start(cloud, "deploy", url=door.url(database, "nobody"))
    wait_until(lambda: asked, "the request")
    began = time.monotonic()
    running.signal(signal.SIGTERM)
    assert rig.end(cloud, running).code == 128 + signal.SIGTERM and time.monotonic() - began < 25


def test_a_standby_of_vault_sends_on_to_the_active_one(door, database, folder, rig, cloud, tmp_path):
    folder.add("001_t", "SELECT 1")
    active, standby = cloud("vault database"), cloud("vault database, token")
    standby.world.answer = lambda request: Answer(307, "", {"Location": active.world.url + request.path})
    user = door.let_in(database, "by_scram", password=active.password)
    rig(active, "deploy", url=door.url(database, user), environment={"VAULT_ADDR": standby.world.url}).succeeds()
    active.check()
    assert [request.path for request in standby.requests] == [request.path for request in active.requests]


def led(database, rig, cloud, url, until, *words):
    """A deployment that connects again and again because somebody leads, until `until()`."""
    with database.connect() as leader:
        leader.execute(LEADER)
        running = rig.start(cloud, *(words or ["deploy"]), url=url)
        wait_until(until, "the deployment to have come so far")
        arguments = pathlib.Path(f"/proc/{running.process.pid}/cmdline").read_text()
        cloud.hides_from(arguments)
    return rig.end(cloud, running)


@pytest.mark.parametrize("name", ["google", "azure machine", "azure federated", "aws-secret", "vault database", "vault kv, token"])
def test_a_password_is_kept_while_it_is_good(door, database, folder, rig, cloud, bearer, name):
    folder.add("001_t", "SELECT 1")
    cloud = cloud(name)
    user, url = bearer(lambda password: password == cloud.password)
    binds = door.directory.binds
    led(database, rig, cloud, url, lambda: len(binds.get(user, [])) >= 4).succeeds(applied=["001_t"])
    assert set(binds[user]) == {cloud.password}
    cloud.check()


@pytest.mark.parametrize("name", ["google", "azure machine", "azure federated", "vault database"])
def test_a_password_that_ages_is_asked_for_anew(door, database, folder, rig, cloud, bearer, name):
    folder.add("001_t", "SELECT 1")
    cloud = cloud(name)
    cloud.expires_in = 1
    cloud.give = lambda: cloud.secret("password")
    user, url = bearer(lambda password: password == cloud.secrets[-1])
    led(database, rig, cloud, url, lambda: len(set(door.directory.binds.get(user, []))) >= 2).succeeds(applied=["001_t"])


@pytest.mark.parametrize("name", ["google", "azure machine", "azure federated", "aws-secret", "vault kv"])
def test_a_password_that_was_good_and_is_refused_is_asked_for_anew(door, database, folder, rig, cloud, bearer, name):
    """As when it was rotated or withdrawn before its time."""
    folder.add("001_t", "SELECT 1")
    cloud = cloud(name)
    cloud.give = lambda: cloud.secret("password")
    good = []

    def judge(password):
        good.append(password)
        return password != good[0] or len(good) == 1

    user, url = bearer(judge)
    led(database, rig, cloud, url, lambda: len(good) >= 3).succeeds(applied=["001_t"])
    assert len(set(good)) == 2


@pytest.mark.parametrize("name", ["google", "aws-secret", "vault kv"])
def test_a_fresh_password_that_is_refused_is_the_end(door, database, folder, rig, cloud, bearer, name):
    folder.add("001_t", "SELECT 1")
    cloud = cloud(name)
    user, url = bearer(lambda password: False)
    rig(cloud, "deploy", url=url).fails(exit=2, says="authentication failed")
    assert door.directory.binds[user] == [cloud.password]
    cloud.check()


@pytest.mark.parametrize("words", ["status", "budget", "baseline", "wait", "run --share-connections -- true", "run --wait -- true"])
@pytest.mark.parametrize("name", ["google", "vault database"])
def test_every_command_asks(door, database, folder, rig, cloud, words, name):
    folder.add("001_t", "SELECT 1")
    cloud = cloud(name)
    url = door.url(database, door.let_in(database, "by_scram", password=cloud.password))
    if "wait" in words:
        rig(cloud, "deploy", url=url).succeeds()
        cloud.requests.clear()
    if words == "baseline":
        database.query("CREATE TABLE t ()")
    environment = {"DATABASE_URL": url} if "share" in words else {}
    rig(cloud, *words.split(), url=url, environment=environment).succeeds()
    cloud.check()


EXITS = {"refused": 2, "denied": 2, "redirected to itself": 2, "redirected to http": 2, "redirected to a file": 2}
# Vault's standby servers redirect: where to, can change.
VAULT_EXITS = EXITS | {"redirected to itself": 3, "redirected to http": 3, "redirected to a file": 3}
KINDS = ["google", "azure machine", "azure federated", "aws-secret", "web identity", "vault database"]


@pytest.mark.parametrize("fault", BAD_ANSWERS)
def test_a_service_that_is_of_no_use(database, folder, rig, cloud, tmp_path, fault):
    """Said with its name, in time, without secrets; what may heal is waited for until the deadline."""
    folder.add("001_t", "SELECT 1")
    url = database.url(sslmode="require")
    runs = []
    for name in KINDS:
        (tmp_path / name).mkdir()
        bad = cloud(name, tmp_path / name)
        bad.world.misbehave(fault)
        runs.append((bad, Rig(rig.tool, tmp_path / name).start(bad, "deploy", "--connect-deadline", "1s", url=url), time.monotonic()))
    for bad, running, began in runs:
        result = rig.end(bad, running)
        result.fails(exit=(VAULT_EXITS if bad.source == "vault" else EXITS).get(fault, 3), says=[bad.whom, f"--password-from {bad.source}"])
        assert time.monotonic() - began < 1 + 60
        assert result.code == 3 or "waiting" not in result.errors


@pytest.mark.parametrize("name", ["vault database", "vault kv, token"])
@pytest.mark.parametrize("where", ["another name", "another name without TLS", "the same host without TLS", "too often"])
def test_a_token_is_not_carried_elsewhere(database, folder, rig, cloud, authority, name, where):
    folder.add("001_t", "SELECT 1")
    cloud = cloud(name)
    elsewhere = World(certificate=None if "without" in where else str(authority.folder / "server"))
    try:
        base = cloud.world.url if where == "too often" else elsewhere.url if "same" in where else elsewhere.url.replace("127.0.0.1", "localhost")
        cloud.world.answer = lambda request: Answer(307, "", {"Location": base + request.path})
        rig(cloud, "deploy", "--connect-deadline", "0", url=database.url()).fails(exit=3, says=["Vault", "redirects"])
        assert not elsewhere.requests
        assert len(cloud.requests) == (3 if where == "too often" else 1)
    finally:
        elsewhere.close()


def test_a_redirect_to_the_same_host_over_https_is_followed(door, database, folder, rig, cloud, authority):
    """From an old address to the new one, with method and body."""
    folder.add("001_t", "SELECT 1")
    cloud = cloud("vault database")
    old = World(lambda request: Answer(307, "", {"Location": cloud.world.url + request.path}), str(authority.folder / "server"))
    try:
        user = door.let_in(database, "by_scram", password=cloud.password)
        rig(cloud, "deploy", url=door.url(database, user), environment={"VAULT_ADDR": old.url}).succeeds(applied=["001_t"])
        cloud.check()
    finally:
        old.close()


@pytest.mark.parametrize("fault", ["unavailable", "busy", "closed", "malformed"])
def test_a_service_that_is_away_for_a_moment(door, database, folder, rig, cloud, fault):
    """What is said of it is said once."""
    folder.add("001_t", "SELECT 1")
    cloud = cloud("google")
    good = cloud.world.answer
    cloud.world.answer = lambda request: good(request) if len(cloud.requests) >= 3 else BAD_ANSWERS[fault]("")
    user = door.let_in(database, "by_scram", password=cloud.password)
    result = rig(cloud, "deploy", url=door.url(database, user)).succeeds(applied=["001_t"])
    assert result.errors.count("waiting for the password from google") == 1 and len(cloud.requests) == 4


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{", b"{}", b"\xff\xfe", b"[" * 60000, b'{"access_token": 5, "SecretString": {}, "auth": [], "data": "x"}'], ids=lambda body: repr(body[:9])
)
def test_an_answer_that_says_nothing(database, folder, rig, cloud, tmp_path, body):
    folder.add("001_t", "SELECT 1")
    url = database.url(sslmode="require")
    runs = []
    for name in [*KINDS, "agent", "vault kv, token"]:
        (tmp_path / name).mkdir()
        bad = cloud(name, tmp_path / name)
        bad.world.answer = bad.metadata.answer = lambda request: Answer(200, body)
        runs.append((bad, Rig(rig.tool, tmp_path / name).start(bad, "deploy", "--connect-deadline", "0", url=url)))
    for bad, running in runs:
        result = rig.end(bad, running)
        assert result.code in (2, 3) and bad.source in result.errors, result.errors
        assert "is not JSON" in result.errors or "got no " in result.errors, result.errors


@pytest.mark.parametrize("name", ["google", "aws-secret as text", "vault kv"])
def test_an_empty_password_is_none(database, folder, rig, cloud, name):
    folder.add("001_t", "SELECT 1")
    cloud = cloud(name)
    cloud.give = lambda: ""
    rig(cloud, "deploy", url=database.url(sslmode="require")).fails(exit=2, says=f"got no password from {cloud.source}")


@pytest.mark.parametrize("padding", [0, 215, 230, 245])
def test_a_service_that_repeats_what_it_was_sent(database, folder, rig, cloud, tmp_path, padding):
    """Whole, or cut in the middle where a message ends."""
    folder.add("001_t", "SELECT 1")
    url = database.url(sslmode="require")
    runs = []
    for name in ["azure federated", "aws-secret", "agent", "web identity", "vault database", "vault kv, token"]:
        (tmp_path / name).mkdir()
        bad = cloud(name, tmp_path / name)

        def repeat(request, bad=bad):
            said = request.body.decode() + "".join(request.headers.values())
            at = min(said.find(secret) for secret in bad.secrets if secret in said)
            return Answer(400, "x" * padding + said[at:])

        bad.world.answer = bad.metadata.answer = repeat
        runs.append((bad, Rig(rig.tool, tmp_path / name).start(bad, "deploy", url=url)))
    for bad, running in runs:
        rig.end(bad, running).fails(exit=2, says=" answered 400: " + "x" * padding + "***")


@pytest.mark.parametrize(
    "name, change, words, says",
    [
        ("aws-secret", {}, {"--secret-name": None}, ["--secret-name"]),
        ("vault database", {}, {"--secret-name": None}, ["--secret-name", "database/creds/ROLE"]),
        ("aws-secret", {"AWS_REGION": ""}, {}, ["no AWS region", "AWS_REGION"]),
        ("aws-secret", {"AWS_SECRET_ACCESS_KEY": ""}, {}, ["no AWS credentials", "IRSA"]),
        ("web identity", {"AWS_ROLE_ARN": ""}, {}, ["AWS_ROLE_ARN"]),
        ("web identity", {"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere"}, {}, ["/nowhere", "reading AWS_WEB_IDENTITY_TOKEN_FILE"]),
        ("agent", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://192.0.2.1/v1"}, {}, ["without TLS"]),
        ("agent", {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nowhere"}, {}, ["/nowhere"]),
        ("azure federated", {"AZURE_TENANT_ID": ""}, {}, ["AZURE_TENANT_ID"]),
        ("azure federated", {"AZURE_FEDERATED_TOKEN_FILE": "/nowhere"}, {}, ["/nowhere", "reading AZURE_FEDERATED_TOKEN_FILE"]),
        ("vault database", {"VAULT_ADDR": ""}, {}, ["VAULT_ADDR"]),
        ("vault database", {}, {"--service-account": "/nowhere"}, ["/nowhere/token"]),
        ("vault database", {"VAULT_CACERT": "/nowhere"}, {}, ["/nowhere"]),
        ("vault kv, token", {"VAULT_TOKEN": ""}, {}, ["--vault-role", "VAULT_TOKEN"]),
        ("vault kv, token", {"VAULT_TOKEN": "not-the-token"}, {}, ["Vault answered 403", "permission denied"]),
        ("vault kv, token", {}, {"--secret-name": "secret/data/elsewhere"}, ["Vault answered 404"]),
    ],
    ids=str,
)
def test_what_is_not_set_up_is_said_at_once(database, folder, rig, cloud, name, change, words, says):
    folder.add("001_t", "SELECT 1")
    cloud = cloud(name)
    said = dict(zip(cloud.arguments[::2], cloud.arguments[1::2], strict=True)) | words
    cloud.arguments = [word for pair in said.items() for word in pair if pair[1]]
    result = rig(cloud, "deploy", url=database.url(sslmode="require"), environment=change)
    result.fails(exit=2, says=[*says, "getting the password"])


@pytest.mark.parametrize("name", ["azure federated", "aws-secret", "vault database"])
def test_a_service_that_nobody_vouches_for_is_told_nothing(database, folder, rig, cloud, name):
    folder.add("001_t", "SELECT 1")
    cloud = cloud(name)
    machine = {"VAULT_CACERT": "", "SSL_CERT_FILE": ""}
    result = rig(cloud, "deploy", "--connect-deadline", "0", url=database.url(sslmode="require"), environment=machine)
    result.fails(exit=3, says=[cloud.whom, "certificate"])
    assert not cloud.requests


@pytest.mark.parametrize("name", ["google", "azure machine", "agent"])
def test_metadata_is_never_asked_for_through_a_proxy(door, database, folder, rig, cloud, name):
    folder.add("001_t", "SELECT 1")
    proxy, cloud = cloud("google"), cloud(name)
    user = door.let_in(database, "by_directory")
    door.directory.judges[user] = lambda password: True
    rig(cloud, "status", url=door.url(database, user), environment={"http_proxy": proxy.world.url, "all_proxy": proxy.world.url}).succeeds()
    assert not proxy.requests


def test_a_token_of_vault_that_has_ended_is_replaced(door, database, folder, rig, cloud, bearer):
    folder.add("001_t", "SELECT 1")
    cloud = cloud("vault database")
    cloud.expires_in = 1

    def give():
        given, cloud.token = cloud.secret("password"), cloud.secret("token")
        return given

    cloud.give = give
    user, url = bearer(lambda password: True)
    led(database, rig, cloud, url, lambda: len(set(door.directory.binds.get(user, []))) >= 2).succeeds()
    paths = [request.path.rsplit("/", 1)[1] for request in cloud.requests]
    assert paths[:5] == ["login", "shop", "shop", "login", "shop"] and paths[-1] == "revoke-self"


def test_each_server_of_the_tenants_gets_a_token_of_its_own(door, servers, authority, database, folder, rig, cloud, tmp_path):
    """A token of RDS is for one server and one user, and opens no other."""
    folder.add("001_t", "CREATE TABLE t ()")
    cloud = cloud("variables")
    faults, lines = [], ["name,url"]
    with contextlib.ExitStack() as stack:
        other = Door(servers, authority)
        stack.callback(other.remove)
        elsewhere = Database(other.server, "elsewhere")

        def let_in(door, database, name):
            user = door.let_in(database, "by_directory")
            judge_tokens(door, user, cloud, faults)
            lines.append(f"{name},{door.url(database, user, sslmode='verify-full')}")

        let_in(door, database, "here")
        let_in(other, elsewhere, "there")
        (tmp_path / "tenants.csv").write_text("\n".join(lines) + "\n")
        rig(cloud, "deploy", "--tenants", tmp_path / "tenants.csv", "--parallel", 2).succeeds(says="2 tenants: 2 done")
        assert not faults and database.holds("t") and elsewhere.holds("t")
