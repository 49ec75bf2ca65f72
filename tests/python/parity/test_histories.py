"""What the official SDKs' programs leave behind: each scenario's events, of our server and of the genuine one."""

import json
import subprocess

import pytest

from conftest import ROOT, serving

PROGRAM_SECONDS = 240
pytestmark = [pytest.mark.peer, pytest.mark.timeout(2 * PROGRAM_SECONDS + 60)]

# Scenario -> what of it is chance.
CHANCE = {
    "side_effects": ["MARKER_RECORDED"],  # It reads a clock.
    # The end may come before the first workflow task.
    "workflow_cancel": ["TIMER_"],
    "workflow_terminate": ["TIMER_"],
}


def left_behind(kind: str, program: list[str], peers, folder) -> dict[str, list[str]]:
    with serving(kind, peers, folder) as address:
        # What it finds is test_official's to judge.
        subprocess.run([*program, "--address", address], capture_output=True, timeout=PROGRAM_SECONDS)
        reader = ROOT / "tests/parity/official_python/histories.py"
        read = subprocess.run([peers.python, reader, "--address", address], check=True, capture_output=True, text=True)
    return json.loads(read.stdout)


def differences(ours: dict[str, list[str]], genuine: dict[str, list[str]]) -> list[str]:
    lines = []
    for scenario in sorted(ours.keys() | genuine.keys()):
        chance = next((kinds for name, kinds in CHANCE.items() if scenario.startswith(name)), [])
        here, there = set(ours.get(scenario, [])), set(genuine.get(scenario, []))
        for who, only in ("here", here - there), ("there", there - here):
            lines += [f"{scenario}: only {who}: {line}" for line in sorted(only) if not line.startswith(tuple(chance))]
    return lines


@pytest.mark.parametrize("sdk", ["python", "go"])
def test_the_events_are_the_genuine_servers(sdk, peers, tmp_path):
    program = peers.python_program() if sdk == "python" else [str(peers.go)]
    ours = left_behind("embedded", program, peers, tmp_path)
    genuine = left_behind("genuine", program, peers, tmp_path)

    assert len(genuine) >= 30
    assert not differences(ours, genuine), "\n".join(differences(ours, genuine))
