"""Schedules that exist: handles, descriptions, lists."""

from __future__ import annotations

from abc import ABC
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import chimera.converter
from chimera import _api, common
from chimera._lazy import LazyModule
from chimera.client import _schedule_wire as wire
from chimera.client._enums import ScheduleOverlapPolicy
from chimera.client._pages import Pages
from chimera.client._schedule import Schedule, ScheduleBackfill, ScheduleSpec
from chimera.client._workflow import time_or_none

if TYPE_CHECKING:
    from chimera.api.schedule.v1 import ScheduleListEntry
    from chimera.api.workflowservice.v1 import DescribeScheduleResponse
    from chimera.client import _inputs as inputs
    from chimera.client._client import Client
else:
    inputs = LazyModule("chimera.client._inputs")


class _WithMemo:
    data_converter: chimera.converter.DataConverter

    def _raw_memo(self) -> Any:
        raise NotImplementedError

    async def memo(self) -> Mapping[str, Any]:
        """The memo's values, decoded without type hints."""
        return await self.data_converter._decode_memo(self._raw_memo())

    async def memo_value(
        self, key: str, default: Any = common._arg_unset, *, type_hint: type | None = None
    ) -> Any:
        """One value of the memo; KeyError if it is not there and no default is given."""
        return await self.data_converter._decode_memo_field(self._raw_memo(), key, default, type_hint)


class ScheduleActionExecution(ABC):
    """What an action led to."""


@dataclass
class ScheduleActionExecutionStartWorkflow(ScheduleActionExecution):
    """A workflow that was started."""

    workflow_id: str
    first_execution_run_id: str


@dataclass
class ScheduleActionResult:
    """One action that was taken."""

    scheduled_at: datetime
    started_at: datetime
    action: ScheduleActionExecution


def _results(messages: Any) -> list[ScheduleActionResult]:
    return [
        ScheduleActionResult(
            wire.to_utc(message.schedule_time),
            wire.to_utc(message.actual_time),
            ScheduleActionExecutionStartWorkflow(
                message.start_workflow_result.workflow_id, message.start_workflow_result.run_id
            ),
        )
        for message in messages
    ]


@dataclass
class ScheduleInfo:
    """What a schedule has done."""

    num_actions: int
    num_actions_missed_catchup_window: int
    num_actions_skipped_overlap: int
    running_actions: Sequence[ScheduleActionExecution]
    recent_actions: Sequence[ScheduleActionResult]
    next_action_times: Sequence[datetime]
    created_at: datetime
    last_updated_at: datetime | None


def _info(info: Any) -> ScheduleInfo:
    return ScheduleInfo(
        num_actions=info.action_count,
        num_actions_missed_catchup_window=info.missed_catchup_window,
        num_actions_skipped_overlap=info.overlap_skipped,
        running_actions=[ScheduleActionExecutionStartWorkflow(r.workflow_id, r.run_id) for r in info.running_workflows],
        recent_actions=_results(info.recent_actions),
        next_action_times=[wire.to_utc(time) for time in info.future_action_times],
        created_at=wire.to_utc(info.create_time),
        last_updated_at=time_or_none(info, "update_time"),
    )


@dataclass
class ScheduleDescription(_WithMemo):
    """A schedule as it is."""

    id: str
    schedule: Schedule
    info: ScheduleInfo
    typed_search_attributes: common.TypedSearchAttributes
    search_attributes: common.SearchAttributes
    data_converter: chimera.converter.DataConverter
    raw_description: DescribeScheduleResponse

    def _raw_memo(self) -> Any:
        return self.raw_description.memo

    @staticmethod
    def _of(
        id: str, reply: DescribeScheduleResponse, converter: chimera.converter.DataConverter
    ) -> ScheduleDescription:
        return ScheduleDescription(
            id=id,
            schedule=wire.read_schedule(reply.schedule),
            info=_info(reply.info),
            typed_search_attributes=chimera.converter.decode_typed_search_attributes(reply.search_attributes),
            search_attributes=chimera.converter.decode_search_attributes(reply.search_attributes),
            data_converter=converter,
            raw_description=reply,
        )


@dataclass
class ScheduleUpdateInput:
    """What an updater gets."""

    description: ScheduleDescription


@dataclass
class ScheduleUpdate:
    """What an updater returns; search attributes stay as they are unless given."""

    schedule: Schedule
    search_attributes: common.TypedSearchAttributes | None = None


class ScheduleHandle:
    """One schedule, as a client reaches it."""

    def __init__(self, client: Client, id: str) -> None:
        """Use Client.get_schedule_handle instead."""
        self._client = client
        self.id = id

    async def backfill(
        self,
        *backfill: ScheduleBackfill,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Takes the actions of times that have passed."""
        if not backfill:
            raise ValueError("At least one backfill required")
        await self._client._impl.backfill_schedule(
            inputs.BackfillScheduleInput(self.id, backfill, rpc_metadata, rpc_timeout)
        )

    async def delete(
        self, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> None:
        """Removes the schedule; what it started goes on."""
        await self._client._impl.delete_schedule(inputs.DeleteScheduleInput(self.id, rpc_metadata, rpc_timeout))

    async def describe(
        self, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> ScheduleDescription:
        """The schedule as it is."""
        return await self._client._impl.describe_schedule(
            inputs.DescribeScheduleInput(self.id, rpc_metadata, rpc_timeout)
        )

    async def pause(
        self,
        *,
        note: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Takes no more actions until unpause()."""
        await self._client._impl.pause_schedule(inputs.PauseScheduleInput(self.id, note, rpc_metadata, rpc_timeout))

    async def trigger(
        self,
        *,
        overlap: ScheduleOverlapPolicy | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Takes one action now."""
        await self._client._impl.trigger_schedule(
            inputs.TriggerScheduleInput(self.id, overlap, rpc_metadata, rpc_timeout)
        )

    async def unpause(
        self,
        *,
        note: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Ends a pause."""
        await self._client._impl.unpause_schedule(
            inputs.UnpauseScheduleInput(self.id, note, rpc_metadata, rpc_timeout)
        )

    async def update(
        self,
        updater: Callable[[ScheduleUpdateInput], Any | Awaitable[Any]],
        *,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Replaces the schedule by what the updater makes of it; None leaves it alone."""
        await self._client._impl.update_schedule(
            inputs.UpdateScheduleInput(self.id, updater, rpc_metadata, rpc_timeout)
        )


class ScheduleListAction(ABC):
    """What a listed schedule does."""


@dataclass
class ScheduleListActionStartWorkflow(ScheduleListAction):
    """Starts a workflow of this type."""

    workflow: str


@dataclass
class ScheduleListState:
    """Whether a listed schedule runs."""

    note: str | None
    paused: bool


@dataclass
class ScheduleListSchedule:
    """A schedule as lists show it."""

    action: ScheduleListAction
    spec: ScheduleSpec
    state: ScheduleListState


@dataclass
class ScheduleListInfo:
    """What a listed schedule has done lately."""

    recent_actions: Sequence[ScheduleActionResult]
    next_action_times: Sequence[datetime]


@dataclass
class ScheduleListDescription(_WithMemo):
    """One entry of a list."""

    id: str
    schedule: ScheduleListSchedule | None
    info: ScheduleListInfo | None
    typed_search_attributes: common.TypedSearchAttributes
    search_attributes: common.SearchAttributes
    data_converter: chimera.converter.DataConverter
    raw_entry: ScheduleListEntry

    def _raw_memo(self) -> Any:
        return self.raw_entry.memo

    @staticmethod
    def _of(entry: ScheduleListEntry, converter: chimera.converter.DataConverter) -> ScheduleListDescription:
        schedule = info = None
        if entry.HasField("info"):
            schedule = ScheduleListSchedule(
                action=ScheduleListActionStartWorkflow(entry.info.workflow_type.name),
                spec=wire.read_spec(entry.info.spec),
                state=ScheduleListState(entry.info.notes or None, entry.info.paused),
            )
            times = [wire.to_utc(time) for time in entry.info.future_action_times]
            info = ScheduleListInfo(_results(entry.info.recent_actions), times)
        return ScheduleListDescription(
            id=entry.schedule_id,
            schedule=schedule,
            info=info,
            typed_search_attributes=chimera.converter.decode_typed_search_attributes(entry.search_attributes),
            search_attributes=chimera.converter.decode_search_attributes(entry.search_attributes),
            data_converter=converter,
            raw_entry=entry,
        )


class ScheduleAsyncIterator(Pages[ScheduleListDescription]):
    """Schedules, a page at a time."""

    async def _fetch(self, token: bytes, page_size: int) -> tuple[Sequence[ScheduleListDescription], bytes]:
        reply = await self._client.workflow_service.list_schedules(
            _api.workflowservice.ListSchedulesRequest(
                namespace=self._client.namespace,
                maximum_page_size=page_size,
                next_page_token=token,
                query=self._input.query or "",
            ),
            retry=True,
            metadata=self._input.rpc_metadata,
            timeout=self._input.rpc_timeout,
        )
        converter = self._client.data_converter
        return [ScheduleListDescription._of(entry, converter) for entry in reply.schedules], reply.next_page_token
