"""Names sort as JavaScript's localeCompare sorts them under the root locale, which is what Prisma's command line does."""

import itertools
import json
import pathlib
import random
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAIRS = 60_000

LATIN = [chr(point) for point in range(0x01, 0x180)]
ACCENTS = [chr(point) for point in range(0x300, 0x346)]
# What collides often: cases, joined letters, dots and strokes, signs that other tools sort otherwise.
LIKELY = "aAbBsSoOeEiIjJlLdDnNzZ0129_- .·ßæÆœſıłŀĳðđþ"

ASK_NODE = """
const pairs = JSON.parse(require("fs").readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(pairs.map(([one, other]) => Math.sign(one.localeCompare(other)))));
"""


def node_has_icu():
    if shutil.which("node") is None:
        return False
    version = subprocess.run(["node", "-p", "process.versions.icu"], capture_output=True, text=True)
    return version.stdout.strip() not in ("", "undefined")


pytestmark = pytest.mark.skipif(not node_has_icu(), reason="needs node with ICU")


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """prisma_order_driver.c, built from the sources as they are now."""
    program = tmp_path_factory.mktemp("order") / "order"
    sources = ["tests/integration/prisma_order_driver.c", "entrypoint/dialect/prisma_order.c", *(f"entrypoint/base/{name}.c" for name in ("text", "memory", "redact", "base64"))]
    subprocess.run(["cc", "-O1", "-std=c11", "-D_GNU_SOURCE", "-Ientrypoint", "-o", program, *sources], cwd=ROOT, check=True)

    def compare(pairs):
        names = "".join(name + "\0" for pair in pairs for name in pair)
        answer = subprocess.run([program], input=names.encode(), capture_output=True, check=True)
        return [int(line) for line in answer.stdout.split()]

    return compare


def theirs(pairs):
    """Node's answer; what weighs the same there is ordered by bytes here, so that the order is total."""
    environment = {"PATH": str(pathlib.Path(shutil.which("node")).parent), "LC_ALL": "C"}
    answer = subprocess.run(["node", "-e", ASK_NODE], input=json.dumps(pairs).encode(), env=environment, capture_output=True, check=True)

    def bytewise(one, other):
        return (one.encode() > other.encode()) - (one.encode() < other.encode())

    return [sign or bytewise(*pair) for sign, pair in zip(json.loads(answer.stdout), pairs, strict=True)]


def assert_alike(ours, pairs):
    answers = zip(pairs, ours(pairs), theirs(pairs), strict=True)
    wrong = [f"{pair!r}: {our}, should be {their}" for pair, our, their in answers if our != their]
    assert not wrong, f"{len(wrong)} of {len(pairs)} pairs, such as\n" + "\n".join(wrong[:20])


def random_character(source):
    """One of those that order.h calls certain: at most one accent of its own on each ASCII letter."""
    letter = source.choice(LIKELY) if source.random() < 0.6 else source.choice(LATIN)
    return letter + source.choice(ACCENTS) if letter.isascii() and source.random() < 0.15 else letter


def random_pair(source):
    """Two names, most often alike but for one character."""
    one = [random_character(source) for _ in range(source.randint(1, 6))]
    place = source.randrange(len(one))
    changes = {
        "other": [random_character(source) for _ in range(source.randint(1, 6))],
        "replaced": [*one[:place], random_character(source), *one[place + 1 :]],
        "inserted": [*one[:place], random_character(source), *one[place:]],
        "removed": [*one[:place], *one[place + 1 :]],
    }
    return "".join(one), "".join(source.choice(list(changes.values())))


def test_every_pair_of_characters_sorts_as_icu_sorts_it(ours):
    alphabet = [*LATIN, *("a" + accent for accent in ACCENTS)]
    assert_alike(ours, [(f"x{one}", f"x{other}") for one, other in itertools.product(alphabet, repeat=2)])


@pytest.mark.parametrize("seed", range(3))
def test_random_names_sort_as_icu_sorts_them(ours, seed):
    source = random.Random(seed)
    assert_alike(ours, [random_pair(source) for _ in range(PAIRS)])


def test_letters_outside_the_tables_sort_behind_latin(ours):
    pairs = [(latin, other) for latin in ("z", "Ž", "þ", "9", "~") for other in ("ж", "α", "א", "日", "한")]
    assert_alike(ours, pairs)
