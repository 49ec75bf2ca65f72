"""What ran and has ended leaves nothing: descriptors, threads and objects over two hundred of each kind."""

import gc
import json
import select
import subprocess
import sys
import weakref
from typing import Any

import pytest

from chimera import _bridge

PROGRAM = """
import asyncio, collections, gc, json, os, sys
from chimera import activity, workflow
from chimera.client import Client
from chimera.testing import WorkflowEnvironment
from chimera.worker import Replayer, UnsandboxedWorkflowRunner, Worker

@activity.defn
async def nothing() -> None: ...

@workflow.defn
class Hello:
    @workflow.run
    async def run(self) -> str:
        return "hello"

def counts():
    gc.collect()
    objects = collections.Counter(type(each).__name__ for each in gc.get_objects())
    return {"descriptors": len(os.listdir("/proc/self/fd")), "threads": len(os.listdir("/proc/self/task"))}, objects

def worker_of(client):
    runner = UnsandboxedWorkflowRunner()
    return Worker(client, task_queue="q", workflows=[Hello], activities=[nothing], workflow_runner=runner)

async def run_worker(client, i):
    async with worker_of(client):
        if i % 10 == 0:
            await client.execute_workflow(Hello.run, id=f"w{i}", task_queue="q")

async def workers(env, i):
    await run_worker(env.client, i)

async def workers_with_clients(env, i):
    await run_worker(await Client.connect(env.client.service_client.config.target_host), i)

async def workers_that_fail_to_start(env, i):
    client = await Client.connect(env.client.service_client.config.target_host, namespace="none")
    try:
        await worker_of(client).run()
    except RuntimeError:
        return
    raise AssertionError("it started")

async def clients(env, i):
    client = await Client.connect(env.client.service_client.config.target_host)
    await client.service_client.check_health()

async def replayers(env, i):
    await Replayer(workflows=[Hello], workflow_runner=UnsandboxedWorkflowRunner()).replay_workflow(env.history)

async def environments(env, i):
    async with await WorkflowEnvironment.start_local():
        pass

async def main(kind, times):
    async with await WorkflowEnvironment.start_local() as env:
        async with Worker(env.client, task_queue="q", workflows=[Hello]):
            handle = await env.client.start_workflow(Hello.run, id="w", task_queue="q")
            await handle.result()
            env.history = await handle.fetch_history()
        for i in range(10):
            await kind(env, i)
        before, objects = counts()
        for i in range(times):
            await kind(env, i)
        for _ in range(100):  # What closes a socket may take its time.
            after, now = counts()
            if after["descriptors"] <= before["descriptors"]:
                break
            await asyncio.sleep(0.05)
        more = {name: now[name] - objects[name] for name in now if now[name] - objects[name] >= times // 10}
        print(json.dumps({**{name: after[name] - before[name] for name in after}, "objects": more}))

asyncio.run(main(globals()[sys.argv[1]], int(sys.argv[2])))
"""


@pytest.mark.parametrize(
    "kind, times",
    [
        ("workers", 200),
        ("workers_with_clients", 200),
        ("workers_that_fail_to_start", 200),
        ("clients", 200),
        ("replayers", 200),
        ("environments", 200),
    ],
)
def test_nothing_is_left(kind: str, times: int):
    command = [sys.executable, "-c", PROGRAM, kind, str(times)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=110)
    assert ended.returncode == 0
    left = json.loads(ended.stdout)
    assert left["objects"] == {}
    assert left["descriptors"] < times / 20 and left["threads"] < times / 20, left


class Callback:
    """Something that a bridge's object may hold, and that leads back to it."""

    target: Any = None

    def __call__(self, *_args: Any) -> None: ...


def make_bridge(kind: Any, callback: Callback) -> Any:
    return kind(_bridge.Queue(), callback, callback)


@pytest.mark.parametrize("kind", [_bridge.WorkflowBridge, _bridge.ActivityBridge, _bridge.NexusBridge])
def test_a_cycle_through_a_bridge_is_collected(kind: Any):
    callback = Callback()
    callback.target = make_bridge(kind, callback)
    gone = weakref.ref(callback)

    del callback
    gc.collect()

    assert gone() is None


@pytest.mark.parametrize("kind", [_bridge.WorkflowBridge, _bridge.ActivityBridge, _bridge.NexusBridge])
def test_a_closed_bridge_holds_nothing(kind: Any):
    callback = Callback()
    bridge = make_bridge(kind, callback)
    gone = weakref.ref(callback)
    gc.disable()
    try:
        bridge.close()
        del callback
        assert gone() is None
    finally:
        gc.enable()


def test_what_waits_in_a_queue_is_collected_with_it():
    callback = Callback()
    callback.target = queue = _bridge.Queue()
    options = {"target_host": "127.0.0.1:1", "client_name": "test", "connect_timeout": 1}
    _bridge.Connection.connect(options, queue, callback)
    wait_until_readable(queue)
    gone = weakref.ref(callback)

    del callback, queue
    gc.collect()

    assert gone() is None


def wait_until_readable(queue: _bridge.Queue) -> None:
    poll = select.poll()
    poll.register(queue.fileno(), select.POLLIN)
    assert poll.poll(30_000)
