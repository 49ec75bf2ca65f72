"""Activities that stand alone: their handles, and what the server tells about them."""

from __future__ import annotations

import asyncio
import functools
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import chimera.converter
from chimera import _api, common
from chimera._lazy import LazyModule
from chimera.client._enums import ActivityExecutionStatus, PendingActivityState
from chimera.client._errors import ActivityFailureError
from chimera.client._pages import Pages
from chimera.client._workflow import time_or_none
from chimera.service import RPCError, RPCStatusCode
from chimera.types import ReturnType

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
    from chimera.client import _inputs as inputs
    from chimera.client._client import Client
else:
    inputs = LazyModule("chimera.client._inputs")

ValueType = TypeVar("ValueType")


def _duration(message: Any, name: str) -> timedelta | None:
    return getattr(message, name).ToTimedelta() if message.HasField(name) else None


def _timeouts(message: Any) -> dict[str, Any]:
    names = (
        "schedule_to_close_timeout",
        "schedule_to_start_timeout",
        "start_to_close_timeout",
        "heartbeat_timeout",
        "start_delay",
    )
    return {name: _duration(message, name) for name in names}


def _retry_policy(message: Any) -> common.RetryPolicy | None:
    return common.RetryPolicy.from_proto(message.retry_policy) if message.HasField("retry_policy") else None


def activity_converter(
    client: Client, activity_id: str, *, activity_type: str | None = None, task_queue: str | None = None
) -> chimera.converter.DataConverter:
    """The client's converter, in the context of one such activity."""
    return client.data_converter.with_context(
        chimera.converter.ActivitySerializationContext(
            namespace=client.namespace,
            activity_id=activity_id,
            activity_type=activity_type,
            activity_task_queue=task_queue,
            is_local=False,
            workflow_id=None,
            workflow_type=None,
        )
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class ActivityExecution:
    """One activity as a list shows it. Times are in UTC."""

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

    @staticmethod
    def _fields(info: Any, namespace: str) -> dict[str, Any]:
        return {
            "activity_id": info.activity_id,
            "activity_run_id": info.run_id or None,
            "activity_type": info.activity_type.name,
            "close_time": time_or_none(info, "close_time"),
            "execution_duration": _duration(info, "execution_duration"),
            "execution_time": time_or_none(info, "execution_time"),
            "namespace": namespace,
            "schedule_time": time_or_none(info, "schedule_time") or datetime.min.replace(tzinfo=timezone.utc),
            "status": ActivityExecutionStatus(info.status),
            "task_queue": info.task_queue,
            "typed_search_attributes": chimera.converter.decode_typed_search_attributes(info.search_attributes),
            "raw_info": info,
        }


@dataclass(frozen=True, eq=False, kw_only=True)
class ActivityExecutionDescription(ActivityExecution):
    """One activity with all that the server tells of it."""

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

    @staticmethod
    def _of(
        reply: DescribeActivityExecutionResponse, namespace: str, converter: chimera.converter.DataConverter
    ) -> ActivityExecutionDescription:
        info = reply.info
        version = info.last_deployment_version if info.HasField("last_deployment_version") else None
        return ActivityExecutionDescription(
            **ActivityExecution._fields(info, namespace),
            **_timeouts(info),
            attempt=info.attempt,
            canceled_reason=info.canceled_reason or None,
            current_retry_interval=_duration(info, "current_retry_interval"),
            expiration_time=time_or_none(info, "expiration_time"),
            last_attempt_complete_time=time_or_none(info, "last_attempt_complete_time"),
            last_deployment_version=(
                common.WorkerDeploymentVersion(version.deployment_name, version.build_id) if version else None
            ),
            last_heartbeat_time=time_or_none(info, "last_heartbeat_time"),
            last_started_time=time_or_none(info, "last_started_time"),
            last_worker_identity=info.last_worker_identity or None,
            next_attempt_schedule_time=time_or_none(info, "next_attempt_schedule_time"),
            priority=common.Priority._from_proto(info.priority),
            retry_policy=_retry_policy(info),
            run_state=PendingActivityState(info.run_state) if info.run_state else None,
            total_heartbeat_count=info.total_heartbeat_count,
            raw_callbacks=reply.callbacks,
            raw_input=reply.input if reply.HasField("input") else None,
            raw_outcome=reply.outcome if reply.HasField("outcome") else None,
            data_converter=converter,
        )

    def has_heartbeat_details(self) -> bool:
        """Whether there are any, and describe() was asked for them."""
        return self.raw_info.HasField("heartbeat_details")

    async def heartbeat_details(self, type_hints: list[type] | None = None) -> list[Any] | None:
        """What its code told last."""
        if not self.has_heartbeat_details():
            return None
        return await self.data_converter.decode_wrapper(self.raw_info.heartbeat_details, type_hints)

    def has_last_failure(self) -> bool:
        """Whether an attempt has failed, and describe() was asked for it."""
        return self.raw_info.HasField("last_failure")

    async def last_failure(self) -> BaseException | None:
        """How the last attempt failed that did."""
        return await self.data_converter.decode_failure(self.raw_info.last_failure) if self.has_last_failure() else None

    def has_input(self) -> bool:
        """Whether it has arguments, and describe() was asked for them."""
        return self.raw_input is not None

    async def input(self, type_hints: list[type] | None = None) -> list[Any] | None:
        """Its arguments."""
        return await self.data_converter.decode_wrapper(self.raw_input, type_hints) if self.raw_input else None

    def has_result(self) -> bool:
        """Whether it has completed, and describe() was asked for the outcome."""
        return self.raw_outcome is not None and self.raw_outcome.HasField("result")

    async def result(self, type_hint: type | None = None) -> Any | None:
        """What it returned; None also where it has not, see has_result()."""
        if self.raw_outcome is None or not self.has_result():
            return None
        return await _only_value(self.data_converter, self.raw_outcome.result, type_hint)

    def has_outcome_failure(self) -> bool:
        """Whether it has closed with a failure, and describe() was asked for the outcome."""
        return self.raw_outcome is not None and self.raw_outcome.HasField("failure")

    async def outcome_failure(self) -> BaseException | None:
        """What it failed with for good."""
        if self.raw_outcome is None or not self.has_outcome_failure():
            return None
        return await self.data_converter.decode_failure(self.raw_outcome.failure)


async def _only_value(converter: chimera.converter.DataConverter, payloads: Any, type_hint: type | None) -> Any:
    if not payloads.payloads:
        return None
    values = await converter.decode(payloads.payloads, [type_hint] if type_hint else None)
    if len(values) > 1:
        warnings.warn(f"Expected single activity result, got {len(values)}")
    return values[0] if values else None


@dataclass(frozen=True)
class ActivityOptionsKey(Generic[ValueType]):
    """One option that can be changed; those of ActivityOptionsKeys are all."""

    name: str

    def value_set(self, value: ValueType) -> ActivityOptionsUpdate[ValueType]:
        """The change that gives it this value."""
        return ActivityOptionsUpdate(self, value)

    def value_unset(self) -> ActivityOptionsUpdate[ValueType]:
        """The change that takes its value away."""
        return ActivityOptionsUpdate(self, None)


@dataclass(frozen=True)
class ActivityOptionsUpdate(Generic[ValueType]):
    """The change of one option; made by its key."""

    key: ActivityOptionsKey[ValueType]
    value: ValueType | None


class ActivityOptionsKeys:
    """What ActivityHandle.update_options can change."""

    task_queue: ActivityOptionsKey[str] = ActivityOptionsKey("task_queue.name")
    schedule_to_close_timeout: ActivityOptionsKey[timedelta] = ActivityOptionsKey("schedule_to_close_timeout")
    schedule_to_start_timeout: ActivityOptionsKey[timedelta] = ActivityOptionsKey("schedule_to_start_timeout")
    start_to_close_timeout: ActivityOptionsKey[timedelta] = ActivityOptionsKey("start_to_close_timeout")
    heartbeat_timeout: ActivityOptionsKey[timedelta] = ActivityOptionsKey("heartbeat_timeout")
    start_delay: ActivityOptionsKey[timedelta] = ActivityOptionsKey("start_delay")
    retry_policy: ActivityOptionsKey[common.RetryPolicy] = ActivityOptionsKey("retry_policy")
    priority: ActivityOptionsKey[common.Priority] = ActivityOptionsKey("priority")


def check_updates(updates: Sequence[ActivityOptionsUpdate[Any]], method: str) -> None:
    """ValueError if an option is named twice."""
    names = [update.key.name for update in updates]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{method} received more than one update for {name}")


@dataclass(frozen=True)
class ActivityExecutionOptions:
    """The options of an activity after a change."""

    task_queue: str | None
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    heartbeat_timeout: timedelta | None
    start_delay: timedelta | None
    retry_policy: common.RetryPolicy | None
    priority: common.Priority | None

    @staticmethod
    def _of(options: ActivityOptions) -> ActivityExecutionOptions:
        return ActivityExecutionOptions(
            task_queue=options.task_queue.name if options.HasField("task_queue") else None,
            **_timeouts(options),
            retry_policy=_retry_policy(options),
            priority=common.Priority._from_proto(options.priority) if options.HasField("priority") else None,
        )


@dataclass(frozen=True)
class ActivityExecutionCount:
    """How many activities a query found; in groups if it has a GROUP BY."""

    count: int
    groups: Sequence[ActivityExecutionCountAggregationGroup]

    @staticmethod
    def _of(reply: CountActivityExecutionsResponse) -> ActivityExecutionCount:
        from chimera.converter._search_attributes import _decode_search_attribute_value

        groups = [
            ActivityExecutionCountAggregationGroup(
                group.count, [_decode_search_attribute_value(value) for value in group.group_values]
            )
            for group in reply.groups
        ]
        return ActivityExecutionCount(reply.count, groups)


@dataclass(frozen=True)
class ActivityExecutionCountAggregationGroup:
    """The count of one group."""

    count: int
    group_values: Sequence[common.SearchAttributeValue]


class ActivityExecutionAsyncIterator(Pages[ActivityExecution]):
    """The activities that a query finds, a page at a time."""

    async def _fetch(self, token: bytes, page_size: int) -> tuple[Sequence[ActivityExecution], bytes]:
        client = self._client
        reply = await client.workflow_service.list_activity_executions(
            _api.workflowservice.ListActivityExecutionsRequest(
                namespace=client.namespace, page_size=page_size, next_page_token=token, query=self._input.query or ""
            ),
            retry=True,
            metadata=self._input.rpc_metadata,
            timeout=self._input.rpc_timeout,
        )
        page = [ActivityExecution(**ActivityExecution._fields(info, client.namespace)) for info in reply.executions]
        return page, reply.next_page_token


class ActivityHandle(Generic[ReturnType]):
    """An activity that a client has started by itself. Made by Client.start_activity and get_activity_handle."""

    def __init__(
        self, client: Client, id: str, *, run_id: str | None = None, result_type: type | None = None
    ) -> None:
        """Use Client.get_activity_handle instead."""
        self._client = client
        self._id = id
        self._run_id = run_id
        self._result_type = result_type
        self._known_outcome: ActivityExecutionOutcome | None = None

    @functools.cached_property
    def _data_converter(self) -> chimera.converter.DataConverter:
        return activity_converter(self._client, self._id)

    @property
    def id(self) -> str:
        """The activity's id."""
        return self._id

    @property
    def run_id(self) -> str | None:
        """Which of its runs; None: the latest."""
        return self._run_id

    async def result(
        self, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> ReturnType:
        """Waits for the end. rpc_timeout is each call's, of which there may be many.

        Raises ActivityFailureError, whose cause says how it failed.
        """
        if self._known_outcome is None:
            self._known_outcome = await self._outcome(rpc_metadata, rpc_timeout)
        outcome = self._known_outcome
        if outcome.HasField("failure"):
            raise ActivityFailureError(cause=await self._data_converter.decode_failure(outcome.failure))
        value: Any = await _only_value(self._data_converter, outcome.result, self._result_type)
        return value

    async def _outcome(
        self, metadata: Mapping[str, str | bytes], timeout: timedelta | None
    ) -> ActivityExecutionOutcome:
        request = _api.workflowservice.PollActivityExecutionRequest(
            namespace=self._client.namespace, activity_id=self._id, run_id=self._run_id or ""
        )
        poll = self._client.workflow_service.poll_activity_execution
        while True:
            try:
                reply = await poll(request, retry=True, metadata=metadata, timeout=timeout)
            except RPCError as err:
                if err.status == RPCStatusCode.DEADLINE_EXCEEDED:
                    continue  # As long polls end.
                if err.status == RPCStatusCode.CANCELLED:
                    raise asyncio.CancelledError() from err
                raise
            if reply.HasField("outcome"):
                return reply.outcome

    async def cancel(
        self,
        *,
        reason: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Asks it to stop. Its code is told by its next heartbeat, and may go on."""
        await self._client._impl.cancel_activity(
            inputs.CancelActivityInput(self._id, self._run_id, reason, rpc_metadata, rpc_timeout)
        )

    async def terminate(
        self,
        *,
        reason: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Ends it at once, without asking its code."""
        await self._client._impl.terminate_activity(
            inputs.TerminateActivityInput(self._id, self._run_id, reason, rpc_metadata, rpc_timeout)
        )

    async def pause(
        self,
        *,
        reason: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """No attempt begins until it is unpaused; one that runs is told by its next heartbeat."""
        await self._client._impl.pause_activity(
            inputs.PauseActivityInput(self._id, self._run_id, reason, rpc_metadata, rpc_timeout)
        )

    async def unpause(
        self,
        *,
        reason: str | None = None,
        jitter: timedelta | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """It goes on: at once, or at a random time within the jitter."""
        await self._client._impl.unpause_activity(
            inputs.UnpauseActivityInput(self._id, self._run_id, reason, jitter, rpc_metadata, rpc_timeout)
        )

    async def update_options(
        self,
        updates: Sequence[ActivityOptionsUpdate[Any]],
        *,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionOptions:
        """Changes the options that are named, by keys of ActivityOptionsKeys:

            await handle.update_options([ActivityOptionsKeys.heartbeat_timeout.value_set(timedelta(seconds=5))])

        Raises ValueError if none is given, or one twice.
        """
        if not updates:
            raise ValueError(
                "update_options requires at least one update; use restore_original_options() to revert options"
            )
        check_updates(updates, "update_options")
        return await self._update(updates, False, rpc_metadata, rpc_timeout)

    async def restore_original_options(
        self, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> ActivityExecutionOptions:
        """Gives it the options again that it was started with."""
        return await self._update([], True, rpc_metadata, rpc_timeout)

    async def _update(
        self,
        updates: Sequence[ActivityOptionsUpdate[Any]],
        restore: bool,
        metadata: Mapping[str, str | bytes],
        timeout: timedelta | None,
    ) -> ActivityExecutionOptions:
        return await self._client._impl.update_activity_options(
            inputs.UpdateActivityOptionsInput(self._id, self._run_id, updates, restore, metadata, timeout)
        )

    async def describe(
        self,
        *,
        include_input: bool = False,
        include_outcome: bool = False,
        include_heartbeat_details: bool = False,
        include_last_failure: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionDescription:
        """How it stands. What may be large comes only where it is asked for."""
        return await self._client._impl.describe_activity(
            inputs.DescribeActivityInput(
                self._id,
                self._run_id,
                include_input,
                include_outcome,
                include_heartbeat_details,
                include_last_failure,
                rpc_metadata,
                rpc_timeout,
            )
        )
