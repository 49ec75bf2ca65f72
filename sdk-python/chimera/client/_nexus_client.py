"""Calling Nexus operations without a workflow: the client's methods, and clients of one service."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, overload

from chimera import common
from chimera._lazy import LazyModule
from chimera._signatures import options_of
from chimera.client import _names
from chimera.client._interceptor import OutboundInterceptor
from chimera.types import NexusServiceType

if TYPE_CHECKING:
    import nexusrpc
    from nexusrpc import InputT, OutputT
    from nexusrpc.handler import OperationHandler, StartOperationContext
    from typing_extensions import Unpack

    from chimera.client import _inputs as inputs, _nexus_handle as handles
    from chimera.client._nexus import NexusOperationExecutionAsyncIterator, NexusOperationExecutionCount
    from chimera.client._nexus_handle import NexusOperationHandle
    from chimera.client._options import StartNexusOperationOptions
    from chimera.nexus import (
        TemporalNexusClient,
        TemporalOperationResult,
        TemporalStartOperationContext,
        WorkflowHandle,
        WorkflowRunOperationContext,
    )
    from chimera.types import ReturnType
else:
    inputs = LazyModule("chimera.client._inputs")
    handles = LazyModule("chimera.client._nexus_handle")


class NexusClient(ABC, Generic[NexusServiceType]):
    """Calls the operations of one service at one endpoint. Made by Client.create_nexus_client."""

    @overload
    @abstractmethod
    async def start_operation(
        self,
        operation: nexusrpc.Operation[InputT, OutputT],
        arg: InputT,
        **options: Unpack[StartNexusOperationOptions],
    ) -> NexusOperationHandle[OutputT]: ...

    @overload
    @abstractmethod
    async def start_operation(
        self,
        operation: str,
        arg: Any,
        *,
        result_type: type[OutputT] | None = ...,
        **options: Unpack[StartNexusOperationOptions],
    ) -> NexusOperationHandle[OutputT]: ...

    @overload
    @abstractmethod
    async def start_operation(
        self,
        operation: Callable[
            [NexusServiceType, WorkflowRunOperationContext, InputT], Awaitable[WorkflowHandle[OutputT]]
        ],
        arg: InputT,
        **options: Unpack[StartNexusOperationOptions],
    ) -> NexusOperationHandle[OutputT]: ...

    @overload
    @abstractmethod
    async def start_operation(
        self,
        operation: Callable[[NexusServiceType, StartOperationContext, InputT], Awaitable[OutputT]],
        arg: InputT,
        **options: Unpack[StartNexusOperationOptions],
    ) -> NexusOperationHandle[OutputT]: ...

    @overload
    @abstractmethod
    async def start_operation(
        self,
        operation: Callable[[NexusServiceType, StartOperationContext, InputT], OutputT],
        arg: InputT,
        **options: Unpack[StartNexusOperationOptions],
    ) -> NexusOperationHandle[OutputT]: ...

    @overload
    @abstractmethod
    async def start_operation(
        self,
        operation: Callable[[NexusServiceType], OperationHandler[InputT, OutputT]],
        arg: InputT,
        **options: Unpack[StartNexusOperationOptions],
    ) -> NexusOperationHandle[OutputT]: ...

    @overload
    @abstractmethod
    async def start_operation(
        self,
        operation: Callable[
            [NexusServiceType, TemporalStartOperationContext, TemporalNexusClient, InputT],
            Awaitable[TemporalOperationResult[OutputT]],
        ],
        arg: InputT,
        **options: Unpack[StartNexusOperationOptions],
    ) -> NexusOperationHandle[OutputT]: ...

    @abstractmethod
    async def start_operation(
        self,
        operation: nexusrpc.Operation[Any, Any] | str | Callable[..., Any],
        arg: Any,
        *,
        id: str,
        id_reuse_policy: common.NexusOperationIDReusePolicy = common.NexusOperationIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy: common.NexusOperationIDConflictPolicy = common.NexusOperationIDConflictPolicy.FAIL,
        result_type: type | None = None,
        schedule_to_close_timeout: timedelta | None = None,
        schedule_to_start_timeout: timedelta | None = None,
        start_to_close_timeout: timedelta | None = None,
        search_attributes: common.TypedSearchAttributes | None = None,
        summary: str | None = None,
        headers: Mapping[str, str] | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> NexusOperationHandle[Any]:
        """Starts an operation, given by the service's or the handler's attribute or by its name.

        Does not wait for its handler. Headers are not converted, encoded nor encrypted.
        Raises exceptions.NexusOperationAlreadyStartedError if the id is in use and the policies do not allow that.
        """

    @overload
    @abstractmethod
    async def execute_operation(
        self,
        operation: nexusrpc.Operation[InputT, OutputT],
        arg: InputT,
        **options: Unpack[StartNexusOperationOptions],
    ) -> OutputT: ...

    @overload
    @abstractmethod
    async def execute_operation(
        self,
        operation: str,
        arg: Any,
        *,
        result_type: type[OutputT] | None = ...,
        **options: Unpack[StartNexusOperationOptions],
    ) -> OutputT: ...

    @overload
    @abstractmethod
    async def execute_operation(
        self,
        operation: Callable[
            [NexusServiceType, WorkflowRunOperationContext, InputT], Awaitable[WorkflowHandle[OutputT]]
        ],
        arg: InputT,
        **options: Unpack[StartNexusOperationOptions],
    ) -> OutputT: ...

    @overload
    @abstractmethod
    async def execute_operation(
        self,
        operation: Callable[[NexusServiceType, StartOperationContext, InputT], Awaitable[OutputT]],
        arg: InputT,
        **options: Unpack[StartNexusOperationOptions],
    ) -> OutputT: ...

    @overload
    @abstractmethod
    async def execute_operation(
        self,
        operation: Callable[[NexusServiceType, StartOperationContext, InputT], OutputT],
        arg: InputT,
        **options: Unpack[StartNexusOperationOptions],
    ) -> OutputT: ...

    @overload
    @abstractmethod
    async def execute_operation(
        self,
        operation: Callable[[NexusServiceType], OperationHandler[InputT, OutputT]],
        arg: InputT,
        **options: Unpack[StartNexusOperationOptions],
    ) -> OutputT: ...

    @overload
    @abstractmethod
    async def execute_operation(
        self,
        operation: Callable[
            [NexusServiceType, TemporalStartOperationContext, TemporalNexusClient, InputT],
            Awaitable[TemporalOperationResult[OutputT]],
        ],
        arg: InputT,
        **options: Unpack[StartNexusOperationOptions],
    ) -> OutputT: ...

    @abstractmethod
    async def execute_operation(
        self,
        operation: nexusrpc.Operation[Any, Any] | str | Callable[..., Any],
        arg: Any,
        *,
        id: str,
        id_reuse_policy: common.NexusOperationIDReusePolicy = common.NexusOperationIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy: common.NexusOperationIDConflictPolicy = common.NexusOperationIDConflictPolicy.FAIL,
        result_type: type | None = None,
        schedule_to_close_timeout: timedelta | None = None,
        schedule_to_start_timeout: timedelta | None = None,
        start_to_close_timeout: timedelta | None = None,
        search_attributes: common.TypedSearchAttributes | None = None,
        summary: str | None = None,
        headers: Mapping[str, str] | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> Any:
        """Starts an operation and waits for its result. Raises NexusOperationFailureError if there is none."""


class _NexusClient(NexusClient[NexusServiceType]):
    def __init__(self, client: Any, service: Any, endpoint: str) -> None:
        self._client = client
        self._service_name = _names.of_nexus_service(service)
        self._endpoint = endpoint

    async def start_operation(
        self,
        operation: nexusrpc.Operation[Any, Any] | str | Callable[..., Any],
        arg: Any,
        *,
        id: str,
        id_reuse_policy: common.NexusOperationIDReusePolicy = common.NexusOperationIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy: common.NexusOperationIDConflictPolicy = common.NexusOperationIDConflictPolicy.FAIL,
        result_type: type | None = None,
        schedule_to_close_timeout: timedelta | None = None,
        schedule_to_start_timeout: timedelta | None = None,
        start_to_close_timeout: timedelta | None = None,
        search_attributes: common.TypedSearchAttributes | None = None,
        summary: str | None = None,
        headers: Mapping[str, str] | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> NexusOperationHandle[Any]:
        name, declared_type = _names.of_nexus_operation(operation)
        handle: NexusOperationHandle[Any] = await self._client._impl.start_nexus_operation(
            inputs.StartNexusOperationInput(
                operation=name,
                arg=arg,
                id=id,
                endpoint=self._endpoint,
                service=self._service_name,
                result_type=result_type if isinstance(operation, str) else declared_type,
                schedule_to_close_timeout=schedule_to_close_timeout,
                schedule_to_start_timeout=schedule_to_start_timeout,
                start_to_close_timeout=start_to_close_timeout,
                id_reuse_policy=id_reuse_policy,
                id_conflict_policy=id_conflict_policy,
                search_attributes=search_attributes,
                summary=summary,
                headers=dict(headers or {}),
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )
        return handle

    @options_of(start_operation)
    async def execute_operation(self, operation: Any, arg: Any, **options: Any) -> Any:
        return await (await self.start_operation(operation, arg, **options)).result()


class NexusMethods:
    """Part of Client."""

    _impl: OutboundInterceptor

    def create_nexus_client(
        self, service: type[NexusServiceType] | str, endpoint: str
    ) -> NexusClient[NexusServiceType]:
        """A client of a service, given by its class or its name, at an endpoint. Asks no server."""
        return _NexusClient(self, service, endpoint)

    def list_nexus_operations(
        self,
        query: str,
        *,
        limit: int | None = None,
        page_size: int = 1000,
        next_page_token: bytes | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> NexusOperationExecutionAsyncIterator:
        """The operations that the list filter finds; all for an empty one. Those of workflows are not listed."""
        found: NexusOperationExecutionAsyncIterator = self._impl.list_nexus_operations(
            inputs.ListNexusOperationsInput(
                query=query,
                page_size=page_size,
                next_page_token=next_page_token,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                limit=limit,
            )
        )
        return found

    async def count_nexus_operations(
        self,
        query: str | None = None,
        *,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> NexusOperationExecutionCount:
        """How many operations the list filter finds."""
        count: NexusOperationExecutionCount = await self._impl.count_nexus_operations(
            inputs.CountNexusOperationsInput(query=query, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )
        return count

    @overload
    def get_nexus_operation_handle(
        self, operation_id: str, *, run_id: str | None = None
    ) -> NexusOperationHandle[Any]: ...

    @overload
    def get_nexus_operation_handle(
        self, operation_id: str, *, run_id: str | None = None, result_type: type[ReturnType]
    ) -> NexusOperationHandle[ReturnType]: ...

    @overload
    def get_nexus_operation_handle(
        self, operation_id: str, *, operation: nexusrpc.Operation[Any, OutputT], run_id: str | None = None
    ) -> NexusOperationHandle[OutputT]: ...

    def get_nexus_operation_handle(
        self,
        operation_id: str,
        *,
        operation: nexusrpc.Operation[Any, Any] | None = None,
        run_id: str | None = None,
        result_type: type | None = None,
    ) -> NexusOperationHandle[Any]:
        """The handle of an operation that was started before. Asks no server."""
        if result_type is None and operation is not None:
            result_type = operation.output_type
        client: Any = self
        return handles.NexusOperationHandle(client, operation_id, run_id=run_id, result_type=result_type)
