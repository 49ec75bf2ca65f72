"""Two builds of a shop's workflows, which one worker deployment rolls out, step by step, on a server that runs.

    python samples/python/rollout/rollout.py worker BUILD HOST:PORT        # serves as 1.0 or 2.0 until that has drained
    python samples/python/rollout/rollout.py current BUILD HOST:PORT       # new orders go to the build
    python samples/python/rollout/rollout.py ramp BUILD PERCENT HOST:PORT  # that part of them does
    python samples/python/rollout/rollout.py show HOST:PORT                # the builds, and what they are
    python samples/python/rollout/rollout.py order ID HOST:PORT            # starts an order, tells which build has it
    python samples/python/rollout/rollout.py pay ID HOST:PORT              # ends it
    python samples/python/rollout/rollout.py stock HOST:PORT               # what was sold, and which build counts it
    python samples/python/rollout/rollout.py close HOST:PORT               # ends the counting

In a project each build is a commit, and its worker a program of its own; here they stand side by side.
samples/cpp/rollout is the same, under the same names: either language may bring a build.
"""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta

from chimera import workflow
from chimera.api.deployment.v1 import WorkerDeploymentVersionInfo
from chimera.api.enums.v1 import RoutingConfigUpdateState, WorkerDeploymentVersionStatus
from chimera.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    DescribeWorkerDeploymentResponse,
    DescribeWorkerDeploymentVersionRequest,
    SetWorkerDeploymentCurrentVersionRequest,
    SetWorkerDeploymentRampingVersionRequest,
)
from chimera.client import Client
from chimera.common import VersioningBehavior, WorkerDeploymentVersion
from chimera.service import RPCError
from chimera.worker import Worker, WorkerDeploymentConfig

DEPLOYMENT = TASK_QUEUE = "shop"
STOCK = "stock"
PATIENCE = 30  # Seconds.


def build() -> str:
    """Of the worker that runs the code."""
    return workflow.info().get_current_build_id()


# An order waits for its payment. It is pinned: whatever comes after it, it ends on the build that it began on, and the
# next build may do as it likes.
@workflow.defn(name="Order", versioning_behavior=VersioningBehavior.PINNED)
class Order:
    def __init__(self) -> None:
        self._paid = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self._paid)
        return f"paid, by build {build()}"

    @workflow.signal
    def pay(self) -> None:
        self._paid = True


# As build 2.0 has it: nobody waits for ever. A run that build 1.0 began could not go on with this code, since its
# history has no timer.
@workflow.defn(name="Order", versioning_behavior=VersioningBehavior.PINNED)
class OrderWithEnd:
    def __init__(self) -> None:
        self._paid = False

    @workflow.run
    async def run(self) -> str:
        try:
            await workflow.wait_condition(lambda: self._paid, timeout=timedelta(days=7))
        except asyncio.TimeoutError:
            return f"given up, by build {build()}"
        return f"paid, by build {build()}"

    @workflow.signal
    def pay(self) -> None:
        self._paid = True


# The one run that counts what was sold. It is auto-upgrade: it moves to the current build with its next task, so that
# each build has to be able to go on with what the one before has done.
@workflow.defn(name="Stock", versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class Stock:
    def __init__(self) -> None:
        self._sold = 0
        self._closed = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self._closed)
        return f"sold {self._sold}, closed by build {build()}"

    @workflow.signal
    def sell(self) -> None:
        self._sold += 1

    @workflow.signal
    def close(self) -> None:
        self._closed = True

    @workflow.query
    def count(self) -> str:
        return f"sold {self._sold}, counted by build {build()}"


# As build 2.0 has it: what is sold is looked at once more before the end. patched() keeps what build 1.0 has closed
# replayable.
@workflow.defn(name="Stock", versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class StockWithLook(Stock):
    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self._closed)
        if workflow.patched("last-look"):
            await asyncio.sleep(0.1)
        return f"sold {self._sold}, closed by build {build()}"


BUILDS: dict[str, list[type]] = {"1.0": [Order, Stock], "2.0": [OrderWithEnd, StockWithLook]}


def make_worker(client: Client, build_id: str) -> Worker:
    if build_id not in BUILDS:
        raise ValueError(f"there are builds {' and '.join(BUILDS)}, and no {build_id}")
    version = WorkerDeploymentVersion(deployment_name=DEPLOYMENT, build_id=build_id)
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=BUILDS[build_id],
        deployment_config=WorkerDeploymentConfig(version=version, use_worker_versioning=True),
    )


class Shop:
    """The worker deployment. What Python has no handle for is asked of the service itself."""

    def __init__(self, client: Client) -> None:
        self._service = client.workflow_service
        self._names = {"namespace": client.namespace, "deployment_name": DEPLOYMENT}
        self._client = client

    async def describe(self) -> DescribeWorkerDeploymentResponse:
        return await self._service.describe_worker_deployment(DescribeWorkerDeploymentRequest(**self._names))

    async def describe_build(self, build_id: str) -> WorkerDeploymentVersionInfo | None:
        """None: no worker of it has polled yet."""
        request = DescribeWorkerDeploymentVersionRequest(namespace=self._client.namespace)
        request.deployment_version.deployment_name = DEPLOYMENT
        request.deployment_version.build_id = build_id
        try:
            found = await self._service.describe_worker_deployment_version(request)
        except RPCError:
            return None
        return found.worker_deployment_version_info

    async def has_drained(self, build_id: str) -> bool:
        """Whether nothing needs the build's workers any more."""
        info = await self.describe_build(build_id)
        drained = WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED
        return info is not None and info.status == drained

    async def route(self, build_id: str, percent: float | None = None) -> None:
        """New orders go to the build, or that part of them."""

        async def is_known() -> bool:
            info = await self.describe_build(build_id)
            return info is not None and len(info.task_queue_infos) > 0

        if not await within(PATIENCE, is_known):
            raise RuntimeError(f"no worker of build {build_id} has polled; start one")
        # What stood before is what this change is made to: another one meanwhile is an error.
        token = (await self.describe()).conflict_token
        change = {**self._names, "build_id": build_id, "conflict_token": token, "identity": self._client.identity}
        if percent is None:
            await self._service.set_worker_deployment_current_version(
                SetWorkerDeploymentCurrentVersionRequest(**change)
            )
        else:
            await self._service.set_worker_deployment_ramping_version(
                SetWorkerDeploymentRampingVersionRequest(percentage=percent, **change)
            )

        async def is_told() -> bool:
            state = (await self.describe()).worker_deployment_info.routing_config_update_state
            return state != RoutingConfigUpdateState.ROUTING_CONFIG_UPDATE_STATE_IN_PROGRESS

        await within(PATIENCE, is_told)

    async def show(self) -> list[str]:
        summaries = (await self.describe()).worker_deployment_info.version_summaries
        prefix = "WORKER_DEPLOYMENT_VERSION_STATUS_"
        return sorted(
            f"{each.deployment_version.build_id} "
            f"{WorkerDeploymentVersionStatus.Name(each.status).removeprefix(prefix).lower()}"
            for each in summaries
        )


async def within(seconds: float, condition: Callable[[], Awaitable[bool]]) -> bool:
    """Whether it became true within so long."""
    end = asyncio.get_running_loop().time() + seconds
    while not await condition():
        if asyncio.get_running_loop().time() > end:
            return False
        await asyncio.sleep(0.1)
    return True


async def order(client: Client, id: str) -> str:
    """Starts an order, and tells which build has it."""
    handle = await client.start_workflow("Order", id=f"order-{id}", task_queue=TASK_QUEUE)
    await client.start_workflow("Stock", id=STOCK, task_queue=TASK_QUEUE, start_signal="sell")

    async def has_begun() -> bool:
        return bool(await build_of())

    async def build_of() -> str:
        info = (await handle.describe()).raw_description.workflow_execution_info
        return info.versioning_info.deployment_version.build_id

    if not await within(PATIENCE, has_begun):
        raise RuntimeError(f"no worker took order {id}")
    return await build_of()


async def serve(client: Client, build_id: str) -> None:
    """Until the build has drained, or Ctrl-C."""
    ends = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ends.set)
    async with make_worker(client, build_id):
        while not ends.is_set():
            if await Shop(client).has_drained(build_id):
                print(f"build {build_id} has drained: its worker ends", flush=True)
                return
            try:
                await asyncio.wait_for(ends.wait(), 1)
            except asyncio.TimeoutError:
                pass


async def main(what: str, arguments: list[str], address: str) -> None:
    client = await Client.connect(address)
    match what, arguments:
        case "worker", [build_id]:
            await serve(client, build_id)
        case "current", [build_id]:
            await Shop(client).route(build_id)
            print(f"new orders go to build {build_id}")
        case "ramp", [build_id, percent]:
            await Shop(client).route(build_id, float(percent))
            print(f"{float(percent):g} % of the new orders go to build {build_id}")
        case "show", []:
            print("\n".join(await Shop(client).show()))
        case "order", [id]:
            print(f"order {id} is with build {await order(client, id)}")
        case "pay", [id]:
            handle = client.get_workflow_handle(f"order-{id}")
            await handle.signal("pay")
            print(f"order {id} is {await handle.result()}")
        case "stock", []:
            print(await client.get_workflow_handle(STOCK).query("count"))
        case "close", []:
            stock = client.get_workflow_handle(STOCK)
            await stock.signal("close")
            print(await stock.result())
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    asyncio.run(main(sys.argv[1], sys.argv[2:-1], sys.argv[-1]))
