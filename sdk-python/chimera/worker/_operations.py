"""What workflow code starts and awaits: activities, children, other workflows; Nexus operations
are in _nexus_operation.py.

Each started thing has a number (seq) under which its answer comes back. Waiting follows one rule,
`wait_for`: cancelling the waiting task sends a cancel command and goes on waiting for the answer.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import chimera._border as border
import chimera.common as common
import chimera.converter as converter
import chimera.exceptions as exceptions
from chimera import _api
from chimera.activity import _Definition as ActivityDefinition
from chimera.api.command.v1 import (
    ContinueAsNewWorkflowExecutionCommandAttributes,
    RequestCancelExternalWorkflowExecutionCommandAttributes,
    SignalExternalWorkflowExecutionCommandAttributes,
    StartChildWorkflowExecutionCommandAttributes,
)
from chimera.api.common.v1 import RetryPolicy as RetryPolicyProto
from chimera.converter import _plain
from chimera.worker._interceptor import (
    ContinueAsNewInput,
    SignalChildWorkflowInput,
    SignalExternalWorkflowInput,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    StartNexusOperationInput,
)
from chimera.worker._loop import LONGEST
from chimera.worker._nexus_operation import NexusOperation
from chimera.worker._started_first import StartedFirst
from chimera.workflow._activities import ActivityHandle
from chimera.workflow._children import ChildWorkflowHandle, ExternalWorkflowHandle
from chimera.workflow._definition import _Definition as WorkflowDefinition
from chimera.workflow._errors import ContinueAsNewError, VersioningIntent
from chimera.workflow._event_groups import refuse_event_groups
from chimera.workflow._handlers import _SignalDefinition
from chimera.workflow._nexus import NexusOperationCancellationType

if TYPE_CHECKING:
    from chimera.worker._run import Run

# Recorded in the history where code depends on it.
RAISE_ON_CANCELLING_COMPLETED_ACTIVITY = 1
SINGLE_BATCH = 2


class Backoff(BaseException):
    """A local activity has to be tried again after a timer."""

    def __init__(self, told: border.Backoff) -> None:
        super().__init__("Backoff")
        self.told = told


class ContinueAsNew(ContinueAsNewError):
    """Carries the options from the call to the end of the run's main task."""

    def __init__(self, input: ContinueAsNewInput) -> None:
        super().__init__("Continue as new")
        self.input = input


class ActivityTask(ActivityHandle[Any]):
    """The handle of a remote or local activity."""

    def __init__(self, operations: Operations, input: Any, local: bool) -> None:
        self._operations = operations
        self._run = operations.run
        self._input = input
        self._local = local
        self._started = False
        self._cancelled_seq: int | None = None
        self.future = self._run.loop.create_future()
        self.ret_type = input.ret_type
        super().__init__(self._body(), loop=self._run.loop)
        self.seq = operations.next_seq("activity")
        self._run.loop.adopt(self, f"activity: {input.activity}")
        self._context: converter.ActivitySerializationContext | None = None
        self.payloads = self._run.payloads_for(self.make_context)
        self.failures = self._run.failures_for(self.make_context)

    @property
    def context(self) -> converter.ActivitySerializationContext:
        return self.make_context()

    def make_context(self) -> converter.ActivitySerializationContext:
        if self._context is None:
            input, info = self._input, self._run.info
            self._context = converter.ActivitySerializationContext(
                namespace=info.namespace,
                activity_id=input.activity_id,
                activity_type=input.activity,
                activity_task_queue=(None if self._local else input.task_queue) or info.task_queue,
                workflow_id=info.workflow_id,
                workflow_type=info.workflow_type,
                is_local=self._local,
            )
        return self._context

    async def _body(self) -> Any:
        self._started = True
        while True:
            try:
                return await self._operations.wait_for(
                    self.future, self._request_cancel, RAISE_ON_CANCELLING_COMPLETED_ACTIVITY
                )
            except Backoff as backoff:
                await self._run.sleep(backoff.told.duration / 1e9, None)
                self.schedule(backoff.told)

    def cancel(self, msg: Any | None = None) -> bool:
        if not self._run.loop.evicting:
            self._run.loop.check("cancel activity handle")
            if not self._started and not self.done():
                self._request_cancel()  # Its body, which would do that, is never entered.
        return super().cancel(msg)

    def _request_cancel(self, _error: Any = None) -> None:
        if self._cancelled_seq == self.seq and not self._run.loop.evicting:
            return
        self._cancelled_seq = self.seq
        if self._local:
            self._run.add_command(border.RequestCancelLocalActivity(self.seq))
        else:
            self._run.add_command(border.RequestCancelActivity(self.seq))

    def schedule(self, backoff: border.Backoff | None = None) -> None:
        command = self._local_command(backoff) if self._local else self._remote_command()
        self._run.add_command(command, self.make_context)
        self._operations.activities[self.seq] = self

    # Fields go by position: names would take as long as all else about the tuple.

    def _remote_command(self) -> border.ScheduleActivity:
        input, run = self._input, self._run
        arguments = self._arguments()
        run.loop.check("add command")
        queue = input.task_queue or run.info.task_queue
        is_default = input.priority is common.Priority.default
        return border.ScheduleActivity(
            self.seq,
            input.activity_id or str(self.seq),
            input.activity,
            queue,
            self._headers(),
            arguments,
            _nanoseconds(input.schedule_to_close_timeout, "schedule_to_close_timeout"),
            _nanoseconds(input.schedule_to_start_timeout, "schedule_to_start_timeout"),
            _nanoseconds(input.start_to_close_timeout, "start_to_close_timeout"),
            _nanoseconds(input.heartbeat_timeout, "heartbeat_timeout"),
            _retry_policy(input.retry_policy) if input.retry_policy else None,
            None if is_default else input.priority._to_proto().SerializeToString(),
            _same_build(input.versioning_intent, queue, run.info),
            int(input.cancellation_type),
            input.disable_eager_execution,
            run.user_metadata(input.summary, None, self.payloads),
        )

    def _local_command(self, backoff: border.Backoff | None) -> border.ScheduleLocalActivity:
        input, run = self._input, self._run
        return border.ScheduleLocalActivity(
            self.seq,
            input.activity_id or str(self.seq),
            input.activity,
            backoff.attempt if backoff else 1,
            backoff.original_schedule_time if backoff else None,
            self._headers(),
            self._arguments(),
            _nanoseconds(input.schedule_to_close_timeout, "schedule_to_close_timeout"),
            _nanoseconds(input.schedule_to_start_timeout, "schedule_to_start_timeout"),
            _nanoseconds(input.start_to_close_timeout, "start_to_close_timeout"),
            _retry_policy(input.retry_policy) if input.retry_policy else b"",
            _nanoseconds(input.local_retry_threshold, "local_retry_threshold"),
            int(input.cancellation_type),
            run.user_metadata(input.summary, None, self.payloads),
        )

    def _arguments(self) -> list[Any]:
        args, run = self._input.args, self._run
        if not args:
            return []
        if run.is_plain and (simple := _plain.encode_all(args)) is not None:
            return simple
        return [run.pack(payload) for payload in self.payloads.to_payloads(args)]

    def _headers(self) -> dict[str, Any]:
        headers = self._input.headers
        return {name: self._run.pack(item) for name, item in headers.items()} if headers else {}

    def resolve(self, result: Any) -> None:
        """The answer of the core."""
        run = self._run
        if isinstance(result, border.Backoff):
            old, self.future = self.future, run.loop.create_future()
            self.seq = self._operations.next_seq("activity")
            old.set_exception(Backoff(result))
        elif isinstance(result, border.Completed):
            self.future.set_result(run.decode_result(result.result, self.ret_type, self.payloads))
        elif self._started:
            error = run.decode_failure(result.failure, self.failures, self.payloads)
            self.future.set_exception(error)


class ChildTask(ChildWorkflowHandle[Any, Any], StartedFirst):
    """The handle of a child workflow."""

    def __init__(self, operations: Operations, input: StartChildWorkflowInput) -> None:
        self._operations = operations
        self._run = operations.run
        self._input = input
        self._run_id = "<unknown>"
        self.seq = operations.next_seq("child")
        self.start = self._run.loop.create_future()
        self.future = self._run.loop.create_future()
        super().__init__(self._body(), loop=self._run.loop)
        self._run.loop.adopt(self, f"child: {input.workflow}")
        self.context = converter.WorkflowSerializationContext(self._run.info.namespace, input.id)
        self.payloads = self._run.payloads_for(self.context)
        self.failures = self._run.failures_for(self.context)

    async def _body(self) -> Any:
        return await self._operations.wait_for(self.future, self.request_cancel)

    @property
    def id(self) -> str:
        return self._input.id

    @property
    def first_execution_run_id(self) -> str | None:
        return self._run_id

    async def signal(
        self,
        signal: str | Callable,
        arg: Any = common._arg_unset,
        *,
        args: Sequence[Any] = [],
        event_groups: Any = None,
    ) -> None:
        self._run.loop.check("signal child handle")
        refuse_event_groups(event_groups)
        name = _SignalDefinition.must_name_from_fn_or_str(signal)
        values = common._arg_or_args(arg, args)
        await self._run.outbound.signal_child_workflow(
            SignalChildWorkflowInput(name, values, self._input.id, {})
        )

    def request_cancel(self, error: asyncio.CancelledError) -> None:
        reason = error.args[0] if error.args and isinstance(error.args[0], str) else ""
        self._run.add_command(border.CancelChildWorkflowExecution(self.seq, reason))

    def schedule(self) -> None:
        input, info = self._input, self._run.info
        attributes = StartChildWorkflowExecutionCommandAttributes()
        if input.args:
            attributes.input.payloads.extend(self.payloads.to_payloads(input.args))
        queue = input.task_queue or info.task_queue
        attributes.namespace = info.namespace
        attributes.workflow_id = input.id
        attributes.workflow_type.name = input.workflow
        attributes.task_queue.name = queue
        for name in ("execution", "run", "task"):
            if duration := getattr(input, f"{name}_timeout"):
                getattr(attributes, f"workflow_{name}_timeout").FromTimedelta(duration)
        attributes.parent_close_policy = _api.number(input.parent_close_policy)
        attributes.workflow_id_reuse_policy = _api.number(input.id_reuse_policy)
        if input.retry_policy:
            input.retry_policy.apply_to_proto(attributes.retry_policy)
        attributes.cron_schedule = input.cron_schedule
        _add_common(self._run, self.payloads, input, attributes)
        attributes.inherit_build_id = _same_build(input.versioning_intent, queue, info)
        if input.versioning_override:
            attributes.versioning_override.CopyFrom(input.versioning_override._to_proto())
        if input.priority is not common.Priority.default:
            attributes.priority.CopyFrom(input.priority._to_proto())
        metadata = self._run.user_metadata(
            input.static_summary, input.static_details, self.payloads
        )
        command = border.StartChildWorkflowExecution(
            seq=self.seq,
            attributes=self._run.pack(attributes),
            cancellation_type=int(input.cancellation_type),
            user_metadata=metadata,
        )
        self._run.add_command(command, self.context)
        self._operations.children[self.seq] = self

    def resolve_start(self, status: Any) -> None:
        if isinstance(status, border.ChildStarted):
            self._run_id = status.run_id
            self.start.set_result(None)
            return
        self._operations.children.pop(self.seq)
        if isinstance(status, border.Cancelled):
            self._fail(self._run.decode_failure(status.failure, self.failures, self.payloads))
            return
        # StartChildWorkflowExecutionFailedCause of temporal/api/enums/v1/failed_cause.proto.
        if status.cause == 1:
            self._fail(exceptions.WorkflowAlreadyStartedError(status.workflow_id, status.workflow_type))
        elif status.cause == 3:
            self._fail(exceptions.InvalidVersioningOverrideError())
        else:
            self._fail(RuntimeError(f"Unknown child start fail cause: {status.cause}"))

    def resolve(self, result: Any) -> None:
        self._end(result, self._input.ret_type)


class External(ExternalWorkflowHandle[Any]):
    """The handle of another workflow."""

    def __init__(self, run: Run, workflow_id: str, run_id: str | None) -> None:
        self._run = run
        self._workflow_id = workflow_id
        self._run_id = run_id

    @property
    def id(self) -> str:
        return self._workflow_id

    @property
    def run_id(self) -> str | None:
        return self._run_id

    async def signal(
        self,
        signal: str | Callable,
        arg: Any = common._arg_unset,
        *,
        args: Sequence[Any] = [],
        event_groups: Any = None,
    ) -> None:
        self._run.loop.check("signal external handle")
        refuse_event_groups(event_groups)
        await self._run.outbound.signal_external_workflow(
            SignalExternalWorkflowInput(
                signal=_SignalDefinition.must_name_from_fn_or_str(signal),
                args=common._arg_or_args(arg, args),
                namespace=self._run.info.namespace,
                workflow_id=self._workflow_id,
                workflow_run_id=self._run_id,
                headers={},
            )
        )

    async def cancel(self, *, reason: str = "", event_groups: Any = None) -> None:
        self._run.loop.check("cancel external handle")
        refuse_event_groups(event_groups)
        await self._run.operations.cancel_external(self._workflow_id, self._run_id, reason)


class Operations:
    """All that one run has started and not yet an answer for."""

    __slots__ = ("_last", "activities", "cancels", "children", "nexus", "run", "signals")

    def __init__(self, run: Run) -> None:
        self.run = run
        self.activities: dict[int, ActivityTask] = {}
        self.children: dict[int, ChildTask] = {}
        self.nexus: dict[int, NexusOperation] = {}
        # seq -> (future, id of the other workflow)
        self.signals: dict[int, tuple[asyncio.Future, str]] = {}
        self.cancels: dict[int, tuple[asyncio.Future, str]] = {}
        self._last: dict[str, int] = {}

    def next_seq(self, kind: str) -> int:
        self._last[kind] = seq = self._last.get(kind, 0) + 1
        return seq

    def stores_for(self, command: Any) -> converter.StorageDriverWorkflowInfo | None:
        """The other workflow for which a command's large payloads are kept, if it is another."""
        namespace = self.run.info.namespace
        is_child = isinstance(command, border.StartChildWorkflowExecution)
        if is_child and (child := self.children.get(command.seq)):
            return converter.StorageDriverWorkflowInfo(
                namespace=namespace, id=child.id, type=child._input.workflow
            )
        is_signal = isinstance(command, border.SignalExternalWorkflowExecution)
        if is_signal and (signal := self.signals.get(command.seq)):
            return converter.StorageDriverWorkflowInfo(namespace=namespace, id=signal[1])
        return None

    async def wait_for(
        self,
        future: asyncio.Future,
        send_cancel: Callable[[asyncio.CancelledError], object],
        flag: int | None = None,
        reraise: bool = False,
    ) -> Any:
        """Wait for an answer; see the head of this file.

        With `flag`, a cancellation that arrives together with the answer is raised where the
        history has that flag or is being made; with SINGLE_BATCH it always is. With `reraise`,
        cancellation of the workflow is raised at once.
        """
        run = self.run
        while True:
            try:
                return await _shielded(future, run.loop)
            except asyncio.CancelledError as err:
                if future.done():
                    # To wait on would give the answer, and the cancellation would be forgotten.
                    if run.single_batch or (flag is not None and run.use_flag(flag)):
                        raise
                send_cancel(err)
                task = asyncio.current_task()
                if sys.version_info >= (3, 11) and task is not None:
                    task.uncancel()
                if reraise and (run.cancel_reason is not None or run.loop.evicting):
                    raise

    # Called by workflow code, through the outbound interceptors

    def start_activity(
        self, activity: Any, args: Sequence[Any], result_type: type | None, **options: Any
    ) -> Any:
        self.run.loop.check("start activity")
        name, arg_types, ret_type = _activity_of(activity, result_type)
        return self.run.outbound.start_activity(
            StartActivityInput(
                activity=name,
                args=args,
                headers={},
                disable_eager_execution=self.run.disable_eager_activity_execution,
                arg_types=arg_types,
                ret_type=ret_type,
                **options,
            )
        )

    def start_local_activity(
        self, activity: Any, args: Sequence[Any], result_type: type | None, **options: Any
    ) -> Any:
        name, arg_types, ret_type = _activity_of(activity, result_type)
        self.run.assert_local_activity(name)
        return self.run.outbound.start_local_activity(
            StartLocalActivityInput(
                activity=name,
                args=args,
                headers={},
                arg_types=arg_types,
                ret_type=ret_type,
                **options,
            )
        )

    async def start_child(
        self, workflow: Any, args: Sequence[Any], result_type: type | None, **options: Any
    ) -> Any:
        arg_types = None
        if isinstance(workflow, str):
            name = workflow
        elif callable(workflow):
            definition = WorkflowDefinition.must_from_run_fn(workflow)
            if definition.name is None:
                raise TypeError("Cannot invoke dynamic workflow explicitly")
            name, arg_types = definition.name, definition.arg_types
            result_type = definition.ret_type
        else:
            raise TypeError("Workflow must be a string or callable")
        return await self.run.outbound.start_child_workflow(
            StartChildWorkflowInput(
                workflow=name,
                args=args,
                headers={},
                arg_types=arg_types,
                ret_type=result_type,
                **options,
            )
        )

    async def start_nexus(
        self, endpoint: str, service: str, operation: Any, input: Any, **options: Any
    ) -> Any:
        options.setdefault("cancellation_type", NexusOperationCancellationType.WAIT_COMPLETED)
        for name in (
            "schedule_to_close_timeout",
            "schedule_to_start_timeout",
            "start_to_close_timeout",
            "headers",
            "summary",
        ):
            options.setdefault(name, None)
        return await self.run.outbound.start_nexus_operation(
            StartNexusOperationInput(
                endpoint=endpoint, service=service, operation=operation, input=input, **options
            )
        )

    def external_handle(self, workflow_id: str, run_id: str | None) -> External:
        return External(self.run, workflow_id, run_id)

    def continue_as_new(self, workflow: Any, args: Sequence[Any], **options: Any) -> NoReturn:
        self.run.loop.check("continue as new")
        name, arg_types = None, None
        if isinstance(workflow, str):
            name = workflow
        elif callable(workflow):
            definition = WorkflowDefinition.must_from_run_fn(workflow)
            name, arg_types = definition.name, definition.arg_types
        elif workflow is not None:
            raise TypeError("Workflow must be None, a string, or callable")
        self.run.outbound.continue_as_new(
            ContinueAsNewInput(
                workflow=name, args=args, headers={}, arg_types=arg_types, **options
            )
        )
        raise RuntimeError("An interceptor kept continue_as_new from ending the run")

    # Called by the last of the outbound interceptors

    def schedule_activity(self, input: Any, local: bool) -> ActivityTask:
        if not input.start_to_close_timeout and not input.schedule_to_close_timeout:
            raise ValueError(
                "Activity must have start_to_close_timeout or schedule_to_close_timeout"
            )
        task = ActivityTask(self, input, local)
        task.schedule()
        return task

    async def schedule_child(self, input: StartChildWorkflowInput) -> ChildTask:
        child = ChildTask(self, input)
        child.schedule()
        await self.wait_for(child.start, child.request_cancel, reraise=True)
        return child

    async def schedule_nexus(self, input: StartNexusOperationInput) -> NexusOperation:
        operation = NexusOperation(self, input)
        operation.schedule()
        await self.wait_for(operation.start, operation.request_cancel, reraise=True)
        return operation

    async def signal(
        self,
        name: str,
        args: Sequence[Any],
        headers: Mapping[str, Any],
        namespace: str,
        workflow_id: str,
        run_id: str | None,
        is_child: bool,
    ) -> None:
        """Signal a child or another workflow."""
        run = self.run
        context = converter.WorkflowSerializationContext(namespace, workflow_id)
        attributes = SignalExternalWorkflowExecutionCommandAttributes(
            namespace=namespace, signal_name=name, child_workflow_only=is_child
        )
        attributes.execution.workflow_id = workflow_id
        attributes.execution.run_id = run_id or ""
        if args:
            attributes.input.payloads.extend(run.payloads_for(context).to_payloads(args))
        if headers:
            common._apply_headers(headers, attributes.header.fields)
        seq = self.next_seq("signal")
        run.add_command(border.SignalExternalWorkflowExecution(seq, run.pack(attributes)), context)
        future = run.loop.create_future()
        self.signals[seq] = (future, workflow_id)
        await self.wait_for(
            future, lambda _: run.add_command(border.CancelSignalWorkflow(seq))
        )

    async def cancel_external(self, workflow_id: str, run_id: str | None, reason: str) -> None:
        attributes = RequestCancelExternalWorkflowExecutionCommandAttributes(
            namespace=self.run.info.namespace,
            workflow_id=workflow_id,
            run_id=run_id or "",
            reason=reason,
        )
        seq = self.next_seq("cancel")
        packed = self.run.pack(attributes)
        self.run.add_command(border.RequestCancelExternalWorkflowExecution(seq, packed))
        future = self.run.loop.create_future()
        self.cancels[seq] = (future, workflow_id)
        await future

    def continue_as_new_command(
        self, input: ContinueAsNewInput
    ) -> border.ContinueAsNewWorkflowExecution:
        run, info = self.run, self.run.info
        attributes = ContinueAsNewWorkflowExecutionCommandAttributes()
        if input.args:
            attributes.input.payloads.extend(run.payload_converter.to_payloads(input.args))
        attributes.workflow_type.name = input.workflow or info.workflow_type
        attributes.task_queue.name = input.task_queue or info.task_queue
        for name, field in (
            ("run_timeout", "workflow_run_timeout"),
            ("task_timeout", "workflow_task_timeout"),
            ("backoff_start_interval", "backoff_start_interval"),
        ):
            if duration := getattr(input, name):
                getattr(attributes, field).FromTimedelta(duration)
        if input.retry_policy:
            input.retry_policy.apply_to_proto(attributes.retry_policy)
        _add_common(run, run.payload_converter, input, attributes)
        queue = attributes.task_queue.name
        attributes.inherit_build_id = _same_build(input.versioning_intent, queue, info)
        attributes.initial_versioning_behavior = _api.number(input.initial_versioning_behavior or 0)
        return border.ContinueAsNewWorkflowExecution(run.pack(attributes))

    # Answers

    def resolve_activity(self, job: border.ResolveActivity) -> None:
        activity = _known(self.activities.pop(job.seq, None), "activity handle", job.seq)
        activity.resolve(job.result)

    def resolve_child_start(self, job: border.ResolveChildWorkflowExecutionStart) -> None:
        child = _known(self.children.get(job.seq), "child workflow handle", job.seq)
        child.resolve_start(job.status)

    def resolve_child(self, job: border.ResolveChildWorkflowExecution) -> None:
        child = _known(self.children.pop(job.seq, None), "child workflow handle", job.seq)
        child.resolve(job.result)

    def resolve_nexus_start(self, job: border.ResolveNexusOperationStart) -> None:
        operation = _known(self.nexus.get(job.seq), "nexus operation handle", job.seq)
        operation.resolve_start(job.status)

    def resolve_nexus(self, job: border.ResolveNexusOperation) -> None:
        operation = self.nexus.pop(job.seq, None)
        if operation is not None:  # Not so after a failed start.
            operation.resolve(job.result)

    def resolve_signal(self, job: border.ResolveSignalExternalWorkflow) -> None:
        pending = _known(self.signals.pop(job.seq, None), "external signal", job.seq)
        self._resolve_external(pending, job.failure)

    def resolve_cancel(self, job: border.ResolveRequestCancelExternalWorkflow) -> None:
        pending = _known(self.cancels.pop(job.seq, None), "external cancel", job.seq)
        self._resolve_external(pending, job.failure)

    def _resolve_external(self, pending: tuple[asyncio.Future, str], failure: Any) -> None:
        future, workflow_id = pending
        if future.cancelled():
            return
        if failure is None:
            future.set_result(None)
            return
        run = self.run
        context = converter.WorkflowSerializationContext(run.info.namespace, workflow_id)
        failures, payloads = run.failures_for(context), run.payloads_for(context)
        future.set_exception(run.decode_failure(failure, failures, payloads))


RESOLVED_BY: Mapping[type, Callable[[Operations, Any], None]] = {
    border.ResolveActivity: Operations.resolve_activity,
    border.ResolveChildWorkflowExecutionStart: Operations.resolve_child_start,
    border.ResolveChildWorkflowExecution: Operations.resolve_child,
    border.ResolveSignalExternalWorkflow: Operations.resolve_signal,
    border.ResolveRequestCancelExternalWorkflow: Operations.resolve_cancel,
    border.ResolveNexusOperationStart: Operations.resolve_nexus_start,
    border.ResolveNexusOperation: Operations.resolve_nexus,
}


async def _shielded(future: asyncio.Future, loop: Any) -> Any:
    """The result, without letting a cancellation through to the future.

    The number of loop turns from result to waiter counts for the order of commands: it is that of
    `asyncio.wait`, which the official package uses, so that its histories replay.
    """
    waiter = loop.create_future()

    def wake(_future: Any) -> None:
        if not waiter.done():
            waiter.set_result(None)

    future.add_done_callback(wake)
    try:
        await waiter
    finally:
        future.remove_done_callback(wake)
    return future.result()


def _known(found: Any, what: str, seq: int) -> Any:
    if found is None:
        raise RuntimeError(f"Failed finding {what} for sequence {seq}")
    return found


def _activity_of(
    activity: Any, result_type: type | None
) -> tuple[str, list[type] | None, type | None]:
    if isinstance(activity, str):
        return activity, None, result_type
    if not callable(activity):
        raise TypeError("Activity must be a string or callable")
    definition = ActivityDefinition.must_from_callable(activity)
    if definition.name is None:
        raise ValueError("Cannot invoke dynamic activity explicitly")
    return definition.name, definition.arg_types, definition.ret_type


def _retry_policy(policy: common.RetryPolicy) -> bytes:
    message = RetryPolicyProto()
    policy.apply_to_proto(message)
    return message.SerializeToString()


def _nanoseconds(duration: Any, option: str | None = None) -> int:
    """A negative one is refused by its option's name; one that is too long is as long as may be."""
    if not duration:
        return 0
    if option is not None and duration.days < 0:
        raise ValueError(
            f"{option} is negative ({duration.total_seconds()} s): give none for no limit")
    return min((duration.days * 86_400_000_000 + duration.seconds * 1_000_000
                + duration.microseconds) * 1000, LONGEST)


def _same_build(intent: VersioningIntent | None, queue: str, info: Any) -> bool:
    """Unless the user says otherwise, what stays on the queue stays with the build."""
    if intent is None:
        return queue == info.task_queue
    return intent is VersioningIntent.COMPATIBLE


def _add_common(run: Run, payloads: converter.PayloadConverter, input: Any, attributes: Any) -> None:
    """Headers, memo and search attributes of what starts a workflow."""
    if input.headers:
        common._apply_headers(input.headers, attributes.header.fields)
    for name, value in (input.memo or {}).items():
        attributes.memo.fields[name].CopyFrom(payloads.to_payload(value))
    if input.search_attributes:
        converter.encode_search_attributes(input.search_attributes, attributes.search_attributes)
