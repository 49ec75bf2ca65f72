"""Errors that workflows, activities and clients raise and catch.

Every failure on the wire becomes one of these and the other way round; `converter` does that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

if TYPE_CHECKING:
    import chimera.api.failure.v1

_T = TypeVar("_T")


class _ReadOnly(Generic[_T]):
    """An attribute that only the constructor sets, stored under its name with an underscore."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._slot = "_" + name

    def __get__(self, instance: Any, owner: type | None = None) -> _T:
        return self if instance is None else getattr(instance, self._slot)  # type: ignore

    def __set__(self, instance: Any, value: Any) -> NoReturn:
        raise AttributeError(f"{self._slot[1:]} cannot be set")


class TemporalError(Exception):
    """Root of all errors of this package."""

    @property
    def cause(self) -> BaseException | None:
        """What the error was raised from."""
        return self.__cause__


class FailureError(TemporalError):
    """Root of the errors that travel between workflows, activities and clients."""

    message: _ReadOnly[str] = _ReadOnly()
    failure: _ReadOnly[chimera.api.failure.v1.Failure | None] = _ReadOnly()

    def __init__(
        self,
        message: str,
        *,
        failure: chimera.api.failure.v1.Failure | None = None,
        exc_args: tuple[Any, ...] | None = None,
    ) -> None:
        """`failure` is what came over the wire, if anything did."""
        super().__init__(*((message,) if exc_args is None else exc_args))
        self._message = message
        self._failure = failure


class WorkflowAlreadyStartedError(FailureError):
    """The workflow id is taken: by a run that is open, or by one that the reuse policy guards."""

    def __init__(
        self,
        workflow_id: str,
        workflow_type: str,
        *,
        run_id: str | None = None,
        first_run_id: str | None = None,
    ) -> None:
        """The run ids are known to clients only."""
        super().__init__("Workflow execution already started")
        self.workflow_id = workflow_id
        self.workflow_type = workflow_type
        self.run_id = run_id
        self.first_run_id = first_run_id


class InvalidVersioningOverrideError(FailureError):
    """The server refused the versioning override of a child workflow."""

    def __init__(self) -> None:
        """No details are given by the server."""
        super().__init__("Invalid versioning override")


class ActivityAlreadyStartedError(FailureError):
    """The id of a standalone activity is taken."""

    def __init__(self, activity_id: str, activity_type: str, *, run_id: str | None = None) -> None:
        """Name the activity that has the id."""
        super().__init__("Activity execution already started")
        self.activity_id = activity_id
        self.activity_type = activity_type
        self.run_id = run_id


class NexusOperationAlreadyStartedError(FailureError):
    """The id of a Nexus operation is taken."""

    def __init__(self, operation_id: str, *, run_id: str | None = None) -> None:
        """Name the operation that has the id."""
        super().__init__("Nexus operation execution already started")
        self.operation_id = operation_id
        self.run_id = run_id


class ApplicationErrorCategory(IntEnum):
    """How loudly an application error is reported."""

    UNSPECIFIED = 0
    BENIGN = 1


class ApplicationError(FailureError):
    """What user code raises to fail an activity or a workflow with a type and details."""

    details: _ReadOnly[Sequence[Any]] = _ReadOnly()
    type: _ReadOnly[str | None] = _ReadOnly()
    non_retryable: _ReadOnly[bool] = _ReadOnly()
    next_retry_delay: _ReadOnly[timedelta | None] = _ReadOnly()
    category: _ReadOnly[ApplicationErrorCategory] = _ReadOnly()

    def __init__(
        self,
        message: str,
        *details: Any,
        type: str | None = None,
        non_retryable: bool = False,
        next_retry_delay: timedelta | None = None,
        category: ApplicationErrorCategory = ApplicationErrorCategory.UNSPECIFIED,
    ) -> None:
        """`str()` of the error is "TYPE: MESSAGE" if there is a type."""
        super().__init__(message, exc_args=(f"{type}: {message}" if type else message,))
        self._details = details
        self._type = type
        self._non_retryable = non_retryable
        self._next_retry_delay = next_retry_delay
        self._category = category


class CancelledError(FailureError):
    """A workflow, activity or operation was cancelled."""

    details: _ReadOnly[Sequence[Any]] = _ReadOnly()

    def __init__(self, message: str = "Cancelled", *details: Any) -> None:
        """`details` are what the cancelled side reported."""
        super().__init__(message)
        self._details = details


class TerminatedError(FailureError):
    """A workflow was terminated."""

    details: _ReadOnly[Sequence[Any]] = _ReadOnly()

    def __init__(self, message: str, *details: Any) -> None:
        """`details` are what the terminating side gave."""
        super().__init__(message)
        self._details = details


class TimeoutType(IntEnum):
    """Which timeout ran out."""

    START_TO_CLOSE = 1
    SCHEDULE_TO_START = 2
    SCHEDULE_TO_CLOSE = 3
    HEARTBEAT = 4


class TimeoutError(FailureError):
    """A workflow or activity took too long."""

    type: _ReadOnly[TimeoutType | None] = _ReadOnly()
    last_heartbeat_details: _ReadOnly[Sequence[Any]] = _ReadOnly()

    def __init__(
        self, message: str, *, type: TimeoutType | None, last_heartbeat_details: Sequence[Any]
    ) -> None:
        """`last_heartbeat_details` are those of an activity that did heartbeat."""
        super().__init__(message)
        self._type = type
        self._last_heartbeat_details = last_heartbeat_details


class ServerError(FailureError):
    """The server itself failed the workflow or activity."""

    non_retryable: _ReadOnly[bool] = _ReadOnly()

    def __init__(self, message: str, *, non_retryable: bool = False) -> None:
        """`non_retryable` is the server's verdict."""
        super().__init__(message)
        self._non_retryable = non_retryable


class RetryState(IntEnum):
    """Why there is no further attempt."""

    IN_PROGRESS = 1
    NON_RETRYABLE_FAILURE = 2
    TIMEOUT = 3
    MAXIMUM_ATTEMPTS_REACHED = 4
    RETRY_POLICY_NOT_SET = 5
    INTERNAL_SERVER_ERROR = 6
    CANCEL_REQUESTED = 7


class ActivityError(FailureError):
    """An activity failed; its cause says why."""

    scheduled_event_id: _ReadOnly[int] = _ReadOnly()
    started_event_id: _ReadOnly[int] = _ReadOnly()
    identity: _ReadOnly[str] = _ReadOnly()
    activity_type: _ReadOnly[str] = _ReadOnly()
    activity_id: _ReadOnly[str] = _ReadOnly()
    retry_state: _ReadOnly[RetryState | None] = _ReadOnly()

    def __init__(
        self,
        message: str,
        *,
        scheduled_event_id: int,
        started_event_id: int,
        identity: str,
        activity_type: str,
        activity_id: str,
        retry_state: RetryState | None,
    ) -> None:
        """`identity` is the worker that ran the last attempt."""
        super().__init__(message)
        self._scheduled_event_id = scheduled_event_id
        self._started_event_id = started_event_id
        self._identity = identity
        self._activity_type = activity_type
        self._activity_id = activity_id
        self._retry_state = retry_state


class ChildWorkflowError(FailureError):
    """A child workflow failed; its cause says why."""

    namespace: _ReadOnly[str] = _ReadOnly()
    workflow_id: _ReadOnly[str] = _ReadOnly()
    run_id: _ReadOnly[str] = _ReadOnly()
    workflow_type: _ReadOnly[str] = _ReadOnly()
    initiated_event_id: _ReadOnly[int] = _ReadOnly()
    started_event_id: _ReadOnly[int] = _ReadOnly()
    retry_state: _ReadOnly[RetryState | None] = _ReadOnly()

    def __init__(
        self,
        message: str,
        *,
        namespace: str,
        workflow_id: str,
        run_id: str,
        workflow_type: str,
        initiated_event_id: int,
        started_event_id: int,
        retry_state: RetryState | None,
    ) -> None:
        """Event ids are those in the parent's history."""
        super().__init__(message)
        self._namespace = namespace
        self._workflow_id = workflow_id
        self._run_id = run_id
        self._workflow_type = workflow_type
        self._initiated_event_id = initiated_event_id
        self._started_event_id = started_event_id
        self._retry_state = retry_state


class NexusOperationError(FailureError):
    """A Nexus operation failed; its cause says why."""

    scheduled_event_id: _ReadOnly[int] = _ReadOnly()
    endpoint: _ReadOnly[str] = _ReadOnly()
    service: _ReadOnly[str] = _ReadOnly()
    operation: _ReadOnly[str] = _ReadOnly()
    operation_token: _ReadOnly[str] = _ReadOnly()

    def __init__(
        self,
        message: str,
        *,
        scheduled_event_id: int,
        endpoint: str,
        service: str,
        operation: str,
        operation_token: str,
    ):
        """`operation_token` is empty for an operation that never started."""
        super().__init__(message)
        self._scheduled_event_id = scheduled_event_id
        self._endpoint = endpoint
        self._service = service
        self._operation = operation
        self._operation_token = operation_token


_WRAPPERS = (ActivityError, ChildWorkflowError, NexusOperationError)


def is_cancelled_exception(exception: BaseException) -> bool:
    """Whether a cancellation is behind this error, at first or second hand."""
    if isinstance(exception, _WRAPPERS):
        return isinstance(exception.__cause__, CancelledError)
    return isinstance(exception, (asyncio.CancelledError, CancelledError))
