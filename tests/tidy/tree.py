"""The files of this repository, as git lists them."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Data and taken-over material are not ours to style.
NOT_OURS = ("tests/replay/golden/", "bench/go/", "bench/workers/", "bench/report.py")


def tracked(*endings: str) -> list[str]:
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")
    return [n for n in names if n.endswith(endings) and not n.startswith(NOT_OURS) and (ROOT / n).is_file()]
