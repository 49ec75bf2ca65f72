"""Slots and pollers: how much a worker does at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from chimera.common import WorkerDeploymentVersion


@dataclass(frozen=True)
class PollerBehaviorSimpleMaximum:
    """A fixed number of polls."""

    maximum: int = 5


@dataclass(frozen=True)
class PollerBehaviorAutoscaling:
    """A number of polls that follows the server's advice, between `minimum` and `maximum`.

    Of workflow tasks there are so many at the normal queue and as many at the sticky one, and
    never more in all than there are slots.
    """

    minimum: int = 1
    maximum: int = 100
    initial: int = 5


PollerBehavior: TypeAlias = PollerBehaviorSimpleMaximum | PollerBehaviorAutoscaling


@dataclass(frozen=True)
class FixedSizeSlotSupplier:
    """A fixed number of slots."""

    num_slots: int


@dataclass(frozen=True)
class ResourceBasedTunerConfig:
    """Shares of memory and CPU, above 0 and at most 1, below which more tasks are taken.

    Of the cgroup that the process is in, where that has limits, else of the machine. All suppliers
    of a worker have the same.
    """

    target_memory_usage: float
    target_cpu_usage: float


@dataclass(frozen=True)
class ResourceBasedSlotConfig:
    """Limits of a number of slots that follows the machine's load.

    At least `minimum_slots` there are whatever the load (by default 5 for workflows, 1 for
    activities), and never more than `maximum_slots` (500). Beyond the minimum `ramp_throttle`
    passes between one slot and the next (nothing for workflows, 50 ms for activities).
    """

    minimum_slots: int | None = None
    maximum_slots: int | None = None
    ramp_throttle: timedelta | None = None


@dataclass(frozen=True)
class ResourceBasedSlotSupplier:
    """A number of slots that follows the machine's load."""

    slot_config: ResourceBasedSlotConfig
    tuner_config: ResourceBasedTunerConfig


class SlotPermit:
    """The right to use a slot. Users derive from it to keep data with it."""


class SlotReserveContext(Protocol):
    """What a slot is reserved for."""

    slot_type: Literal["workflow", "activity", "local-activity", "nexus"]
    task_queue: str
    worker_identity: str
    worker_build_id: str
    worker_deployment_version: WorkerDeploymentVersion | None
    is_sticky: bool


@runtime_checkable
class WorkflowSlotInfo(Protocol):
    """A workflow task in a slot."""

    workflow_type: str
    is_sticky: bool


@runtime_checkable
class ActivitySlotInfo(Protocol):
    """An activity in a slot."""

    activity_type: str


@runtime_checkable
class LocalActivitySlotInfo(Protocol):
    """A local activity in a slot."""

    activity_type: str


@runtime_checkable
class NexusSlotInfo(Protocol):
    """A Nexus operation in a slot."""

    service: str
    operation: str


SlotInfo: TypeAlias = WorkflowSlotInfo | ActivitySlotInfo | LocalActivitySlotInfo | NexusSlotInfo


@dataclass(frozen=True)
class SlotMarkUsedContext(Protocol):
    """What a slot is used for."""

    slot_info: SlotInfo
    permit: SlotPermit


@dataclass(frozen=True)
class SlotReleaseContext:
    """What a slot was used for, if it was."""

    slot_info: SlotInfo | None
    permit: SlotPermit


class CustomSlotSupplier(ABC):
    """A user's own rule for slots."""

    @abstractmethod
    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
        """Wait for a slot."""

    @abstractmethod
    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:
        """A slot if there is one now."""

    @abstractmethod
    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:
        """Called when a task takes its slot."""

    @abstractmethod
    def release_slot(self, ctx: SlotReleaseContext) -> None:
        """Called when a slot is free again."""


SlotSupplier: TypeAlias = FixedSizeSlotSupplier | ResourceBasedSlotSupplier | CustomSlotSupplier


class WorkerTuner(ABC):
    """Slot suppliers for each kind of task."""

    @classmethod
    def create_resource_based(
        cls,
        *,
        target_memory_usage: float,
        target_cpu_usage: float,
        workflow_config: ResourceBasedSlotConfig | None = None,
        activity_config: ResourceBasedSlotConfig | None = None,
        local_activity_config: ResourceBasedSlotConfig | None = None,
        nexus_config: ResourceBasedSlotConfig | None = None,
    ) -> WorkerTuner:
        """All follow the machine's load."""
        targets = ResourceBasedTunerConfig(target_memory_usage, target_cpu_usage)
        configs = (workflow_config, activity_config, local_activity_config, nexus_config)
        return _Suppliers(
            *[ResourceBasedSlotSupplier(c or ResourceBasedSlotConfig(), targets) for c in configs]
        )

    @classmethod
    def create_fixed(
        cls,
        *,
        workflow_slots: int | None = None,
        activity_slots: int | None = None,
        local_activity_slots: int | None = None,
        nexus_slots: int | None = None,
    ) -> WorkerTuner:
        """All are fixed: 100 where nothing is given."""
        counts = (workflow_slots, activity_slots, local_activity_slots, nexus_slots)
        return _Suppliers(*[FixedSizeSlotSupplier(count or 100) for count in counts])

    @classmethod
    def create_composite(
        cls,
        *,
        workflow_supplier: SlotSupplier,
        activity_supplier: SlotSupplier,
        local_activity_supplier: SlotSupplier,
        nexus_supplier: SlotSupplier,
    ) -> WorkerTuner:
        """Each is given."""
        return _Suppliers(
            workflow_supplier, activity_supplier, local_activity_supplier, nexus_supplier
        )

    @abstractmethod
    def _suppliers(self) -> dict[str, SlotSupplier]:
        """By kind of task: workflow, activity, local_activity, nexus."""

    def _fixed(self, kind: str) -> int | None:
        """The number of slots of a kind, if it is fixed."""
        supplier = self._suppliers()[kind]
        if isinstance(supplier, FixedSizeSlotSupplier):
            return supplier.num_slots
        if isinstance(supplier, ResourceBasedSlotSupplier):
            return None
        if isinstance(supplier, CustomSlotSupplier):
            return None
        raise TypeError(f"Unknown slot supplier type: {supplier}")

    def _most(self, kind: str) -> int | None:
        """The number of slots of a kind that there are at most, if it is known."""
        supplier = self._suppliers()[kind]
        if isinstance(supplier, ResourceBasedSlotSupplier):
            return _limits(kind, supplier.slot_config)[1]
        return self._fixed(kind)

    def _resource_based(self) -> tuple[Any, ...] | None:
        """Targets of memory and CPU, and of each kind that follows them its limits."""
        followers = {
            kind: supplier
            for kind, supplier in self._suppliers().items()
            if isinstance(supplier, ResourceBasedSlotSupplier)
        }
        targets = {supplier.tuner_config for supplier in followers.values()}
        if not targets:
            return None
        if len(targets) > 1:
            raise ValueError("All resource-based slot suppliers must have the same tuner config")
        (target,) = targets
        return (
            target.target_memory_usage,
            target.target_cpu_usage,
            *(
                _limits(kind, followers[kind].slot_config) if kind in followers else None
                for kind in ("workflow", "activity", "local_activity", "nexus")
            ),
        )


def _limits(kind: str, config: ResourceBasedSlotConfig) -> tuple[int, int, int]:
    """Minimum, maximum and throttle in milliseconds."""
    minimum = 5 if kind == "workflow" else 1
    throttle = timedelta(milliseconds=0 if kind == "workflow" else 50)
    if config.minimum_slots is not None:
        minimum = config.minimum_slots
    if config.ramp_throttle is not None:
        throttle = config.ramp_throttle
    maximum = 500 if config.maximum_slots is None else config.maximum_slots
    return minimum, maximum, int(throttle / timedelta(milliseconds=1))


@dataclass(frozen=True)
class _Suppliers(WorkerTuner):
    workflow: SlotSupplier
    activity: SlotSupplier
    local_activity: SlotSupplier
    nexus: SlotSupplier

    def _suppliers(self) -> dict[str, SlotSupplier]:
        return dict(vars(self))
