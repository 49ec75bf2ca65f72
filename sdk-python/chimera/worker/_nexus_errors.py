"""What a Nexus handler raised, as its caller is told of it."""

from __future__ import annotations

from typing import Any

from nexusrpc import HandlerError, HandlerErrorType, OperationError, OperationErrorState

from chimera.exceptions import ApplicationError, CancelledError, FailureError, WorkflowAlreadyStartedError
from chimera.service import RPCError, RPCStatusCode as Code

_Type = HandlerErrorType
_INVALID_INPUT = "PayloadValidationError"

# Of an RPC that a handler made. That the handler lacks rights is not its caller's fault: INTERNAL, and tried again.
_BY_STATUS: dict[Code, tuple[HandlerErrorType, bool | None]] = {
    Code.INVALID_ARGUMENT: (_Type.BAD_REQUEST, None),
    Code.ALREADY_EXISTS: (_Type.INTERNAL, False),
    Code.FAILED_PRECONDITION: (_Type.INTERNAL, False),
    Code.OUT_OF_RANGE: (_Type.INTERNAL, False),
    Code.ABORTED: (_Type.UNAVAILABLE, None),
    Code.UNAVAILABLE: (_Type.UNAVAILABLE, None),
    Code.CANCELLED: (_Type.INTERNAL, None),
    Code.DATA_LOSS: (_Type.INTERNAL, None),
    Code.INTERNAL: (_Type.INTERNAL, None),
    Code.UNKNOWN: (_Type.INTERNAL, None),
    Code.UNAUTHENTICATED: (_Type.INTERNAL, None),
    Code.PERMISSION_DENIED: (_Type.INTERNAL, None),
    Code.NOT_FOUND: (_Type.NOT_FOUND, None),
    Code.RESOURCE_EXHAUSTED: (_Type.RESOURCE_EXHAUSTED, None),
    Code.UNIMPLEMENTED: (_Type.NOT_IMPLEMENTED, None),
    Code.DEADLINE_EXCEEDED: (_Type.UPSTREAM_TIMEOUT, None),
}


def handler_error(err: BaseException) -> HandlerError:
    """The error of a handler that could not answer."""
    if isinstance(err, HandlerError):
        return err
    kind, retryable, message = _Type.INTERNAL, None, "Internal handler error"
    if isinstance(err, ApplicationError):
        message, retryable = "Handler failed with non-retryable application error", not err.non_retryable
    elif isinstance(err, WorkflowAlreadyStartedError):
        message, retryable = err.message, False
    elif isinstance(err, RPCError):
        if err.status in _BY_STATUS:
            (kind, retryable), message = _BY_STATUS[err.status], err.message
        else:
            message = f"Unhandled RPC error status: {err.status}"
    made = HandlerError(message, type=kind, retryable_override=retryable)
    made.__cause__ = err
    return made


def input_error(err: Exception, message: str, kind: HandlerErrorType, **options: Any) -> HandlerError:
    """The error of an input that could not be had; a data converter may say that it is not valid."""
    invalid = isinstance(err, ApplicationError) and err.non_retryable and err.type == _INVALID_INPUT
    if invalid:
        return HandlerError("Invalid operation input", type=_Type.BAD_REQUEST, retryable_override=False)
    return HandlerError(message, type=kind, **options)


def operation_failure(err: OperationError) -> FailureError:
    """The failure of an operation that has failed or was cancelled at its start."""
    made: FailureError
    if err.state is OperationErrorState.CANCELED:
        made = CancelledError(err.message)
    else:
        made = ApplicationError(err.message, type="OperationError", non_retryable=True)
    made.__traceback__ = err.__traceback__
    made.__cause__ = err.__cause__
    return made
