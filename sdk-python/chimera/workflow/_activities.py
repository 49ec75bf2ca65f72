"""Starting activities from workflow code.

The functions differ in what they take (a function, a callable class, a method) and in whether they
wait. Their options are those of `ActivityConfig`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Concatenate, Generic, TypedDict, TypeVar, overload

from typing_extensions import Unpack

import chimera.common
from chimera._signatures import options_of as _options_of
from chimera.types import (
    AnyType,
    CallableAsyncNoParam,
    CallableAsyncSingleParam,
    CallableSyncNoParam,
    CallableSyncSingleParam,
    MethodAsyncNoParam,
    MethodAsyncSingleParam,
    MethodSyncNoParam,
    MethodSyncSingleParam,
    MultiParamSpec,
    ParamType,
    ReturnType,
    SelfType,
)
from chimera.workflow._errors import VersioningIntent
from chimera.workflow._event_groups import EventGroup, refuse_event_groups
from chimera.workflow._runtime import current

if TYPE_CHECKING:

    class _AsyncioTask(asyncio.Task[AnyType]):
        pass

else:

    class _AsyncioTask(Generic[AnyType], asyncio.Task):
        pass


class ActivityHandle(_AsyncioTask[ReturnType]):  # type: ignore[type-var]  # Covariant, as officially.
    """A started activity: a task whose result is the activity's."""


class ActivityCancellationType(IntEnum):
    """When a cancelled activity ends for the workflow."""

    TRY_CANCEL = 0
    """At once; the activity is told."""
    WAIT_CANCELLATION_COMPLETED = 1
    """When the activity has ended."""
    ABANDON = 2
    """At once; the activity is not told."""


class ActivityConfig(TypedDict, total=False):
    """Options of an activity."""

    task_queue: str | None
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    heartbeat_timeout: timedelta | None
    retry_policy: chimera.common.RetryPolicy | None
    cancellation_type: ActivityCancellationType
    activity_id: str | None
    versioning_intent: VersioningIntent | None
    summary: str | None
    event_groups: Sequence[EventGroup] | None
    priority: chimera.common.Priority


class LocalActivityConfig(TypedDict, total=False):
    """Options of a local activity."""

    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    retry_policy: chimera.common.RetryPolicy | None
    local_retry_threshold: timedelta | None
    cancellation_type: ActivityCancellationType
    activity_id: str | None
    summary: str | None
    event_groups: Sequence[EventGroup] | None


_F = TypeVar("_F", bound=Callable[..., Any])


@overload
def start_activity(
    activity: CallableAsyncNoParam[ReturnType], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...


@overload
def start_activity(
    activity: CallableSyncNoParam[ReturnType], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...


@overload
def start_activity(
    activity: CallableAsyncSingleParam[ParamType, ReturnType],
    arg: ParamType,
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[ReturnType]: ...


@overload
def start_activity(
    activity: CallableSyncSingleParam[ParamType, ReturnType],
    arg: ParamType,
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[ReturnType]: ...


@overload
def start_activity(
    activity: Callable[..., Awaitable[ReturnType]],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[ReturnType]: ...


@overload
def start_activity(
    activity: Callable[..., ReturnType], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...


@overload
def start_activity(
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type | None = None,
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[Any]: ...


def start_activity(
    activity: Any,
    arg: Any = chimera.common._arg_unset,
    *,
    args: Sequence[Any] = [],
    task_queue: str | None = None,
    result_type: type | None = None,
    schedule_to_close_timeout: timedelta | None = None,
    schedule_to_start_timeout: timedelta | None = None,
    start_to_close_timeout: timedelta | None = None,
    heartbeat_timeout: timedelta | None = None,
    retry_policy: chimera.common.RetryPolicy | None = None,
    cancellation_type: ActivityCancellationType = ActivityCancellationType.TRY_CANCEL,
    activity_id: str | None = None,
    versioning_intent: VersioningIntent | None = None,
    summary: str | None = None,
    event_groups: Sequence[EventGroup] | None = None,
    priority: chimera.common.Priority = chimera.common.Priority.default,
) -> ActivityHandle[Any]:
    """Start an activity, given by its function or its name.

    Needs start_to_close_timeout or schedule_to_close_timeout.
    """
    refuse_event_groups(event_groups)
    return current().operations.start_activity(
        activity,
        chimera.common._arg_or_args(arg, args),
        result_type,
        activity_id=activity_id,
        task_queue=task_queue,
        schedule_to_close_timeout=schedule_to_close_timeout,
        schedule_to_start_timeout=schedule_to_start_timeout,
        start_to_close_timeout=start_to_close_timeout,
        heartbeat_timeout=heartbeat_timeout,
        retry_policy=retry_policy,
        cancellation_type=cancellation_type,
        versioning_intent=versioning_intent,
        summary=summary,
        priority=priority,
    )


@overload
async def execute_activity(
    activity: CallableAsyncNoParam[ReturnType], **options: Unpack[ActivityConfig]
) -> ReturnType: ...


@overload
async def execute_activity(
    activity: CallableSyncNoParam[ReturnType], **options: Unpack[ActivityConfig]
) -> ReturnType: ...


@overload
async def execute_activity(
    activity: CallableAsyncSingleParam[ParamType, ReturnType],
    arg: ParamType,
    **options: Unpack[ActivityConfig],
) -> ReturnType: ...


@overload
async def execute_activity(
    activity: CallableSyncSingleParam[ParamType, ReturnType],
    arg: ParamType,
    **options: Unpack[ActivityConfig],
) -> ReturnType: ...


@overload
async def execute_activity(
    activity: Callable[..., Awaitable[ReturnType]],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityConfig],
) -> ReturnType: ...


@overload
async def execute_activity(
    activity: Callable[..., ReturnType], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> ReturnType: ...


@overload
async def execute_activity(
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type | None = None,
    **options: Unpack[ActivityConfig],
) -> Any: ...


@_options_of(start_activity)
async def execute_activity(
    activity: Any, arg: Any = chimera.common._arg_unset, **options: Any
) -> Any:
    """Start an activity and wait for its result."""
    return await start_activity(activity, arg, **options)


@overload
def start_activity_class(
    activity: type[CallableAsyncNoParam[ReturnType]], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...


@overload
def start_activity_class(
    activity: type[CallableSyncNoParam[ReturnType]], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...


@overload
def start_activity_class(
    activity: type[CallableAsyncSingleParam[ParamType, ReturnType]],
    arg: ParamType,
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[ReturnType]: ...


@overload
def start_activity_class(
    activity: type[CallableSyncSingleParam[ParamType, ReturnType]],
    arg: ParamType,
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[ReturnType]: ...


@overload
def start_activity_class(
    activity: type[Callable[..., Awaitable[ReturnType]]],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[ReturnType]: ...


@overload
def start_activity_class(
    activity: type[Callable[..., ReturnType]],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[ReturnType]: ...


@_options_of(start_activity, "result_type")
def start_activity_class(
    activity: type[Callable[..., Any]], arg: Any = chimera.common._arg_unset, **options: Any
) -> ActivityHandle[Any]:
    """Start an activity that is a class whose objects are callable."""
    start: Any = start_activity
    return start(activity, arg, **options)


@overload
async def execute_activity_class(
    activity: type[CallableAsyncNoParam[ReturnType]], **options: Unpack[ActivityConfig]
) -> ReturnType: ...


@overload
async def execute_activity_class(
    activity: type[CallableSyncNoParam[ReturnType]], **options: Unpack[ActivityConfig]
) -> ReturnType: ...


@overload
async def execute_activity_class(
    activity: type[CallableAsyncSingleParam[ParamType, ReturnType]],
    arg: ParamType,
    **options: Unpack[ActivityConfig],
) -> ReturnType: ...


@overload
async def execute_activity_class(
    activity: type[CallableSyncSingleParam[ParamType, ReturnType]],
    arg: ParamType,
    **options: Unpack[ActivityConfig],
) -> ReturnType: ...


@overload
async def execute_activity_class(
    activity: type[Callable[..., Awaitable[ReturnType]]],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityConfig],
) -> ReturnType: ...


@overload
async def execute_activity_class(
    activity: type[Callable[..., ReturnType]],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityConfig],
) -> ReturnType: ...


@_options_of(start_activity, "result_type")
async def execute_activity_class(
    activity: type[Callable[..., Any]], arg: Any = chimera.common._arg_unset, **options: Any
) -> Any:
    """Start an activity that is a class whose objects are callable and wait for its result."""
    start: Any = start_activity
    return await start(activity, arg, **options)


@overload
def start_activity_method(
    activity: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...


@overload
def start_activity_method(
    activity: MethodSyncNoParam[SelfType, ReturnType], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...


@overload
def start_activity_method(
    activity: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
    arg: ParamType,
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[ReturnType]: ...


@overload
def start_activity_method(
    activity: MethodSyncSingleParam[SelfType, ParamType, ReturnType],
    arg: ParamType,
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[ReturnType]: ...


@overload
def start_activity_method(
    activity: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[ReturnType]: ...


@overload
def start_activity_method(
    activity: Callable[Concatenate[SelfType, MultiParamSpec], ReturnType],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[ReturnType]: ...


@_options_of(start_activity, "result_type")
def start_activity_method(
    activity: Callable[..., Any], arg: Any = chimera.common._arg_unset, **options: Any
) -> ActivityHandle[Any]:
    """Start an activity that is a method."""
    return start_activity(activity, arg, **options)


@overload
async def execute_activity_method(
    activity: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[ActivityConfig]
) -> ReturnType: ...


@overload
async def execute_activity_method(
    activity: MethodSyncNoParam[SelfType, ReturnType], **options: Unpack[ActivityConfig]
) -> ReturnType: ...


@overload
async def execute_activity_method(
    activity: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
    arg: ParamType,
    **options: Unpack[ActivityConfig],
) -> ReturnType: ...


@overload
async def execute_activity_method(
    activity: MethodSyncSingleParam[SelfType, ParamType, ReturnType],
    arg: ParamType,
    **options: Unpack[ActivityConfig],
) -> ReturnType: ...


@overload
async def execute_activity_method(
    activity: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityConfig],
) -> ReturnType: ...


@overload
async def execute_activity_method(
    activity: Callable[Concatenate[SelfType, MultiParamSpec], ReturnType],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityConfig],
) -> ReturnType: ...


@_options_of(start_activity, "result_type")
async def execute_activity_method(
    activity: Callable[..., Any], arg: Any = chimera.common._arg_unset, **options: Any
) -> Any:
    """Start an activity that is a method and wait for its result."""
    return await start_activity(activity, arg, **options)
