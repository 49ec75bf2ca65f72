"""Calls about Nexus operations that no workflow has."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import chimera.converter
from chimera import _api, exceptions
from chimera._lazy import LazyModule
from chimera.client import _requests
from chimera.client._errors import NexusOperationFailureError
from chimera.client._interceptor import OutboundInterceptor
from chimera.service import RPCError, RPCStatusCode

if TYPE_CHECKING:
    from chimera.client import _inputs as inputs, _nexus as operations, _nexus_handle as handles
    from chimera.client._client import Client
else:
    operations = LazyModule("chimera.client._nexus")
    handles = LazyModule("chimera.client._nexus_handle")


def _already_started(err: RPCError, input: inputs.StartNexusOperationInput) -> Exception:
    """The error that says so, if that is what the server means."""
    if err.status == RPCStatusCode.ALREADY_EXISTS and err.grpc_status.details:
        failure = _api.errordetails.NexusOperationExecutionAlreadyStartedFailure()
        if err.grpc_status.details[0].Unpack(failure):
            return exceptions.NexusOperationAlreadyStartedError(input.id, run_id=failure.run_id)
    return err


class StandaloneNexusCalls(OutboundInterceptor):
    """From their start to their end."""

    _client: Client

    async def _call_nexus(self, rpc: str, request: Any, input: Any) -> Any:
        call = getattr(self._client.workflow_service, rpc)
        return await call(request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout)

    def _converter_for(self, operation: Any) -> chimera.converter.DataConverter:
        return self._client.data_converter.with_context(
            chimera.converter.NexusSerializationContext(
                endpoint=operation.endpoint, service=operation.service, operation=operation.operation
            )
        )

    async def start_nexus_operation(self, input: inputs.StartNexusOperationInput) -> Any:
        try:
            reply = await self._call_nexus(
                "start_nexus_operation_execution", await self._start_nexus_request(input), input
            )
        except RPCError as err:
            raise _already_started(err, input) from None
        return handles.NexusOperationHandle(
            self._client,
            input.id,
            run_id=reply.run_id or None,
            result_type=input.result_type,
            endpoint=input.endpoint,
            service=input.service,
            operation=input.operation,
        )

    async def _start_nexus_request(self, input: inputs.StartNexusOperationInput) -> Any:
        converter = self._converter_for(input)
        request = _api.workflowservice.StartNexusOperationExecutionRequest(
            namespace=self._client.namespace,
            identity=self._client.identity,
            request_id=str(uuid.uuid4()),
            operation_id=input.id,
            endpoint=input.endpoint,
            service=input.service,
            operation=input.operation,
            id_reuse_policy=_api.number(input.id_reuse_policy),
            id_conflict_policy=_api.number(input.id_conflict_policy),
            nexus_header=dict(input.headers),
        )
        _requests.set_durations(
            request,
            schedule_to_close_timeout=input.schedule_to_close_timeout,
            schedule_to_start_timeout=input.schedule_to_start_timeout,
            start_to_close_timeout=input.start_to_close_timeout,
        )
        request.input.CopyFrom((await converter.encode([input.arg]))[0])
        if input.search_attributes is not None:
            chimera.converter.encode_search_attributes(input.search_attributes, request.search_attributes)
        metadata = await _requests.user_metadata(converter, input.summary, None)
        if metadata is not None:
            request.user_metadata.CopyFrom(metadata)
        return request

    async def get_nexus_operation_result(self, input: inputs.GetNexusOperationResultInput) -> Any:
        request = _api.workflowservice.PollNexusOperationExecutionRequest(
            namespace=self._client.namespace,
            operation_id=input.operation_id,
            run_id=input.run_id or "",
            wait_stage="NEXUS_OPERATION_WAIT_STAGE_CLOSED",
        )
        # A handle that was made by an id alone knows none of the three.
        known = input.endpoint and input.service and input.operation
        converter = self._converter_for(input) if known else self._client.data_converter
        while True:
            try:
                reply = await self._call_nexus("poll_nexus_operation_execution", request, input)
            except RPCError as err:
                if err.status == RPCStatusCode.CANCELLED:
                    raise asyncio.CancelledError() from err
                if err.status != RPCStatusCode.DEADLINE_EXCEEDED:
                    raise
                continue
            if reply.HasField("failure"):
                raise NexusOperationFailureError(cause=await converter.decode_failure(reply.failure))
            if reply.HasField("result"):
                hints = [input.result_type] if input.result_type else None
                return (await converter.decode([reply.result], hints))[0]

    async def describe_nexus_operation(
        self, input: inputs.DescribeNexusOperationInput
    ) -> operations.NexusOperationExecutionDescription:
        request = _api.workflowservice.DescribeNexusOperationExecutionRequest(
            namespace=self._client.namespace, operation_id=input.operation_id, run_id=input.run_id or ""
        )
        reply = await self._call_nexus("describe_nexus_operation_execution", request, input)
        return await operations.NexusOperationExecutionDescription._of(reply.info, self._converter_for(reply.info))

    async def cancel_nexus_operation(self, input: inputs.CancelNexusOperationInput) -> None:
        request = self._about_operation(input, "RequestCancelNexusOperationExecutionRequest")
        await self._call_nexus("request_cancel_nexus_operation_execution", request, input)

    async def terminate_nexus_operation(self, input: inputs.TerminateNexusOperationInput) -> None:
        request = self._about_operation(input, "TerminateNexusOperationExecutionRequest")
        await self._call_nexus("terminate_nexus_operation_execution", request, input)

    def _about_operation(self, input: Any, message: str) -> Any:
        return getattr(_api.workflowservice, message)(
            namespace=self._client.namespace,
            operation_id=input.operation_id,
            run_id=input.run_id or "",
            identity=self._client.identity,
            request_id=str(uuid.uuid4()),
            reason=input.reason or "",
        )

    def list_nexus_operations(
        self, input: inputs.ListNexusOperationsInput
    ) -> operations.NexusOperationExecutionAsyncIterator:
        return operations.NexusOperationExecutionAsyncIterator(self._client, input)

    async def count_nexus_operations(
        self, input: inputs.CountNexusOperationsInput
    ) -> operations.NexusOperationExecutionCount:
        request = _api.workflowservice.CountNexusOperationExecutionsRequest(
            namespace=self._client.namespace, query=input.query or ""
        )
        return operations.NexusOperationExecutionCount._from_raw(
            await self._call_nexus("count_nexus_operation_executions", request, input)
        )
