"""Signals, queries and updates of one run: who handles them, and what their ends mean."""

from __future__ import annotations

import asyncio
import collections
import json
import logging
import traceback
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import chimera
import chimera._border as border
import chimera.common as common
import chimera.exceptions as exceptions
from chimera.api.common.v1 import Payload
from chimera.api.sdk.v1 import (
    EnhancedStackTrace,
    StackTrace,
    StackTraceFileLocation,
    StackTraceFileSlice,
    StackTraceSDKInfo,
    WorkflowDefinition,
    WorkflowInteractionDefinition,
    WorkflowMetadata,
)
from chimera.converter import _plain
from chimera.worker._interceptor import HandleQueryInput, HandleSignalInput, HandleUpdateInput
from chimera.worker._operations import ContinueAsNew
from chimera.workflow._errors import ReadOnlyContextError
from chimera.workflow._handlers import (
    HandlerUnfinishedPolicy,
    UnfinishedSignalHandlersWarning,
    UnfinishedUpdateHandlersWarning,
    _QueryDefinition,
)
from chimera.workflow._info import UpdateInfo, update_variable
from chimera.workflow._runtime import current

if TYPE_CHECKING:
    from chimera.worker._run import Run

logger = logging.getLogger("temporalio.worker._workflow_instance")


@dataclass
class Execution:
    """A handler under way."""

    name: str
    policy: HandlerUnfinishedPolicy
    id: str | None = None


class Handlers:
    """One run's definitions, its class's until it sets its own, and its handlers under way."""

    __slots__ = (
        "_buffered",
        "_definitions",
        "_run",
        "_signal_count",
        "_signal_executions",
        "_update_executions",
    )

    def __init__(self, run: Run) -> None:
        self._run = run
        # By kind. Shared with other runs: `set` replaces it first.
        self._definitions = _of_class(run.definition)
        # Signals that nobody handles yet, by name, in order of first arrival.
        self._buffered: dict[str, list[border.SignalWorkflow]] = {}
        self._signal_executions: dict[int, Execution] = {}
        self._update_executions: dict[str, Execution] = {}
        self._signal_count = 0

    def definitions(self, kind: str) -> Mapping[str | None, Any]:
        return self._definitions[kind]

    def find(self, kind: str, name: str) -> Any:
        """The definition for a name, or the dynamic one, or None."""
        known = self._definitions[kind]
        return known.get(name) or known.get(None)

    def set(self, kind: str, name: str | None, definition: Any) -> None:
        known = dict(self._definitions[kind])
        self._definitions = {**self._definitions, kind: known}
        if definition is None:
            known.pop(name, None)
            return
        known[name] = definition
        if kind == "signal":
            self._deliver_buffered(name, definition)

    def all_finished(self) -> bool:
        return not self._signal_executions and not self._update_executions

    def _arguments(self, definition: Any, name: str, payloads: Sequence[Any]) -> list[Any]:
        run, types = self._run, definition.arg_types
        usual = run.is_plain and definition.name is not None and definition.takes_arguments
        if usual and types and len(types) == len(payloads):
            if (simple := _plain.decode_all(payloads, types)) is not None:
                return simple
        items = [p if isinstance(p, Payload) else Payload.FromString(p) for p in payloads]
        if definition.name is not None:
            # As the official worker: what a handler without parameters is sent does not matter to it.
            return run.decode(items, definition.arg_types) if definition.takes_arguments else []
        if definition.dynamic_vararg:
            return [name, *run.decode(items, (definition.arg_types or [])[1:])]
        return [name, run.decode(items, [common.RawValue] * len(items))]

    # Signals

    def signal(self, job: border.SignalWorkflow) -> None:
        definition = self.find("signal", job.signal_name)
        if definition is None:
            self._buffered.setdefault(job.signal_name, []).append(job)
        else:
            self._start_signal(definition, job)

    def _deliver_buffered(self, name: str | None, definition: Any) -> None:
        names = list(self._buffered) if name is None else [name]
        for each in names:
            for job in self._buffered.pop(each, ()):
                self._start_signal(definition, job)

    def _start_signal(self, definition: Any, job: border.SignalWorkflow) -> None:
        run, name = self._run, job.signal_name
        try:
            args = self._arguments(definition, name, job.input)
        except Exception:
            # A sender's mistake must not stop the workflow.
            logger.exception(
                "Failed deserializing signal input for %s on workflow %s with ID %s and run ID "
                "%s, dropping the signal",
                name,
                run.info.workflow_type,
                run.info.workflow_id,
                run.info.run_id,
                extra={"temporal_workflow": run.logger_details},
            )
            return
        self._signal_count += 1
        number = self._signal_count
        self._signal_executions[number] = Execution(name, definition.unfinished_policy)
        input = HandleSignalInput(name, args, read_headers(job.headers))
        body = run.guard(lambda: run.inbound.handle_signal(input))
        task = run.loop.create_task(body, name=f"signal: {name}")
        task.add_done_callback(lambda _: self._signal_executions.pop(number, None))

    # Queries

    def query(self, job: border.QueryWorkflow) -> None:
        self._run.loop.create_task(self._answer(job), name=f"query: {job.query_type}")

    async def _answer(self, job: border.QueryWorkflow) -> None:
        run, name = self._run, job.query_type
        try:
            with run.as_read_only(query_or_validator=True):
                definition = self.find("query", name)
                if definition is None:
                    raise RuntimeError(
                        f"Query handler for '{name}' expected but not found, "
                        f"known queries: [{self._known('query')}]"
                    )
                args = self._arguments(definition, name, job.arguments)
                input = HandleQueryInput(job.query_id, name, args, read_headers(job.headers))
                result = run.packed(await run.inbound.handle_query(input))
            run.add_command(border.RespondToQuery(job.query_id, result, None))
        except Exception as err:
            failure = run.pack(run.failure_of(err))
            run.add_command(border.RespondToQuery(job.query_id, None, failure))

    def _known(self, kind: str) -> str:
        return " ".join(sorted(name for name in self._definitions[kind] if name))

    # Updates

    def update(self, job: border.DoUpdate) -> None:
        self._run.loop.create_task(_Update(self, job).handle(), name=f"update: {job.name}")

    # Ends

    def warn_unfinished(self) -> None:
        """Say which handlers the end of the workflow cuts off."""
        updates = _worth_a_warning(self._update_executions)
        if updates:
            names = json.dumps([{"name": ex.name, "id": ex.id} for ex in updates])
            warnings.warn(UnfinishedUpdateHandlersWarning(_UNFINISHED.format("update") + names))
        signals = _worth_a_warning(self._signal_executions)
        if signals:
            counts = collections.Counter(ex.name for ex in signals).most_common()
            names = json.dumps([{"name": name, "count": count} for name, count in counts])
            warnings.warn(UnfinishedSignalHandlersWarning(_UNFINISHED.format("signal") + names))

    # Built-in queries

    def stack_trace(self) -> str:
        """Where each task waits."""
        stacks = []
        for task in list(self._run.loop.tasks):
            frames = [
                traceback.FrameSummary(f.f_code.co_filename, f.f_lineno, f.f_code.co_name)
                for f in task.get_stack()
            ]
            lines = "\n".join(traceback.format_list(frames))
            stacks.append(f"Stack for {task!r} (most recent call last):\n{lines}")
        return "\n\n".join(stacks)

    def enhanced_stack_trace(self) -> EnhancedStackTrace:
        trace = EnhancedStackTrace(
            sdk=StackTraceSDKInfo(name="sdk-python", version=chimera.__version__)
        )
        for task in list(self._run.loop.tasks):
            stack = StackTrace()
            for frame in task.get_stack():
                path = frame.f_code.co_filename
                stack.locations.append(
                    StackTraceFileLocation(
                        file_path=path,
                        line=frame.f_lineno,
                        column=-1,
                        function_name=frame.f_code.co_name,
                    )
                )
                if path not in trace.sources:
                    trace.sources[path].CopyFrom(
                        StackTraceFileSlice(line_offset=0, content=_source(path))
                    )
            trace.stacks.append(stack)
        return trace

    def metadata(self) -> WorkflowMetadata:
        def described(kind: str) -> list[WorkflowInteractionDefinition]:
            known = self._definitions[kind].values()
            return [
                WorkflowInteractionDefinition(name=d.name or "", description=d.description or "")
                for d in sorted(known, key=lambda d: d.name or "")
            ]

        return WorkflowMetadata(
            definition=WorkflowDefinition(
                type=self._run.info.workflow_type,
                query_definitions=described("query"),
                signal_definitions=described("signal"),
                update_definitions=described("update"),
            ),
            current_details=self._run.current_details,
        )


def _current() -> Handlers:
    handlers: Any = current().handlers
    return handlers


Definitions = Mapping[str, Mapping[str | None, Any]]
_BUILT_IN = {
    name: _QueryDefinition(name, fn, False, arg_types=[])
    for name, fn in (
        ("__stack_trace", lambda: _current().stack_trace()),
        ("__enhanced_stack_trace", lambda: _current().enhanced_stack_trace()),
        ("__temporal_workflow_metadata", lambda: _current().metadata()),
    )
}


def _of_class(definition: Any) -> Definitions:
    known = vars(definition)
    found = known.get("_with_built_in")
    if found is None:
        found = known["_with_built_in"] = {
            "signal": definition.signals,
            "query": {**definition.queries, **_BUILT_IN},
            "update": definition.updates,
        }
    return found


class _Update:
    """One update, from its arrival to its result."""

    def __init__(self, handlers: Handlers, job: border.DoUpdate) -> None:
        self._handlers = handlers
        self._run = handlers._run
        self._job = job
        self._accepted = False

    def _response(self, response: Any) -> border.UpdateResponse:
        return border.UpdateResponse(self._job.protocol_instance_id, response)

    async def handle(self) -> None:
        run = self._run
        update_variable.set(UpdateInfo(self._job.id, self._job.name))
        try:
            # The answer's place among the commands is where the update began.
            self._commands, self._place = run.commands, run.add_command(None)
            input = self._validate()
            self._commands[self._place] = self._response(border.UpdateAccepted())
            self._accepted = run.accepted_update = True
            result = run.packed(await run.inbound.handle_update_handler(input))
            run.add_command(self._response(border.UpdateCompleted(result)))
        except (Exception, asyncio.CancelledError) as err:
            self._failed(err)
        except ContinueAsNew:
            run.task_error = RuntimeError("Cannot continue as new from an update handler")
        except BaseException:
            if not run.loop.evicting:
                raise
        finally:
            self._handlers._update_executions.pop(self._job.id, None)

    def _validate(self) -> HandleUpdateInput:
        run, handlers, job = self._run, self._handlers, self._job
        definition = handlers.find("update", job.name)
        if definition is None:
            raise RuntimeError(
                f"Update handler for '{job.name}' expected but not found, and there is no "
                f"dynamic handler. known updates: [{handlers._known('update')}]"
            )
        execution = Execution(job.name, definition.unfinished_policy, job.id)
        handlers._update_executions[job.id] = execution
        args = handlers._arguments(definition, job.name, job.input)
        input = HandleUpdateInput(job.id, job.name, args, read_headers(job.headers))
        if job.run_validator and definition.validator is not None:
            with run.as_read_only(query_or_validator=True):
                run.inbound.handle_update_validator(input)
            # The validator may have changed them.
            input.args = handlers._arguments(definition, job.name, job.input)
        if job.run_validator:  # What the history has as accepted is not refused now.
            definition.check_count(len(args))
        return input

    def _failed(self, err: BaseException) -> None:
        run = self._run
        if run.loop.evicting:
            return
        logger.debug("Update raised failure with run ID %s", run.info.run_id, exc_info=True)
        if isinstance(err, asyncio.CancelledError):
            err = exceptions.CancelledError(f"Cancellation raised within update {err}")
        read_only = isinstance(err, ReadOnlyContextError)
        if read_only or (self._accepted and not run.is_failure_exception(err)):
            run.task_error = err
            return
        command = self._response(border.UpdateRejected(run.pack(run.failure_of(err))))
        if self._accepted:
            run.add_command(command)
        else:
            self._commands[self._place] = command


def read_headers(headers: Mapping[str, Any]) -> Mapping[str, Payload]:
    """The headers of a job: still serialized, unless a codec has changed them."""
    return {
        name: item if isinstance(item, Payload) else Payload.FromString(item)
        for name, item in headers.items()
    }


_UNFINISHED = (
    "[TMPRL1102] Workflow finished while {0} handlers are still running: what they had left to do "
    "is lost, and senders of updates get an error. Wait for them with `await "
    "workflow.wait_condition(workflow.all_handlers_finished)`, or, if they may be cut off, say so "
    "with `@workflow.{0}(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)`. The "
    "following {0}s were unfinished (and warnings were not disabled for their handler): "
)


def _worth_a_warning(executions: Mapping[Any, Execution]) -> list[Execution]:
    warn = HandlerUnfinishedPolicy.WARN_AND_ABANDON
    return [execution for execution in executions.values() if execution.policy is warn]


def _source(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError as err:
        return f"Cannot access code.\n---\n{err.strerror}"
