"""What the server tells about Nexus operations that no workflow has: lists, counts, descriptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import chimera.converter
from chimera import _api, common
from chimera.client._activity import _duration
from chimera.client._pages import Pages
from chimera.client._workflow import time_or_none
from chimera.converter._search_attributes import _decode_search_attribute_value

if TYPE_CHECKING:
    from chimera.api.nexus.v1 import (
        NexusOperationExecutionCancellationInfo as RawCancellationInfo,
        NexusOperationExecutionInfo,
        NexusOperationExecutionListInfo,
    )
    from chimera.api.workflowservice.v1 import CountNexusOperationExecutionsResponse


async def _failure(info: Any, converter: chimera.converter.DataConverter) -> BaseException | None:
    if not info.HasField("last_attempt_failure"):
        return None
    return await converter.decode_failure(info.last_attempt_failure)


@dataclass
class NexusOperationExecutionCancellationInfo:
    """How far a request to cancel an operation has come."""

    raw: RawCancellationInfo
    requested_time: datetime | None
    state: common.NexusOperationCancellationState
    attempt: int
    last_attempt_complete_time: datetime | None
    next_attempt_schedule_time: datetime | None
    last_attempt_failure: BaseException | None
    blocked_reason: str
    """Why it is BLOCKED; empty otherwise."""
    reason: str
    """The caller's."""

    @classmethod
    async def _of(
        cls, info: RawCancellationInfo, converter: chimera.converter.DataConverter
    ) -> NexusOperationExecutionCancellationInfo:
        return cls(
            raw=info,
            requested_time=time_or_none(info, "requested_time"),
            state=common.NexusOperationCancellationState(info.state),
            attempt=info.attempt,
            last_attempt_complete_time=time_or_none(info, "last_attempt_complete_time"),
            next_attempt_schedule_time=time_or_none(info, "next_attempt_schedule_time"),
            last_attempt_failure=await _failure(info, converter),
            blocked_reason=info.blocked_reason,
            reason=info.reason,
        )


@dataclass
class NexusOperationExecution:
    """One operation as a list shows it."""

    operation_id: str
    run_id: str
    endpoint: str
    service: str
    operation: str
    schedule_time: datetime | None
    close_time: datetime | None
    """None while it is open."""
    status: common.NexusOperationExecutionStatus
    search_attributes: common.TypedSearchAttributes
    state_transition_count: int
    execution_duration: timedelta | None
    """From its schedule time to its end; None while it is open."""
    raw_info: NexusOperationExecutionListInfo | NexusOperationExecutionInfo

    @staticmethod
    def _fields(info: NexusOperationExecutionListInfo | NexusOperationExecutionInfo) -> dict[str, Any]:
        return {
            "operation_id": info.operation_id,
            "run_id": info.run_id,
            "endpoint": info.endpoint,
            "service": info.service,
            "operation": info.operation,
            "schedule_time": time_or_none(info, "schedule_time"),
            "close_time": time_or_none(info, "close_time"),
            "status": common.NexusOperationExecutionStatus(info.status),
            "search_attributes": chimera.converter.decode_typed_search_attributes(info.search_attributes),
            "state_transition_count": info.state_transition_count,
            "execution_duration": _duration(info, "execution_duration"),
            "raw_info": info,
        }


class NexusOperationExecutionAsyncIterator(Pages[NexusOperationExecution]):
    """The operations that a list filter finds."""

    async def _fetch(self, token: bytes, page_size: int) -> tuple[Sequence[NexusOperationExecution], bytes]:
        reply = await self._client.workflow_service.list_nexus_operation_executions(
            _api.workflowservice.ListNexusOperationExecutionsRequest(
                namespace=self._client.namespace,
                page_size=page_size,
                next_page_token=token,
                query=self._input.query or "",
            ),
            retry=True,
            metadata=self._input.rpc_metadata,
            timeout=self._input.rpc_timeout,
        )
        page = [NexusOperationExecution(**NexusOperationExecution._fields(info)) for info in reply.operations]
        return page, reply.next_page_token


@dataclass
class NexusOperationExecutionDescription(NexusOperationExecution):
    """One operation with all that the server tells of it."""

    raw_description: NexusOperationExecutionInfo
    state: common.PendingNexusOperationExecutionState
    """What it waits for while its status is RUNNING."""
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    attempt: int
    expiration_time: datetime | None
    """When the schedule-to-close timeout is over."""
    last_attempt_complete_time: datetime | None
    next_attempt_schedule_time: datetime | None
    last_attempt_failure: BaseException | None
    blocked_reason: str | None
    request_id: str
    """The handler's mark of a start that was asked for before; made by the server."""
    operation_token: str | None
    """Of an operation that goes on after its start."""
    identity: str
    """The starter's."""
    cancellation_info: NexusOperationExecutionCancellationInfo | None
    """None: nobody has asked for its cancellation."""

    _data_converter: chimera.converter.DataConverter = field(kw_only=True, compare=False, repr=False)
    _static_summary: str | None = field(kw_only=True, default=None, compare=False, repr=False)
    _static_details: str | None = field(kw_only=True, default=None, compare=False, repr=False)
    _metadata_decoded: bool = field(kw_only=True, default=False, compare=False, repr=False)

    @classmethod
    async def _of(
        cls, info: NexusOperationExecutionInfo, converter: chimera.converter.DataConverter
    ) -> NexusOperationExecutionDescription:
        durations = ("schedule_to_close_timeout", "schedule_to_start_timeout", "start_to_close_timeout")
        times = ("expiration_time", "last_attempt_complete_time", "next_attempt_schedule_time")
        cancellation = None
        if info.HasField("cancellation_info"):
            cancellation = await NexusOperationExecutionCancellationInfo._of(info.cancellation_info, converter)
        more: dict[str, Any] = {name: _duration(info, name) for name in durations}
        more |= {name: time_or_none(info, name) for name in times}
        return cls(
            **NexusOperationExecution._fields(info),
            **more,
            raw_description=info,
            state=common.PendingNexusOperationExecutionState(info.state),
            attempt=info.attempt,
            last_attempt_failure=await _failure(info, converter),
            blocked_reason=info.blocked_reason or None,
            request_id=info.request_id,
            operation_token=info.operation_token or None,
            identity=info.identity,
            cancellation_info=cancellation,
            _data_converter=converter,
        )

    async def static_summary(self) -> str | None:
        """What the starter said in one line, if anything."""
        await self._decode_metadata()
        return self._static_summary

    async def static_details(self) -> str | None:
        """What the starter said at length, if anything."""
        await self._decode_metadata()
        return self._static_details

    async def _decode_metadata(self) -> None:
        if self._metadata_decoded:
            return
        metadata = self.raw_description.user_metadata
        for name in ("summary", "details"):
            if metadata.HasField(name):
                value = (await self._data_converter.decode([getattr(metadata, name)]))[0]
                setattr(self, f"_static_{name}", value)
        self._metadata_decoded = True


@dataclass(frozen=True)
class NexusOperationExecutionCountAggregationGroup:
    """One group of a count."""

    count: int
    group_values: Sequence[common.SearchAttributeValue]

    @staticmethod
    def _from_raw(
        raw: CountNexusOperationExecutionsResponse.AggregationGroup,
    ) -> NexusOperationExecutionCountAggregationGroup:
        return NexusOperationExecutionCountAggregationGroup(
            raw.count, [_decode_search_attribute_value(value) for value in raw.group_values]
        )


@dataclass
class NexusOperationExecutionCount:
    """How many operations a filter finds; by groups, if it says so."""

    count: int
    groups: Sequence[NexusOperationExecutionCountAggregationGroup]

    @staticmethod
    def _from_raw(resp: CountNexusOperationExecutionsResponse) -> NexusOperationExecutionCount:
        return NexusOperationExecutionCount(
            resp.count, [NexusOperationExecutionCountAggregationGroup._from_raw(group) for group in resp.groups]
        )
