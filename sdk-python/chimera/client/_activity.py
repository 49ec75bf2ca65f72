"""What the server tells about activities that no workflow has: lists, counts, descriptions, options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from typing_extensions import Self

import chimera.converter
from chimera import _api, common
from chimera.client._enums import ActivityExecutionStatus, PendingActivityState
from chimera.client._handle import only_result
from chimera.client._pages import Pages
from chimera.client._workflow import time_or_none
from chimera.converter._search_attributes import _decode_search_attribute_value

if TYPE_CHECKING:
    from chimera.api.activity.v1 import (
        ActivityExecutionInfo,
        ActivityExecutionListInfo,
        ActivityExecutionOutcome,
        ActivityOptions,
        CallbackInfo,
    )
    from chimera.api.common.v1 import Payloads
    from chimera.api.workflowservice.v1 import (
        CountActivityExecutionsResponse,
        DescribeActivityExecutionResponse,
    )

ActivityOptionValueType = TypeVar("ActivityOptionValueType")


def _duration(message: Any, name: str) -> timedelta | None:
    return getattr(message, name).ToTimedelta() if message.HasField(name) else None


@dataclass(frozen=True, eq=False, kw_only=True)
class ActivityExecution:
    """One activity as a list shows it."""

    activity_id: str
    activity_run_id: str | None
    activity_type: str
    close_time: datetime | None
    execution_duration: timedelta | None
    execution_time: datetime | None
    namespace: str
    schedule_time: datetime
    status: ActivityExecutionStatus
    task_queue: str
    typed_search_attributes: common.TypedSearchAttributes
    raw_info: ActivityExecutionListInfo | ActivityExecutionInfo = field(repr=False)

    @classmethod
    def _from_raw_info(
        cls, info: ActivityExecutionListInfo | ActivityExecutionInfo, namespace: str, **more: Any
    ) -> Self:
        return cls(
            activity_id=info.activity_id,
            activity_run_id=info.run_id or None,
            activity_type=info.activity_type.name,
            close_time=time_or_none(info, "close_time"),
            execution_duration=_duration(info, "execution_duration"),
            execution_time=time_or_none(info, "execution_time"),
            namespace=namespace,
            schedule_time=time_or_none(info, "schedule_time") or datetime.fromtimestamp(0, timezone.utc),
            status=ActivityExecutionStatus(info.status),
            task_queue=info.task_queue,
            typed_search_attributes=chimera.converter.decode_typed_search_attributes(info.search_attributes),
            raw_info=info,
            **more,
        )


class ActivityExecutionAsyncIterator(Pages[ActivityExecution]):
    """The activities that a list filter finds."""

    async def _fetch(self, token: bytes, page_size: int) -> tuple[Sequence[ActivityExecution], bytes]:
        reply = await self._client.workflow_service.list_activity_executions(
            _api.workflowservice.ListActivityExecutionsRequest(
                namespace=self._client.namespace,
                page_size=page_size,
                next_page_token=token,
                query=self._input.query or "",
            ),
            retry=True,
            metadata=self._input.rpc_metadata,
            timeout=self._input.rpc_timeout,
        )
        page = [ActivityExecution._from_raw_info(info, self._client.namespace) for info in reply.executions]
        return page, reply.next_page_token


@dataclass(frozen=True, eq=False, kw_only=True)
class ActivityExecutionDescription(ActivityExecution):
    """One activity as a description shows it; what was not asked for is None."""

    attempt: int
    canceled_reason: str | None
    close_time: datetime | None
    current_retry_interval: timedelta | None
    expiration_time: datetime | None
    heartbeat_timeout: timedelta | None
    last_attempt_complete_time: datetime | None
    last_deployment_version: common.WorkerDeploymentVersion | None
    last_heartbeat_time: datetime | None
    last_started_time: datetime | None
    last_worker_identity: str | None
    next_attempt_schedule_time: datetime | None
    priority: common.Priority
    retry_policy: common.RetryPolicy | None
    run_state: PendingActivityState | None
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    start_delay: timedelta | None
    total_heartbeat_count: int
    raw_info: ActivityExecutionInfo = field(repr=False)
    raw_callbacks: Sequence[CallbackInfo] = field(repr=False)
    raw_input: Payloads | None = field(repr=False)
    raw_outcome: ActivityExecutionOutcome | None = field(repr=False)
    data_converter: chimera.converter.DataConverter = field(repr=False)

    @classmethod
    def _from_resp(
        cls,
        resp: DescribeActivityExecutionResponse,
        namespace: str,
        data_converter: chimera.converter.DataConverter,
    ) -> Self:
        info = resp.info
        version = info.last_deployment_version if info.HasField("last_deployment_version") else None
        durations = (
            "current_retry_interval",
            "heartbeat_timeout",
            "schedule_to_close_timeout",
            "schedule_to_start_timeout",
            "start_to_close_timeout",
            "start_delay",
        )
        times = (
            "expiration_time",
            "last_attempt_complete_time",
            "last_heartbeat_time",
            "last_started_time",
            "next_attempt_schedule_time",
        )
        return cls._from_raw_info(
            info,
            namespace,
            **{name: _duration(info, name) for name in durations},
            **{name: time_or_none(info, name) for name in times},
            attempt=info.attempt,
            canceled_reason=info.canceled_reason or None,
            last_deployment_version=(
                common.WorkerDeploymentVersion(version.deployment_name, version.build_id) if version else None
            ),
            last_worker_identity=info.last_worker_identity or None,
            priority=common.Priority._from_proto(info.priority),
            retry_policy=common.RetryPolicy.from_proto(info.retry_policy) if info.HasField("retry_policy") else None,
            run_state=PendingActivityState(info.run_state) if info.run_state else None,
            total_heartbeat_count=info.total_heartbeat_count,
            raw_callbacks=resp.callbacks,
            raw_input=resp.input if resp.HasField("input") else None,
            raw_outcome=resp.outcome if resp.HasField("outcome") else None,
            data_converter=data_converter,
        )

    def has_heartbeat_details(self) -> bool:
        """Whether heartbeat_details() has some. They have to be asked for."""
        return self.raw_info.HasField("heartbeat_details")

    async def heartbeat_details(self, type_hints: list[type] | None = None) -> list[Any] | None:
        """Of the last heartbeat."""
        if not self.has_heartbeat_details():
            return None
        return await self.data_converter.decode_wrapper(self.raw_info.heartbeat_details, type_hints)

    def has_last_failure(self) -> bool:
        """Whether an attempt has failed. It has to be asked for."""
        return self.raw_info.HasField("last_failure")

    async def last_failure(self) -> BaseException | None:
        """How the last attempt that failed did."""
        if not self.has_last_failure():
            return None
        return await self.data_converter.decode_failure(self.raw_info.last_failure)

    def has_input(self) -> bool:
        """Whether input() has some. It has to be asked for."""
        return self.raw_input is not None

    async def input(self, type_hints: list[type] | None = None) -> list[Any] | None:
        """What the activity was started with."""
        if self.raw_input is None:
            return None
        return await self.data_converter.decode_wrapper(self.raw_input, type_hints)

    def has_result(self) -> bool:
        """Whether it has completed. The outcome has to be asked for."""
        return self.raw_outcome is not None and self.raw_outcome.HasField("result")

    async def result(self, type_hint: type | None = None) -> Any | None:
        """Of an activity that has completed."""
        if self.raw_outcome is None or not self.raw_outcome.HasField("result"):
            return None
        hints = [type_hint] if type_hint is not None else None
        return only_result(
            await self.data_converter.decode_wrapper(self.raw_outcome.result, hints), "activity result"
        )

    def has_outcome_failure(self) -> bool:
        """Whether it has ended otherwise. The outcome has to be asked for."""
        return self.raw_outcome is not None and self.raw_outcome.HasField("failure")

    async def outcome_failure(self) -> BaseException | None:
        """Of an activity that has ended without a result."""
        if self.raw_outcome is None or not self.raw_outcome.HasField("failure"):
            return None
        return await self.data_converter.decode_failure(self.raw_outcome.failure)


@dataclass(frozen=True)
class ActivityExecutionCountAggregationGroup:
    """One group of a count."""

    count: int
    group_values: Sequence[common.SearchAttributeValue]

    @staticmethod
    def _from_raw(raw: CountActivityExecutionsResponse.AggregationGroup) -> ActivityExecutionCountAggregationGroup:
        return ActivityExecutionCountAggregationGroup(
            raw.count, [_decode_search_attribute_value(value) for value in raw.group_values]
        )


@dataclass(frozen=True)
class ActivityExecutionCount:
    """How many activities a filter finds; by groups, if it says so."""

    count: int
    groups: Sequence[ActivityExecutionCountAggregationGroup]

    @staticmethod
    def _from_raw(resp: CountActivityExecutionsResponse) -> ActivityExecutionCount:
        return ActivityExecutionCount(
            resp.count, [ActivityExecutionCountAggregationGroup._from_raw(group) for group in resp.groups]
        )


@dataclass(frozen=True)
class ActivityOptionsKey(Generic[ActivityOptionValueType]):
    """An option that can be changed: one of ActivityOptionsKeys."""

    name: str

    def value_set(self, value: ActivityOptionValueType) -> ActivityOptionsUpdate[ActivityOptionValueType]:
        """The change that sets it."""
        return ActivityOptionsUpdate(self, value)

    def value_unset(self) -> ActivityOptionsUpdate[ActivityOptionValueType]:
        """The change that takes it away."""
        return ActivityOptionsUpdate(self, None)


@dataclass(frozen=True)
class ActivityOptionsUpdate(Generic[ActivityOptionValueType]):
    """A change of one option; a value of None takes it away."""

    key: ActivityOptionsKey[ActivityOptionValueType]
    value: ActivityOptionValueType | None


class ActivityOptionsKeys:
    """What ActivityHandle.update_options() can change."""

    task_queue: ActivityOptionsKey[str] = ActivityOptionsKey("task_queue.name")
    schedule_to_close_timeout: ActivityOptionsKey[timedelta] = ActivityOptionsKey("schedule_to_close_timeout")
    schedule_to_start_timeout: ActivityOptionsKey[timedelta] = ActivityOptionsKey("schedule_to_start_timeout")
    start_to_close_timeout: ActivityOptionsKey[timedelta] = ActivityOptionsKey("start_to_close_timeout")
    heartbeat_timeout: ActivityOptionsKey[timedelta] = ActivityOptionsKey("heartbeat_timeout")
    start_delay: ActivityOptionsKey[timedelta] = ActivityOptionsKey("start_delay")
    retry_policy: ActivityOptionsKey[common.RetryPolicy] = ActivityOptionsKey("retry_policy")
    priority: ActivityOptionsKey[common.Priority] = ActivityOptionsKey("priority")


@dataclass(frozen=True)
class ActivityExecutionOptions:
    """The options of an activity after a change of them."""

    task_queue: str | None
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    heartbeat_timeout: timedelta | None
    start_delay: timedelta | None
    retry_policy: common.RetryPolicy | None
    priority: common.Priority | None

    @staticmethod
    def _from_proto(options: ActivityOptions) -> ActivityExecutionOptions:
        return ActivityExecutionOptions(
            task_queue=options.task_queue.name if options.HasField("task_queue") else None,
            schedule_to_close_timeout=_duration(options, "schedule_to_close_timeout"),
            schedule_to_start_timeout=_duration(options, "schedule_to_start_timeout"),
            start_to_close_timeout=_duration(options, "start_to_close_timeout"),
            heartbeat_timeout=_duration(options, "heartbeat_timeout"),
            start_delay=_duration(options, "start_delay"),
            retry_policy=(
                common.RetryPolicy.from_proto(options.retry_policy) if options.HasField("retry_policy") else None
            ),
            priority=common.Priority._from_proto(options.priority) if options.HasField("priority") else None,
        )
