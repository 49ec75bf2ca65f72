"""Every command of the official CLI answers here as on the genuine server, but for what the table below says."""

import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys

import pytest

from conftest import ROOT, Peers, serving

FOLDER = ROOT / "tests/parity/official_cli"
sys.path.append(str(FOLDER))
import compare  # noqa: E402  A folder of programs.
import main as commands  # noqa: E402

pytestmark = pytest.mark.peer

NOT_BUILT = "not_built"  # The file of the commands that wait for their feature.
# Lines that may differ: of which commands, which lines, and why.
EXPECTED: list[tuple[str, str, str]] = []


def answers_of(kind: str, peers: Peers, folder: pathlib.Path) -> compare.Answers:
    out = folder / f"{kind}.json"
    with serving(kind, peers, folder, *commands.SERVER_ARGUMENTS) as address:
        program = [sys.executable, str(FOLDER / "main.py"), address, "--cli", str(peers.temporal)]
        program += ["--worker-python", str(peers.python), "--without", NOT_BUILT, "--out", str(out)]
        done = subprocess.run(program, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
    answers: compare.Answers = json.loads(out.read_text())
    return answers


def unexpected(command: str, changed: list[str]) -> bool:
    patterns = [re.compile(line) for of, line, _ in EXPECTED if re.search(of, command)]
    lines = [line[1:] for line in changed if line[0] in "-+"]
    return not all(any(pattern.search(line) for pattern in patterns) for line in lines)


def test_every_command_answers_as_the_genuine_server_does(peers: Peers, tmp_path: pathlib.Path) -> None:
    with concurrent.futures.ThreadPoolExecutor() as pool:
        ours, genuine = pool.map(lambda kind: answers_of(kind, peers, tmp_path), ["embedded", "genuine"])

    assert len(genuine) > 800
    differing = [
        "\n".join([command, *changed])
        for command, changed in compare.differences(ours, genuine)
        if unexpected(command, changed)
    ]
    assert not differing, f"{len(differing)} of {len(genuine)} ('-' here, '+' there):\n" + "\n\n".join(differing)
