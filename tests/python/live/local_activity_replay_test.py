"""Local activities: retries, backoff by timer, cancellation, long ones, and replay of all of it."""

import asyncio
from datetime import timedelta

import pytest
from live_support import events, worker

from chimera import activity, workflow
from chimera.client import Client, WorkflowHandle
from chimera.common import RetryPolicy
from chimera.exceptions import ActivityError, ApplicationError, TimeoutError
from chimera.worker import Replayer

SHORTLY = timedelta(milliseconds=20)


@activity.defn
async def where(name: str) -> str:
    info = activity.info()
    return f"{name} {'local' if info.is_local else 'remote'} {info.attempt} {info.workflow_type}"


@activity.defn
async def third_time() -> int:
    if activity.info().attempt < 3:
        raise ApplicationError("again", type="Flaky")
    return activity.info().attempt


@activity.defn
async def wait(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


@workflow.defn
class Locals:
    def __init__(self) -> None:
        self.stopped = False

    @workflow.signal
    def stop(self) -> None:
        self.stopped = True

    @workflow.run
    async def run(self, what: str) -> list[str]:
        local = workflow.execute_local_activity
        second = timedelta(seconds=1)
        if what == "where":
            return [await local(where, "ann", start_to_close_timeout=second)]
        if what == "retries":
            policy = RetryPolicy(initial_interval=SHORTLY)
            out = [await local(third_time, start_to_close_timeout=second, retry_policy=policy)]
            out.append(
                await local(
                    third_time,
                    start_to_close_timeout=second,
                    retry_policy=policy,
                    local_retry_threshold=timedelta(milliseconds=1),
                )
            )
            policy = RetryPolicy(maximum_attempts=1)
            try:
                await local(third_time, start_to_close_timeout=second, retry_policy=policy)
            except ApplicationError as err:
                out.append(err.type)
            return [str(each) for each in out]
        if what == "timeout":
            try:
                await local(
                    wait,
                    30,
                    start_to_close_timeout=timedelta(milliseconds=50),
                    retry_policy=RetryPolicy(maximum_attempts=1),
                )
            except ActivityError as err:
                assert isinstance(err.__cause__, TimeoutError)
                return [str(err)]
        if what == "long":
            return [str(await local(wait, 3.5, start_to_close_timeout=timedelta(seconds=60)))]
        if what == "many":
            many = [local(wait, 0, start_to_close_timeout=second) for _ in range(200)]
            return [str(len(await asyncio.gather(*many)))]
        handle = workflow.start_local_activity(
            wait,
            30,
            start_to_close_timeout=timedelta(seconds=60),
            cancellation_type=workflow.ActivityCancellationType[what],
        )
        await workflow.wait_condition(lambda: self.stopped)
        handle.cancel()
        try:
            await handle
        except ActivityError as err:
            return [str(err)]
        return []


ALL = (Locals, where, third_time, wait)


async def result_of(handle: WorkflowHandle) -> list[str]:
    result = await handle.result()
    await Replayer(workflows=[Locals]).replay_workflow(await handle.fetch_history())
    return result


async def start(client: Client, queue: str, what: str) -> WorkflowHandle:
    return await client.start_workflow(
        Locals.run, what, id=f"{queue}-{what}", task_queue=queue, task_timeout=timedelta(seconds=1)
    )


async def test_they_run_in_the_workers_own_process(client: Client, name: str, cache: int):
    async with worker(client, name, cache, *ALL):
        handle = await start(client, name, "where")
        assert await result_of(handle) == ["ann local 1 Locals"]
        assert len(await events(handle, "marker_recorded")) == 1
        assert await events(handle, "activity_task_scheduled") == []


async def test_they_are_tried_again_in_the_worker_or_by_timer(
    client: Client, name: str, cache: int
):
    async with worker(client, name, cache, *ALL):
        handle = await start(client, name, "retries")
        assert await result_of(handle) == ["3", "3", "Flaky"]
        assert len(await events(handle, "timer_fired")) == 2


async def test_a_timeout_is_an_activity_error(client: Client, name: str, cache: int):
    async with worker(client, name, cache, *ALL):
        handle = await start(client, name, "timeout")
        assert await result_of(handle) == ["Local Activity timed out"]


async def test_one_may_outlive_many_task_timeouts(client: Client, name: str, cache: int):
    async with worker(client, name, cache, *ALL):
        handle = await start(client, name, "long")
        assert await result_of(handle) == ["3.5"]
        assert len(await events(handle, "workflow_task_completed")) >= 4
        assert await events(handle, "workflow_task_timed_out") == []


async def test_hundreds_at_once_on_few_slots(client: Client, name: str, cache: int):
    async with worker(client, name, cache, *ALL, max_concurrent_local_activities=2):
        handle = await start(client, name, "many")
        assert await result_of(handle) == ["200"]


@pytest.mark.parametrize("kind", ["TRY_CANCEL", "WAIT_CANCELLATION_COMPLETED", "ABANDON"])
async def test_each_kind_of_cancellation(client: Client, name: str, cache: int, kind: str):
    async with worker(client, name, cache, *ALL):
        handle = await start(client, name, kind)
        await handle.signal(Locals.stop)
        assert await result_of(handle) == ["Local Activity cancelled"]
