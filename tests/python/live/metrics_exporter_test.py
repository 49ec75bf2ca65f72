"""MetricsExporter: what a runtime counted reaches a reader of OpenTelemetry's."""

from datetime import timedelta
from typing import Any

from live_support import worker
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from chimera import activity, workflow
from chimera.contrib.opentelemetry import MetricsExporter
from chimera.runtime import MetricBuffer, Runtime, TelemetryConfig
from chimera.testing import WorkflowEnvironment


@activity.defn
async def measured() -> None:
    meter = activity.metric_meter()
    meter.create_counter("beans", "how many", "bean").add(2)
    meter.create_gauge("level").set(7)


@workflow.defn
class Measured:
    @workflow.run
    async def run(self) -> None:
        workflow.metric_meter().create_counter("rounds").add(1)
        for _ in range(2):
            await workflow.execute_activity(measured, start_to_close_timeout=timedelta(seconds=10))


def points(reader: InMemoryMetricReader) -> dict[str, tuple[Any, list[Any]]]:
    """Each metric with its data points, by name."""
    data = reader.get_metrics_data()
    return {
        metric.name: (metric, list(metric.data.data_points))
        for resource in (data.resource_metrics if data else [])
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


async def test_what_the_core_and_user_code_counted_is_read(env: WorkflowEnvironment, name: str):
    buffer, reader = MetricBuffer(10_000), InMemoryMetricReader()
    runtime = Runtime(telemetry=TelemetryConfig(metrics=buffer))
    provider = MeterProvider(metric_readers=[reader])
    async with MetricsExporter(buffer, provider, poll_interval=timedelta(milliseconds=10)):
        client = await env.connect_client(runtime=runtime)
        async with worker(client, name, 0, Measured, measured):
            await client.execute_workflow(Measured.run, id=name, task_queue=name)

    read = points(reader)
    beans, (bean,) = read["beans"]
    assert (beans.unit, beans.description, bean.value) == ("bean", "how many", 4)
    assert bean.attributes["task_queue"] == name
    assert sum(point.value for point in read["rounds"][1]) == 1, "not in replay"
    assert [point.value for point in read["level"][1]] == [7]
    assert [point.value for point in points(reader)["level"][1]] == [7], "a gauge is told in the next report, too"
    completed = read["temporal_workflow_completed"][1]
    assert [point.value for point in completed if point.attributes["workflow_type"] == "Measured"] == [1]
    latencies = read["temporal_activity_execution_latency"][1]
    assert sum(point.count for point in latencies) == 2
