"""A runtime's metrics, scraped as Prometheus does."""

import urllib.request
from datetime import timedelta

import pytest

from chimera import activity, workflow
from chimera.client import Client
from chimera.runtime import OpenTelemetryConfig, PrometheusConfig, Runtime, TelemetryConfig
from chimera.testing import WorkflowEnvironment
from chimera.worker import Worker


def scrape(runtime: Runtime, path: str = "/metrics") -> str:
    assert runtime._metrics_port
    with urllib.request.urlopen(f"http://127.0.0.1:{runtime._metrics_port}{path}", timeout=30) as reply:
        return reply.read().decode()


def runtime_of(prometheus: PrometheusConfig | None = None, **options) -> Runtime:
    return Runtime(telemetry=TelemetryConfig(metrics=prometheus or PrometheusConfig("127.0.0.1:0"), **options))


@activity.defn
async def count_up(name: str) -> str:
    activity.metric_meter().create_counter("greetings").add(2)
    return f"Hello, {name}"


@workflow.defn
class Greeting:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_activity(count_up, name, start_to_close_timeout=timedelta(seconds=10))


async def greet(env: WorkflowEnvironment, runtime: Runtime, name: str) -> None:
    target = env.client.service_client.config.target_host
    client = await Client.connect(target, namespace=env.client.namespace, runtime=runtime)
    async with Worker(client, task_queue=name, workflows=[Greeting], activities=[count_up]):
        assert await client.execute_workflow(Greeting.run, "Ann", id=name, task_queue=name) == "Hello, Ann"
        assert f"worker {name}: ok\n" in scrape(runtime, "/readyz")


async def test_a_worker_shows_the_official_metrics(env: WorkflowEnvironment, name: str):
    runtime = runtime_of()

    await greet(env, runtime, name)

    text = scrape(runtime)
    own = f'namespace="default",service_name="chimera",task_queue="{name}"'
    assert f'temporal_workflow_completed{{{own},workflow_type="Greeting"}} 1\n' in text
    assert f'temporal_worker_start{{{own}}} 1\n' in text
    assert f'temporal_sticky_cache_size{{{own}}} 0\n' in text
    assert f'temporal_workflow_task_execution_latency_count{{{own},workflow_type="Greeting"}} ' in text
    assert 'temporal_request{namespace="default",operation="StartWorkflowExecution",service_name="chimera"} 1\n' in text
    assert 'temporal_long_request{namespace="default",operation="PollWorkflowTaskQueue"' in text
    assert 'operation="StartWorkflowExecution",service_name="chimera",le="50"} ' in text
    assert "\ngreetings{" in text and 'activity_type="count_up"' in text


async def test_names_units_and_tags_as_configured(env: WorkflowEnvironment, name: str):
    prometheus = PrometheusConfig(
        "127.0.0.1:0",
        counters_total_suffix=True,
        unit_suffix=True,
        durations_as_seconds=True,
        histogram_bucket_overrides={"request_latency": [0.25, 5]},
    )
    runtime = runtime_of(prometheus, global_tags={"region": "north"}, attach_service_name=False, metric_prefix="shop_")

    await greet(env, runtime, name)

    text = scrape(runtime)
    assert f'shop_worker_start_total{{namespace="default",region="north",task_queue="{name}"}} 1\n' in text
    start = 'shop_request_latency_seconds_bucket{namespace="default",operation="StartWorkflowExecution",region="north"'
    assert f'{start},le="0.25"}} ' in text
    assert f'{start},le="0.05"}} ' not in text


def test_metrics_of_ones_own():
    runtime = runtime_of()
    meter = runtime.metric_meter.with_additional_attributes({"shop": "north"})

    counter = meter.create_counter("sold", "Things sold")
    counter.add(2)
    counter.add(3, {"kind": "tea", "fresh": True})
    meter.create_gauge_float("level").set(0.5)
    meter.create_histogram_timedelta("took").record(timedelta(milliseconds=70))

    text = scrape(runtime)
    assert "# HELP sold Things sold\n" in text
    assert 'sold{service_name="chimera",shop="north"} 2\n' in text
    assert 'sold{fresh="true",kind="tea",service_name="chimera",shop="north"} 3\n' in text
    assert 'level{service_name="chimera",shop="north"} 0.5\n' in text
    assert 'took_bucket{service_name="chimera",shop="north",le="100"} 1\n' in text
    with pytest.raises(ValueError, match="cannot be negative"):
        counter.add(-1)
    with pytest.raises(ValueError, match="already a counter"):
        meter.create_gauge("sold").set(1)


def test_two_runtimes_count_apart():
    first, second = runtime_of(), runtime_of()

    first.metric_meter.create_counter("mine").add(1)

    assert "mine" in scrape(first)
    assert "mine" not in scrape(second)


def test_names_of_opentelemetry_are_shown_as_prometheus_reads_them():
    runtime = runtime_of()

    runtime.metric_meter.create_counter("my-jobs.done").add(2, {"of-queue": "a-b"})

    assert 'my_jobs_done{of_queue="a-b"' in scrape(runtime)
    for name in ("", "1st", "my jobs", "-"):
        with pytest.raises(ValueError, match="is no name of a metric"):
            runtime.metric_meter.create_counter(name)


def test_an_address_in_use_is_named():
    runtime = runtime_of()

    with pytest.raises(RuntimeError, match=f"cannot serve metrics on 127.0.0.1:{runtime._metrics_port}.*another port"):
        runtime_of(PrometheusConfig(f"127.0.0.1:{runtime._metrics_port}"))
    with pytest.raises(RuntimeError, match="give HOST:PORT"):
        runtime_of(PrometheusConfig("9464"))


def test_what_there_is_not_is_refused():
    with pytest.raises(RuntimeError, match="by HTTP only; use http=True"):
        Runtime(telemetry=TelemetryConfig(metrics=OpenTelemetryConfig("http://localhost:4317")))
