"""Four official SDKs, worker and client, on our server, and on the genuine one, which judges the judges."""

import subprocess

import pytest

PROGRAM_SECONDS = 240
pytestmark = [pytest.mark.peer, pytest.mark.timeout(PROGRAM_SECONDS + 60)]


def judge(command: list[str], address: str, scenarios: int = 34) -> None:
    """Runs a program that prints a line per scenario, and shows the wrong ones."""
    try:
        done = subprocess.run([*command, "--address", address], capture_output=True, text=True, timeout=PROGRAM_SECONDS)
    except subprocess.TimeoutExpired as timeout:
        pytest.fail(f"no end within {PROGRAM_SECONDS} s; so far:\n{(timeout.stdout or b'').decode()}")
    verdicts = done.stdout.splitlines()
    wrong = [line for line in verdicts if line.startswith("WRONG")]
    assert not wrong, "\n".join(wrong)
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}{done.stderr}"
    # A program that judged nothing is not content.
    assert len([line for line in verdicts if line.startswith("ok")]) >= scenarios, done.stdout


def test_go_sdk_finds_every_scenario_right(address, peers):
    judge([str(peers.go)], address, 63)


def test_typescript_sdk_finds_every_scenario_right(address, peers):
    judge([str(peers.typescript)], address, 68)


def test_java_sdk_finds_every_scenario_right(address, peers):
    judge([str(peers.java)], address, 68)


def test_python_sdk_finds_every_scenario_right(address, peers):
    judge(peers.python_program(), address)
