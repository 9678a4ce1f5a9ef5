"""A release of an application, as its operator sees it: installed, upgraded, failed, rolled back, interrupted."""

import signal
import subprocess

import helm as helms
import pytest
import yaml
from wait import wait_until

MAIL = "20260102000000_mail"

pytestmark = pytest.mark.parametrize("helm", helms.installed() or [None], indirect=True, ids=lambda major: f"helm{major}")


def serving(namespace):
    """{image: how many ready pods} of the application."""
    found = {}
    for pod in namespace.pods("web"):
        if any(condition["type"] == "Ready" and condition["status"] == "True" for condition in pod["status"].get("conditions", [])):
            image = pod["spec"]["containers"][0]["image"]
            found[image] = found.get(image, 0) + 1
    return found


def install(namespace, tag="1", replicas=1, **tidelock):
    return namespace.deploy(namespace.example_values(tag, replicas, **tidelock), "--wait", "--timeout", "3m", release="guestbook", chart=namespace.example)


def test_installed_and_upgraded_with_ten_pods(namespace, database):
    install(namespace, replicas=10)
    assert database.ledger() == {"20260101000000_guestbook": 1}
    assert serving(namespace) == {"guestbook:1": 10}
    assert namespace.job_condition("Complete")
    install(namespace, "2", replicas=10)
    assert database.ledger() == {"20260101000000_guestbook": 1, MAIL: 1}
    assert wait_until(lambda: serving(namespace) == {"guestbook:2": 10}, "the new pods alone")
    tested = namespace.helm.run("test", "guestbook", "--namespace", namespace.name, "--logs").stdout
    assert "Succeeded" in tested and "guestbook" in tested


def test_a_failing_migration_leaves_the_old_pods_and_the_reason(namespace, database):
    install(namespace, replicas=2)
    rollback = "--atomic" if namespace.helm.major == 3 else "--rollback-on-failure"
    values = namespace.example_values("broken", 2)
    failed = namespace.deploy(values, "--wait", rollback, "--timeout", "3m", release="guestbook", chart=namespace.example, check=False)
    assert failed.returncode != 0 and "pre-upgrade hooks failed" in failed.stderr, failed.stderr
    assert serving(namespace) == {"guestbook:1": 2}
    assert database.ledger() == {"20260101000000_guestbook": 1}
    assert not database.query("SELECT FROM information_schema.columns WHERE table_name = 'guest' AND column_name = 'mail'")
    (code, reason), *others = [word for word in namespace.last_words() if word[0] != 0]
    assert code == 6 and "division by zero" in reason and MAIL in reason and not others
    # The fixed image goes through without anybody's help.
    install(namespace, "2", replicas=2)
    assert database.ledger() == {"20260101000000_guestbook": 1, MAIL: 1}


def test_an_image_rolled_back_onto_a_newer_database(namespace, database):
    install(namespace)
    install(namespace, "2")
    namespace.helm.run("rollback", "guestbook", "1", "--namespace", namespace.name, "--wait", "--timeout", "3m")
    wait_until(lambda: serving(namespace) == {"guestbook:1": 1}, "the old image")
    install(namespace, "1")
    assert serving(namespace) == {"guestbook:1": 1}
    assert database.ledger() == {"20260101000000_guestbook": 1, MAIL: 1}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_helm_ends_in_the_middle(namespace, database, how):
    """The Job goes on; the next release waits for it, and nothing is applied twice."""
    install(namespace)
    database.hold()
    words = namespace.words("--timeout", "3m", release="guestbook", chart=namespace.example)
    running = namespace.helm.start(*words, stdin=subprocess.PIPE)
    running.stdin.write(yaml.safe_dump(namespace.example_values("slow")))
    running.stdin.close()
    wait_until(database.is_held, "the migration to run", 60)
    running.send_signal(how)
    running.stdout.read()
    running.wait(60)
    assert serving(namespace) == {"guestbook:1": 1} and database.is_held()
    if how == signal.SIGKILL:
        again = namespace.deploy(namespace.example_values("slow"), release="guestbook", chart=namespace.example, check=False)
        assert "another operation" in again.stderr, again.stderr
        namespace.helm.run("rollback", "guestbook", "1", "--namespace", namespace.name)
    database.release()
    install(namespace, "slow")
    assert database.ledger() == {"20260101000000_guestbook": 1, "20260102000000_slow": 1}
