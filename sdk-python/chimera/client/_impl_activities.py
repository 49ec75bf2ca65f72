"""Calls about activities: those that stand alone, and completion from outside a worker."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import chimera.converter
from chimera import _api, common, exceptions
from chimera.client import _requests
from chimera.client._activity import (
    ActivityExecutionAsyncIterator,
    ActivityExecutionCount,
    ActivityExecutionDescription,
    ActivityExecutionOptions,
    ActivityHandle,
    activity_converter,
    check_updates,
)
from chimera.client._async_activity import AsyncActivityIDReference
from chimera.client._errors import AsyncActivityCancelledError
from chimera.client._interceptor import OutboundInterceptor
from chimera.service import RPCError, RPCStatusCode

if TYPE_CHECKING:
    from chimera.client import _inputs as inputs
    from chimera.client._client import Client


def _already_started(err: RPCError, input: inputs.StartActivityInput) -> Exception:
    """The error that says so, if that is what the server means."""
    if err.status == RPCStatusCode.ALREADY_EXISTS and err.grpc_status.details:
        failure = _api.errordetails.ActivityExecutionAlreadyStartedFailure()
        if err.grpc_status.details[0].Unpack(failure):
            return exceptions.ActivityAlreadyStartedError(input.id, input.activity_type, run_id=failure.run_id)
    return err


def _set_option(options: Any, name: str, value: Any) -> None:
    if name == "task_queue.name":
        options.task_queue.name = value
    elif name == "retry_policy":
        value.apply_to_proto(options.retry_policy)
    elif name == "priority":
        options.priority.CopyFrom(value._to_proto())
    else:
        getattr(options, name).FromTimedelta(value)


class ActivityCalls(OutboundInterceptor):
    """Everything about activities."""

    _client: Client

    async def start_activity(self, input: inputs.StartActivityInput) -> ActivityHandle[Any]:
        if not (input.start_to_close_timeout or input.schedule_to_close_timeout):
            raise ValueError("Activity must have start_to_close_timeout or schedule_to_close_timeout")
        if input.start_delay is not None and input.start_delay < timedelta(0):
            raise ValueError("start_delay must be non-negative")
        request = await self._start_request(input)
        try:
            reply = await self._client.workflow_service.start_activity_execution(
                request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
            )
        except RPCError as err:
            other = _already_started(err, input)
            if other is err:
                raise
            raise other from err
        return ActivityHandle(self._client, input.id, run_id=reply.run_id, result_type=input.result_type)

    async def _start_request(self, input: inputs.StartActivityInput) -> Any:
        client = self._client
        converter = activity_converter(
            client, input.id, activity_type=input.activity_type, task_queue=input.task_queue
        )._storing_for_activity(client.namespace, input.id, None, input.activity_type)
        request = _api.workflowservice.StartActivityExecutionRequest(
            namespace=client.namespace,
            identity=client.identity,
            request_id=str(uuid.uuid4()),
            activity_id=input.id,
            activity_type=_api.common.ActivityType(name=input.activity_type),
            task_queue=_api.taskqueue.TaskQueue(name=input.task_queue),
            id_reuse_policy=_api.number(input.id_reuse_policy),
            id_conflict_policy=_api.number(input.id_conflict_policy),
        )
        _requests.set_durations(
            request,
            schedule_to_close_timeout=input.schedule_to_close_timeout,
            schedule_to_start_timeout=input.schedule_to_start_timeout,
            start_to_close_timeout=input.start_to_close_timeout,
            heartbeat_timeout=input.heartbeat_timeout,
            start_delay=input.start_delay,
        )
        if input.retry_policy is not None:
            input.retry_policy.apply_to_proto(request.retry_policy)
        if input.args:
            request.input.payloads.extend(await converter.encode(input.args))
        if input.search_attributes is not None:
            chimera.converter.encode_search_attributes(input.search_attributes, request.search_attributes)
        metadata = await _requests.user_metadata(converter, input.summary, None)
        if metadata is not None:
            request.user_metadata.CopyFrom(metadata)
        await _requests.apply_headers(client, input.headers, request.header.fields)
        request.priority.CopyFrom(input.priority._to_proto())
        return request

    async def _about(self, rpc: str, message: str, input: Any, **fields: Any) -> Any:
        """Calls `rpc` about the activity that the input names."""
        request = getattr(_api.workflowservice, f"{message}Request")(
            namespace=self._client.namespace,
            activity_id=input.activity_id,
            run_id=input.activity_run_id or "",
            **fields,
        )
        call = getattr(self._client.workflow_service, rpc)
        return await call(request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout)

    async def _ask(self, rpc: str, message: str, input: Any, **fields: Any) -> Any:
        """The same of something that is done to it, once however often the call is tried."""
        return await self._about(
            rpc, message, input, identity=self._client.identity, request_id=str(uuid.uuid4()), **fields
        )

    async def cancel_activity(self, input: inputs.CancelActivityInput) -> None:
        await self._ask(
            "request_cancel_activity_execution", "RequestCancelActivityExecution", input, reason=input.reason or ""
        )

    async def terminate_activity(self, input: inputs.TerminateActivityInput) -> None:
        await self._ask("terminate_activity_execution", "TerminateActivityExecution", input, reason=input.reason or "")

    async def pause_activity(self, input: inputs.PauseActivityInput) -> None:
        await self._ask("pause_activity_execution", "PauseActivityExecution", input, reason=input.reason or "")

    async def unpause_activity(self, input: inputs.UnpauseActivityInput) -> None:
        await self._ask(
            "unpause_activity_execution",
            "UnpauseActivityExecution",
            input,
            reason=input.reason or "",
            jitter=input.jitter,
        )

    async def update_activity_options(self, input: inputs.UpdateActivityOptionsInput) -> ActivityExecutionOptions:
        if input.restore_original and input.updates:
            raise ValueError("restore_original cannot be combined with individual option updates")
        fields: dict[str, Any] = {}
        if input.restore_original:
            fields["restore_original"] = True
        else:
            check_updates(input.updates, "update_activity_options")
            options = _api.activity.ActivityOptions()
            for update in input.updates:
                if update.value is not None:
                    _set_option(options, update.key.name, update.value)
            fields["activity_options"] = options
            fields["update_mask"] = {"paths": [update.key.name for update in input.updates]}
        reply = await self._ask(
            "update_activity_execution_options", "UpdateActivityExecutionOptions", input, **fields
        )
        return ActivityExecutionOptions._of(reply.activity_options)

    async def describe_activity(self, input: inputs.DescribeActivityInput) -> ActivityExecutionDescription:
        reply = await self._about(
            "describe_activity_execution",
            "DescribeActivityExecution",
            input,
            include_input=input.include_input,
            include_outcome=input.include_outcome,
            include_heartbeat_details=input.include_heartbeat_details,
            include_last_failure=input.include_last_failure,
        )
        info = reply.info
        converter = activity_converter(
            self._client, info.activity_id, activity_type=info.activity_type.name, task_queue=info.task_queue
        )
        return ActivityExecutionDescription._of(reply, self._client.namespace, converter)

    def list_activities(self, input: inputs.ListActivitiesInput) -> ActivityExecutionAsyncIterator:
        return ActivityExecutionAsyncIterator(self._client, input)

    async def count_activities(self, input: inputs.CountActivitiesInput) -> ActivityExecutionCount:
        reply = await self._client.workflow_service.count_activity_executions(
            _api.workflowservice.CountActivityExecutionsRequest(
                namespace=self._client.namespace, query=input.query or ""
            ),
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )
        return ActivityExecutionCount._of(reply)

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
