"""Nexus services handled by workers: the names that services are written with.

Workers of this version do not handle Nexus operations; such a service can be defined, and giving it
to a worker is an error that says so. Calling operations from workflows works.
"""

from __future__ import annotations

import typing
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, TypeVar

import nexusrpc
import nexusrpc.handler

OutputT = TypeVar("OutputT")


def _unsupported() -> NoReturn:
    raise NotImplementedError("Nexus operations are not handled by workers yet")


@dataclass(frozen=True)
class WorkflowHandle(Generic[OutputT]):
    """A workflow that backs an operation."""

    namespace: str
    workflow_id: str
    version: int | None = None


class WorkflowRunOperationContext(nexusrpc.handler.StartOperationContext):
    """What a `workflow_run_operation` gets."""

    async def start_workflow(self, workflow: Any, *args: Any, **options: Any) -> Any:
        """Not supported yet."""
        _unsupported()


def _types_of(start: Callable[..., Any]) -> tuple[Any, Any]:
    """The operation's input and output, from the hints of (self, context, input) -> handle."""
    hints = typing.get_type_hints(start)
    returned = typing.get_args(hints.pop("return", None))
    given = list(hints.values())
    return (given[-1] if len(given) > 1 else Any), (returned[0] if returned else Any)


class _WorkflowRunHandler(nexusrpc.handler.OperationHandler[Any, Any]):
    async def start(self, ctx: nexusrpc.handler.StartOperationContext, input: Any) -> Any:
        _unsupported()

    async def cancel(self, ctx: nexusrpc.handler.CancelOperationContext, token: str) -> None:
        _unsupported()


def workflow_run_operation(
    start: Callable[..., Awaitable[WorkflowHandle[Any]]] | None = None,
    *,
    name: str | None = None,
) -> Any:
    """Decorator of a service's method whose operation is a workflow."""

    def decorate(start: Any) -> Any:
        def factory(service: Any) -> nexusrpc.handler.OperationHandler[Any, Any]:
            return _WorkflowRunHandler()

        input_type, output_type = _types_of(start)
        operation: Any = nexusrpc.Operation(
            name=name or start.__name__, input_type=input_type, output_type=output_type
        )
        operation.method_name = start.__name__
        # The two attributes by which nexusrpc finds operations of a service.
        factory.__nexus_operation__ = operation  # type: ignore
        start.__nexus_operation_factory__ = factory
        return start

    return decorate(start) if start is not None else decorate
