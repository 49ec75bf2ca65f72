"""`chimera worker` and `chimera server` as an operator meets them: what they say of bad input, and how they end."""

import os
import pathlib
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from chimera.client import Client

ROOT = pathlib.Path(__file__).resolve().parents[3]
CHIMERA = pathlib.Path(os.environ.get("CHIMERA_PROGRAM", ROOT / "build/release/chimera"))
SAMPLES = CHIMERA.parent / "samples"
ORDERS = SAMPLES / "liborders.so"
PATIENCE = 60

MODULE = """
from chimera import activity, workflow

@activity.defn
def shout(text: str) -> str:
    return text.upper()

@activity.defn(name="charge_card")
def charge_card_too(order) -> str:
    return "charged"

@workflow.defn
class Echo:
    @workflow.run
    async def run(self, text: str) -> str:
        return text
"""


class Program:
    """A process whose output is read while it runs."""

    def __init__(self, *command: str | pathlib.Path, cwd: pathlib.Path | None = None) -> None:
        self.process = subprocess.Popen(
            [str(word) for word in command],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.seen = ""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def until(self, pattern: str) -> re.Match[str]:
        """Waits for a line that matches."""
        while True:
            line = self.lines.get(timeout=PATIENCE)
            assert line is not None, f"ended without {pattern!r}:\n{self.seen}"
            self.seen += line
            if match := re.search(pattern, line):
                return match

    def end(self) -> tuple[int, str]:
        """Waits for the end; exit code and all output."""
        while (line := self.lines.get(timeout=PATIENCE)) is not None:
            self.seen += line
        return self.process.wait(PATIENCE), self.seen

    def stop(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGTERM)
        return self.end()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    if not ORDERS.exists():
        pytest.skip(f"{ORDERS} is not built")
    program = Program(CHIMERA, "server", "--port", "0")
    yield program.until(r"listening on (\S+:\d+)").group(1)
    assert program.stop()[0] == 0


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "shop.py").write_text(MODULE)
    (tmp_path / "broken.py").write_text("import nothing_of_this_name\n")
    return tmp_path


def worker(server: str, folder: pathlib.Path, *code: str | pathlib.Path) -> Program:
    words = ["worker", "--address", server, "--task-queue", "q", "--python", sys.executable, *code]
    return Program(CHIMERA, *words, cwd=folder)


def refusal(server: str, folder: pathlib.Path, *code: str | pathlib.Path) -> str:
    exit_code, said = worker(server, folder, *code).end()
    assert exit_code == 1, said
    assert "Traceback" not in said
    return said


def get(address: str, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=PATIENCE) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_library_that_is_not_there(server: str, folder: pathlib.Path):
    assert "cannot open the library ./libnone.so: No such file" in refusal(server, folder, "./libnone.so")
    assert "./libnone.so" in refusal(server, folder, "./libnone.so", "shop:shout")


def test_a_file_that_is_no_library(server: str, folder: pathlib.Path):
    (folder / "libtext.so").write_text("hello")

    assert "./libtext.so is not a shared library" in refusal(server, folder, "./libtext.so")


def test_a_library_that_is_not_chimeras(server: str, folder: pathlib.Path):
    shutil.copy(CHIMERA.parent / "lib/libchimera.so.0", folder / "libother.so")

    said = refusal(server, folder, "./libother.so")

    assert "./libother.so is not a Chimera library" in said
    assert "chimera_add_library" in said


def test_a_library_for_another_version(server: str, folder: pathlib.Path):
    note = b"Chimera\x00"
    (folder / "libold.so").write_bytes(ORDERS.read_bytes().replace(note + b"0.1\x00", note + b"9.9\x00"))

    said = refusal(server, folder, "./libold.so")

    assert re.search(r"libold\.so was built for chimera 9\.9, but this is chimera 0\.1; build it again", said)


def test_a_library_that_does_not_load(server: str, folder: pathlib.Path):
    (folder / "libcut.so").write_bytes(ORDERS.read_bytes().replace(b"libstdc++.so.6\x00", b"libnothere.s.6\x00"))

    said = refusal(server, folder, "./libcut.so")

    assert "cannot load ./libcut.so: libnothere.s.6: cannot open shared object file" in said


def test_one_name_in_two_libraries(server: str, folder: pathlib.Path):
    shutil.copy(ORDERS, folder / "libone.so")
    shutil.copy(ORDERS, folder / "libtwo.so")

    said = refusal(server, folder, "./libone.so", "./libtwo.so")

    assert re.search(r"\./libtwo\.so: the workflow 'Order' is registered twice, first by \./libone\.so", said)


def test_one_name_in_two_languages(server: str, folder: pathlib.Path):
    said = refusal(server, folder, ORDERS, "shop:charge_card_too")

    assert re.search(r"charge_card.* is registered twice in this worker: in Python and in C\+\+; rename one", said)


def test_a_module_that_raises_on_import(server: str, folder: pathlib.Path):
    said = refusal(server, folder, "broken:Workflow")

    assert "module broken could not be imported: ModuleNotFoundError: No module named 'nothing_of_this_name'" in said
    assert f"(at {folder / 'broken.py'}:1)" in said
    assert "module nowhere could not be imported" in refusal(server, folder, "nowhere:Workflow")


def test_a_name_that_is_not_in_the_module(server: str, folder: pathlib.Path):
    assert "module shop has no Ech" in refusal(server, folder, "shop:Ech")


def test_an_argument_that_is_neither(server: str, folder: pathlib.Path):
    assert "orders is neither a C++ library" in refusal(server, folder, "orders")


def test_a_port_in_use(server: str, folder: pathlib.Path):
    code, said = Program(CHIMERA, "server", "--port", server.rpartition(":")[2]).end()

    assert code == 1
    assert server.rpartition(":")[2] in said and "in use" in said


def test_a_database_that_is_none(folder: pathlib.Path):
    file = folder / "notes.txt"
    file.write_text("this is no database, only text that goes on for a while" * 100)

    code, said = Program(CHIMERA, "server", "--port", "0", "--db-filename", file).end()

    assert code == 1
    assert "notes.txt" in said
    assert file.read_text().startswith("this is no database")


def test_a_metrics_address_in_use(server: str, folder: pathlib.Path):
    said = refusal(server, folder, ORDERS, "--metrics-address", server)

    assert f"cannot serve metrics on {server}" in said


def test_sigterm_drains_a_cpp_program(server: str, folder: pathlib.Path):
    program = Program(SAMPLES / "hello", "worker", server)
    code, said = Program(SAMPLES / "hello", "Ann", server).end()
    assert (code, said) == (0, "Hello, Ann!\n")

    code, said = program.stop()

    assert code == 0, said


async def test_metrics_probes_and_sigterm_of_a_native_worker(server: str, folder: pathlib.Path):
    program = worker(server, folder, ORDERS, "--metrics-address", "127.0.0.1:0")
    address = "127.0.0.1:" + program.until(r"metrics on port (\d+)").group(1)
    program.until("polling q")

    assert get(address, "/readyz") == (200, "worker q: ok\n")
    assert get(address, "/livez")[0] == 200
    status, text = get(address, "/metrics")
    code, said = program.stop()

    assert status == 200
    assert 'temporal_worker_start{namespace="default",service_name="chimera",task_queue="q"} 1' in text
    assert code == 0, said


async def test_metrics_probes_and_sigterm_of_a_mixed_worker(server: str, folder: pathlib.Path):
    program = worker(server, folder, ORDERS, "shop:Echo,shout", "--metrics-address", "127.0.0.1:0")
    address = "127.0.0.1:" + program.until(r"metrics on port (\d+)").group(1)
    program.until("polling q")
    program.until("activity shout")
    client = await Client.connect(server)
    assert await client.execute_workflow("Echo", "hi", id="echo", task_queue="q") == "hi"

    assert get(address, "/readyz") == (200, "worker q: ok\n")
    status, text = get(address, "/metrics")
    code, said = program.stop()

    assert status == 200
    assert 'temporal_workflow_completed{namespace="default",service_name="chimera",' in text
    assert code == 0, said
