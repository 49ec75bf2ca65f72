"""Our own Python as ruff and mypy see it; pyproject.toml has the rules and says why one is left out."""

import os
import pathlib
import subprocess
import sys

from tree import ROOT, tracked

BUILD = ROOT / "build" / "mypy"
PROTO = pathlib.Path(os.environ.get("CHIMERA_PROTO_BUILD", ROOT / "build" / "proto"))


def run(*command: str | pathlib.Path, folder: pathlib.Path = ROOT) -> None:
    result = subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_ruff():
    """`build/venv/bin/ruff check --fix` mends some of what it finds."""
    run("-m", "ruff", "check", "--output-format", "concise")


def test_types_of_the_package():
    """Together with the generated messages, as users' type checkers see it."""
    package = BUILD / "chimera"
    run("bindings/python/stage.py", package, "sdk-python/chimera", PROTO / "python" / "chimera")
    run("-m", "mypy", "--config-file", ROOT / "pyproject.toml", "--cache-dir", "cache", "-p", "chimera", folder=BUILD)


def test_types_of_programs():
    programs = [p for p in tracked(".py") if p.startswith(("scripts/", "tests/tidy/", "proto/", "bindings/"))]
    ours = ("--python-version", "3.11", "--allow-untyped-defs")
    run("-m", "mypy", *ours, "--cache-dir", BUILD / "cache-programs", *programs)
