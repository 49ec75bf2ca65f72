"""The official Python SDK's client and handler of Nexus operations without a workflow, on our program."""

import subprocess

import pytest

from conftest import CHIMERA, ROOT

pytestmark = [pytest.mark.peer, pytest.mark.timeout(180)]


def test_the_official_client_starts_nexus_operations(peers):
    program = ROOT / "tests/parity/official_python/nexus_operations.py"
    done = subprocess.run([peers.python, program, CHIMERA], capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("ok\n")
