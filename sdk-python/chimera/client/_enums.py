"""The enumerations of the client, with the protocol's numbers."""

from __future__ import annotations

from enum import Enum, IntEnum


class WorkflowExecutionStatus(IntEnum):
    """How a workflow execution stands."""

    RUNNING = 1
    COMPLETED = 2
    FAILED = 3
    CANCELED = 4
    TERMINATED = 5
    CONTINUED_AS_NEW = 6
    TIMED_OUT = 7
    PAUSED = 8


class WorkflowHistoryEventFilterType(IntEnum):
    """Which events a history is fetched with."""

    ALL_EVENT = 1
    CLOSE_EVENT = 2


class WorkflowUpdateStage(IntEnum):
    """How far an update has come."""

    ADMITTED = 1
    ACCEPTED = 2
    COMPLETED = 3


class ScheduleOverlapPolicy(IntEnum):
    """What happens when an action is due while the one before it runs."""

    SKIP = 1
    BUFFER_ONE = 2
    BUFFER_ALL = 3
    CANCEL_OTHER = 4
    TERMINATE_OTHER = 5
    ALLOW_ALL = 6


class TaskReachabilityType(Enum):
    """Which workflows count when the reachability of a build is asked for."""

    NEW_WORKFLOWS = 1
    EXISTING_WORKFLOWS = 2
    OPEN_WORKFLOWS = 3
    CLOSED_WORKFLOWS = 4


class ActivityExecutionStatus(IntEnum):
    """How a standalone activity stands."""

    UNSPECIFIED = 0
    RUNNING = 1
    COMPLETED = 2
    FAILED = 3
    CANCELED = 4
    TERMINATED = 5
    TIMED_OUT = 6
    PAUSED = 7


class PendingActivityState(IntEnum):
    """How the current attempt of a pending activity stands."""

    UNSPECIFIED = 0
    SCHEDULED = 1
    STARTED = 2
    CANCEL_REQUESTED = 3
    PAUSED = 4
    PAUSE_REQUESTED = 5
