"""Nexus between the official Go SDK and workers of ours, in both roles, in all three languages."""

import asyncio
import contextlib
import pathlib
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest

from chimera.client import Client
from chimera.testing import WorkflowEnvironment
from chimera.worker import UnsandboxedWorkflowRunner, Worker

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "live"))
import nexus_mixed_test as mixed

pytestmark = [pytest.mark.peer, pytest.mark.timeout(120)]
CALLERS = {"C++": "NativeCaller", "Python": "PythonCaller"}


@contextlib.contextmanager
def go_worker(program: pathlib.Path, address: str, queue: str) -> Iterator[None]:
    """Serves the services of both other languages, and callers."""
    command = [str(program), "--address", address, "--serve", queue, "--services", "NativeDepot,PythonDepot"]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert worker.stdin and worker.stdout
    try:
        assert worker.stdout.readline() == "serving\n"
        yield
        worker.stdin.close()
        assert worker.wait(30) == 0
    finally:
        worker.kill()
        worker.wait()


@contextlib.asynccontextmanager
async def our_worker(client: Client, queue: str) -> AsyncIterator[None]:
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[mixed.PythonDelivery, mixed.PythonCaller],
        native=[mixed.LIBRARY],
        nexus_service_handlers=[mixed.PythonHandler()],
        nexus_task_executor=mixed.EXECUTOR,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with worker:
        yield


async def call(client: Client, queue: str, caller: str, *arguments: str) -> list[str]:
    handle = await client.start_workflow(
        caller, args=arguments, id=f"{caller}-{uuid.uuid4()}", task_queue=queue, result_type=str
    )
    return (await handle.result()).split("; ")


def check(seen: list[str], handler: str) -> None:
    assert seen[:2] == [f"{handler} packed 2 tea", f"{handler} arrived at home"]
    assert "packed" not in seen[2] and seen[3].startswith("refused: ")
    assert seen[4:] == ["Address: no such place", "cancelled"]


@pytest.fixture
def client_of(address, peers):
    """Connects, and makes the endpoints of the two task queues."""

    async def connected() -> Client:
        client = await Client.connect(address)
        env = WorkflowEnvironment.from_client(client)
        for queue in ("go", "ours"):
            await env.create_nexus_endpoint(f"{queue}-endpoint", queue)
        return client

    return connected


def test_go_is_called_from_cpp_and_python(address, peers, client_of):
    async def run() -> None:
        client = await client_of()
        with go_worker(peers.go, address, "go"):
            async with our_worker(client, "ours"):
                for caller in CALLERS.values():
                    check(await call(client, "ours", caller, "go-endpoint"), "Go")

    asyncio.run(run())


def test_go_calls_cpp_and_python(address, peers, client_of):
    async def run() -> None:
        client = await client_of()
        with go_worker(peers.go, address, "go"):
            async with our_worker(client, "ours"):
                for service, handler in (("NativeDepot", "C++"), ("PythonDepot", "Python")):
                    check(await call(client, "go", "GoCaller", "ours-endpoint", service), handler)

    asyncio.run(run())
