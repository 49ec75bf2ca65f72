"""Programs that end while the core, a worker or workflow code is still at work: with their own status, and silently."""

import os
import pathlib
import re
import subprocess
import sys
import textwrap
from collections.abc import Sequence

import pytest

COMMON = """
import asyncio, concurrent.futures.thread, os, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from chimera import activity, workflow
from chimera.client import Client, WorkflowHistory
from chimera.testing import WorkflowEnvironment
from chimera.worker import Replayer, UnsandboxedWorkflowRunner, Worker

held = threading.Event()

@activity.defn
async def nap() -> None:
    held.set()
    await asyncio.sleep(600)

@activity.defn(name="nap_in_thread")
def nap_in_thread() -> None:
    held.set()
    while not concurrent.futures.thread._shutdown:  # Python waits for an executor's threads.
        time.sleep(0.01)

@workflow.defn
class Hello:
    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(0.001)
        return "hello"

@workflow.defn
class Napping:
    @workflow.run
    async def run(self, name: str) -> None:
        await workflow.execute_activity(name, start_to_close_timeout=timedelta(seconds=600))

@workflow.defn
class Spinning:
    @workflow.run
    async def run(self) -> None:
        held.set()
        while True:
            sum(range(100))

@workflow.defn
class Blocking:
    @workflow.run
    async def run(self) -> None:
        held.set()
        time.sleep(600)

CLASSES = [Hello, Napping, Spinning, Blocking]

def worker_of(client):
    runner = UnsandboxedWorkflowRunner()
    return Worker(client, task_queue="q", workflows=CLASSES, activities=[nap, nap_in_thread], workflow_runner=runner,
                  activity_executor=ThreadPoolExecutor(2))

async def running(start):
    # A worker that is left running, and what `start` does with its client.
    env = await WorkflowEnvironment.start_local()
    worker = worker_of(env.client)
    asyncio.ensure_future(worker.run())
    await start(env.client)
    await asyncio.to_thread(held.wait)
    return env, worker

def leave(coroutine):
    # Without asyncio.run, which would cancel the worker: the loop stops where it is.
    loop = asyncio.new_event_loop()
    kept = loop.run_until_complete(coroutine)
    return loop, kept
"""

PROGRAMS = {
    # The history comes first, by a program that is no case.
    "replays": """
        async def main():
            history = WorkflowHistory.from_json("w", open(sys.argv[1]).read())
            for _ in range(3):
                await Replayer(workflows=[Hello], workflow_runner=UnsandboxedWorkflowRunner()).replay_workflow(history)
        asyncio.run(main())
        """,
    "a replay that was cancelled": """
        async def main():
            history = WorkflowHistory.from_json("w", open(sys.argv[1]).read())
            replaying = asyncio.ensure_future(Replayer(workflows=[Hello]).replay_workflow(history))
            await asyncio.sleep(0)
            replaying.cancel()
        leave(main())
        """,
    "a worker that ran": """
        async def main():
            async with await WorkflowEnvironment.start_local() as env:
                async with worker_of(env.client):
                    await env.client.execute_workflow(Hello.run, id="w", task_queue="q")
        asyncio.run(main())
        """,
    "a running worker": """
        async def start(client):
            await client.execute_workflow(Hello.run, id="w", task_queue="q")
            held.set()
        kept = leave(running(start))
        """,
    "a running worker that nobody holds": """
        async def start(client):
            await client.execute_workflow(Hello.run, id="w", task_queue="q")
            held.set()
        kept = leave(running(start))[1][0]
        """,
    "an activity on the loop": """
        async def start(client):
            await client.start_workflow(Napping.run, "nap", id="w", task_queue="q")
        kept = leave(running(start))
        """,
    "an activity in a thread": """
        async def start(client):
            await client.start_workflow(Napping.run, "nap_in_thread", id="w", task_queue="q")
        kept = leave(running(start))
        """,
    "a workflow that spins": """
        async def start(client):
            await client.start_workflow(Spinning.run, id="w", task_queue="q")
        kept = leave(running(start))
        """,
    "a workflow that blocks": """
        async def start(client):
            await client.start_workflow(Blocking.run, id="w", task_queue="q")
        kept = leave(running(start))
        """,
    "a loop in a daemon thread": """
        async def start(client):
            await client.start_workflow(Napping.run, "nap", id="w", task_queue="q")
        async def main():
            kept = await running(start)
            ready.set()
            for i in range(10_000_000):
                await kept[0].client.execute_workflow(Hello.run, id=f"w{i}", task_queue="q")
        ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(main()), daemon=True).start()
        ready.wait()
        """,
    "sys.exit in a callback": """
        async def main():
            async with await WorkflowEnvironment.start_local() as env:
                async with worker_of(env.client):
                    await env.client.execute_workflow(Hello.run, id="w", task_queue="q")
                    asyncio.get_running_loop().call_soon(sys.exit, 0)
                    await asyncio.sleep(600)
        asyncio.run(main())
        """,
    "sys.exit in a callback of a bare loop": """
        async def start(client):
            asyncio.get_running_loop().call_later(0.01, sys.exit, 0)
            await client.execute_workflow(Hello.run, id="w", task_queue="q")
        leave(running(start))
        """,
    "forked children": """
        async def start(client):
            await client.execute_workflow(Hello.run, id="w", task_queue="q")
            held.set()
        kept = leave(running(start))
        children = []
        for end in (sys.exit, lambda _: None):
            child = os.fork()
            if child == 0:
                del kept  # Its objects die in the child, too.
                children = []
                end(0)
                break
            children.append(child)
        for child in children:
            assert os.waitpid(child, 0)[1] == 0, "a child failed"
        """,
    "a multiprocessing child": """
        import multiprocessing
        async def start(client):
            await client.execute_workflow(Hello.run, id="w", task_queue="q")
            held.set()
        kept = leave(running(start))
        child = multiprocessing.get_context("fork").Process(target=time.time)
        child.start()
        child.join()
        assert child.exitcode == 0, child.exitcode
        """,
    "an exit handler that ends the worker": """
        import atexit
        async def start(client):
            await client.execute_workflow(Hello.run, id="w", task_queue="q")
            held.set()
        loop, (env, worker) = leave(running(start))
        atexit.register(lambda: loop.run_until_complete(worker.shutdown()))
        """,
}
# What may be said, and nothing else is: of a workflow whose code was running at the end, once more
# where a poll brings the task again before it has ended; and of a server of this process that its
# program has stopped before the worker; and what asyncio says of a loop that a program leaves with
# tasks that have not begun.
SAID = re.compile(
    r"WARN worker::workflow: Failing workflow task: the worker's process ends before .* attempt=\d$"
    r"|WARN worker: no server at .*; calls are tried again: "
    r"|^Task was destroyed but it is pending!$|^task: <Task pending name="
    r"|RuntimeWarning: coroutine '.*' was never awaited$|^RuntimeWarning: Enable tracemalloc "
)
RECORD = """
async def main():
    async with await WorkflowEnvironment.start_local() as env:
        async with worker_of(env.client):
            handle = await env.client.start_workflow(Hello.run, id="w", task_queue="q")
            await handle.result()
            print((await handle.fetch_history()).to_json())
asyncio.run(main())
"""


def run(program: str, *arguments: str, prefix: Sequence[str] = ()) -> subprocess.CompletedProcess:
    command = [*prefix, sys.executable, "-c", COMMON + textwrap.dedent(program), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> str:
    recorded = run(RECORD)
    assert recorded.returncode == 0, recorded.stderr
    path = tmp_path_factory.mktemp("history") / "history.json"
    path.write_text(recorded.stdout)
    return str(path)


def assert_ends(times: int, *arguments: str, program: str, one_core: bool = False) -> None:
    core = str(min(os.sched_getaffinity(0)))
    for turn in range(times):
        ended = run(program, *arguments, prefix=["taskset", "-c", core] if one_core else [])
        said = [line for line in ended.stderr.splitlines() if not SAID.search(line)]
        assert (ended.returncode, said) == (0, []), f"run {turn + 1} of {times}"


@pytest.mark.parametrize("one_core", [False, True], ids=["cores", "one_core"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_it_ends_well(name: str, one_core: bool, history: str):
    assert_ends(3, history, program=PROGRAMS[name], one_core=one_core)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("one_core", [False, True], ids=["cores", "one_core"])
@pytest.mark.parametrize("name", ["replays", "a loop in a daemon thread", "a running worker"])
def test_it_ends_well_a_hundred_times(name: str, one_core: bool, history: str):
    assert_ends(100, history, program=PROGRAMS[name], one_core=one_core)


def test_the_room_gives_the_gil_up_by_its_own_guard_alone():
    room = pathlib.Path(__file__).resolve().parents[3] / "bindings/python"
    sources = [*room.glob("*.cc"), *room.glob("*.h")]
    assert sources
    assert [p.name for p in sources if "gil_scoped" in p.read_text()] == []
