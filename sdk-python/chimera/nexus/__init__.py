"""Nexus services that workers handle: operations that are workflows, and what handlers can ask of their worker."""

from chimera.nexus._decorators import (
    TemporalOperationStartHandlerFunc,
    temporal_operation,
    workflow_run_operation,
)
from chimera.nexus._operation_context import (
    Info,
    LoggerAdapter,
    NexusCallback,
    TemporalCancelOperationContext,
    TemporalStartOperationContext,
    WorkflowRunOperationContext,
    client,
    in_operation,
    info,
    is_worker_shutdown,
    logger,
    metric_meter,
    wait_for_worker_shutdown,
    wait_for_worker_shutdown_sync,
)
from chimera.nexus._operation_handlers import (
    CancelActivityOptions,
    CancelUpdateWorkflowOptions,
    CancelWorkflowRunOptions,
    TemporalOperationHandler,
)
from chimera.nexus._temporal_client import TemporalNexusClient, TemporalOperationResult
from chimera.nexus._token import WorkflowHandle

__all__ = (
    "CancelActivityOptions",
    "CancelUpdateWorkflowOptions",
    "CancelWorkflowRunOptions",
    "Info",
    "LoggerAdapter",
    "NexusCallback",
    "TemporalCancelOperationContext",
    "TemporalNexusClient",
    "TemporalOperationHandler",
    "TemporalOperationResult",
    "TemporalOperationStartHandlerFunc",
    "TemporalStartOperationContext",
    "WorkflowHandle",
    "WorkflowRunOperationContext",
    "client",
    "in_operation",
    "info",
    "is_worker_shutdown",
    "logger",
    "metric_meter",
    "temporal_operation",
    "wait_for_worker_shutdown",
    "wait_for_worker_shutdown_sync",
    "workflow_run_operation",
)
