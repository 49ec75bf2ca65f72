"""The official SDKs' test environments on our program, in place of the official test server."""

import subprocess

import pytest

from conftest import CHIMERA, ROOT

pytestmark = [pytest.mark.peer, pytest.mark.timeout(180)]


def test_the_official_python_environment_skips_time(peers):
    program = ROOT / "tests/parity/official_python/time_skipping.py"
    done = subprocess.run([peers.python, program, CHIMERA], capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("ok\n")
