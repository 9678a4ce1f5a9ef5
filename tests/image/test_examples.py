"""What the repository shows to be copied: every Dockerfile is built, every manifest validated, compose is run."""

import json
import pathlib
import shutil
import socket
import subprocess
import urllib.request

import jsonschema
import pytest
from engine import ROOT, STAND_INS
from ruamel.yaml import YAML
from wait import wait_until

EXAMPLES = ROOT / "docker" / "examples"
MANIFESTS = sorted((EXAMPLES / "kubernetes").glob("*.yaml"))
TAKEN_OVER = sorted(EXAMPLES.glob("*/Dockerfile"))
SCHEMAS = json.loads((pathlib.Path(__file__).parent / "schemas" / "kubernetes-1.36.json").read_text())


def read(file):
    with file.open() as stream:
        return [json.loads(json.dumps(document)) for document in YAML(typ="safe").load_all(stream)]


def test_every_file_here_is_tried_by_a_test():
    tried = {*MANIFESTS, *(EXAMPLES / "ci").glob("*.yaml"), *(EXAMPLES / "node").glob("*.Dockerfile"), *TAKEN_OVER}
    found = {file for file in (ROOT / "docker").rglob("*") if file.suffix in (".yaml", ".yml", ".Dockerfile") or file.name == "Dockerfile"}
    assert found == tried | {ROOT / "docker" / name for name in ("Dockerfile", "compose.yaml", "nfpm.yaml")}


@pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: file.name)
def test_a_manifest_is_what_kubernetes_expects(file):
    for document in read(file):
        kind = {"$ref": SCHEMAS["kinds"][document["kind"]]}
        jsonschema.Draft7Validator({**kind, "definitions": SCHEMAS["definitions"]}).validate(document)


@pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: file.name)
def test_a_manifest_gives_its_pods_no_more_than_they_need(file):
    """The restricted Pod Security Standard."""
    for document in read(file):
        pod = document["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True and pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod.get("initContainers", []) + pod["containers"]:
            locked = container["securityContext"]
            assert locked["capabilities"] == {"drop": ["ALL"]} and not locked["allowPrivilegeEscalation"] and locked["readOnlyRootFilesystem"]


def test_the_job_ends_on_the_exit_codes_that_no_retry_helps(static):
    (job,) = read(EXAMPLES / "kubernetes" / "job.yaml")
    rule = job["spec"]["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"]
    tables = json.loads(subprocess.run([static, "manual", "--json"], check=True, capture_output=True, text=True).stdout)
    codes = {int(row["code"]): row["retry"] for row in tables["exits"] if row["code"].isdigit()}
    assert rule == sorted(code for code, helps in codes.items() if not helps and 1 < code < 126)


@pytest.mark.parametrize("file, schema", [("ci/github-actions.yaml", "github-workflows"), ("ci/gitlab-ci.yaml", "gitlab-ci"), ("../compose.yaml", "compose-spec")])
def test_a_workflow_is_what_its_service_expects(file, schema):
    tool = ROOT / "build/python/bin/check-jsonschema"
    done = subprocess.run([tool, "--builtin-schema", f"vendor.{schema}", EXAMPLES / file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", ["ci/github-actions.yaml", "ci/gitlab-ci.yaml"])
def test_the_commands_of_a_workflow_are_commands(file, static):
    """Each "/tidelock …" line is understood, up to the missing database."""
    lines = [line for line in (EXAMPLES / file).read_text().splitlines() if "/tidelock " in line and "script" not in line and "#" not in line]
    assert lines
    for line in lines:
        words = line.split("/tidelock ")[1].replace("app ", "").split()
        done = subprocess.run([static, *words], capture_output=True, text=True, env={})
        assert "no database is set" in done.stderr, (line, done.stderr)


def test_the_application_before(engine, base):
    npm = engine.build("no-npm", STAND_INS / "no-npm.Dockerfile", STAND_INS, DEBIAN=base)
    node = EXAMPLES / "node"
    engine.build("before", node / "before.Dockerfile", node, NODE=npm)


@pytest.mark.parametrize("file", TAKEN_OVER, ids=lambda file: file.parent.name)
def test_the_image_of_a_service_gets_its_migrations(engine, base, image, file):
    engine.build(file.parent.name, file, file.parent, SERVICE=base, TIDELOCK=image)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def composed(engine, image, postgres_image, node_image):
    """docker compose up: the URL of its web service, and what the services said."""
    port = free_port()
    compose = shutil.which("docker-compose")
    if not compose:
        pytest.skip("docker-compose is not installed")
    images = {"POSTGRES_IMAGE": postgres_image, "NODE_IMAGE": node_image, "TIDELOCK_IMAGE": image, "WEB_PORT": str(port)}
    words = [compose, "-p", engine.name, "-f", ROOT / "docker" / "compose.yaml"]

    def run(*more):
        return subprocess.run([*words, *more], env={**engine.environment, "COMPOSE_DOCKER_CLI_BUILD": "0", **images}, capture_output=True, text=True, stdin=subprocess.DEVNULL)

    up = run("up", "--build", "--detach")
    try:
        assert up.returncode == 0, up.stdout[-3000:] + up.stderr[-3000:]
        yield f"http://127.0.0.1:{port}", lambda: run("logs", "--no-color").stdout, lambda: run("ps").stdout
    finally:
        run("down", "--volumes", "--rmi", "local", "--timeout", "5")


def test_compose_starts_both_services_on_a_database_at_their_level(composed):
    url, logs, states = composed

    def visit(guest):
        try:
            with urllib.request.urlopen(f"{url}/{guest}", timeout=5) as answer:
                return json.load(answer)
        except OSError:
            return None

    guests = wait_until(lambda: visit("heron"), "the application to answer", 120)
    assert [guest["guest"] for guest in guests] == ["heron"] and guests[0]["seenAt"]
    said = wait_until(lambda: logs() if logs().count("the database holds all 2") + logs().count("applied 2 migrations in") >= 2 else None, "both services to be ready", 60)
    assert said.count("applied 2 migrations in") == 1, said
    wait_until(lambda: states().count("(healthy)") == 3, "every service to be healthy", 60)
