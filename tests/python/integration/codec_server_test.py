"""`chimera codec-server` as who asks it sees it: urllib here, the official CLI in the tests of parity."""

import json
import os
import pathlib
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from google.protobuf import json_format
from programs import CHIMERA, PATIENCE, Program

from chimera.api.common.v1 import Payload, Payloads
from chimera.contrib.encryption import AesGcmCodec

KEY = bytes(range(32))
UI = "http://localhost:8233"


def ask(endpoint: str, action: str, payloads: Payloads, **headers: str) -> Payloads:
    body = json_format.MessageToJson(payloads).encode()
    request = urllib.request.Request(f"{endpoint}/{action}", body, {"Content-Type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
        return json_format.Parse(reply.read(), Payloads())


@pytest.fixture
def key_file(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "keys"
    path.write_text(f"# ours\nnew={KEY.hex()}\nold={'o' * 32}\n")
    return path


@pytest.fixture
def endpoint(key_file: pathlib.Path) -> Iterator[str]:
    program = Program(CHIMERA, "codec-server", "--address", "127.0.0.1:0", "--key-file", key_file, "--origin", UI)
    yield program.until(r"codec server on (http://127\.0\.0\.1:\d+)")[1]
    code, said = program.stop()
    assert code == 0, said


async def test_what_a_codec_of_python_wrote_is_read(endpoint: str):
    plain = Payload(metadata={"encoding": b"json/plain"}, data=b'"Ann"')
    codec = AesGcmCodec("old", {"old": b"o" * 32, "new": KEY})

    encrypted = Payloads(payloads=await codec.encode([plain]))

    assert ask(endpoint, "decode", encrypted).payloads == [plain]
    assert ask(endpoint, "default/decode", encrypted, Origin=UI).payloads == [plain]
    (encoded,) = ask(endpoint, "encode", Payloads(payloads=[plain])).payloads
    assert encoded.metadata["encryption-key-id"] == b"new"
    assert await codec.decode([encoded]) == [plain]


def test_what_is_wrong_is_said(endpoint: str):
    foreign = Payload(metadata={"encoding": b"binary/encrypted", "encryption-key-id": b"none"}, data=b"x" * 40)
    with pytest.raises(urllib.error.HTTPError) as error:
        ask(endpoint, "decode", Payloads(payloads=[foreign]))
    assert error.value.code == 400 and "none" in error.value.read().decode()
    with pytest.raises(urllib.error.HTTPError) as error:
        ask(endpoint, "decode", Payloads(), Origin="http://elsewhere")
    assert error.value.code == 403


def refused(*words: str | pathlib.Path, keys: str | None = None) -> str:
    environment = {**os.environ, **({"CHIMERA_CODEC_KEYS": keys} if keys is not None else {})}
    done = subprocess.run([CHIMERA, "codec-server", "--address", "127.0.0.1:0", *words], env=environment,
                          capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode != 0 and done.stdout == ""
    return done.stderr


def test_keys_that_are_none_are_named_and_never_shown(tmp_path: pathlib.Path, key_file: pathlib.Path):
    assert "--key-file" in refused() and "CHIMERA_CODEC_KEYS" in refused()
    assert "cannot read" in refused("--key-file", tmp_path)
    assert "CHIMERA_CODEC_KEYS has no key" in refused(keys="\n# none\n")
    said = refused(keys="good=" + "a" * 32 + ",bad=secret")
    assert "CHIMERA_CODEC_KEYS, entry 2: key bad is no key of 32 bytes" in said and "secret" not in said
    assert "a second key k" in refused(keys="k=" + "a" * 32 + ",k=" + "b" * 32)
    assert "has no key other" in refused("--key-file", key_file, "--key-id", "other")
    assert "no origin" in refused("--key-file", key_file, "--origin", "localhost")


def test_keys_come_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CHIMERA_CODEC_KEYS", f"one={KEY.hex()}")
    program = Program(CHIMERA, "codec-server", "--address", "127.0.0.1:0")
    endpoint = program.until(r"codec server on (\S+)")[1]

    (encoded,) = ask(endpoint, "encode", Payloads(payloads=[Payload(data=b"x")])).payloads

    assert encoded.metadata["encryption-key-id"] == b"one"
    arguments = pathlib.Path(f"/proc/{program.process.pid}/cmdline").read_text()
    assert "codec-server" in arguments and KEY.hex() not in arguments
    assert program.stop()[0] == 0


def test_payloads_are_json_as_the_web_ui_reads_it(endpoint: str):
    body = b'{"payloads":[{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"IkFubiI="}]}'
    request = urllib.request.Request(f"{endpoint}/encode", body, {"Origin": UI, "X-Namespace": "default"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
        assert reply.headers["Access-Control-Allow-Origin"] == UI
        assert reply.headers["Content-Type"] == "application/json"
        (payload,) = json.load(reply)["payloads"]
    assert set(payload) == {"metadata", "data"}
