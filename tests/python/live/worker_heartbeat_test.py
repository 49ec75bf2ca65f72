"""What workers tell the server of themselves."""

import os
import platform
from datetime import timedelta
from typing import Any

from live_support import until, worker

from chimera import activity, workflow
from chimera.api.enums.v1 import WorkerStatus
from chimera.api.worker.v1 import EnvironmentInfo
from chimera.api.workflowservice.v1 import DescribeWorkerRequest, ListWorkersRequest
from chimera.client import Client
from chimera.exceptions import ApplicationError
from chimera.plugin import SimplePlugin
from chimera.runtime import Runtime, TelemetryConfig
from chimera.worker import PollerBehaviorAutoscaling


@activity.defn
async def fail_once() -> int:
    if activity.info().attempt == 1:
        raise ApplicationError("not yet")
    return activity.info().attempt


@workflow.defn
class Tries:
    @workflow.run
    async def run(self) -> int:
        limit = timedelta(seconds=20)
        await workflow.execute_local_activity(fail_once, start_to_close_timeout=limit)
        return await workflow.execute_activity(fail_once, start_to_close_timeout=limit)


async def _workers(client: Client, queue: str) -> list[Any]:
    listed = await client.workflow_service.list_workers(
        ListWorkersRequest(namespace=client.namespace, query=f'TaskQueue="{queue}"')
    )
    return list(listed.workers_info)


async def test_workers_tell_of_themselves(client: Client, name: str, cache: int) -> None:
    runtime = Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=timedelta(milliseconds=50))
    own = await Client.connect(
        client.service_client.config.target_host, namespace=client.namespace, runtime=runtime, identity="me"
    )
    plugin = SimplePlugin("tests.Noted")
    async with worker(
        own,
        name,
        cache,
        Tries,
        fail_once,
        plugins=[plugin],
        max_concurrent_activities=7,
        activity_task_poller_behavior=PollerBehaviorAutoscaling(initial=2),
    ):
        assert await own.execute_workflow(Tries.run, id=name, task_queue=name) == 2

        async def told() -> Any:
            for each in await _workers(client, name):
                beat = each.worker_heartbeat
                tasks = (beat.activity_task_slots_info, beat.workflow_task_slots_info)
                if all(slots.total_processed_tasks >= 2 for slots in tasks):
                    return beat
            return None

        beat = await until(told)
        assert beat.worker_identity == "me"
        assert beat.status == WorkerStatus.WORKER_STATUS_RUNNING
        assert beat.task_queue == name
        assert beat.sdk_name and beat.sdk_version
        assert beat.host_info.process_id == str(os.getpid())
        assert beat.host_info.host_name and beat.host_info.worker_grouping_key
        assert 0 < beat.host_info.current_host_mem_usage <= 1
        slots = beat.activity_task_slots_info
        assert (slots.current_available_slots + slots.current_used_slots, slots.slot_supplier_kind) == (7, "Fixed")
        assert slots.total_failed_tasks == 1
        assert beat.local_activity_slots_info.total_processed_tasks == 2
        assert beat.local_activity_slots_info.total_failed_tasks == 1
        assert slots.total_processed_tasks == 2
        assert beat.workflow_poller_info.current_pollers >= 1
        assert beat.workflow_poller_info.HasField("last_successful_poll_time")
        assert beat.activity_poller_info.is_autoscaling and not beat.workflow_poller_info.is_autoscaling
        assert beat.HasField("workflow_sticky_poller_info") == bool(cache)
        assert [each.name for each in beat.plugins] == ["tests.Noted"]
        assert beat.elapsed_since_last_heartbeat.ToTimedelta() > timedelta()
        python = beat.environment.runtimes[0]
        assert (python.type, python.version) == (
            EnvironmentInfo.Runtime.RUNTIME_TYPE_CPYTHON,
            platform.python_version(),
        )
        described = await client.workflow_service.describe_worker(
            DescribeWorkerRequest(namespace=client.namespace, worker_instance_key=beat.worker_instance_key)
        )
        assert described.worker_info.worker_heartbeat.worker_identity == "me"


async def test_a_runtime_without_heartbeats_tells_nothing(client: Client, name: str, cache: int) -> None:
    runtime = Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=None)
    own = await Client.connect(
        client.service_client.config.target_host, namespace=client.namespace, runtime=runtime
    )
    async with worker(own, name, cache, Tries, fail_once):
        await own.execute_workflow(Tries.run, id=name, task_queue=name)
        assert await _workers(client, name) == []


async def test_what_a_worker_runs_on_may_be_kept_back(client: Client, name: str, cache: int) -> None:
    runtime = Runtime(telemetry=TelemetryConfig(), disable_environment_info=True)
    own = await Client.connect(
        client.service_client.config.target_host, namespace=client.namespace, runtime=runtime
    )
    async with worker(own, name, cache, Tries, fail_once):

        async def told() -> list[Any]:
            return await _workers(client, name)

        (listed,) = await until(told)
        assert not listed.worker_heartbeat.HasField("environment")
