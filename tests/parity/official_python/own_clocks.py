"""The official Python SDK's environment of workflows with clocks of their own, on our program: prints ok, or raises.

    own_clocks.py PROGRAM
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
    async def run(self, more: int = 0) -> float:
        begin = workflow.time()
        await workflow.sleep(300 * DAY)
        policy = RetryPolicy(initial_interval=30 * DAY, maximum_interval=30 * DAY)
        await workflow.execute_activity(third_time, start_to_close_timeout=DAY, retry_policy=policy)
        if more > 0:
            workflow.continue_as_new(more - 1)
        return workflow.time() - begin


@workflow.defn
class Parent:
    @workflow.run
    async def run(self) -> float:
        return await workflow.execute_child_workflow(Year.run)


async def check(env: WorkflowEnvironment) -> None:
    assert env.supports_time_skipping_v2
    for kind in (Year, Parent):
        took = await env.client.execute_workflow(kind.run, id=kind.__name__, task_queue="q")
        assert took >= 360 * DAY.total_seconds()
    try:
        await env.client.execute_workflow(Year.run, id="late", task_queue="q", run_timeout=DAY)
        raise AssertionError("it did not time out")
    except WorkflowFailureError as err:
        assert isinstance(err.cause, TemporalTimeoutError)

    with env.with_time_skipping_disabled():
        handle = await env.client.start_workflow(Year.run, 1, id="driven", task_queue="q")
    assert await env.get_time_skipping_info(handle) is None
    begin = (await handle.describe()).start_time
    assert await env.fast_forward(handle, 400 * DAY)  # In the run that follows.
    current = env.client.get_workflow_handle("driven")
    assert 400 * DAY <= await env.get_current_time(current) - begin < 401 * DAY
    assert await env.fast_forward(current) is False
    assert await handle.result() >= 360 * DAY.total_seconds()


async def main(program: str) -> None:
    env = await WorkflowEnvironment.start_time_skipping_v2(
        dev_server_existing_path=program,
        dev_server_extra_args=["--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true"],
    )
    async with env:
        runner = UnsandboxedWorkflowRunner()
        kinds = [Year, Parent]
        async with Worker(env.client, task_queue="q", workflows=kinds, activities=[third_time], workflow_runner=runner):
            await check(env)
    print("ok", flush=True)
    os._exit(0)  # Threads of the official package may crash an interpreter that ends.


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
