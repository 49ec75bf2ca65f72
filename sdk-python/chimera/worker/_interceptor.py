"""Interceptors of workers: what users derive from, and what is handed along the chain."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

import chimera.activity
import chimera.common
import chimera.workflow
from chimera.client import _names
from chimera.workflow import ContinueAsNewVersioningBehavior, VersioningIntent

if TYPE_CHECKING:
    import nexusrpc
    import nexusrpc.handler

    from chimera.api.common.v1 import Payload

InputT = TypeVar("InputT")
OutputT = TypeVar("OutputT")


class Interceptor:
    """Sees what a worker runs. The first of a worker's interceptors is the outermost."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Wrap activities; called for each task."""
        return next

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor] | None:
        """The class that wraps workflows; instantiated for each run."""
        return None

    def intercept_nexus_operation(
        self, next: NexusOperationInboundInterceptor
    ) -> NexusOperationInboundInterceptor:
        """Wrap Nexus operations; called for each task."""
        return next


@dataclass(frozen=True)
class WorkflowInterceptorClassInput:
    """For `Interceptor.workflow_interceptor_class`."""

    unsafe_extern_functions: MutableMapping[str, Callable]
    """What is put here is in `workflow.extern_functions()`."""


@dataclass
class ExecuteActivityInput:
    """For `ActivityInboundInterceptor.execute_activity`."""

    fn: Callable[..., Any]
    args: Sequence[Any]
    executor: concurrent.futures.Executor | None
    headers: Mapping[str, Payload]


class ActivityInboundInterceptor:
    """Wraps the run of an activity."""

    def __init__(self, next: ActivityInboundInterceptor) -> None:
        """`next` is the one further inside."""
        self.next = next

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        """Called first; wrap `outbound` to see what the activity calls."""
        self.next.init(outbound)

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        """Run the activity."""
        return await self.next.execute_activity(input)


class ActivityOutboundInterceptor:
    """Wraps what an activity calls."""

    def __init__(self, next: ActivityOutboundInterceptor) -> None:
        """`next` is the one further outside."""
        self.next = next

    def info(self) -> chimera.activity.Info:
        """`activity.info()`."""
        return self.next.info()

    def heartbeat(self, *details: Any) -> None:
        """`activity.heartbeat()`."""
        self.next.heartbeat(*details)


@dataclass
class ContinueAsNewInput:
    """For `WorkflowOutboundInterceptor.continue_as_new`."""

    workflow: str | None
    args: Sequence[Any]
    task_queue: str | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    backoff_start_interval: timedelta | None
    retry_policy: chimera.common.RetryPolicy | None
    memo: Mapping[str, Any] | None
    search_attributes: (
        chimera.common.SearchAttributes | chimera.common.TypedSearchAttributes | None
    )
    headers: Mapping[str, Payload]
    versioning_intent: VersioningIntent | None
    initial_versioning_behavior: ContinueAsNewVersioningBehavior | None
    event_groups: Sequence[chimera.workflow.EventGroup] | None = None
    arg_types: list[type] | None = None


@dataclass
class ExecuteWorkflowInput:
    """For `WorkflowInboundInterceptor.execute_workflow`."""

    type: type
    run_fn: Callable[..., Awaitable[Any]]
    args: Sequence[Any]
    headers: Mapping[str, Payload]


@dataclass
class HandleSignalInput:
    """For `WorkflowInboundInterceptor.handle_signal`."""

    signal: str
    args: Sequence[Any]
    headers: Mapping[str, Payload]


@dataclass
class HandleQueryInput:
    """For `WorkflowInboundInterceptor.handle_query`."""

    id: str
    query: str
    args: Sequence[Any]
    headers: Mapping[str, Payload]


@dataclass
class HandleUpdateInput:
    """For the update methods of `WorkflowInboundInterceptor`."""

    id: str
    update: str
    args: Sequence[Any]
    headers: Mapping[str, Payload]


@dataclass
class SignalChildWorkflowInput:
    """For `WorkflowOutboundInterceptor.signal_child_workflow`."""

    signal: str
    args: Sequence[Any]
    child_workflow_id: str
    headers: Mapping[str, Payload]
    event_groups: Sequence[chimera.workflow.EventGroup] | None = None


@dataclass
class SignalExternalWorkflowInput:
    """For `WorkflowOutboundInterceptor.signal_external_workflow`."""

    signal: str
    args: Sequence[Any]
    namespace: str
    workflow_id: str
    workflow_run_id: str | None
    headers: Mapping[str, Payload]
    event_groups: Sequence[chimera.workflow.EventGroup] | None = None


@dataclass
class StartActivityInput:
    """For `WorkflowOutboundInterceptor.start_activity`."""

    activity: str
    args: Sequence[Any]
    activity_id: str | None
    task_queue: str | None
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    heartbeat_timeout: timedelta | None
    retry_policy: chimera.common.RetryPolicy | None
    cancellation_type: chimera.workflow.ActivityCancellationType
    headers: Mapping[str, Payload]
    disable_eager_execution: bool
    versioning_intent: VersioningIntent | None
    summary: str | None
    event_groups: Sequence[chimera.workflow.EventGroup] | None = field(
        default=None, kw_only=True
    )
    priority: chimera.common.Priority
    arg_types: list[type] | None
    ret_type: type | None


@dataclass
class StartChildWorkflowInput:
    """For `WorkflowOutboundInterceptor.start_child_workflow`."""

    workflow: str
    args: Sequence[Any]
    id: str
    task_queue: str | None
    cancellation_type: chimera.workflow.ChildWorkflowCancellationType
    parent_close_policy: chimera.workflow.ParentClosePolicy
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
    headers: Mapping[str, Payload]
    versioning_intent: VersioningIntent | None
    static_summary: str | None
    static_details: str | None
    versioning_override: chimera.common.VersioningOverride | None = field(
        default=None, kw_only=True
    )
    event_groups: Sequence[chimera.workflow.EventGroup] | None = field(
        default=None, kw_only=True
    )
    priority: chimera.common.Priority
    arg_types: list[type] | None
    ret_type: type | None


@dataclass
class StartNexusOperationInput(Generic[InputT, OutputT]):
    """For `WorkflowOutboundInterceptor.start_nexus_operation`."""

    endpoint: str
    service: str
    operation: nexusrpc.Operation[InputT, OutputT] | str | Callable[..., Any]
    input: InputT
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    cancellation_type: chimera.workflow.NexusOperationCancellationType
    headers: Mapping[str, str] | None
    summary: str | None
    event_groups: Sequence[chimera.workflow.EventGroup] | None = None
    output_type: type[OutputT] | None = None

    def __post_init__(self) -> None:
        """Find the operation's name; one that is not given by its name knows its type."""
        self._name, found = _names.of_nexus_operation(self.operation)
        if not isinstance(self.operation, str):
            self.output_type = found

    @property
    def operation_name(self) -> str:
        """Name of the operation."""
        return self._name


@dataclass
class StartLocalActivityInput:
    """For `WorkflowOutboundInterceptor.start_local_activity`."""

    activity: str
    args: Sequence[Any]
    activity_id: str | None
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    retry_policy: chimera.common.RetryPolicy | None
    local_retry_threshold: timedelta | None
    cancellation_type: chimera.workflow.ActivityCancellationType
    headers: Mapping[str, Payload]
    summary: str | None
    event_groups: Sequence[chimera.workflow.EventGroup] | None = None
    arg_types: list[type] | None = None
    ret_type: type | None = None


class WorkflowInboundInterceptor:
    """Wraps what comes in to a workflow. Its code has to be deterministic, too."""

    def __init__(self, next: WorkflowInboundInterceptor) -> None:
        """`next` is the one further inside."""
        self.next = next

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        """Called first; wrap `outbound` to see what the workflow calls."""
        self.next.init(outbound)

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        """Run the workflow."""
        return await self.next.execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        """Handle a signal."""
        return await self.next.handle_signal(input)

    async def handle_query(self, input: HandleQueryInput) -> Any:
        """Answer a query."""
        return await self.next.handle_query(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        """Validate an update; any exception refuses it."""
        self.next.handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        """Handle an update that was accepted."""
        return await self.next.handle_update_handler(input)


class WorkflowOutboundInterceptor:
    """Wraps what a workflow calls. Its code has to be deterministic, too."""

    next: WorkflowOutboundInterceptor

    def __init__(self, next: WorkflowOutboundInterceptor) -> None:
        """`next` is the one further outside."""
        self.next = next

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        """`workflow.continue_as_new()`."""
        self.next.continue_as_new(input)

    def info(self) -> chimera.workflow.Info:
        """`workflow.info()`."""
        return self.next.info()

    async def signal_child_workflow(self, input: SignalChildWorkflowInput) -> None:
        """`ChildWorkflowHandle.signal()`."""
        return await self.next.signal_child_workflow(input)

    async def signal_external_workflow(self, input: SignalExternalWorkflowInput) -> None:
        """`ExternalWorkflowHandle.signal()`."""
        await self.next.signal_external_workflow(input)

    def start_activity(self, input: StartActivityInput) -> chimera.workflow.ActivityHandle[Any]:
        """`workflow.start_activity()` and its kin."""
        return self.next.start_activity(input)

    async def start_child_workflow(
        self, input: StartChildWorkflowInput
    ) -> chimera.workflow.ChildWorkflowHandle[Any, Any]:
        """`workflow.start_child_workflow()` and its kin."""
        return await self.next.start_child_workflow(input)

    def start_local_activity(
        self, input: StartLocalActivityInput
    ) -> chimera.workflow.ActivityHandle[Any]:
        """`workflow.start_local_activity()` and its kin."""
        return self.next.start_local_activity(input)

    async def start_nexus_operation(
        self, input: StartNexusOperationInput[InputT, OutputT]
    ) -> chimera.workflow.NexusOperationHandle[OutputT]:
        """`NexusClient.start_operation()` and its kin."""
        return await self.next.start_nexus_operation(input)

    async def start_system_nexus_operation(
        self, input: StartNexusOperationInput[InputT, OutputT]
    ) -> chimera.workflow.NexusOperationHandle[OutputT]:
        """Operations that the server itself offers."""
        return await self.next.start_system_nexus_operation(input)


@dataclass
class ExecuteNexusOperationStartInput:
    """For `NexusOperationInboundInterceptor.execute_nexus_operation_start`."""

    ctx: nexusrpc.handler.StartOperationContext
    input: Any


@dataclass
class ExecuteNexusOperationCancelInput:
    """For `NexusOperationInboundInterceptor.execute_nexus_operation_cancel`."""

    ctx: nexusrpc.handler.CancelOperationContext
    token: str


class NexusOperationInboundInterceptor:
    """Wraps Nexus operations that a worker handles."""

    def __init__(self, next: NexusOperationInboundInterceptor) -> None:
        """`next` is the one further inside."""
        self.next = next

    async def execute_nexus_operation_start(
        self, input: ExecuteNexusOperationStartInput
    ) -> (
        nexusrpc.handler.StartOperationResultSync[Any] | nexusrpc.handler.StartOperationResultAsync
    ):
        """Start an operation."""
        return await self.next.execute_nexus_operation_start(input)

    async def execute_nexus_operation_cancel(
        self, input: ExecuteNexusOperationCancelInput
    ) -> None:
        """Cancel an operation."""
        return await self.next.execute_nexus_operation_cancel(input)
