"""Calls about activities: completion from outside a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import chimera.converter
from chimera import _api, common
from chimera.client._async_activity import AsyncActivityIDReference
from chimera.client._errors import AsyncActivityCancelledError
from chimera.client._interceptor import OutboundInterceptor

if TYPE_CHECKING:
    from chimera.client import _inputs as inputs
    from chimera.client._client import Client


class ActivityCalls(OutboundInterceptor):
    """Everything about activities."""

    _client: Client

    def _converter(self, input: Any) -> chimera.converter.DataConverter:
        converter = input.data_converter_override or self._client.data_converter
        key = input.id_or_token
        if not isinstance(key, AsyncActivityIDReference):
            return converter._storing_for(None)  # A token tells nothing.
        if key.workflow_id:
            return converter._storing_for_workflow(self._client.namespace, key.workflow_id, key.run_id)
        return converter._storing_for_activity(self._client.namespace, key.activity_id, key.run_id)

    async def _report(self, rpc: str, message: str, input: Any, **fields: Any) -> Any:
        """Calls `rpc`, or its twin that takes ids, with the request that its name implies."""
        common_fields = {"namespace": self._client.namespace, "identity": self._client.identity, **fields}
        key = input.id_or_token
        if isinstance(key, AsyncActivityIDReference):
            rpc, message = f"{rpc}_by_id", f"{message}ById"
            target = {"workflow_id": key.workflow_id or "", "run_id": key.run_id or "", "activity_id": key.activity_id}
        else:
            target = {"task_token": key}
        request = getattr(_api.workflowservice, f"{message}Request")(**target, **common_fields)
        call = getattr(self._client.workflow_service, rpc)
        return await call(request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout)

    async def heartbeat_async_activity(self, input: inputs.HeartbeatAsyncActivityInput) -> None:
        from chimera.activity import ActivityCancellationDetails

        details = await self._converter(input).encode_wrapper(input.details) if input.details else None
        reply = await self._report(
            "record_activity_task_heartbeat", "RecordActivityTaskHeartbeat", input, details=details
        )
        if reply.cancel_requested or reply.activity_paused or reply.activity_reset:
            raise AsyncActivityCancelledError(
                ActivityCancellationDetails(
                    cancel_requested=reply.cancel_requested, paused=reply.activity_paused, reset=reply.activity_reset
                )
            )

    async def complete_async_activity(self, input: inputs.CompleteAsyncActivityInput) -> None:
        result = None
        if input.result is not common._arg_unset:
            result = await self._converter(input).encode_wrapper([input.result])
        await self._report("respond_activity_task_completed", "RespondActivityTaskCompleted", input, result=result)

    async def fail_async_activity(self, input: inputs.FailAsyncActivityInput) -> None:
        converter = self._converter(input)
        failure = _api.failure.Failure()
        await converter.encode_failure(input.error, failure)
        details = None
        if input.last_heartbeat_details:
            details = await converter.encode_wrapper(input.last_heartbeat_details)
        await self._report(
            "respond_activity_task_failed",
            "RespondActivityTaskFailed",
            input,
            failure=failure,
            last_heartbeat_details=details,
        )

    async def report_cancellation_async_activity(self, input: inputs.ReportCancellationAsyncActivityInput) -> None:
        details = await self._converter(input).encode_wrapper(input.details) if input.details else None
        await self._report("respond_activity_task_canceled", "RespondActivityTaskCanceled", input, details=details)
