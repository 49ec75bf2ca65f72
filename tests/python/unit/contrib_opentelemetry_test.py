"""chimera.contrib.opentelemetry without a server: contexts, Nexus operations, and the exporter of metrics."""

import asyncio
import contextvars
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import nexusrpc.handler
import opentelemetry.context
import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import chimera.worker
from chimera.contrib.opentelemetry import (
    MetricsExporter,
    OpenTelemetryInterceptor,
    OpenTelemetryPlugin,
    TracingInterceptor,
)
from chimera.contrib.opentelemetry._context import attached_context
from chimera.runtime import MetricBuffer

TRACEPARENT = f"00-{'a' * 32}-{'b' * 16}-01"
CONTEXT = opentelemetry.context.set_value("word", "inside", opentelemetry.context.Context())


def word() -> object:
    return opentelemetry.context.get_value("word")


def test_a_context_is_current_for_the_block():
    with attached_context(CONTEXT):
        assert word() == "inside"
        with attached_context(None):
            assert word() == "inside", "None changes nothing"
    assert word() is None


def test_a_block_may_end_in_other_contextvars(caplog: pytest.LogCaptureFixture):
    block = attached_context(CONTEXT)
    contextvars.Context().run(block.__enter__)
    with attached_context(opentelemetry.context.set_value("word", "outside", CONTEXT)):
        block.__exit__(None, None, None)  # As where the frames of a run that has left the cache are collected.
        assert word() == "outside"
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


class Handler(chimera.worker.NexusOperationInboundInterceptor):
    """The end of a chain, which keeps what reached it."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.span = 0
        self.error: Exception | None = None

    async def execute_nexus_operation_start(self, input: chimera.worker.ExecuteNexusOperationStartInput) -> Any:
        return self._note(input)

    async def execute_nexus_operation_cancel(self, input: chimera.worker.ExecuteNexusOperationCancelInput) -> None:
        self._note(input)

    def _note(self, input: Any) -> Any:
        self.headers = dict(input.ctx.headers)
        self.span = trace.get_current_span().get_span_context().span_id
        if self.error:
            raise self.error
        return nexusrpc.handler.StartOperationResultSync("done")


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    return exporter


def start_input() -> chimera.worker.ExecuteNexusOperationStartInput:
    ctx = nexusrpc.handler.StartOperationContext(
        service="Shop",
        operation="buy",
        headers={"traceparent": TRACEPARENT, "mine": "kept"},
        request_id="1",
        task_cancellation=None,
        request_deadline=None,
        callback_url=None,
        callback_headers={},
    )
    return chimera.worker.ExecuteNexusOperationStartInput(ctx, "tea")


async def test_the_handler_of_a_nexus_operation_is_part_of_its_callers_trace(spans: InMemorySpanExporter):
    handler = Handler()
    await TracingInterceptor().intercept_nexus_operation(handler).execute_nexus_operation_start(start_input())

    (span,) = spans.get_finished_spans()
    assert (span.name, span.kind) == ("RunStartNexusOperationHandler:Shop/buy", trace.SpanKind.SERVER)
    assert span.parent and span.parent.span_id == int("b" * 16, 16)
    assert handler.headers == {"traceparent": f"00-{'a' * 32}-{span.context.span_id:016x}-01", "mine": "kept"}
    assert handler.span == span.context.span_id


async def test_cancelling_a_nexus_operation_is_part_of_its_callers_trace(spans: InMemorySpanExporter):
    ctx = nexusrpc.handler.CancelOperationContext(
        service="Shop", operation="buy", headers={"traceparent": TRACEPARENT}, task_cancellation=None
    )
    handler = Handler()
    cancel = chimera.worker.ExecuteNexusOperationCancelInput(ctx, "token")
    await TracingInterceptor().intercept_nexus_operation(handler).execute_nexus_operation_cancel(cancel)

    (span,) = spans.get_finished_spans()
    assert span.name == "RunCancelNexusOperationHandler:Shop/buy"
    assert span.parent and span.parent.span_id == int("b" * 16, 16)
    assert handler.span == span.context.span_id


async def test_a_handler_that_fails_has_a_span_with_the_error(spans: InMemorySpanExporter):
    handler = Handler()
    handler.error = ValueError("sold out")
    with pytest.raises(ValueError, match="sold out"):
        await TracingInterceptor().intercept_nexus_operation(handler).execute_nexus_operation_start(start_input())
    (span,) = spans.get_finished_spans()
    assert span.status.description == "ValueError: sold out"


@pytest.mark.parametrize("added", [False, True])
async def test_the_plugins_interceptor_carries_the_context_of_nexus_operations(
    spans: InMemorySpanExporter, added: bool
):
    handler = Handler()
    interceptor = OpenTelemetryInterceptor(add_temporal_spans=added)
    await interceptor.intercept_nexus_operation(handler).execute_nexus_operation_start(start_input())

    made = [span.context.span_id for span in spans.get_finished_spans()]
    assert [handler.span] == (made if added else [int("b" * 16, 16)])
    assert handler.headers["traceparent"] == TRACEPARENT, "left as it came"


def test_the_plugin_needs_a_runner():
    with pytest.raises(ValueError, match="No WorkflowRunner"):
        OpenTelemetryPlugin().configure_replayer({"workflow_runner": None, "interceptors": []})


@dataclass
class Metric:
    name: str
    kind: Any
    description: str | None = None
    unit: str | None = None

    def __hash__(self) -> int:
        return id(self)


@dataclass
class Update:
    metric: Any
    value: float
    attributes: dict[str, Any] = field(default_factory=dict)


class Buffer(MetricBuffer):
    """Gives what a test puts into it, and calls back when it is asked."""

    def __init__(self, *updates: Update, asked: Callable[[], None] = lambda: None) -> None:
        super().__init__(10)
        self.updates = list(updates)
        self.error: Exception | None = None
        self.asked = asked

    def retrieve_updates(self) -> Any:
        self.asked()
        if (error := self.error) is not None:
            self.error = None
            raise error
        taken, self.updates = self.updates, []
        return taken


def exporter(buffer: MetricBuffer, **options: Any) -> tuple[MetricsExporter, InMemoryMetricReader]:
    reader = InMemoryMetricReader()
    options = {"poll_interval": timedelta(milliseconds=1), **options}
    return MetricsExporter(buffer, MeterProvider([reader]), **options), reader


def total(reader: InMemoryMetricReader) -> Any:
    data = reader.get_metrics_data()
    if data is None:
        return None
    ((metric,),) = ([m for s in r.scope_metrics for m in s.metrics] for r in data.resource_metrics)
    return sum(point.value for point in metric.data.data_points)


async def test_what_came_last_is_exported_on_shutdown():
    buffer = Buffer()
    exports, reader = exporter(buffer, poll_interval=timedelta(days=1))
    async with exports:
        buffer.updates = [Update(Metric("beans", 0), 2), Update(Metric("beans", 0), 3)]
    assert total(reader) == 5


async def test_an_exporter_that_is_cancelled_exports_what_is_left():
    begun = asyncio.Event()
    buffer = Buffer(asked=begun.set)
    exports, reader = exporter(buffer, poll_interval=timedelta(days=1))
    task = asyncio.create_task(exports.run())
    await begun.wait()
    buffer.updates = [Update(Metric("beans", 0), 2)]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert total(reader) == 2


async def test_what_goes_wrong_is_told_and_the_rest_goes_on(caplog: pytest.LogCaptureFixture):
    told: list[str] = []

    def tell(error: Exception) -> None:
        told.append(str(error))
        raise RuntimeError("the handler fails, too")

    recovered = asyncio.Event()
    buffer = Buffer(asked=lambda: None)
    buffer.error = OSError("not now")
    buffer.asked = lambda: recovered.set() if buffer.error is None else None
    exports, reader = exporter(buffer, on_error=tell)
    async with exports:
        await recovered.wait()
        buffer.updates = [Update(Metric("odd", 9), 1), Update(Metric("beans", 0), 2)]
    assert told == ["not now", "The metric odd is of a kind that OpenTelemetry does not have: 9"]
    assert total(reader) == 2
    assert "on_error of a MetricsExporter failed" in caplog.text


async def test_a_buffer_without_a_runtime_is_an_error():
    exports, _ = exporter(MetricBuffer(10))
    with pytest.raises(RuntimeError, match="before runtime created"):
        async with exports:
            pass


async def test_it_runs_once_at_a_time_and_again_after_its_end():
    begun = asyncio.Event()
    buffer = Buffer(asked=begun.set)
    exports, reader = exporter(buffer)
    async with exports:
        await begun.wait()
        with pytest.raises(RuntimeError, match="already running"):
            await exports.run()
    async with exports:
        buffer.updates = [Update(Metric("beans", 0), 2)]
    assert total(reader) == 2


def test_an_interval_must_be_positive():
    with pytest.raises(ValueError, match="poll_interval must be positive"):
        exporter(Buffer(), poll_interval=timedelta(0))
