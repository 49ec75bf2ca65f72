"""What activity code uses: the decorator, and the context of the task that runs."""

from __future__ import annotations

import contextvars
import dataclasses
import inspect
import logging
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn, overload

import chimera.common
import chimera.converter
from chimera.types import CallableType

if TYPE_CHECKING:
    from chimera.client import Client


@overload
def defn(fn: CallableType) -> CallableType: ...


@overload
def defn(
    *, name: str | None = None, no_thread_cancel_exception: bool = False
) -> Callable[[CallableType], CallableType]: ...


@overload
def defn(
    *, no_thread_cancel_exception: bool = False, dynamic: bool = False
) -> Callable[[CallableType], CallableType]: ...


def defn(
    fn: Any = None,
    *,
    name: str | None = None,
    no_thread_cancel_exception: bool = False,
    dynamic: bool = False,
) -> Any:
    """Decorator of activities: functions, methods, or `__call__` of a class.

    Args:
        name: Activity type; the function's name if not given.
        no_thread_cancel_exception: Do not raise CancelledError in the thread of a plain function.
        dynamic: Run all activity types that have no function of their own.
    """

    def decorate(fn: Any) -> Any:
        activity_type = None if dynamic else name or fn.__name__
        _Definition.attach(fn, activity_type, no_thread_cancel_exception)
        return fn

    return decorate(fn) if fn is not None else decorate


@dataclass(frozen=True)
class Info:
    """The task that runs."""

    activity_id: str
    activity_type: str
    attempt: int
    current_attempt_scheduled_time: datetime
    heartbeat_details: Sequence[Any]
    heartbeat_timeout: timedelta | None
    is_local: bool
    namespace: str
    schedule_to_close_timeout: timedelta | None
    scheduled_time: datetime
    start_to_close_timeout: timedelta | None
    started_time: datetime
    task_queue: str
    task_token: bytes
    workflow_id: str | None
    workflow_namespace: str | None
    workflow_run_id: str | None
    workflow_type: str | None
    priority: chimera.common.Priority
    retry_policy: chimera.common.RetryPolicy | None
    activity_run_id: str | None = None

    @property
    def in_workflow(self) -> bool:
        """Whether a workflow started it, not a client."""
        return self.workflow_id is not None

    def _logger_details(self) -> Mapping[str, Any]:
        return {name: getattr(self, name) for name in _LOGGED}


_LOGGED = (
    "activity_id",
    "activity_type",
    "attempt",
    "namespace",
    "task_queue",
    "workflow_id",
    "workflow_run_id",
    "workflow_type",
)


@dataclass(frozen=True)
class ActivityCancellationDetails:
    """Why the task is cancelled."""

    not_found: bool = False
    cancel_requested: bool = False
    paused: bool = False
    reset: bool = False
    timed_out: bool = False
    worker_shutdown: bool = False


@dataclass
class _ActivityCancellationDetailsHolder:
    details: ActivityCancellationDetails | None = None


@dataclass
class _Context:
    """What the functions below find behind the context variable of a task."""

    info: Callable[[], Info]
    heartbeat: Callable[..., None] | None
    cancelled_event: chimera.common._CompositeEvent
    worker_shutdown_event: chimera.common._CompositeEvent
    shield_thread_cancel_exception: Callable[[], AbstractContextManager[Any]] | None
    payload_converter_class_or_instance: (
        type[chimera.converter.PayloadConverter] | chimera.converter.PayloadConverter
    )
    runtime_metric_meter: chimera.common.MetricMeter | None
    client: Client | None
    cancellation_details: _ActivityCancellationDetailsHolder
    _logger_details: Mapping[str, Any] | None = None
    _converter: chimera.converter.PayloadConverter | None = None
    _meter: chimera.common.MetricMeter | None = None

    @staticmethod
    def current() -> _Context:
        found = _current_context.get()
        if found is None:
            raise RuntimeError("Not in activity context")
        return found

    @staticmethod
    def set(context: _Context) -> contextvars.Token[Any]:
        return _current_context.set(context)

    @staticmethod
    def reset(token: contextvars.Token[Any]) -> None:
        _current_context.reset(token)

    @property
    def logger_details(self) -> Mapping[str, Any]:
        if self._logger_details is None:
            self._logger_details = self.info()._logger_details()
        return self._logger_details

    @property
    def payload_converter(self) -> chimera.converter.PayloadConverter:
        if self._converter is None:
            from chimera.converter._payload import TransferringPayloadConverter

            given = self.payload_converter_class_or_instance
            made = given() if isinstance(given, type) else given
            self._converter = TransferringPayloadConverter.around(made)
        return self._converter

    @property
    def metric_meter(self) -> chimera.common.MetricMeter:
        if not self.runtime_metric_meter:
            raise RuntimeError(
                "Metrics meter not available in non-threaded sync activities like mulitprocess"
            )
        if self._meter is None:
            info = self.info()
            names = ("namespace", "task_queue", "activity_type")
            own = {name: getattr(info, name) for name in names}
            self._meter = self.runtime_metric_meter.with_additional_attributes(own)
        return self._meter


_current_context: contextvars.ContextVar[_Context | None] = contextvars.ContextVar(
    "activity", default=None
)


class _CompleteAsyncError(BaseException):
    pass


def in_activity() -> bool:
    """Whether this is called by activity code."""
    return _current_context.get() is not None


def info() -> Info:
    """About the task."""
    return _Context.current().info()


def client() -> Client:
    """The worker's client. Only in async activities."""
    found = _Context.current().client
    if not found:
        raise RuntimeError(
            "No client available. The client is only available in `async def` activities; not in "
            "`def` activities. In tests you can pass a client when creating ActivityEnvironment."
        )
    return found


def heartbeat(*details: Any) -> None:
    """Tell the server that the activity lives, and hear about cancellation."""
    send = _Context.current().heartbeat
    if not send:
        raise RuntimeError("Can only execute heartbeat after interceptor init")
    send(*details)


def cancellation_details() -> ActivityCancellationDetails | None:
    """Why the task is cancelled; None if it is not."""
    return _Context.current().cancellation_details.details


def is_cancelled() -> bool:
    """Whether the task is cancelled."""
    return _Context.current().cancelled_event.is_set()


async def wait_for_cancelled() -> None:
    """Wait until the task is cancelled. Only in async activities."""
    await _Context.current().cancelled_event.wait()


def _seconds(timeout: timedelta | float | None) -> float | None:
    return timeout.total_seconds() if isinstance(timeout, timedelta) else timeout


def wait_for_cancelled_sync(timeout: timedelta | float | None = None) -> None:
    """Block until the task is cancelled or the time is over."""
    _Context.current().cancelled_event.wait_sync(_seconds(timeout))


def is_worker_shutdown() -> bool:
    """Whether the worker shuts down."""
    return _Context.current().worker_shutdown_event.is_set()


async def wait_for_worker_shutdown() -> None:
    """Wait until the worker shuts down. Only in async activities."""
    await _Context.current().worker_shutdown_event.wait()


def wait_for_worker_shutdown_sync(timeout: timedelta | float | None = None) -> None:
    """Block until the worker shuts down or the time is over."""
    _Context.current().worker_shutdown_event.wait_sync(_seconds(timeout))


@contextmanager
def shield_thread_cancel_exception() -> Iterator[None]:
    """Hold back the CancelledError that would be raised in this thread until the block ends."""
    shield = _Context.current().shield_thread_cancel_exception
    if shield is None:
        yield None
    else:
        with shield():
            yield None


def raise_complete_async() -> NoReturn:
    """Leave the activity open: somebody else completes it by its task token or its ids."""
    raise _CompleteAsyncError


def payload_converter() -> chimera.converter.PayloadConverter:
    """The converter of this activity's values."""
    return _Context.current().payload_converter


def metric_meter() -> chimera.common.MetricMeter:
    """A meter whose metrics carry the activity's attributes."""
    return _Context.current().metric_meter


class LoggerAdapter(logging.LoggerAdapter):  # type: ignore[type-arg]  # No generic class before 3.11.
    """Adds the activity to messages and records."""

    def __init__(self, logger: logging.Logger, extra: Mapping[str, Any] | None) -> None:
        """The attributes say what is added."""
        super().__init__(logger, extra or {})
        self.activity_info_on_message = True
        self.activity_info_on_extra = True
        self.full_activity_info_on_extra = False

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        """Add what the attributes ask for."""
        context = _current_context.get()
        if context is None:
            return msg, kwargs
        extra = dict(kwargs.get("extra") or {})
        if self.activity_info_on_extra:
            extra["temporal_activity"] = context.logger_details
        if self.full_activity_info_on_extra:
            extra["activity_info"] = context.info()
        if extra:
            kwargs["extra"] = extra
        if self.activity_info_on_message:
            msg = f"{msg} ({context.logger_details})"
        return msg, kwargs

    @property
    def base_logger(self) -> logging.Logger:
        """The logger behind; it does not know about activities."""
        return self.logger


logger = LoggerAdapter(logging.getLogger("temporalio.activity"), None)
"""Logger of activity code."""

_DEFINITION = "__chimera_activity"


@dataclass(frozen=True)
class _Definition:
    """An activity function, read once by its decorator."""

    name: str | None
    fn: Callable[..., Any]
    is_async: bool
    no_thread_cancel_exception: bool
    arg_types: list[type] | None = None
    ret_type: type | None = None

    @staticmethod
    def attach(fn: Callable[..., Any], name: str | None, no_thread_cancel_exception: bool) -> None:
        if hasattr(fn, _DEFINITION):
            raise ValueError("Function already contains activity definition")
        if not callable(fn):
            raise TypeError("Activity is not callable")
        for parameter in inspect.signature(fn).parameters.values():
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
                raise TypeError("Activity cannot have keyword-only arguments")
        arg_types, ret_type = chimera.common._type_hints_from_func(fn)
        if name is None and arg_types != [Sequence[chimera.common.RawValue]]:
            raise TypeError(
                "Dynamic activity must accept a single Sequence[temporalio.common.RawValue]"
            )
        call = fn.__call__  # type: ignore  # An object or a class may have an async one.
        is_async = inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(call)
        made = _Definition(name, fn, is_async, no_thread_cancel_exception, arg_types, ret_type)
        setattr(fn, _DEFINITION, made)

    @staticmethod
    def from_callable(fn: Callable[..., Any]) -> _Definition | None:
        found = getattr(fn, _DEFINITION, None)
        if not isinstance(found, _Definition):
            return None
        # A method is found by its function's definition, an object by its class's.
        return found if found.fn is fn else dataclasses.replace(found, fn=fn)

    @staticmethod
    def must_from_callable(fn: Callable[..., Any]) -> _Definition:
        found = _Definition.from_callable(fn)
        if found is None:
            name = getattr(fn, "__name__", "<unknown>")
            raise TypeError(
                f"Activity {name} missing attributes, was it decorated with @activity.defn?"
            )
        return found

    @classmethod
    def get_name_and_result_type(
        cls, name_or_run_fn: str | Callable[..., Any]
    ) -> tuple[str, type | None]:
        if isinstance(name_or_run_fn, str):
            return name_or_run_fn, None
        if not callable(name_or_run_fn):
            raise TypeError("Activity must be a string or callable")
        found = cls.must_from_callable(name_or_run_fn)
        if not found.name:
            raise ValueError(f"Activity {name_or_run_fn} definition has no name")
        return found.name, found.ret_type
