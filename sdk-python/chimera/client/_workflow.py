"""What the server tells about workflow executions: lists, counts, descriptions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, TypeVar, overload

import chimera.converter
from chimera import _api, common
from chimera.client._enums import WorkflowExecutionStatus, WorkflowHistoryEventFilterType
from chimera.client._history import WorkflowHistory
from chimera.client._pages import Pages

if TYPE_CHECKING:
    from chimera.api.workflow.v1 import WorkflowExecutionInfo
    from chimera.api.workflowservice.v1 import (
        CountWorkflowExecutionsResponse,
        DescribeWorkflowExecutionResponse,
    )

T = TypeVar("T")


def time_or_none(message: Any, name: str) -> datetime | None:
    """A timestamp field in UTC, if it is set."""
    return getattr(message, name).ToDatetime().replace(tzinfo=timezone.utc) if message.HasField(name) else None


@dataclass
class WorkflowExecution:
    """One execution as a list shows it."""

    close_time: datetime | None
    execution_time: datetime | None
    history_length: int
    id: str
    namespace: str
    parent_id: str | None
    parent_run_id: str | None
    root_id: str | None
    root_run_id: str | None
    raw_info: WorkflowExecutionInfo
    run_id: str
    search_attributes: common.SearchAttributes
    start_time: datetime
    status: WorkflowExecutionStatus | None
    task_queue: str
    typed_search_attributes: common.TypedSearchAttributes
    workflow_type: str
    _context_free_data_converter: chimera.converter.DataConverter

    @staticmethod
    def _fields(
        info: WorkflowExecutionInfo, namespace: str, converter: chimera.converter.DataConverter
    ) -> dict[str, Any]:
        parent = info.parent_execution if info.HasField("parent_execution") else None
        root = info.root_execution if info.HasField("root_execution") else None
        start = time_or_none(info, "start_time")
        return {
            "close_time": time_or_none(info, "close_time"),
            "execution_time": time_or_none(info, "execution_time"),
            "history_length": info.history_length,
            "id": info.execution.workflow_id,
            "namespace": namespace,
            "parent_id": parent.workflow_id if parent else None,
            "parent_run_id": parent.run_id if parent else None,
            "root_id": root.workflow_id if root else None,
            "root_run_id": root.run_id if root else None,
            "raw_info": info,
            "run_id": info.execution.run_id,
            "search_attributes": chimera.converter.decode_search_attributes(info.search_attributes),
            "start_time": start or datetime.fromtimestamp(0, timezone.utc),
            "status": WorkflowExecutionStatus(info.status) if info.status else None,
            "task_queue": info.task_queue,
            "typed_search_attributes": chimera.converter.decode_typed_search_attributes(info.search_attributes),
            "workflow_type": info.type.name,
            "_context_free_data_converter": converter,
        }

    @property
    def data_converter(self) -> chimera.converter.DataConverter:
        """The client's converter, in this workflow's context."""
        return self._context_free_data_converter.with_context(
            chimera.converter.WorkflowSerializationContext(namespace=self.namespace, workflow_id=self.id)
        )

    async def memo(self) -> Mapping[str, Any]:
        """The memo's values, decoded without type hints."""
        return await self.data_converter._decode_memo(self.raw_info.memo)

    @overload
    async def memo_value(self, key: str, default: Any = common._arg_unset) -> Any: ...

    @overload
    async def memo_value(self, key: str, *, type_hint: type[T]) -> T: ...

    @overload
    async def memo_value(self, key: str, default: Any, *, type_hint: type[T]) -> T | Any: ...

    async def memo_value(
        self, key: str, default: Any = common._arg_unset, *, type_hint: type | None = None
    ) -> Any:
        """One value of the memo; KeyError if it is not there and no default is given."""
        return await self.data_converter._decode_memo_field(self.raw_info.memo, key, default, type_hint)


@dataclass
class WorkflowExecutionDescription(WorkflowExecution):
    """One execution with all that the server tells of it."""

    raw_description: DescribeWorkflowExecutionResponse
    _static_summary: str | None = None
    _static_details: str | None = None
    _metadata_decoded: bool = field(default=False)

    @staticmethod
    def _of(
        reply: DescribeWorkflowExecutionResponse, namespace: str, converter: chimera.converter.DataConverter
    ) -> WorkflowExecutionDescription:
        return WorkflowExecutionDescription(
            **WorkflowExecution._fields(reply.workflow_execution_info, namespace, converter), raw_description=reply
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
        metadata = self.raw_description.execution_config.user_metadata
        for name in ("summary", "details"):
            if metadata.HasField(name):
                value = (await self.data_converter.decode([getattr(metadata, name)]))[0]
                setattr(self, f"_static_{name}", value)
        self._metadata_decoded = True


@dataclass
class WorkflowExecutionCountAggregationGroup:
    """The count of one group."""

    count: int
    group_values: Sequence[common.SearchAttributeValue]


@dataclass
class WorkflowExecutionCount:
    """How many executions a query found; in groups if it has a GROUP BY."""

    count: int
    groups: Sequence[WorkflowExecutionCountAggregationGroup]

    @staticmethod
    def _of(reply: CountWorkflowExecutionsResponse) -> WorkflowExecutionCount:
        from chimera.converter._search_attributes import _decode_search_attribute_value

        groups = [
            WorkflowExecutionCountAggregationGroup(
                group.count, [_decode_search_attribute_value(value) for value in group.group_values]
            )
            for group in reply.groups
        ]
        return WorkflowExecutionCount(reply.count, groups)


class WorkflowExecutionAsyncIterator(Pages[WorkflowExecution]):
    """The executions that a query finds, a page at a time."""

    async def _fetch(self, token: bytes, page_size: int) -> tuple[Sequence[WorkflowExecution], bytes]:
        client = self._client
        reply = await client.workflow_service.list_workflow_executions(
            _api.workflowservice.ListWorkflowExecutionsRequest(
                namespace=client.namespace, page_size=page_size, next_page_token=token, query=self._input.query or ""
            ),
            retry=True,
            metadata=self._input.rpc_metadata,
            timeout=self._input.rpc_timeout,
        )
        page = [
            WorkflowExecution(**WorkflowExecution._fields(info, client.namespace, client.data_converter))
            for info in reply.executions
        ]
        return page, reply.next_page_token

    async def map_histories(
        self,
        *,
        event_filter_type: WorkflowHistoryEventFilterType = WorkflowHistoryEventFilterType.ALL_EVENT,
        skip_archival: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> AsyncIterator[WorkflowHistory]:
        """The history of each of them, in order. One is fetched ahead while another is in use."""
        ahead: asyncio.Task[WorkflowHistory] | None = None
        try:
            async for execution in self:
                handle = self._client.get_workflow_handle(execution.id, run_id=execution.run_id)
                fetch = asyncio.ensure_future(
                    handle.fetch_history(
                        event_filter_type=event_filter_type,
                        skip_archival=skip_archival,
                        rpc_metadata=rpc_metadata,
                        rpc_timeout=rpc_timeout,
                    )
                )
                before, ahead = ahead, fetch
                if before is not None:
                    yield await before
            if ahead is not None:
                yield await ahead
        finally:
            if ahead is not None and not ahead.done():
                ahead.cancel()
