"""What workflow code can know about its run."""

from __future__ import annotations

import contextvars
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import chimera.common
from chimera.workflow._runtime import current

if TYPE_CHECKING:
    import chimera.api.common.v1


@dataclass(frozen=True)
class Info:
    """The run. The methods answer for the present task, the fields for the whole run."""

    attempt: int
    continued_run_id: str | None
    cron_schedule: str | None
    execution_timeout: timedelta | None
    first_execution_run_id: str
    headers: Mapping[str, chimera.api.common.v1.Payload]
    namespace: str
    original_execution_run_id: str
    parent: ParentInfo | None
    root: RootInfo | None
    priority: chimera.common.Priority
    raw_memo: Mapping[str, chimera.api.common.v1.Payload]
    retry_policy: chimera.common.RetryPolicy | None
    run_id: str
    run_timeout: timedelta | None
    search_attributes: chimera.common.SearchAttributes
    start_time: datetime
    task_queue: str
    task_timeout: timedelta
    typed_search_attributes: chimera.common.TypedSearchAttributes
    workflow_id: str
    workflow_start_time: datetime
    workflow_type: str

    def _logger_details(self) -> Mapping[str, Any]:
        names = ("attempt", "namespace", "run_id", "task_queue", "workflow_id", "workflow_type")
        return {name: getattr(self, name) for name in names}

    def get_current_build_id(self) -> str:
        """Build id of the worker that ran, or runs, this task; empty if it is not known."""
        version = current().deployment_version
        return version.build_id if version else ""

    def get_current_deployment_version(self) -> chimera.common.WorkerDeploymentVersion | None:
        """Deployment version of the worker that ran, or runs, this task."""
        return current().deployment_version

    def get_current_history_length(self) -> int:
        """Number of events up to this task."""
        return current().history_length

    def get_current_history_size(self) -> int:
        """Bytes of history up to this task, as the server counts."""
        return current().history_size

    def is_continue_as_new_suggested(self) -> bool:
        """Whether the server finds the history long."""
        return current().continue_as_new_suggested

    def is_target_worker_deployment_version_changed(self) -> bool:
        """Whether a new run would begin on another deployment version."""
        return current().target_version_changed


@dataclass(frozen=True)
class ParentInfo:
    """The workflow that started this one as its child."""

    namespace: str
    run_id: str
    workflow_id: str


@dataclass(frozen=True)
class RootInfo:
    """The workflow at the top of the line of parents."""

    run_id: str
    workflow_id: str


@dataclass(frozen=True)
class UpdateInfo:
    """The update whose handler runs."""

    id: str
    name: str

    @property
    def _logger_details(self) -> Mapping[str, Any]:
        return {"update_id": self.id, "update_name": self.name}


update_variable: contextvars.ContextVar[UpdateInfo | None] = contextvars.ContextVar(
    "chimera_update", default=None
)


def current_update_info() -> UpdateInfo | None:
    """The update whose handler, or a task made by it, calls this."""
    return update_variable.get()
