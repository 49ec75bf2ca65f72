"""docs/samples.md: its commands do what it says."""

import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from live_support import ROOT

from chimera.client import Client

DOCUMENT = ROOT / "docs/samples.md"
PROMPT = "    $ "
PATIENCE = 60


def blocks() -> list[list[str]]:
    """The indented blocks, as lines."""
    found = re.findall(r"^((?:    .*\n)+)", DOCUMENT.read_text(), re.M)
    return [block.rstrip("\n").split("\n") for block in found]


def commands(block: list[str]) -> list[tuple[str, str]]:
    """Each command, and what it prints."""
    told: list[tuple[str, str]] = []
    for line in block:
        if line.startswith(PROMPT):
            told.append((line.removeprefix(PROMPT), ""))
        else:
            command, output = told[-1]
            told[-1] = (command, output + line.removeprefix("    ") + "\n")
    return told


class Shell:
    """Runs commands in the repository's root, with this interpreter and a server of the test's."""

    def __init__(self, address: str, log: pathlib.Path) -> None:
        self.address = address
        self.log = log
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.other_port = free.getsockname()[1]
        self.workers: list[subprocess.Popen[bytes]] = []
        self.environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}

    def words(self, command: str) -> list[str]:
        others = f"127.0.0.1:{self.other_port}"
        words = [
            word.replace("localhost:7233", self.address).replace("localhost:8081", others)
            for word in shlex.split(command)
        ]
        if words[0] == "python":
            words[0] = sys.executable
        if words[:2] == ["build/release/chimera", "worker"]:
            words[2:2] = ["--python", sys.executable]
        return words

    def start(self, command: str) -> None:
        with self.log.open("ab") as log:
            self.workers.append(
                subprocess.Popen(self.words(command), cwd=ROOT, env=self.environment, stdout=log, stderr=log)
            )

    def run(self, command: str) -> str:
        done = subprocess.run(
            self.words(command), cwd=ROOT, env=self.environment, stdout=-1, stderr=-1, text=True, timeout=PATIENCE
        )
        assert done.stdout, f"{done.stderr}\n{self.log.read_text() if self.log.exists() else ''}"
        return done.stdout

    def stop(self) -> list[int]:
        """How they end. A Python program that does not look for the signal ends by it."""
        for each in self.workers:
            each.terminate()
        ends = [(each.wait(PATIENCE), each.args) for each in self.workers]
        unheard = -signal.SIGTERM
        return [0 if end == unheard and args[0] == sys.executable else end for end, args in ends]  # type: ignore[index]


@pytest.fixture
def shell(client: Client, tmp_path: pathlib.Path) -> Iterator[Shell]:
    shell = Shell(client.service_client.config.target_host, tmp_path / "log")
    yield shell
    assert set(shell.stop()) <= {0}, shell.log.read_text()


@pytest.mark.parametrize("block", [pytest.param(each, id=each[-2].split()[1]) for each in blocks()])
def test_commands(shell: Shell, block: list[str]):
    for command, output in commands(block):
        if command.endswith(" &"):
            shell.start(command.removesuffix(" &"))
        else:
            assert shell.run(command) == output


def test_every_sample_is_there():
    text = DOCUMENT.read_text()
    for language in ("cpp", "python", "mixed"):
        for folder in (ROOT / "samples" / language).iterdir():
            assert f"samples/{language}/{folder.name}" in text, folder


def test_there_are_commands():
    assert len(blocks()) == 22
