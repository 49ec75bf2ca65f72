"""Versioning by build ids, which worker deployments have replaced: deprecated by the service."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chimera.client._enums import TaskReachabilityType


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
