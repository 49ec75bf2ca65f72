"""Nexus handlers on a fake bridge: how they answer, fail and are cancelled, and what they add to the client's calls."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import types
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import nexusrpc
import pytest
from fake_bridge import play_bridge
from fake_core import PAYLOADS, START_NS, decode
from nexusrpc.handler import (
    CancelOperationContext,
    OperationHandler,
    StartOperationContext,
    StartOperationResultAsync,
    operation_handler,
    service_handler,
    sync_operation,
)

import chimera._border as border
from chimera import common, converter, exceptions, nexus
from chimera.api.failure.v1 import Failure
from chimera.api.nexus.v1 import Request, Response
from chimera.client import Client
from chimera.service import RPCError, RPCStatusCode
from chimera.worker import (
    ExecuteNexusOperationStartInput,
    Interceptor,
    NexusOperationInboundInterceptor,
)
from chimera.worker._nexus_worker import NexusWorker

TIMED_OUT, WORKER_SHUTDOWN = 0, 1


class FakeNexusBridge:
    def __init__(self, queue: Any, start: Any, cancel: Any) -> None:
        self.start, self.cancel = start, cancel
        self.done: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    def complete(self, token: bytes, status: str, value: bytes | None) -> None:
        self.done.put_nowait((status, value))


class FakeCoreWorker:
    def __init__(self) -> None:
        self.services: dict[str, FakeNexusBridge] = {}

    def add_nexus_service(self, name: str, bridge: FakeNexusBridge) -> None:
        self.services[name] = bridge


@pytest.fixture(autouse=True)
def fake_bridge(monkeypatch: pytest.MonkeyPatch) -> None:
    play_bridge(monkeypatch, NexusBridge=FakeNexusBridge)


@dataclass
class Order:
    item: str
    count: int


@nexusrpc.service
class Shop:
    buy: nexusrpc.Operation[Order, str]
    ask: nexusrpc.Operation[str, str]
    wait: nexusrpc.Operation[None, str]
    ship: nexusrpc.Operation[str, str]


class Ship(OperationHandler[str, str]):
    """Goes on after its start."""

    cancelled: list[str]

    def __init__(self) -> None:
        self.cancelled = []

    async def start(self, ctx: StartOperationContext, input: str) -> Any:
        ctx.outbound_links.append(nexusrpc.Link(url="temporal:///somewhere", type="a.type"))
        return StartOperationResultAsync(f"ship {input}") if input != "nothing" else None

    def cancel(self, ctx: CancelOperationContext, token: str) -> None:
        assert nexus.in_operation()
        if token == "lost":
            raise nexusrpc.HandlerError("no such ship", type=nexusrpc.HandlerErrorType.NOT_FOUND)
        self.cancelled.append(token)


@service_handler(service=Shop)
class ShopHandler:
    def __init__(self) -> None:
        self.raises: BaseException | None = None
        self.seen: Any = None
        self.shipping = Ship()
        self.waits = asyncio.Event()

    @sync_operation
    async def buy(self, ctx: StartOperationContext, order: Order) -> str:
        self.seen = ctx, nexus.info()
        return f"{order.count} {order.item}"

    @sync_operation
    def ask(self, ctx: StartOperationContext, question: str) -> str:
        if self.raises is not None:
            raise self.raises
        return f"{question}? {nexus.info().task_queue}"

    @sync_operation
    async def wait(self, ctx: StartOperationContext, input: None) -> str:
        self.waits.set()
        try:
            await ctx.task_cancellation.wait_until_cancelled()
        finally:
            self.seen = ctx.task_cancellation.cancellation_reason()
        return "not interrupted"

    @operation_handler
    def ship(self) -> OperationHandler[str, str]:
        return self.shipping


class Harness:
    def __init__(
        self,
        *,
        data: converter.DataConverter = converter.default(),
        interceptors: Sequence[Interceptor] = (),
        client: Any = None,
    ) -> None:
        self.handler = ShopHandler()
        self.fatal: list[BaseException] = []
        self.worker = NexusWorker(
            task_queue="queue",
            service_handlers=[self.handler],
            executor=concurrent.futures.ThreadPoolExecutor(1),
            data_converter=data,
            interceptors=interceptors,
            metric_meter=common.MetricMeter.noop,
            client=client or types.SimpleNamespace(namespace="default"),
            on_fatal=self.fatal.append,
        )
        core = FakeCoreWorker()
        self.worker.register_with(core, None)  # type: ignore
        self.bridge = core.services["Shop"]

    def start(self, operation: str, value: Any = None, deadline: int | None = None, **fields: Any) -> None:
        request = Request(endpoint="endpoint", header={"who": "me"})
        start = request.start_operation
        start.service, start.operation, start.request_id = "Shop", operation, "request"
        payload = value if isinstance(value, type(start.payload)) else PAYLOADS.to_payload(value)
        start.payload.CopyFrom(payload)
        for name, field in fields.items():
            setattr(start, name, field)
        self.bridge.start(border.NexusTask(b"token", request.SerializeToString(), deadline))

    async def run(self, operation: str, value: Any = None, **options: Any) -> Response:
        self.start(operation, value, **options)
        status, answer = await self.bridge.done.get()
        assert status == "completed", Failure.FromString(answer or b"")
        return Response.FromString(answer)

    async def fails(self, operation: str, value: Any = None) -> Failure:
        self.start(operation, value)
        return await self.failure()

    async def failure(self) -> Failure:
        status, answer = await self.bridge.done.get()
        assert status == "failed", (status, answer)
        return Failure.FromString(answer)

    async def cancel(self, token: str) -> None:
        request = Request()
        request.cancel_operation.service, request.cancel_operation.operation = "Shop", "ship"
        request.cancel_operation.operation_token = token
        self.bridge.start(border.NexusTask(b"token", request.SerializeToString(), None))


async def test_a_handler_gets_its_input_and_all_that_the_request_says():
    harness = Harness()

    response = await harness.run("buy", {"item": "tea", "count": 2}, deadline=START_NS, callback="http://back")

    assert decode(response.start_operation.sync_success.payload.SerializeToString()) == "2 tea"
    context, info = harness.handler.seen
    assert (context.service, context.operation, context.request_id) == ("Shop", "buy", "request")
    assert (context.headers, context.callback_url) == ({"who": "me"}, "http://back")
    assert context.request_deadline == datetime.fromtimestamp(START_NS / 1e9, timezone.utc)
    assert info == nexus.Info("endpoint", "default", "queue")
    assert not nexus.in_operation()
    with pytest.raises(RuntimeError, match="Not in Nexus operation context"):
        nexus.info()


async def test_a_plain_function_runs_in_a_thread_and_knows_its_operation():
    assert decode(
        (await Harness().run("ask", "why")).start_operation.sync_success.payload.SerializeToString()
    ) == "why? queue"


async def test_an_operation_that_goes_on_has_a_token_and_links():
    started = (await Harness().run("ship", "tea")).start_operation.async_success

    assert started.operation_token == "ship tea"
    assert [(link.url, link.type) for link in started.links] == [("temporal:///somewhere", "a.type")]


async def test_a_start_that_returns_no_result_of_nexus_fails():
    failure = await Harness().fails("ship", "nothing")

    assert failure.message == "Internal handler error"
    assert "must return either nexusrpc.handler.StartOperationResultSync" in failure.cause.message


async def test_cancelling_calls_the_handler_in_a_thread():
    harness = Harness()
    await harness.cancel("ship tea")

    status, answer = await harness.bridge.done.get()

    assert status == "completed" and Response.FromString(answer).HasField("cancel_operation")
    assert harness.handler.shipping.cancelled == ["ship tea"]
    await harness.cancel("lost")
    assert (await harness.failure()).nexus_handler_failure_info.type == "NOT_FOUND"


@pytest.mark.parametrize(("state", "info"), [("FAILED", "application"), ("CANCELED", "canceled")])
async def test_an_operation_that_fails_at_its_start_is_no_handlers_error(state: str, info: str):
    harness = Harness()
    error = nexusrpc.OperationError("sold out", state=nexusrpc.OperationErrorState[state])
    error.__cause__ = ValueError("no tea")
    harness.handler.raises = error

    failure = (await harness.run("ask", "why")).start_operation.failure

    assert (failure.message, failure.cause.message) == ("sold out", "no tea")
    assert failure.WhichOneof("failure_info") == f"{info}_failure_info"
    assert state == "CANCELED" or failure.application_failure_info.non_retryable


def rpc_error(status: RPCStatusCode) -> RPCError:
    return RPCError("from the server", status, b"")


RETRYABLE, NON_RETRYABLE, UNSPECIFIED = 1, 2, 0


@pytest.mark.parametrize(
    ("error", "kind", "behavior", "message"),
    [
        (ValueError("x"), "INTERNAL", UNSPECIFIED, "Internal handler error"),
        (exceptions.ApplicationError("x", non_retryable=True), "INTERNAL", NON_RETRYABLE, "Handler failed"),
        (exceptions.ApplicationError("x"), "INTERNAL", RETRYABLE, "Handler failed"),
        (exceptions.WorkflowAlreadyStartedError("id", "type"), "INTERNAL", NON_RETRYABLE, "already started"),
        (rpc_error(RPCStatusCode.INVALID_ARGUMENT), "BAD_REQUEST", UNSPECIFIED, "from the server"),
        (rpc_error(RPCStatusCode.ALREADY_EXISTS), "INTERNAL", NON_RETRYABLE, "from the server"),
        (rpc_error(RPCStatusCode.UNAVAILABLE), "UNAVAILABLE", UNSPECIFIED, "from the server"),
        (rpc_error(RPCStatusCode.PERMISSION_DENIED), "INTERNAL", UNSPECIFIED, "from the server"),
        (rpc_error(RPCStatusCode.NOT_FOUND), "NOT_FOUND", UNSPECIFIED, "from the server"),
        (rpc_error(RPCStatusCode.RESOURCE_EXHAUSTED), "RESOURCE_EXHAUSTED", UNSPECIFIED, "from the server"),
        (rpc_error(RPCStatusCode.UNIMPLEMENTED), "NOT_IMPLEMENTED", UNSPECIFIED, "from the server"),
        (rpc_error(RPCStatusCode.DEADLINE_EXCEEDED), "UPSTREAM_TIMEOUT", UNSPECIFIED, "from the server"),
        (
            nexusrpc.HandlerError("no", type=nexusrpc.HandlerErrorType.CONFLICT, retryable_override=True),
            "CONFLICT",
            RETRYABLE,
            "no",
        ),
    ],
)
async def test_what_a_handler_raises_is_told_as_an_error_of_nexus(
    error: Exception, kind: str, behavior: int, message: str, caplog: pytest.LogCaptureFixture
):
    harness = Harness()
    harness.handler.raises = error

    failure = await harness.fails("ask", "why")

    info = failure.nexus_handler_failure_info
    assert (info.type, info.retry_behavior) == (kind, behavior)
    assert message in failure.message
    if not isinstance(error, nexusrpc.HandlerError):
        assert failure.cause.message
    assert "Failed to execute Nexus start operation method" in caplog.text


async def test_an_unknown_operation_and_an_input_of_another_type_are_the_callers_fault():
    harness = Harness()

    unknown = await harness.fails("sell", "tea")
    wrong = await harness.fails("buy", "tea")

    assert unknown.nexus_handler_failure_info.type == "NOT_FOUND"
    assert "has no operation 'sell'" in unknown.message
    assert wrong.nexus_handler_failure_info.type == "BAD_REQUEST"
    assert wrong.nexus_handler_failure_info.retry_behavior == NON_RETRYABLE
    assert wrong.message == "Payload converter failed to decode Nexus operation input"


class Reverses(converter.PayloadCodec, converter.WithSerializationContext):
    def __init__(self, context: Any = None) -> None:
        self.context = context

    def with_context(self, context: converter.SerializationContext) -> Reverses:
        return Reverses(context)

    async def encode(self, payloads: Any) -> Any:
        if self.context != converter.NexusSerializationContext("endpoint", "Shop", "ask"):
            raise ValueError(f"no key for {self.context}")
        return await self.decode(payloads)

    async def decode(self, payloads: Any) -> Any:
        for payload in payloads:
            if payload.data == b'"broken"':
                raise ValueError("broken")
            payload.data = payload.data[::-1]
        return payloads


async def test_the_codec_has_input_result_and_failures_in_the_context_of_the_operation():
    harness = Harness(data=converter.DataConverter(payload_codec=Reverses()))
    question = PAYLOADS.to_payload("why")
    question.data = question.data[::-1]

    answer = (await harness.run("ask", question)).start_operation.sync_success.payload
    assert answer.data == b'"why? queue"'[::-1]

    harness.handler.raises = exceptions.ApplicationError("x", "detail")
    failure = await harness.fails("ask", question)
    assert failure.cause.application_failure_info.details.payloads[0].data == b'"detail"'[::-1]

    broken = await harness.fails("ask", "broken")
    assert broken.nexus_handler_failure_info.type == "INTERNAL"
    assert broken.message == "Payload codec failed to decode Nexus operation input"


async def test_a_result_that_cannot_be_encoded_fails_and_so_does_its_failure(caplog: pytest.LogCaptureFixture):
    harness = Harness(data=converter.DataConverter(payload_codec=Reverses()))
    order = PAYLOADS.to_payload({"item": "tea", "count": 1})
    order.data = order.data[::-1]

    failure = await harness.fails("buy", order)

    assert "no key for NexusSerializationContext" in failure.cause.message
    harness.handler.raises = exceptions.ApplicationError("x", object())
    caplog.set_level(logging.ERROR)
    question = PAYLOADS.to_payload("why")
    question.data = question.data[::-1]
    unsent = await harness.fails("ask", question)
    assert unsent.message.startswith("Failed building exception result: ")
    assert unsent.nexus_handler_failure_info.type == "INTERNAL"


async def test_a_handler_that_is_told_to_stop_is_interrupted_and_told_why():
    harness = Harness()
    harness.start("wait")
    await harness.handler.waits.wait()

    harness.bridge.cancel(b"token", TIMED_OUT)

    assert await harness.bridge.done.get() == ("cancelled", None)
    assert harness.handler.seen == "TIMED_OUT"
    harness.bridge.cancel(b"token", TIMED_OUT)  # It has ended: no effect.


async def test_a_task_that_is_cancelled_before_its_first_step_is_answered():
    harness = Harness()
    harness.start("wait")

    harness.bridge.cancel(b"token", WORKER_SHUTDOWN)

    assert await harness.bridge.done.get() == ("cancelled", None)
    assert not harness.handler.waits.is_set()
    await harness.worker.wait_all_completed()


async def test_handlers_hear_of_the_workers_shutdown():
    seen: list[bool] = []

    class Waits(Interceptor):
        def intercept_nexus_operation(self, next: NexusOperationInboundInterceptor) -> NexusOperationInboundInterceptor:
            class Inbound(NexusOperationInboundInterceptor):
                async def execute_nexus_operation_start(self, input: ExecuteNexusOperationStartInput) -> Any:
                    seen.append(nexus.is_worker_shutdown())
                    await nexus.wait_for_worker_shutdown()
                    seen.append(nexus.is_worker_shutdown())
                    return await super().execute_nexus_operation_start(input)

            return Inbound(next)

    harness = Harness(interceptors=[Waits()])
    harness.start("ask", "why")
    while not seen:
        await asyncio.sleep(0)

    harness.worker.notify_shutdown()

    assert (await harness.bridge.done.get())[0] == "completed"
    assert seen == [False, True]


async def test_a_broken_executor_ends_the_worker():
    harness = Harness()
    harness.handler.raises = concurrent.futures.BrokenExecutor("gone")

    await harness.fails("ask", "why")

    assert [str(error) for error in harness.fatal] == ["Nexus worker failed"]


def test_plain_functions_need_an_executor():
    with pytest.raises(RuntimeError, match="you have not supplied an executor"):
        NexusWorker(
            task_queue="queue",
            service_handlers=[ShopHandler()],
            executor=None,
            data_converter=converter.default(),
            interceptors=(),
            metric_meter=common.MetricMeter.noop,
            client=None,  # type: ignore
            on_fatal=lambda error: None,
        )


# What is started for an operation


class FakeService:
    """Keeps the requests, and answers each as a server that knows links."""

    def __init__(self) -> None:
        self.requests: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        async def call(request: Any, **options: Any) -> Any:
            self.requests.append(request)
            raise RPCError(name, RPCStatusCode.UNAVAILABLE, b"")

        return call


@service_handler
class Flows:
    @nexus.workflow_run_operation
    async def run(self, ctx: nexus.WorkflowRunOperationContext, input: str) -> nexus.WorkflowHandle[str]:
        await self.signal(input)
        return await ctx.start_workflow(
            "Workflow",
            input,
            id="backing",
            id_conflict_policy=common.WorkflowIDConflictPolicy.USE_EXISTING,
        )

    async def signal(self, input: str) -> None:
        if input != "signal":
            return
        await nexus.client().get_workflow_handle("other").signal("go")

    @nexus.workflow_run_operation
    async def by_signal(self, ctx: nexus.WorkflowRunOperationContext, input: str) -> nexus.WorkflowHandle[str]:
        return await ctx.start_workflow("Workflow", id="backing", start_signal="go")


LINK = nexusrpc.Link(
    url="temporal:///namespaces/caller/workflows/c/run/history"
    "?eventID=5&eventType=NexusOperationScheduled&referenceType=EventReference",
    type="temporal.api.common.v1.Link.WorkflowEvent",
)


async def requests_of(operation: str, value: str) -> tuple[list[Any], Failure]:
    """What the operation asked the server for, and how it ended: no call succeeds."""
    service = FakeService()
    connection: Any = types.SimpleNamespace(workflow_service=service, config=types.SimpleNamespace(identity="me"))
    client = Client(connection)
    harness = Harness(client=client)
    harness.worker._services = NexusWorker(
        task_queue="queue",
        service_handlers=[Flows()],
        executor=None,
        data_converter=converter.default(),
        interceptors=(),
        metric_meter=common.MetricMeter.noop,
        client=client,
        on_fatal=lambda error: None,
    )._services
    request = Request(endpoint="endpoint")
    start = request.start_operation
    start.service, start.operation, start.request_id, start.callback = "Flows", operation, "request", "http://back"
    start.callback_header["token"] = "t"
    start.links.add(url=LINK.url, type=LINK.type)
    start.payload.CopyFrom(PAYLOADS.to_payload(value))
    harness.bridge.start(border.NexusTask(b"token", request.SerializeToString(), None))
    return service.requests, await harness.failure()


async def test_a_workflow_of_an_operation_calls_back_and_links_to_the_caller():
    requests, failure = await requests_of("run", "x")

    (request,) = requests
    assert failure.nexus_handler_failure_info.type == "UNAVAILABLE"
    assert (request.workflow_id, request.request_id, request.task_queue.name) == ("backing", "request", "queue")
    assert [link.workflow_event.event_ref.event_id for link in request.links] == [5]
    (callback,) = request.completion_callbacks
    token = callback.nexus.header.pop("nexus-operation-token")
    assert nexus.WorkflowHandle.from_token(token) == nexus.WorkflowHandle("default", "backing")
    assert (callback.nexus.url, dict(callback.nexus.header)) == ("http://back", {"token": "t"})
    assert list(callback.links) == list(request.links)
    options = request.on_conflict_options
    assert options.attach_request_id and options.attach_completion_callbacks and options.attach_links


async def test_a_signal_of_an_operation_links_to_the_caller_and_calls_nobody_back():
    requests, _ = await requests_of("run", "signal")

    (request,) = requests
    assert [link.workflow_event.workflow_id for link in request.links] == ["c"]


async def test_a_workflow_that_a_signal_starts_cannot_stand_for_an_operation():
    requests, failure = await requests_of("by_signal", "x")

    assert requests == []
    assert "start_signal: a workflow that is started by a signal cannot stand for an operation" in failure.cause.message
