"""The official Web UI in Chromium: each page here shows what it must, with no error that the genuine server's has not.

Screenshots of both are in build/reports/webui, to be looked at side by side.
"""

import concurrent.futures
import contextlib
import json
import pathlib
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from conftest import ROOT, START_SECONDS, Peers, free_port, serving

FOLDER = ROOT / "tests/parity/webui"
SCREENSHOTS = ROOT / "build/reports/webui"
VISIT_SECONDS = 500
NOT_BUILT = ("/api/v1/nexus/", 501)  # Calls that begin so may answer so: docs/differences.md.
IDS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Seen = dict[str, dict[str, Any]]  # By the page's name, what visit.py wrote of it.

pytestmark = pytest.mark.peer


@contextlib.contextmanager
def filled(peers: Peers, address: str) -> Iterator[str]:
    """The runs that are there, as JSON, while their workers live."""
    program = subprocess.Popen([str(peers.python), str(FOLDER / "fill.py"), address], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert program.stdout is not None and program.stderr is not None
        runs = program.stdout.readline()
        assert runs, program.stderr.read()
        yield runs
    finally:
        program.communicate(timeout=START_SECONDS)


@contextlib.contextmanager
def shown(peers: Peers, address: str) -> Iterator[str]:
    """The URL of a Web UI for the server."""
    base = f"http://127.0.0.1:{free_port()}"
    program = subprocess.Popen([str(peers.webui), address, base.rpartition(":")[2]], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        wait_until_it_answers(program, base)
        yield base
    finally:
        program.kill()
        program.wait()


def wait_until_it_answers(program: subprocess.Popen, base: str) -> None:
    while True:
        with contextlib.suppress(OSError), urllib.request.urlopen(base + "/healthz", timeout=START_SECONDS):
            return
        assert program.poll() is None, f"the Web UI ended with {program.returncode}"


def seen_on(kind: str, peers: Peers, folder: pathlib.Path, server_arguments: list[str]) -> Seen:
    with (serving(kind, peers, folder, *server_arguments) as address, filled(peers, address) as runs,
          shown(peers, address) as base):
        program = [peers.python, FOLDER / "visit.py", base, runs, SCREENSHOTS / kind]
        done = subprocess.run([str(part) for part in program], capture_output=True, text=True, timeout=VISIT_SECONDS)
        assert done.returncode == 0, done.stderr
        seen: Seen = json.loads(done.stdout)
        return seen


def failed_calls(page: dict[str, Any]) -> set[tuple[str, str, int]]:
    return {(method, IDS.sub("ID", path), status) for method, path, status, _ in page["calls"]
            if status >= 400 and not (path.startswith(NOT_BUILT[0]) and status == NOT_BUILT[1])}


@pytest.mark.timeout(600)  # A hundred pages, on each of two servers at a time.
def test_every_page_is_as_on_the_genuine_server(peers: Peers, tmp_path: pathlib.Path) -> None:
    ask = [str(peers.python), "-c", "import fill; print(*fill.SERVER_ARGUMENTS)"]
    arguments = subprocess.run(ask, cwd=FOLDER, capture_output=True, text=True, check=True).stdout.split()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        ours, genuine = pool.map(lambda kind: seen_on(kind, peers, tmp_path, arguments), ["embedded", "genuine"])

    assert len(ours) > 80 and ours.keys() == genuine.keys()
    wrong = []
    for name, page in ours.items():
        wrong += [f"{name}: {text}" for text in page["missing"]]
        wrong += [f"{name}: {call} failed" for call in failed_calls(page) - failed_calls(genuine[name])]
        if all(call[2] < 400 for call in page["calls"]):  # The console has a line for each call that failed.
            wrong += [f"{name}: console: {text}" for text in page["console"]]
    assert not wrong, "\n".join(wrong)
