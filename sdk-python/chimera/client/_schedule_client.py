"""The client's methods about schedules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from chimera import common
from chimera._lazy import LazyModule
from chimera.client._interceptor import OutboundInterceptor

if TYPE_CHECKING:
    from chimera.client import _inputs as inputs, _schedule_handle as handles
    from chimera.client._schedule import Schedule, ScheduleBackfill
    from chimera.client._schedule_handle import ScheduleAsyncIterator, ScheduleHandle
else:
    inputs = LazyModule("chimera.client._inputs")
    handles = LazyModule("chimera.client._schedule_handle")


class ScheduleMethods:
    """Part of Client."""

    _impl: OutboundInterceptor

    async def create_schedule(
        self,
        id: str,
        schedule: Schedule,
        *,
        trigger_immediately: bool = False,
        backfill: Sequence[ScheduleBackfill] = [],
        memo: Mapping[str, Any] | None = None,
        search_attributes: common.TypedSearchAttributes | common.SearchAttributes | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> ScheduleHandle:
        """Makes a schedule. Raises ScheduleAlreadyRunningError if the id is in use."""
        common._warn_on_deprecated_search_attributes(search_attributes)
        return await self._impl.create_schedule(
            inputs.CreateScheduleInput(
                id=id,
                schedule=schedule,
                trigger_immediately=trigger_immediately,
                backfill=backfill,
                memo=memo,
                search_attributes=search_attributes,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    def get_schedule_handle(self, id: str) -> ScheduleHandle:
        """The handle of a schedule that was made before. Asks no server."""
        return handles.ScheduleHandle(self, id)  # type: ignore[arg-type]

    async def list_schedules(
        self,
        query: str | None = None,
        *,
        page_size: int = 1000,
        next_page_token: bytes | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> ScheduleAsyncIterator:
        """The schedules that the list filter finds; all without one."""
        return self._impl.list_schedules(
            inputs.ListSchedulesInput(
                page_size=page_size,
                next_page_token=next_page_token,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                query=query,
            )
        )
