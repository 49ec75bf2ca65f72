"""Local activities: they run in the worker, within the workflow task, and a marker has their end."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from live_support import events, worker

from chimera import activity, workflow
from chimera.client import Client, WorkflowFailureError
from chimera.common import RetryPolicy
from chimera.exceptions import ActivityError, ApplicationError, CancelledError, TimeoutError, TimeoutType

SECOND = timedelta(seconds=1)
MILLISECOND = timedelta(milliseconds=1)


@activity.defn
async def tell(text: str) -> list[Any]:
    info = activity.info()
    return [text, info.is_local, info.attempt, info.activity_id, info.workflow_id]


@activity.defn
def shout(text: str) -> str:
    return text.upper()


@activity.defn
async def third_time(text: str) -> str:
    if activity.info().attempt < 3:
        raise RuntimeError("not yet")
    return f"{text} {activity.info().attempt}"


@activity.defn
async def refuse() -> None:
    raise ApplicationError("no", "detail", type="Never", non_retryable=True)


@activity.defn
async def forever() -> None:
    await asyncio.Event().wait()


@activity.defn
async def later() -> None:
    activity.raise_complete_async()


@workflow.defn
class Locals:
    def __init__(self) -> None:
        self.heard: list[str] = []
        self.go_on = False

    @workflow.run
    async def run(self, what: str) -> Any:
        return await getattr(self, what)()

    async def simple(self) -> Any:
        first = await workflow.execute_local_activity(
            tell, "x", start_to_close_timeout=SECOND, activity_id="mine", summary="of it"
        )
        second = await workflow.execute_local_activity("shout", "y", schedule_to_close_timeout=SECOND)
        return [first, second]

    async def many(self) -> int:
        handles = [
            workflow.start_local_activity(shout, str(i), start_to_close_timeout=10 * SECOND) for i in range(200)
        ]
        return len({await each for each in handles})

    async def retried(self) -> str:
        return await workflow.execute_local_activity(
            third_time,
            "at once",
            start_to_close_timeout=SECOND,
            retry_policy=RetryPolicy(initial_interval=MILLISECOND),
        )

    async def by_timer(self) -> str:
        return await workflow.execute_local_activity(
            third_time,
            "by timer",
            start_to_close_timeout=SECOND,
            retry_policy=RetryPolicy(initial_interval=20 * MILLISECOND),
            local_retry_threshold=5 * MILLISECOND,
        )

    async def refused(self) -> None:
        await workflow.execute_local_activity(refuse, start_to_close_timeout=SECOND)

    async def slow(self) -> None:
        await workflow.execute_local_activity(
            forever, start_to_close_timeout=50 * MILLISECOND, retry_policy=RetryPolicy(maximum_attempts=1)
        )

    async def asynchronous(self) -> None:
        await workflow.execute_local_activity(
            later, start_to_close_timeout=SECOND, retry_policy=RetryPolicy(maximum_attempts=1)
        )

    async def cancelled(self) -> str:
        told = []
        for kind in workflow.ActivityCancellationType:
            handle = workflow.start_local_activity(forever, start_to_close_timeout=SECOND, cancellation_type=kind)
            # Not a timer: its command would wait for the task's heartbeat.
            await workflow.execute_local_activity(shout, "begun", start_to_close_timeout=SECOND)
            handle.cancel()
            try:
                await handle
            except ActivityError as err:
                told.append(type(err.cause).__name__)
        return " ".join(told)

    async def unknown(self) -> None:
        await workflow.execute_local_activity("none", start_to_close_timeout=SECOND)

    async def in_handlers(self) -> list[str]:
        await workflow.wait_condition(lambda: len(self.heard) == 2)
        return sorted(self.heard)

    @workflow.signal
    async def hear(self, text: str) -> None:
        self.heard.append(await workflow.execute_local_activity(shout, text, start_to_close_timeout=SECOND))

    @workflow.update
    async def ask(self, text: str) -> str:
        self.heard.append(await workflow.execute_local_activity(shout, text, start_to_close_timeout=SECOND))
        return self.heard[-1]


def serving(client: Client, name: str, cache: int) -> Any:
    return worker(client, name, cache, Locals, tell, shout, third_time, refuse, forever, later)


async def outcome(client: Client, name: str, cache: int, what: str) -> Any:
    async with serving(client, name, cache):
        return await client.execute_workflow(Locals.run, what, id=name, task_queue=name)


async def failure(client: Client, name: str, cache: int, what: str) -> BaseException:
    with pytest.raises(WorkflowFailureError) as raised:
        await outcome(client, name, cache, what)
    error = raised.value.cause
    assert error is not None
    return error


async def test_results_and_what_the_activity_knows(client: Client, name: str, cache: int):
    assert await outcome(client, name, cache, "simple") == [["x", True, 1, "mine", name], "Y"]

    handle = client.get_workflow_handle(name)
    assert len(await events(handle, "marker_recorded")) == 2
    assert not await events(handle, "activity_task_scheduled")
    assert len(await events(handle, "workflow_task_completed")) == 1


async def test_many_at_once(client: Client, name: str, cache: int):
    assert await outcome(client, name, cache, "many") == 200


async def test_retries(client: Client, name: str, cache: int):
    assert await outcome(client, name, cache, "retried") == "at once 3"
    assert not await events(client.get_workflow_handle(name), "timer_started")


async def test_retries_that_wait_for_a_timer(client: Client, name: str, cache: int):
    assert await outcome(client, name, cache, "by_timer") == "by timer 3"
    assert len(await events(client.get_workflow_handle(name), "timer_fired")) == 2


async def test_failures(client: Client, name: str, cache: int):
    error = await failure(client, name, cache, "refused")
    assert isinstance(error, ApplicationError)  # In no ActivityError, as with the official core.
    assert (error.message, error.type, list(error.details)) == ("no", "Never", ["detail"])


async def test_timeouts(client: Client, name: str, cache: int):
    error = await failure(client, name, cache, "slow")
    assert isinstance(error, ActivityError) and isinstance(error.cause, TimeoutError)
    assert error.cause.type is TimeoutType.START_TO_CLOSE


async def test_what_cannot_be_completed_by_somebody_else(client: Client, name: str, cache: int):
    assert isinstance(await failure(client, name, cache, "asynchronous"), ApplicationError)


async def test_cancellation(client: Client, name: str, cache: int):
    assert await outcome(client, name, cache, "cancelled") == " ".join([CancelledError.__name__] * 3)


async def test_in_handlers(client: Client, name: str, cache: int):
    async with serving(client, name, cache):
        handle = await client.start_workflow(Locals.run, "in_handlers", id=name, task_queue=name)
        await handle.signal(Locals.hear, "signal")
        assert await handle.execute_update(Locals.ask, "update") == "UPDATE"
        assert await handle.result() == ["SIGNAL", "UPDATE"]


async def test_what_the_worker_does_not_have_fails_the_task(client: Client, name: str, cache: int):
    async with serving(client, name, cache):
        handle = await client.start_workflow(Locals.run, "unknown", id=name, task_queue=name)
        async for event in handle.fetch_history_events(wait_new_event=True):
            if event.HasField("workflow_task_failed_event_attributes"):
                break
        await handle.terminate()
    message = event.workflow_task_failed_event_attributes.failure.message
    assert "Activity function none is not registered on this worker" in message
