"""Activities that no workflow has: started, awaited, described, listed, stopped and changed by a client."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from chimera import activity, common
from chimera.client import (
    ActivityExecutionDescription,
    ActivityExecutionStatus,
    ActivityFailureError,
    ActivityOptionsKeys,
    Client,
    Interceptor,
    OutboundInterceptor,
    PendingActivityState,
    StartActivityInput,
)
from chimera.exceptions import ActivityAlreadyStartedError, ApplicationError, CancelledError, TerminatedError
from chimera.service import RPCError, RPCStatusCode
from chimera.worker import Worker

SOON = timedelta(seconds=20)


@pytest.fixture(autouse=True)
async def has_them(client: Client) -> None:
    """The genuine server 1.29 has none."""
    from chimera.api.workflowservice.v1 import DescribeNamespaceRequest

    reply = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    if not reply.namespace_info.capabilities.standalone_activities:
        pytest.skip("this server has no activities that stand alone")


@activity.defn
async def greet(name: str) -> str:
    info = activity.info()
    assert info.workflow_id is None
    return f"{name}/{info.activity_id}/{info.attempt}"


@activity.defn
async def fails() -> None:
    raise ApplicationError("no", type="Refused", non_retryable=True)


class Greeter:
    @activity.defn
    def greet_in_thread(self, name: str) -> str:
        return f"thread {name}"


async def test_result_description_and_counts(client: Client, name: str) -> None:
    async with Worker(client, task_queue=name, activities=[greet]):
        handle = await client.start_activity(
            greet,
            "you",
            id=name,
            task_queue=name,
            start_to_close_timeout=SOON,
            summary="of it",
            priority=common.Priority(priority_key=2),
        )
        assert await handle.result() == f"you/{name}/1"
        assert await client.get_activity_handle(name, result_type=str).result() == f"you/{name}/1"
    description = await handle.describe(include_input=True, include_outcome=True)
    assert isinstance(description, ActivityExecutionDescription)
    assert description.status == ActivityExecutionStatus.COMPLETED
    assert description.activity_run_id == handle.run_id
    assert description.run_state is None
    assert description.priority.priority_key == 2
    assert description.start_to_close_timeout == SOON
    assert await description.input([str]) == ["you"]
    assert description.has_result() and await description.result(str) == f"you/{name}/1"
    assert not description.has_outcome_failure() and not description.has_last_failure()
    query = f"ActivityId = '{name}'"
    for _ in range(100):  # The genuine server lists it a little later.
        if (await client.count_activities(f"{query} AND ExecutionStatus = 'Completed'")).count == 1:
            break
        await asyncio.sleep(0.2)
    listed = [each async for each in client.list_activities(query)]
    assert [(each.activity_type, each.status) for each in listed] == [("greet", ActivityExecutionStatus.COMPLETED)]
    groups = (await client.count_activities(f"{query} GROUP BY ExecutionStatus")).groups
    assert [(group.count, group.group_values) for group in groups] == [(1, ["Completed"])]


async def test_failures_and_ids(client: Client, name: str) -> None:
    options: dict[str, Any] = {"id": name, "task_queue": name, "start_to_close_timeout": SOON}
    async with Worker(client, task_queue=name, activities=[fails]):
        with pytest.raises(ActivityFailureError) as failed:
            await client.execute_activity(fails, **options)
    assert isinstance(failed.value.cause, ApplicationError) and failed.value.cause.type == "Refused"
    handle = await client.start_activity("greet", "you", **options)
    with pytest.raises(ActivityAlreadyStartedError) as taken:
        await client.start_activity("greet", "you", **options)
    assert (taken.value.activity_id, taken.value.run_id) == (name, handle.run_id)
    used = await client.start_activity(
        "greet", "you", id_conflict_policy=common.ActivityIDConflictPolicy.USE_EXISTING, **options
    )
    assert used.run_id == handle.run_id
    await handle.terminate(reason="enough")
    with pytest.raises(ActivityFailureError) as ended:
        await handle.result()
    assert isinstance(ended.value.cause, TerminatedError)
    with pytest.raises(ValueError, match="start_to_close_timeout or schedule_to_close_timeout"):
        await client.start_activity("greet", id=name, task_queue=name)
    with pytest.raises(RPCError) as missing:
        await client.get_activity_handle(f"{name}-none").describe()
    assert missing.value.status == RPCStatusCode.NOT_FOUND


async def test_cancelled_by_a_heartbeat(client: Client, name: str) -> None:
    begun = asyncio.Event()

    @activity.defn
    async def waits() -> None:
        begun.set()
        while True:
            activity.heartbeat("here")
            await asyncio.sleep(0.02)

    async with Worker(client, task_queue=name, activities=[waits]):
        handle = await client.start_activity(
            waits, id=name, task_queue=name, start_to_close_timeout=SOON, heartbeat_timeout=timedelta(seconds=5)
        )
        await begun.wait()
        assert (await handle.describe()).run_state == PendingActivityState.STARTED
        await handle.cancel(reason="enough")
        with pytest.raises(ActivityFailureError) as cancelled:
            await handle.result()
    assert isinstance(cancelled.value.cause, CancelledError)
    assert (await handle.describe()).canceled_reason == "enough"


async def test_methods_and_interceptors(client: Client, name: str) -> None:
    seen: list[str] = []

    class Outbound(OutboundInterceptor):
        async def start_activity(self, input: StartActivityInput) -> Any:
            seen.append(input.activity_type)
            return await super().start_activity(input)

    class Watching(Interceptor):
        def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
            return Outbound(next)

    watched = Client(**{**client.config(), "interceptors": [Watching()]})
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as threads:
        async with Worker(client, task_queue=name, activities=[Greeter().greet_in_thread], activity_executor=threads):
            greeting = await watched.execute_activity_method(
                Greeter.greet_in_thread, "you", id=name, task_queue=name, schedule_to_close_timeout=SOON
            )
    assert greeting == "thread you"
    assert seen == ["greet_in_thread"]


async def test_options_that_are_none(client: Client, name: str) -> None:
    handle = client.get_activity_handle(name)
    with pytest.raises(ValueError, match="at least one update"):
        await handle.update_options([])
    key = ActivityOptionsKeys.heartbeat_timeout
    with pytest.raises(ValueError, match="more than one update for heartbeat_timeout"):
        await handle.update_options([key.value_set(SOON), key.value_unset()])
