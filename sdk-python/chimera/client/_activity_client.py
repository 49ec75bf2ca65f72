"""The client's methods about activities that no workflow has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, overload

from chimera import common
from chimera._lazy import LazyModule
from chimera._signatures import options_of
from chimera.client import _names
from chimera.client._interceptor import OutboundInterceptor

if TYPE_CHECKING:
    from typing import Concatenate

    from typing_extensions import Unpack

    from chimera.client import _activity_handle as handles, _inputs as inputs
    from chimera.client._activity import ActivityExecutionAsyncIterator, ActivityExecutionCount
    from chimera.client._activity_handle import ActivityHandle
    from chimera.client._options import StartActivityOptions
    from chimera.types import (
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
else:
    inputs = LazyModule("chimera.client._inputs")
    handles = LazyModule("chimera.client._activity_handle")


class ActivityMethods:
    """Part of Client."""

    _impl: OutboundInterceptor

    @overload
    async def start_activity(
        self, activity: CallableAsyncNoParam[ReturnType], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity(
        self, activity: CallableSyncNoParam[ReturnType], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity(
        self,
        activity: CallableAsyncSingleParam[ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity(
        self,
        activity: CallableSyncSingleParam[ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity(
        self,
        activity: Callable[..., Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity(
        self,
        activity: Callable[..., ReturnType],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity(
        self,
        activity: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type[ReturnType] | None = ...,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[Any]: ...

    async def start_activity(
        self,
        activity: Any,
        arg: Any = common._arg_unset,
        *,
        args: Sequence[Any] = [],
        id: str,
        task_queue: str,
        result_type: type | None = None,
        schedule_to_close_timeout: timedelta | None = None,
        schedule_to_start_timeout: timedelta | None = None,
        start_to_close_timeout: timedelta | None = None,
        heartbeat_timeout: timedelta | None = None,
        id_reuse_policy: common.ActivityIDReusePolicy = common.ActivityIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy: common.ActivityIDConflictPolicy = common.ActivityIDConflictPolicy.FAIL,
        retry_policy: common.RetryPolicy | None = None,
        search_attributes: common.TypedSearchAttributes | None = None,
        summary: str | None = None,
        priority: common.Priority = common.Priority.default,
        start_delay: timedelta | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> ActivityHandle[Any]:
        """Starts an activity, given by its function or its name. It needs one of the close timeouts.

        Raises exceptions.ActivityAlreadyStartedError if the id is in use and the policies do not allow that.
        """
        name, declared_type = _names.of_activity(activity)
        handle: ActivityHandle[Any] = await self._impl.start_activity(
            inputs.StartActivityInput(
                activity_type=name,
                args=common._arg_or_args(arg, args),
                id=id,
                task_queue=task_queue,
                result_type=result_type or declared_type,
                schedule_to_close_timeout=schedule_to_close_timeout,
                start_to_close_timeout=start_to_close_timeout,
                schedule_to_start_timeout=schedule_to_start_timeout,
                heartbeat_timeout=heartbeat_timeout,
                id_reuse_policy=id_reuse_policy,
                id_conflict_policy=id_conflict_policy,
                retry_policy=retry_policy,
                priority=priority,
                search_attributes=search_attributes,
                summary=summary,
                start_delay=start_delay,
                headers={},
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )
        return handle

    @overload
    async def execute_activity(
        self,
        activity: CallableAsyncNoParam[ReturnType],
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_activity(
        self,
        activity: CallableSyncNoParam[ReturnType],
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_activity(
        self,
        activity: CallableAsyncSingleParam[ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_activity(
        self,
        activity: CallableSyncSingleParam[ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_activity(
        self,
        activity: Callable[..., Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_activity(
        self,
        activity: Callable[..., ReturnType],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_activity(
        self,
        activity: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type[ReturnType] | None = ...,
        **options: Unpack[StartActivityOptions],
    ) -> Any: ...

    @options_of(start_activity)
    async def execute_activity(self, activity: Any, arg: Any = common._arg_unset, **options: Any) -> Any:
        """Starts an activity and waits for its result. Raises ActivityFailureError if there is none."""
        handle: ActivityHandle[Any] = await self.start_activity(activity, arg, **options)
        return await handle.result()

    @overload
    async def start_activity_class(
        self,
        activity: type[CallableAsyncNoParam[ReturnType]],
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity_class(
        self,
        activity: type[CallableSyncNoParam[ReturnType]],
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity_class(
        self,
        activity: type[CallableAsyncSingleParam[ParamType, ReturnType]],
        arg: ParamType,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity_class(
        self,
        activity: type[CallableSyncSingleParam[ParamType, ReturnType]],
        arg: ParamType,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity_class(
        self,
        activity: type[Callable[..., Awaitable[ReturnType]]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity_class(
        self,
        activity: type[Callable[..., ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...

    @options_of(start_activity)
    async def start_activity_class(self, activity: Any, arg: Any = common._arg_unset, **options: Any) -> Any:
        """Starts an activity that is a class whose objects are callable."""
        return await self.start_activity(activity, arg, **options)

    @overload
    async def execute_activity_class(
        self,
        activity: type[CallableAsyncNoParam[ReturnType]],
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_activity_class(
        self,
        activity: type[CallableSyncNoParam[ReturnType]],
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_activity_class(
        self,
        activity: type[CallableAsyncSingleParam[ParamType, ReturnType]],
        arg: ParamType,
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_activity_class(
        self,
        activity: type[CallableSyncSingleParam[ParamType, ReturnType]],
        arg: ParamType,
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_activity_class(
        self,
        activity: type[Callable[..., Awaitable[ReturnType]]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_activity_class(
        self,
        activity: type[Callable[..., ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...

    @options_of(start_activity)
    async def execute_activity_class(self, activity: Any, arg: Any = common._arg_unset, **options: Any) -> Any:
        """Starts an activity that is a class whose objects are callable, and waits for its result."""
        handle: ActivityHandle[Any] = await self.start_activity(activity, arg, **options)
        return await handle.result()

    @overload
    async def start_activity_method(
        self,
        activity: MethodAsyncNoParam[SelfType, ReturnType],
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity_method(
        self,
        activity: MethodSyncNoParam[SelfType, ReturnType],
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity_method(
        self,
        activity: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity_method(
        self,
        activity: MethodSyncSingleParam[SelfType, ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity_method(
        self,
        activity: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity_method(
        self,
        activity: Callable[Concatenate[SelfType, MultiParamSpec], ReturnType],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...

    @options_of(start_activity)
    async def start_activity_method(self, activity: Any, arg: Any = common._arg_unset, **options: Any) -> Any:
        """Starts an activity that is a method."""
        return await self.start_activity(activity, arg, **options)

    @overload
    async def execute_activity_method(
        self,
        activity: MethodAsyncNoParam[SelfType, ReturnType],
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_activity_method(
        self,
        activity: MethodSyncNoParam[SelfType, ReturnType],
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_activity_method(
        self,
        activity: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_activity_method(
        self,
        activity: MethodSyncSingleParam[SelfType, ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_activity_method(
        self,
        activity: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_activity_method(
        self,
        activity: Callable[Concatenate[SelfType, MultiParamSpec], ReturnType],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...

    @options_of(start_activity)
    async def execute_activity_method(self, activity: Any, arg: Any = common._arg_unset, **options: Any) -> Any:
        """Starts an activity that is a method, and waits for its result."""
        handle: ActivityHandle[Any] = await self.start_activity(activity, arg, **options)
        return await handle.result()

    def list_activities(
        self,
        query: str,
        *,
        limit: int | None = None,
        page_size: int = 1000,
        next_page_token: bytes | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionAsyncIterator:
        """The activities that the list filter finds; all for an empty one."""
        found: ActivityExecutionAsyncIterator = self._impl.list_activities(
            inputs.ListActivitiesInput(
                query=query,
                page_size=page_size,
                next_page_token=next_page_token,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                limit=limit,
            )
        )
        return found

    async def count_activities(
        self,
        query: str | None = None,
        *,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionCount:
        """How many activities the list filter finds."""
        count: ActivityExecutionCount = await self._impl.count_activities(
            inputs.CountActivitiesInput(query=query, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )
        return count

    @overload
    def get_activity_handle(self, activity_id: str, *, run_id: str | None = None) -> ActivityHandle[Any]: ...

    @overload
    def get_activity_handle(
        self, activity_id: str, *, run_id: str | None = None, result_type: type[ReturnType]
    ) -> ActivityHandle[ReturnType]: ...

    def get_activity_handle(
        self, activity_id: str, *, run_id: str | None = None, result_type: type | None = None
    ) -> ActivityHandle[Any]:
        """The handle of an activity that was started before. Asks no server."""
        client: Any = self
        return handles.ActivityHandle(client, activity_id, run_id=run_id, result_type=result_type)
