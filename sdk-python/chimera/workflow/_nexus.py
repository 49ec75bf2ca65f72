"""Calling Nexus operations from workflow code."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from datetime import timedelta
from enum import IntEnum
from typing import Any, Generic, TypeVar

from chimera.types import NexusServiceType
from chimera.workflow._event_groups import EventGroup, refuse_event_groups
from chimera.workflow._runtime import current

OutputT = TypeVar("OutputT")


class NexusOperationCancellationType(IntEnum):
    """When a cancelled operation ends for its caller."""

    ABANDON = 1
    """At once; the handler is not told."""
    TRY_CANCEL = 2
    """At once; the handler is told."""
    WAIT_REQUESTED = 3
    """When the handler has the request."""
    WAIT_COMPLETED = 0
    """When the operation has ended."""


class NexusOperationHandle(Generic[OutputT]):
    """A started operation. Awaiting it gives the result."""

    def cancel(self) -> bool:
        """Ask for cancellation; false if it has ended."""
        raise NotImplementedError

    def __await__(self) -> Generator[Any, Any, OutputT]:
        """The result."""
        raise NotImplementedError

    @property
    def operation_token(self) -> str | None:
        """Token of an operation that goes on after its start; None for one that ended with it."""
        raise NotImplementedError


class NexusClient(ABC, Generic[NexusServiceType]):
    """Calls the operations of one service at one endpoint."""

    @abstractmethod
    async def start_operation(
        self,
        operation: Any,
        input: Any,
        *,
        output_type: type[OutputT] | None = None,
        schedule_to_close_timeout: timedelta | None = None,
        schedule_to_start_timeout: timedelta | None = None,
        start_to_close_timeout: timedelta | None = None,
        cancellation_type: NexusOperationCancellationType = (
            NexusOperationCancellationType.WAIT_COMPLETED
        ),
        headers: Mapping[str, str] | None = None,
        summary: str | None = None,
        event_groups: Sequence[EventGroup] | None = None,
    ) -> Any:
        """Start an operation and wait until it has started."""

    @abstractmethod
    async def execute_operation(
        self,
        operation: Any,
        input: Any,
        *,
        output_type: type[OutputT] | None = None,
        schedule_to_close_timeout: timedelta | None = None,
        schedule_to_start_timeout: timedelta | None = None,
        start_to_close_timeout: timedelta | None = None,
        cancellation_type: NexusOperationCancellationType = (
            NexusOperationCancellationType.WAIT_COMPLETED
        ),
        headers: Mapping[str, str] | None = None,
        summary: str | None = None,
        event_groups: Sequence[EventGroup] | None = None,
    ) -> Any:
        """Start an operation and wait for its result."""


class _Client(NexusClient[NexusServiceType]):
    def __init__(self, endpoint: str, service: str) -> None:
        self.endpoint = endpoint
        self.service_name = service

    async def start_operation(self, operation: Any, input: Any, **options: Any) -> Any:
        refuse_event_groups(options.pop("event_groups", None))
        return await current().operations.start_nexus(
            self.endpoint, self.service_name, operation, input, **options
        )

    async def execute_operation(self, operation: Any, input: Any, **options: Any) -> Any:
        return await (await self.start_operation(operation, input, **options))


def create_nexus_client(
    *, service: type[NexusServiceType] | str, endpoint: str
) -> NexusClient[NexusServiceType]:
    """A client of a service, given by its class or its name."""
    if isinstance(service, str):
        return _Client(endpoint, service)
    import nexusrpc

    definition = nexusrpc.get_service_definition(service)
    if definition is None:
        raise ValueError(
            "`service` may be a name (str), or a class decorated with either "
            "@nexusrpc.handler.service_handler or @nexusrpc.service. "
            f"Invalid service type: {type(service)}"
        )
    return _Client(endpoint, definition.name)
