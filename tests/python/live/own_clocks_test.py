"""Workflows with clocks of their own, which jump: the environment of them, and a worker that lives with the jumps."""

import os
import pathlib
from datetime import timedelta

import pytest

from chimera import activity, workflow
from chimera.client import WithStartWorkflowOperation, WorkflowFailureError
from chimera.common import RetryPolicy, WorkflowIDConflictPolicy
from chimera.exceptions import TimeoutError as TemporalTimeoutError
from chimera.testing import TimeSkipper, TimeSkippingConfig, WorkflowEnvironment
from chimera.worker import Replayer, Worker

QUEUE = "clocks"
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
    async def run(self, more: int = 0) -> float:
        begin = workflow.time()
        await workflow.sleep(300 * DAY)
        await workflow.execute_activity(
            third_time,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(initial_interval=30 * DAY, maximum_interval=30 * DAY),
        )
        if more > 0:
            workflow.continue_as_new(more - 1)
        return workflow.time() - begin


@workflow.defn
class Parent:
    @workflow.run
    async def run(self) -> float:
        await workflow.sleep(DAY)
        return await workflow.execute_child_workflow(Year.run)


@workflow.defn
class Waits:
    def __init__(self) -> None:
        self.said: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: "end" in self.said)
        return self.said

    @workflow.update
    def say(self, word: str) -> int:
        self.said.append(word)
        return len(self.said)


KINDS = [Year, Parent, Waits]


@pytest.fixture(params=["in process", "program"])
async def env(request):
    path = str(CHIMERA) if request.param == "program" else None
    async with await WorkflowEnvironment.start_time_skipping_v2(dev_server_existing_path=path) as env:
        async with Worker(env.client, task_queue=QUEUE, workflows=KINDS, activities=[third_time]):
            yield env


async def test_a_workflow_that_waits_does_not_keep_anyone_waiting(env):
    assert env.supports_time_skipping_v2 and env.supports_time_skipping and not env.supports_time_skipping_v1

    assert await env.client.execute_workflow(Year.run, id="year", task_queue=QUEUE) >= 360 * DAY.total_seconds()
    assert await env.client.execute_workflow(Parent.run, id="parent", task_queue=QUEUE) >= 360 * DAY.total_seconds()
    handle = await env.client.start_workflow(Year.run, 1, id="two years", task_queue=QUEUE)
    assert await handle.result() >= 360 * DAY.total_seconds()
    described = await handle.describe()
    assert described.close_time - described.start_time >= 360 * DAY
    assert (await env.get_current_time(handle)) - described.start_time >= 360 * DAY


async def test_the_history_of_one_replays(env):
    handle = await env.client.start_workflow(Year.run, id="replays", task_queue=QUEUE)
    await handle.result()

    history = await handle.fetch_history()
    assert any(e.HasField("workflow_execution_time_skipping_transitioned_event_attributes") for e in history.events)
    await Replayer(workflows=KINDS).replay_workflow(history)


async def test_a_run_timeout_comes_at_once(env):
    with pytest.raises(WorkflowFailureError) as failed:
        await env.client.execute_workflow(Waits.run, id="late", task_queue=QUEUE, run_timeout=30 * DAY)
    assert isinstance(failed.value.cause, TemporalTimeoutError)


async def test_those_outside_keep_the_real_time(env):
    with env.with_time_skipping_disabled():
        handle = await env.client.start_workflow(Year.run, id="real", task_queue=QUEUE)
    assert await env.get_time_skipping_info(handle) is None
    begin = (await handle.describe()).start_time

    assert await env.fast_forward(handle, DAY)

    assert DAY <= await env.get_current_time(handle) - begin < 2 * DAY
    info = await env.get_time_skipping_info(handle)
    assert info is not None and not info.effective_config.enabled and info.fast_forward_info.has_completed
    assert await env.fast_forward(handle) is False  # To its end.
    assert await handle.result() >= 360 * DAY.total_seconds()


async def test_a_fast_forward_goes_on_in_the_runs_that_follow(env):
    with env.with_time_skipping_disabled():
        handle = await env.client.start_workflow(Year.run, 2, id="far", task_queue=QUEUE)
    assert await env.fast_forward(handle, 500 * DAY)
    assert await env.fast_forward(env.client.get_workflow_handle("far"), 5000 * DAY) is False  # It ends before.


async def test_an_update_with_start_starts_one_that_skips(env):
    start = WithStartWorkflowOperation(
        Waits.run,
        id="updated",
        task_queue=QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        execution_timeout=30 * DAY,
    )
    assert await env.client.execute_update_with_start_workflow(Waits.say, "go", start_workflow_operation=start) == 1

    with pytest.raises(WorkflowFailureError):
        await (await start.workflow_handle()).result()


async def test_what_one_clock_for_all_has_is_refused(env):
    with pytest.raises(RuntimeError, match="fast_forward"):
        await env.sleep(1)
    with pytest.raises(RuntimeError, match="handle"):
        await env.get_current_time()
    with pytest.raises(RuntimeError, match="with_time_skipping_disabled"):
        with env.auto_time_skipping_disabled():
            pass


async def test_a_skipper_of_ones_own(env):
    skipper = TimeSkipper(env.client, config=TimeSkippingConfig(max_session_skip_count=1))
    handle = await skipper.client.start_workflow(Year.run, id="once", task_queue=QUEUE)
    begin = (await handle.describe()).start_time
    assert skipper.config.max_session_skip_count == 1
    skipper.config = TimeSkippingConfig()

    assert await skipper.fast_forward(handle) is False

    assert await skipper.get_current_time(handle) - begin >= 360 * DAY
