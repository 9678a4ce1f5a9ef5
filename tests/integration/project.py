"""What the Makefile says of this project: version, commit and date, and where its releases lie."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def _about():
    printed = subprocess.run(["make", "-s", "--no-print-directory", "about"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return dict(line.split("=", 1) for line in printed.splitlines())


ABOUT = _about()
VERSION = ABOUT["version"]
REGISTRY = ABOUT["registry"]
IMAGE = f"{REGISTRY}/tidelock:{VERSION}"
