"""The runtime: the core's log in Python's, and metrics of one's own beside the core's."""

import asyncio
import logging
import socket
import urllib.request
from collections.abc import Iterator
from datetime import timedelta

import pytest
from live_support import BUILD, until, worker

from chimera import activity, workflow
from chimera.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    LoggingFormat,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from chimera.testing import WorkflowEnvironment


@pytest.fixture
def logger(name: str) -> Iterator[logging.Logger]:
    logger = logging.getLogger(name)
    logger.setLevel(logging.DEBUG)
    yield logger
    Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter="WARN")))  # To stderr again.


@workflow.defn
class Fails:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity("fail_native", "text", start_to_close_timeout=timedelta(seconds=10))


async def test_log_forwarding(
    env: WorkflowEnvironment, name: str, logger: logging.Logger, caplog: pytest.LogCaptureFixture
):
    forwarding = LogForwardingConfig(logger=logger)
    telemetry = TelemetryConfig(logging=LoggingConfig(filter=TelemetryFilter("INFO", "ERROR"), forwarding=forwarding))
    client = await env.connect_client(runtime=Runtime(telemetry=telemetry))

    async with worker(client, name, 1000, Fails, native=[str(BUILD / "tests/libmixed_codec.so")]):
        with pytest.raises(Exception, match="Workflow execution failed"):
            await client.execute_workflow(Fails.run, id=name, task_queue=name)

    async def forwarded() -> list[logging.LogRecord]:
        return [each for each in caplog.records if each.name.startswith(name) and "fail_native" in each.getMessage()]

    (record,) = await until(forwarded)
    assert record.name == f"{name}-sdk_core::activity" and record.levelno == logging.WARNING
    assert record.getMessage().startswith("[sdk_core::activity] failed: ")
    assert record.temporal_log.time == record.created  # type: ignore[attr-defined]


@workflow.defn
class Stuck:
    @workflow.run
    async def run(self) -> None:
        raise RuntimeError("not a failure of the workflow")


async def test_the_core_goes_by_its_official_names(
    env: WorkflowEnvironment, name: str, logger: logging.Logger, caplog: pytest.LogCaptureFixture
):
    forwarding = LogForwardingConfig(logger=logger)
    telemetry = TelemetryConfig(logging=LoggingConfig(filter=TelemetryFilter("WARN", "ERROR"), forwarding=forwarding))
    client = await env.connect_client(runtime=Runtime(telemetry=telemetry))

    async def forwarded() -> list[logging.LogRecord]:
        return [each for each in caplog.records if "Failing workflow task" in each.getMessage()]

    async with worker(client, name, 1000, Stuck):
        handle = await client.start_workflow(Stuck.run, id=name, task_queue=name)
        record = (await until(forwarded))[0]
        await handle.terminate()

    assert record.name == f"{name}-sdk_core::temporalio_sdk_core::worker::workflow"
    assert record.temporal_log.fields["run_id"] == handle.result_run_id  # type: ignore[attr-defined]


async def test_below_the_filter_nothing_is_forwarded(
    env: WorkflowEnvironment, name: str, logger: logging.Logger, caplog: pytest.LogCaptureFixture
):
    config = LoggingConfig(filter="INFO,temporalio_sdk_core=ERROR", forwarding=LogForwardingConfig(logger=logger))
    client = await env.connect_client(runtime=Runtime(telemetry=TelemetryConfig(logging=config)))

    async with worker(client, name, 1000, Fails, native=[str(BUILD / "tests/libmixed_codec.so")]):
        with pytest.raises(Exception, match="Workflow execution failed"):
            await client.execute_workflow(Fails.run, id=name, task_queue=name)
    await asyncio.sleep(0)

    assert not [each for each in caplog.records if each.name.startswith(name)]


def test_what_the_log_cannot_do_is_refused():
    with pytest.raises(ValueError, match="no log level is called 'LOUD'"):
        Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter="LOUD")))
    with pytest.raises(RuntimeError, match="compact format only"):
        Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter="WARN", format=LoggingFormat.JSON)))


@activity.defn
async def count() -> None:
    meter = activity.metric_meter()
    meter.create_counter("my_parcels", "Parcels sent").add(2, {"size": "small"})
    meter.create_histogram_timedelta("my_wait").record(timedelta(milliseconds=70))


@workflow.defn
class Counts:
    @workflow.run
    async def run(self) -> None:
        workflow.metric_meter().create_gauge("my_level").set(7)
        await workflow.execute_activity(count, start_to_close_timeout=timedelta(seconds=10))


async def test_metrics_of_ones_own_are_served(env: WorkflowEnvironment, name: str, cache: int):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    runtime = Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=address)))
    client = await env.connect_client(runtime=runtime)

    async with worker(client, name, cache, Counts, count):
        await client.execute_workflow(Counts.run, id=name, task_queue=name)

    page = await asyncio.to_thread(lambda: urllib.request.urlopen(f"http://{address}/metrics").read().decode())
    mine = [line for line in page.splitlines() if line.startswith("my_") and name in line]
    assert [line.rpartition(" ")[2] for line in mine if line.startswith("my_parcels{")] == ["2"]
    assert [line.rpartition(" ")[2] for line in mine if line.startswith("my_level{")] == ["7"], "once, not in replay"
    assert [line.rpartition(" ")[2] for line in mine if line.startswith("my_wait_sum{")] == ["70"]
    (parcels,) = [line for line in mine if line.startswith("my_parcels{")]
    assert 'size="small"' in parcels and 'activity_type="count"' in parcels and f'task_queue="{name}"' in parcels


def test_a_meter_refuses_bad_names_and_values():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    meter = Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=address))).metric_meter

    with pytest.raises(ValueError, match="no good"):
        meter.create_counter("no good")
    with pytest.raises(ValueError, match="negative"):
        meter.create_counter("good").add(-1)


async def test_large_payloads_are_warned_about(
    env: WorkflowEnvironment, name: str, logger: logging.Logger, caplog: pytest.LogCaptureFixture
):
    from chimera.client import PayloadLimitsConfig

    telemetry = TelemetryConfig(logging=LoggingConfig(filter="WARN", forwarding=LogForwardingConfig(logger=logger)))
    client = await env.connect_client(
        runtime=Runtime(telemetry=telemetry), payload_limits=PayloadLimitsConfig(payloads_warn_size=1000)
    )
    await client.start_workflow("Any", "x" * 2000, id=name, task_queue=name, memo={"note": "y" * 3000})

    async def warned() -> list[str]:
        found = sorted(each.getMessage() for each in caplog.records if "TMPRL1103" in each.getMessage())
        return found if len(found) == 2 else []

    arguments, memo = await until(warned)
    assert "[TMPRL1103] the arguments of workflow Any: 20" in arguments
    assert "[TMPRL1103] the memo: 30" in memo and "limit of 2048" in memo
    await client.get_workflow_handle(name).terminate()
