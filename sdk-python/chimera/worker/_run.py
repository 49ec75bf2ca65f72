"""Run: one workflow run in Python. It applies activations and collects commands.

Owned by the workflow worker, used by one thread at a time: that of its activation, see
_workflow_threads.py. The rules of an activation's order are
those of the official Python package, because histories depend on them: patches, then signals and
updates, then everything else, then queries; code runs until it waits after each of these sets.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import chimera._border as border
import chimera.common as common
import chimera.converter as converter
import chimera.exceptions as exceptions
from chimera.api.common.v1 import Memo, Payload, SearchAttributes
from chimera.api.failure.v1 import Failure
from chimera.api.sdk.v1 import UserMetadata
from chimera.converter import _plain
from chimera.converter._payload import is_default
from chimera.worker._chain import InboundEnd, OutboundEnd
from chimera.worker._interceptor import ExecuteWorkflowInput
from chimera.worker._loop import WorkflowLoop, timer_metadata
from chimera.worker._metrics import ReplaySafeMeter
from chimera.worker._operations import RESOLVED_BY, SINGLE_BATCH, ContinueAsNew, Operations
from chimera.worker._places import caller
from chimera.worker._runner import (
    Completion,
    PatchActivationInput,
    WorkflowInstance,
    WorkflowInstanceDetails,
)
from chimera.worker._workflow_handlers import Handlers
from chimera.worker._workflow_threads import DeadlockInterrupt
from chimera.workflow._info import Info
from chimera.workflow._runtime import Run as RunOfWorkflowCode

logger = logging.getLogger("temporalio.worker._workflow_instance")

# A context, or what makes it: only few converters ask.
Context: TypeAlias = converter.SerializationContext | Callable[[], converter.SerializationContext]

# Job -> the set it is applied with. What is not listed belongs to the third.
_PATCHES, _INCOMING, _REST, _QUERIES = range(4)
_SET_OF: Mapping[type, int] = {
    border.NotifyHasPatch: _PATCHES,
    border.SignalWorkflow: _INCOMING,
    border.DoUpdate: _INCOMING,
    border.QueryWorkflow: _QUERIES,
}

# Shared by all runs: it has no state.
_FAILURES = converter.DefaultFailureConverter()
_NONE: frozenset[str] = frozenset()
_NO_COMPLETION = Completion([], [], [])

_ENDS = (
    border.CompleteWorkflowExecution,
    border.FailWorkflowExecution,
    border.CancelWorkflowExecution,
    border.ContinueAsNewWorkflowExecution,
)


class Run(WorkflowInstance):
    """See the head of the file. `loop`, `handlers` and `operations` hold their parts of the state."""

    # A cache holds thousands.
    __slots__ = (
        "_available_flags", "_cancel_main_at_its_start", "_completion", "_conditions", "_details", "_failure_types",
        "_in_query_or_validator", "_input", "_logger_details", "_main", "_memo", "_meter", "_notified_patches",
        "_own_context", "_patches", "_random", "_raw_failures", "_raw_payloads", "_seed_callbacks", "_thread_id",
        "_version", "_versioning", "accepted_update", "cancel_reason", "continue_as_new_suggested", "current_details",
        "definition", "disable_eager_activity_execution", "extern_functions", "failure_converter", "handlers",
        "history_length", "history_size", "inbound", "info", "is_plain", "is_replaying", "loop", "object", "operations",
        "outbound", "payload_converter", "seed", "single_batch", "target_version_changed", "task_error",
    )

    def __init__(self, details: WorkflowInstanceDetails) -> None:
        info = details.info
        self.info: Info = info
        self.definition = details.defn
        self.object: Any = None
        self.extern_functions = details.extern_functions
        self.disable_eager_activity_execution = details.disable_eager_activity_execution
        self._logger_details: Mapping[str, Any] | None = None
        # The tasks' names say where they belong in logs and stack traces.
        suffix = f" (workflow: {info.workflow_type}, id: {info.workflow_id}, run: {info.run_id})"
        self.loop = WorkflowLoop(self, suffix)  # type: ignore[abstract]  # Without what workflows must not use.
        self.handlers = Handlers(self)
        self.operations = Operations(self)
        self.is_replaying = False
        self.history_length = 0
        self.history_size = 0
        self.continue_as_new_suggested = False
        self.target_version_changed = False
        self._version: border.DeploymentVersion | None = None
        self.cancel_reason: str | None = None
        self.current_details = ""
        self.seed = details.randomness_seed
        self._random: random.Random | None = None
        self._seed_callbacks: list[Callable[[int], None]] | None = None
        self.task_error: BaseException | None = None
        self.accepted_update = False
        self._details = details
        self._raw_payloads = details.payload_converter_factory()
        self.is_plain = is_default(self._raw_payloads) and not details.messages_for_codec
        failures = details.failure_converter_class
        self._raw_failures = _FAILURES if failures is type(_FAILURES) else failures()
        own = converter.WorkflowSerializationContext(info.namespace, info.workflow_id)
        self._own_context = own
        self.payload_converter = self.payloads_for(own)
        self.failure_converter = self.failures_for(own)
        self._input: ExecuteWorkflowInput | None = None
        self._main: asyncio.Task | None = None
        self._conditions: list[tuple[Callable[[], bool], asyncio.Future]] = []
        self._notified_patches = _NONE
        self._patches: dict[str, bool] = {}
        self._memo: dict[str, Any] | None = None
        self._meter: common.MetricMeter | None = None
        self._in_query_or_validator = False
        self._failure_types: Sequence[type[BaseException]] = details.defn.failure_exception_types
        self._versioning = 0
        self._available_flags: Sequence[int] = ()
        self.single_batch = False  # All sets of an activation's jobs are applied before code runs.
        self._cancel_main_at_its_start = False
        self._thread_id: int | None = None
        self._completion = _NO_COMPLETION
        self.inbound, self.outbound = self._intercept(details)

    def _intercept(self, details: WorkflowInstanceDetails) -> tuple[Any, Any]:
        """The chain around this run. `workflow.info()` works while it is made, commands do not."""
        end = InboundEnd(self)
        self.outbound = OutboundEnd(self)
        inbound: Any = end
        before = asyncio._get_running_loop()
        asyncio._set_running_loop(self.loop)
        try:
            for interceptor_class in reversed(details.interceptor_classes):
                inbound = interceptor_class(inbound)
            inbound.init(self.outbound)
        finally:
            asyncio._set_running_loop(before)
        return inbound, end.outbound

    # Activation

    def activate(self, act: border.Activation) -> Completion:
        completion = self._completion = Completion([], [], [])
        self._begin(act)
        try:
            self._apply_all(act.jobs)
        except Exception as err:
            self._activation_failed(err)
        finally:
            self._thread_id = None
        if self.loop.evicting:
            self._check_evicted()
        elif completion.failure is None:
            completion.versioning_behavior = self._versioning
            for command in completion.commands:
                if isinstance(command, _ENDS):
                    self.handlers.warn_unfinished()
                    break
        return completion

    def _begin(self, act: border.Activation) -> None:
        self.loop.now_ns = act.time
        self.is_replaying = act.is_replaying
        self.history_length = act.history_length
        self.history_size = act.history_size_bytes
        self.continue_as_new_suggested = act.continue_as_new_suggested
        self.target_version_changed = act.target_worker_deployment_version_changed
        self._version = act.deployment_version
        self._available_flags = act.available_internal_flags
        self.task_error = None
        self.accepted_update = False
        self._thread_id = threading.get_ident()
        by_default = SINGLE_BATCH in self._details.default_workflow_logic_flags
        self.single_batch = SINGLE_BATCH in self._available_flags or (
            by_default and self.use_flag(SINGLE_BATCH)
        )

    def _apply_all(self, jobs: Sequence[border.Job]) -> None:
        if len(jobs) == 1 and not isinstance(jobs[0], border.InitializeWorkflow):  # As below, without the lists.
            kind = _SET_OF.get(type(jobs[0]), _REST)
            _JOBS[type(jobs[0])](self, jobs[0])
            self._run_loop(kind in (_INCOMING, _REST), isinstance(jobs[0], border.DoUpdate))
            return
        sets: list[list[border.Job]] = [[], [], [], []]
        for job in jobs:
            sets[_SET_OF.get(type(job), _REST)].append(job)
            if isinstance(job, border.InitializeWorkflow):
                self._prepare_input(job.started)
        if sets[_QUERIES] and len(sets[_QUERIES]) != len(jobs):
            raise AssertionError("Query jobs must not share an activation with non-query jobs.")
        only_updates = all(isinstance(job, border.DoUpdate) for job in jobs)
        for kind, jobs_of_kind in enumerate(sets):
            if not jobs_of_kind:
                continue
            for job in jobs_of_kind:
                _JOBS[type(job)](self, job)
            if not self.single_batch:
                self._run_loop(kind in (_INCOMING, _REST), only_updates)
        if self.single_batch and jobs:
            self._run_loop(bool(sets[_INCOMING] or sets[_REST]), only_updates)

    def _run_loop(self, check_conditions: bool, only_updates: bool) -> None:
        """Run what is ready, and what becomes ready by it, until all code waits."""
        loop = self.loop
        before = asyncio._get_running_loop()
        asyncio._set_running_loop(loop)
        try:
            if self.object is None and not loop.evicting:
                self.object = self._instantiate()
            while loop.ready:
                while loop.ready:
                    self._run_batch()
                # A rejected update leaves no trace in the history, so it must wake nothing.
                if check_conditions and (not only_updates or self.accepted_update):
                    self._check_conditions()
        finally:
            asyncio._set_running_loop(before)

    def _run_batch(self) -> None:
        loop = self.loop
        batch, loop.ready = loop.ready, []
        for index, handle in enumerate(batch):
            handle._run()
            if self.task_error is not None and not loop.evicting:
                loop.ready[:0] = batch[index + 1 :]
                raise self.task_error

    def _check_conditions(self) -> None:
        if not self._conditions:
            return
        waiting = []
        for predicate, future in self._conditions:
            if future.done():
                continue
            if predicate():
                future.set_result(True)
            else:
                waiting.append((predicate, future))
        self._conditions = waiting

    def _activation_failed(self, err: Exception) -> None:
        if self.loop.evicting:
            return
        if self.is_failure_exception(err):
            self.fail_workflow(err)
            return
        info = self.info
        logger.warning(
            "Failed activation on workflow %s with ID %s and run ID %s",
            info.workflow_type,
            info.workflow_id,
            info.run_id,
            exc_info=err,
            extra={
                "temporal_workflow": self.logger_details,
                "__temporal_error_identifier": "WorkflowTaskFailure",
            },
        )
        self._completion.failure = self.task_failure(err)

    def task_failure(self, err: BaseException) -> Failure:
        """The failure of a task, even if the user's converter cannot make one."""
        failure = Failure()
        try:
            self.failure_converter.to_failure(err, self.payload_converter, failure)
        except Exception as inner:
            logger.exception(
                "Failed converting activation exception on workflow with run ID %s",
                self.info.run_id,
            )
            failure.message = f"Failed converting activation exception: {inner}"
            failure.application_failure_info.SetInParent()
        return failure

    def _check_evicted(self) -> None:
        if self.loop.tasks:
            raise RuntimeError(
                f"Eviction processed, but {len(self.loop.tasks)} tasks remain. "
                f"Stack traces below:\n\n{self.handlers.stack_trace()}"
            )

    # Jobs

    def _prepare_input(self, started: Any) -> None:
        """Decode the arguments. Before any job: an undecodable one fails the task right away."""
        types = self.definition.arg_types
        payloads = started.input.payloads
        if self.definition.name is None:
            args = [self.decode(payloads, [common.RawValue] * len(payloads))]
        elif types == []:  # As with the official worker, what is sent does not matter then.
            args = []
        else:
            args = self._simple(payloads, types) or self.decode(payloads, types)
        self._input = ExecuteWorkflowInput(
            self.definition.cls, self.definition.run_fn, args, self.info.headers
        )

    def _simple(self, payloads: Sequence[Payload], types: Sequence[type] | None) -> list[Any] | None:
        if not self.is_plain or not types or len(types) != len(payloads):
            return None
        return _plain.decode_all([payload.SerializeToString() for payload in payloads], types)

    def _initialize(self, _job: border.InitializeWorkflow) -> None:
        body = self.guard(self._execute, self._completed)
        self._main = self.loop.create_task(body, name="run")
        if self._cancel_main_at_its_start:
            self._cancel_main_at_its_start = False
            self.loop.call_soon(self._main.cancel)

    def _execute(self) -> Any:
        assert self._input
        return self.inbound.execute_workflow(self._input)

    def _completed(self, result: Any) -> None:
        self.add_command(border.CompleteWorkflowExecution(self.packed(result)))

    def _instantiate(self) -> Any:
        definition = self.definition
        if self._input is None:
            raise RuntimeError("The first activation of a run must initialize it")
        args = self._input.args if definition.takes_arguments else ()
        made = definition.cls(*args)
        self._versioning = int(definition.versioning_behavior)
        if definition.name is None and definition.dynamic_config_fn is not None:
            self._configure(definition.dynamic_config_fn, made)
        return made

    def _configure(self, config_fn: Callable[..., Any], made: Any) -> None:
        try:
            with self.as_read_only(query_or_validator=False):
                config = config_fn(made)
        except Exception:
            logger.exception(
                "Failed to run dynamic config function in workflow %s", self.info.workflow_type
            )
            raise
        if config and config.failure_exception_types is not None:
            self._failure_types = config.failure_exception_types
        if config and config.versioning_behavior:
            self._versioning = int(config.versioning_behavior)

    def _notify_of_patch(self, job: border.NotifyHasPatch) -> None:
        self._notified_patches |= {job.patch_id}

    def _cancel(self, job: border.CancelWorkflow) -> None:
        self.cancel_reason = job.reason
        if self._main:
            # Not at once: a main task that has not begun yet runs up to its first wait.
            self.loop.call_soon(self._main.cancel)
        else:
            self._cancel_main_at_its_start = self.single_batch

    def _reseed(self, job: border.UpdateRandomSeed) -> None:
        self.seed = seed = job.randomness_seed
        if self._random is not None:
            self._random.seed(seed)
        for callback in self._seed_callbacks or ():
            with contextlib.suppress(Exception):
                callback(seed)

    def _evict(self, _job: border.RemoveFromCache) -> None:
        self.loop.evicting = True
        self.is_replaying = True  # Nothing is logged any more.
        self.loop.cancel_all_tasks()

    # What exceptions do

    async def guard(
        self, body: Callable[[], Any], then: Callable[[Any], None] | None = None
    ) -> None:
        """Runs the main task or a signal handler and turns its exception into a command."""
        try:
            result = await body()
            if then is not None:
                then(result)
        except ContinueAsNew as ending:
            try:
                self.add_command(self.operations.continue_as_new_command(ending.input))
            except Exception as err:  # Arguments that cannot be converted, as a rule.
                self._end_by(err)
        except DeadlockInterrupt:
            pass  # The watchdog fails the task.
        except (Exception, asyncio.CancelledError) as err:
            if not self.loop.evicting:
                self._end_by(err)

    def _end_by(self, err: BaseException) -> None:
        logger.debug("Workflow raised failure with run ID %s", self.info.run_id, exc_info=True)
        if isinstance(err, asyncio.CancelledError):
            err = exceptions.CancelledError(str(err))
        if self.cancel_reason is not None and exceptions.is_cancelled_exception(err):
            self.add_command(border.CancelWorkflowExecution())
        elif self.is_failure_exception(err):
            self.fail_workflow(err)
        else:
            self.task_error = err

    def fail_workflow(self, err: BaseException) -> None:
        self.add_command(border.FailWorkflowExecution(self.pack(self.failure_of(err))))

    def failure_of(self, err: BaseException) -> Failure:
        """What tells others of an error. If it cannot be converted, as much of it as could be: an
        answer has to go out, and the official worker's holds that, too."""
        failure = Failure()
        try:
            self.failure_converter.to_failure(err, self.payload_converter, failure)
        except Exception:
            logger.warning(
                "Failed converting workflow exception with run ID %s: what it carries is not sent",
                self.info.run_id,
                exc_info=True,
            )
            failure.message = failure.message or f"Failed converting {type(err).__name__}"
            if failure.WhichOneof("failure_info") is None:
                failure.application_failure_info.SetInParent()
        return failure

    def is_failure_exception(self, err: BaseException) -> bool:
        types = (*self._failure_types, *self._details.worker_level_failure_exception_types)
        return isinstance(err, (exceptions.FailureError, asyncio.TimeoutError, *types))

    # Commands and converters

    def add_command(self, command: border.Command | None, context: Context | None = None) -> int:
        """Add a command, or None to fill its place later; its index. The context, or what makes it."""
        self.loop.check("add command")
        self._completion.commands.append(command)
        self._completion.contexts.append(context)
        if self.is_replaying:
            self._completion.note_place(caller(bool(self._details.interceptor_classes)))
        return len(self._completion.commands) - 1

    @property
    def commands(self) -> list:
        return self._completion.commands

    def pack(self, message: Any) -> Any:
        """A message as it goes into a command."""
        return message if self._details.messages_for_codec else message.SerializeToString()

    def use_flag(self, flag: int) -> bool:
        """Whether the run behaves by a flag: one in the history, or a new one outside of replay."""
        if flag not in self._available_flags and self.is_replaying:
            return False
        if flag not in self._completion.used_internal_flags:
            self._completion.used_internal_flags.append(flag)
        return True

    def payloads_for(self, context: Context) -> converter.PayloadConverter:
        if not self.is_plain and isinstance(self._raw_payloads, converter.WithSerializationContext):
            return self._raw_payloads.with_context(context() if callable(context) else context)
        return self._raw_payloads

    def failures_for(self, context: Context) -> converter.FailureConverter:
        if self._raw_failures is not _FAILURES and isinstance(self._raw_failures, converter.WithSerializationContext):
            return self._raw_failures.with_context(context() if callable(context) else context)
        return self._raw_failures

    def packed(self, value: Any) -> Any:
        """A value's payload as it goes into a command."""
        if self.is_plain and (payload := _plain.encode(value)) is not None:
            return payload
        return self.pack(self.encode_one(value))

    def encode_one(self, value: Any) -> Payload:
        payloads = self.payload_converter.to_payloads([value])
        if len(payloads) != 1:
            raise ValueError(f"Expected 1 result payload, got {len(payloads)}")
        return payloads[0]

    def decode(
        self,
        payloads: Sequence[Payload],
        hints: Sequence[type] | None,
        payload_converter: converter.PayloadConverter | None = None,
    ) -> list[Any]:
        if not payloads:
            return []
        fitting = list(hints) if hints and len(hints) == len(payloads) else None
        try:
            return (payload_converter or self.payload_converter).from_payloads(payloads, fitting)
        except Exception as err:
            if self.is_failure_exception(err):
                raise
            raise RuntimeError("Failed decoding arguments") from err

    def decode_result(self, value: Any, hint: Any, payloads: converter.PayloadConverter) -> Any:
        if value is None:
            return None
        if self.is_plain and (simple := _plain.decode(value, hint)) is not _plain.UNKNOWN:
            return simple
        return self.decode([as_payload(value)], [hint] if hint else None, payloads)[0]

    def decode_failure(
        self, value: Any, failures: converter.FailureConverter, payloads: converter.PayloadConverter
    ) -> BaseException:
        failure = Failure.FromString(value) if isinstance(value, bytes) else value
        return failures.from_failure(failure, payloads)

    def user_metadata(
        self, summary: str | None, details: str | None, payloads: converter.PayloadConverter
    ) -> Any:
        if not summary and not details:
            return None
        metadata = UserMetadata()
        if summary:
            metadata.summary.CopyFrom(payloads.to_payload(summary))
        if details:
            metadata.details.CopyFrom(payloads.to_payload(details))
        return self.pack(metadata)

    # What workflow code asks for

    @property
    def logger_details(self) -> Mapping[str, Any]:
        if self._logger_details is None:
            self._logger_details = self.info._logger_details()
        return self._logger_details

    @property
    def deployment_version(self) -> common.WorkerDeploymentVersion | None:
        return common.WorkerDeploymentVersion(*self._version) if self._version else None

    @property
    def random(self) -> random.Random:
        if self._random is None:
            self._random = random.Random(self.seed)
        return self._random

    def on_reseed(self, callback: Callable[[int], None]) -> None:
        if self._seed_callbacks is None:
            self._seed_callbacks = []
        self._seed_callbacks.append(callback)

    @property
    def is_replaying_history_events(self) -> bool:
        return self.is_replaying and not self._in_query_or_validator

    @contextlib.contextmanager
    def as_read_only(self, *, query_or_validator: bool) -> Iterator[None]:
        before = self.loop.read_only, self._in_query_or_validator
        self.loop.read_only, self._in_query_or_validator = True, query_or_validator
        try:
            yield None
        finally:
            self.loop.read_only, self._in_query_or_validator = before

    def patch(self, patch_id: str, *, deprecated: bool) -> bool:
        self.loop.check("patch")
        known = self._patches.get(patch_id)
        if known is not None:
            return known
        callback = self._details.patch_activation_callback
        notified = patch_id in self._notified_patches
        use = True
        if deprecated or self.is_replaying or notified:
            use = notified or not self.is_replaying
        elif callback is not None:
            with self.as_read_only(query_or_validator=False):
                use = callback(PatchActivationInput(self.info, patch_id))
            if type(use) is not bool:
                raise TypeError("Patch activation callback must return true or false")
        self._patches[patch_id] = use
        if use:
            self.add_command(border.SetPatchMarker(patch_id, deprecated))
        return use

    async def sleep(self, seconds: float, summary: str | None) -> None:
        metadata = self.user_metadata(summary, None, self.payload_converter)
        future = self.loop.create_future()

        def wake() -> None:
            if not future.done():
                future.set_result(None)

        timer = self.loop.start_timer(seconds, metadata, wake, ())
        future.add_done_callback(lambda f: timer.cancel() if f.cancelled() else None)
        await future

    async def wait_condition(
        self, predicate: Callable[[], bool], timeout: float | None, summary: str | None
    ) -> None:
        self.loop.check("wait condition")
        future = self.loop.create_future()
        self._conditions.append((predicate, future))
        cancelled_before = self.cancel_reason is not None
        try:
            if timeout is None:
                await future
            else:
                await self._wait_for(future, timeout, summary)
        except asyncio.TimeoutError:
            self._raise_if_cancelled_meanwhile(cancelled_before)
            raise
        self._raise_if_cancelled_meanwhile(cancelled_before)

    def _raise_if_cancelled_meanwhile(self, cancelled_before: bool) -> None:
        # wait_for may prefer what it waits for, or its timeout, to a cancellation beside it.
        if self.single_batch and self.cancel_reason is not None and not cancelled_before:
            raise asyncio.CancelledError

    async def _wait_for(
        self, future: asyncio.Future, timeout: float, summary: str | None
    ) -> None:
        token = timer_metadata.set(self.user_metadata(summary, None, self.payload_converter))
        try:
            await asyncio.wait_for(future, timeout)
        finally:
            with contextlib.suppress(ValueError):  # Collected, a coroutine ends in whatever context that happens.
                timer_metadata.reset(token)

    def memo(self) -> Mapping[str, Any]:
        if self._memo is None:
            decode = self.payload_converter.from_payload
            self._memo = {name: decode(item) for name, item in self.info.raw_memo.items()}
        return self._memo

    def memo_value(self, key: str, default: Any, type_hint: type | None) -> Any:
        payload = self.info.raw_memo.get(key)
        if payload is not None:
            return self.payload_converter.from_payload(payload, type_hint)  # type: ignore
        if default is common._arg_unset:
            raise KeyError(f"Memo does not have a value for key {key}")
        return default

    def upsert_memo(self, updates: Mapping[str, Any]) -> None:
        if not updates:
            return
        payloads = self.payload_converter
        items = {name: payloads.to_payload(value) for name, value in updates.items()}
        self.add_command(border.ModifyWorkflowProperties(self.pack(Memo(fields=items))))
        raw: Any = self.info.raw_memo
        for name, item in items.items():
            gone = updates[name] is None
            if gone:
                raw.pop(name, None)
            else:
                raw[name] = item
            # In place: code may hold what memo() gave it.
            if self._memo is not None and gone:
                self._memo.pop(name, None)
            elif self._memo is not None:
                self._memo[name] = payloads.from_payload(item)

    def upsert_search_attributes(
        self, attributes: common.SearchAttributes | Sequence[common.SearchAttributeUpdate]
    ) -> None:
        self.loop.check("add command")
        message = SearchAttributes()
        if isinstance(attributes, Mapping):
            converter.encode_search_attributes(attributes, message)
        else:
            for update in attributes:
                payload = converter.encode_typed_search_attribute_value(update.key, update.value)
                message.indexed_fields[update.key.name].CopyFrom(payload)
        self.add_command(border.UpsertWorkflowSearchAttributes(message.SerializeToString()))
        if isinstance(attributes, Mapping):
            for name, values in attributes.items():
                self._set_untyped(name, values)
        else:
            for update in attributes:
                self._set_typed(update.key, update.value)

    def _set_untyped(self, name: str, values: Any) -> None:
        untyped: Any = self.info.search_attributes
        untyped[name] = values
        key = common.SearchAttributeKey._guess_from_untyped_values(name, values)
        if not values:
            self._replace_pair(name, None)
        elif key:
            whole = key.indexed_value_type == common.SearchAttributeIndexedValueType.KEYWORD_LIST
            value = values if whole else values[0]
            self._replace_pair(name, common.SearchAttributePair(key, value))

    def _set_typed(self, key: common.SearchAttributeKey, value: Any) -> None:
        untyped: Any = self.info.search_attributes
        if value is None:
            untyped[key.name] = []
            self._replace_pair(key.name, None)
            return
        whole = key.indexed_value_type == common.SearchAttributeIndexedValueType.KEYWORD_LIST
        untyped[key.name] = list(value) if whole else [value]
        self._replace_pair(key.name, common.SearchAttributePair(key, value))

    def _replace_pair(self, name: str, pair: common.SearchAttributePair | None) -> None:
        pairs: Any = self.info.typed_search_attributes.search_attributes
        index = next((i for i, old in enumerate(pairs) if old.key.name == name), len(pairs))
        pairs[index : index + 1] = [pair] if pair else []

    def metric_meter(self) -> common.MetricMeter:
        if self._meter is None:
            names = ("namespace", "task_queue", "workflow_type")
            own = {name: getattr(self.info, name) for name in names}
            meter: Any = self.extern_functions["__temporal_get_metric_meter"]()
            self._meter = ReplaySafeMeter(self, meter.with_additional_attributes(own))
        return self._meter

    def assert_local_activity(self, name: str) -> None:
        self.extern_functions["__temporal_assert_local_activity_valid"](name)

    def has_last_completion_result(self) -> bool:
        return bool(self._details.last_completion_result.payloads)

    def last_completion_result(self, type_hint: type | None) -> Any:
        payloads = self._details.last_completion_result.payloads
        if len(payloads) > 1:
            logger.warning("Expected single last completion result, got %s", len(payloads))
        if len(payloads) != 1:
            return None
        return self.payload_converter.from_payload(payloads[0], type_hint)  # type: ignore

    def last_failure(self) -> BaseException | None:
        failure = self._details.last_failure
        if failure is None:
            return None
        return self.failure_converter.from_failure(failure, self.payload_converter)

    # WorkflowInstance

    def get_info(self) -> Info:
        return self.info

    def get_thread_id(self) -> int | None:
        return self._thread_id

    def get_serialization_context(
        self, command_info: Any | None
    ) -> converter.SerializationContext | None:
        contexts = self._completion.contexts
        found = contexts[command_info] if command_info is not None else None
        return (found() if callable(found) else found) or self._own_context

    def get_external_store_context(
        self, command_info: Any | None
    ) -> converter.StorageDriverStoreContext:
        """As with the official worker: for the workflow that gets it, and activities store for the
        workflow that has started them."""
        info = self.info
        target = self.operations.stores_for(command_info)
        parent = info.parent
        completes = isinstance(command_info, border.CompleteWorkflowExecution)
        if completes and parent is not None and info.continued_run_id is None:
            target = converter.StorageDriverWorkflowInfo(
                namespace=parent.namespace, id=parent.workflow_id, run_id=parent.run_id
            )
        return converter.StorageDriverStoreContext(
            target
            or converter.StorageDriverWorkflowInfo(
                namespace=info.namespace,
                id=info.workflow_id,
                run_id=info.run_id,
                type=info.workflow_type,
            )
        )


def _by_operations(resolve: Callable[[Operations, Any], None]) -> Callable[[Run, Any], None]:
    return lambda run, job: resolve(run.operations, job)


_JOBS: Mapping[type, Callable[[Run, Any], None]] = {
    border.InitializeWorkflow: Run._initialize,
    border.FireTimer: lambda run, job: run.loop.fire_timer(job.seq),
    border.UpdateRandomSeed: Run._reseed,
    border.QueryWorkflow: lambda run, job: run.handlers.query(job),
    border.CancelWorkflow: Run._cancel,
    border.SignalWorkflow: lambda run, job: run.handlers.signal(job),
    border.NotifyHasPatch: Run._notify_of_patch,
    border.DoUpdate: lambda run, job: run.handlers.update(job),
    border.RemoveFromCache: Run._evict,
    **{job: _by_operations(resolve) for job, resolve in RESOLVED_BY.items()},
}


if TYPE_CHECKING:

    def _serves_workflow_code(run: Run) -> RunOfWorkflowCode:
        """A Run is what workflow code asks for."""
        return run


def as_payload(value: Any) -> Payload:
    """A payload of a job: still serialized, unless a codec has changed it."""
    return Payload.FromString(value) if isinstance(value, bytes) else value
