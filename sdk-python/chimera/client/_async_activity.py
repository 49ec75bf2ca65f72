"""Handles of activities that are completed from outside their worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

import chimera.converter
from chimera import common
from chimera._lazy import LazyModule

if TYPE_CHECKING:
    from chimera.client import _inputs as inputs
    from chimera.client._client import Client
else:
    inputs = LazyModule("chimera.client._inputs")


@dataclass(frozen=True)
class AsyncActivityIDReference:
    """An activity by its ids; without a workflow's id it is a standalone one."""

    workflow_id: str | None
    run_id: str | None
    activity_id: str


class AsyncActivityHandle(chimera.converter.WithSerializationContext):
    """One activity that waits to be completed. Made by Client.get_async_activity_handle."""

    def __init__(
        self,
        client: Client,
        id_or_token: AsyncActivityIDReference | bytes,
        data_converter_override: chimera.converter.DataConverter | None = None,
    ) -> None:
        """Use Client.get_async_activity_handle instead."""
        self._client = client
        self._id_or_token = id_or_token
        self._data_converter_override = data_converter_override

    def with_context(self, context: chimera.converter.SerializationContext) -> Self:
        """A handle that converts values in this context."""
        converter = self._client.data_converter.with_context(context)
        if converter is self._client.data_converter:
            return self
        if type(self).__init__ is not AsyncActivityHandle.__init__:
            raise TypeError(
                f"{type(self).__name__} has a constructor of its own, so you must override "
                "with_context to return an instance of your class"
            )
        return type(self)(self._client, self._id_or_token, converter)

    async def heartbeat(
        self,
        *details: Any,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Says that the activity is alive. Raises AsyncActivityCancelledError if it shall stop."""
        await self._client._impl.heartbeat_async_activity(
            inputs.HeartbeatAsyncActivityInput(
                id_or_token=self._id_or_token,
                details=details,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                data_converter_override=self._data_converter_override,
            )
        )

    async def complete(
        self,
        result: Any = common._arg_unset,
        *,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Ends the activity with a result."""
        await self._client._impl.complete_async_activity(
            inputs.CompleteAsyncActivityInput(
                id_or_token=self._id_or_token,
                result=result,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                data_converter_override=self._data_converter_override,
            )
        )

    async def fail(
        self,
        error: Exception,
        *,
        last_heartbeat_details: Sequence[Any] = [],
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Ends this attempt with an error."""
        await self._client._impl.fail_async_activity(
            inputs.FailAsyncActivityInput(
                id_or_token=self._id_or_token,
                error=error,
                last_heartbeat_details=last_heartbeat_details,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                data_converter_override=self._data_converter_override,
            )
        )

    async def report_cancellation(
        self,
        *details: Any,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Ends the activity as cancelled, after a cancellation was asked for."""
        await self._client._impl.report_cancellation_async_activity(
            inputs.ReportCancellationAsyncActivityInput(
                id_or_token=self._id_or_token,
                details=details,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                data_converter_override=self._data_converter_override,
            )
        )
