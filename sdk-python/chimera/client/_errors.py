"""What client calls raise beside service.RPCError."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chimera.exceptions import TemporalError

if TYPE_CHECKING:
    from chimera.activity import ActivityCancellationDetails
    from chimera.client._enums import WorkflowExecutionStatus


class WorkflowFailureError(TemporalError):
    """The workflow ended without a result; the cause says how."""

    def __init__(self, *, cause: BaseException) -> None:
        """The cause is one of chimera.exceptions."""
        super().__init__("Workflow execution failed")
        self.__cause__ = cause

    @property
    def cause(self) -> BaseException:
        """Why: an ApplicationError, CancelledError, TerminatedError, TimeoutError..."""
        assert self.__cause__
        return self.__cause__


class WorkflowContinuedAsNewError(TemporalError):
    """The run continued as new and the caller did not want to follow it."""

    def __init__(self, new_execution_run_id: str) -> None:
        """Names the next run."""
        super().__init__("Workflow continued as new")
        self._new_execution_run_id = new_execution_run_id

    @property
    def new_execution_run_id(self) -> str:
        """The run that goes on."""
        return self._new_execution_run_id


class WorkflowQueryRejectedError(TemporalError):
    """The reject condition held."""

    def __init__(self, status: WorkflowExecutionStatus | None) -> None:
        """With the workflow's status, if the server told it."""
        super().__init__(f"Query rejected, status: {status}")
        self._status = status

    @property
    def status(self) -> WorkflowExecutionStatus | None:
        """How the workflow stands."""
        return self._status


class WorkflowQueryFailedError(TemporalError):
    """The query handler raised, or there is none."""

    def __init__(self, message: str) -> None:
        """With the handler's message."""
        super().__init__(message)
        self._message = message

    @property
    def message(self) -> str:
        """What the handler said."""
        return self._message


class WorkflowUpdateFailedError(TemporalError):
    """The update was rejected, or its handler failed."""

    def __init__(self, cause: BaseException) -> None:
        """The cause is what the validator or the handler raised."""
        super().__init__("Workflow update failed")
        self.__cause__ = cause

    @property
    def cause(self) -> BaseException:
        """What the validator or the handler raised."""
        assert self.__cause__
        return self.__cause__


class RPCTimeoutOrCancelledError(TemporalError):
    """A call ended before its answer came: deadline or cancellation, here or there."""


class WorkflowUpdateRPCTimeoutOrCancelledError(RPCTimeoutOrCancelledError):
    """Waiting for an update ended; the update itself may go on."""

    def __init__(self) -> None:
        """Always the same message."""
        super().__init__("Timeout or cancellation waiting for update")


class ActivityFailureError(TemporalError):
    """A standalone activity ended without a result; the cause says how."""

    def __init__(self, *, cause: BaseException) -> None:
        """The cause is one of chimera.exceptions."""
        super().__init__("Activity execution failed")
        self.__cause__ = cause

    @property
    def cause(self) -> BaseException:
        """Why."""
        assert self.__cause__
        return self.__cause__


class NexusOperationFailureError(TemporalError):
    """A Nexus operation of a client ended without a result; the cause says how."""

    def __init__(self, *, cause: BaseException) -> None:
        """The cause is one of chimera.exceptions."""
        super().__init__("Nexus operation execution failed")
        self.__cause__ = cause

    @property
    def cause(self) -> BaseException:
        """Why."""
        assert self.__cause__
        return self.__cause__


class AsyncActivityCancelledError(TemporalError):
    """The answer to a heartbeat of an activity that shall stop."""

    def __init__(self, details: ActivityCancellationDetails | None = None) -> None:
        """The details say why."""
        super().__init__("Activity cancelled")
        self.details = details


class ScheduleAlreadyRunningError(TemporalError):
    """A schedule of this id exists."""

    def __init__(self) -> None:
        """Always the same message."""
        super().__init__("Schedule already running")
