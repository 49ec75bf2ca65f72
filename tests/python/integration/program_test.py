"""`chimera worker` and `chimera server` as an operator meets them: what they say of bad input, and how they end."""

import contextlib
import ctypes
import pathlib
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from programs import CHIMERA, PATIENCE, Program

from chimera.api.enums.v1 import EventType
from chimera.api.workflowservice.v1 import StartWorkflowExecutionRequest
from chimera.client import Client, WorkflowHandle
from chimera.service import RPCError, RPCStatusCode

SAMPLES = CHIMERA.parent / "samples"
ORDERS = SAMPLES / "liborders.so"

MODULE = """
import asyncio, threading
from datetime import timedelta
from chimera import activity, workflow

@activity.defn
def shout(text: str) -> str:
    return text.upper()

@activity.defn(name="charge_card")
def charge_card_too(order) -> str:
    return "charged"

@activity.defn
async def nap() -> str:
    print("napping", flush=True)
    await asyncio.sleep(600)
    return "slept"

@activity.defn
async def short_nap() -> str:
    print("napping", flush=True)
    await asyncio.sleep(0.3)
    return "slept"

@activity.defn
def deaf_nap() -> str:
    print("napping", flush=True)
    while not threading.Event().wait(600):
        pass
    return "slept"

@workflow.defn
class Nap:
    @workflow.run
    async def run(self, kind: str) -> str:
        return await workflow.execute_activity(kind, start_to_close_timeout=timedelta(seconds=600))

@workflow.defn
class Echo:
    @workflow.run
    async def run(self, text: str) -> str:
        return text
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    if not ORDERS.exists():
        pytest.skip(f"{ORDERS} is not built")
    program = Program(CHIMERA, "server", "--port", "0")
    yield program.until(r"listening on (\S+:\d+)").group(1)
    assert program.stop()[0] == 0


class Gate(Program):
    """A proxy before the server that refuses calls: see gate.cc."""

    def __init__(self, server: str) -> None:
        super().__init__(CHIMERA.parent / "tests/gate", server)
        self.address = self.until(r"gate at (\S+)").group(1)

    def rule(self, line: str) -> None:
        self.tell(line)
        self.until(f"rule: {line}")

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.end()


@pytest.fixture
def gate(server: str) -> Iterator[Gate]:
    gate = Gate(server)
    yield gate
    gate.close()


# What each kind of worker is given to run, and how it begins its messages.
NATIVE, MIXED = (ORDERS,), (ORDERS, "shop:shout")
KINDS = pytest.mark.parametrize("code", [NATIVE, MIXED], ids=["native", "mixed"])


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "shop.py").write_text(MODULE)
    (tmp_path / "broken.py").write_text("import nothing_of_this_name\n")
    return tmp_path


def worker(server: str, folder: pathlib.Path, *code: str | pathlib.Path) -> Program:
    words = ["worker", "--address", server, "--task-queue", "q", "--python", sys.executable, *code]
    return Program(CHIMERA, *words, cwd=folder)


def refusal(server: str, folder: pathlib.Path, *code: str | pathlib.Path, exit_code: int = 1) -> str:
    ended, said = worker(server, folder, *code).end()
    assert ended == exit_code, said
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


def test_a_program_without_its_companion(server: str, folder: pathlib.Path):
    shutil.copy(CHIMERA, folder / "chimera")
    alone = subprocess.run(
        [folder / "chimera", "worker", "--address", server, "--task-queue", "q", ORDERS],
        capture_output=True, text=True, timeout=PATIENCE,
    )

    assert alone.returncode == 1
    assert f"cannot start {folder}/chimera-worker: No such file" in alone.stderr
    assert "it is installed beside chimera" in alone.stderr


def test_a_library_that_is_not_chimeras(server: str, folder: pathlib.Path):
    shutil.copy(CHIMERA.parent / "lib/libchimera.so", folder / "libother.so")

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
    assert re.search(r'File ".*broken\.py", line 1, in <module>\n +import nothing_of_this_name', said)
    assert "module nowhere could not be imported" in refusal(server, folder, "nowhere:Workflow")


def test_a_name_that_is_not_in_the_module(server: str, folder: pathlib.Path):
    assert "module shop has no Ech" in refusal(server, folder, "shop:Ech")


def test_an_argument_that_is_neither(server: str, folder: pathlib.Path):
    assert "orders is neither a C++ library" in refusal(server, folder, "orders")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def listening(serve: Callable[[socket.socket], object]) -> Iterator[str]:
    """A TCP server that hands each connection to `serve`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def test_a_server_that_is_not_there(folder: pathlib.Path):
    address = f"127.0.0.1:{free_port()}"

    programs = [worker(address, folder, *NATIVE), worker(address, folder, *MIXED)]

    for program in programs:
        code, said = program.end()
        assert code == 1
        assert f"cannot connect to Temporal at {address} (no TLS)" in said
        assert "Connection refused. Check that a server listens there" in said
        assert "Traceback" not in said


def test_a_host_that_does_not_resolve_and_one_that_never_answers(folder: pathlib.Path):
    held = []
    with listening(held.append) as silent:
        unknown = worker("no-such-host.invalid:7233", folder, *NATIVE)
        hung = worker(silent, folder, *NATIVE)

        assert "DNS resolution failed for no-such-host.invalid:7233" in unknown.end()[1]
        code, said = hung.end()

    assert code == 1
    assert f"cannot connect to Temporal at {silent}" in said
    assert "Check that a server listens there" in said


def test_a_grpc_server_that_never_answers(gate: Gate, folder: pathlib.Path):
    gate.rule("hang GetSystemInfo")

    said = refusal(gate.address, folder, *NATIVE)

    assert f"cannot connect to Temporal at {gate.address}" in said
    assert "DEADLINE_EXCEEDED" in said


@KINDS
def test_an_address_that_is_none(code: tuple, folder: pathlib.Path):
    assert 'target_host "localhost" has no host or no port; write HOST:PORT' in refusal("localhost", folder, *code)
    assert 'target_host "http://localhost:7233" has a scheme' in refusal("http://localhost:7233", folder, *code)
    assert "has no port between 1 and 65535" in refusal("localhost:99999", folder, *code)


@KINDS
def test_tls_to_a_server_without_it(code: tuple, server: str, folder: pathlib.Path):
    said = refusal(server, folder, "--tls", *code)

    assert f"cannot connect to Temporal at {server} (TLS)" in said
    assert "The TLS handshake failed. Check that the server speaks TLS at all" in said
    assert f"{server} (TLS, API key)" in refusal(server, folder, "--api-key", "secret", *code)


def certificate(folder: pathlib.Path) -> tuple[str, str]:
    """Files of a certificate for 127.0.0.1 that signs itself, and of its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    return str(cert), str(key)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
def test_a_server_that_wants_tls(folder: pathlib.Path):
    cert, key = certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    context.set_alpn_protocols(["h2"])

    def shake_hands(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as wrapped:
            wrapped.recv(100)

    with listening(shake_hands) as address:
        plain = worker(address, folder, *NATIVE)
        unknown_signer = refusal(address, folder, "--tls", *NATIVE)
        no_grpc = worker(address, folder, "--tls-ca-path", cert, *NATIVE)
        code, said = plain.end()
        assert no_grpc.end()[0] == 1

    assert code == 1
    assert "Check whether the server wants TLS" in said
    assert "certificate verify failed" in unknown_signer
    assert "server_root_ca_cert signed its certificate" in unknown_signer
    assert "handshake failed" not in no_grpc.seen


def test_tls_files_that_are_not_there(server: str, folder: pathlib.Path):
    said = refusal(server, folder, "--tls-ca-path", "nowhere.pem", *NATIVE)

    assert "--tls-ca-path: cannot read nowhere.pem; it must be a PEM file" in said


@KINDS
def test_a_namespace_that_is_not_there(code: tuple, server: str, folder: pathlib.Path):
    said = refusal(server, folder, "--namespace", "nowhere", *code)

    assert f"worker for task queue q cannot use namespace nowhere at {server}: NOT_FOUND" in said
    assert "nowhere is not found. Register the namespace, or name another." in said


@KINDS
def test_refused_credentials(code: tuple, gate: Gate, folder: pathlib.Path):
    gate.rule("16 GetSystemInfo no key, no entry")
    connecting = refusal(gate.address, folder, *code)
    gate.rule("7 DescribeNamespace Request unauthorized.")
    starting = refusal(gate.address, folder, *code)

    assert f"cannot connect to Temporal at {gate.address}" in connecting
    assert "UNAUTHENTICATED: no key, no entry. The server refused the credentials" in connecting
    assert f"worker for task queue q cannot use namespace default at {gate.address}: PERMISSION_DENIED" in starting
    assert "Request unauthorized. The server refused the credentials." in starting
    assert "give an API key" in starting


# In a worker's first minute its keys may still be on their way: it says so and goes on.
@KINDS
async def test_credentials_that_are_refused_for_a_while(code: tuple, gate: Gate, server: str, folder: pathlib.Path):
    gate.rule("16 Poll token expired")
    program = worker(gate.address, folder, *code)
    program.until(f"the server at {gate.address} refuses polls: UNAUTHENTICATED: token expired. Check the API key")

    gate.rule("open")
    client = await Client.connect(server)
    handle = await client.start_workflow("Nobody", id=f"refused-{len(code)}", task_queue="q")
    program.until("Failing workflow task")  # So it polls again.
    await handle.terminate()
    ended, said = program.stop()

    assert ended == 0, said


@pytest.mark.long
@KINDS
def test_credentials_that_expire(code: tuple, gate: Gate, folder: pathlib.Path):
    gate.rule("16 Poll token expired")

    ended, said = worker(gate.address, folder, *code).end()

    assert ended == 1
    last = said.splitlines()[-1]
    assert f"worker for task queue q cannot poll {gate.address}: UNAUTHENTICATED: token expired" in last
    assert last.endswith("Check the client certificate, or give an API key.")


def test_a_workflow_that_is_not_there(server: str):
    command = (CHIMERA, "workflow", "show", "--address", server)

    code, said = Program(*command, "no-order").end()

    assert code == 1
    assert f"cannot show workflow no-order of namespace default at {server}: workflow not found" in said
    assert "Check the id, the namespace and the address" in said
    assert "Namespace nowhere is not found." in Program(*command, "no-order", "--namespace", "nowhere").end()[1]
    assert "--run-id takes a UUID" in Program(*command, "no-order", "--run-id", "17").end()[1]
    assert Program(*command, "").end() == (2, "chimera: the workflow's id is empty\n")


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ((), "A subcommand is required"),
        (("serve",), "A subcommand is required"),
        (("worker",), "--task-queue is required"),
        (("worker", "--task-queue", "q"), "name what to run: C++ libraries"),
        (("worker", "--task-queue", "q", "--graceful-shutdown-timeout", "-1", "x.so"), "must not be negative"),
        (("server", "--port", "many"), "--port"),
        (("server", "--port", "-5"), "--port"),
        (("server", "--port", "65536"), "--port"),
    ],
)
def test_a_command_that_cannot_be_read(words: tuple[str, ...], answer: str):
    code, said = Program(CHIMERA, *words).end()

    assert code == 2
    assert answer in said


@KINDS
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_connecting_ends_the_worker_at_once(code: tuple, number: signal.Signals, folder: pathlib.Path):
    connected = threading.Event()
    with listening(lambda connection: (connected.set(), connection.recv(1), connection)) as silent:
        program = worker(silent, folder, *code)
        assert connected.wait(PATIENCE)

        program.process.send_signal(number)

        ended, said = program.end()

    assert ended == 128 + number, said
    assert f"{number.name}, ending at once" in said


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


def without_roots_privileges() -> None:
    """Root writes files that it may not; this program of root's may not."""
    pr_capbset_drop, cap_dac_override = 24, 1
    ctypes.CDLL(None).prctl(pr_capbset_drop, cap_dac_override, 0, 0, 0)


def refused_database(file: pathlib.Path) -> str:
    command = [CHIMERA, "server", "--port", "0", "--db-filename", file]
    done = subprocess.run(
        command, preexec_fn=without_roots_privileges, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 1, done
    assert str(file) in done.stderr
    return done.stderr


def test_a_database_file_that_is_read_only(folder: pathlib.Path):
    file = folder / "server.db"
    program = Program(CHIMERA, "server", "--port", "0", "--db-filename", file)
    program.until("listening on")
    assert program.stop()[0] == 0
    file.chmod(0o444)

    assert "is read-only. Give this user the permission to write it" in refused_database(file)


def test_a_database_in_a_folder_that_is_read_only(folder: pathlib.Path):
    (folder / "data").mkdir(mode=0o555)

    said = refused_database(folder / "data" / "server.db")

    assert "cannot be opened" in said and "Check the folder and its permissions." in said


async def test_a_limit_on_file_sizes(folder: pathlib.Path):
    program = Program(CHIMERA, "server", "--port", "0", "--db-filename", folder / "server.db")
    client = await Client.connect(program.until(r"listening on (\S+:\d+)").group(1))
    await client.start_workflow("Any", id="before", task_queue="q")
    before = resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    request = StartWorkflowExecutionRequest(namespace="default", workflow_id="in-vain")
    request.workflow_type.name = "Any"
    request.task_queue.name = "q"
    with pytest.raises(RPCError) as error:
        await client.workflow_service.start_workflow_execution(request, retry=False)
    program.until(r"ERROR server: the database file .* cannot be written .* the server goes on by itself then")
    resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE, before)
    program.until("is written again")
    await client.start_workflow("Any", id="after", task_queue="q")
    code, said = program.stop()

    assert error.value.status == RPCStatusCode.UNAVAILABLE
    assert "server.db cannot be written" in error.value.message
    assert code == 0, said


def test_dynamic_config(folder: pathlib.Path):
    server = [CHIMERA, "server", "--port", "0", "--dynamic-config-value"]
    code, said = Program(*server, "limit.historyCount.error=many").end()
    assert code == 1
    assert "limit.historyCount.error=many: give a whole number above 0" in said

    program = Program(*server, "frontend.unheardOf=1", "--dynamic-config-value", "limit.historyCount.error=100")
    program.until("WARN server: dynamic config frontend.unheardOf is unknown here and has no effect")
    program.until("listening on")
    assert program.stop()[0] == 0


def test_the_server_says_what_to_do_next():
    flags = ["--namespace", "team", "--ui-port", "8233", "--metrics-port", "9"]
    program = Program(CHIMERA, "server", "--port", "0", *flags)
    program.until("--ui-port has no effect: this server has no web UI of its own")
    program.until("--metrics-port has no effect")
    address = program.until(r"listening on (\S+:\d+)").group(1)
    program.until("namespaces: default, team")
    program.until(f"look: chimera show WORKFLOW_ID --address {address}")
    program.until(f"web UI: .*TEMPORAL_ADDRESS={address}")
    assert program.stop()[0] == 0

    program = Program(CHIMERA, "server", "start-dev", "--port", "0", "--headless", "--log-config")
    program.until('config {"ip":"127.0.0.1","port":0,')
    program.until("look: ")
    code, said = program.stop()
    assert code == 0
    assert "web UI" not in said


def test_a_port_alone_as_the_official_test_server_takes_it():
    program = Program(CHIMERA, "0")
    program.until("listening on")
    program.until("time: skips when a client unlocks it")
    assert program.stop()[0] == 0

    program = Program(CHIMERA, "0", "--enable-time-skipping")
    program.until("time: skips while nobody works")
    assert program.stop()[0] == 0


def test_the_servers_logs():
    server = [CHIMERA, "server", "--port", "0", "--dynamic-config-value", "frontend.unheardOf=1"]
    program = Program(*server, "--log-format", "json")
    program.until('"level":"WARN","logger":"server","msg":"dynamic config frontend.unheardOf is unknown')
    program.until("listening on")
    assert program.stop()[0] == 0

    program = Program(*server, "--log-level", "error")
    program.until("listening on")
    code, said = program.stop()
    assert code == 0
    assert "unheardOf" not in said

    code, said = Program(*server, "--log-level", "loud").end()
    assert code != 0
    assert "loud" in said


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


NAPS = "shop:Nap,nap,short_nap,deaf_nap"


async def napping(server: str, folder: pathlib.Path, kind: str, grace: str) -> tuple[Program, WorkflowHandle]:
    """A mixed worker that runs an activity, and the workflow that waits for it."""
    program = worker(server, folder, "--graceful-shutdown-timeout", grace, ORDERS, NAPS)
    program.until("polling q")
    client = await Client.connect(server)
    handle = await client.start_workflow("Nap", kind, id=f"{kind}-{grace}", task_queue="q")
    program.until("napping")
    return program, handle


async def test_an_activity_may_finish_after_sigterm(server: str, folder: pathlib.Path):
    program, handle = await napping(server, folder, "short_nap", "60")

    code, said = program.stop()

    assert code == 0, said
    assert "SIGTERM, finishing what is under way (again: end at once)" in said
    follower = worker(server, folder, ORDERS, NAPS)
    assert await handle.result() == "slept"
    assert "napping" not in follower.stop()[1]
    names = [event.event_type for event in (await handle.fetch_history()).events]
    assert EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT not in names


async def test_an_activity_is_cancelled_after_the_graceful_time(server: str, folder: pathlib.Path):
    program, handle = await napping(server, folder, "nap", "0.1")

    code, said = program.stop()

    assert code == 0, said
    follower = worker(server, folder, ORDERS, NAPS)
    follower.until("napping")  # The next attempt.
    await handle.terminate()
    assert follower.stop()[0] == 0


async def test_a_second_signal_ends_a_worker_that_waits(server: str, folder: pathlib.Path):
    program, handle = await napping(server, folder, "deaf_nap", "0")
    program.process.send_signal(signal.SIGTERM)
    program.until("finishing what is under way")

    code, said = program.stop()

    assert code == 128 + signal.SIGTERM
    assert "SIGTERM, ending at once" in said
    await handle.terminate()
