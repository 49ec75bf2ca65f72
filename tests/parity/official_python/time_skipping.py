"""The official Python SDK's time-skipping environment on a test server: prints ok, or raises.

    time_skipping.py PROGRAM
"""

import asyncio
import os
import sys
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import TimeoutError as TemporalTimeoutError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

DAY = timedelta(days=1)


@activity.defn
async def third_time() -> int:
    if activity.info().attempt < 3:
        raise RuntimeError("too early")
    return activity.info().attempt


@workflow.defn
class Year:
    @workflow.run
    async def run(self) -> float:
        begin = workflow.time()
        await workflow.sleep(300 * DAY)
        policy = RetryPolicy(initial_interval=30 * DAY, maximum_interval=30 * DAY)
        await workflow.execute_activity(third_time, start_to_close_timeout=DAY, retry_policy=policy)
        return workflow.time() - begin


@workflow.defn
class Parent:
    @workflow.run
    async def run(self) -> float:
        return await workflow.execute_child_workflow(Year.run)


@workflow.defn
class Nap:
    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(DAY)
        return "rested"


async def check(env: WorkflowEnvironment) -> None:
    begin = await env.get_current_time()
    for kind in (Year, Parent):
        took = await env.client.execute_workflow(kind.run, id=kind.__name__, task_queue="q")
        assert took >= 360 * DAY.total_seconds()
    assert await env.get_current_time() - begin >= 720 * DAY

    begin = await env.get_current_time()
    await env.sleep(30 * DAY)
    assert 30 * DAY <= await env.get_current_time() - begin < 31 * DAY

    try:
        await env.client.execute_workflow(Nap.run, id="late", task_queue="q", run_timeout=DAY / 2)
        raise AssertionError("it did not time out")
    except WorkflowFailureError as err:
        assert isinstance(err.cause, TemporalTimeoutError)

    handle = await env.client.start_workflow(Nap.run, id="locked", task_queue="q")
    with env.auto_time_skipping_disabled():
        try:
            await asyncio.wait_for(handle.result(), 0.5)
            raise AssertionError("time skipped though it is locked")
        except asyncio.TimeoutError:
            pass
    assert await handle.result() == "rested"
    # One that waits is no reason to hurry those that nobody waits for, but time is the same for all.
    crons = await env.client.start_workflow(Nap.run, id="cron", task_queue="q", cron_schedule="@daily")
    await env.sleep(10 * DAY)
    runs = [one async for one in env.client.list_workflows('WorkflowId = "cron"')]
    assert len(runs) >= 5, len(runs)
    await crons.terminate()


async def main(program: str) -> None:
    async with await WorkflowEnvironment.start_time_skipping(test_server_existing_path=program) as env:
        runner = UnsandboxedWorkflowRunner()
        kinds = [Year, Parent, Nap]
        async with Worker(env.client, task_queue="q", workflows=kinds, activities=[third_time], workflow_runner=runner):
            await check(env)
    print("ok", flush=True)
    os._exit(0)  # Threads of the official package may crash an interpreter that ends.


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
