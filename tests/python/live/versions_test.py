"""Two versions of one worker deployment: a pinned run stays, an auto-upgrade run moves, a ramp takes new ones."""

from typing import Any

from live_support import until, worker

from chimera import workflow
from chimera.api.enums.v1 import RoutingConfigUpdateState
from chimera.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    DescribeWorkerDeploymentVersionRequest,
    GetSystemInfoRequest,
    SetWorkerDeploymentCurrentVersionRequest,
    SetWorkerDeploymentRampingVersionRequest,
)
from chimera.client import Client
from chimera.common import PinnedVersioningOverride, VersioningBehavior, WorkerDeploymentVersion
from chimera.service import RPCError
from chimera.worker import Worker, WorkerDeploymentConfig


class Waits:
    """What the two workflows have in common: they tell by which build they end."""

    def __init__(self) -> None:
        self.done = False

    async def end(self) -> str:
        await workflow.wait_condition(lambda: self.done)
        version = workflow.info().get_current_deployment_version()
        return version.build_id if version else "none"


@workflow.defn(versioning_behavior=VersioningBehavior.PINNED)
class Stays(Waits):
    @workflow.run
    async def run(self) -> str:
        return await self.end()

    @workflow.signal
    def finish(self) -> None:
        self.done = True


@workflow.defn(versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class Moves(Waits):
    @workflow.run
    async def run(self) -> str:
        return await self.end()

    @workflow.signal
    def finish(self) -> None:
        self.done = True


@workflow.defn(versioning_behavior=VersioningBehavior.PINNED)
class Renews:
    def __init__(self) -> None:
        self.asked = False

    @workflow.run
    async def run(self, trail: str) -> str:
        info = workflow.info()
        trail += info.get_current_build_id()
        if len(trail) <= 3:
            await workflow.wait_condition(lambda: self.asked)
            if info.is_target_worker_deployment_version_changed():
                trail += " to "
            workflow.continue_as_new(
                trail, initial_versioning_behavior=workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE
            )
        return trail

    @workflow.signal
    def renew(self) -> None:
        self.asked = True


def of_build(client: Client, name: str, build: str) -> Worker:
    version = WorkerDeploymentVersion(deployment_name=f"d-{name}", build_id=build)
    config = WorkerDeploymentConfig(version=version, use_worker_versioning=True)
    return worker(client, name, 100, Stays, Moves, Renews, deployment_config=config)


async def wait_for(client: Client, name: str, build: str) -> None:
    async def is_known() -> bool:
        request = DescribeWorkerDeploymentVersionRequest(namespace=client.namespace)
        request.deployment_version.deployment_name, request.deployment_version.build_id = f"d-{name}", build
        try:
            await client.workflow_service.describe_worker_deployment_version(request)
        except RPCError:
            return False
        return True

    await until(is_known)


async def make_current(client: Client, name: str, build: str) -> None:
    await wait_for(client, name, build)
    await client.workflow_service.set_worker_deployment_current_version(
        SetWorkerDeploymentCurrentVersionRequest(
            namespace=client.namespace, deployment_name=f"d-{name}", build_id=build, ignore_missing_task_queues=True
        )
    )
    await wait_for_routing(client, name)


async def wait_for_routing(client: Client, name: str) -> None:
    """The genuine server tells its task queues of a change by and by."""

    async def is_told() -> bool:
        described = await client.workflow_service.describe_worker_deployment(
            DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=f"d-{name}")
        )
        state = described.worker_deployment_info.routing_config_update_state
        return state != RoutingConfigUpdateState.ROUTING_CONFIG_UPDATE_STATE_IN_PROGRESS

    await until(is_told)


async def ramp(client: Client, name: str, build: str, percentage: float) -> None:
    await wait_for(client, name, build)
    await client.workflow_service.set_worker_deployment_ramping_version(
        SetWorkerDeploymentRampingVersionRequest(
            namespace=client.namespace,
            deployment_name=f"d-{name}",
            build_id=build,
            percentage=percentage,
            ignore_missing_task_queues=True,
        )
    )
    await wait_for_routing(client, name)


async def begun(client: Client, run: Any, id: str, queue: str, **options: Any) -> Any:
    handle = await client.start_workflow(run, id=id, task_queue=queue, **options)

    async def has_version() -> bool:
        return bool((await handle.describe()).raw_description.workflow_execution_info.versioning_info.version)

    await until(has_version)
    return handle


async def test_pinned_stays_and_auto_upgrade_moves(client: Client, name: str):
    async with of_build(client, name, "1.0"), of_build(client, name, "2.0"):
        await make_current(client, name, "1.0")
        stays = await begun(client, Stays.run, f"{name}-stays", name)
        moves = await begun(client, Moves.run, f"{name}-moves", name)
        await make_current(client, name, "2.0")
        await stays.signal("finish")
        await moves.signal("finish")
        assert await stays.result() == "1.0"
        assert await moves.result() == "2.0"


async def test_ramp_takes_none_or_all(client: Client, name: str):
    async with of_build(client, name, "1.0"), of_build(client, name, "2.0"):
        await make_current(client, name, "1.0")
        for percentage, build in ((0.0, "1.0"), (100.0, "2.0")):
            await ramp(client, name, "2.0", percentage)
            handle = await client.start_workflow(Stays.run, id=f"{name}-{build}", task_queue=name)
            await handle.signal("finish")
            assert await handle.result() == build


async def test_override_of_a_start(client: Client, name: str):
    async with of_build(client, name, "1.0"), of_build(client, name, "2.0"):
        await make_current(client, name, "1.0")
        await wait_for(client, name, "2.0")
        override = PinnedVersioningOverride(WorkerDeploymentVersion(deployment_name=f"d-{name}", build_id="2.0"))
        handle = await client.start_workflow(
            Moves.run, id=name, task_queue=name, versioning_override=override, start_signal="finish"
        )
        assert await handle.result() == "2.0"


async def test_a_pinned_run_hears_of_a_new_version_and_continues_there(client: Client, name: str):
    info = await client.workflow_service.get_system_info(GetSystemInfoRequest())
    async with of_build(client, name, "1.0"), of_build(client, name, "2.0"):
        await make_current(client, name, "1.0")
        handle = await begun(client, Renews.run, name, name, args=[""])
        await make_current(client, name, "2.0")
        await handle.signal(Renews.renew)
        older = info.server_version.startswith("1.29")
        assert await handle.result() == ("1.01.0" if older else "1.0 to 2.0")
