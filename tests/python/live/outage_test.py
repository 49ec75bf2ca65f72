"""Local activities while their server is away: killed, and started again on the same port and file."""

import asyncio
import collections
import os
import pathlib
import socket
import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from live_support import BUILD, events, until, worker

from chimera import activity, workflow
from chimera.client import Client, WorkflowHandle
from chimera.worker import Replayer

CHIMERA = pathlib.Path(os.environ.get("CHIMERA_PROGRAM", BUILD / "chimera"))
SHORT = timedelta(seconds=1)  # The least that a task's timeout can be.
LONG = timedelta(seconds=30)  # Longer than the server is away.


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


class Server:
    """A server on a file, in a process of its own, with the same port in each of its lives."""

    def __init__(self, genuine: bool, folder: pathlib.Path) -> None:
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        program = [CHIMERA, "server"]
        more: list[Any] = []
        if genuine:
            program = [os.environ["CHIMERA_TEMPORAL_CLI"], "server", "start-dev"]
            more = ["--headless", "--ip", "127.0.0.1"]
        self.command = [*program, "--port", str(port), "--db-filename", folder / "db", "--log-level", "error", *more]
        self.process = subprocess.Popen(self.command)

    async def client(self) -> Client:
        async def connected() -> Client | None:
            try:
                client = await Client.connect(self.address)
                await client.count_workflows()  # The genuine one listens before its namespace is there.
            except Exception:
                return None
            return client

        client: Client = await until(connected)
        return client

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def start(self) -> None:
        self.process = subprocess.Popen(self.command)


@pytest.fixture(params=["embedded", pytest.param("genuine", marks=pytest.mark.peer)])
async def server(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> AsyncIterator[Server]:
    server = Server(request.param == "genuine", tmp_path)
    yield server
    server.kill()


class Work:
    """Local activities that go on until the test lets them end, however often they are begun."""

    def __init__(self) -> None:
        self.begun: collections.Counter[str] = collections.Counter()
        self.told_to_stop: collections.Counter[str] = collections.Counter()
        self.go_on = asyncio.Event()

    @activity.defn
    async def work(self, name: str) -> str:
        self.begun[name] += 1
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.told_to_stop[name] += 1
            raise
        return name.upper()


@workflow.defn
class Local:
    @workflow.run
    async def run(self, rounds: list[list[str]]) -> list[str]:
        done: list[str] = []
        for names in rounds:
            handles = [
                workflow.start_local_activity("work", each, start_to_close_timeout=timedelta(seconds=60))
                for each in names
            ]
            done += [await each for each in handles]
        return done


async def start(
    client: Client, name: str, queue: str, rounds: list[list[str]], task_timeout: timedelta
) -> WorkflowHandle[Any, Any]:
    return await client.start_workflow(Local.run, rounds, id=name, task_queue=queue, task_timeout=task_timeout)


async def beats(handle: WorkflowHandle[Any, Any]) -> int:
    return len(await events(handle, "workflow_task_completed"))


async def lost_tasks(handle: WorkflowHandle[Any, Any]) -> int:
    """How many tasks of this run were given out and not answered in time.

    Events tell of the first attempt of each; of further ones, only the number is there.
    """
    further = sum(max(0, each.attempt - 2) for each in await events(handle, "workflow_task_scheduled"))
    return further + len(await events(handle, "workflow_task_timed_out"))


async def replays(handle: WorkflowHandle[Any, Any]) -> None:
    await Replayer(workflows=[Local]).replay_workflow(await handle.fetch_history())


async def test_one_whose_tasks_time_out_meanwhile(server: Server, name: str):
    """Its heartbeat is late: the attempt that runs is told to stop, and the next task begins another."""
    client = await server.client()
    work = Work()
    async with worker(client, name, 1000, Local, work.work):
        handle = await start(client, name, name, [["a"]], SHORT)
        await until(lambda: beats(handle))
        server.kill()
        await asyncio.sleep(3 * SHORT.total_seconds())
        server.start()
        handle = (await server.client()).get_workflow_handle(name)
        before = await beats(handle)

        async def another() -> bool:
            only_one_runs = work.told_to_stop["a"] == work.begun["a"] - 1
            return only_one_runs and await beats(handle) > before

        await until(another)  # It outlives a task again.
        work.go_on.set()
        assert await asyncio.wait_for(handle.result(), 30) == ["A"]

    assert 2 <= work.begun["a"] <= 1 + await lost_tasks(handle)
    assert len(await events(handle, "marker_recorded")) == 1
    await replays(handle)


async def test_one_whose_task_does_not(server: Server, name: str):
    client = await server.client()
    work = Work()
    async with worker(client, name, 1000, Local, work.work):
        handle = await start(client, name, name, [["a"], ["b"]], LONG)
        await until(lambda: began(work, "a"))
        server.kill()
        work.go_on.set()  # What it did is told once the server is back.
        await until(lambda: began(work, "b"))
        server.start()
        handle = (await server.client()).get_workflow_handle(name)
        assert await asyncio.wait_for(handle.result(), 30) == ["A", "B"]

    assert work.begun == {"a": 1, "b": 1}
    assert await lost_tasks(handle) == 0
    await replays(handle)


async def began(work: Work, name: str) -> int:
    return work.begun[name]


@pytest.mark.parametrize("cache, task_timeout", [(1000, SHORT), (0, SHORT), (1000, LONG)])
async def test_hundreds(server: Server, name: str, cache: int, task_timeout: timedelta):
    """Some run, some wait for a slot and some end while the server is away, twice."""
    client = await server.client()
    work = Work()
    runs = {
        f"{name}-{run}": [[f"{run}.{turn}.{each}" for each in range(15)] for turn in range(2)] for run in range(10)
    }
    async with worker(client, name, cache, Local, work.work, max_concurrent_local_activities=100):
        for run, rounds in runs.items():
            await start(client, run, name, rounds, task_timeout)
        await until(lambda: many(work, 100))
        for _ in range(2):
            server.kill()
            work.go_on.set()
            await asyncio.sleep(SHORT.total_seconds() if task_timeout == SHORT else 0)
            server.start()
            client = await server.client()
            work.go_on.clear()
        work.go_on.set()
        for run, rounds in runs.items():
            result = await asyncio.wait_for(client.get_workflow_handle(run).result(), 60)
            assert result == [each.upper() for turn in rounds for each in turn]

    assert work.begun.keys() == {each for rounds in runs.values() for turn in rounds for each in turn}
    for run, rounds in runs.items():
        handle = client.get_workflow_handle(run)
        lost = await lost_tasks(handle)
        assert len(await events(handle, "marker_recorded")) == 30
        assert all(work.begun[each] <= 1 + lost for turn in rounds for each in turn)
        await replays(handle)


async def many(work: Work, number: int) -> bool:
    return work.begun.total() >= number
