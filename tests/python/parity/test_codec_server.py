"""The official CLI asks our codec server, on each kind of server."""

import json
import pathlib
import re
import subprocess
from collections.abc import Iterator

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

    show = ["workflow", "show", "-w", "secret", "-o", "json"]
    (kept,) = json.loads(temporal(*show))["events"][0]["workflowExecutionStartedEventAttributes"]["input"]["payloads"]
    assert "encryption-key-id" in kept["metadata"]
    (read,) = json.loads(temporal(*show, *by_codec))["events"][0]["workflowExecutionStartedEventAttributes"]["input"]
    assert read == "the word"
    assert "the note" in temporal("workflow", "describe", "-w", "secret", *by_codec)
