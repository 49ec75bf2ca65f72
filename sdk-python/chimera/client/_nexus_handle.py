"""Handles of Nexus operations that no workflow has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, cast

from chimera import common
from chimera.client import _inputs as inputs
from chimera.client._errors import NexusOperationFailureError
from chimera.types import ReturnType

if TYPE_CHECKING:
    from chimera.client._client import Client
    from chimera.client._nexus import NexusOperationExecutionDescription


class NexusOperationHandle(Generic[ReturnType]):
    """One Nexus operation, as a client reaches it. Made by the client's methods."""

    def __init__(
        self,
        client: Client,
        operation_id: str,
        *,
        run_id: str | None = None,
        result_type: type | None = None,
        endpoint: str = "",
        service: str = "",
        operation: str = "",
    ) -> None:
        """Use Client.get_nexus_operation_handle instead."""
        self._client = client
        self._operation_id = operation_id
        self._run_id = run_id
        self._result_type = result_type
        self._endpoint = endpoint
        self._service = service
        self._operation = operation
        self._known_outcome: Any = common._arg_unset  # A result may be None.

    @property
    def operation_id(self) -> str:
        """The operation's id."""
        return self._operation_id

    @property
    def run_id(self) -> str | None:
        """Its run; None: the latest of the id."""
        return self._run_id

    @property
    def endpoint(self) -> str:
        """Empty if the handle was not made by its start. So are the service and the operation."""
        return self._endpoint

    @property
    def service(self) -> str:
        """The service's name."""
        return self._service

    async def result(
        self, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> ReturnType:
        """Waits for the end; `rpc_timeout` is of each of the calls that this takes.

        Raises NexusOperationFailureError with a cause if the end is not a result.
        """
        if self._known_outcome is common._arg_unset:
            try:
                self._known_outcome = await self._client._impl.get_nexus_operation_result(
                    inputs.GetNexusOperationResultInput(
                        operation_id=self._operation_id,
                        run_id=self._run_id,
                        endpoint=self._endpoint,
                        service=self._service,
                        operation=self._operation,
                        rpc_metadata=rpc_metadata,
                        rpc_timeout=rpc_timeout,
                        result_type=self._result_type,
                    )
                )
            except NexusOperationFailureError as err:
                self._known_outcome = err
        if isinstance(self._known_outcome, NexusOperationFailureError):
            raise self._known_outcome
        return cast(ReturnType, self._known_outcome)

    async def describe(
        self, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> NexusOperationExecutionDescription:
        """How it stands."""
        description: NexusOperationExecutionDescription = await self._client._impl.describe_nexus_operation(
            inputs.DescribeNexusOperationInput(self._operation_id, self._run_id, rpc_metadata, rpc_timeout)
        )
        return description

    async def cancel(
        self,
        *,
        reason: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Asks its handler to stop, once it has started. Does not wait for its end."""
        await self._client._impl.cancel_nexus_operation(
            inputs.CancelNexusOperationInput(self._operation_id, self._run_id, reason, rpc_metadata, rpc_timeout)
        )

    async def terminate(
        self,
        *,
        reason: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Ends it; its handler is not asked."""
        await self._client._impl.terminate_nexus_operation(
            inputs.TerminateNexusOperationInput(
                self._operation_id, self._run_id, reason, rpc_metadata, rpc_timeout
            )
        )
