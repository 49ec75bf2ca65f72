"""Nexus operations that a client calls by itself. Servers before 1.32 know no such calls."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import nexusrpc
import pytest
from live_support import CITY, EXECUTOR, until
from nexusrpc.handler import StartOperationContext, service_handler, sync_operation

from chimera import activity, nexus, workflow
from chimera.api.common.v1 import Payload
from chimera.api.workflowservice.v1 import GetSystemInfoRequest
from chimera.client import (
    CancelNexusOperationInput,
    Client,
    CountNexusOperationsInput,
    DescribeNexusOperationInput,
    GetNexusOperationResultInput,
    Interceptor,
    ListNexusOperationsInput,
    NexusClient,
    NexusOperationFailureError,
    NexusOperationHandle,
    OutboundInterceptor,
    StartNexusOperationInput,
    TerminateNexusOperationInput,
)
from chimera.common import (
    NexusOperationCancellationState,
    NexusOperationExecutionStatus as Status,
    NexusOperationIDConflictPolicy,
    NexusOperationIDReusePolicy,
    PendingNexusOperationExecutionState,
    SearchAttributePair,
    TypedSearchAttributes,
)
from chimera.converter import DataConverter, NexusSerializationContext, PayloadCodec, WithSerializationContext
from chimera.exceptions import (
    ApplicationError,
    CancelledError,
    NexusOperationAlreadyStartedError,
    TerminatedError,
    TimeoutError,
    TimeoutType,
)
from chimera.service import RPCError, RPCStatusCode
from chimera.testing import WorkflowEnvironment
from chimera.worker import UnsandboxedWorkflowRunner, Worker

QUICK = timedelta(seconds=20)


@dataclass
class Parcel:
    item: str
    count: int


@nexusrpc.service
class Depot:
    weigh: nexusrpc.Operation[Parcel, int]
    send: nexusrpc.Operation[str, str]
    load: nexusrpc.Operation[str, str]


@activity.defn
async def load(what: str) -> str:
    """Behind the operation of that name."""
    if what == "lead":
        raise ApplicationError("too heavy", type="Heavy", non_retryable=True)
    while what == "sand":
        activity.heartbeat()
        await asyncio.sleep(0.05)
    return f"{what} is loaded"


@workflow.defn
class Loading:
    @workflow.run
    async def run(self, endpoint: str, what: str) -> str:
        depot = workflow.create_nexus_client(service=Depot, endpoint=endpoint)
        return await depot.execute_operation(Depot.load, what)


@workflow.defn
class Delivery:
    @workflow.run
    async def run(self, where: str) -> str:
        if where == "nowhere":
            raise ApplicationError("no such place", type="Address")
        if where == "far":
            await workflow.wait_condition(lambda: False)
        return f"arrived at {where}"


@service_handler(service=Depot)
class DepotHandler:
    @sync_operation
    async def weigh(self, ctx: StartOperationContext, parcel: Parcel) -> int:
        if parcel.item == "air":
            raise nexusrpc.OperationError("nothing to weigh", state=nexusrpc.OperationErrorState.FAILED)
        if parcel.item == "bomb":
            raise nexusrpc.HandlerError("not here", type=nexusrpc.HandlerErrorType.UNAUTHORIZED)
        if parcel.item == "broken":
            raise RuntimeError("the scales are broken")
        return len(parcel.item) * parcel.count + len(ctx.headers.get("more", ""))

    @nexus.workflow_run_operation
    async def send(self, ctx: nexus.WorkflowRunOperationContext, where: str) -> nexus.WorkflowHandle[str]:
        return await ctx.start_workflow(Delivery.run, where, id=f"delivery-{ctx.request_id}")

    @nexus.temporal_operation
    async def load(
        self, ctx: nexus.TemporalStartOperationContext, client: nexus.TemporalNexusClient, what: str
    ) -> nexus.TemporalOperationResult[str]:
        return await client.start_activity(
            load,
            what,
            id=f"load-{ctx.request_id}",
            start_to_close_timeout=QUICK,
            heartbeat_timeout=timedelta(seconds=5),
        )


@pytest.fixture(autouse=True)
async def known(client: Client) -> None:
    told = await client.workflow_service.get_system_info(GetSystemInfoRequest())
    if told.server_version.startswith("1.29"):
        pytest.skip("server 1.29 has no operations that stand alone")


@pytest.fixture
async def depot(env: WorkflowEnvironment, client: Client, name: str) -> AsyncIterator[NexusClient[Depot]]:
    """Calls its worker."""
    made = await env.create_nexus_endpoint(name, name)
    yield client.create_nexus_client(Depot, name)
    await env.delete_nexus_endpoint(made)


@pytest.fixture
def worker(client: Client, name: str) -> Worker:
    return serving(client, name)


def serving(client: Client, name: str) -> Worker:
    return Worker(
        client,
        task_queue=name,
        workflows=[Delivery, Loading],
        activities=[load],
        max_heartbeat_throttle_interval=timedelta(milliseconds=50),
        nexus_service_handlers=[DepotHandler()],
        nexus_task_executor=EXECUTOR,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )


async def cause_of(handle: NexusOperationHandle[Any]) -> BaseException:
    with pytest.raises(NexusOperationFailureError, match=r"^Nexus operation execution failed") as caught:
        await handle.result()
    with pytest.raises(NexusOperationFailureError) as again:  # Without another call.
        await handle.result()
    assert again.value is caught.value
    return caught.value.cause


async def started(handle: NexusOperationHandle[Any]) -> None:
    async def is_started() -> bool:
        return (await handle.describe()).state == PendingNexusOperationExecutionState.STARTED

    await until(is_started)


async def test_operations_end_with_results(
    client: Client, depot: NexusClient[Depot], worker: Worker, name: str
) -> None:
    by_name = client.create_nexus_client("Depot", name)
    async with worker:
        assert await depot.execute_operation(Depot.weigh, Parcel("tea", 2), id="a" + name) == 6
        more = await depot.execute_operation(
            DepotHandler.weigh, Parcel("tea", 2), id="b" + name, headers={"more": "x"}
        )
        assert more == 7
        handle = await depot.start_operation(DepotHandler.send, "home", id="c" + name)
        assert (handle.operation_id, handle.endpoint, handle.service) == ("c" + name, name, "Depot")
        assert await handle.result() == "arrived at home" == await handle.result()
        assert await by_name.execute_operation("weigh", Parcel("tea", 3), id="d" + name, result_type=int) == 9

    typed = client.get_nexus_operation_handle("c" + name, operation=Depot.send)
    assert await typed.result() == "arrived at home"
    old = client.get_nexus_operation_handle("c" + name, run_id=handle.run_id, result_type=str)
    assert (await old.result(), old.endpoint) == ("arrived at home", "")


async def test_causes_say_how_it_failed(depot: NexusClient[Depot], worker: Worker, name: str) -> None:
    async with worker:
        failed = await depot.start_operation(Depot.weigh, Parcel("air", 1), id="a" + name)
        assert "nothing to weigh" in str(await cause_of(failed))
        assert (await failed.describe()).status == Status.FAILED
        refused = await cause_of(await depot.start_operation(Depot.weigh, Parcel("bomb", 1), id="b" + name))
        assert isinstance(refused, nexusrpc.HandlerError) and refused.type == nexusrpc.HandlerErrorType.UNAUTHORIZED
        address = await cause_of(await depot.start_operation(Depot.send, "nowhere", id="c" + name))
        assert isinstance(address, ApplicationError) and (address.type, address.message) == ("Address", "no such place")


async def test_a_handler_that_fails_is_asked_again(depot: NexusClient[Depot], worker: Worker, name: str) -> None:
    async with worker:
        handle = await depot.start_operation(
            Depot.weigh, Parcel("broken", 1), id=name, schedule_to_close_timeout=timedelta(seconds=4)
        )

        async def tried() -> Any:
            told = await handle.describe()
            return told if told.last_attempt_failure is not None else None

        told = await until(tried)
        assert told.attempt >= 1 and "the scales are broken" in str(told.last_attempt_failure.__cause__ or "")
        assert told.state.name in ("BACKING_OFF", "SCHEDULED")
        cause = await cause_of(handle)
    assert isinstance(cause, TimeoutError) and cause.type == TimeoutType.SCHEDULE_TO_CLOSE
    assert (await handle.describe()).status == Status.TIMED_OUT


async def test_ids_in_use(client: Client, depot: NexusClient[Depot], worker: Worker, name: str) -> None:
    async with worker:
        first = await depot.start_operation(Depot.send, "far", id=name)
        with pytest.raises(NexusOperationAlreadyStartedError, match="execution already started") as caught:
            await depot.start_operation(Depot.send, "far", id=name)
        assert (caught.value.operation_id, caught.value.run_id) == (name, first.run_id)
        same = await depot.start_operation(
            Depot.send, "far", id=name, id_conflict_policy=NexusOperationIDConflictPolicy.USE_EXISTING
        )
        assert same.run_id == first.run_id
        await first.terminate(reason="enough")
        only_failed = NexusOperationIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
        second = await depot.start_operation(Depot.send, "home", id=name, id_reuse_policy=only_failed)
        await second.result()
        assert second.run_id != first.run_id
        for policy in (only_failed, NexusOperationIDReusePolicy.REJECT_DUPLICATE):
            with pytest.raises(NexusOperationAlreadyStartedError):
                await depot.start_operation(Depot.send, "home", id=name, id_reuse_policy=policy)
    assert isinstance(await cause_of(client.get_nexus_operation_handle(name, run_id=first.run_id)), TerminatedError)


async def test_cancel_reaches_the_handler(depot: NexusClient[Depot], worker: Worker, name: str) -> None:
    async with worker:
        handle = await depot.start_operation(Depot.send, "far", id=name)
        await started(handle)
        await handle.cancel(reason="changed my mind")
        assert isinstance(await cause_of(handle), CancelledError)
        told = await handle.describe()
    assert told.status == Status.CANCELED and told.cancellation_info is not None
    assert told.cancellation_info.reason == "changed my mind"
    # Its answer may come after the end.
    assert told.cancellation_info.state in (
        NexusOperationCancellationState.SCHEDULED,
        NexusOperationCancellationState.SUCCEEDED,
    )
    assert told.operation_token and told.close_time


async def test_terminate_asks_nobody(depot: NexusClient[Depot], worker: Worker, name: str) -> None:
    handle = await depot.start_operation(Depot.send, "far", id=name)  # Nobody polls.
    await handle.terminate(reason="enough")
    cause = await cause_of(handle)
    assert isinstance(cause, TerminatedError) and cause.message == "enough"
    with pytest.raises(RPCError) as caught:
        await handle.terminate()
    assert caught.value.status in (RPCStatusCode.FAILED_PRECONDITION, RPCStatusCode.NOT_FOUND)


async def test_timeouts(depot: NexusClient[Depot], worker: Worker, name: str) -> None:
    one = timedelta(seconds=1)
    waits = await depot.start_operation(Depot.send, "far", id="a" + name, schedule_to_start_timeout=one)
    cause = await cause_of(waits)
    assert isinstance(cause, TimeoutError) and cause.type == TimeoutType.SCHEDULE_TO_START
    async with worker:
        runs = await depot.start_operation(Depot.send, "far", id="b" + name, start_to_close_timeout=one)
        cause = await cause_of(runs)
    assert isinstance(cause, TimeoutError) and cause.type == TimeoutType.START_TO_CLOSE


async def test_what_the_server_tells(client: Client, depot: NexusClient[Depot], worker: Worker, name: str) -> None:
    before = datetime.now(timezone.utc) - timedelta(seconds=5)
    city = TypedSearchAttributes([SearchAttributePair(CITY, name)])
    async with worker:
        far = await depot.start_operation(
            Depot.send,
            "far",
            id="far" + name,
            search_attributes=city,
            summary="a long way",
            schedule_to_close_timeout=timedelta(minutes=5),
        )
        await depot.execute_operation(Depot.weigh, Parcel("tea", 2), id="tea" + name, search_attributes=city)
        await started(far)
        told = await far.describe()

        async def both() -> Any:
            found = [each async for each in client.list_nexus_operations(f"City = '{name}'")]
            closed = [each for each in found if each.close_time is not None]
            return found if len(found) == 2 and closed else None

        listed = {each.operation_id: each for each in await until(both)}
        counts = await client.count_nexus_operations(f"City = '{name}' GROUP BY ExecutionStatus")
        one = [each async for each in client.list_nexus_operations(f"City = '{name}'", limit=1)]
        await far.terminate()

    assert (told.operation_id, told.run_id, told.endpoint, told.service, told.operation) == (
        "far" + name, far.run_id, name, "Depot", "send",
    )
    assert (told.status, told.state, told.attempt) == (Status.RUNNING, PendingNexusOperationExecutionState.STARTED, 1)
    assert (await told.static_summary(), await told.static_details()) == ("a long way", None)
    assert told.schedule_to_close_timeout == timedelta(minutes=5) and told.schedule_time and told.expiration_time
    assert told.schedule_time > before and told.expiration_time - told.schedule_time == timedelta(minutes=5)
    assert told.identity == client.identity and told.search_attributes == city
    assert told.close_time is None and told.cancellation_info is None and told.blocked_reason is None
    tea = listed["tea" + name]
    assert (tea.status, tea.operation, tea.search_attributes[CITY]) == (Status.COMPLETED, "weigh", name)
    assert tea.execution_duration is not None and tea.execution_duration < QUICK
    assert listed["far" + name].status == Status.RUNNING and len(one) == 1
    assert counts.count == 2
    assert {(group.count, *group.group_values) for group in counts.groups} == {(1, "Running"), (1, "Completed")}


async def test_what_is_wrong_is_said_at_once(client: Client, depot: NexusClient[Depot], name: str) -> None:
    with pytest.raises(ValueError, match=r"^Operation callable is not"):
        await depot.start_operation(len, "x", id=name)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match=r"^Operation is not a Nexus operation: 5$"):
        await depot.start_operation(5, "x", id=name)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="class or a name"):
        client.create_nexus_client(5, name)  # type: ignore[type-var,arg-type]
    nowhere = client.create_nexus_client(Depot, "nowhere-" + name)
    with pytest.raises(RPCError) as caught:
        await nowhere.start_operation(Depot.send, "x", id=name)
    assert caught.value.status == RPCStatusCode.NOT_FOUND and "nowhere-" in caught.value.message
    with pytest.raises(RPCError) as caught:
        await depot.start_operation(Depot.send, "x", id="")
    assert caught.value.status == RPCStatusCode.INVALID_ARGUMENT
    absent = client.get_nexus_operation_handle("absent-" + name)
    calls: Sequence[Callable[[], Any]] = (absent.result, absent.describe, absent.cancel, absent.terminate)
    for call in calls:
        with pytest.raises(RPCError) as caught:
            await call()
        assert caught.value.status == RPCStatusCode.NOT_FOUND


class Notes(Interceptor):
    """What passes, by name."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        seen = self.seen

        class Outbound(OutboundInterceptor):
            async def start_nexus_operation(self, input: StartNexusOperationInput) -> Any:
                seen.append(f"start {input.service}.{input.operation}")
                input.headers = {**input.headers, "more": "xx"}
                return await super().start_nexus_operation(input)

            async def get_nexus_operation_result(self, input: GetNexusOperationResultInput) -> Any:
                seen.append(f"result {input.operation}")
                return await super().get_nexus_operation_result(input)

            async def describe_nexus_operation(self, input: DescribeNexusOperationInput) -> Any:
                seen.append("describe")
                return await super().describe_nexus_operation(input)

            async def cancel_nexus_operation(self, input: CancelNexusOperationInput) -> None:
                seen.append(f"cancel {input.reason}")
                await super().cancel_nexus_operation(input)

            async def terminate_nexus_operation(self, input: TerminateNexusOperationInput) -> None:
                seen.append(f"terminate {input.reason}")
                await super().terminate_nexus_operation(input)

            def list_nexus_operations(self, input: ListNexusOperationsInput) -> Any:
                seen.append("list")
                return super().list_nexus_operations(input)

            async def count_nexus_operations(self, input: CountNexusOperationsInput) -> Any:
                seen.append("count")
                return await super().count_nexus_operations(input)

        return Outbound(next)


async def test_interceptors_see_each_call(
    client: Client, depot: NexusClient[Depot], worker: Worker, name: str
) -> None:
    notes = Notes()
    seeing = Client(client.service_client, namespace=client.namespace, interceptors=[notes])
    calls = seeing.create_nexus_client(Depot, name)
    async with worker:
        assert await calls.execute_operation(Depot.weigh, Parcel("tea", 2), id="a" + name) == 8
        handle = await calls.start_operation(Depot.send, "far", id="b" + name)
        await handle.describe()
        await handle.cancel(reason="one")
        await handle.terminate(reason="two")
        async for _ in seeing.list_nexus_operations("OperationId = 'none'"):
            raise AssertionError("there is none")
        await seeing.count_nexus_operations()
    started = ["start Depot.weigh", "result weigh", "start Depot.send"]
    assert notes.seen == [*started, "describe", "cancel one", "terminate two", "list", "count"]


class ByOperation(PayloadCodec, WithSerializationContext):
    """Marks values with their endpoint and operation."""

    def __init__(self, key: bytes = b"none") -> None:
        self.key = key

    def with_context(self, context: Any) -> "ByOperation":
        is_nexus = isinstance(context, NexusSerializationContext)
        return ByOperation(f"{context.endpoint}.{context.operation}".encode() if is_nexus else b"none")

    async def encode(self, payloads: Any) -> Any:
        metadata = {"encoding": b"test/sealed", "key": self.key}
        return [Payload(metadata=metadata, data=payload.SerializeToString()[::-1]) for payload in payloads]

    async def decode(self, payloads: Any) -> Any:
        assert all(payload.metadata["key"] == self.key for payload in payloads)
        return [Payload.FromString(payload.data[::-1]) for payload in payloads]


async def test_the_codec_has_the_context_of_the_operation(client: Client, depot: NexusClient[Depot], name: str) -> None:
    coded = Client(
        client.service_client, namespace=client.namespace, data_converter=DataConverter(payload_codec=ByOperation())
    )
    async with serving(coded, name):
        calls = coded.create_nexus_client(Depot, name)
        assert await calls.execute_operation(Depot.weigh, Parcel("tea", 2), id=name, summary="said") == 6
        assert await (await coded.get_nexus_operation_handle(name).describe()).static_summary() == "said"


async def test_an_activity_is_behind_the_operation(
    client: Client, depot: NexusClient[Depot], worker: Worker, name: str
) -> None:
    async with worker:
        handle = await depot.start_operation(Depot.load, "tea", id="a" + name)
        assert await handle.result() == "tea is loaded"
        told = await handle.describe()
        (link,) = told.raw_description.links
        behind = client.get_activity_handle(link.activity.activity_id, run_id=link.activity.run_id)
        assert behind.id == f"load-{told.request_id}" and await behind.result() == "tea is loaded"
        by_workflow = await client.execute_workflow(Loading.run, args=[name, "milk"], id=name, task_queue=name)
        assert by_workflow == "milk is loaded"
        cause = await cause_of(await depot.start_operation(Depot.load, "lead", id="b" + name))
        while cause.__cause__ is not None:
            cause = cause.__cause__
        assert isinstance(cause, ApplicationError) and cause.message == "too heavy"
        endless = await depot.start_operation(Depot.load, "sand", id="c" + name)
        await started(endless)
        await endless.cancel()
        assert isinstance(await cause_of(endless), CancelledError)


async def test_many_at_once(depot: NexusClient[Depot], worker: Worker, name: str) -> None:
    async with worker:
        calls = [
            depot.execute_operation(Depot.send, f"place {number}", id=f"{name}-{number}") for number in range(20)
        ]
        assert await asyncio.gather(*calls) == [f"arrived at place {number}" for number in range(20)]
