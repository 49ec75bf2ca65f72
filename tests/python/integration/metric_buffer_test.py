"""A runtime whose metrics the program fetches itself."""

from datetime import timedelta

import pytest

from chimera import activity, workflow
from chimera.client import Client
from chimera.runtime import (
    BUFFERED_METRIC_KIND_COUNTER,
    BUFFERED_METRIC_KIND_HISTOGRAM,
    MetricBuffer,
    MetricBufferDurationFormat,
    Runtime,
    TelemetryConfig,
)
from chimera.testing import WorkflowEnvironment
from chimera.worker import Worker

SERVICE = {"service_name": "temporal-core-sdk"}


@activity.defn
async def pack() -> None:
    activity.metric_meter().create_counter("parcels-packed").add(2, {"size": 1.5})


@workflow.defn
class Packing:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(pack, start_to_close_timeout=timedelta(seconds=10))


async def work(env: WorkflowEnvironment, buffer: MetricBuffer, name: str) -> None:
    runtime = Runtime(telemetry=TelemetryConfig(metrics=buffer, global_tags={"shop": "north"}))
    target = env.client.service_client.config.target_host
    client = await Client.connect(target, namespace=env.client.namespace, runtime=runtime)
    async with Worker(client, task_queue=name, workflows=[Packing], activities=[pack]):
        await client.execute_workflow(Packing.run, id=name, task_queue=name)


def test_updates_share_their_metric_and_their_attributes():
    buffer = MetricBuffer(100)
    runtime = Runtime(telemetry=TelemetryConfig(metrics=buffer))
    counter = runtime.metric_meter.create_counter("my-counter", "What it counts", "pieces")

    counter.add(1)
    counter.add(2, {"where": "here", "times": 3})
    first = buffer.retrieve_updates()
    counter.add(4, {"where": "here", "times": 3})
    (again,) = buffer.retrieve_updates()

    assert [each.value for each in first] == [1, 2] and again.value == 4
    assert first[0].metric.name == "my-counter" and first[0].metric.kind == BUFFERED_METRIC_KIND_COUNTER
    assert first[0].metric.description == "What it counts" and first[0].metric.unit == "pieces"
    assert first[0].attributes == SERVICE and first[1].attributes == {**SERVICE, "where": "here", "times": 3}
    assert first[0].metric is first[1].metric is again.metric
    assert first[1].attributes is again.attributes
    assert buffer.retrieve_updates() == []


async def test_the_core_and_user_code_fill_it(env: WorkflowEnvironment, name: str):
    buffer = MetricBuffer(10_000)

    await work(env, buffer, name)

    updates = buffer.retrieve_updates()
    (mine,) = [each for each in updates if each.metric.name == "parcels-packed"]
    assert mine.value == 2 and mine.attributes["size"] == 1.5 and mine.attributes["activity_type"] == "pack"
    (done,) = [each for each in updates if each.metric.name == "temporal_workflow_completed"]
    assert done.value == 1 and type(done.value) is int
    assert done.attributes == {
        **SERVICE, "shop": "north", "namespace": "default", "task_queue": name, "workflow_type": "Packing"
    }
    took = [each for each in updates if each.metric.name == "temporal_workflow_task_execution_latency"]
    assert {(each.metric.unit, each.metric.kind, type(each.value)) for each in took} == {
        ("ms", BUFFERED_METRIC_KIND_HISTOGRAM, int)
    }


async def test_durations_in_seconds(env: WorkflowEnvironment, name: str):
    buffer = MetricBuffer(10_000, MetricBufferDurationFormat.SECONDS)

    await work(env, buffer, name)

    took = [each for each in buffer.retrieve_updates() if each.metric.name == "temporal_workflow_endtoend_latency"]
    assert [(each.metric.unit, type(each.value)) for each in took] == [("s", float)]


def test_durations_of_ones_own():
    milliseconds, seconds = MetricBuffer(10), MetricBuffer(10, MetricBufferDurationFormat.SECONDS)

    for buffer in (milliseconds, seconds):
        meter = Runtime(telemetry=TelemetryConfig(metrics=buffer)).metric_meter
        meter.create_histogram_timedelta("waited").record(timedelta(seconds=3, milliseconds=4))
        meter.create_gauge_float("level").set(4.5)

    assert [each.value for each in milliseconds.retrieve_updates()] == [3004, 4.5]
    assert [each.value for each in seconds.retrieve_updates()] == [3.004, 4.5]


def test_what_does_not_fit_is_dropped():
    buffer = MetricBuffer(2)
    counter = Runtime(telemetry=TelemetryConfig(metrics=buffer)).metric_meter.create_counter("c")

    for value in range(5):
        counter.add(value)

    assert [each.value for each in buffer.retrieve_updates()] == [0, 1]


def test_a_buffer_has_one_runtime():
    buffer = MetricBuffer(2)

    with pytest.raises(RuntimeError, match="before runtime created"):
        buffer.retrieve_updates()
    Runtime(telemetry=TelemetryConfig(metrics=buffer))
    with pytest.raises(RuntimeError, match="another runtime"):
        Runtime(telemetry=TelemetryConfig(metrics=buffer))
