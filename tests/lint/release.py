"""The version and the places of a release are said in the Makefile; with --write every other file that names them is brought up to date.

What names them is found by its form: the name of an image or a chart, an address of a file of a release, the name of such a file.
"""

import pathlib
import re
import subprocess
import sys

sys.path.insert(0, "tests/integration")

from project import ABOUT, IMAGE, REGISTRY, VERSION  # noqa: E402

NUMBER = r"\d+\.\d+\.\d+"
CHART = "helm/tidelock/Chart.yaml"
EVERYWHERE = r"README\.md|\.github/SECURITY\.md|docker/.*|helm/.*"

# In which files, what, and what it must be.
RULES = [
    (CHART, r"(?m)^version: .*", f"version: {VERSION}"),
    (CHART, r"(?m)^appVersion: .*", f'appVersion: "{VERSION}"'),
    (CHART, r"(?m)^home: .*", f"home: {ABOUT['project']}"),
    (r"helm/tidelock/values\.yaml", r"(?m)^(  repository: ).*/tidelock$", rf"\g<1>{REGISTRY}/tidelock"),
    (r"helm/.*", rf"(- name: tidelock\n +version: ){NUMBER}", rf"\g<1>{VERSION}"),
    (EVERYWHERE, rf"\w[\w.-]*(:\d+)?(/[\w.-]+)*/tidelock:{NUMBER}", IMAGE),
    (EVERYWHERE, r"oci://[\w.:/-]+/charts", f"oci://{REGISTRY}/charts"),
    (EVERYWHERE, rf"(charts/tidelock --version ){NUMBER}", rf"\g<1>{VERSION}"),
    (EVERYWHERE, r"https://[\w.:/-]+/(?=SHA256SUMS|tidelock[-_]\d)", ABOUT["download"] + "/"),
    (EVERYWHERE, rf"(tidelock[-_]){NUMBER}", rf"\g<1>{VERSION}"),
    (EVERYWHERE, r"(?<=--certificate-identity )\S+", f"{ABOUT['project']}/.github/workflows/release.yaml@refs/tags/v{VERSION}"),
    (EVERYWHERE, rf"git clone --branch v{NUMBER} \S+", f"git clone --branch v{VERSION} {ABOUT['project']}"),
]


def brought_up_to_date(path, text, used):
    for rule in RULES:
        files, pattern, wanted = rule
        if re.fullmatch(files, path):
            text, count = re.subn(pattern, wanted, text)
            used |= {rule} if count else set()
    return text


def main():
    behind, used = [], set()
    tracked = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], check=True, capture_output=True, text=True).stdout.split("\n")
    for path in filter(re.compile(EVERYWHERE).fullmatch, tracked):
        text = pathlib.Path(path).read_text()
        fresh = brought_up_to_date(path, text, used)
        if fresh != text:
            behind.append(path)
            if "--write" in sys.argv:
                pathlib.Path(path).write_text(fresh)
    unused = [pattern for _, pattern, _ in RULES if not any(pattern == rule[1] for rule in used)]
    if unused:
        sys.exit(f"nothing looks like {unused[0]}")
    if not re.search(rf"(?m)^## {re.escape(VERSION)}\b", pathlib.Path(".github/NEWS.md").read_text()):
        sys.exit(f".github/NEWS.md says nothing of {VERSION}")
    if behind and "--write" not in sys.argv:
        sys.exit(f"behind the Makefile: {', '.join(behind)}: python3 tests/lint/release.py --write")


main()
