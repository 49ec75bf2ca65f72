"""Activities: retries, the four timeouts, heartbeats, cancellation, completion by somebody else."""

import asyncio
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from live_support import events, until, worker

from chimera import _bridge, activity, workflow
from chimera.client import Client, WorkflowFailureError
from chimera.common import RawValue, RetryPolicy
from chimera.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    RetryState,
    TimeoutError,
    TimeoutType,
)


@dataclass
class Call:
    """What the workflow is to do: one activity with these options, cancelled after its start or not."""

    name: str
    options: dict[str, float]
    attempts: int = 0
    non_retryable: str = ""
    cancel: str = ""  # "", "before" its task is polled or "after" a signal says that it has begun.
    cancellation_type: int = 0


@workflow.defn
class OneActivity:
    def __init__(self) -> None:
        self.begun = False

    @workflow.run
    async def run(self, call: Call) -> str:
        policy = RetryPolicy(
            initial_interval=timedelta(milliseconds=10),
            backoff_coefficient=1.0,
            maximum_attempts=call.attempts,
            non_retryable_error_types=[call.non_retryable] if call.non_retryable else None,
        )
        handle = workflow.start_activity(
            call.name,
            workflow.info().workflow_id,
            retry_policy=policy,
            cancellation_type=workflow.ActivityCancellationType(call.cancellation_type),
            result_type=str,
            **{name: timedelta(seconds=value) for name, value in call.options.items()},  # type: ignore[arg-type]
        )
        if call.cancel == "before":
            await workflow.sleep(0.05)
            handle.cancel()
        elif call.cancel == "after":
            await workflow.wait_condition(lambda: self.begun)
            handle.cancel()
        return await handle

    @workflow.signal
    def begin(self) -> None:
        self.begun = True


async def outcome(client: Client, name: str, call: Call) -> str:
    return await client.execute_workflow(OneActivity.run, call, id=name, task_queue=name)


async def failure(client: Client, name: str, call: Call) -> ActivityError:
    with pytest.raises(WorkflowFailureError) as raised:
        await outcome(client, name, call)
    assert isinstance(raised.value.cause, ActivityError)
    return raised.value.cause


@activity.defn
async def hello(name: str) -> str:
    info = activity.info()
    assert (info.workflow_id, info.activity_type, info.workflow_type, info.attempt) == (name, "hello", "OneActivity", 1)
    assert activity.in_activity() and not activity.is_cancelled()
    return f"hello {info.workflow_namespace}"


@activity.defn
def threaded(name: str) -> str:
    return f"{name} off the main thread: {threading.current_thread() is not threading.main_thread()}"


@activity.defn
async def third_time_lucky(name: str) -> str:
    if activity.info().attempt < 3:
        raise RuntimeError("not yet")
    return f"attempt {activity.info().attempt}"


@activity.defn
async def always_fails(name: str) -> str:
    raise ApplicationError("no", activity.info().attempt, {"why": name}, type="Never")


@activity.defn
async def final(name: str) -> str:
    raise ApplicationError("no more", non_retryable=True) from ValueError("the reason")


@activity.defn
async def takes_its_time(name: str) -> str:
    if activity.info().attempt == 1:
        raise ApplicationError("later", next_retry_delay=timedelta(milliseconds=600))
    waited = activity.info().current_attempt_scheduled_time - activity.info().scheduled_time
    return "waited" if waited >= timedelta(milliseconds=590) else f"only {waited}"


@activity.defn
async def stuck(name: str) -> str:
    await asyncio.Event().wait()
    return "never"


@activity.defn
async def beats_once(name: str) -> str:
    if activity.info().attempt == 1:
        activity.heartbeat("the last", 7)
        await asyncio.Event().wait()
    return f"went on after {activity.info().heartbeat_details}"


@activity.defn
async def beats_and_fails(name: str) -> str:
    info = activity.info()
    if info.attempt == 1:
        activity.heartbeat("first")
        activity.heartbeat("second")
        raise RuntimeError("lost")
    return f"{info.heartbeat_details}"


@activity.defn
async def beats_too_much(name: str) -> str:
    activity.heartbeat(b"x" * (5 << 20))
    await asyncio.Event().wait()
    return "never"


async def test_a_heartbeat_too_large_for_any_server_fails_the_activity(client: Client, name: str):
    async with worker(client, name, 1000, OneActivity, beats_too_much):
        error = await failure(client, name, Call("beats_too_much", BEATING, attempts=1))

    assert isinstance(error.cause, ApplicationError)
    assert re.match(r"heartbeat details of 5\d{6} bytes: a server takes 4\d{6} at most", error.cause.message)


async def test_the_history_names_the_sdk(client: Client, name: str):
    async with worker(client, name, 1000, OneActivity, hello):
        await outcome(client, name, Call("hello", {"start_to_close_timeout": 10}))

    tasks = await events(client.get_workflow_handle(name), "workflow_task_completed")
    metadata = tasks[0].sdk_metadata
    assert (metadata.sdk_name, metadata.sdk_version) == ("chimera-python", _bridge.VERSION)


async def test_complete(client: Client, name: str, cache: int):
    async with worker(client, name, cache, OneActivity, hello):
        assert await outcome(client, name, Call("hello", {"start_to_close_timeout": 10})) == "hello default"


async def test_threaded(client: Client, name: str, cache: int):
    async with worker(client, name, cache, OneActivity, threaded):
        result = await outcome(client, name, Call("threaded", {"schedule_to_close_timeout": 10}))

    assert result == f"{name} off the main thread: True"


async def test_fail_retry_intervals(client: Client, name: str, cache: int):
    async with worker(client, name, cache, OneActivity, third_time_lucky):
        result = await outcome(client, name, Call("third_time_lucky", {"start_to_close_timeout": 10}))

    assert result == "attempt 3"
    (started,) = await events(client.get_workflow_handle(name), "activity_task_started")
    assert (started.attempt, started.last_failure.message) == (3, "not yet")


async def test_max_attempts(client: Client, name: str, cache: int):
    async with worker(client, name, cache, OneActivity, always_fails):
        error = await failure(client, name, Call("always_fails", {"start_to_close_timeout": 10}, attempts=2))

    assert error.retry_state == RetryState.MAXIMUM_ATTEMPTS_REACHED
    assert isinstance(error.cause, ApplicationError)
    assert (error.cause.type, error.cause.message) == ("Never", "no")
    assert list(error.cause.details) == [2, {"why": name}]


async def test_non_retryable_type(client: Client, name: str, cache: int):
    call = Call("always_fails", {"start_to_close_timeout": 10}, non_retryable="Never")
    async with worker(client, name, cache, OneActivity, always_fails):
        error = await failure(client, name, call)

    assert error.retry_state == RetryState.NON_RETRYABLE_FAILURE
    assert isinstance(error.cause, ApplicationError) and error.cause.details[0] == 1


async def test_non_retryable_error_and_its_cause(client: Client, name: str, cache: int):
    async with worker(client, name, cache, OneActivity, final):
        error = await failure(client, name, Call("final", {"start_to_close_timeout": 10}))

    assert isinstance(error.cause, ApplicationError) and error.cause.non_retryable
    assert isinstance(error.cause.cause, ApplicationError)
    assert (error.cause.cause.type, error.cause.cause.message) == ("ValueError", "the reason")
    assert "raise ApplicationError" in (error.cause.failure.stack_trace if error.cause.failure else "")


async def test_next_retry_delay(client: Client, name: str, cache: int):
    async with worker(client, name, cache, OneActivity, takes_its_time):
        result = await outcome(client, name, Call("takes_its_time", {"start_to_close_timeout": 10}))

    assert result == "waited"


@pytest.mark.parametrize(
    "name_of, options, kind",
    [
        ("nobody", {"schedule_to_start_timeout": 0.2, "start_to_close_timeout": 5}, TimeoutType.SCHEDULE_TO_START),
        ("stuck", {"start_to_close_timeout": 0.2}, TimeoutType.START_TO_CLOSE),
        ("stuck", {"schedule_to_close_timeout": 0.3}, TimeoutType.SCHEDULE_TO_CLOSE),
        ("stuck", {"start_to_close_timeout": 20, "heartbeat_timeout": 0.2}, TimeoutType.HEARTBEAT),
    ],
    ids=["timeout_s2s", "timeout_stc", "timeout_s2c", "timeout_heartbeat"],
)
async def test_timeouts(
    client: Client, name: str, cache: int, name_of: str, options: dict[str, float], kind: TimeoutType
):
    served = [] if name_of == "nobody" else [stuck]
    async with worker(client, name, cache, OneActivity, *served, no_remote_activities=not served):
        error = await failure(client, name, Call(name_of, options, attempts=1))

    assert isinstance(error.cause, TimeoutError)
    # A schedule-to-close timeout is told as such, though the attempt was cut off by it as well.
    allowed = {kind} | ({TimeoutType.START_TO_CLOSE} if kind == TimeoutType.SCHEDULE_TO_CLOSE else set())
    assert error.cause.type in allowed


async def test_timeout_heartbeat_details(client: Client, name: str, cache: int):
    call = Call("beats_once", {"start_to_close_timeout": 20, "heartbeat_timeout": 0.5}, attempts=1)
    async with worker(client, name, cache, OneActivity, beats_once):
        error = await failure(client, name, call)

    assert isinstance(error.cause, TimeoutError)
    assert list(error.cause.last_heartbeat_details) == ["the last", 7]


async def test_timed_out_attempt_is_followed_by_another(client: Client, name: str, cache: int):
    call = Call("beats_once", {"start_to_close_timeout": 20, "heartbeat_timeout": 0.5})
    async with worker(client, name, cache, OneActivity, beats_once):
        assert await outcome(client, name, call) == "went on after ['the last', 7]"


async def test_heartbeat_details_next_attempt(client: Client, name: str, cache: int):
    async with worker(client, name, cache, OneActivity, beats_and_fails):
        result = await outcome(client, name, Call("beats_and_fails", {"start_to_close_timeout": 10}))

    assert result == "['second']"


# Cancellation


@activity.defn
async def waits_for_cancellation(name: str) -> str:
    """Signals that it runs, heartbeats until it is cancelled, and takes a little to clean up."""
    await activity.client().get_workflow_handle(name).signal(OneActivity.begin)
    try:
        while True:
            activity.heartbeat()
            await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        details = activity.cancellation_details()
        assert details is not None and details.cancel_requested
        raise


@activity.defn
async def ignores_cancellation(name: str) -> str:
    try:
        await waits_for_cancellation(name)
    except asyncio.CancelledError:
        pass
    return "done all the same"


@activity.defn
def threaded_and_cancelled(name: str) -> str:
    asyncio.run_coroutine_threadsafe(_tell(name), LOOPS[name]).result()
    while True:
        activity.heartbeat()
        time.sleep(0.05)  # A CancelledError is raised here.


LOOPS: dict[str, asyncio.AbstractEventLoop] = {}
CLIENTS: dict[str, Client] = {}


async def _tell(name: str) -> None:
    await CLIENTS[name].get_workflow_handle(name).signal(OneActivity.begin)


BEATING = {"start_to_close_timeout": 20.0, "heartbeat_timeout": 1.0}


async def test_cancel_unstarted(client: Client, name: str, cache: int):
    call = Call("hello", {"start_to_close_timeout": 10}, cancel="before", cancellation_type=1)
    async with worker(client, name, cache, OneActivity, no_remote_activities=True):
        error = await failure(client, name, call)

    assert isinstance(error.cause, CancelledError)
    assert await events(client.get_workflow_handle(name), "activity_task_canceled")
    assert not await events(client.get_workflow_handle(name), "activity_task_started")


@pytest.mark.parametrize("kind", [0, 1, 2], ids=["try_cancel", "wait_cancellation_completed", "abandon"])
async def test_cancel_started_via_heartbeat(client: Client, name: str, cache: int, kind: int):
    call = Call("waits_for_cancellation", BEATING, cancel="after", cancellation_type=kind, attempts=1)
    async with worker(client, name, cache, OneActivity, waits_for_cancellation):
        error = await failure(client, name, call)

    assert isinstance(error.cause, CancelledError)
    handle = client.get_workflow_handle(name)
    assert bool(await events(handle, "activity_task_cancel_requested")) == (kind != 2)
    if kind == 1:
        assert await events(handle, "activity_task_canceled")


async def test_cancellation_that_the_activity_ignores(client: Client, name: str, cache: int):
    call = Call("ignores_cancellation", BEATING, cancel="after", cancellation_type=1)
    async with worker(client, name, cache, OneActivity, ignores_cancellation):
        assert await outcome(client, name, call) == "done all the same"


async def test_cancel_threaded(client: Client, name: str, cache: int):
    LOOPS[name], CLIENTS[name] = asyncio.get_running_loop(), client
    call = Call("threaded_and_cancelled", BEATING, cancel="after", cancellation_type=1)
    async with worker(client, name, cache, OneActivity, threaded_and_cancelled):
        error = await failure(client, name, call)

    assert isinstance(error.cause, CancelledError)


# Completion by somebody else

TOKENS: dict[str, bytes] = {}


@activity.defn
async def somebody_else(name: str) -> str:
    TOKENS[name] = activity.info().task_token
    activity.raise_complete_async()


async def test_complete_by_token(client: Client, name: str, cache: int):
    async with worker(client, name, cache, OneActivity, somebody_else):
        running = asyncio.ensure_future(
            outcome(client, name, Call("somebody_else", {"start_to_close_timeout": 20}))
        )
        token = await until(lambda: _token(name))
        handle = client.get_async_activity_handle(task_token=token)
        await handle.heartbeat("alive")
        await handle.complete("by its token")

        assert await running == "by its token"


async def _token(name: str) -> Any:
    return TOKENS.get(name)


@pytest.mark.parametrize("way", ["complete", "fail", "cancelled"])
async def test_complete_by_id(client: Client, name: str, cache: int, way: str):
    async with worker(client, name, cache, OneActivity, somebody_else):
        call = Call("somebody_else", {"start_to_close_timeout": 20}, attempts=1, cancellation_type=1)
        call.cancel = "after" if way == "cancelled" else ""
        running = asyncio.ensure_future(outcome(client, name, call))
        await until(lambda: _token(name))
        workflow_handle = client.get_workflow_handle(name)
        description = await until(lambda: _pending(workflow_handle))
        handle = client.get_async_activity_handle(
            workflow_id=name, run_id=None, activity_id=description[0].activity_id
        )
        if way == "complete":
            await handle.complete("by its id")
            assert await running == "by its id"
            return
        if way == "fail":
            await handle.fail(ApplicationError("by its id", type="Other"))
        else:
            await workflow_handle.signal(OneActivity.begin)
            await until(lambda: events(workflow_handle, "activity_task_cancel_requested"))
            await handle.report_cancellation("enough")
        with pytest.raises(WorkflowFailureError) as raised:
            await running

    assert isinstance(raised.value.cause, ActivityError)
    cause = raised.value.cause.cause
    if way == "fail":
        assert isinstance(cause, ApplicationError) and cause.type == "Other"
    else:
        assert isinstance(cause, CancelledError) and list(cause.details) == ["enough"]


async def _pending(handle: Any) -> Any:
    return (await handle.describe()).raw_description.pending_activities


# Other ways of writing and calling them


class Counter:
    def __init__(self) -> None:
        self.count = 0

    @activity.defn
    async def increase(self, by: int) -> int:
        self.count += by
        return self.count


@activity.defn(dynamic=True)
async def anything(args: Sequence[RawValue]) -> str:
    values = [activity.payload_converter().from_payload(each.payload) for each in args]
    return f"{activity.info().activity_type}{values}"


@workflow.defn
class Many:
    @workflow.run
    async def run(self) -> list[Any]:
        options = {"start_to_close_timeout": timedelta(seconds=10)}
        method = workflow.execute_activity_method(Counter.increase, 5, **options)
        unknown = workflow.execute_activity("whatever", args=[1, "two"], result_type=str, **options)
        first = await asyncio.gather(method, unknown)
        fan = [workflow.execute_activity_method(Counter.increase, 0, **options) for _ in range(8)]
        return [*first, len(await asyncio.gather(*fan))]


async def test_methods_dynamic_and_many_at_once(client: Client, name: str, cache: int):
    async with worker(client, name, cache, Many, Counter().increase, anything):
        result = await client.execute_workflow(Many.run, id=name, task_queue=name)

    assert result == [5, "whatever[1, 'two']", 8]


async def test_an_unknown_activity_says_what_there_is(client: Client, name: str, cache: int):
    async with worker(client, name, cache, OneActivity, hello):
        error = await failure(client, name, Call("helo", {"start_to_close_timeout": 10}, attempts=1))

    assert isinstance(error.cause, ApplicationError) and error.cause.type == "NotFoundError"
    assert "helo is not registered" in error.cause.message and "hello" in error.cause.message
