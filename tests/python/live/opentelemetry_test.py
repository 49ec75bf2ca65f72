"""chimera.contrib.opentelemetry: telemetry of workflow code that is replayed is heard once."""

import pytest
from live_support import worker
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chimera import workflow
from chimera.client import Client
from chimera.contrib.opentelemetry import (
    ReplaySafeLoggerProvider,
    ReplaySafeMeterProvider,
    ReplaySafeTracerProvider,
    create_tracer_provider,
)

READER = InMemoryMetricReader()
METER = ReplaySafeMeterProvider(MeterProvider(metric_readers=[READER])).get_meter("test")
RUNS, QUERIES = METER.create_counter("runs"), METER.create_counter("queries")
RECORDS, SPANS = InMemoryLogRecordExporter(), InMemorySpanExporter()
_logs = LoggerProvider()
_logs.add_log_record_processor(SimpleLogRecordProcessor(RECORDS))
LOGGER = ReplaySafeLoggerProvider(_logs).get_logger("test")
TRACER_PROVIDER = create_tracer_provider()
TRACER_PROVIDER.add_span_processor(SimpleSpanProcessor(SPANS))
TRACER = TRACER_PROVIDER.get_tracer("test")


def count(name: str, run: str) -> int:
    data = READER.get_metrics_data()
    points = [
        point
        for resource in (data.resource_metrics if data else [])
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == name
        for point in metric.data.data_points
    ]
    return sum(point.value for point in points if point.attributes["run"] == run)


@workflow.defn
class Observed:
    def __init__(self) -> None:
        self._steps = 0

    @workflow.run
    async def run(self) -> list[str]:
        own = workflow.info().workflow_id
        ids = []
        for step in range(1, 4):
            RUNS.add(1, {"run": own})
            LOGGER.emit(body=f"{own} {step}")
            with TRACER.start_as_current_span(f"{own} {step}") as span:
                ids.append(f"{span.get_span_context().span_id:x}")
            await workflow.wait_condition(lambda: self._steps >= step)  # noqa: B023 - called before the next step
        return ids

    @workflow.signal
    def go(self) -> None:
        self._steps += 1

    @workflow.query
    def steps(self) -> int:
        QUERIES.add(1, {"run": workflow.info().workflow_id})
        return self._steps


async def test_what_a_replay_runs_again_is_silent_and_a_query_is_not(client: Client, name: str):
    async with worker(client, name, 0, Observed):  # Without a cache each task replays the run.
        handle = await client.start_workflow(Observed.run, id=name, task_queue=name)
        for expected in range(1, 4):
            await handle.signal(Observed.go)
            assert await handle.query(Observed.steps) == expected
        ids = await handle.result()

    spans = {span.name: f"{span.context.span_id:x}" for span in SPANS.get_finished_spans() if name in span.name}
    assert [spans[f"{name} {step}"] for step in (1, 2, 3)] == ids, "a replay gives the spans the same ids"
    assert len([span for span in SPANS.get_finished_spans() if name in span.name]) == 3
    assert [r.log_record.body for r in RECORDS.get_finished_logs() if name in r.log_record.body] == [
        f"{name} {step}" for step in (1, 2, 3)
    ]
    assert (count("runs", name), count("queries", name)) == (3, 3)


def test_a_provider_with_other_ids_is_refused():
    with pytest.raises(ValueError, match="use create_tracer_provider"):
        ReplaySafeTracerProvider(TracerProvider(), TRACER_PROVIDER.id_generator())
