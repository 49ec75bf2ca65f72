"""Signals, queries and updates: decorators, definitions, and registration at run time."""

from __future__ import annotations

import functools
import inspect
import typing
import warnings
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, overload

from typing_extensions import Protocol, runtime_checkable

import chimera.common
from chimera.types import (
    CallableSyncOrAsyncReturnNoneType,
    CallableSyncOrAsyncType,
    CallableType,
    MultiParamSpec,
    ProtocolReturnType,
    ReturnType,
)
from chimera.workflow._runtime import current


class HandlerUnfinishedPolicy(Enum):
    """What to say when a workflow ends while a handler still runs."""

    WARN_AND_ABANDON = 1
    ABANDON = 2


class UnfinishedUpdateHandlersWarning(RuntimeWarning):
    """The workflow ended before its update handlers did."""


class UnfinishedSignalHandlersWarning(RuntimeWarning):
    """The workflow ended before its signal handlers did."""


_WARN = HandlerUnfinishedPolicy.WARN_AND_ABANDON


@dataclass
class HandlerDefinition:
    """A handler: its name (None if dynamic), its function and what the function takes."""

    name: str | None
    fn: Callable[..., Any]
    is_method: bool
    unfinished_policy: HandlerUnfinishedPolicy = _WARN
    description: str | None = None
    arg_types: list[type] | None = None
    ret_type: type | None = None
    dynamic_vararg: bool = False

    kind: typing.ClassVar[str] = ""

    def __post_init__(self) -> None:
        """Read the function's hints, unless they are given."""
        self.is_async = inspect.iscoroutinefunction(self.fn)
        if self.arg_types is None and self.ret_type is None:
            self.arg_types, self.ret_type = chimera.common._type_hints_from_func(self.fn)
            if self.name is None:
                self.dynamic_vararg = self._is_old_style()

    def _is_old_style(self) -> bool:
        """Dynamic handlers once took (name, *args); they take (name, Sequence[RawValue])."""
        parameters = list(inspect.signature(self.fn).parameters.values())
        if len(parameters) == 2 + self.is_method:
            if parameters[-1].kind is inspect.Parameter.VAR_POSITIONAL:
                return True
        wanted: Any = (
            [str, Sequence[chimera.common.RawValue]],
            [str, typing.Sequence[chimera.common.RawValue]],
        )
        if self.arg_types not in wanted:
            raise RuntimeError(
                "Dynamic handler must have 3 arguments: self, str, and Sequence[RawValue]"
            )
        return False

    @functools.cached_property
    def _counts(self) -> tuple[int, float]:
        """How many arguments the function takes at least, and at most."""
        parameters = list(inspect.signature(self.fn).parameters.values())[self.is_method :]
        several = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        single = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        least = sum(p.default is p.empty for p in single)
        return least, float("inf") if several else len(single)

    @property
    def takes_arguments(self) -> bool:
        return self._counts[1] > 0

    def check_count(self, count: int) -> None:
        """TypeError if the function does not take so many arguments."""
        least, most = self._counts
        if not least <= count <= most:
            takes = f"{least}" if least == most else f"{least} to {most}"
            raise TypeError(
                f"{self.kind} handler {self.name} takes {takes} argument(s), but {count} came"
            )

    def bound(self, instance: Any) -> Callable[..., Any]:
        """The function, bound to the workflow object if it is a method."""
        return self.fn.__get__(instance) if self.is_method else self.fn


class _SignalDefinition(HandlerDefinition):
    kind = "signal"

    @staticmethod
    def from_fn(fn: Callable[..., Any]) -> _SignalDefinition | None:
        return getattr(fn, _SIGNAL, None)

    @staticmethod
    def must_name_from_fn_or_str(signal: str | Callable[..., Any]) -> str:
        if not callable(signal):
            return str(signal)
        definition = _SignalDefinition.from_fn(signal)
        if definition is None:
            raise RuntimeError(
                f"Signal definition not found on {signal.__qualname__}, "
                "is it decorated with @workflow.signal?"
            )
        if definition.name is None:
            raise RuntimeError("Cannot invoke dynamic signal definition")
        return definition.name


class _QueryDefinition(HandlerDefinition):
    kind = "query"

    @staticmethod
    def from_fn(fn: Callable[..., Any]) -> _QueryDefinition | None:
        return getattr(fn, _QUERY, None)


class _UpdateDefinition(HandlerDefinition):
    kind = "update"
    validator: Callable[..., None] | None = None

    def _is_old_style(self) -> bool:
        if super()._is_old_style():
            raise RuntimeError(
                "Dynamic updates do not support a vararg third param, use Sequence[RawValue]"
            )
        return False

    def set_validator(self, validator: Callable[..., None]) -> None:
        if inspect.iscoroutinefunction(validator):
            raise ValueError("Update validator must not be an async function")
        if self.validator:
            raise RuntimeError(f"Validator already set for update {self.name}")
        self.validator = validator

    @staticmethod
    def get_name_and_result_type(
        name_or_update_fn: str | Callable[..., Any],
    ) -> tuple[str, type | None]:
        definition = getattr(name_or_update_fn, "_defn", None)
        if definition is None:
            return str(name_or_update_fn), None
        if definition.name is None:
            raise RuntimeError("Cannot invoke dynamic update definition")
        return definition.name, definition.ret_type


_SIGNAL = "__chimera_signal"
_QUERY = "__chimera_query"

_OLD_STYLE = "Dynamic {} with vararg third param is deprecated, use Sequence[RawValue]"
_ASYNC_QUERY = "Queries as async def functions are deprecated"


def _name_of(fn: Callable[..., Any], name: str | None, dynamic: bool | None) -> str | None:
    return None if dynamic else name or fn.__name__


def _one_of(name: str | None, dynamic: bool | None) -> None:
    if name is not None and dynamic:
        raise RuntimeError("Cannot provide name and dynamic boolean")


@overload
def signal(fn: CallableSyncOrAsyncReturnNoneType) -> CallableSyncOrAsyncReturnNoneType: ...


@overload
def signal(
    *,
    unfinished_policy: HandlerUnfinishedPolicy = ...,
    description: str | None = ...,
) -> Callable[[CallableSyncOrAsyncReturnNoneType], CallableSyncOrAsyncReturnNoneType]: ...


@overload
def signal(
    *,
    name: str,
    unfinished_policy: HandlerUnfinishedPolicy = ...,
    description: str | None = ...,
) -> Callable[[CallableSyncOrAsyncReturnNoneType], CallableSyncOrAsyncReturnNoneType]: ...


@overload
def signal(
    *,
    dynamic: bool,
    unfinished_policy: HandlerUnfinishedPolicy = ...,
    description: str | None = ...,
) -> Callable[[CallableSyncOrAsyncReturnNoneType], CallableSyncOrAsyncReturnNoneType]: ...


def signal(
    fn: Any = None,
    *,
    name: str | None = None,
    dynamic: bool | None = False,
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON,
    description: str | None = None,
) -> Any:
    """Decorator of a workflow's method, async or not, that handles a signal."""

    def decorate(fn: Any) -> Any:
        definition = _SignalDefinition(
            _name_of(fn, name, dynamic), fn, True, unfinished_policy, description
        )
        if definition.dynamic_vararg:
            warnings.warn(_OLD_STYLE.format("signals"), DeprecationWarning, stacklevel=2)
        setattr(fn, _SIGNAL, definition)
        return fn

    if fn is not None:
        return decorate(fn)
    _one_of(name, dynamic)
    return decorate


@overload
def query(fn: CallableType) -> CallableType: ...


@overload
def query(
    *, name: str, description: str | None = ...
) -> Callable[[CallableType], CallableType]: ...


@overload
def query(
    *, dynamic: bool, description: str | None = ...
) -> Callable[[CallableType], CallableType]: ...


@overload
def query(*, description: str) -> Callable[[CallableType], CallableType]: ...


def query(
    fn: Any = None,
    *,
    name: str | None = None,
    dynamic: bool | None = False,
    description: str | None = None,
) -> Any:
    """Decorator of a workflow's method that answers a query. It must change nothing."""

    def decorate(fn: Any) -> Any:
        if inspect.iscoroutinefunction(fn):
            warnings.warn(_ASYNC_QUERY, DeprecationWarning, stacklevel=2 + (given is not None))
        definition = _QueryDefinition(
            _name_of(fn, name, dynamic), fn, True, description=description
        )
        if definition.dynamic_vararg:
            warnings.warn(_OLD_STYLE.format("queries"), DeprecationWarning, stacklevel=2)
        setattr(fn, _QUERY, definition)
        return fn

    given = fn
    if fn is not None:
        return decorate(fn)
    _one_of(name, dynamic)
    if name is None and not dynamic and not description:
        raise RuntimeError("Cannot create query without function or name or dynamic")
    return decorate


@runtime_checkable
class UpdateMethodMultiParam(Protocol[MultiParamSpec, ProtocolReturnType]):
    """What `@workflow.update` makes of a method: the method, with a decorator for its validator."""

    _defn: _UpdateDefinition

    def __call__(
        self, *args: MultiParamSpec.args, **kwargs: MultiParamSpec.kwargs
    ) -> ProtocolReturnType | Awaitable[ProtocolReturnType]:
        """The method."""
        ...

    def validator(self, vfunc: Callable[MultiParamSpec, None]) -> Callable[MultiParamSpec, None]:
        """Decorator of the method that may refuse the update before it is accepted."""
        ...


@overload
def update(
    fn: Callable[MultiParamSpec, Awaitable[ReturnType]],
) -> UpdateMethodMultiParam[MultiParamSpec, ReturnType]: ...


@overload
def update(
    fn: Callable[MultiParamSpec, ReturnType],
) -> UpdateMethodMultiParam[MultiParamSpec, ReturnType]: ...


@overload
def update(
    *,
    unfinished_policy: HandlerUnfinishedPolicy = ...,
    description: str | None = ...,
) -> Callable[
    [Callable[MultiParamSpec, ReturnType]], UpdateMethodMultiParam[MultiParamSpec, ReturnType]
]: ...


@overload
def update(
    *,
    name: str,
    unfinished_policy: HandlerUnfinishedPolicy = ...,
    description: str | None = ...,
) -> Callable[
    [Callable[MultiParamSpec, ReturnType]], UpdateMethodMultiParam[MultiParamSpec, ReturnType]
]: ...


@overload
def update(
    *,
    dynamic: bool,
    unfinished_policy: HandlerUnfinishedPolicy = ...,
    description: str | None = ...,
) -> Callable[
    [Callable[MultiParamSpec, ReturnType]], UpdateMethodMultiParam[MultiParamSpec, ReturnType]
]: ...


def update(
    fn: CallableSyncOrAsyncType | None = None,
    *,
    name: str | None = None,
    dynamic: bool | None = False,
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON,
    description: str | None = None,
) -> Any:
    """Decorator of a workflow's method, async or not, that handles an update."""

    def decorate(fn: Any) -> Any:
        definition = _UpdateDefinition(
            _name_of(fn, name, dynamic), fn, True, unfinished_policy, description
        )
        fn._defn = definition
        fn.validator = partial(_decorate_validator, definition)
        return fn

    if fn is not None:
        return decorate(fn)
    _one_of(name, dynamic)
    return decorate


def _decorate_validator(
    definition: _UpdateDefinition, fn: Callable[..., None] | None = None
) -> Callable[..., None] | None:
    if fn is not None:
        definition.set_validator(fn)
    return fn


def _bound(kind: str, name: str | None) -> Callable[..., Any] | None:
    run = current()
    definition = run.handlers.definitions(kind).get(name)
    return definition.bound(run.object) if definition else None


def get_signal_handler(name: str) -> Callable[..., Any] | None:
    """The handler of a signal, if there is one."""
    return _bound("signal", name)


def get_dynamic_signal_handler() -> Callable[..., Any] | None:
    """The handler of signals that have none of their own."""
    return _bound("signal", None)


def get_query_handler(name: str) -> Callable[..., Any] | None:
    """The handler of a query, if there is one."""
    return _bound("query", name)


def get_dynamic_query_handler() -> Callable[..., Any] | None:
    """The handler of queries that have none of their own."""
    return _bound("query", None)


def get_update_handler(name: str) -> Callable[..., Any] | None:
    """The handler of an update, if there is one."""
    return _bound("update", name)


def get_dynamic_update_handler() -> Callable[..., Any] | None:
    """The handler of updates that have none of their own."""
    return _bound("update", None)


def set_signal_handler(name: str, handler: Callable[..., Any] | None) -> None:
    """Set or remove a handler. Signals that waited for it are handled at once."""
    _set_signal(name, handler)


def set_dynamic_signal_handler(handler: Callable[..., Any] | None) -> None:
    """Set or remove the handler of signals that have none of their own."""
    _set_signal(None, handler)


def set_query_handler(name: str, handler: Callable[..., Any] | None) -> None:
    """Set or remove a handler."""
    _set_query(name, handler)


def set_dynamic_query_handler(handler: Callable[..., Any] | None) -> None:
    """Set or remove the handler of queries that have none of their own."""
    _set_query(None, handler)


def set_update_handler(
    name: str, handler: Callable[..., Any] | None, *, validator: Callable[..., Any] | None = None
) -> None:
    """Set or remove a handler and its validator."""
    _set_update(name, handler, validator)


def set_dynamic_update_handler(
    handler: Callable[..., Any] | None, *, validator: Callable[..., Any] | None = None
) -> None:
    """Set or remove the handler of updates that have none of their own, and its validator."""
    _set_update(None, handler, validator)


def _set_signal(name: str | None, handler: Callable[..., Any] | None) -> None:
    run = current()
    run.loop.check("set signal handler")
    definition = _SignalDefinition(name, handler, False) if handler else None
    if definition and definition.dynamic_vararg:
        warnings.warn(_OLD_STYLE.format("signals"), DeprecationWarning, stacklevel=3)
    run.handlers.set(_SignalDefinition.kind, name, definition)


def _set_query(name: str | None, handler: Callable[..., Any] | None) -> None:
    run = current()
    run.loop.check("set query handler")
    if handler and inspect.iscoroutinefunction(handler):
        warnings.warn(_ASYNC_QUERY, DeprecationWarning, stacklevel=3)
    definition = _QueryDefinition(name, handler, False) if handler else None
    if definition and definition.dynamic_vararg:
        warnings.warn(_OLD_STYLE.format("queries"), DeprecationWarning, stacklevel=3)
    run.handlers.set(_QueryDefinition.kind, name, definition)


def _set_update(name: str | None, handler: Callable[..., Any] | None, validator: Callable[..., Any] | None) -> None:
    run = current()
    run.loop.check("set update handler")
    definition = _UpdateDefinition(name, handler, False) if handler else None
    if definition and validator is not None:
        definition.set_validator(validator)
    run.handlers.set(_UpdateDefinition.kind, name, definition)


def all_handlers_finished() -> bool:
    """Whether no signal or update handler is under way."""
    return current().handlers.all_finished()
