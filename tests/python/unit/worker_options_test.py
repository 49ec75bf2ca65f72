"""What is wrong with a worker's options is found when it is made."""

from __future__ import annotations

import asyncio
import types
from datetime import timedelta
from typing import Any

import pytest
from fake_bridge import play_bridge

from chimera import activity, common, workflow
from chimera.worker import (
    FixedSizeSlotSupplier,
    PollerBehaviorAutoscaling,
    ResourceBasedSlotConfig,
    ResourceBasedSlotSupplier,
    ResourceBasedTunerConfig,
    Worker,
    WorkerDeploymentConfig,
    WorkerTuner,
)


@workflow.defn
class Nothing:
    @workflow.run
    async def run(self) -> None: ...


@activity.defn
async def work() -> None: ...


class FakeCoreWorker:
    options: dict[str, Any] = {}
    libraries: list[str] = []

    def __init__(self, connection: Any, options: dict[str, Any]) -> None:
        FakeCoreWorker.options = options

    def add_native_library(self, path: str, codec: object = None) -> list[str]:
        FakeCoreWorker.libraries.append(path)
        return []


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Any:
    import chimera.service
    from chimera import converter

    play_bridge(monkeypatch, Worker=FakeCoreWorker)
    config = chimera.service.ConnectConfig(target_host="host:1")
    service: Any = chimera.service._BridgeServiceClient(config)
    service._runtime = types.SimpleNamespace(metric_meter=common.MetricMeter.noop, _worker_options={})
    service._connection = object()
    active = {
        "plugins": [],
        "interceptors": [],
        "data_converter": converter.default(),
        "header_codec_behavior": common.HeaderCodecBehavior.NO_CODEC,
    }
    return types.SimpleNamespace(
        config=lambda active_config=False: active, service_client=service, namespace="default"
    )


def test_options_reach_the_core_in_its_units(client: Any) -> None:
    Worker(
        client,
        task_queue="queue",
        workflows=[Nothing],
        native=["./lib.so"],
        build_id="b",
        max_concurrent_workflow_tasks=7,
        max_concurrent_nexus_tasks=6,
        nexus_task_poller_behavior=PollerBehaviorAutoscaling(maximum=9, initial=4),
        graceful_shutdown_timeout=timedelta(seconds=1.5),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(initial=3),
        max_concurrent_workflow_task_polls=2,
        disable_payload_error_limit=True,
    )

    options = FakeCoreWorker.options
    assert options["disable_payload_error_limit"] is True
    assert options["max_concurrent_workflow_tasks"] == 7
    assert options["max_concurrent_activities"] == 100
    assert options["max_concurrent_nexus_tasks"] == 6
    assert options["nexus_poll_autoscaling"] == (1, 9, 4)
    assert options["graceful_shutdown_timeout"] == 1500
    assert options["max_concurrent_activity_task_polls"] == 3
    assert options["max_concurrent_workflow_task_polls"] == 2
    assert options["activity_poll_autoscaling"] == (1, 100, 3)
    assert options["workflow_poll_autoscaling"] is None
    assert FakeCoreWorker.libraries[-1] == "./lib.so"


def test_slots_that_follow_the_load_reach_the_core(client: Any) -> None:
    Worker(
        client,
        task_queue="queue",
        workflows=[Nothing],
        build_id="b",
        tuner=WorkerTuner.create_composite(
            workflow_supplier=ResourceBasedSlotSupplier(
                ResourceBasedSlotConfig(), ResourceBasedTunerConfig(0.5, 0.6)
            ),
            activity_supplier=ResourceBasedSlotSupplier(
                ResourceBasedSlotConfig(2, 20, timedelta(seconds=1)),
                ResourceBasedTunerConfig(0.5, 0.6),
            ),
            local_activity_supplier=FixedSizeSlotSupplier(7),
            nexus_supplier=ResourceBasedSlotSupplier(ResourceBasedSlotConfig(), ResourceBasedTunerConfig(0.5, 0.6)),
        ),
    )

    options = FakeCoreWorker.options
    assert options["resource_tuner"] == (0.5, 0.6, (5, 500, 0), (2, 20, 1000), None, (1, 500, 50))
    assert options["max_concurrent_local_activities"] == 7


VERSION = common.WorkerDeploymentVersion("d", "b")


def test_a_deployment_version_reaches_the_core(client: Any) -> None:
    pinned = common.VersioningBehavior.PINNED
    Worker(
        client,
        task_queue="queue",
        workflows=[Nothing],
        deployment_config=WorkerDeploymentConfig(VERSION, True, default_versioning_behavior=pinned),
    )

    options = FakeCoreWorker.options
    assert (options["deployment_name"], options["build_id"]) == ("d", "b")
    assert options["use_worker_versioning"] is True
    assert options["default_versioning_behavior"] == int(pinned)


@pytest.mark.parametrize(
    "options, error, text",
    [
        ({"workflows": []}, ValueError, "At least one activity, Nexus service, or workflow"),
        ({"use_worker_versioning": True}, ValueError, "build_id must be specified"),
        (
            {"build_id": "b", "deployment_config": WorkerDeploymentConfig(VERSION, True)},
            ValueError,
            "deployment_config cannot be used with build_id",
        ),
        (
            {"max_eager_activity_reservations_per_workflow_task": 0},
            ValueError,
            "must be positive; use disable_eager_activity_execution=True",
        ),
        (
            {"tuner": FixedSizeSlotSupplier(5)},
            ValueError,
            r"tuner must be a WorkerTuner: make one with WorkerTuner.create_fixed\(\) and the like",
        ),
        (
            {"tuner": WorkerTuner.create_fixed(), "max_concurrent_activities": 1},
            ValueError,
            "when also specifying tuner",
        ),
        (
            {
                "tuner": WorkerTuner.create_composite(
                    workflow_supplier=ResourceBasedSlotSupplier(
                        ResourceBasedSlotConfig(), ResourceBasedTunerConfig(0.5, 0.5)
                    ),
                    activity_supplier=ResourceBasedSlotSupplier(
                        ResourceBasedSlotConfig(), ResourceBasedTunerConfig(0.5, 0.6)
                    ),
                    local_activity_supplier=FixedSizeSlotSupplier(1),
                    nexus_supplier=FixedSizeSlotSupplier(1),
                )
            },
            ValueError,
            "must have the same tuner config",
        ),
        ({"max_activities_per_second": 0}, ValueError, "max_activities_per_second must be positive"),
        (
            {"max_task_queue_activities_per_second": 0.0},
            ValueError,
            "max_task_queue_activities_per_second must be positive",
        ),
        ({"nexus_service_handlers": [object()]}, RuntimeError, "does not have a service definition"),
        ({"nexus_service_handlers": [object]}, TypeError, "must be supplied as instances, not classes"),
    ],
)
def test_wrong_options(client: Any, options: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        Worker(client, task_queue="queue", **{"workflows": [Nothing], **options})


RESOURCE_BASED = WorkerTuner.create_resource_based(target_memory_usage=0.5, target_cpu_usage=0.5)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"max_concurrent_activities": 10}, 10),
        ({"tuner": WorkerTuner.create_fixed(activity_slots=11)}, 11),
        ({"tuner": RESOURCE_BASED}, 500),
    ],
)
def test_a_small_executor_warns(client: Any, options: Any, wanted: int) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(5) as executor:
        with pytest.warns(UserWarning, match=f"activities is {wanted} .* max_workers is only 5"):
            Worker(
                client, task_queue="queue", activities=[work], activity_executor=executor, **options
            )


def test_options_without_effect_say_so(client: Any, recwarn: pytest.WarningsRecorder) -> None:
    from chimera.runtime import Runtime, TelemetryConfig
    from chimera.service import ConnectConfig, DnsLoadBalancingConfig
    from chimera.worker import Replayer

    def made(**changes: Any) -> None:
        Worker(client, task_queue="queue", workflows=[Nothing], **changes)
        ConnectConfig(target_host="host:1")._options()
        Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=None, disable_environment_info=True)
        Replayer(workflows=[Nothing])

    made(max_workflow_task_external_storage_concurrency=1)
    assert not recwarn.list

    with pytest.warns(UserWarning, match="max_workflow_task_external_storage_concurrency has no effect"):
        made(max_workflow_task_external_storage_concurrency=9)
    with pytest.warns(UserWarning, match="dns_load_balancing_config has no effect"):
        ConnectConfig(target_host="h:1", dns_load_balancing_config=DnsLoadBalancingConfig.default)._options()
    with pytest.warns(UserWarning, match="identity has no effect on a replayer"):
        Replayer(workflows=[Nothing], identity="me")


def test_clients_that_no_worker_can_use(client: Any) -> None:
    client.service_client.config.lazy = True
    with pytest.raises(RuntimeError, match="Lazy clients cannot be used for workers"):
        Worker(client, task_queue="queue", workflows=[Nothing])
    client.service_client = object()
    with pytest.raises(TypeError, match="Client cannot be used for a worker"):
        Worker(client, task_queue="queue", workflows=[Nothing])


def test_local_activities_must_be_the_workers_own(client: Any) -> None:
    worker: Any = Worker(client, task_queue="queue", activities=[work])

    worker._check_local_activity("work")
    with pytest.raises(ValueError, match=r"other is not registered .*available activities: work"):
        worker._check_local_activity("other")


def test_a_forked_process_is_refused(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from chimera import _native

    worker = Worker(client, task_queue="queue", activities=[work])
    monkeypatch.setattr(_native, "_process", 1)  # That is not this process.

    with pytest.raises(AssertionError, match=r"Cannot create worker across forks.*'spawn'"):
        Worker(client, task_queue="queue", activities=[work])
    with pytest.raises(AssertionError, match="Cannot use worker across forks"):
        asyncio.run(worker.run())
