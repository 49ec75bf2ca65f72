"""Our own Python as ruff sees it; pyproject.toml has the rules and says why one is left out."""

import subprocess
import sys

from tree import ROOT


def test_ruff():
    result = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--output-format", "concise"], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, "build/venv/bin/ruff check --fix mends some of it\n" + result.stdout + result.stderr
