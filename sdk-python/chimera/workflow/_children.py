"""Child workflows, other workflows, and continuing as new."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from enum import IntEnum
from typing import Any, Concatenate, Generic, NoReturn, TypedDict, overload

from typing_extensions import Unpack

import chimera.common
from chimera.types import (
    MethodAsyncNoParam,
    MethodAsyncSingleParam,
    MethodSyncOrAsyncNoParam,
    MethodSyncOrAsyncSingleParam,
    MultiParamSpec,
    ParamType,
    ReturnType,
    SelfType,
)
from chimera.workflow._activities import _AsyncioTask, _options_of
from chimera.workflow._context import uuid4
from chimera.workflow._errors import ContinueAsNewVersioningBehavior, VersioningIntent
from chimera.workflow._event_groups import EventGroup, refuse_event_groups
from chimera.workflow._runtime import current


class ChildWorkflowCancellationType(IntEnum):
    """When a cancelled child ends for its parent."""

    ABANDON = 0
    """At once; the child is not told."""
    TRY_CANCEL = 1
    """At once; the child is told."""
    WAIT_CANCELLATION_COMPLETED = 2
    """When the child has ended."""
    WAIT_CANCELLATION_REQUESTED = 3
    """When the server has taken the request."""


class ParentClosePolicy(IntEnum):
    """What happens to the child when its parent ends."""

    UNSPECIFIED = 0
    TERMINATE = 1
    ABANDON = 2
    REQUEST_CANCEL = 3


class ChildWorkflowConfig(TypedDict, total=False):
    """Options of a child workflow."""

    id: str | None
    task_queue: str | None
    cancellation_type: ChildWorkflowCancellationType
    parent_close_policy: ParentClosePolicy
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    id_reuse_policy: chimera.common.WorkflowIDReusePolicy
    retry_policy: chimera.common.RetryPolicy | None
    cron_schedule: str
    memo: Mapping[str, Any] | None
    search_attributes: (
        chimera.common.SearchAttributes | chimera.common.TypedSearchAttributes | None
    )
    versioning_intent: VersioningIntent | None
    versioning_override: chimera.common.VersioningOverride | None
    static_summary: str | None
    static_details: str | None
    event_groups: Sequence[EventGroup] | None
    priority: chimera.common.Priority


class ChildWorkflowHandle(  # type: ignore[type-var]  # Covariant, as officially.
    _AsyncioTask[ReturnType], Generic[SelfType, ReturnType]
):
    """A started child: a task whose result is the child's."""

    @property
    def id(self) -> str:
        """Its workflow id."""
        raise NotImplementedError

    @property
    def first_execution_run_id(self) -> str | None:
        """The run that was started; the child may have continued as another."""
        raise NotImplementedError

    @overload
    async def signal(
        self,
        signal: MethodSyncOrAsyncNoParam[SelfType, None],
        *,
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None: ...

    @overload
    async def signal(
        self,
        signal: MethodSyncOrAsyncSingleParam[SelfType, ParamType, None],
        arg: ParamType,
        *,
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None: ...

    @overload
    async def signal(
        self,
        signal: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[None] | None],
        *,
        args: Sequence[Any],
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None: ...

    @overload
    async def signal(
        self,
        signal: str,
        arg: Any = chimera.common._arg_unset,
        *,
        args: Sequence[Any] = [],
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None: ...

    async def signal(
        self,
        signal: str | Callable[..., Any],
        arg: Any = chimera.common._arg_unset,
        *,
        args: Sequence[Any] = [],
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None:
        """Signal the child and wait until the server has it."""
        raise NotImplementedError


@overload
async def start_child_workflow(
    workflow: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[ChildWorkflowConfig]
) -> ChildWorkflowHandle[SelfType, ReturnType]: ...


@overload
async def start_child_workflow(
    workflow: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
    arg: ParamType,
    **options: Unpack[ChildWorkflowConfig],
) -> ChildWorkflowHandle[SelfType, ReturnType]: ...


@overload
async def start_child_workflow(
    workflow: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
    *,
    args: Sequence[Any],
    **options: Unpack[ChildWorkflowConfig],
) -> ChildWorkflowHandle[SelfType, ReturnType]: ...


@overload
async def start_child_workflow(
    workflow: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type | None = None,
    **options: Unpack[ChildWorkflowConfig],
) -> ChildWorkflowHandle[Any, Any]: ...


async def start_child_workflow(
    workflow: Any,
    arg: Any = chimera.common._arg_unset,
    *,
    args: Sequence[Any] = [],
    id: str | None = None,
    task_queue: str | None = None,
    result_type: type | None = None,
    cancellation_type: ChildWorkflowCancellationType = (
        ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED
    ),
    parent_close_policy: ParentClosePolicy = ParentClosePolicy.TERMINATE,
    execution_timeout: timedelta | None = None,
    run_timeout: timedelta | None = None,
    task_timeout: timedelta | None = None,
    id_reuse_policy: chimera.common.WorkflowIDReusePolicy = (
        chimera.common.WorkflowIDReusePolicy.ALLOW_DUPLICATE
    ),
    retry_policy: chimera.common.RetryPolicy | None = None,
    cron_schedule: str = "",
    memo: Mapping[str, Any] | None = None,
    search_attributes: (
        chimera.common.SearchAttributes | chimera.common.TypedSearchAttributes | None
    ) = None,
    versioning_intent: VersioningIntent | None = None,
    static_summary: str | None = None,
    static_details: str | None = None,
    event_groups: Sequence[EventGroup] | None = None,
    priority: chimera.common.Priority = chimera.common.Priority.default,
    versioning_override: chimera.common.VersioningOverride | None = None,
) -> ChildWorkflowHandle[Any, Any]:
    """Start a child workflow and wait until it has started.

    Without an id it gets a random one, the same in replay.
    """
    chimera.common._warn_on_deprecated_search_attributes(search_attributes)
    refuse_event_groups(event_groups)
    return await current().operations.start_child(
        workflow,
        chimera.common._arg_or_args(arg, args),
        result_type,
        id=id or str(uuid4()),
        task_queue=task_queue,
        cancellation_type=cancellation_type,
        parent_close_policy=parent_close_policy,
        execution_timeout=execution_timeout,
        run_timeout=run_timeout,
        task_timeout=task_timeout,
        id_reuse_policy=id_reuse_policy,
        retry_policy=retry_policy,
        cron_schedule=cron_schedule,
        memo=memo,
        search_attributes=search_attributes,
        versioning_intent=versioning_intent,
        static_summary=static_summary,
        static_details=static_details,
        priority=priority,
        versioning_override=versioning_override,
    )


@overload
async def execute_child_workflow(
    workflow: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[ChildWorkflowConfig]
) -> ReturnType: ...


@overload
async def execute_child_workflow(
    workflow: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
    arg: ParamType,
    **options: Unpack[ChildWorkflowConfig],
) -> ReturnType: ...


@overload
async def execute_child_workflow(
    workflow: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
    *,
    args: Sequence[Any],
    **options: Unpack[ChildWorkflowConfig],
) -> ReturnType: ...


@overload
async def execute_child_workflow(
    workflow: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type | None = None,
    **options: Unpack[ChildWorkflowConfig],
) -> Any: ...


@_options_of(start_child_workflow)
async def execute_child_workflow(
    workflow: Any, arg: Any = chimera.common._arg_unset, **options: Any
) -> Any:
    """Start a child workflow and wait for its result."""
    return await (await start_child_workflow(workflow, arg, **options))


class ExternalWorkflowHandle(Generic[SelfType]):
    """Another workflow of the namespace."""

    @property
    def id(self) -> str:
        """Its workflow id."""
        raise NotImplementedError

    @property
    def run_id(self) -> str | None:
        """Its run id, if one is meant."""
        raise NotImplementedError

    @overload
    async def signal(
        self,
        signal: MethodSyncOrAsyncNoParam[SelfType, None],
        *,
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None: ...

    @overload
    async def signal(
        self,
        signal: MethodSyncOrAsyncSingleParam[SelfType, ParamType, None],
        arg: ParamType,
        *,
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None: ...

    @overload
    async def signal(
        self,
        signal: str,
        arg: Any = chimera.common._arg_unset,
        *,
        args: Sequence[Any] = [],
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None: ...

    async def signal(
        self,
        signal: str | Callable[..., Any],
        arg: Any = chimera.common._arg_unset,
        *,
        args: Sequence[Any] = [],
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None:
        """Signal the workflow and wait until the server has it."""
        raise NotImplementedError

    async def cancel(
        self, *, reason: str = "", event_groups: Sequence[EventGroup] | None = None
    ) -> None:
        """Ask for cancellation of the workflow and wait until the server has the request."""
        raise NotImplementedError


def get_external_workflow_handle(
    workflow_id: str, *, run_id: str | None = None
) -> ExternalWorkflowHandle[Any]:
    """A handle of a workflow; whether it exists shows when the handle is used."""
    return current().operations.external_handle(workflow_id, run_id)


def get_external_workflow_handle_for(
    workflow: MethodAsyncNoParam[SelfType, Any] | MethodAsyncSingleParam[SelfType, Any, Any],
    workflow_id: str,
    *,
    run_id: str | None = None,
) -> ExternalWorkflowHandle[SelfType]:
    """The same, typed by the workflow's run method."""
    return get_external_workflow_handle(workflow_id, run_id=run_id)


class _ContinueAsNewConfig(TypedDict, total=False):
    task_queue: str | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    backoff_start_interval: timedelta | None
    retry_policy: chimera.common.RetryPolicy | None
    memo: Mapping[str, Any] | None
    search_attributes: (
        chimera.common.SearchAttributes | chimera.common.TypedSearchAttributes | None
    )
    versioning_intent: VersioningIntent | None
    initial_versioning_behavior: ContinueAsNewVersioningBehavior | None
    event_groups: Sequence[EventGroup] | None


@overload
def continue_as_new(
    arg: Any = ..., *, args: Sequence[Any] = ..., **options: Unpack[_ContinueAsNewConfig]
) -> NoReturn: ...


@overload
def continue_as_new(
    *, workflow: MethodAsyncNoParam[SelfType, Any], **options: Unpack[_ContinueAsNewConfig]
) -> NoReturn: ...


@overload
def continue_as_new(
    arg: ParamType,
    *,
    workflow: MethodAsyncSingleParam[SelfType, ParamType, Any],
    **options: Unpack[_ContinueAsNewConfig],
) -> NoReturn: ...


@overload
def continue_as_new(
    *,
    workflow: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[Any]],
    args: Sequence[Any],
    **options: Unpack[_ContinueAsNewConfig],
) -> NoReturn: ...


@overload
def continue_as_new(
    *, workflow: str, args: Sequence[Any] = ..., **options: Unpack[_ContinueAsNewConfig]
) -> NoReturn: ...


def continue_as_new(
    arg: Any = chimera.common._arg_unset,
    *,
    args: Sequence[Any] = [],
    workflow: Callable[..., Any] | str | None = None,
    task_queue: str | None = None,
    run_timeout: timedelta | None = None,
    task_timeout: timedelta | None = None,
    backoff_start_interval: timedelta | None = None,
    retry_policy: chimera.common.RetryPolicy | None = None,
    memo: Mapping[str, Any] | None = None,
    search_attributes: (
        chimera.common.SearchAttributes | chimera.common.TypedSearchAttributes | None
    ) = None,
    versioning_intent: VersioningIntent | None = None,
    initial_versioning_behavior: ContinueAsNewVersioningBehavior | None = None,
    event_groups: Sequence[EventGroup] | None = None,
) -> NoReturn:
    """End this run and go on in a new one with these arguments. What is not given stays.

    It raises: nothing after it is run.
    """
    chimera.common._warn_on_deprecated_search_attributes(search_attributes)
    refuse_event_groups(event_groups)
    current().operations.continue_as_new(
        workflow,
        chimera.common._arg_or_args(arg, args),
        task_queue=task_queue,
        run_timeout=run_timeout,
        task_timeout=task_timeout,
        backoff_start_interval=backoff_start_interval,
        retry_policy=retry_policy,
        memo=memo,
        search_attributes=search_attributes,
        versioning_intent=versioning_intent,
        initial_versioning_behavior=initial_versioning_behavior,
    )
