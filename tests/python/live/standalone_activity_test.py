"""Activities that a client starts by itself. Servers before 1.32 know no such calls."""

import asyncio
import concurrent.futures
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from live_support import until

from chimera import activity
from chimera.api.workflowservice.v1 import GetSystemInfoRequest
from chimera.client import (
    ActivityExecutionStatus,
    ActivityFailureError,
    ActivityHandle,
    ActivityOptionsKeys,
    Client,
    Interceptor,
    OutboundInterceptor,
    PendingActivityState,
    StartActivityInput,
)
from chimera.common import ActivityIDConflictPolicy, ActivityIDReusePolicy, Priority, RetryPolicy
from chimera.exceptions import (
    ActivityAlreadyStartedError,
    ApplicationError,
    CancelledError,
    TerminatedError,
    TimeoutError,
    TimeoutType,
)
from chimera.service import RPCError, RPCStatusCode
from chimera.worker import Worker

QUICK = timedelta(seconds=20)


@dataclass
class Order:
    item: str
    count: int


@activity.defn
async def pack(order: Order, boxes: int) -> str:
    info = activity.info()
    return f"{order.count} {order.item} in {boxes} of {info.activity_id}/{info.workflow_id}"


@activity.defn
def fail_twice(message: str) -> int:
    if activity.info().attempt < 3:
        raise ApplicationError(message, type="Again")
    return activity.info().attempt


@activity.defn
def refuse() -> int:
    raise ApplicationError("never", type="No", non_retryable=True)


@activity.defn
async def beat() -> None:
    """Until it is asked to stop."""
    while True:
        activity.heartbeat("beat")
        await asyncio.sleep(0.05)


class Doubled:
    @activity.defn
    async def double(self, number: int) -> int:
        return 2 * number


@activity.defn
class Tripled:
    async def __call__(self, number: int) -> int:
        return 3 * number


@pytest.fixture(autouse=True)
async def known(client: Client) -> None:
    told = await client.workflow_service.get_system_info(GetSystemInfoRequest())
    if told.server_version.startswith("1.29"):
        pytest.skip("server 1.29 has no activities that stand alone")


@pytest.fixture
def threads() -> Iterator[concurrent.futures.Executor]:
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        yield pool


@pytest.fixture
def worker(client: Client, name: str, threads: concurrent.futures.Executor) -> Worker:
    return Worker(
        client,
        task_queue=name,
        activities=[pack, fail_twice, refuse, beat, Doubled().double, Tripled()],
        activity_executor=threads,
        max_heartbeat_throttle_interval=timedelta(milliseconds=50),
    )


@pytest.fixture
def options(name: str) -> dict[str, Any]:
    return {"id": uuid.uuid4().hex, "task_queue": name, "start_to_close_timeout": QUICK}


async def failure_of(handle: ActivityHandle[Any]) -> BaseException:
    with pytest.raises(ActivityFailureError) as caught:
        await handle.result()
    return caught.value.cause


async def test_an_activity_runs_without_a_workflow(client: Client, worker: Worker, options: dict[str, Any]) -> None:
    async with worker:
        handle = await client.start_activity(pack, args=[Order("cups", 7), 2], **options)
        assert handle.id == options["id"] and handle.run_id
        assert await handle.result() == f"7 cups in 2 of {handle.id}/None"
        assert await handle.result() == await client.get_activity_handle(handle.id, result_type=str).result()

        other = {**options, "id": uuid.uuid4().hex}
        by_name = await client.execute_activity("pack", args=[Order("cups", 1), 1], result_type=str, **other)
        assert by_name.startswith("1 cups in 1")
        assert await client.execute_activity_method(Doubled.double, 4, **{**other, "id": "d" + other["id"]}) == 8
        assert await client.execute_activity_class(Tripled, 4, **{**other, "id": "t" + other["id"]}) == 12


async def test_a_description_has_what_is_asked_for(client: Client, worker: Worker, options: dict[str, Any]) -> None:
    async with worker:
        handle = await client.start_activity(
            pack,
            args=[Order("cups", 7), 2],
            summary="cups for Ann",
            retry_policy=RetryPolicy(maximum_attempts=3),
            priority=Priority(priority_key=2),
            **options,
        )
        await handle.result()
        plain = await handle.describe()
        assert plain.status == ActivityExecutionStatus.COMPLETED
        assert (plain.activity_id, plain.activity_run_id, plain.activity_type) == (handle.id, handle.run_id, "pack")
        assert plain.attempt == 1 and plain.start_to_close_timeout == QUICK
        assert plain.retry_policy and plain.retry_policy.maximum_attempts == 3
        assert plain.priority == Priority(priority_key=2)
        assert plain.close_time and plain.close_time >= plain.schedule_time
        assert not plain.has_input() and not plain.has_result() and await plain.result() is None

        whole = await handle.describe(include_input=True, include_outcome=True)
        assert await whole.input([Order, int]) == [Order("cups", 7), 2]
        assert whole.has_result() and await whole.result(str) == await handle.result()


async def test_it_is_tried_again_and_fails_as_it_does(
    client: Client, worker: Worker, options: dict[str, Any]
) -> None:
    async with worker:
        soon = RetryPolicy(initial_interval=timedelta(milliseconds=10))
        assert await client.execute_activity(fail_twice, "later", retry_policy=soon, **options) == 3
        refused = await client.start_activity(refuse, **{**options, "id": uuid.uuid4().hex})
        cause = await failure_of(refused)
        assert isinstance(cause, ApplicationError) and cause.type == "No"
        described = await refused.describe(include_outcome=True, include_last_failure=True)
        assert described.status == ActivityExecutionStatus.FAILED
        assert "never" in str(await described.outcome_failure())


async def test_it_stops_when_it_is_asked_to(client: Client, worker: Worker, options: dict[str, Any]) -> None:
    async with worker:
        handle = await client.start_activity(beat, heartbeat_timeout=timedelta(seconds=1), **options)

        async def runs() -> bool:
            return (await handle.describe()).run_state == PendingActivityState.STARTED

        await until(runs)
        await handle.cancel(reason="enough")
        assert isinstance(await failure_of(handle), CancelledError)
        described = await handle.describe()
        assert (described.status, described.canceled_reason) == (ActivityExecutionStatus.CANCELED, "enough")

        ended = await client.start_activity(
            beat, heartbeat_timeout=timedelta(seconds=1), **{**options, "id": uuid.uuid4().hex}
        )
        await ended.terminate(reason="at once")
        assert isinstance(await failure_of(ended), TerminatedError)
        assert (await ended.describe()).status == ActivityExecutionStatus.TERMINATED


async def test_a_timeout_ends_it(client: Client, options: dict[str, Any]) -> None:
    handle = await client.start_activity("nobody's", schedule_to_start_timeout=timedelta(milliseconds=100), **options)
    cause = await failure_of(handle)
    assert isinstance(cause, TimeoutError) and cause.type == TimeoutType.SCHEDULE_TO_START


async def test_the_policies_say_what_becomes_of_an_id_that_is_taken(
    client: Client, worker: Worker, options: dict[str, Any]
) -> None:
    first = await client.start_activity(pack, args=[Order("cups", 7), 2], **options)
    with pytest.raises(ActivityAlreadyStartedError) as caught:
        await client.start_activity(pack, args=[Order("cups", 7), 2], **options)
    assert (caught.value.activity_id, caught.value.run_id) == (first.id, first.run_id)
    same = await client.start_activity(
        "pack", id_conflict_policy=ActivityIDConflictPolicy.USE_EXISTING, **options
    )
    assert same.run_id == first.run_id
    async with worker:
        await first.result()
    with pytest.raises(ActivityAlreadyStartedError):
        await client.start_activity("pack", id_reuse_policy=ActivityIDReusePolicy.REJECT_DUPLICATE, **options)
    assert (await client.start_activity("pack", **options)).run_id != first.run_id


async def test_its_options_change_while_it_waits(client: Client, options: dict[str, Any]) -> None:
    handle = await client.start_activity("nobody's", result_type=int, **options)
    keys = ActivityOptionsKeys
    changed = await handle.update_options(
        [
            keys.start_to_close_timeout.value_set(timedelta(seconds=7)),
            keys.priority.value_set(Priority(priority_key=4)),
        ]
    )
    assert changed.start_to_close_timeout == timedelta(seconds=7)
    assert changed.priority == Priority(priority_key=4)
    assert (await handle.restore_original_options()).start_to_close_timeout == QUICK
    with pytest.raises(ValueError, match="at least one update"):
        await handle.update_options([])
    with pytest.raises(ValueError, match="more than one update for priority"):
        await handle.update_options([keys.priority.value_unset(), keys.priority.value_unset()])

    await handle.pause(reason="a moment")
    assert (await handle.describe()).run_state == PendingActivityState.PAUSED
    await handle.unpause(reason="go on")
    await client.get_async_activity_handle(activity_id=handle.id, run_id=handle.run_id).complete(5)
    assert await handle.result() == 5


async def test_lists_find_them(client: Client, worker: Worker, name: str, options: dict[str, Any]) -> None:
    ids = [uuid.uuid4().hex for _ in range(3)]
    async with worker:
        for id in ids:
            await client.execute_activity_method(Doubled.double, 1, **{**options, "id": id})

    async def all_are_there() -> bool:
        return (await client.count_activities(f"TaskQueue = '{name}'")).count == 3

    await until(all_are_there)
    found = [each async for each in client.list_activities(f"TaskQueue = '{name}'", page_size=2)]
    assert sorted(each.activity_id for each in found) == sorted(ids)
    assert {each.status for each in found} == {ActivityExecutionStatus.COMPLETED}
    (group,) = (await client.count_activities(f"TaskQueue = '{name}' GROUP BY ExecutionStatus")).groups
    assert (group.count, list(group.group_values)) == (3, ["Completed"])


async def test_interceptors_see_the_calls(client: Client, worker: Worker, options: dict[str, Any]) -> None:
    seen: list[str] = []

    class Outbound(OutboundInterceptor):
        async def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
            seen.append(input.activity_type)
            input.args = [input.args[0] + 1]
            handle: ActivityHandle[Any] = await super().start_activity(input)
            return handle

    class Interceptors(Interceptor):
        def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
            return Outbound(super().intercept_client(next))

    config = client.config()
    config["interceptors"] = [Interceptors()]
    async with worker:
        assert await Client(**config).execute_activity_method(Doubled.double, 4, **options) == 10
    assert seen == ["double"]


async def test_what_cannot_be_is_refused(client: Client, options: dict[str, Any]) -> None:
    del options["start_to_close_timeout"]
    with pytest.raises(ValueError, match="must have start_to_close_timeout or schedule_to_close_timeout"):
        await client.start_activity("x", **options)
    with pytest.raises(ValueError, match="start_delay"):
        await client.start_activity(
            "x", start_to_close_timeout=QUICK, start_delay=timedelta(seconds=-1), **options
        )
    with pytest.raises(RPCError) as caught:
        await client.get_activity_handle("no-such-activity").result()
    assert caught.value.status == RPCStatusCode.NOT_FOUND
