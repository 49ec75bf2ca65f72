"""Histories that C++ workers made, through the official Go SDK's replayer: their markers are the ones it reads."""

import pathlib
import subprocess

import pytest

HISTORIES = pathlib.Path(__file__).resolve().parents[2] / "replay/golden/histories/cpp"
pytestmark = [pytest.mark.peer, pytest.mark.timeout(60)]


def test_go_replays_what_cpp_made(peers):
    files = sorted(str(path) for path in HISTORIES.glob("*.json"))
    assert files

    done = subprocess.run([str(peers.go_replay), *files], capture_output=True, text=True, timeout=50)

    wrong = [line for line in done.stdout.splitlines() if line.startswith("WRONG")]
    assert not wrong, "\n".join(wrong)
    assert done.returncode == 0, done.stdout + done.stderr
