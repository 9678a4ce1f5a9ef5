"""docker/examples/rename-column: a column is renamed in four deployments; old and new releases run side by side, and no request fails.

What is typed is what the example's README says.
"""

import pathlib
import re
import shlex
import shutil
import statistics

import pytest
from load import Load, Pod

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "docker/examples/rename-column"
FIRST, EXPAND, BACKFILL, REQUIRE, CONTRACT = [next(folder.glob("prisma/migrations/*")).name for folder in sorted(EXAMPLE.glob("release-*"))]
ROWS = 20000


def shown(command):
    """The words behind `tidelock COMMAND` in the README."""
    return shlex.split(re.search(rf"(?m)^tidelock {command}(.*)$", (EXAMPLE / "README.md").read_text())[1], comments=True)


@pytest.fixture
def image(tmp_path):
    """image(N): a folder as release N has it, what each release up to it has changed laid over each other."""

    def build(release):
        folder = tmp_path / f"image-{release}"
        if not folder.exists():
            for number in range(1, release + 1):
                shutil.copytree(EXAMPLE / f"release-{number}", folder, dirs_exist_ok=True)
        return folder

    return build


@pytest.fixture
def start(tidelock, image):
    """start(N): a pod of release N."""
    return lambda release: Pod(tidelock, image(release), release, shown("run"))


@pytest.fixture
def load():
    with Load() as load:
        yield load


def tell(load):
    """What each step did to the requests beside it; nothing is asserted of a machine's speed."""
    for step, took in load.took.items():
        p99 = sorted(took)[len(took) * 99 // 100]
        print(f"{step:32}{len(took):6} requests, in ms: median{statistics.median(took) * 1000:7.1f}, p99{p99 * 1000:7.1f}, longest{max(took) * 1000:7.1f}")


def roll(load, old, new, step, releases):
    """A rolling update: while the old one serves, the new one starts; both serve; then the new one does."""
    load.step = f"{step}: deploying"
    new.wait()
    load.go_on(1)
    load.step = f"{step}: {releases} side by side"
    load.serve(old, new)
    load.go_on(100)
    load.serve(new)
    load.step = f"{step}: alone"
    load.go_on(20)
    return new


def contract(database, load, start, oldest, pod):
    """Release 3 writes the old column, and is waited for; release 4 does not."""
    load.step = "contract: waiting for 3"
    new = start(5)
    new.running.wait_for_line("waiting until no session of a release older than 4 is left", "4 of release 3")
    load.go_on(20)
    assert database.applied() == [FIRST, EXPAND, BACKFILL, REQUIRE]
    oldest.stop()
    return roll(load, pod, new, "contract", "4 and 5")


def test_a_column_is_renamed_while_it_is_used(database, start, load):
    pod = start(1).wait()
    database.query("INSERT INTO parcel (recipient) SELECT 'parcel ' || i FROM generate_series(1, %s) AS i", ROWS)
    load.step = "before: alone"
    load.serve(pod)
    load.go_on(20)
    for release, step in [(2, "expand"), (3, "backfill"), (4, "require")]:
        old, pod = pod, roll(load, pod, start(release), step, f"{release - 1} and {release}")
        if release < 4:
            old.stop()
    assert database.value("SELECT count(*) FROM parcel WHERE recipient IS DISTINCT FROM addressee") == 0
    new = contract(database, load, start, old, pod)
    assert database.applied() == [FIRST, EXPAND, BACKFILL, REQUIRE, CONTRACT]
    start(3).running.wait().fails(exit=8, says=["release 3", CONTRACT])
    start(4).wait().stop()
    tell(load)
    assert load.failures == []
    for left in [pod, new]:
        left.stop()


def test_each_step_but_the_last_can_be_undone_while_it_is_used(database, start, load, tidelock, image):
    """From release 4 back to what was there before the first step, with the image of release 1."""
    new = start(4).wait()
    load.step = "going back: the images"
    load.serve(new)
    old = start(1).wait()
    load.serve(new, old)
    load.go_on(100)
    load.serve(old)
    new.stop()
    load.step = "going back: the schema"
    back = shown("rollback")
    tidelock("rollback", *back[:-2], cwd=image(4)).fails(exit=8, says=['drops column "parcel.addressee", which holds', "Nothing was changed."])
    tidelock("rollback", *back, cwd=image(4)).succeeds()
    load.go_on(20)
    assert database.applied() == [FIRST]
    tell(load)
    assert load.failures == []


def test_no_step_is_dangerous_and_each_but_the_last_has_an_inverse(tidelock, image, database):
    tidelock("plan", *shown("plan"), cwd=image(5)).succeeds(says=" 0 dangerous")
    says = "applied, undone and applied again, 4 migrations make the same schema; the others have no inverse"
    tidelock("verify", *shown("verify"), cwd=image(5)).succeeds(says=says)
