"""Decorators of a service's methods whose operations stand for something in Temporal."""

from __future__ import annotations

import typing
import warnings
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar, overload

import nexusrpc
from nexusrpc import InputT, OutputT
from nexusrpc.handler import OperationHandler, StartOperationContext

from chimera.nexus._operation_context import TemporalStartOperationContext, WorkflowRunOperationContext
from chimera.nexus._operation_handlers import (
    TemporalOperationHandler,
    WorkflowRunOperationHandler,
    is_async_callable,
)
from chimera.nexus._temporal_client import TemporalNexusClient, TemporalOperationResult
from chimera.nexus._token import WorkflowHandle
from chimera.types import NexusServiceType

StartT = TypeVar("StartT", bound=Callable[..., Any])

TemporalOperationStartHandlerFunc: TypeAlias = Callable[
    [NexusServiceType, TemporalStartOperationContext, TemporalNexusClient, InputT],
    Awaitable[TemporalOperationResult[OutputT]],
]
"""What `temporal_operation` decorates."""

_WorkflowRunStart: TypeAlias = Callable[
    [NexusServiceType, WorkflowRunOperationContext, InputT], Awaitable[WorkflowHandle[OutputT]]
]


@overload
def workflow_run_operation(
    start: _WorkflowRunStart[NexusServiceType, InputT, OutputT],
) -> _WorkflowRunStart[NexusServiceType, InputT, OutputT]: ...


@overload
def workflow_run_operation(
    *, name: str | None = None
) -> Callable[
    [_WorkflowRunStart[NexusServiceType, InputT, OutputT]], _WorkflowRunStart[NexusServiceType, InputT, OutputT]
]: ...


def workflow_run_operation(start: Any = None, *, name: str | None = None) -> Any:
    """Decorator of a method whose operation is the workflow that it starts."""

    def decorate(start: StartT) -> StartT:
        def factory(service: Any) -> OperationHandler[Any, Any]:
            async def bound(ctx: StartOperationContext, input: Any) -> WorkflowHandle[Any]:
                context = WorkflowRunOperationContext._from_start_operation_context(ctx)
                handle: WorkflowHandle[Any] = await start(service, context, input)
                return handle

            return WorkflowRunOperationHandler(bound)

        return _attach(start, factory, name, (WorkflowRunOperationContext,), WorkflowHandle)

    return decorate(start) if start is not None else decorate


@overload
def temporal_operation(
    start: TemporalOperationStartHandlerFunc[NexusServiceType, InputT, OutputT],
) -> TemporalOperationStartHandlerFunc[NexusServiceType, InputT, OutputT]: ...


@overload
def temporal_operation(
    *, name: str | None = None
) -> Callable[
    [TemporalOperationStartHandlerFunc[NexusServiceType, InputT, OutputT]],
    TemporalOperationStartHandlerFunc[NexusServiceType, InputT, OutputT],
]: ...


def temporal_operation(start: Any = None, *, name: str | None = None) -> Any:
    """Decorator of a method that starts an operation by a TemporalNexusClient, or ends it at once."""

    def decorate(start: StartT) -> StartT:
        if not is_async_callable(start):
            raise RuntimeError(
                f"{start} is not an `async def` method, as @temporal_operation needs it: it awaits its client"
            )

        def factory(service: Any) -> OperationHandler[Any, Any]:
            class Handler(TemporalOperationHandler[Any, Any]):
                async def start_operation(
                    self, ctx: TemporalStartOperationContext, client: TemporalNexusClient, input: Any
                ) -> TemporalOperationResult[Any]:
                    result: TemporalOperationResult[Any] = await start(service, ctx, client, input)
                    return result

            return Handler()

        given = (TemporalStartOperationContext, TemporalNexusClient)
        return _attach(start, factory, name, given, TemporalOperationResult)

    return decorate(start) if start is not None else decorate


def _attach(
    start: StartT,
    factory: Callable[[Any], OperationHandler[Any, Any]],
    name: str | None,
    given: tuple[type, ...],
    returned: type,
) -> StartT:
    """Make the method an operation of its service. `given`: what it takes before its input."""
    method_name = getattr(start, "__name__", None) or type(start).__name__
    input_type, output_type = _types_of(start, given, returned)
    operation: Any = nexusrpc.Operation(
        name=name or method_name, input_type=input_type, output_type=output_type
    )
    operation.method_name = method_name
    nexusrpc.set_operation(factory, operation)
    # The attribute by which nexusrpc finds the handler of a decorated method.
    start.__nexus_operation_factory__ = factory  # type: ignore[attr-defined]
    return start


def _types_of(start: Any, given: tuple[type, ...], returned: type) -> tuple[Any, Any]:
    """The operation's input and output, from the method's hints; None and a warning where they do not tell."""
    try:
        hints = typing.get_type_hints(start)
    except TypeError:
        warnings.warn(f"Expected decorated start method {start} to have type annotations", stacklevel=5)
        return None, None
    output = _output_of(start, hints.pop("return", None), returned)
    parameters = list(hints.values())
    if len(parameters) != len(given) + 1:
        warnings.warn(
            f"Expected decorated start method {start} to have exactly {len(given) + 1} type-annotated parameters, "
            f"but it has {len(parameters)}{f': {hints}' if hints else ''}.",
            stacklevel=5,
        )
        return None, output
    for position, (found, expected) in enumerate(zip(parameters, given), start=1):
        if not (isinstance(found, type) and issubclass(expected, found)):
            warnings.warn(
                f"Expected parameter {position} of {start} to be an instance of {expected.__name__}, but is {found}.",
                stacklevel=5,
            )
            return None, output
    return parameters[-1], output


def _output_of(start: Any, hint: Any, returned: type) -> Any:
    origin = typing.get_origin(hint)
    if origin is None:
        return None
    if not (isinstance(origin, type) and issubclass(origin, returned)):
        warnings.warn(
            f"Expected return type of {start.__name__} to be a subclass of {returned.__name__}, but is {hint}",
            stacklevel=6,
        )
        return None
    inner = typing.get_args(hint)
    if len(inner) != 1:
        warnings.warn(
            f"Expected return type {hint} of {start.__name__} to have exactly one type parameter, "
            f"but has {len(inner)}: {inner}.",
            stacklevel=6,
        )
        return None
    return inner[0]
