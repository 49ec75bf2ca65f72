"""Nexus operations: called by workflows, and handled by workers."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import nexusrpc
import pytest
from live_support import EXECUTOR, ROOT, events, until, worker
from nexusrpc.handler import StartOperationContext, service_handler, sync_operation

from chimera import nexus, workflow
from chimera.api.common.v1 import Payload
from chimera.api.workflowservice.v1 import GetSystemInfoRequest
from chimera.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowUpdateStage
from chimera.common import WorkflowIDConflictPolicy
from chimera.converter import DataConverter, NexusSerializationContext, PayloadCodec, WithSerializationContext
from chimera.exceptions import ApplicationError, CancelledError, NexusOperationError, TimeoutError, TimeoutType
from chimera.testing import WorkflowEnvironment
from chimera.worker import (
    CustomSlotSupplier,
    ExecuteNexusOperationStartInput,
    FixedSizeSlotSupplier,
    Interceptor,
    NexusOperationInboundInterceptor,
    NexusSlotInfo,
    SlotPermit,
    StartNexusOperationInput,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkerTuner,
    WorkflowInboundInterceptor,
    WorkflowOutboundInterceptor,
)
from chimera.workflow import NexusOperationCancellationType

SECONDS = timedelta(seconds=1)


@pytest.fixture
async def endpoint(env: WorkflowEnvironment, name: str) -> AsyncIterator[str]:
    """The name of an endpoint whose task queue is the case's."""
    made = await env.create_nexus_endpoint(name, name)
    yield name
    await env.delete_nexus_endpoint(made)


@nexusrpc.service
class Desk:
    greet: nexusrpc.Operation[str, str]
    ask: nexusrpc.Operation[str, str]
    work: nexusrpc.Operation[str, str]
    vote: nexusrpc.Operation[str, int]


@workflow.defn
class Work:
    """Behind `work`."""

    def __init__(self) -> None:
        self.votes = 0
        self.done = False

    @workflow.run
    async def run(self, how: str) -> str:
        if how == "fail":
            raise ApplicationError("it went wrong", type="Wrong")
        if how == "linger":
            try:
                await workflow.sleep(2)
            except asyncio.CancelledError:
                await workflow.sleep(1)
        if how == "wait":
            try:
                await workflow.wait_condition(lambda: self.done)
            except asyncio.CancelledError:
                # Long enough to see which came first.
                await workflow.sleep(1)
                raise
        return f"done: {how}"

    @workflow.signal
    def end(self) -> None:
        self.done = True

    @workflow.update
    async def vote(self, how: str) -> int:
        if how == "later":
            await workflow.sleep(0.2)
        self.votes += 1
        return self.votes


@service_handler(service=Desk)
class DeskHandler:
    def __init__(self) -> None:
        self.asked = threading.Event()
        self.seen: dict[str, Any] = {}

    @sync_operation
    async def greet(self, ctx: StartOperationContext, who: str) -> str:
        self.seen = {"headers": dict(ctx.headers), "deadline": ctx.request_deadline, "info": nexus.info()}
        if who == "nobody":
            raise nexusrpc.OperationError("nobody is here", state=nexusrpc.OperationErrorState.FAILED)
        if who == "gone":
            raise nexusrpc.OperationError("they have gone", state=nexusrpc.OperationErrorState.CANCELED)
        if who == "":
            raise nexusrpc.HandlerError("who?", type=nexusrpc.HandlerErrorType.BAD_REQUEST)
        if who == "stranger":
            raise ApplicationError("no stranger", type="Stranger", non_retryable=True)
        return f"Hello, {who}!"

    @sync_operation
    def ask(self, ctx: StartOperationContext, how: str) -> str:
        self.asked.set()
        if how == "shutdown":
            nexus.wait_for_worker_shutdown_sync(20)
            return "at the end"
        if how == "cancel":
            assert ctx.task_cancellation.wait_until_cancelled_sync(20)
            return "unheard"
        return nexus.info().task_queue

    @nexus.workflow_run_operation
    async def work(self, ctx: nexus.WorkflowRunOperationContext, how: str) -> nexus.WorkflowHandle[str]:
        shared = how.startswith("shared-")
        return await ctx.start_workflow(
            Work.run,
            "wait" if shared else how,
            id=how if shared else f"work-{ctx.request_id}",
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )

    @nexus.temporal_operation
    async def vote(
        self, ctx: nexus.TemporalStartOperationContext, client: nexus.TemporalNexusClient, input: str
    ) -> nexus.TemporalOperationResult[int]:
        workflow_id, how = input.split(" ")
        return await client.start_workflow_update(
            workflow_id, Work.vote, how, wait_for_stage=WorkflowUpdateStage.ACCEPTED
        )


def chain(error: BaseException | None) -> list[str]:
    """What an error says, and its causes."""
    said = []
    while error is not None:
        said.append(f"{type(error).__name__}: {error}")
        error = error.__cause__
    return said


def serves(client: Client, queue: str, *workflows: type, cache: int = 1000, **options: Any) -> Worker:
    """A worker of workflows and the desk."""
    options.setdefault("nexus_service_handlers", [DeskHandler()])
    options.setdefault("nexus_task_executor", EXECUTOR)
    return worker(client, queue, cache, Work, *workflows, workflow_runner=UnsandboxedWorkflowRunner(), **options)


# Calls


@workflow.defn
class Calls:
    @workflow.run
    async def run(self, endpoint: str) -> list[Any]:
        desk = workflow.create_nexus_client(service=Desk, endpoint=endpoint)
        by_name = workflow.create_nexus_client(service="Desk", endpoint=endpoint)
        handle = await desk.start_operation(Desk.work, "x", summary="to do", headers={"Colour": "blue"})
        sync = await desk.start_operation(DeskHandler.greet, "you", headers={"Colour": "red"})
        return [
            handle.operation_token is not None,
            await handle,
            sync.operation_token,
            await sync,
            await by_name.execute_operation("ask", "where", output_type=str),
        ]


async def test_workflows_call_operations(client: Client, name: str, endpoint: str, cache: int) -> None:
    handler = DeskHandler()
    async with serves(client, name, Calls, cache=cache, nexus_service_handlers=[handler]):
        handle = await client.start_workflow(Calls.run, endpoint, id=name, task_queue=name)
        assert await handle.result() == [True, "done: x", None, "Hello, you!", name]

    assert handler.seen["headers"]["colour"] == "red"
    assert handler.seen["deadline"] is not None
    assert (handler.seen["info"].namespace, handler.seen["info"].task_queue) == ("default", name)
    scheduled = await events(handle, "nexus_operation_scheduled")
    assert [(each.service, each.operation) for each in scheduled][:2] == [("Desk", "work"), ("Desk", "greet")]
    history = await handle.fetch_history()
    summaries = [each.user_metadata.summary.data for each in history.events if each.user_metadata.HasField("summary")]
    assert summaries == [b'"to do"']


@workflow.defn
class Fails:
    @workflow.run
    async def run(self, endpoint: str) -> list[Any]:
        desk = workflow.create_nexus_client(service=Desk, endpoint=endpoint)
        said: list[Any] = []
        for operation, value in (("greet", "nobody"), ("greet", "gone"), ("greet", ""), ("greet", "stranger"),
                                 ("work", "fail"), ("sell", ""), ("greet", 7)):  # fmt: skip
            try:
                await desk.execute_operation(operation, value)  # type: ignore
                said.append("no error")
            except NexusOperationError as err:
                said.append([err.endpoint == endpoint, err.service, err.operation, bool(err.operation_token)])
                said.append(chain(err))
        return said


async def test_errors_say_what_handlers_said(client: Client, name: str, endpoint: str) -> None:
    async with serves(client, name, Fails):
        said = await client.execute_workflow(Fails.run, endpoint, id=name, task_queue=name)

    attributes, chains = said[::2], said[1::2]
    assert attributes == [
        *[[True, "Desk", "greet", False]] * 4,
        [True, "Desk", "work", True],
        [True, "Desk", "sell", False],
        [True, "Desk", "greet", False],
    ]
    nobody, gone, who, stranger, wrong, unknown, number = chains
    assert nobody[1] == "ApplicationError: OperationError: nobody is here"
    assert gone[1] == "CancelledError: they have gone"
    assert who[1].startswith("HandlerError: ") and who[1].endswith("who?")
    assert "Handler failed with non-retryable application error" in stranger[1]
    assert "no stranger" in stranger[-1]
    assert wrong[-1] == "ApplicationError: Wrong: it went wrong"
    assert "has no operation 'sell'" in unknown[1]
    assert "Payload converter failed to decode Nexus operation input" in number[1]


@workflow.defn
class Hurries:
    @workflow.run
    async def run(self, endpoint: str) -> int | None:
        desk = workflow.create_nexus_client(service=Desk, endpoint=endpoint)
        try:
            await desk.execute_operation(Desk.work, "wait", schedule_to_close_timeout=1 * SECONDS)
        except NexusOperationError as err:
            assert isinstance(err.__cause__, TimeoutError)
            return err.__cause__.type
        return None


async def test_an_operation_times_out(client: Client, name: str, endpoint: str) -> None:
    async with serves(client, name, Hurries):
        kind = await client.execute_workflow(Hurries.run, endpoint, id=name, task_queue=name)

    assert kind == TimeoutType.SCHEDULE_TO_CLOSE


# Cancellation


@workflow.defn
class Cancels:
    @workflow.run
    async def run(self, endpoint: str, kind: int, early: bool) -> list[str]:
        desk = workflow.create_nexus_client(service=Desk, endpoint=endpoint)
        options: Any = {"cancellation_type": NexusOperationCancellationType(kind)}
        if early:
            call = asyncio.create_task(desk.execute_operation(Desk.work, "wait", **options))
            await asyncio.sleep(0)
        else:
            call = await desk.start_operation(Desk.work, "wait", **options)
        call.cancel()
        try:
            return [await call]
        except NexusOperationError as err:
            return chain(err)


@pytest.mark.parametrize("kind", NexusOperationCancellationType, ids=lambda kind: kind.name)
async def test_a_cancelled_operation_ends_by_its_cancellation_type(
    client: Client, name: str, endpoint: str, kind: NexusOperationCancellationType
) -> None:
    async with serves(client, name, Cancels):
        handle = await client.start_workflow(
            Cancels.run, args=[endpoint, int(kind), False], id=name, task_queue=name
        )
        said = await handle.result()
        assert said[0].startswith("NexusOperationError") and said[-1].startswith("CancelledError")

        requested = await events(handle, "nexus_operation_cancel_requested")
        completed = await events(handle, "nexus_operation_canceled")
        assert len(requested) == (kind is not NexusOperationCancellationType.ABANDON)
        assert len(completed) == (kind is NexusOperationCancellationType.WAIT_COMPLETED)
        (started,) = await events(handle, "nexus_operation_started")
        behind = client.get_workflow_handle(
            nexus.WorkflowHandle[str].from_token(started.operation_token or started.operation_id).workflow_id
        )
        if kind is NexusOperationCancellationType.WAIT_COMPLETED:
            assert (await behind.describe()).status is WorkflowExecutionStatus.CANCELED
        if kind is NexusOperationCancellationType.ABANDON:
            assert (await behind.describe()).status is WorkflowExecutionStatus.RUNNING
            await behind.terminate()


@pytest.mark.parametrize("kind", NexusOperationCancellationType, ids=lambda kind: kind.name)
async def test_an_operation_that_is_cancelled_before_it_was_scheduled_never_starts(
    client: Client, name: str, endpoint: str, kind: NexusOperationCancellationType
) -> None:
    async with serves(client, name, Cancels):
        handle = await client.start_workflow(
            Cancels.run, args=[endpoint, int(kind), True], id=name, task_queue=name
        )
        said = await handle.result()

    assert said[0].startswith("NexusOperationError") and said[-1].startswith("CancelledError")
    assert await events(handle, "nexus_operation_scheduled") == []


@workflow.defn
class Lingers:
    """Its operation ends after it was cancelled, with a result."""

    @workflow.run
    async def run(self, endpoint: str, kind: int) -> list[str]:
        desk = workflow.create_nexus_client(service=Desk, endpoint=endpoint)
        call = await desk.start_operation(
            Desk.work, "linger", cancellation_type=NexusOperationCancellationType(kind)
        )
        await asyncio.sleep(0.2)
        call.cancel()
        try:
            told = [await call]
        except NexusOperationError as err:
            told = chain(err)
        await asyncio.sleep(2)
        return told


@pytest.mark.parametrize("kind", NexusOperationCancellationType, ids=lambda kind: kind.name)
async def test_what_ends_after_its_cancellation_does_no_harm(
    client: Client, name: str, endpoint: str, cache: int, kind: NexusOperationCancellationType
) -> None:
    async with serves(client, name, Lingers, cache=cache):
        handle = await client.start_workflow(Lingers.run, args=[endpoint, int(kind)], id=name, task_queue=name)
        told = await asyncio.wait_for(handle.result(), 20)

    if kind is NexusOperationCancellationType.WAIT_COMPLETED:
        assert told == ["done: linger"]
    else:
        assert told[0].startswith("NexusOperationError") and told[-1].startswith("CancelledError")
    assert len(await events(handle, "nexus_operation_completed")) == 1
    assert await events(handle, "workflow_task_failed") == []


@workflow.defn
class Waits:
    @workflow.run
    async def run(self, endpoint: str, how: str) -> str:
        desk = workflow.create_nexus_client(service=Desk, endpoint=endpoint)
        return await desk.execute_operation(Desk.work, how)


async def test_a_cancelled_workflow_cancels_the_workflow_behind_its_operation(
    client: Client, name: str, endpoint: str
) -> None:
    async with serves(client, name, Waits):
        handle = await client.start_workflow(Waits.run, args=[endpoint, "wait"], id=name, task_queue=name)
        await until(lambda: events(handle, "nexus_operation_started"))

        await handle.cancel()

        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()
        assert isinstance(raised.value.cause, CancelledError)
        assert await events(handle, "nexus_operation_canceled")


# What stands behind operations


async def test_operations_share_a_workflow_and_each_has_its_result(client: Client, name: str, endpoint: str) -> None:
    shared = f"shared-{name}"
    async with serves(client, name, Waits):
        callers = [
            await client.start_workflow(Waits.run, args=[endpoint, shared], id=f"{name}-{i}", task_queue=name)
            for i in range(2)
        ]
        for caller in callers:
            await until(lambda caller=caller: events(caller, "nexus_operation_started"))

        behind = client.get_workflow_handle_for(Work.run, shared)
        await behind.signal(Work.end)

        assert [await caller.result() for caller in callers] == ["done: wait"] * 2
        (started,) = await events(behind, "workflow_execution_started")
        (attached,) = await events(behind, "workflow_execution_options_updated")
        assert len(started.completion_callbacks) == len(attached.attached_completion_callbacks) == 1


async def test_caller_and_workflow_link_to_each_other(client: Client, name: str, endpoint: str) -> None:
    async with serves(client, name, Waits):
        caller = await client.start_workflow(Waits.run, args=[endpoint, "x"], id=name, task_queue=name)
        await caller.result()

    history = await caller.fetch_history()
    (event,) = [each for each in history.events if each.HasField("nexus_operation_started_event_attributes")]
    (link,) = event.links
    behind = client.get_workflow_handle(link.workflow_event.workflow_id)
    assert behind.id.startswith("work-")
    (started,) = await events(behind, "workflow_execution_started")
    first = (await behind.fetch_history()).events[0]
    (back,) = [*started.completion_callbacks[0].links] or [*first.links]
    assert back.workflow_event.workflow_id == name
    (scheduled,) = [each for each in history.events if each.HasField("nexus_operation_scheduled_event_attributes")]
    assert back.workflow_event.event_ref.event_id == scheduled.event_id


@workflow.defn
class Votes:
    @workflow.run
    async def run(self, endpoint: str, workflow_id: str, how: str) -> int:
        desk = workflow.create_nexus_client(service=Desk, endpoint=endpoint)
        return await desk.execute_operation(Desk.vote, f"{workflow_id} {how}", schedule_to_close_timeout=10 * SECONDS)


async def test_an_update_that_ends_at_once_is_an_operations_result(client: Client, name: str, endpoint: str) -> None:
    async with serves(client, name, Votes):
        behind = await client.start_workflow(Work.run, "wait", id=f"{name}-behind", task_queue=name)
        votes = await client.execute_workflow(
            Votes.run, args=[endpoint, behind.id, "now"], id=name, task_queue=name
        )
        assert votes == 1
        await behind.signal(Work.end)
        await behind.result()


# Interceptors, codecs, slots


class Tells(Interceptor):
    """Says in a header what the workflow calls, and hears of it where it is handled."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def workflow_interceptor_class(self, input: Any) -> type[WorkflowInboundInterceptor]:
        class Outbound(WorkflowOutboundInterceptor):
            async def start_nexus_operation(self, input: StartNexusOperationInput[Any, Any]) -> Any:
                input.headers = {**(input.headers or {}), "told": f"{input.service}.{input.operation_name}"}
                return await super().start_nexus_operation(input)

        class Inbound(WorkflowInboundInterceptor):
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(Outbound(outbound))

        return Inbound

    def intercept_nexus_operation(self, next: NexusOperationInboundInterceptor) -> NexusOperationInboundInterceptor:
        heard = self.heard

        class Inbound(NexusOperationInboundInterceptor):
            async def execute_nexus_operation_start(self, input: ExecuteNexusOperationStartInput) -> Any:
                heard.append(input.ctx.headers["told"])
                return await super().execute_nexus_operation_start(input)

        return Inbound(next)


async def test_interceptors_are_on_both_sides(client: Client, name: str, endpoint: str) -> None:
    tells = Tells()
    async with serves(client, name, Waits, interceptors=[tells]):
        await client.execute_workflow(Waits.run, args=[endpoint, "x"], id=name, task_queue=name)

    assert tells.heard == ["Desk.work"]


class ByService(PayloadCodec, WithSerializationContext):
    """Marks values of operations with their service and operation."""

    def __init__(self, key: bytes = b"none") -> None:
        self.key = key

    def with_context(self, context: Any) -> "ByService":
        is_nexus = isinstance(context, NexusSerializationContext)
        return ByService(f"{context.service}.{context.operation}".encode() if is_nexus else b"none")

    async def encode(self, payloads: Any) -> Any:
        metadata = {"encoding": b"test/sealed", "key": self.key}
        return [Payload(metadata=metadata, data=payload.SerializeToString()[::-1]) for payload in payloads]

    async def decode(self, payloads: Any) -> Any:
        # The result of a workflow behind an operation was encoded as a workflow's.
        assert all(payload.metadata["key"] in (self.key, b"none") for payload in payloads)
        return [Payload.FromString(payload.data[::-1]) for payload in payloads]


async def test_the_codec_has_the_context_of_the_operation(client: Client, name: str, endpoint: str) -> None:
    config = client.config()
    config["data_converter"] = DataConverter(payload_codec=ByService())
    coded = Client(**config)
    async with serves(coded, name, Calls):
        handle = await coded.start_workflow(Calls.run, endpoint, id=name, task_queue=name)
        assert (await handle.result())[:4] == [True, "done: x", None, "Hello, you!"]

    scheduled = await events(handle, "nexus_operation_scheduled")
    assert [each.input.metadata["key"] for each in scheduled] == [b"Desk.work", b"Desk.greet", b"Desk.ask"]
    completed = await events(handle, "nexus_operation_completed")
    assert b"Desk.greet" in [each.result.metadata["key"] for each in completed]


class Counts(CustomSlotSupplier):
    def __init__(self) -> None:
        self.reserved: list[str] = []
        self.used: list[Any] = []
        self.released: list[Any] = []

    async def reserve_slot(self, ctx: Any) -> SlotPermit:
        self.reserved.append(ctx.slot_type)
        return SlotPermit()

    def try_reserve_slot(self, ctx: Any) -> SlotPermit | None:
        return None

    def mark_slot_used(self, ctx: Any) -> None:
        assert isinstance(ctx.slot_info, NexusSlotInfo)
        self.used.append((ctx.slot_info.service, ctx.slot_info.operation))

    def release_slot(self, ctx: Any) -> None:
        if ctx.slot_info is not None:
            self.released.append((ctx.slot_info.service, ctx.slot_info.operation))


async def test_a_custom_slot_supplier_is_told_of_service_and_operation(
    client: Client, name: str, endpoint: str
) -> None:
    counts = Counts()
    fixed = FixedSizeSlotSupplier(10)
    tuner = WorkerTuner.create_composite(
        workflow_supplier=fixed, activity_supplier=fixed, local_activity_supplier=fixed, nexus_supplier=counts
    )
    async with serves(client, name, Waits, tuner=tuner):
        await client.execute_workflow(Waits.run, args=[endpoint, "x"], id=name, task_queue=name)

    assert set(counts.reserved) == {"nexus"}
    assert counts.used == counts.released == [("Desk", "work")]


# The end of a worker


@workflow.defn
class Asks:
    @workflow.run
    async def run(self, endpoint: str, how: str) -> str:
        desk = workflow.create_nexus_client(service=Desk, endpoint=endpoint)
        return await desk.execute_operation(Desk.ask, how, schedule_to_close_timeout=20 * SECONDS)


async def test_a_worker_of_services_alone_ends_once_its_handlers_have_answered(
    client: Client, name: str, endpoint: str
) -> None:
    handler = DeskHandler()
    callers = f"{name}-callers"
    async with worker(client, callers, 1000, Asks, workflow_runner=UnsandboxedWorkflowRunner()):
        async with Worker(
            client,
            task_queue=name,
            nexus_service_handlers=[handler],
            nexus_task_executor=EXECUTOR,
            graceful_shutdown_timeout=20 * SECONDS,
        ):
            handle = await client.start_workflow(Asks.run, args=[endpoint, "shutdown"], id=name, task_queue=callers)
            await asyncio.get_running_loop().run_in_executor(None, handler.asked.wait, 20)

        assert await handle.result() == "at the end"


async def test_handlers_are_told_to_stop_after_the_grace(client: Client, name: str, endpoint: str) -> None:
    """The caller is answered by the next worker."""
    handler, second = DeskHandler(), ThreadPoolExecutor(1)
    callers = f"{name}-callers"
    async with worker(client, callers, 1000, Asks, workflow_runner=UnsandboxedWorkflowRunner()):
        served = Worker(client, task_queue=name, nexus_service_handlers=[handler], nexus_task_executor=second)
        async with served:
            await client.start_workflow(Asks.run, args=[endpoint, "cancel"], id=name, task_queue=callers)
            await asyncio.get_running_loop().run_in_executor(None, handler.asked.wait, 20)

        assert served.is_shutdown
        second.shutdown()  # It was told in its thread, too: this does not hang.
        await client.get_workflow_handle(name).terminate()



# The document


async def test_the_example_of_the_document(client: Client, name: str, endpoint: str) -> None:
    text = (ROOT / "docs/nexus.md").read_text()
    code = "".join(re.findall(r"^```python\n(.*?)^```", text, re.M | re.S))
    scope: dict[str, Any] = {"__name__": "example"}
    exec(compile(code, "nexus.md", "exec"), scope)
    async with Worker(
        client,
        task_queue=name,
        workflows=[scope["Cooking"], scope["Guest"]],
        nexus_service_handlers=[scope["KitchenHandler"]()],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        soup = await client.execute_workflow("Guest", args=[endpoint, "soup"], id=name, task_queue=name)
        assert soup == "soup is ready"
        with pytest.raises(WorkflowFailureError) as raised:
            await client.execute_workflow("Guest", args=[endpoint, "moon"], id=name, task_queue=name)

        told = await client.workflow_service.get_system_info(GetSystemInfoRequest())
        if not told.server_version.startswith("1.29"):
            assert await scope["order"](client, endpoint, "soup") == "soup is ready"
            assert "not on the menu" in await scope["order"](client, endpoint, "moon")

    assert "not on the menu" in chain(raised.value)[-1]
