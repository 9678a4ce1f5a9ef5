"""Many tenants, shared by the pods of an Indexed Job."""

from wait import wait_until

INDEX = "batch.kubernetes.io/job-completion-index"


def tenants_of(database, server, cluster):
    """Twelve databases: whichever part a name falls into, each of three has some. The slow migration is held in all."""
    for number in range(12):
        tenant = type(database)(server, cluster)
        server.query(f"ALTER DATABASE {tenant.name} RENAME TO {database.name}_{number}")
        tenant.name = f"{database.name}_{number}"
        tenant.hold()
        yield tenant


def by_index(namespace):
    """The uid of each part's newest pod, and its name."""
    pods = sorted(namespace.pods(), key=lambda pod: pod["metadata"]["creationTimestamp"])
    return {pod["metadata"]["annotations"][INDEX]: (pod["metadata"]["uid"], pod["metadata"]["name"]) for pod in pods}


def test_a_pod_killed_in_the_middle_is_replaced_and_nothing_is_done_twice(namespace, database, server, cluster):
    tenants = list(tenants_of(database, server, cluster))
    held = lambda: sum(len(tenant.is_held()) for tenant in tenants)  # noqa: E731
    namespace.deploy(namespace.values("slow", tenants={"databases": f"{database.name}_*", "pods": 3}, job={"mode": "job"}))
    wait_until(lambda: held() == 3, "each pod to be at a tenant", 120)
    before = by_index(namespace)
    assert set(before) == {"0", "1", "2"}

    namespace.kubectl("delete", "pod", before["1"][1], "--grace-period=0", "--force")
    wait_until(lambda: by_index(namespace).get("1", before["1"])[0] != before["1"][0], "another pod with its part", 120)
    for tenant in tenants:
        tenant.release()
    wait_until(lambda: namespace.job_condition("Complete"), "the Job to be complete", 180)
    after = by_index(namespace)
    assert after["0"] == before["0"] and after["2"] == before["2"], "the others went on"
    assert all(tenant.ledger() == {"20260101000000_guestbook": 1, "20260102000000_slow": 1} for tenant in tenants)
