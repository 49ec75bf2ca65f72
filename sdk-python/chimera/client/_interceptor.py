"""Interceptors of a client: what goes out passes through them, the first one outermost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chimera.client import _inputs as inputs
    from chimera.client._handle import WorkflowHandle, WorkflowUpdateHandle
    from chimera.client._history import WorkflowHistoryEventAsyncIterator
    from chimera.client._schedule_handle import ScheduleAsyncIterator, ScheduleDescription, ScheduleHandle
    from chimera.client._versioning import WorkerBuildIdVersionSets, WorkerTaskReachability
    from chimera.client._workflow import (
        WorkflowExecutionAsyncIterator,
        WorkflowExecutionCount,
        WorkflowExecutionDescription,
    )


@dataclass  # Without fields, as in temporalio: so that dataclasses derive from it.
class Interceptor:
    """Wraps a client. May at the same time be a worker's interceptor."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        """Returns what calls go through; it hands them on to `next`."""
        return next


class OutboundInterceptor:
    """One link of the chain; every method hands on what it gets unless it is overridden."""

    def __init__(self, next: OutboundInterceptor) -> None:
        """Keeps the rest of the chain in `self.next`."""
        self.next = next

    async def start_workflow(self, input: inputs.StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        """Hands on."""
        return await self.next.start_workflow(input)

    async def cancel_workflow(self, input: inputs.CancelWorkflowInput) -> None:
        """Hands on."""
        return await self.next.cancel_workflow(input)

    async def describe_workflow(self, input: inputs.DescribeWorkflowInput) -> WorkflowExecutionDescription:
        """Hands on."""
        return await self.next.describe_workflow(input)

    def fetch_workflow_history_events(
        self, input: inputs.FetchWorkflowHistoryEventsInput
    ) -> WorkflowHistoryEventAsyncIterator:
        """Hands on."""
        return self.next.fetch_workflow_history_events(input)

    def list_workflows(self, input: inputs.ListWorkflowsInput) -> WorkflowExecutionAsyncIterator:
        """Hands on."""
        return self.next.list_workflows(input)

    async def count_workflows(self, input: inputs.CountWorkflowsInput) -> WorkflowExecutionCount:
        """Hands on."""
        return await self.next.count_workflows(input)

    async def query_workflow(self, input: inputs.QueryWorkflowInput) -> Any:
        """Hands on."""
        return await self.next.query_workflow(input)

    async def signal_workflow(self, input: inputs.SignalWorkflowInput) -> None:
        """Hands on."""
        return await self.next.signal_workflow(input)

    async def terminate_workflow(self, input: inputs.TerminateWorkflowInput) -> None:
        """Hands on."""
        return await self.next.terminate_workflow(input)

    async def start_activity(self, input: inputs.StartActivityInput) -> Any:
        """Hands on."""
        return await self.next.start_activity(input)

    async def cancel_activity(self, input: inputs.CancelActivityInput) -> None:
        """Hands on."""
        return await self.next.cancel_activity(input)

    async def terminate_activity(self, input: inputs.TerminateActivityInput) -> None:
        """Hands on."""
        return await self.next.terminate_activity(input)

    async def pause_activity(self, input: inputs.PauseActivityInput) -> None:
        """Hands on."""
        return await self.next.pause_activity(input)

    async def unpause_activity(self, input: inputs.UnpauseActivityInput) -> None:
        """Hands on."""
        return await self.next.unpause_activity(input)

    async def update_activity_options(self, input: inputs.UpdateActivityOptionsInput) -> Any:
        """Hands on."""
        return await self.next.update_activity_options(input)

    async def describe_activity(self, input: inputs.DescribeActivityInput) -> Any:
        """Hands on."""
        return await self.next.describe_activity(input)

    def list_activities(self, input: inputs.ListActivitiesInput) -> Any:
        """Hands on."""
        return self.next.list_activities(input)

    async def count_activities(self, input: inputs.CountActivitiesInput) -> Any:
        """Hands on."""
        return await self.next.count_activities(input)

    async def start_workflow_update(self, input: inputs.StartWorkflowUpdateInput) -> WorkflowUpdateHandle[Any]:
        """Hands on."""
        return await self.next.start_workflow_update(input)

    async def start_update_with_start_workflow(
        self, input: inputs.StartWorkflowUpdateWithStartInput
    ) -> WorkflowUpdateHandle[Any]:
        """Hands on."""
        return await self.next.start_update_with_start_workflow(input)

    async def heartbeat_async_activity(self, input: inputs.HeartbeatAsyncActivityInput) -> None:
        """Hands on."""
        return await self.next.heartbeat_async_activity(input)

    async def complete_async_activity(self, input: inputs.CompleteAsyncActivityInput) -> None:
        """Hands on."""
        return await self.next.complete_async_activity(input)

    async def fail_async_activity(self, input: inputs.FailAsyncActivityInput) -> None:
        """Hands on."""
        return await self.next.fail_async_activity(input)

    async def report_cancellation_async_activity(self, input: inputs.ReportCancellationAsyncActivityInput) -> None:
        """Hands on."""
        return await self.next.report_cancellation_async_activity(input)

    async def create_schedule(self, input: inputs.CreateScheduleInput) -> ScheduleHandle:
        """Hands on."""
        return await self.next.create_schedule(input)

    def list_schedules(self, input: inputs.ListSchedulesInput) -> ScheduleAsyncIterator:
        """Hands on."""
        return self.next.list_schedules(input)

    async def backfill_schedule(self, input: inputs.BackfillScheduleInput) -> None:
        """Hands on."""
        return await self.next.backfill_schedule(input)

    async def delete_schedule(self, input: inputs.DeleteScheduleInput) -> None:
        """Hands on."""
        return await self.next.delete_schedule(input)

    async def describe_schedule(self, input: inputs.DescribeScheduleInput) -> ScheduleDescription:
        """Hands on."""
        return await self.next.describe_schedule(input)

    async def pause_schedule(self, input: inputs.PauseScheduleInput) -> None:
        """Hands on."""
        return await self.next.pause_schedule(input)

    async def trigger_schedule(self, input: inputs.TriggerScheduleInput) -> None:
        """Hands on."""
        return await self.next.trigger_schedule(input)

    async def unpause_schedule(self, input: inputs.UnpauseScheduleInput) -> None:
        """Hands on."""
        return await self.next.unpause_schedule(input)

    async def update_schedule(self, input: inputs.UpdateScheduleInput) -> None:
        """Hands on."""
        return await self.next.update_schedule(input)

    async def update_worker_build_id_compatibility(self, input: inputs.UpdateWorkerBuildIdCompatibilityInput) -> None:
        """Hands on."""
        return await self.next.update_worker_build_id_compatibility(input)

    async def get_worker_build_id_compatibility(
        self, input: inputs.GetWorkerBuildIdCompatibilityInput
    ) -> WorkerBuildIdVersionSets:
        """Hands on."""
        return await self.next.get_worker_build_id_compatibility(input)

    async def get_worker_task_reachability(
        self, input: inputs.GetWorkerTaskReachabilityInput
    ) -> WorkerTaskReachability:
        """Hands on."""
        return await self.next.get_worker_task_reachability(input)

    async def start_nexus_operation(self, input: inputs.StartNexusOperationInput) -> Any:
        """Hands on."""
        return await self.next.start_nexus_operation(input)

    async def describe_nexus_operation(
        self, input: inputs.DescribeNexusOperationInput
    ) -> Any:
        """Hands on."""
        return await self.next.describe_nexus_operation(input)

    async def get_nexus_operation_result(self, input: inputs.GetNexusOperationResultInput) -> Any:
        """Hands on."""
        return await self.next.get_nexus_operation_result(input)

    async def cancel_nexus_operation(self, input: inputs.CancelNexusOperationInput) -> None:
        """Hands on."""
        return await self.next.cancel_nexus_operation(input)

    async def terminate_nexus_operation(self, input: inputs.TerminateNexusOperationInput) -> None:
        """Hands on."""
        return await self.next.terminate_nexus_operation(input)

    def list_nexus_operations(self, input: inputs.ListNexusOperationsInput) -> Any:
        """Hands on."""
        return self.next.list_nexus_operations(input)

    async def count_nexus_operations(self, input: inputs.CountNexusOperationsInput) -> Any:
        """Hands on."""
        return await self.next.count_nexus_operations(input)
