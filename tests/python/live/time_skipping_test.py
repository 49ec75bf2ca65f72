"""An environment whose time skips: what holds time, what does not, and who may wait."""

import asyncio
import contextlib
import os
import pathlib
import time
from datetime import timedelta

import pytest

from chimera import activity, workflow
from chimera.client import (
    Client,
    RPCError,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleSpec,
    WorkflowFailureError,
)
from chimera.common import RetryPolicy
from chimera.exceptions import TimeoutError as TemporalTimeoutError
from chimera.service import RPCStatusCode
from chimera.testing import WorkflowEnvironment
from chimera.worker import Worker

QUEUE = "skipping"
BUILD = pathlib.Path(__file__).resolve().parents[3] / "build/release"
CHIMERA = pathlib.Path(os.environ.get("CHIMERA_PROGRAM", BUILD / "chimera"))
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
        await workflow.execute_activity(
            third_time,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(initial_interval=30 * DAY, maximum_interval=30 * DAY),
        )
        return workflow.time() - begin


@workflow.defn
class Waits:
    def __init__(self) -> None:
        self.said: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.sleep(DAY)
        return self.said

    @workflow.signal
    def say(self, word: str) -> None:
        self.said.append(word)


@workflow.defn
class Daily:
    @workflow.run
    async def run(self) -> None:
        pass


@pytest.fixture(params=["in process", "program"])
async def env(request):
    path = str(CHIMERA) if request.param == "program" else None
    async with await WorkflowEnvironment.start_time_skipping(test_server_existing_path=path) as env:
        async with Worker(env.client, task_queue=QUEUE, workflows=[Year, Waits, Daily], activities=[third_time]):
            yield env


async def test_a_year_passes_while_its_result_is_awaited(env):
    begin, real = await env.get_current_time(), time.monotonic()

    took = await env.client.execute_workflow(Year.run, id="year", task_queue=QUEUE)

    assert took >= 360 * DAY.total_seconds()
    assert await env.get_current_time() - begin >= 360 * DAY
    assert time.monotonic() - real < 30


async def test_a_year_of_a_daily_schedule(env):
    real = time.monotonic()
    handle = await env.client.create_schedule(
        "daily",
        Schedule(
            action=ScheduleActionStartWorkflow(Daily.run, id="daily", task_queue=QUEUE),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=DAY)]),
        ),
    )

    await env.sleep(365 * DAY)

    assert time.monotonic() - real < 30
    about = await handle.describe()
    assert about.info.num_actions == 365
    assert about.info.num_actions_skipped_overlap == 0
    assert len({action.scheduled_at for action in about.info.recent_actions}) == 10


async def test_time_stands_while_nobody_waits(env):
    handle = await env.client.start_workflow(Waits.run, id="waits", task_queue=QUEUE)
    begin = await env.get_current_time()
    await env.sleep(DAY / 2)
    await handle.signal(Waits.say, "half way")
    assert DAY / 2 <= await env.get_current_time() - begin < DAY

    assert await handle.result() == ["half way"]


async def test_without_skipping_a_result_takes_its_time(env):
    handle = await env.client.start_workflow(Waits.run, id="slow", task_queue=QUEUE)
    with env.auto_time_skipping_disabled(), pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(handle.result(), 0.5)

    assert await handle.result() == []


async def test_several_results_may_be_awaited_at_once(env):
    begin = await env.get_current_time()
    runs = [env.client.execute_workflow(Waits.run, id=f"many-{i}", task_queue=QUEUE) for i in range(8)]

    assert await asyncio.gather(*runs, env.sleep(2 * DAY)) == [[]] * 8 + [None]

    assert await env.get_current_time() - begin >= 2 * DAY


async def test_who_is_cancelled_leaves_time_locked(env):
    for i in range(30):
        handle = await env.client.start_workflow(Waits.run, id=f"cancelled-{i}", task_queue=QUEUE)
        waiting = asyncio.ensure_future(handle.result())
        await asyncio.sleep(i * 0.0002)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            assert await waiting == []
            raise asyncio.CancelledError  # It was quicker.
        with contextlib.suppress(RPCError):  # It has ended.
            await handle.terminate()

    begin = await env.get_current_time()
    idle = await env.client.start_workflow(Waits.run, id="idle", task_queue=QUEUE)
    await asyncio.sleep(0.3)
    assert await env.get_current_time() - begin < DAY / 2, "nobody waits"
    await env.sleep(1)
    assert await idle.result() == []


async def test_timeouts_are_skipped_to(env):
    with pytest.raises(WorkflowFailureError) as failed:
        await env.client.execute_workflow(Waits.run, id="late", task_queue=QUEUE, run_timeout=DAY / 2)

    assert isinstance(failed.value.cause, TemporalTimeoutError)


async def test_an_environment_says_what_it_can(env):
    assert env.supports_time_skipping and env.supports_time_skipping_v1
    assert not env.supports_time_skipping_v2
    assert isinstance(env.client, Client)


@pytest.mark.parametrize("start", [WorkflowEnvironment.start_local, WorkflowEnvironment.start_time_skipping])
async def test_clients_of_an_environment_that_is_gone_hear_at_once(start):
    env = await start()
    other = await env.connect_client()
    handle = await env.client.start_workflow(Waits.run, id="orphan", task_queue=QUEUE)
    results = [asyncio.ensure_future(each.result()) for each in (handle, other.get_workflow_handle("orphan"))]
    await other.count_workflows()  # They are asked for by now.
    begin = time.monotonic()
    await env.shutdown()

    for call in (*results, handle.describe(), other.count_workflows(), handle.result()):
        with pytest.raises(RPCError) as failed:
            await call
        assert failed.value.status == RPCStatusCode.UNAVAILABLE
    assert time.monotonic() - begin < 5
    await env.shutdown()
