"""The official SDKs' test environments on our program, in place of the official test and dev servers."""

import subprocess

import pytest

from conftest import CHIMERA, ROOT

pytestmark = [pytest.mark.peer, pytest.mark.timeout(180)]


@pytest.mark.parametrize("name", ["time_skipping", "own_clocks"])
def test_the_official_python_environment_skips_time(peers, name):
    program = ROOT / f"tests/parity/official_python/{name}.py"
    done = subprocess.run([peers.python, program, CHIMERA], capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("ok\n")


@pytest.mark.parametrize("name", ["go", "typescript", "java"])
def test_the_other_official_environments_run_on_it(peers, tmp_path, name):
    command = [peers.environments[name], CHIMERA, *([tmp_path] if name == "go" else [])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("ok\n")
