"""The Kubernetes Lease beside the leader lock: who may lead, and that nobody leads without it."""

import re
import signal

import pytest
from tool import wait_for_session
from wait import wait_until
from world import Answer

pytestmark = [pytest.mark.libraries, pytest.mark.usefixtures("database")]
SHORT = ["--lease-duration", "3s"]
# Holds a migration up until the test lets it go.
WAITING = "CREATE TABLE one (id int); DO $$ BEGIN WHILE NOT pg_try_advisory_xact_lock(42) LOOP PERFORM pg_sleep(0.02); END LOOP; END $$;"


@pytest.fixture
def gate(database):
    """While it is held, WAITING waits."""
    with database.connect() as held:
        held.execute("SELECT pg_advisory_lock(42)")
        yield held


def deploy(tidelock, pod, *words, **more):
    return tidelock("deploy", "--lease", "shop-db", *words, environment={**pod, **more})


def start(tidelock, pod, *words, **more):
    return tidelock.start("deploy", "--lease", "shop-db", *words, environment={**pod, **more})


def nobody_holds(api):
    return api.holder("shop-db") in ("", None)


def test_it_is_taken_renewed_and_given_back(api, pod, folder, tidelock, gate, database):
    folder.add("001_one", WAITING)
    running = start(tidelock, pod, *SHORT, POD_NAME="shop-7")
    wait_for_session(database, "advisory_xact_lock(42)")
    lease = api.leases["shop-db"]
    assert re.fullmatch(r"shop-7_[0-9a-f-]{36}", lease["spec"]["holderIdentity"])
    assert lease["spec"]["leaseDurationSeconds"] == 3
    first = lease["spec"]["renewTime"]
    wait_until(lambda: api.leases["shop-db"]["spec"]["renewTime"] != first, "a renewal")
    assert api.leases["shop-db"]["spec"]["acquireTime"] == lease["spec"]["acquireTime"]
    gate.execute("SELECT pg_advisory_unlock(42)")
    running.wait().succeeds(applied=["001_one"])
    spec = api.leases["shop-db"]["spec"]
    assert (spec["holderIdentity"], spec["leaseDurationSeconds"], spec["leaseTransitions"]) == ("", 1, 0)


def test_with_nothing_to_do_the_api_server_is_not_asked(api, pod, folder, tidelock):
    folder.add("001_one", "CREATE TABLE one (id int)")
    deploy(tidelock, pod).succeeds(applied=["001_one"])
    before = len(api.requests)
    deploy(tidelock, pod).succeeds(applied=[])
    assert len(api.requests) == before


def test_unknown_fields_of_the_lease_are_kept(api, pod, folder, tidelock):
    folder.add("001_one", "CREATE TABLE one (id int)")
    deploy(tidelock, pod).succeeds()
    api.leases["shop-db"]["metadata"]["labels"] = {"team": "a"}
    api.leases["shop-db"]["spec"]["strategy"] = "OldestEmulationVersion"
    folder.add("002_two", "CREATE TABLE two (id int)")
    deploy(tidelock, pod).succeeds(applied=["002_two"])
    assert api.leases["shop-db"]["metadata"]["labels"] == {"team": "a"}
    assert api.leases["shop-db"]["spec"]["strategy"] == "OldestEmulationVersion"
    assert api.leases["shop-db"]["spec"]["leaseTransitions"] == 1


def test_who_waits_for_the_lease_leaves_the_database_alone(api, pod, folder, tidelock, gate, database):
    folder.add("001_one", WAITING)
    leader = start(tidelock, pod, POD_NAME="leader")
    wait_for_session(database, "advisory_xact_lock(42)")
    follower = start(tidelock, pod, "--lease-duration", "3s", POD_NAME="follower")
    follower.wait_for_line("waiting for the leader", "held by leader_")
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'tidelock follower%%'"
    looks = len(api.requests)
    wait_until(lambda: len(api.requests) > looks + 6, "some looks of the follower")
    assert database.value(sessions) == 0
    gate.execute("SELECT pg_advisory_unlock(42)")
    leader.wait().succeeds(applied=["001_one"])
    follower.wait().succeeds(applied=[])
    assert len([holder for holder in api.history if holder]) == 1


def test_a_holder_that_is_gone_is_waited_for_as_long_as_its_lease_lasts(api, pod, folder, tidelock):
    folder.add("001_one", "CREATE TABLE one (id int)")
    deploy(tidelock, pod).succeeds()
    api.leases["shop-db"]["spec"].update(holderIdentity="gone", leaseDurationSeconds=4)
    folder.add("002_two", "CREATE TABLE two (id int)")
    result = deploy(tidelock, pod, *SHORT)
    result.succeeds(applied=["002_two"], says="held by gone")
    assert api.leases["shop-db"]["spec"]["leaseTransitions"] == 1


def test_a_holder_that_lives_is_waited_for_until_the_leader_timeout(api, pod, folder, tidelock):
    folder.add("001_one", "CREATE TABLE one (id int)")
    deploy(tidelock, pod).succeeds()
    api.leases["shop-db"]["spec"].update(holderIdentity="alive", leaseDurationSeconds=3600)
    folder.add("002_two", "CREATE TABLE two (id int)")
    result = deploy(tidelock, pod, *SHORT, "--leader-timeout", "1s")
    result.fails(exit=4, says=["held by alive", "Nothing was changed", "kubectl -n shop describe lease shop-db"])


@pytest.mark.parametrize("loss", ["taken", "deleted", "unreachable", "unauthorized"])
def test_a_lost_lease_rolls_back(api, pod, folder, tidelock, gate, database, loss):
    folder.add("001_one", WAITING)
    running = start(tidelock, pod, *SHORT)
    wait_for_session(database, "advisory_xact_lock(42)")
    if loss == "taken":
        api.take("shop-db", "other")
    elif loss == "deleted":
        api.delete("shop-db")
    elif loss == "unreachable":
        api.broken = Answer(fault="hanging")
    else:
        api.token = "another"
    running.wait().fails(exit=4, says=["Lease", "lost", "Nothing of 001_one"])
    assert not database.holds("one")
    assert not database.holds("_prisma_migrations") or not [row for row in database.ledger() if row.finished]
    if loss == "taken":
        assert api.holder("shop-db") == "other"


def test_what_can_t_be_cancelled_ends_and_nothing_follows(api, pod, folder, tidelock, database):
    """An index that is being built is not torn down: the leader lock still keeps others out."""
    folder.add("001_table", "CREATE TABLE one (id int)")
    deploy(tidelock, pod).succeeds()
    folder.add("002_steps", "CREATE INDEX CONCURRENTLY one_id ON one (id); CREATE TABLE two (id int);")
    with database.connect() as old:
        old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; INSERT INTO one VALUES (1)")
        running = start(tidelock, pod, *SHORT)
        wait_for_session(database, "CONCURRENTLY")
        api.take("shop-db", "other")
        running.wait_for_line("is lost", 'held by "other"')
        old.execute("COMMIT")
    running.wait().fails(exit=4, says=["was lost", "1 of 2 statements"])
    assert database.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'one_id'::regclass")
    assert not database.holds("two")
    api.delete("shop-db")
    deploy(tidelock, pod).succeeds(applied=["002_steps"])


def test_a_frozen_leader_writes_nothing_once_another_may_lead(api, pod, folder, tidelock, gate, database):
    folder.add("001_one", WAITING)
    frozen = start(tidelock, pod, *SHORT, POD_NAME="frozen")
    wait_for_session(database, "advisory_xact_lock(42)")
    frozen.signal(signal.SIGSTOP)
    other = start(tidelock, pod, *SHORT, POD_NAME="other")
    wait_until(lambda: api.holder("shop-db").startswith("other_"), "another to take the Lease")
    # The leader lock is the frozen one's session's as long as that lives.
    other.wait_for_line("waiting for the leader: pid", "tidelock frozen")
    assert not database.holds("one")
    frozen.signal(signal.SIGCONT)
    frozen.wait().fails(exit=4, says="lost")
    gate.execute("SELECT pg_advisory_unlock(42)")
    other.wait().succeeds(applied=["001_one"])


def test_a_token_that_changed_is_read_again(api, pod, folder, tidelock, gate, database, tmp_path):
    folder.add("001_one", WAITING)
    running = start(tidelock, pod, *SHORT)
    wait_for_session(database, "advisory_xact_lock(42)")
    (tmp_path / "serviceaccount" / "token").write_text("token-two")
    api.token = "token-two"
    first = api.leases["shop-db"]["spec"]["renewTime"]
    wait_until(lambda: api.leases["shop-db"]["spec"]["renewTime"] != first, "a renewal with the new token")
    gate.execute("SELECT pg_advisory_unlock(42)")
    running.wait().succeeds(applied=["001_one"])


def test_a_touched_lease_is_still_ours(api, pod, folder, tidelock, gate, database):
    """Another version of the object, the same holder: kubectl annotate."""
    folder.add("001_one", WAITING)
    running = start(tidelock, pod, *SHORT)
    wait_for_session(database, "advisory_xact_lock(42)")
    with api.lock:
        api.version += 1
        api.leases["shop-db"]["metadata"].update(resourceVersion=str(api.version), annotations={"note": "x"})
    first = api.leases["shop-db"]["spec"]["renewTime"]
    wait_until(lambda: api.leases["shop-db"]["spec"]["renewTime"] != first, "a renewal")
    gate.execute("SELECT pg_advisory_unlock(42)")
    running.wait().succeeds(applied=["001_one"])


def test_an_api_server_that_comes_late_is_waited_for(api, pod, folder, tidelock):
    folder.add("001_one", "CREATE TABLE one (id int)")
    api.broken = Answer(503, "starting")
    running = start(tidelock, pod, *SHORT)
    running.wait_for_line("waiting for the leader", "503")
    api.broken = None
    running.wait().succeeds(applied=["001_one"])


def test_a_role_that_is_not_allowed_to_is_told_what_it_needs(api, pod, folder, tidelock, database):
    folder.add("001_one", "CREATE TABLE one (id int)")
    api.denied = {"create leases"}
    deploy(tidelock, pod).fails(exit=2, says=["leases is forbidden", "create on leases"])
    assert not database.holds("one")


def test_outside_a_cluster_it_says_so(folder, tidelock, database):
    folder.add("001_one", "CREATE TABLE one (id int)")
    tidelock("deploy", "--lease", "shop-db").fails(exit=2, says="KUBERNETES_SERVICE_HOST")
    assert not database.holds("one")


@pytest.mark.parametrize("name", ["Shop", "a/b", "../pods", "a b"])
def test_a_name_that_is_none_is_refused(pod, folder, tidelock, name):
    folder.add("001_one", "CREATE TABLE one (id int)")
    tidelock("deploy", "--lease", name, environment=pod).fails(exit=2, says="is not a valid name for a Lease")


def test_sigterm_gives_it_back(api, pod, folder, tidelock, gate, database):
    folder.add("001_one", WAITING)
    running = start(tidelock, pod)
    wait_for_session(database, "advisory_xact_lock(42)")
    running.signal()
    running.wait().fails(exit=143)
    assert nobody_holds(api)


def test_ten_replicas_apply_once(api, pod, folder, tidelock, database):
    folder.add("000_counter", "CREATE TABLE counter (n int); INSERT INTO counter VALUES (0)")
    deploy(tidelock, pod).succeeds()
    folder.add("001_one", "UPDATE counter SET n = n + 1")
    folder.add("002_two", "UPDATE counter SET n = n + 10")
    runs = [start(tidelock, pod, *SHORT, POD_NAME=f"pod-{i}") for i in range(10)]
    for run in runs:
        run.wait().succeeds()
    assert database.value("SELECT n FROM counter") == 11
    assert nobody_holds(api)
