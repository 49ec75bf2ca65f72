"""Keyword arguments that overloads of the client's methods have in common, for type checkers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from typing_extensions import Required, TypedDict

from chimera import common
from chimera.client._enums import WorkflowUpdateStage


class CallOptions(TypedDict, total=False):
    """Of every call."""

    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None


class _WorkflowOptions(TypedDict, total=False):
    id: Required[str]
    task_queue: Required[str]
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    id_reuse_policy: common.WorkflowIDReusePolicy
    retry_policy: common.RetryPolicy | None
    cron_schedule: str
    memo: Mapping[str, Any] | None
    search_attributes: common.TypedSearchAttributes | common.SearchAttributes | None
    static_summary: str | None
    static_details: str | None
    start_delay: timedelta | None
    priority: common.Priority
    versioning_override: common.VersioningOverride | None


class StartOptions(_WorkflowOptions, CallOptions, total=False):
    """Of start_workflow and execute_workflow."""

    id_conflict_policy: common.WorkflowIDConflictPolicy
    start_signal: str | None
    start_signal_args: Sequence[Any]
    request_eager_start: bool


class WithStartOptions(_WorkflowOptions, total=False):
    """Of WithStartWorkflowOperation."""

    id_conflict_policy: Required[common.WorkflowIDConflictPolicy]


class StartActivityOptions(CallOptions, total=False):
    """Of start_activity and its siblings."""

    id: Required[str]
    task_queue: Required[str]
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    heartbeat_timeout: timedelta | None
    id_reuse_policy: common.ActivityIDReusePolicy
    id_conflict_policy: common.ActivityIDConflictPolicy
    retry_policy: common.RetryPolicy | None
    search_attributes: common.TypedSearchAttributes | None
    summary: str | None
    priority: common.Priority
    start_delay: timedelta | None


class StartNexusOperationOptions(CallOptions, total=False):
    """Of a Nexus client's start_operation and execute_operation."""

    id: Required[str]
    id_reuse_policy: common.NexusOperationIDReusePolicy
    id_conflict_policy: common.NexusOperationIDConflictPolicy
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    search_attributes: common.TypedSearchAttributes | None
    summary: str | None
    headers: Mapping[str, str] | None


class QueryOptions(CallOptions, total=False):
    """Of a query."""

    reject_condition: common.QueryRejectCondition | None


class UpdateOptions(CallOptions, total=False):
    """Of an update whose result is awaited."""

    id: str | None


class StartUpdateOptions(UpdateOptions, total=False):
    """Of an update that is only begun."""

    wait_for_stage: Required[WorkflowUpdateStage]
