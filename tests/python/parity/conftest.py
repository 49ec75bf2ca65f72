"""Servers and peers for the tests in this folder: a fresh server of each kind, and what scripts/peers built."""

import contextlib
import os
import pathlib
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
CHIMERA = pathlib.Path(os.environ.get("CHIMERA_PROGRAM", ROOT / "build/release/chimera"))
START_SECONDS = 30
KINDS = ["embedded", "embedded-file", "genuine"]


class Peers:
    """The folder that scripts/peers filled."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.temporal = folder / "temporal"
        self.go = folder / "parity-go"
        self.go_replay = folder / "parity-go-replay"
        self.typescript = folder / "parity-typescript"
        self.java = folder / "parity-java"
        self.webui = folder / "webui"
        self.python = folder / "venv/bin/python"
        self.environments = {name: folder / f"parity-{name}-environments" for name in ("go", "typescript", "java")}
        programs = (self.temporal, self.go, self.go_replay, self.typescript, self.java, self.webui, self.python)
        programs += (*self.environments.values(),)
        missing = [str(p) for p in programs if not p.exists()]
        if missing:
            pytest.fail(f"not there: {', '.join(missing)}; run scripts/peers {folder}")

    def python_program(self) -> list[str]:
        return [str(self.python), str(ROOT / "tests/parity/official_python/main.py")]


@pytest.fixture(scope="session")
def peers() -> Peers:
    folder = os.environ.get("CHIMERA_PEERS")
    if not folder:
        pytest.skip("CHIMERA_PEERS names no folder; make one with scripts/peers FOLDER")
    return Peers(pathlib.Path(folder))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until_it_serves(server: subprocess.Popen, peers: Peers, address: str) -> None:
    """The default namespace answers: that is what clients need."""
    ask = [peers.temporal, "operator", "namespace", "describe", "default", "--address", address]
    end = time.monotonic() + START_SECONDS
    while (answer := subprocess.run(ask, capture_output=True, text=True, timeout=START_SECONDS)).returncode != 0:
        if server.poll() is not None:
            pytest.fail(f"the server ended with {server.returncode} before it served")
        if time.monotonic() > end:
            pytest.fail(f"no server at {address} within {START_SECONDS} s: {answer.stderr}")


@contextlib.contextmanager
def serving(kind: str, peers: Peers, folder: pathlib.Path, *arguments: str) -> Iterator[str]:
    """HOST:PORT of a server that nobody used before, with more arguments of start-dev."""
    port = free_port()
    program = peers.temporal if kind == "genuine" else CHIMERA
    command = [program, "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", port]
    command += ["--log-level", "error", *arguments]
    if kind == "embedded-file":
        command += ["--db-filename", folder / "server.db"]
    with open(folder / f"{kind}.log", "w+") as log:
        server = subprocess.Popen([str(part) for part in command], stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_until_it_serves(server, peers, f"127.0.0.1:{port}")
            yield f"127.0.0.1:{port}"
            log.seek(0)
            assert server.poll() is None, f"the server died with {server.returncode}: {log.read()}"
        finally:
            server.terminate()
            try:
                server.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
                if kind != "genuine":  # That may be busy for minutes with what it has been left.
                    pytest.fail("the server did not end on SIGTERM")


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest, peers: Peers, tmp_path: pathlib.Path) -> Iterator[str]:
    with serving(request.param, peers, tmp_path) as served:
        yield served
