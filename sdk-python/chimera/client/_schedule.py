"""What a schedule is made of."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import chimera.converter
from chimera import common
from chimera.client import _names
from chimera.client._enums import ScheduleOverlapPolicy

if TYPE_CHECKING:
    from chimera.api.common.v1 import Payload
    from chimera.api.workflow.v1 import NewWorkflowExecutionInfo


@dataclass(frozen=True)
class ScheduleRange:
    """Numbers from start to end, both included, in steps."""

    start: int
    end: int = 0
    step: int = 0

    def __post_init__(self) -> None:
        """An end before the start means the start alone; no step means 1."""
        object.__setattr__(self, "end", max(self.start, self.end))
        object.__setattr__(self, "step", self.step or 1)


@dataclass
class ScheduleCalendarSpec:
    """Times whose every part lies in one of its ranges. Sunday is 0; no year means every year."""

    second: Sequence[ScheduleRange] = (ScheduleRange(0),)
    minute: Sequence[ScheduleRange] = (ScheduleRange(0),)
    hour: Sequence[ScheduleRange] = (ScheduleRange(0),)
    day_of_month: Sequence[ScheduleRange] = (ScheduleRange(1, 31),)
    month: Sequence[ScheduleRange] = (ScheduleRange(1, 12),)
    year: Sequence[ScheduleRange] = ()
    day_of_week: Sequence[ScheduleRange] = (ScheduleRange(0, 6),)
    comment: str | None = None


@dataclass
class ScheduleIntervalSpec:
    """Times at a distance of `every`, counted from the epoch plus an offset."""

    every: timedelta
    offset: timedelta | None = None


@dataclass
class ScheduleSpec:
    """When: the union of calendars, intervals and cron expressions, without what `skip` matches."""

    calendars: Sequence[ScheduleCalendarSpec] = field(default_factory=list)
    intervals: Sequence[ScheduleIntervalSpec] = field(default_factory=list)
    cron_expressions: Sequence[str] = field(default_factory=list)
    skip: Sequence[ScheduleCalendarSpec] = field(default_factory=list)
    start_at: datetime | None = None
    end_at: datetime | None = None
    jitter: timedelta | None = None
    time_zone_name: str | None = None


class ScheduleAction(ABC):
    """What happens: ScheduleActionStartWorkflow."""


@dataclass
class ScheduleActionStartWorkflow(ScheduleAction):
    """Starts a workflow; its id gets the time appended."""

    workflow: str
    args: Sequence[Any] | Sequence[Payload]
    id: str
    task_queue: str
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    retry_policy: common.RetryPolicy | None
    memo: Mapping[str, Any] | Mapping[str, Payload] | None
    typed_search_attributes: common.TypedSearchAttributes
    untyped_search_attributes: common.SearchAttributes
    static_summary: str | Payload | None
    static_details: str | Payload | None
    priority: common.Priority
    headers: Mapping[str, Payload] | None

    def __init__(
        self,
        workflow: Any,
        arg: Any = common._arg_unset,
        *,
        args: Sequence[Any] = [],
        id: str | None = None,
        task_queue: str | None = None,
        execution_timeout: timedelta | None = None,
        run_timeout: timedelta | None = None,
        task_timeout: timedelta | None = None,
        retry_policy: common.RetryPolicy | None = None,
        memo: Mapping[str, Any] | None = None,
        typed_search_attributes: common.TypedSearchAttributes = common.TypedSearchAttributes.empty,
        untyped_search_attributes: common.SearchAttributes = {},  # noqa: B006 - only read; the official default
        static_summary: str | None = None,
        static_details: str | None = None,
        headers: Mapping[str, Payload] | None = None,
        raw_info: NewWorkflowExecutionInfo | None = None,
        priority: common.Priority = common.Priority.default,
    ) -> None:
        """As for Client.start_workflow. With raw_info, which is what a server told, the rest is ignored."""
        self._from_raw = raw_info is not None
        if raw_info is not None:
            self._read(raw_info)
            return
        if not id:
            raise ValueError("ID required")
        if not task_queue:
            raise ValueError("Task queue required")
        if not isinstance(workflow, str) and not callable(workflow):
            raise TypeError("Workflow must be a string or callable")
        self.workflow, _ = _names.of_workflow(workflow)
        self.args = common._arg_or_args(arg, args)
        self.id = id
        self.task_queue = task_queue
        self.execution_timeout = execution_timeout
        self.run_timeout = run_timeout
        self.task_timeout = task_timeout
        self.retry_policy = retry_policy
        self.memo = memo
        self.typed_search_attributes = typed_search_attributes
        self.untyped_search_attributes = untyped_search_attributes
        self.static_summary = static_summary
        self.static_details = static_details
        self.headers = headers
        self.priority = priority

    def _read(self, info: NewWorkflowExecutionInfo) -> None:
        def duration(name: str) -> timedelta | None:
            return getattr(info, name).ToTimedelta() if info.HasField(name) else None

        metadata = info.user_metadata
        self.workflow = info.workflow_type.name
        self.args = info.input.payloads
        self.id = info.workflow_id
        self.task_queue = info.task_queue.name
        self.execution_timeout = duration("workflow_execution_timeout")
        self.run_timeout = duration("workflow_run_timeout")
        self.task_timeout = duration("workflow_task_timeout")
        self.retry_policy = common.RetryPolicy.from_proto(info.retry_policy) if info.HasField("retry_policy") else None
        self.memo = info.memo.fields or None
        self.typed_search_attributes = chimera.converter.decode_typed_search_attributes(info.search_attributes)
        untyped = chimera.converter.decode_search_attributes(info.search_attributes)
        typed = {pair.key.name for pair in self.typed_search_attributes}
        self.untyped_search_attributes = {name: value for name, value in untyped.items() if name not in typed}
        self.static_summary = metadata.summary if metadata.HasField("summary") else None
        self.static_details = metadata.details if metadata.HasField("details") else None
        self.headers = info.header.fields or None
        self.priority = common.Priority._from_proto(info.priority)


@dataclass
class SchedulePolicy:
    """What holds for every action."""

    overlap: ScheduleOverlapPolicy = field(default_factory=lambda: ScheduleOverlapPolicy.SKIP)
    catchup_window: timedelta | None = None
    pause_on_failure: bool = False


@dataclass
class ScheduleState:
    """Whether it runs, and how often it still may."""

    note: str | None = None
    paused: bool = False
    limited_actions: bool = False
    remaining_actions: int = 0


@dataclass
class Schedule:
    """What happens when."""

    action: ScheduleAction
    spec: ScheduleSpec
    policy: SchedulePolicy = field(default_factory=SchedulePolicy)
    state: ScheduleState = field(default_factory=ScheduleState)


@dataclass
class ScheduleBackfill:
    """Actions of a time that has passed; the start is excluded."""

    start_at: datetime
    end_at: datetime
    overlap: ScheduleOverlapPolicy | None = None
