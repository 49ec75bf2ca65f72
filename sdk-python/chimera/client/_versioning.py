"""Versioning by build ids, which worker deployments have replaced: deprecated by the service."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from chimera import _api
from chimera.client import _inputs as inputs
from chimera.client._enums import TaskReachabilityType
from chimera.client._interceptor import OutboundInterceptor

if TYPE_CHECKING:
    from chimera.client._client import Client


class BuildIdOp(ABC):
    """A change of the build ids of a task queue."""

    @abstractmethod
    def _fields(self) -> dict[str, Any]:
        """What it sets in the request."""


@dataclass(frozen=True)
class BuildIdOpAddNewDefault(BuildIdOp):
    """Add a build id in a set of its own, which becomes the default."""

    build_id: str

    def _fields(self) -> dict[str, Any]:
        return {"add_new_build_id_in_new_default_set": self.build_id}


@dataclass(frozen=True)
class BuildIdOpAddNewCompatible(BuildIdOp):
    """Add a build id to the set of another one, as its newest."""

    build_id: str
    existing_compatible_build_id: str
    promote_set: bool = False

    def _fields(self) -> dict[str, Any]:
        value = {
            "new_build_id": self.build_id,
            "existing_compatible_build_id": self.existing_compatible_build_id,
            "make_set_default": self.promote_set,
        }
        return {"add_new_compatible_build_id": value}


@dataclass(frozen=True)
class BuildIdOpPromoteSetByBuildId(BuildIdOp):
    """Make the set of a build id the default."""

    build_id: str

    def _fields(self) -> dict[str, Any]:
        return {"promote_set_by_build_id": self.build_id}


@dataclass(frozen=True)
class BuildIdOpPromoteBuildIdWithinSet(BuildIdOp):
    """Make a build id the newest of its set."""

    build_id: str

    def _fields(self) -> dict[str, Any]:
        return {"promote_build_id_within_set": self.build_id}


@dataclass(frozen=True)
class BuildIdOpMergeSets(BuildIdOp):
    """Merge two sets; the default of the first stays."""

    primary_build_id: str
    secondary_build_id: str

    def _fields(self) -> dict[str, Any]:
        value = {
            "primary_set_build_id": self.primary_build_id,
            "secondary_set_build_id": self.secondary_build_id,
        }
        return {"merge_sets": value}


@dataclass(frozen=True)
class BuildIdVersionSet:
    """Build ids that are compatible, the newest last."""

    build_ids: Sequence[str]

    def default(self) -> str:
        """The newest."""
        return self.build_ids[-1]


@dataclass(frozen=True)
class WorkerBuildIdVersionSets:
    """The sets of a task queue, the default last."""

    version_sets: Sequence[BuildIdVersionSet]

    def default_set(self) -> BuildIdVersionSet:
        """The set of new workflows."""
        return self.version_sets[-1]

    def default_build_id(self) -> str:
        """The build id of new workflows."""
        return self.default_set().default()


@dataclass(frozen=True)
class BuildIdReachability:
    """Which workflows may still come to a build id."""

    task_queue_reachability: Mapping[str, Sequence[TaskReachabilityType]]
    unretrieved_task_queues: frozenset[str]


@dataclass(frozen=True)
class WorkerTaskReachability:
    """Reachability of several build ids."""

    build_id_reachability: Mapping[str, BuildIdReachability]


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
        return WorkerBuildIdVersionSets(
            [BuildIdVersionSet(list(each.build_ids)) for each in reply.major_version_sets]
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
        return WorkerTaskReachability(
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
    return BuildIdReachability(found, frozenset(unretrieved))


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
