"""Failure converters: exceptions to failure messages and back.

Two tables, by exception class and by the kind of failure info, hold what is special to each.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import chimera.exceptions as errors
from chimera import _api
from chimera.converter._payload import PayloadConverter

if TYPE_CHECKING:
    import nexusrpc

    from chimera.api.failure.v1 import Failure

logger = logging.getLogger("temporalio.converter")

_OWN_FAILURE = "temporal.api.failure.v1.Failure"


class FailureConverter(ABC):
    """Exceptions to failures and back."""

    default: ClassVar[FailureConverter]
    """The converter used where none is set."""

    @abstractmethod
    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        """Fill the failure from the exception."""

    @abstractmethod
    def from_failure(self, failure: Failure, payload_converter: PayloadConverter) -> BaseException:
        """The exception for a failure, with its causes."""


def _write_application(error: errors.ApplicationError, info: Any, payloads: Any) -> None:
    info.type = error.type or ""
    info.non_retryable = error.non_retryable
    info.category = int(error.category or 0)
    if error.next_retry_delay:
        info.next_retry_delay.FromTimedelta(error.next_retry_delay)
    if error.details:  # Last: what does not convert takes nothing else with it.
        info.details.CopyFrom(payloads.to_payloads_wrapper(error.details))


def _write_timeout(error: errors.TimeoutError, info: Any, payloads: Any) -> None:
    info.timeout_type = int(error.type or 0)
    if error.last_heartbeat_details:
        details = payloads.to_payloads_wrapper(error.last_heartbeat_details)
        info.last_heartbeat_details.CopyFrom(details)


def _write_cancelled(error: errors.CancelledError, info: Any, payloads: Any) -> None:
    if error.details:
        info.details.CopyFrom(payloads.to_payloads_wrapper(error.details))


def _write_terminated(error: errors.TerminatedError, info: Any, payloads: Any) -> None:
    pass


def _write_server(error: errors.ServerError, info: Any, payloads: Any) -> None:
    info.non_retryable = error.non_retryable


def _write_activity(error: errors.ActivityError, info: Any, payloads: Any) -> None:
    info.scheduled_event_id = error.scheduled_event_id
    info.started_event_id = error.started_event_id
    info.identity = error.identity
    info.activity_type.name = error.activity_type
    info.activity_id = error.activity_id
    info.retry_state = int(error.retry_state or 0)


def _write_child(error: errors.ChildWorkflowError, info: Any, payloads: Any) -> None:
    info.namespace = error.namespace
    info.workflow_execution.workflow_id = error.workflow_id
    info.workflow_execution.run_id = error.run_id
    info.workflow_type.name = error.workflow_type
    info.initiated_event_id = error.initiated_event_id
    info.started_event_id = error.started_event_id
    info.retry_state = int(error.retry_state or 0)


def _write_nexus(error: errors.NexusOperationError, info: Any, payloads: Any) -> None:
    info.scheduled_event_id = error.scheduled_event_id
    info.endpoint = error.endpoint
    info.service = error.service
    info.operation = error.operation
    info.operation_token = error.operation_token


_WRITERS: dict[type, tuple[str, Callable[[Any, Any, Any], None]]] = {
    errors.ApplicationError: ("application_failure_info", _write_application),
    errors.TimeoutError: ("timeout_failure_info", _write_timeout),
    errors.CancelledError: ("canceled_failure_info", _write_cancelled),
    errors.TerminatedError: ("terminated_failure_info", _write_terminated),
    errors.ServerError: ("server_failure_info", _write_server),
    errors.ActivityError: ("activity_failure_info", _write_activity),
    errors.ChildWorkflowError: ("child_workflow_execution_failure_info", _write_child),
    errors.NexusOperationError: ("nexus_operation_execution_failure_info", _write_nexus),
}


def _retry_state(value: int) -> errors.RetryState | None:
    return errors.RetryState(value) if value else None


def _read_application(message: str, info: Any, payloads: Any) -> errors.FailureError:
    delay = info.next_retry_delay.ToTimedelta() if info.HasField("next_retry_delay") else None
    return errors.ApplicationError(
        message or "Application error",
        *payloads.from_payloads_wrapper(info.details),
        type=info.type or None,
        non_retryable=info.non_retryable,
        next_retry_delay=delay,
        category=errors.ApplicationErrorCategory(info.category),
    )


def _read_timeout(message: str, info: Any, payloads: Any) -> errors.FailureError:
    return errors.TimeoutError(
        message or "Timeout",
        type=errors.TimeoutType(info.timeout_type) if info.timeout_type else None,
        last_heartbeat_details=payloads.from_payloads_wrapper(info.last_heartbeat_details),
    )


def _read_cancelled(message: str, info: Any, payloads: Any) -> errors.FailureError:
    details = payloads.from_payloads_wrapper(info.details)
    return errors.CancelledError(message or "Cancelled", *details)


def _read_terminated(message: str, info: Any, payloads: Any) -> errors.FailureError:
    return errors.TerminatedError(message or "Terminated")


def _read_server(message: str, info: Any, payloads: Any) -> errors.FailureError:
    return errors.ServerError(message or "Server error", non_retryable=info.non_retryable)


def _read_activity(message: str, info: Any, payloads: Any) -> errors.FailureError:
    return errors.ActivityError(
        message or "Activity error",
        scheduled_event_id=info.scheduled_event_id,
        started_event_id=info.started_event_id,
        identity=info.identity,
        activity_type=info.activity_type.name,
        activity_id=info.activity_id,
        retry_state=_retry_state(info.retry_state),
    )


def _read_child(message: str, info: Any, payloads: Any) -> errors.FailureError:
    return errors.ChildWorkflowError(
        message or "Child workflow error",
        namespace=info.namespace,
        workflow_id=info.workflow_execution.workflow_id,
        run_id=info.workflow_execution.run_id,
        workflow_type=info.workflow_type.name,
        initiated_event_id=info.initiated_event_id,
        started_event_id=info.started_event_id,
        retry_state=_retry_state(info.retry_state),
    )


def _read_nexus(message: str, info: Any, payloads: Any) -> errors.FailureError:
    return errors.NexusOperationError(
        message or "Nexus operation error",
        scheduled_event_id=info.scheduled_event_id,
        endpoint=info.endpoint,
        service=info.service,
        operation=info.operation,
        operation_token=info.operation_token,
    )


_READERS: dict[str, Callable[[str, Any, Any], errors.FailureError]] = {
    "application_failure_info": _read_application,
    "timeout_failure_info": _read_timeout,
    "canceled_failure_info": _read_cancelled,
    "terminated_failure_info": _read_terminated,
    "server_failure_info": _read_server,
    "activity_failure_info": _read_activity,
    "child_workflow_execution_failure_info": _read_child,
    "nexus_operation_execution_failure_info": _read_nexus,
}


def _stack(trace: Any) -> str:
    if not trace:
        return ""
    # Without columns: finding what to underline parses each line, which costs more than all else
    # here, and which Python 3.11 cannot do in two threads at once.
    return "\n".join(traceback.StackSummary.extract(traceback.walk_tb(trace)).format())


def _nexus_handler_error(exception: BaseException) -> bool:
    """Whether it is one of nexusrpc's, which is not imported only to find that out."""
    module = sys.modules.get("nexusrpc")
    return module is not None and isinstance(exception, module.HandlerError)


class DefaultFailureConverter(FailureConverter):
    """Maps the exceptions of `chimera.exceptions`; all others become application errors."""

    def __init__(self, *, encode_common_attributes: bool = False) -> None:
        """`encode_common_attributes`: put message and stack into a payload that a codec sees."""
        super().__init__()
        self._encode_common_attributes = encode_common_attributes

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        """See the base class."""
        try:
            if _nexus_handler_error(exception):
                self._write_handler_error(exception, payload_converter, failure)
            else:
                if not isinstance(exception, errors.FailureError):
                    exception = _as_application_error(exception)
                self._write_error(exception, payload_converter, failure)
        finally:  # What was written before something did not convert is sent, too.
            if self._encode_common_attributes:
                hidden = {"message": failure.message, "stack_trace": failure.stack_trace}
                failure.message = "Encoded failure"
                failure.stack_trace = ""
                failure.encoded_attributes.CopyFrom(payload_converter.to_payload(hidden))

    def _write_error(
        self, error: errors.FailureError, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        if error.failure:
            failure.CopyFrom(error.failure)  # It came over the wire and goes on unchanged.
            return
        failure.message = error.message
        failure.stack_trace = _stack(error.__traceback__)
        cause = error.__cause__
        if cause is None and not error.__suppress_context__:
            cause = error.__context__
        if cause is not None:
            self.to_failure(cause, payload_converter, failure.cause)
        for cls in type(error).__mro__:
            if cls in _WRITERS:
                field, write = _WRITERS[cls]
                info = getattr(failure, field)
                info.SetInParent()
                write(error, info, payload_converter)
                return

    def _write_handler_error(
        self, error: Any, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        if error.original_failure:
            _from_nexus_failure(error.original_failure, error.retryable, failure)
            return
        failure.message = error.message
        failure.stack_trace = error.stack_trace or _stack(error.__traceback__)
        if error.__cause__:
            self.to_failure(error.__cause__, payload_converter, failure.cause)
        info = failure.nexus_handler_failure_info
        info.type = error.type.name
        # NexusHandlerErrorRetryBehavior: 1 retryable, 2 not.
        info.retry_behavior = _api.number({True: 1, False: 2, None: 0}[error.retryable_override])
        info.SetInParent()

    def from_failure(self, failure: Failure, payload_converter: PayloadConverter) -> BaseException:
        """See the base class."""
        if failure.HasField("encoded_attributes"):
            failure = _reveal(failure, payload_converter)
        kind = failure.WhichOneof("failure_info")
        error: BaseException
        if kind == "nexus_handler_failure_info":
            error = _read_handler_error(failure)
        elif kind in _READERS:
            error = _READERS[kind](failure.message, getattr(failure, kind), payload_converter)
            error._failure = failure
        else:
            error = errors.FailureError(failure.message or "Failure error", failure=failure)
        if failure.HasField("cause"):
            error.__cause__ = self.from_failure(failure.cause, payload_converter)
        return error


class DefaultFailureConverterWithEncodedAttributes(DefaultFailureConverter):
    """The default with `encode_common_attributes`."""

    def __init__(self) -> None:
        """As the default."""
        super().__init__(encode_common_attributes=True)


def _as_application_error(exception: BaseException) -> errors.ApplicationError:
    error = errors.ApplicationError(str(exception), type=type(exception).__name__)
    error.__traceback__ = exception.__traceback__
    # As with the official converter, an implicit context of a foreign exception does not travel.
    error.__cause__ = exception.__cause__
    return error


def _reveal(failure: Failure, payload_converter: PayloadConverter) -> Failure:
    """A copy with message and stack as they were before `encode_common_attributes`."""
    copy = _api.failure.Failure()
    copy.CopyFrom(failure)
    try:
        hidden = payload_converter.from_payload(failure.encoded_attributes)
    except Exception:
        return copy  # Another side's encoding: the public text has to do.
    if isinstance(hidden, dict):
        for field in ("message", "stack_trace"):
            if isinstance(hidden.get(field), str):
                setattr(copy, field, hidden[field])
    return copy


def _read_handler_error(failure: Failure) -> BaseException:
    import nexusrpc

    info = failure.nexus_handler_failure_info
    kind = nexusrpc.HandlerErrorType.__members__.get(info.type)
    if kind is None:
        logger.warning("Unknown Nexus HandlerErrorType: %s", info.type)
        kind = nexusrpc.HandlerErrorType.INTERNAL
    return nexusrpc.HandlerError(
        failure.message or "Nexus handler error",
        type=kind,
        retryable_override={1: True, 2: False}.get(info.retry_behavior),
        stack_trace=failure.stack_trace or None,
        original_failure=_to_nexus_failure(failure),
    )


def _to_nexus_failure(failure: Failure) -> nexusrpc.Failure:
    import nexusrpc
    from google.protobuf import json_format

    rest = _api.failure.Failure()
    rest.CopyFrom(failure)
    rest.ClearField("message")
    rest.ClearField("stack_trace")
    return nexusrpc.Failure(
        message=failure.message,
        stack_trace=failure.stack_trace,
        metadata={"type": _OWN_FAILURE},
        details=json_format.MessageToDict(rest),
    )


def _from_nexus_failure(source: nexusrpc.Failure, retryable: bool, failure: Failure) -> None:
    import dataclasses

    from google.protobuf import json_format

    if (source.metadata or {}).get("type") == _OWN_FAILURE:
        json_format.ParseDict(dict(source.details or {}), failure)
    else:
        info = failure.application_failure_info
        info.type = "NexusFailure"
        info.non_retryable = not retryable
        fields = dataclasses.asdict(dataclasses.replace(source, message=""))
        data = json.dumps(fields, separators=(",", ":")).encode()
        info.details.payloads.append(_api.common.Payload(metadata={"encoding": b"json/plain"}, data=data))
    failure.message = source.message
    failure.stack_trace = source.stack_trace or ""
