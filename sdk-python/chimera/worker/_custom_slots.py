"""Slots that a user's own supplier gives: between the core, which asks, and the supplier's code.

The supplier runs on the thread of the worker's event loop, but for `try_reserve_slot`, which the
core asks for on a thread of its own and waits for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from chimera.common import WorkerDeploymentVersion
from chimera.worker._tuning import (
    ActivitySlotInfo,
    CustomSlotSupplier,
    LocalActivitySlotInfo,
    NexusSlotInfo,
    SlotInfo,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotReserveContext,
    WorkflowSlotInfo,
)

if TYPE_CHECKING:
    from chimera import _bridge

logger = logging.getLogger(__name__)

_Kind = Literal["workflow", "activity", "local-activity", "nexus"]
_OPTIONS: Mapping[str, tuple[str, _Kind]] = {
    "workflow": ("workflow_slots", "workflow"),
    "activity": ("activity_slots", "activity"),
    "local_activity": ("local_activity_slots", "local-activity"),
    "nexus": ("nexus_slots", "nexus"),
}


def suppliers(config: Any) -> dict[str, CustomSlots]:
    """Of a worker's tuner, by the core's options."""
    tuner = config.get("tuner")
    given = tuner._suppliers() if tuner is not None else {}
    return {
        option: CustomSlots(kind, given[name])
        for name, (option, kind) in _OPTIONS.items()
        if isinstance(given.get(name), CustomSlotSupplier)
    }


@dataclass(frozen=True)
class _ReserveContext(SlotReserveContext):
    slot_type: _Kind
    task_queue: str
    worker_identity: str
    worker_build_id: str
    worker_deployment_version: WorkerDeploymentVersion | None
    is_sticky: bool


@dataclass(frozen=True)
class _MarkUsedContext(SlotMarkUsedContext):
    slot_info: SlotInfo
    permit: SlotPermit


@dataclass(frozen=True)
class _WorkflowInfo(WorkflowSlotInfo):
    workflow_type: str
    is_sticky: bool


@dataclass(frozen=True)
class _ActivityInfo(ActivitySlotInfo):
    activity_type: str


@dataclass(frozen=True)
class _LocalActivityInfo(LocalActivitySlotInfo):
    activity_type: str


@dataclass(frozen=True)
class _NexusInfo(NexusSlotInfo):
    service: str
    operation: str


class CustomSlots:
    """One kind of slots of one worker. `bridge` is what the core asks."""

    def __init__(self, kind: _Kind, supplier: CustomSlotSupplier) -> None:
        from chimera import _bridge

        self._kind = kind
        self._supplier = supplier
        self._queue: _bridge.Queue | None = None
        self._reserving: set[asyncio.Task] = set()
        self.bridge = _bridge.SlotSupplier(
            self._reserve, self._try_reserve, self._mark_used, self._release
        )

    def open(self, queue: _bridge.Queue) -> None:
        """Called on the event loop, before the worker starts."""
        self._queue = queue
        self.bridge.open(queue)

    def close(self) -> None:
        """Called once the worker has ended."""
        self.bridge.close()

    def _context(self, about: tuple) -> SlotReserveContext:
        is_sticky, task_queue, identity, build_id, deployment = about
        version = WorkerDeploymentVersion(deployment, build_id) if deployment else None
        return _ReserveContext(self._kind, task_queue, identity, build_id, version, is_sticky)

    def _reserve(self, about: tuple, reservation: _bridge.SlotReservation) -> None:
        task = asyncio.ensure_future(self._grant(self._context(about), reservation))
        self._reserving.add(task)
        task.add_done_callback(self._reserving.discard)
        assert self._queue is not None
        reservation.on_cancel(self._queue, task.cancel)

    async def _grant(
        self, context: SlotReserveContext, reservation: _bridge.SlotReservation
    ) -> None:
        try:
            permit = await self._supplier.reserve_slot(context)
        except asyncio.CancelledError:
            reservation.fail("reserve_slot was cancelled")  # By itself: the worker has no use for it.
            raise
        except Exception as err:
            reservation.fail(f"reserve_slot raised {type(err).__name__}: {err}")
            return
        if permit is None:
            reservation.fail("reserve_slot returned None instead of a SlotPermit")
        elif not reservation.grant(permit):
            self._release(None, permit)

    def _try_reserve(self, about: tuple) -> SlotPermit | None:
        try:
            return self._supplier.try_reserve_slot(self._context(about))
        except Exception:
            logger.exception("try_reserve_slot of a custom slot supplier failed")
            return None

    def _mark_used(self, use: tuple, permit: SlotPermit) -> None:
        try:
            self._supplier.mark_slot_used(_MarkUsedContext(self._info(*use), permit))
        except Exception:
            logger.exception("mark_slot_used of a custom slot supplier failed")

    def _release(self, use: tuple | None, permit: SlotPermit) -> None:
        try:
            info = None if use is None else self._info(*use)
            self._supplier.release_slot(SlotReleaseContext(info, permit))
        except Exception:
            logger.exception("release_slot of a custom slot supplier failed")

    def _info(self, type_name: str, is_sticky: bool, operation: str) -> SlotInfo:
        if self._kind == "workflow":
            return _WorkflowInfo(type_name, is_sticky)
        if self._kind == "activity":
            return _ActivityInfo(type_name)
        if self._kind == "nexus":
            return _NexusInfo(type_name, operation)
        return _LocalActivityInfo(type_name)
