"""Requests that start workflows: one way to fill them, for start, signal-with-start and update-with-start."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import chimera.converter
from chimera import _api, common

if TYPE_CHECKING:
    from chimera.client import _inputs as inputs
    from chimera.client._client import Client


def converter_for(
    client: Client, workflow_id: str, *, run_id: str | None = None, workflow_type: str | None = None
) -> chimera.converter.DataConverter:
    """The client's converter, in the context of one workflow."""
    converter = client.data_converter.with_context(
        chimera.converter.WorkflowSerializationContext(namespace=client.namespace, workflow_id=workflow_id)
    )
    return converter._storing_for_workflow(client.namespace, workflow_id, run_id, workflow_type)


async def apply_headers(client: Client, headers: Mapping[str, Any] | None, target: Any) -> None:
    """Copies headers into a message; through the codec, if the client is told so."""
    if not headers:
        return
    codec = client.data_converter.payload_codec
    if codec is None or client._header_codec_behavior != common.HeaderCodecBehavior.CODEC:
        common._apply_headers(headers, target)
        return
    for name, payload in headers.items():
        target[name].CopyFrom((await codec.encode([payload]))[0])


async def user_metadata(converter: chimera.converter.DataConverter, summary: str | None, details: str | None) -> Any:
    """What the Web UI shows of it; None if there is nothing."""
    if summary is None and details is None:
        return None
    metadata = _api.sdk.UserMetadata()
    if summary is not None:
        metadata.summary.CopyFrom((await converter.encode([summary]))[0])
    if details is not None:
        metadata.details.CopyFrom((await converter.encode([details]))[0])
    return metadata


def set_durations(message: Any, **durations: Any) -> None:
    """Sets the fields whose duration is not None."""
    for name, value in durations.items():
        if value is not None:
            getattr(message, name).FromTimedelta(value)


async def fill_start(
    client: Client,
    input: inputs.StartWorkflowInput | inputs.UpdateWithStartStartWorkflowInput,
    request: Any,
) -> None:
    """Fills a StartWorkflowExecutionRequest or a SignalWithStartWorkflowExecutionRequest."""
    converter = converter_for(client, input.id, workflow_type=input.workflow)
    request.namespace = client.namespace
    request.workflow_id = input.id
    request.workflow_type.name = input.workflow
    request.task_queue.name = input.task_queue
    request.identity = client.identity
    request.request_id = str(uuid.uuid4())
    request.workflow_id_reuse_policy = int(input.id_reuse_policy)
    request.workflow_id_conflict_policy = int(input.id_conflict_policy)
    request.cron_schedule = input.cron_schedule
    if input.args:
        request.input.payloads.extend(await converter.encode(input.args))
    set_durations(
        request,
        workflow_execution_timeout=input.execution_timeout,
        workflow_run_timeout=input.run_timeout,
        workflow_task_timeout=input.task_timeout,
        workflow_start_delay=input.start_delay,
    )
    if input.retry_policy is not None:
        input.retry_policy.apply_to_proto(request.retry_policy)
    if input.memo is not None:
        await converter._encode_memo_existing(input.memo, request.memo)
    if input.search_attributes is not None:
        chimera.converter.encode_search_attributes(input.search_attributes, request.search_attributes)
    metadata = await user_metadata(converter, input.static_summary, input.static_details)
    if metadata is not None:
        request.user_metadata.CopyFrom(metadata)
    await apply_headers(client, input.headers, request.header.fields)
    if input.priority is not None:
        request.priority.CopyFrom(input.priority._to_proto())
    if input.versioning_override is not None:
        request.versioning_override.CopyFrom(input.versioning_override._to_proto())
    if input.time_skipping_config is not None:
        request.time_skipping_config.CopyFrom(input.time_skipping_config)


async def update_request(client: Client, input: Any, workflow_id: str, run_id: str, first_run_id: str) -> Any:
    """An UpdateWorkflowExecutionRequest for either way to send an update."""
    converter = converter_for(client, workflow_id, run_id=run_id)
    request = _api.workflowservice.UpdateWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=_api.common.WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
        first_execution_run_id=first_run_id,
        wait_policy=_api.update.WaitPolicy(lifecycle_stage=_api.number(input.wait_for_stage)),
    )
    request.request.meta.update_id = input.update_id or str(uuid.uuid4())
    request.request.meta.identity = client.identity
    request.request.input.name = input.update
    if input.args:
        request.request.input.args.payloads.extend(await converter.encode(input.args))
    await apply_headers(client, input.headers, request.request.input.header.fields)
    return request
