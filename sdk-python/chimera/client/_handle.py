"""Handles of workflows and of their updates."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import chimera.converter
from chimera import _api, common, exceptions
from chimera._lazy import LazyModule
from chimera.client import _errors as errors, _names
from chimera.client._enums import WorkflowHistoryEventFilterType, WorkflowUpdateStage
from chimera.client._history import WorkflowHistory, WorkflowHistoryEventAsyncIterator
from chimera.client._workflow import WorkflowExecutionDescription
from chimera.service import RPCError, RPCStatusCode
from chimera.types import ReturnType, SelfType

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Concatenate

    from typing_extensions import Unpack

    import chimera.workflow
    from chimera.api.history.v1 import HistoryEvent
    from chimera.api.update.v1 import Outcome
    from chimera.client import _inputs as inputs
    from chimera.client._client import Client
    from chimera.client._options import (
        CallOptions,
        QueryOptions,
        StartUpdateOptions,
        UpdateOptions,
        WithStartOptions,
    )
    from chimera.types import (
        MethodAsyncNoParam,
        MethodAsyncSingleParam,
        MethodSyncOrAsyncNoParam,
        MethodSyncOrAsyncSingleParam,
        MultiParamSpec,
        ParamType,
    )
else:
    inputs = LazyModule("chimera.client._inputs")

LocalReturnType = TypeVar("LocalReturnType")

# What ends the wait for an update without ending the update.
GIVEN_UP = (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)


def only_result(values: Sequence[Any], what: str) -> Any:
    """The one value that a result consists of; None if there is none."""
    if len(values) > 1:
        warnings.warn(f"Expected single {what}, got {len(values)}", stacklevel=3)
    return values[0] if values else None


class WorkflowHandle(Generic[SelfType, ReturnType]):
    """One workflow execution, as a client reaches it. Made by the client's methods."""

    def __init__(
        self,
        client: Client,
        id: str,
        *,
        run_id: str | None = None,
        result_run_id: str | None = None,
        first_execution_run_id: str | None = None,
        result_type: type | None = None,
        start_workflow_response: Any = None,
    ) -> None:
        """Use Client.get_workflow_handle instead."""
        self._client = client
        self._id = id
        self._run_id = run_id
        self._result_run_id = result_run_id
        self._first_execution_run_id = first_execution_run_id
        self._result_type = result_type
        self._start_workflow_response = start_workflow_response

    @property
    def id(self) -> str:
        """The workflow's id."""
        return self._id

    @property
    def run_id(self) -> str | None:
        """The run that signals, queries, updates and describe go to; None: the latest."""
        return self._run_id

    @property
    def result_run_id(self) -> str | None:
        """The run that result() begins to wait for; None: the latest."""
        return self._result_run_id

    @property
    def first_execution_run_id(self) -> str | None:
        """The chain of runs that cancel() and terminate() are restricted to, if known."""
        return self._first_execution_run_id

    @property
    def _data_converter(self) -> chimera.converter.DataConverter:
        return self._client.data_converter.with_context(
            chimera.converter.WorkflowSerializationContext(namespace=self._client.namespace, workflow_id=self._id)
        )

    async def result(
        self,
        *,
        follow_runs: bool = True,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> ReturnType:
        """Waits for the end. Follows runs that were retried, continued as new or repeated by a cron.

        Raises WorkflowFailureError with a cause if the end is not a result.
        """
        run_id = self._result_run_id
        while True:
            event = await self._closing_event(run_id, rpc_metadata, rpc_timeout)
            next_run = _next_run(event)
            if next_run and follow_runs:
                run_id = next_run
                continue
            if event.HasField("workflow_execution_continued_as_new_event_attributes"):
                raise errors.WorkflowContinuedAsNewError(next_run)
            return await self._outcome_of(event)

    async def _closing_event(
        self, run_id: str | None, rpc_metadata: Mapping[str, str | bytes], rpc_timeout: timedelta | None
    ) -> HistoryEvent:
        events = self._fetch_events(
            run_id,
            wait_new_event=True,
            event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT,
            skip_archival=True,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
        )
        async for event in events:
            return event
        raise RuntimeError(f"The server told no end of workflow {self._id}")

    async def _outcome_of(self, event: HistoryEvent) -> Any:
        converter = self._data_converter
        kind = event.WhichOneof("attributes")
        attributes = getattr(event, kind)
        if kind == "workflow_execution_completed_event_attributes":
            hints = [self._result_type] if self._result_type else None
            return only_result(await converter.decode_wrapper(attributes.result, hints), "result")
        if kind == "workflow_execution_failed_event_attributes":
            raise errors.WorkflowFailureError(cause=await converter.decode_failure(attributes.failure))
        cause: exceptions.FailureError
        if kind == "workflow_execution_canceled_event_attributes":
            details = await converter.decode_wrapper(attributes.details)
            cause = exceptions.CancelledError("Workflow cancelled", *details)
        elif kind == "workflow_execution_terminated_event_attributes":
            details = await converter.decode_wrapper(attributes.details)
            cause = exceptions.TerminatedError(attributes.reason or "Workflow terminated", *details)
        elif kind == "workflow_execution_timed_out_event_attributes":
            start_to_close = exceptions.TimeoutType.START_TO_CLOSE
            cause = exceptions.TimeoutError("Workflow timed out", type=start_to_close, last_heartbeat_details=[])
        else:
            raise RuntimeError(f"Workflow {self._id} ended with an event that is not known here: {kind}")
        raise errors.WorkflowFailureError(cause=cause)

    async def cancel(
        self,
        *,
        reason: str = "",
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Asks the workflow to end. Returns when the request is recorded."""
        await self._client._impl.cancel_workflow(
            inputs.CancelWorkflowInput(
                id=self._id,
                run_id=self._run_id,
                first_execution_run_id=self._first_execution_run_id,
                reason=reason,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def terminate(
        self,
        *args: Any,
        reason: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Ends the workflow at once, without asking it. The arguments become the error's details."""
        await self._client._impl.terminate_workflow(
            inputs.TerminateWorkflowInput(
                id=self._id,
                run_id=self._run_id,
                first_execution_run_id=self._first_execution_run_id,
                args=args,
                reason=reason,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def describe(
        self, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> WorkflowExecutionDescription:
        """What the server tells of the execution."""
        return await self._client._impl.describe_workflow(
            inputs.DescribeWorkflowInput(
                id=self._id, run_id=self._run_id, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout
            )
        )

    async def fetch_history(
        self,
        *,
        event_filter_type: WorkflowHistoryEventFilterType = WorkflowHistoryEventFilterType.ALL_EVENT,
        skip_archival: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowHistory:
        """The whole history."""
        events = self.fetch_history_events(
            event_filter_type=event_filter_type,
            skip_archival=skip_archival,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
        )
        return WorkflowHistory(self._id, [event async for event in events])

    def fetch_history_events(
        self,
        *,
        page_size: int | None = None,
        next_page_token: bytes | None = None,
        wait_new_event: bool = False,
        event_filter_type: WorkflowHistoryEventFilterType = WorkflowHistoryEventFilterType.ALL_EVENT,
        skip_archival: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowHistoryEventAsyncIterator:
        """The events in order, fetched as they are read."""
        return self._fetch_events(
            self._run_id,
            page_size=page_size,
            next_page_token=next_page_token,
            wait_new_event=wait_new_event,
            event_filter_type=event_filter_type,
            skip_archival=skip_archival,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
        )

    def _fetch_events(
        self,
        run_id: str | None,
        *,
        page_size: int | None = None,
        next_page_token: bytes | None = None,
        **options: Any,
    ) -> WorkflowHistoryEventAsyncIterator:
        return self._client._impl.fetch_workflow_history_events(
            inputs.FetchWorkflowHistoryEventsInput(
                id=self._id, run_id=run_id, page_size=page_size, next_page_token=next_page_token, **options
            )
        )

    @overload
    async def query(
        self, query: MethodSyncOrAsyncNoParam[SelfType, LocalReturnType], **options: Unpack[QueryOptions]
    ) -> LocalReturnType: ...

    @overload
    async def query(
        self,
        query: MethodSyncOrAsyncSingleParam[SelfType, ParamType, LocalReturnType],
        arg: ParamType,
        **options: Unpack[QueryOptions],
    ) -> LocalReturnType: ...

    @overload
    async def query(
        self,
        query: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[LocalReturnType] | LocalReturnType],
        *,
        args: Sequence[Any],
        **options: Unpack[QueryOptions],
    ) -> LocalReturnType: ...

    @overload
    async def query(
        self,
        query: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type | None = ...,
        **options: Unpack[QueryOptions],
    ) -> Any: ...

    async def query(
        self,
        query: Any,
        arg: Any = common._arg_unset,
        *,
        args: Sequence[Any] = [],
        result_type: type | None = None,
        reject_condition: common.QueryRejectCondition | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> Any:
        """Asks the workflow's code. The query is a decorated method or its name."""
        name, declared_type = _names.of_query(query)
        return await self._client._impl.query_workflow(
            inputs.QueryWorkflowInput(
                id=self._id,
                run_id=self._run_id,
                query=name,
                args=common._arg_or_args(arg, args),
                reject_condition=reject_condition or self._client._default_reject_condition,
                headers={},
                ret_type=result_type or declared_type,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    @overload
    async def signal(
        self, signal: MethodSyncOrAsyncNoParam[SelfType, None], **options: Unpack[CallOptions]
    ) -> None: ...

    @overload
    async def signal(
        self,
        signal: MethodSyncOrAsyncSingleParam[SelfType, ParamType, None],
        arg: ParamType,
        **options: Unpack[CallOptions],
    ) -> None: ...

    @overload
    async def signal(
        self,
        signal: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[None] | None],
        *,
        args: Sequence[Any],
        **options: Unpack[CallOptions],
    ) -> None: ...

    @overload
    async def signal(
        self,
        signal: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        **options: Unpack[CallOptions],
    ) -> None: ...

    async def signal(
        self,
        signal: Any,
        arg: Any = common._arg_unset,
        *,
        args: Sequence[Any] = [],
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Tells the workflow something. The signal is a decorated method or its name."""
        await self._client._impl.signal_workflow(
            inputs.SignalWorkflowInput(
                id=self._id,
                run_id=self._run_id,
                signal=_names.of_signal(signal),
                args=common._arg_or_args(arg, args),
                headers={},
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    @overload
    async def execute_update(
        self,
        update: chimera.workflow.UpdateMethodMultiParam[[SelfType], LocalReturnType],
        **options: Unpack[UpdateOptions],
    ) -> LocalReturnType: ...

    @overload
    async def execute_update(
        self,
        update: chimera.workflow.UpdateMethodMultiParam[[SelfType, ParamType], LocalReturnType],
        arg: ParamType,
        **options: Unpack[UpdateOptions],
    ) -> LocalReturnType: ...

    @overload
    async def execute_update(
        self,
        update: chimera.workflow.UpdateMethodMultiParam[MultiParamSpec, LocalReturnType],
        *,
        args: Sequence[Any],
        **options: Unpack[UpdateOptions],
    ) -> LocalReturnType: ...

    @overload
    async def execute_update(
        self,
        update: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type | None = ...,
        **options: Unpack[UpdateOptions],
    ) -> Any: ...

    async def execute_update(
        self,
        update: Any,
        arg: Any = common._arg_unset,
        *,
        args: Sequence[Any] = [],
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> Any:
        """Sends an update and waits for its result."""
        stage = WorkflowUpdateStage.COMPLETED
        handle = await self._start_update(update, arg, args, stage, id, result_type, rpc_metadata, rpc_timeout)
        return await handle.result(rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)

    @overload
    async def start_update(
        self,
        update: chimera.workflow.UpdateMethodMultiParam[[SelfType], LocalReturnType],
        **options: Unpack[StartUpdateOptions],
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...

    @overload
    async def start_update(
        self,
        update: chimera.workflow.UpdateMethodMultiParam[[SelfType, ParamType], LocalReturnType],
        arg: ParamType,
        **options: Unpack[StartUpdateOptions],
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...

    @overload
    async def start_update(
        self,
        update: chimera.workflow.UpdateMethodMultiParam[MultiParamSpec, LocalReturnType],
        *,
        args: Sequence[Any],
        **options: Unpack[StartUpdateOptions],
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...

    @overload
    async def start_update(
        self,
        update: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type | None = ...,
        **options: Unpack[StartUpdateOptions],
    ) -> WorkflowUpdateHandle[Any]: ...

    async def start_update(
        self,
        update: Any,
        arg: Any = common._arg_unset,
        *,
        wait_for_stage: WorkflowUpdateStage,
        args: Sequence[Any] = [],
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[Any]:
        """Sends an update and waits until it is accepted, or further."""
        return await self._start_update(
            update, arg, args, wait_for_stage, id, result_type, rpc_metadata, rpc_timeout
        )

    async def _start_update(
        self,
        update: Any,
        arg: Any,
        args: Sequence[Any],
        stage: WorkflowUpdateStage,
        id: str | None,
        result_type: type | None,
        rpc_metadata: Mapping[str, str | bytes],
        rpc_timeout: timedelta | None,
    ) -> WorkflowUpdateHandle[Any]:
        check_stage(stage)
        name, declared_type = _names.of_update(update)
        return await self._client._impl.start_workflow_update(
            inputs.StartWorkflowUpdateInput(
                id=self._id,
                run_id=self._run_id,
                first_execution_run_id=self._first_execution_run_id,
                update_id=id,
                update=name,
                args=common._arg_or_args(arg, args),
                wait_for_stage=stage,
                headers={},
                ret_type=result_type or declared_type,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    def get_update_handle(
        self, id: str, *, workflow_run_id: str | None = None, result_type: type | None = None
    ) -> WorkflowUpdateHandle[Any]:
        """The handle of an update that was sent before."""
        return WorkflowUpdateHandle(
            self._client, id, self._id, workflow_run_id=workflow_run_id or self._run_id, result_type=result_type
        )

    def get_update_handle_for(
        self, update: Any, id: str, *, workflow_run_id: str | None = None
    ) -> WorkflowUpdateHandle[Any]:
        """The same, with the result's type taken from the update's method."""
        _, result_type = _names.of_update(update)
        return self.get_update_handle(id, workflow_run_id=workflow_run_id, result_type=result_type)


def _next_run(event: HistoryEvent) -> str:
    """The run that goes on after this closing event, or an empty text."""
    attributes = getattr(event, event.WhichOneof("attributes"))
    return getattr(attributes, "new_execution_run_id", "")


def check_stage(stage: WorkflowUpdateStage) -> None:
    """Servers do not wait for admission."""
    if stage == WorkflowUpdateStage.ADMITTED:
        raise ValueError("ADMITTED wait stage not supported")


class WorkflowUpdateHandle(Generic[LocalReturnType]):
    """One update, as a client reaches it."""

    def __init__(
        self,
        client: Client,
        id: str,
        workflow_id: str,
        *,
        workflow_run_id: str | None = None,
        result_type: type | None = None,
        known_outcome: Outcome | None = None,
    ) -> None:
        """Use WorkflowHandle.get_update_handle instead."""
        self._client = client
        self._id = id
        self._workflow_id = workflow_id
        self._workflow_run_id = workflow_run_id
        self._result_type = result_type
        self._known_outcome = known_outcome

    @property
    def id(self) -> str:
        """The update's id."""
        return self._id

    @property
    def workflow_id(self) -> str:
        """The workflow's id."""
        return self._workflow_id

    @property
    def workflow_run_id(self) -> str | None:
        """The run, if it is known."""
        return self._workflow_run_id

    async def result(
        self, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> LocalReturnType:
        """Waits for the end. Raises WorkflowUpdateFailedError if that is no result."""
        if self._known_outcome is None:
            self._known_outcome = await self._poll(rpc_metadata, rpc_timeout)
        outcome = self._known_outcome
        converter = self._client.data_converter.with_context(
            chimera.converter.WorkflowSerializationContext(
                namespace=self._client.namespace, workflow_id=self._workflow_id
            )
        )
        if outcome.HasField("failure"):
            failure = type(outcome.failure)()
            failure.CopyFrom(outcome.failure)  # Decoding changes it, and the result may be asked for again.
            raise errors.WorkflowUpdateFailedError(await converter.decode_failure(failure))
        hints = [self._result_type] if self._result_type else None
        return only_result(await converter.decode_wrapper(outcome.success, hints), "update result")

    async def _poll(self, rpc_metadata: Mapping[str, str | bytes], rpc_timeout: timedelta | None) -> Outcome:
        request = _api.workflowservice.PollWorkflowExecutionUpdateRequest(
            namespace=self._client.namespace,
            update_ref=_api.update.UpdateRef(
                workflow_execution=_api.common.WorkflowExecution(
                    workflow_id=self._workflow_id, run_id=self._workflow_run_id or ""
                ),
                update_id=self._id,
            ),
            identity=self._client.identity,
            wait_policy=_api.update.WaitPolicy(lifecycle_stage=_api.number(WorkflowUpdateStage.COMPLETED)),
        )
        while True:
            try:
                reply = await self._client.workflow_service.poll_workflow_execution_update(
                    request, retry=True, metadata=rpc_metadata, timeout=rpc_timeout
                )
            except RPCError as err:
                if err.status in GIVEN_UP:
                    raise errors.WorkflowUpdateRPCTimeoutOrCancelledError() from err
                raise
            except asyncio.CancelledError as err:
                raise errors.WorkflowUpdateRPCTimeoutOrCancelledError() from err
            if reply.HasField("outcome"):
                return reply.outcome


class WithStartWorkflowOperation(Generic[SelfType, ReturnType]):
    """How update-with-start shall start the workflow if it does not run. For one use."""

    @overload
    def __init__(
        self: WithStartWorkflowOperation[SelfType, ReturnType],
        workflow: MethodAsyncNoParam[SelfType, ReturnType],
        **options: Unpack[WithStartOptions],
    ) -> None: ...

    @overload
    def __init__(
        self: WithStartWorkflowOperation[SelfType, ReturnType],
        workflow: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[WithStartOptions],
    ) -> None: ...

    @overload
    def __init__(
        self: WithStartWorkflowOperation[SelfType, ReturnType],
        workflow: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[WithStartOptions],
    ) -> None: ...

    @overload
    def __init__(
        self: WithStartWorkflowOperation[Any, Any],
        workflow: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type | None = ...,
        **options: Unpack[WithStartOptions],
    ) -> None: ...

    def __init__(
        self,
        workflow: Any,
        arg: Any = common._arg_unset,
        *,
        args: Sequence[Any] = [],
        id: str,
        task_queue: str,
        id_conflict_policy: common.WorkflowIDConflictPolicy,
        result_type: type | None = None,
        execution_timeout: timedelta | None = None,
        run_timeout: timedelta | None = None,
        task_timeout: timedelta | None = None,
        id_reuse_policy: common.WorkflowIDReusePolicy = common.WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        retry_policy: common.RetryPolicy | None = None,
        cron_schedule: str = "",
        memo: Mapping[str, Any] | None = None,
        search_attributes: common.TypedSearchAttributes | common.SearchAttributes | None = None,
        static_summary: str | None = None,
        static_details: str | None = None,
        start_delay: timedelta | None = None,
        priority: common.Priority = common.Priority.default,
        versioning_override: common.VersioningOverride | None = None,
        stack_level: int = 2,
    ) -> None:
        """As for Client.start_workflow; the conflict policy has no default."""
        if not id_conflict_policy:
            raise ValueError("WorkflowIDConflictPolicy is required")
        common._warn_on_deprecated_search_attributes(search_attributes, stack_level=stack_level + 1)
        name, declared_type = _names.of_workflow(workflow)
        self._start_workflow_input = inputs.UpdateWithStartStartWorkflowInput(
            workflow=name,
            args=common._arg_or_args(arg, args),
            id=id,
            task_queue=task_queue,
            execution_timeout=execution_timeout,
            run_timeout=run_timeout,
            task_timeout=task_timeout,
            id_reuse_policy=id_reuse_policy,
            id_conflict_policy=id_conflict_policy,
            retry_policy=retry_policy,
            cron_schedule=cron_schedule,
            memo=memo,
            search_attributes=search_attributes,
            start_delay=start_delay,
            headers={},
            static_summary=static_summary,
            static_details=static_details,
            ret_type=result_type or declared_type,
            priority=priority,
            versioning_override=versioning_override,
        )
        self._handle: asyncio.Future[WorkflowHandle[SelfType, ReturnType]] | None = None
        self._used = False

    @property
    def _workflow_handle(self) -> asyncio.Future[WorkflowHandle[SelfType, ReturnType]]:
        if self._handle is None:  # Not before there is a loop.
            self._handle = asyncio.get_running_loop().create_future()
        return self._handle

    def _started(self, handle: WorkflowHandle[Any, Any]) -> None:
        if not self._workflow_handle.done():
            self._workflow_handle.set_result(handle)

    def _not_started(self, error: BaseException) -> None:
        if not self._workflow_handle.done():
            self._workflow_handle.set_exception(error)
            self._workflow_handle.exception()  # Nobody need ask for it.

    async def workflow_handle(self) -> WorkflowHandle[SelfType, ReturnType]:
        """The workflow, once the update-with-start call has started or found it."""
        return await self._workflow_handle
