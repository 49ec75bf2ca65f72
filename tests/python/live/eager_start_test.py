"""Eager starts: the reply to a start brings the first workflow task, which a worker beside the client runs."""

from datetime import timedelta
from typing import Any

from live_support import events, worker

from chimera import workflow
from chimera.client import Client, WorkflowHandle
from chimera.testing import WorkflowEnvironment


@workflow.defn
class Hello:
    @workflow.run
    async def run(self, name: str) -> str:
        return f"Hello, {name}"


async def start(client: Client, name: str) -> WorkflowHandle[Any, str]:
    # A first task that nobody runs would hold the run up for an hour.
    return await client.start_workflow(
        Hello.run, "Ann", id=name, task_queue=name, request_eager_start=True, task_timeout=timedelta(hours=1)
    )


async def accepted(handle: WorkflowHandle[Any, str]) -> bool:
    (started,) = await events(handle, "workflow_execution_started")
    return started.eager_execution_accepted


def eagerly(handle: WorkflowHandle[Any, str]) -> bool:
    return getattr(handle, "__temporal_eagerly_started")


async def test_a_worker_of_this_client_runs_the_first_task(client: Client, name: str, cache: int):
    async with worker(client, name, cache, Hello):
        handle = await start(client, name)
        assert await handle.result() == "Hello, Ann"

    assert eagerly(handle) and await accepted(handle)


async def test_without_a_worker_here_nothing_is_eager(env: WorkflowEnvironment, name: str, cache: int):
    handle = await start(env.client, name)
    other = await Client.connect(env.client.service_client.config.target_host, namespace=env.client.namespace)

    async with worker(other, name, cache, Hello):
        assert await handle.result() == "Hello, Ann"

    assert not eagerly(handle) and not await accepted(handle)


async def test_after_its_worker_a_client_starts_nothing_eagerly(client: Client, name: str, cache: int):
    async with worker(client, name, cache, Hello):
        pass

    handle = await start(client, name)

    assert not eagerly(handle)
    await handle.terminate()
