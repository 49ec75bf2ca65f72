"""The end of the interceptor chain: each method is one call to the server, or a few."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chimera import _api, exceptions
from chimera.client import _errors as errors, _requests
from chimera.client._enums import WorkflowExecutionStatus, WorkflowUpdateStage
from chimera.client._handle import GIVEN_UP, WorkflowHandle, WorkflowUpdateHandle, only_result
from chimera.client._history import WorkflowHistoryEventAsyncIterator
from chimera.client._impl_activities import ActivityCalls
from chimera.client._impl_nexus import StandaloneNexusCalls
from chimera.client._impl_schedules import ScheduleCalls
from chimera.client._impl_standalone import StandaloneActivityCalls
from chimera.client._interceptor import OutboundInterceptor
from chimera.client._on_behalf import requester
from chimera.client._versioning_client import VersioningCalls
from chimera.client._workflow import (
    WorkflowExecutionAsyncIterator,
    WorkflowExecutionCount,
    WorkflowExecutionDescription,
)
from chimera.service import RPCError, RPCStatusCode, _BridgeServiceClient

if TYPE_CHECKING:
    from chimera import _bridge
    from chimera.client import _inputs as inputs
    from chimera.client._client import Client


def _execution(workflow_id: str, run_id: str | None) -> Any:
    return _api.common.WorkflowExecution(workflow_id=workflow_id, run_id=run_id or "")


def _already_started(err: RPCError, workflow_id: str, workflow: str) -> Exception:
    """The error that says so, if that is what the server means."""
    if err.status == RPCStatusCode.ALREADY_EXISTS and err.grpc_status.details:
        failure = _api.errordetails.WorkflowExecutionAlreadyStartedFailure()
        if err.grpc_status.details[0].Unpack(failure):
            return exceptions.WorkflowAlreadyStartedError(
                workflow_id, workflow, run_id=failure.run_id, first_run_id=failure.first_execution_run_id or None
            )
    return err


async def _slot_for(client: Client, request: Any) -> _bridge.WorkflowSlot | None:
    """Where a task that comes with the reply to a start would run. Without a worker here that takes it, it would be
    lost until it times out: then none is asked for."""
    service = client.service_client
    if not isinstance(service, _BridgeServiceClient):
        return None
    return await service._reserve_workflow_slot(request)


class WorkflowCalls(OutboundInterceptor):
    """Everything about workflows."""

    def __init__(self, client: Client) -> None:
        # There is no next one to hand anything to.
        self._client = client

    async def start_workflow(self, input: inputs.StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        client = self._client
        service = client.workflow_service
        request: Any
        slot: _bridge.WorkflowSlot | None = None
        if input.start_signal is not None:
            request = _api.workflowservice.SignalWithStartWorkflowExecutionRequest(signal_name=input.start_signal)
            if input.start_signal_args:
                converter = _requests.converter_for(client, input.id, workflow_type=input.workflow)
                request.signal_input.payloads.extend(await converter.encode(input.start_signal_args))
            call = service.signal_with_start_workflow_execution
        else:
            request = _api.workflowservice.StartWorkflowExecutionRequest()
            call = service.start_workflow_execution
        await _requests.fill_start(client, input, request)
        on_behalf = requester()
        on_behalf.asks(request)
        if input.request_eager_start and input.start_signal is None:
            slot = await _slot_for(client, request)
        try:
            reply = await call(request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout)
            eager = input.start_signal is None and reply.HasField("eager_workflow_task")
            if slot is not None and eager:
                slot.run(reply.eager_workflow_task.SerializeToString())
        except RPCError as err:
            other = _already_started(err, input.id, input.workflow)
            if other is err:
                raise
            raise other from err
        finally:
            if slot is not None:
                slot.release()
        on_behalf.has(request, reply)
        handle: WorkflowHandle[Any, Any] = WorkflowHandle(
            client,
            input.id,
            result_run_id=reply.run_id,
            # A signal to a running workflow tells its run, but not where its chain began.
            first_execution_run_id=getattr(reply, "first_execution_run_id", "")
            or (reply.run_id if input.start_signal is None or reply.started else None),
            result_type=input.ret_type,
            start_workflow_response=reply,
        )
        setattr(handle, "__temporal_eagerly_started", eager)  # Under the official name.
        return handle

    async def cancel_workflow(self, input: inputs.CancelWorkflowInput) -> None:
        await self._client.workflow_service.request_cancel_workflow_execution(
            _api.workflowservice.RequestCancelWorkflowExecutionRequest(
                namespace=self._client.namespace,
                workflow_execution=_execution(input.id, input.run_id),
                identity=self._client.identity,
                request_id=str(uuid.uuid4()),
                first_execution_run_id=input.first_execution_run_id or "",
                reason=input.reason or "",
            ),
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )

    async def describe_workflow(self, input: inputs.DescribeWorkflowInput) -> WorkflowExecutionDescription:
        reply = await self._client.workflow_service.describe_workflow_execution(
            _api.workflowservice.DescribeWorkflowExecutionRequest(
                namespace=self._client.namespace, execution=_execution(input.id, input.run_id)
            ),
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )
        return WorkflowExecutionDescription._of(reply, self._client.namespace, self._client.data_converter)

    def fetch_workflow_history_events(
        self, input: inputs.FetchWorkflowHistoryEventsInput
    ) -> WorkflowHistoryEventAsyncIterator:
        return WorkflowHistoryEventAsyncIterator(self._client, input)

    def list_workflows(self, input: inputs.ListWorkflowsInput) -> WorkflowExecutionAsyncIterator:
        return WorkflowExecutionAsyncIterator(self._client, input)

    async def count_workflows(self, input: inputs.CountWorkflowsInput) -> WorkflowExecutionCount:
        reply = await self._client.workflow_service.count_workflow_executions(
            _api.workflowservice.CountWorkflowExecutionsRequest(
                namespace=self._client.namespace, query=input.query or ""
            ),
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )
        return WorkflowExecutionCount._of(reply)

    async def query_workflow(self, input: inputs.QueryWorkflowInput) -> Any:
        converter = _requests.converter_for(self._client, input.id, run_id=input.run_id)
        request = _api.workflowservice.QueryWorkflowRequest(
            namespace=self._client.namespace,
            execution=_execution(input.id, input.run_id),
            query_reject_condition=_api.number(input.reject_condition or 0),
        )
        request.query.query_type = input.query
        if input.args:
            request.query.query_args.payloads.extend(await converter.encode(input.args))
        await _requests.apply_headers(self._client, input.headers, request.query.header.fields)
        try:
            reply = await self._client.workflow_service.query_workflow(
                request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
            )
        except RPCError as err:
            # The server has no other code for what a handler raised.
            if err.status == RPCStatusCode.INVALID_ARGUMENT:
                raise errors.WorkflowQueryFailedError(err.message) from err
            raise
        requester().has(request, reply)
        if reply.HasField("query_rejected"):
            status = reply.query_rejected.status
            raise errors.WorkflowQueryRejectedError(WorkflowExecutionStatus(status) if status else None)
        hints = [input.ret_type] if input.ret_type else None
        return only_result(await converter.decode_wrapper(reply.query_result, hints), "query result")

    async def signal_workflow(self, input: inputs.SignalWorkflowInput) -> None:
        request = _api.workflowservice.SignalWorkflowExecutionRequest(
            namespace=self._client.namespace,
            workflow_execution=_execution(input.id, input.run_id),
            signal_name=input.signal,
            identity=self._client.identity,
            request_id=str(uuid.uuid4()),
        )
        if input.args:
            converter = _requests.converter_for(self._client, input.id, run_id=input.run_id)
            request.input.payloads.extend(await converter.encode(input.args))
        await _requests.apply_headers(self._client, input.headers, request.header.fields)
        on_behalf = requester()
        on_behalf.asks(request)
        reply = await self._client.workflow_service.signal_workflow_execution(
            request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
        )
        on_behalf.has(request, reply)

    async def terminate_workflow(self, input: inputs.TerminateWorkflowInput) -> None:
        request = _api.workflowservice.TerminateWorkflowExecutionRequest(
            namespace=self._client.namespace,
            workflow_execution=_execution(input.id, input.run_id),
            reason=input.reason or "",
            identity=self._client.identity,
            first_execution_run_id=input.first_execution_run_id or "",
        )
        if input.args:
            converter = _requests.converter_for(self._client, input.id, run_id=input.run_id)
            request.details.payloads.extend(await converter.encode(input.args))
        await self._client.workflow_service.terminate_workflow_execution(
            request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
        )

    async def start_workflow_update(self, input: inputs.StartWorkflowUpdateInput) -> WorkflowUpdateHandle[Any]:
        request = await _requests.update_request(
            self._client, input, input.id, input.run_id or "", input.first_execution_run_id or ""
        )
        on_behalf = requester()
        on_behalf.asks(request)
        while True:
            try:
                reply = await self._client.workflow_service.update_workflow_execution(
                    request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
                )
            except RPCError as err:
                if err.status in GIVEN_UP:
                    raise errors.WorkflowUpdateRPCTimeoutOrCancelledError() from err
                raise
            except asyncio.CancelledError as err:
                raise errors.WorkflowUpdateRPCTimeoutOrCancelledError() from err
            # A server may give up before the stage is reached; then it is asked again.
            if reply.stage >= WorkflowUpdateStage.ACCEPTED:
                break
        on_behalf.has(request, reply)
        handle = self._update_handle(reply, input.id, input.ret_type)
        if input.wait_for_stage == WorkflowUpdateStage.COMPLETED and handle._known_outcome is None:
            handle._known_outcome = await handle._poll(input.rpc_metadata, input.rpc_timeout)
        return handle

    def _update_handle(self, reply: Any, workflow_id: str, result_type: type | None) -> WorkflowUpdateHandle[Any]:
        reference = reply.update_ref
        return WorkflowUpdateHandle(
            self._client,
            reference.update_id,
            reference.workflow_execution.workflow_id or workflow_id,
            workflow_run_id=reference.workflow_execution.run_id or None,
            result_type=result_type,
            known_outcome=reply.outcome if reply.HasField("outcome") else None,
        )

    async def start_update_with_start_workflow(
        self, input: inputs.StartWorkflowUpdateWithStartInput
    ) -> WorkflowUpdateHandle[Any]:
        start, update = input.start_workflow_input, input.update_workflow_input
        told = False

        def on_start(reply: Any) -> None:
            nonlocal told
            told = True
            input._on_start(reply)

        try:
            start_request = _api.workflowservice.StartWorkflowExecutionRequest()
            await _requests.fill_start(self._client, start, start_request)
            request = _api.workflowservice.ExecuteMultiOperationRequest(namespace=self._client.namespace)
            request.operations.add().start_workflow.CopyFrom(start_request)
            request.operations.add().update_workflow.CopyFrom(
                await _requests.update_request(self._client, update, start.id, "", "")
            )
            reply = await self._execute_both(request, input, on_start)
            handle = self._update_handle(reply, start.id, update.ret_type)
            if update.wait_for_stage == WorkflowUpdateStage.COMPLETED and handle._known_outcome is None:
                handle._known_outcome = await handle._poll(input.rpc_metadata, input.rpc_timeout)
            return handle
        except BaseException as err:
            if not told:
                input._on_start_error(err)
            raise

    async def _execute_both(self, request: Any, input: inputs.StartWorkflowUpdateWithStartInput, on_start: Any) -> Any:
        """The update's reply, once it has reached its stage."""
        while True:
            try:
                reply = await self._client.workflow_service.execute_multi_operation(
                    request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
                )
            except RPCError as err:
                if err.status in GIVEN_UP:
                    raise errors.WorkflowUpdateRPCTimeoutOrCancelledError() from err
                start = input.start_workflow_input
                other = _already_started(_failed_operation(err), start.id, start.workflow)
                if other is err:
                    raise
                raise other from err
            except asyncio.CancelledError as err:
                raise errors.WorkflowUpdateRPCTimeoutOrCancelledError() from err
            on_start(reply.responses[0].start_workflow)
            update = reply.responses[1].update_workflow
            if update.stage >= WorkflowUpdateStage.ACCEPTED:
                return update


def _failed_operation(err: RPCError) -> RPCError:
    """Of the two operations' errors the one that is not merely the other's consequence."""
    statuses: Sequence[Any] = ()
    for detail in err.grpc_status.details:
        failure = _api.errordetails.MultiOperationExecutionFailure()
        if detail.Unpack(failure):
            statuses = failure.statuses
    for status in statuses:
        aborted = any(
            detail.Is(_api.failure.MultiOperationExecutionAborted.DESCRIPTOR) for detail in status.details
        )
        if status.code and not aborted:
            from chimera.api.dependencies.google.rpc.status_pb2 import Status

            raw = Status(code=status.code, message=status.message, details=status.details)
            return RPCError(status.message, RPCStatusCode(status.code), raw.SerializeToString())
    return err


class ClientImpl(
    WorkflowCalls,
    ScheduleCalls,
    ActivityCalls,
    StandaloneActivityCalls,
    StandaloneNexusCalls,
    VersioningCalls,
):
    """All calls."""
