"""What a run tells the world: metrics to a Pushgateway, a webhook, Kubernetes Events. None of it can fail or hold up a deployment."""

import base64
import hashlib
import hmac
import json
import re
import subprocess
import time
import urllib.parse

import pytest
from project import VERSION
from servers import free_port
from tool import wait_for_session
from wait import wait_until
from world import BAD_ANSWERS, Answer, World

pytestmark = [pytest.mark.libraries, pytest.mark.usefixtures("database")]
PUSHGATEWAY = "build/pushgateway/usr/bin/prometheus-pushgateway"
PROMTOOL = "build/promtool/usr/bin/promtool"
# What one run may spend on its last words.
BUDGET = 5


@pytest.fixture
def receiver():
    world = World()
    yield world
    world.close()


@pytest.fixture
def safe_receiver(authority):
    world = World(certificate=str(authority.folder / "server"))
    yield world
    world.close()


def told(world):
    return [request.json["event"] for request in world.requests]


# ---- webhook ----


def test_what_was_applied_is_told(receiver, folder, tidelock, database):
    folder.add("001_one", "CREATE TABLE one (id int)")
    folder.add("002_two", "CREATE TABLE two (id int)")
    tidelock("deploy", "--webhook-on", "started,succeeded,failed", environment={"TIDELOCK_WEBHOOK": receiver.url + "/hook", "POD_NAME": "shop-1", "POD_NAMESPACE": "shop"}).succeeds()
    assert told(receiver) == ["started", "succeeded"]
    request = receiver.requests[1]
    assert (request.method, request.path, request.headers["Content-Type"]) == ("POST", "/hook", "application/json")
    assert request.headers["User-Agent"] == f"tidelock/{VERSION}"
    said = request.json
    assert said["text"].startswith("tidelock: applied 2 migrations in ") and database.name in said["text"]
    assert (said["applied"], said["pending"], said["exit_code"], said["migration"]) == (2, 0, 0, "002_two")
    assert (said["database"], said["pod"], said["namespace"]) == (database.name, "shop-1", "shop")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", said["time"]) and said["duration_ms"] >= 0
    (attachment,) = said["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["content"]["type"] == "AdaptiveCard" and attachment["content"]["body"][0]["text"] == said["text"]


def test_a_failure_is_told_with_what_the_database_holds_and_what_to_type(receiver, folder, tidelock):
    folder.add("001_one", "SELECT 1;\nSELECT 1/0;")
    tidelock("deploy", environment={"TIDELOCK_WEBHOOK": receiver.url}).fails(exit=6)
    assert told(receiver) == ["failed"]
    said = receiver.requests[0].json
    assert (said["exit_code"], said["sqlstate"], said["code"], said["migration"]) == (6, "22012", "P3018", "001_one")
    assert said["at"].endswith("001_one/migration.sql:2:1") and said["message"].endswith("division by zero")
    assert "Nothing of 001_one" in said["holds"] and "deploy again" in said["next"]
    assert said["holds"] in said["attachments"][0]["text"] and said["next"] in said["attachments"][0]["text"]


def test_nothing_to_do_is_nothing_to_tell(receiver, folder, tidelock):
    folder.add("001_one", "SELECT 1")
    tidelock("deploy").succeeds()
    tidelock("deploy", "--webhook-on", "started,blocked,succeeded,failed", environment={"TIDELOCK_WEBHOOK": receiver.url}).succeeds()
    assert receiver.requests == []


def test_only_what_was_asked_for_is_told(receiver, folder, tidelock):
    folder.add("001_one", "SELECT 1")
    tidelock("deploy", "--webhook-on", "failed", environment={"TIDELOCK_WEBHOOK": receiver.url}).succeeds()
    assert receiver.requests == []


def test_it_is_signed(receiver, folder, tidelock, tmp_path):
    folder.add("001_one", "SELECT 1")
    (tmp_path / "key").write_text("the-signing-key\n")
    (tmp_path / "hook").write_text(receiver.url + "/secret-path\n")
    environment = {"TIDELOCK_WEBHOOK_FILE": str(tmp_path / "hook"), "TIDELOCK_WEBHOOK_KEY_FILE": str(tmp_path / "key")}
    result = tidelock("deploy", "--log-level", "debug", environment=environment).succeeds()
    (request,) = receiver.requests
    expected = hmac.new(b"the-signing-key", request.body, hashlib.sha256).hexdigest()
    assert request.headers["X-Tidelock-Signature-256"] == f"sha256={expected}"
    assert "the-signing-key" not in result.errors and "secret-path" not in result.errors


def test_a_migration_that_is_blocked_for_long_is_told_once(receiver, api, pod, folder, tidelock, database):
    folder.add("001_one", "CREATE TABLE one (id int)")
    tidelock("deploy").succeeds()
    folder.add("002_two", "ALTER TABLE one ADD COLUMN b int")
    with database.connect() as reader:
        reader.execute("BEGIN; SELECT * FROM one")
        running = tidelock.start("deploy", "--events", environment={**pod, "TIDELOCK_WEBHOOK": receiver.url, "POD_NAME": "shop-1"})
        wait_until(lambda: receiver.requests and api.events, "the notice", 90)
        reader.execute("COMMIT")
    running.wait().succeeds(applied=["002_two"])
    assert told(receiver) == ["blocked", "succeeded"]
    assert "002_two is blocked" in receiver.requests[0].json["text"] and "pid" in receiver.requests[0].json["in_the_way"]
    assert [event["reason"] for event in api.events] == ["MigrationBlocked", "MigrationsApplied"]


def test_who_follows_says_nothing(receiver, folder, tidelock, database):
    folder.add("001_one", "SELECT 1")
    with database.connect() as other:
        other.execute("SELECT pg_advisory_lock(72707369)")
        tidelock("deploy", "--leader-timeout", "1s", environment={"TIDELOCK_WEBHOOK": receiver.url}).fails(exit=4)
    assert receiver.requests == []


def test_a_stop_by_signal_is_told_by_who_leads(receiver, folder, tidelock, database):
    folder.add("001_one", "SELECT pg_sleep(60)")
    running = tidelock.start("deploy", environment={"TIDELOCK_WEBHOOK": receiver.url})
    wait_for_session(database, "pg_sleep")
    running.signal()
    running.wait().fails(exit=143)
    assert told(receiver) == ["failed"] and receiver.requests[0].json["exit_code"] == 143


def test_who_is_stopped_gives_a_hanging_receiver_up_and_says_so(receiver, folder, tidelock, database):
    folder.add("001_one", "SELECT pg_sleep(60)")
    receiver.misbehave("hanging")
    running = tidelock.start("deploy", environment={"TIDELOCK_WEBHOOK": receiver.url})
    wait_for_session(database, "pg_sleep")
    running.signal()
    running.wait().fails(exit=143, says="could not notify the webhook: no answer came in time")


def test_the_application_is_not_started_before_the_termination_log_is_out(receiver, folder, tidelock):
    folder.add("001_one", "SELECT 1")
    result = tidelock("run", "--", "/bin/sh", "-c", "ls -l /proc/self/fd; env", environment={"TIDELOCK_WEBHOOK": receiver.url, "TIDELOCK_WEBHOOK_KEY": "abcdef"})
    result.succeeds()
    assert told(receiver) == ["succeeded"]
    assert "TIDELOCK" not in result.out and "socket:" not in result.out and "eventpoll" not in result.out


def test_https_is_verified(safe_receiver, authority, folder, tidelock):
    folder.add("001_one", "SELECT 1")
    environment = {"TIDELOCK_WEBHOOK": safe_receiver.url, "SSL_CERT_FILE": str(authority.folder / "ca.crt")}
    tidelock("deploy", environment=environment).succeeds()
    assert told(safe_receiver) == ["succeeded"]
    folder.add("002_two", "SELECT 2")
    other = dict(environment, SSL_CERT_FILE="/etc/ssl/certs/ca-certificates.crt")
    result = tidelock("deploy", environment=other).succeeds(applied=["002_two"])
    assert "could not notify the webhook" in result.errors and "certificate" in result.errors
    folder.add("003_three", "SELECT 3")
    result = tidelock("deploy", environment={"TIDELOCK_WEBHOOK": safe_receiver.url, "SSL_CERT_FILE": "/nonexistent"}).succeeds(applied=["003_three"])
    assert "could not notify the webhook" in result.errors and "/nonexistent" in result.errors
    assert len(safe_receiver.requests) == 1


def test_a_proxy_is_used_where_the_environment_names_one(receiver, folder, tidelock):
    folder.add("001_one", "SELECT 1")
    tidelock("deploy", environment={"TIDELOCK_WEBHOOK": "http://hooks.invalid/x", "http_proxy": receiver.url}).succeeds()
    assert [request.path for request in receiver.requests] == ["http://hooks.invalid/x"]


@pytest.mark.fault
@pytest.mark.parametrize(
    "proxy",
    [
        "http://puser:pr0xysecret@127.0.0.1:99999",
        "http://puser:pr0xysecret@127.0.0.1:1",
        "http://puser:pr0xysecret@no such host",
        "http://puser:pr0xy secret@127.0.0.1:x",
        "http://puser:pr0xy@sec:ret@127.0.0.1:1",
        "http://puser:pr0xy%20secret@",
        "foo://puser:pr0xysecret@127.0.0.1:1",
        "socks9://puser:pr0xysecret@127.0.0.1:1",
        "puser:pr0xysecret@127.0.0.1:1",
    ],
)
def test_the_password_of_a_proxy_is_never_shown(folder, tidelock, proxy):
    folder.add("001_one", "SELECT 1")
    environment = {"TIDELOCK_WEBHOOK": "https://127.0.0.2:9/h", "HTTPS_PROXY": proxy, "https_proxy": proxy, "TIDELOCK_LOG_LEVEL": "debug"}
    result = tidelock("deploy", environment=environment).succeeds()
    assert "could not notify the webhook" in result.errors
    assert "pr0xy" not in result.errors and "secret" not in result.errors, result.errors


@pytest.mark.fault
@pytest.mark.parametrize("path", ["/services/T000/B000/XXsecretXX", "/hook?token=XXsecretXX", "/XXsecretXX%2Fpart"])
@pytest.mark.parametrize("answer", ["Cannot POST {path}", "no hook XXsecretXX here", "XXsecretXX/part"])
def test_the_path_of_a_webhook_is_never_shown(receiver, folder, tidelock, path, answer):
    """It says who may call it; servers like to repeat it."""
    folder.add("001_one", "SELECT 1")
    receiver.answer = lambda request: Answer(404, answer.format(path=path))
    result = tidelock("deploy", environment={"TIDELOCK_WEBHOOK": receiver.url + path, "TIDELOCK_LOG_LEVEL": "debug"}).succeeds()
    assert "could not notify the webhook" in result.errors and "404" in result.errors
    assert "XXsecretXX" not in result.errors, result.errors


ECHOING = {
    "webhook": lambda url: {"TIDELOCK_WEBHOOK": url + "/x"},
    "pushgateway": lambda url: {"TIDELOCK_PUSHGATEWAY": url},
    "proxy": lambda url: {"TIDELOCK_WEBHOOK": "http://hooks.invalid/x", "http_proxy": url},
    "vault": lambda url: {"TIDELOCK_PASSWORD_FROM": "vault", "VAULT_ADDR": url, "VAULT_TOKEN": "t0ken", "TIDELOCK_SECRET_NAME": "database/creds/x"},
}


@pytest.mark.fault
@pytest.mark.parametrize("login", ["u:XXsecretXX", "u:XX%40secretXX", "XXsecretXX", ":XXsecretXX"])
@pytest.mark.parametrize("where", ECHOING)
def test_a_login_is_not_shown_as_its_header_has_it(receiver, folder, tidelock, where, login):
    """Servers like to repeat headers."""
    folder.add("001_one", "SELECT 1")
    receiver.answer = lambda request: Answer(404, "".join(f"{name}: {value};" for name, value in request.headers.items()))
    result = tidelock("deploy", environment={**ECHOING[where](receiver.url.replace("://", f"://{login}@")), "TIDELOCK_LOG_LEVEL": "debug"})
    headers = [request.headers.get("Proxy-Authorization" if where == "proxy" else "Authorization") for request in receiver.requests]
    assert headers and set(headers) == {"Basic " + base64.b64encode(urllib.parse.unquote(login if ":" in login else login + ":").encode()).decode()}
    assert "uthorization: Basic ***" in result.errors
    for part in ["secretXX", headers[0][6:].rstrip("=")]:
        assert part not in result.errors, result.errors


@pytest.mark.parametrize("url", ["ftp://x/y", "hooks.example.com", "https://", "file:///etc/passwd", "https://a b/"])
def test_what_is_no_web_address_is_refused(folder, tidelock, url):
    folder.add("001_one", "SELECT 1")
    tidelock("deploy", "--pushgateway", url).fails(exit=2, says="is not an https:// or http:// URL")


# ---- whatever the others do ----


FAULTS = list(BAD_ANSWERS)


@pytest.mark.parametrize("number", range(0, len(FAULTS), 2), ids=FAULTS[::2])
def test_bad_receivers_change_nothing(receiver, safe_receiver, api, pod, authority, folder, tidelock, database, number):
    """Three at once, each bad in another way, every way in turn."""
    folder.add("001_one", "CREATE TABLE one (id int)")
    webhook, pushgateway, events = [FAULTS[(number + i) % len(FAULTS)] for i in range(3)]
    receiver.misbehave(webhook)
    safe_receiver.misbehave(pushgateway)
    api.broken = BAD_ANSWERS[events](api.url)
    environment = {**pod, "POD_NAME": "shop-1", "TIDELOCK_WEBHOOK": receiver.url, "SSL_CERT_FILE": str(authority.folder / "ca.crt")}
    since = time.monotonic()
    result = tidelock("deploy", "--log-level", "debug", "--events", "--pushgateway", safe_receiver.url, environment=environment).succeeds(applied=["001_one"])
    # Their budget and what a busy machine takes; without one it would hang for ever.
    assert time.monotonic() - since < BUDGET + 60
    assert database.holds("one")
    # One warning each; none for Events that the role does not allow.
    warned = [line for line in result.errors.splitlines() if "warning" in line and "could not notify" in line]
    assert len(warned) == (2 if events == "denied" else 3), result.errors


def test_nobody_there_changes_nothing(folder, tidelock):
    folder.add("001_one", "SELECT 1")
    result = tidelock("deploy", "--pushgateway", f"http://127.0.0.1:{free_port()}", environment={"TIDELOCK_WEBHOOK": f"https://127.0.0.1:{free_port()}/x", "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt"})
    result.succeeds(applied=["001_one"])
    assert result.errors.count("could not notify") == 2


def test_one_that_comes_back_within_the_budget_is_told(receiver, folder, tidelock):
    folder.add("001_one", "SELECT 1")
    answers = [Answer(503), Answer(429), Answer(200)]
    receiver.answer = lambda request: answers.pop(0)
    result = tidelock("deploy", environment={"TIDELOCK_WEBHOOK": receiver.url}).succeeds()
    assert told(receiver) == ["succeeded"] * 3
    assert "could not notify" not in result.errors


# ---- Events ----


def test_events_tell_the_story_of_the_job(api, pod, folder, tidelock):
    folder.add("001_one", "SELECT 1")
    environment = {**pod, "POD_NAME": "shop-1", "POD_UID": "pod-uid", "JOB_NAME": "shop-migrate", "JOB_UID": "job-uid"}
    tidelock("deploy", "--events", environment=environment).succeeds()
    folder.add("002_two", "SELECT 1/0")
    tidelock("deploy", "--events", environment=environment).fails(exit=6)
    good, bad = api.events
    assert good["involvedObject"] == {"apiVersion": "batch/v1", "kind": "Job", "name": "shop-migrate", "namespace": "shop", "uid": "job-uid"}
    assert (good["type"], good["reason"]) == ("Normal", "MigrationsApplied")
    assert (bad["type"], bad["reason"]) == ("Warning", "MigrationFailed")
    assert "division by zero" in bad["message"] and "Nothing of 002_two" in bad["message"] and "Next: " in bad["message"]
    assert good["metadata"]["name"] != bad["metadata"]["name"]


def test_without_a_job_the_pod_is_told_of(api, pod, folder, tidelock):
    folder.add("001_one", "SELECT 1")
    tidelock("deploy", "--events", environment={**pod, "POD_NAME": "shop-1", "POD_UID": "pod-uid"}).succeeds()
    assert api.events[0]["involvedObject"] == {"apiVersion": "v1", "kind": "Pod", "name": "shop-1", "namespace": "shop", "uid": "pod-uid"}


def test_a_role_without_events_is_no_reason_to_warn(api, pod, folder, tidelock):
    folder.add("001_one", "SELECT 1")
    api.denied = {"create events"}
    result = tidelock("deploy", "--events", environment={**pod, "POD_NAME": "shop-1"}).succeeds()
    assert "Event" not in result.errors
    folder.add("002_two", "SELECT 1")
    result = tidelock("deploy", "--events", "--log-level", "debug", environment={**pod, "POD_NAME": "shop-1"}).succeeds()
    assert "events is forbidden" in result.errors


def test_outside_a_cluster_events_are_left_out(folder, tidelock):
    folder.add("001_one", "SELECT 1")
    result = tidelock("deploy", "--events").succeeds(applied=["001_one"])
    assert "continuing without Events" in result.errors


# ---- Pushgateway ----


@pytest.fixture
def pushgateway(tmp_path):
    import pathlib
    import urllib.request

    root = pathlib.Path(__file__).resolve().parents[2]
    if not (root / PUSHGATEWAY).exists():
        pytest.skip("the Pushgateway lock timeout")
    port = free_port()
    process = subprocess.Popen([root / PUSHGATEWAY, f"--web.listen-address=127.0.0.1:{port}"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def read():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            return answer.read().decode()

    def is_up():
        try:
            return read()
        except OSError:
            return None

    read.url = f"http://127.0.0.1:{port}"
    read.promtool = root / PROMTOOL
    try:
        wait_until(is_up, "the Pushgateway")
        yield read
    finally:
        process.kill()
        process.wait()


def test_a_real_pushgateway_shows_what_is_true(pushgateway, folder, tidelock):
    folder.add("001_one", "SELECT 1")
    words = ["--pushgateway", pushgateway.url + "/", "--pushgateway-labels", "app=shop,path=a/b,empty=,team=data & \u00e4"]
    tidelock("deploy", *words, environment={"POD_NAMESPACE": "shop"}).succeeds()
    shown = pushgateway()
    (phase,) = re.findall(r'^tidelock_phase\{(.*phase="complete".*)\} 1$', shown, re.M)
    for label in ['app="shop"', 'path="a/b"', 'team="data & \u00e4"', 'namespace="shop"', 'job="tidelock"']:
        assert label in phase, phase
    assert "push_failure_time_seconds" in shown and re.search(r"^tidelock_migrations_applied_total\{.*\} 1$", shown, re.M)
    if pushgateway.promtool.exists():
        checked = subprocess.run([pushgateway.promtool, "check", "metrics"], input="\n".join(line for line in shown.splitlines() if "tidelock_" in line) + "\n", text=True, capture_output=True)
        assert checked.returncode in (0, 3), checked.stderr + checked.stdout
        assert "error" not in checked.stderr, checked.stderr
    folder.add("002_two", "SELECT 1/0")
    tidelock("deploy", *words, environment={"POD_NAMESPACE": "shop"}).fails(exit=6)
    shown = pushgateway()
    assert re.search(r'^tidelock_phase\{.*phase="failed".*\} 1$', shown, re.M)
    assert len(re.findall(r"^push_time_seconds", shown, re.M)) == 1  # one group, replaced
    folder.replace("002_two", "SELECT 1")
    tidelock("deploy").succeeds()
    # Nothing is left to do; what was said of the failure is taken back all the same.
    tidelock("deploy", *words, environment={"POD_NAMESPACE": "shop"}).succeeds()
    assert re.search(r'^tidelock_phase\{.*phase="complete".*\} 1$', pushgateway(), re.M)


def test_each_phase_of_the_leader_is_pushed(receiver, folder, tidelock, database):
    folder.add("001_one", "CREATE TABLE one (id int)")
    tidelock("deploy").succeeds()
    folder.add("002_two", "ALTER TABLE one ADD COLUMN b int")
    with database.connect() as reader:
        reader.execute("BEGIN; SELECT * FROM one")
        running = tidelock.start("deploy", "--pushgateway", receiver.url)

        def phases():
            return {found for request in receiver.requests for found in re.findall(rb'^tidelock_phase\{phase="(\w+)",.*\} 1$', request.body, re.M)}

        wait_until(lambda: {b"applying", b"waiting_lock"} <= phases(), "both phases")
        reader.execute("COMMIT")
    running.wait().succeeds()
    assert phases() == {b"applying", b"waiting_lock", b"complete"}
    assert {(request.method, request.path) for request in receiver.requests} == {("PUT", "/metrics/job/tidelock")}


def test_a_password_in_its_url_is_used_and_not_shown(receiver, folder, tidelock):
    folder.add("001_one", "SELECT 1")
    url = receiver.url.replace("http://", "http://user:pa55word@")
    result = tidelock("deploy", "--log-level", "debug", "--pushgateway", url).succeeds()
    assert base64.b64decode(receiver.requests[0].headers["Authorization"].split()[1]) == b"user:pa55word"
    assert "pa55word" not in result.errors + result.out
    receiver.answer = lambda request: Answer(401, "who are you")
    folder.add("002_two", "SELECT 1")
    result = tidelock("deploy", "--log-level", "debug", "--pushgateway", url).succeeds()
    assert "401" in result.errors and "pa55word" not in result.errors


@pytest.mark.parametrize("labels", ["app", "=x", "a b=c", "__name__=x", "job="])
def test_labels_that_are_none_leave_it_out(receiver, folder, tidelock, labels):
    folder.add("001_one", "SELECT 1")
    result = tidelock("deploy", "--pushgateway", receiver.url, "--pushgateway-labels", labels).succeeds(applied=["001_one"])
    assert "continuing without the Pushgateway" in result.errors and receiver.requests == []


def test_the_json_is_json_whatever_a_server_says(receiver, folder, tidelock):
    folder.add("001_one", "DO $$ BEGIN RAISE EXCEPTION E'quote \" backslash \\\\ line\\nfeed \\u00e4 <!channel>'; END $$")
    tidelock("deploy", environment={"TIDELOCK_WEBHOOK": receiver.url}).fails(exit=6)
    said = json.loads(receiver.requests[0].body)
    assert 'quote "' in said["message"] and "<!channel>" in said["message"]
    # What people are shown calls nobody: Slack would read that as "everybody in this channel".
    assert "<!" not in said["text"] + said["attachments"][0]["text"]
