"""The official CLI asks our codec server, on each kind of server."""

import base64
import json
import pathlib
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from conftest import CHIMERA

pytestmark = pytest.mark.peer

SECONDS = 30


@pytest.fixture
def codec_server(tmp_path: pathlib.Path) -> Iterator[str]:
    keys = tmp_path / "keys"
    keys.write_text(f"2026={'ab' * 32}\n")
    server = subprocess.Popen([CHIMERA, "codec-server", "--address", "127.0.0.1:0", "--key-file", keys],
                              stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout
        found = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())
        assert found
        yield found[0]
    finally:
        server.terminate()
        assert server.wait(SECONDS) == 0


@pytest.mark.parametrize("suffix", ["", "/{namespace}"])
def test_the_cli_encrypts_and_reads_by_it(peers, address: str, codec_server: str, suffix: str):
    def temporal(*words: str) -> str:
        done = subprocess.run([peers.temporal, *words, "--address", address], capture_output=True, text=True,
                              timeout=SECONDS)
        assert done.returncode == 0, done.stderr
        return done.stdout

    by_codec = ["--codec-endpoint", codec_server + suffix]
    temporal("workflow", "start", "--type", "None", "--task-queue", "none", "-w", "secret", "--input", '"the word"',
             "--memo", 'note="the note"', *by_codec)

    def input_of(*words: str) -> dict[str, Any]:
        history = json.loads(temporal("workflow", "show", "-w", "secret", "-o", "json", *words))
        (payload,) = history["events"][0]["workflowExecutionStartedEventAttributes"]["input"]["payloads"]
        return payload

    assert "encryption-key-id" in input_of()["metadata"]
    assert base64.b64decode(input_of(*by_codec)["data"]) == b'"the word"'
    assert "the note" in temporal("workflow", "describe", "-w", "secret", *by_codec)
