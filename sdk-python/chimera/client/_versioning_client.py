"""The calls about build ids of workers, of a client and of its last interceptor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from chimera import _api
from chimera._lazy import LazyModule
from chimera.client._enums import TaskReachabilityType
from chimera.client._interceptor import OutboundInterceptor

if TYPE_CHECKING:
    from chimera.client import _inputs as inputs, _versioning as versioning
    from chimera.client._client import Client
    from chimera.client._versioning import (
        BuildIdOp,
        BuildIdReachability,
        WorkerBuildIdVersionSets,
        WorkerTaskReachability,
    )
else:
    inputs = LazyModule("chimera.client._inputs")
    versioning = LazyModule("chimera.client._versioning")


class VersioningCalls(OutboundInterceptor):
    """Calls about build ids."""

    _client: Client

    async def _call_versioning(self, rpc: str, message: str, input: Any, **fields: Any) -> Any:
        request = getattr(_api.workflowservice, f"{message}Request")(
            namespace=self._client.namespace, **fields
        )
        call = getattr(self._client.workflow_service, rpc)
        return await call(
            request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
        )

    async def update_worker_build_id_compatibility(
        self, input: inputs.UpdateWorkerBuildIdCompatibilityInput
    ) -> None:
        await self._call_versioning(
            "update_worker_build_id_compatibility",
            "UpdateWorkerBuildIdCompatibility",
            input,
            task_queue=input.task_queue,
            **input.operation._fields(),
        )

    async def get_worker_build_id_compatibility(
        self, input: inputs.GetWorkerBuildIdCompatibilityInput
    ) -> WorkerBuildIdVersionSets:
        reply = await self._call_versioning(
            "get_worker_build_id_compatibility",
            "GetWorkerBuildIdCompatibility",
            input,
            task_queue=input.task_queue,
            max_sets=input.max_sets or 0,
        )
        return versioning.WorkerBuildIdVersionSets(
            [versioning.BuildIdVersionSet(list(each.build_ids)) for each in reply.major_version_sets]
        )

    async def get_worker_task_reachability(
        self, input: inputs.GetWorkerTaskReachabilityInput
    ) -> WorkerTaskReachability:
        reply = await self._call_versioning(
            "get_worker_task_reachability",
            "GetWorkerTaskReachability",
            input,
            build_ids=input.build_ids,
            task_queues=input.task_queues,
            reachability=input.reachability.value if input.reachability else 0,
        )
        return versioning.WorkerTaskReachability(
            {each.build_id: _reachability(each) for each in reply.build_id_reachability}
        )


def _reachability(message: Any) -> BuildIdReachability:
    found: dict[str, Sequence[TaskReachabilityType]] = {}
    unretrieved: set[str] = set()
    for queue in message.task_queue_reachability:
        if list(queue.reachability) == [0]:  # UNSPECIFIED: the server did not look.
            unretrieved.add(queue.task_queue)
        else:
            kinds = [TaskReachabilityType(kind) for kind in queue.reachability]
            found[queue.task_queue] = kinds
    return versioning.BuildIdReachability(found, frozenset(unretrieved))


class VersioningMethods:
    """Part of Client."""

    _impl: OutboundInterceptor

    async def update_worker_build_id_compatibility(
        self,
        task_queue: str,
        operation: BuildIdOp,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Changes the build ids of a task queue."""
        await self._impl.update_worker_build_id_compatibility(
            inputs.UpdateWorkerBuildIdCompatibilityInput(
                task_queue, operation, rpc_metadata, rpc_timeout
            )
        )

    async def get_worker_build_id_compatibility(
        self,
        task_queue: str,
        max_sets: int | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkerBuildIdVersionSets:
        """The build ids of a task queue."""
        return await self._impl.get_worker_build_id_compatibility(
            inputs.GetWorkerBuildIdCompatibilityInput(
                task_queue, max_sets, rpc_metadata, rpc_timeout
            )
        )

    async def get_worker_task_reachability(
        self,
        build_ids: Sequence[str],
        task_queues: Sequence[str] = [],
        reachability_type: TaskReachabilityType | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkerTaskReachability:
        """Whether workflows may still come to build ids, and on which queues."""
        return await self._impl.get_worker_task_reachability(
            inputs.GetWorkerTaskReachabilityInput(
                build_ids, task_queues, reachability_type, rpc_metadata, rpc_timeout
            )
        )
