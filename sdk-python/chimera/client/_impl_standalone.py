"""Calls about activities that no workflow has."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import chimera.converter
from chimera import _api, exceptions
from chimera.client import _activity as activities, _requests
from chimera.client._activity_handle import ActivityHandle, check_updates, context_of
from chimera.client._interceptor import OutboundInterceptor
from chimera.client._on_behalf import requester
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


class StandaloneActivityCalls(OutboundInterceptor):
    """From their start to their end."""

    _client: Client

    async def _call(self, rpc: str, request: Any, input: Any) -> Any:
        call = getattr(self._client.workflow_service, rpc)
        return await call(request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout)

    def _about(self, input: Any, message: str, **fields: Any) -> Any:
        """A request about the activity of the input, with an id of its own."""
        return getattr(_api.workflowservice, message)(
            namespace=self._client.namespace,
            activity_id=input.activity_id,
            run_id=input.activity_run_id or "",
            identity=self._client.identity,
            request_id=str(uuid.uuid4()),
            **fields,
        )

    async def start_activity(self, input: inputs.StartActivityInput) -> ActivityHandle[Any]:
        if not (input.start_to_close_timeout or input.schedule_to_close_timeout):
            raise ValueError("Activity must have start_to_close_timeout or schedule_to_close_timeout")
        if input.start_delay is not None and input.start_delay < timedelta(0):
            raise ValueError("start_delay must be non-negative")
        request = await self._start_request(input)
        on_behalf = requester()
        on_behalf.asks(request)
        try:
            reply = await self._call("start_activity_execution", request, input)
        except RPCError as err:
            raise _already_started(err, input) from None
        on_behalf.has(request, reply)
        return ActivityHandle(self._client, input.id, run_id=reply.run_id, result_type=input.result_type)

    async def _start_request(self, input: inputs.StartActivityInput) -> Any:
        client = self._client
        converter = client.data_converter.with_context(
            context_of(client, input.id, type=input.activity_type, task_queue=input.task_queue)
        )._storing_for_activity(client.namespace, input.id, type=input.activity_type)
        request = _api.workflowservice.StartActivityExecutionRequest(
            namespace=client.namespace,
            identity=client.identity,
            request_id=str(uuid.uuid4()),
            activity_id=input.id,
            activity_type=_api.common.ActivityType(name=input.activity_type),
            id_reuse_policy=_api.number(input.id_reuse_policy),
            id_conflict_policy=_api.number(input.id_conflict_policy),
        )
        request.task_queue.name = input.task_queue
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

    async def cancel_activity(self, input: inputs.CancelActivityInput) -> None:
        request = self._about(input, "RequestCancelActivityExecutionRequest", reason=input.reason or "")
        await self._call("request_cancel_activity_execution", request, input)

    async def terminate_activity(self, input: inputs.TerminateActivityInput) -> None:
        request = self._about(input, "TerminateActivityExecutionRequest", reason=input.reason or "")
        await self._call("terminate_activity_execution", request, input)

    async def pause_activity(self, input: inputs.PauseActivityInput) -> None:
        request = self._about(input, "PauseActivityExecutionRequest", reason=input.reason or "")
        await self._call("pause_activity_execution", request, input)

    async def unpause_activity(self, input: inputs.UnpauseActivityInput) -> None:
        request = self._about(input, "UnpauseActivityExecutionRequest", reason=input.reason or "")
        _requests.set_durations(request, jitter=input.jitter)
        await self._call("unpause_activity_execution", request, input)

    async def update_activity_options(
        self, input: inputs.UpdateActivityOptionsInput
    ) -> activities.ActivityExecutionOptions:
        if input.restore_original and input.updates:
            raise ValueError("restore_original cannot be combined with individual option updates")
        check_updates(input.updates, "update_activity_options")  # An interceptor may have added some.
        request = self._about(input, "UpdateActivityExecutionOptionsRequest", restore_original=input.restore_original)
        for update in input.updates:
            request.update_mask.paths.append(update.key.name)
            if update.value is not None:
                _set_option(request.activity_options, update.key.name, update.value)
        if input.updates:
            request.activity_options.SetInParent()
        reply = await self._call("update_activity_execution_options", request, input)
        return activities.ActivityExecutionOptions._from_proto(reply.activity_options)

    async def describe_activity(self, input: inputs.DescribeActivityInput) -> activities.ActivityExecutionDescription:
        client = self._client
        request = _api.workflowservice.DescribeActivityExecutionRequest(
            namespace=client.namespace,
            activity_id=input.activity_id,
            run_id=input.activity_run_id or "",
            include_input=input.include_input,
            include_outcome=input.include_outcome,
            include_heartbeat_details=input.include_heartbeat_details,
            include_last_failure=input.include_last_failure,
        )
        reply = await self._call("describe_activity_execution", request, input)
        context = context_of(
            client, reply.info.activity_id, type=reply.info.activity_type.name, task_queue=reply.info.task_queue
        )
        return activities.ActivityExecutionDescription._from_resp(
            reply, client.namespace, client.data_converter.with_context(context)
        )

    def list_activities(self, input: inputs.ListActivitiesInput) -> activities.ActivityExecutionAsyncIterator:
        return activities.ActivityExecutionAsyncIterator(self._client, input)

    async def count_activities(self, input: inputs.CountActivitiesInput) -> activities.ActivityExecutionCount:
        request = _api.workflowservice.CountActivityExecutionsRequest(
            namespace=self._client.namespace, query=input.query or ""
        )
        return activities.ActivityExecutionCount._from_raw(
            await self._call("count_activity_executions", request, input)
        )
