"""The workflow half of a worker: takes activations from the bridge and answers them.

An activation is answered on the thread that takes it from the bridge's queue, see
_workflow_threads.py. With a codec it goes over the worker's loop, where the codec is awaited; in
debug mode it runs there, so that a debugger has the terminal.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import threading
from collections.abc import Callable, Coroutine, MutableMapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import chimera._border as border
import chimera.common as common
import chimera.converter as converter
import chimera.exceptions as exceptions
import chimera.workflow as workflow
from chimera.api.common.v1 import Payloads
from chimera.api.failure.v1 import Failure
from chimera.api.history.v1 import WorkflowExecutionStartedEventAttributes
from chimera.worker import _plain_traces
from chimera.worker._codec_pass import CodecPass
from chimera.worker._interceptor import Interceptor, WorkflowInterceptorClassInput
from chimera.worker._runner import (
    Completion,
    PatchActivationInput,
    WorkflowInstance,
    WorkflowInstanceDetails,
    WorkflowRunner,
)
from chimera.worker._workflow_threads import (
    Abandoned,
    DeadlockError,
    WorkflowThreads,
    debugger_that_goes_on,
)

if TYPE_CHECKING:
    from chimera import _bridge

logger = logging.getLogger("temporalio.worker._workflow")
_plain_traces.install()

# WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE of temporal/api/enums/v1.
_UNHANDLED_FAILURE = 14
_EVICTION_RETRY_SECONDS = 2.0
_NO_PAYLOADS = Payloads()
_EPOCH = datetime.fromtimestamp(0, timezone.utc)


class WorkflowWorker:
    """Makes, keeps and drops the runs of one worker or replayer."""

    def __init__(
        self,
        *,
        namespace: str,
        task_queue: str,
        workflows: Sequence[type],
        workflow_runner: WorkflowRunner,
        unsandboxed_workflow_runner: WorkflowRunner,
        data_converter: converter.DataConverter,
        interceptors: Sequence[Interceptor],
        workflow_failure_exception_types: Sequence[type[BaseException]],
        patch_activation_callback: Callable[[PatchActivationInput], bool] | None,
        debug_mode: bool,
        disable_eager_activity_execution: bool,
        metric_meter: common.MetricMeter,
        disable_safe_eviction: bool,
        enforce_versioning_behavior: bool,
        assert_local_activity_valid: Callable[[str], None],
        code_headers: bool,
    ) -> None:
        self._namespace = namespace
        self._task_queue = task_queue
        self._runner = workflow_runner
        self._unsandboxed_runner = unsandboxed_workflow_runner
        self._converter = data_converter
        self._failure_types = workflow_failure_exception_types
        self._patch_callback = patch_activation_callback
        self._disable_eager = disable_eager_activity_execution
        self._drop_at_once = disable_safe_eviction
        self._codec = (
            CodecPass(data_converter, code_headers) if data_converter._changes_payloads else None
        )
        self._payload_converters = data_converter._new_payload_converter
        if data_converter.payload_converter_class is converter.DefaultPayloadConverter:
            shared = data_converter.payload_converter  # It has no state.
            self._payload_converters = lambda: shared
        self._debug = debug_mode or bool(os.environ.get("TEMPORAL_DEBUG"))
        self._threads = WorkflowThreads(2.0, self._abandoned)
        self._loop: asyncio.AbstractEventLoop | None = None  # Where the codec is awaited.
        self._unevictable: set[_bridge.RunHandle] = set()
        # Runs whose code is still in an activation that was answered without it, and those among
        # them whose eviction waits for its end.
        self._lock = threading.Lock()
        self._stuck: set[_bridge.RunHandle] = set()
        self._held_evictions: set[_bridge.RunHandle] = set()
        self._ending = False
        self._tasks: set[asyncio.Task] = set()
        self._bridge: _bridge.WorkflowBridge | None = None
        self._extern_functions: MutableMapping[str, Callable] = {}
        self._interceptor_classes: list[Any] = []
        class_input = WorkflowInterceptorClassInput(self._extern_functions)
        for interceptor in interceptors:
            found = interceptor.workflow_interceptor_class(class_input)
            if found:
                self._interceptor_classes.append(found)
        self._extern_functions["__temporal_get_metric_meter"] = lambda: metric_meter
        self._extern_functions["__temporal_assert_local_activity_valid"] = (
            assert_local_activity_valid
        )
        workflow_runner.set_worker_level_failure_exception_types(workflow_failure_exception_types)
        self._definitions: dict[str, workflow._Definition] = {}
        self._dynamic: workflow._Definition | None = None
        for cls in workflows:
            self._register(workflow._Definition.must_from_class(cls), enforce_versioning_behavior)

    def _register(self, definition: workflow._Definition, enforce_versioning: bool) -> None:
        name = definition.name
        if name in self._definitions:
            raise ValueError(f"More than one workflow named {name}")
        decided = definition.versioning_behavior or definition.dynamic_config_fn
        if enforce_versioning and not decided:
            raise ValueError(
                f"Workflow {name} must specify a versioning behavior using the "
                "`versioning_behavior` argument to `@workflow.defn` or by defining a function "
                "decorated with `@workflow.dynamic_config`."
            )
        try:
            self._runner_of(definition).prepare_workflow(definition)
        except Exception as err:
            raise RuntimeError(f"Failed validating workflow {name}") from err
        if name is not None:
            self._definitions[name] = definition
        elif self._dynamic is not None:
            raise TypeError("More than one dynamic workflow")
        else:
            self._dynamic = definition

    def _runner_of(self, definition: workflow._Definition) -> WorkflowRunner:
        return self._runner if definition.sandboxed else self._unsandboxed_runner

    @property
    def _deadlock_timeout_seconds(self) -> float:
        return self._threads.timeout

    @_deadlock_timeout_seconds.setter
    def _deadlock_timeout_seconds(self, seconds: float) -> None:
        self._threads.timeout = seconds

    def open(
        self, loop_queue: _bridge.Queue, loop: asyncio.AbstractEventLoop | None = None
    ) -> _bridge.WorkflowBridge:
        """The bridge, and the thread that serves it. `loop_queue` is that of the running loop; `loop` is that loop,
        where it must see what workflow code sets."""
        queue = loop_queue if self._debug else self._threads.open(loop)
        return self.make_bridge(loop_queue if self._codec else queue)

    def make_bridge(self, queue: _bridge.Queue) -> _bridge.WorkflowBridge:
        """A bridge whose queue the caller serves."""
        from chimera import _bridge

        if self._codec is None:
            self._bridge = _bridge.WorkflowBridge(queue, self._activate, self._drop)
        else:
            self._bridge = _bridge.WorkflowBridge(
                queue,
                self._activate_from_loop,
                lambda run: self._threads.submit(self._drop, run),
            )
        return self._bridge

    def register_with(self, core: _bridge.Worker, queue: _bridge.Queue) -> None:
        """Register all types with the core's worker."""
        bridge = self.open(queue, asyncio.get_running_loop())
        for name in self._definitions:
            core.add_workflow(name, bridge)
        if self._dynamic is not None:
            core.add_dynamic_workflow(bridge)
        everywhere, types = self.nondeterminism_failures()
        for name in [""] * everywhere + types:
            core.nondeterminism_fails_workflow(name)

    def nondeterminism_failures(self) -> tuple[bool, list[str]]:
        """Whether nondeterminism fails all workflows, and the types that it fails otherwise."""
        types = [
            name
            for name, definition in self._definitions.items()
            if _lists_nondeterminism(definition.failure_exception_types)
        ]
        return _lists_nondeterminism(self._failure_types), types

    # Called by the bridge

    def _activate(self, run: _bridge.RunHandle, activation: border.Activation) -> None:
        eviction = _eviction_in(activation)
        if eviction is not None:
            logger.debug("Evicting workflow with run ID %s, message: %s", run.run_id, eviction.message)
            if self._evict(run, activation, asked=True):
                self._complete(run, Completion([], [], []))
            return
        completion = self._run(run, activation)
        if completion is not None:
            self._complete(run, completion)

    def _activate_from_loop(self, run: _bridge.RunHandle, activation: border.Activation) -> None:
        if _eviction_in(activation) is not None:
            self._threads.submit(self._activate, run, activation)
        else:
            self._on_loop(self._activate_with_codec(run, activation))

    def _on_loop(self, body: Coroutine[Any, Any, None]) -> None:
        self._loop = asyncio.get_running_loop()
        task = self._loop.create_task(body)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _activate_with_codec(
        self, run: _bridge.RunHandle, activation: border.Activation
    ) -> None:
        assert self._codec
        own = self._own_context(run, activation)
        operations = getattr(run.state, "operations", None)
        try:
            activation = await self._codec.decode(activation, own, operations)
        except Exception as err:
            logger.exception("Failed handling activation on workflow with run ID %s", run.run_id)
            completion = self._failed(err)
        else:
            ran = await self._threads.run(self._run, run, activation)
            if ran is None:
                return
            completion = ran
        await self._encode_and_complete(run, completion, own, run.state)

    async def _encode_and_complete(
        self,
        run: _bridge.RunHandle,
        completion: Completion,
        own: Any,
        instance: WorkflowInstance | None,
    ) -> None:
        assert self._codec

        def target_of(command: Any) -> Any:
            """For whom external storage keeps what a command or a task's failure holds."""
            if self._converter.external_storage is None:
                return None
            if instance is not None:
                return instance.get_external_store_context(command).target
            return converter.StorageDriverWorkflowInfo(
                namespace=self._namespace, id=getattr(own, "workflow_id", None), run_id=run.run_id
            )

        try:
            if completion.failure is not None:
                await self._codec.encode_failure(completion.failure, own, target_of(None))
            else:
                completion.drop_gaps()
                commands, contexts = completion.commands, completion.contexts
                encoded = await self._codec.encode(commands, contexts, own, target_of)
                completion.commands = encoded
        except Exception as err:
            logger.exception("Failed encoding completion on workflow with run ID %s", run.run_id)
            completion.failure = Failure(message=f"Failed encoding completion: {err}")
        self._complete(run, completion)

    def _own_context(self, run: _bridge.RunHandle, activation: border.Activation) -> Any:
        if run.state is not None:
            return run.state.get_serialization_context(None)
        job = _initialization_in(activation)
        if job is None:
            return None
        return converter.WorkflowSerializationContext(self._namespace, job.workflow_id)

    def _drop(self, run: _bridge.RunHandle) -> None:
        """The run has ended. What still waits in it is ended here, not by the garbage collector."""
        loop = getattr(run.state, "loop", None)
        if loop is not None and loop.tasks:
            self._evict(run, _EVICTION, asked=False)
        else:
            run.state = None

    # Runs

    def _run(self, run: _bridge.RunHandle, activation: border.Activation) -> Completion | None:
        """What the run answers; None if it was answered without it."""
        instance = run.state
        try:
            if instance is None:
                instance = run.state = self._create(run, activation)
            elif _initialization_in(activation) is not None:
                logger.warning("Cache already exists for activation with initialize job")
            return self._watched(run, instance, activation)
        except Abandoned:
            self._back_from_deadlock(run, instance)
            return None
        except BaseException as err:
            logger.exception(
                "Failed handling activation on workflow %s with run ID %s",
                run.workflow_type,
                run.run_id,
            )
            return self._failed(err)

    def _watched(
        self,
        run: _bridge.RunHandle,
        instance: WorkflowInstance,
        activation: border.Activation,
        *,
        evicting: bool = False,
        asked: bool = True,
    ) -> Completion:
        if self._debug:
            with debugger_that_goes_on():
                return instance.activate(activation)
        what = (run, instance, evicting, asked)
        return self._threads.watched(what, instance.activate, activation)

    # Code that does not come to a wait, and cannot be interrupted

    def _abandoned(
        self, what: tuple[_bridge.RunHandle, WorkflowInstance, bool, bool], error: DeadlockError
    ) -> None:
        """Answer for an activation that goes on, if the core asked. On the watchdog's thread."""
        run, instance, evicting, asked = what
        info = instance.get_info()
        run.state = None
        if evicting:
            self._unevictable.add(run)
            logger.error("Timed out running eviction job for run ID %s%s", info.run_id, _RETRIED)
            if asked:
                self._complete(run, Completion([], [], []))
            return
        logger.warning(
            "Workflow %s with ID %s and run ID %s blocks its thread, and cannot be interrupted: "
            "its task is failed, its thread is left to itself",
            info.workflow_type,
            info.workflow_id,
            info.run_id,
            exc_info=error,
        )
        with self._lock:
            self._stuck.add(run)
        completion = self._failed(error)
        if self._codec is None or self._loop is None:
            self._complete(run, completion)
        else:
            own = instance.get_serialization_context(None)
            body = self._encode_and_complete(run, completion, own, instance)
            self._loop.call_soon_threadsafe(self._on_loop, body)

    def _back_from_deadlock(self, run: _bridge.RunHandle, instance: WorkflowInstance) -> None:
        with self._lock:
            self._stuck.discard(run)
            held = run in self._held_evictions
            self._held_evictions.discard(run)
        if held:
            self._complete(run, Completion([], [], []))
        if not self._drop_at_once:
            self._end_code(run, instance, _EVICTION, asked=False)

    def _failed(self, err: BaseException) -> Completion:
        completion = Completion([], [], [])
        if isinstance(err, exceptions.ApplicationError) and err.non_retryable:
            failure = self._failure(err)
            packed = failure if self._codec else failure.SerializeToString()
            completion.commands.append(border.FailWorkflowExecution(packed))
            completion.contexts.append(None)
        else:
            completion.failure = self._failure(err)
        return completion

    def _failure(self, err: BaseException) -> Failure:
        failure = Failure()
        try:
            self._converter.failure_converter.to_failure(
                err, self._converter.payload_converter, failure
            )
        except Exception as inner:
            logger.exception("Failed converting activation exception")
            failure.message = f"Failed converting activation exception: {inner}"
        return failure

    def _complete(self, run: _bridge.RunHandle, completion: Completion) -> None:
        try:
            if completion.failure is not None:
                run.fail(completion.failure.SerializeToString(), _UNHANDLED_FAILURE)
            else:
                completion.drop_gaps()
                run.complete(
                    completion.commands,
                    completion.used_internal_flags,
                    completion.versioning_behavior,
                    completion.places or [],
                )
        except Exception as err:
            logger.exception("Failed completing activation on workflow with run ID %s", run.run_id)
            if completion.failure is None:
                # The core waits for an answer.
                self._complete(run, Completion([], [], [], failure=self._failure(err)))

    def _evict(self, run: _bridge.RunHandle, activation: border.Activation, *, asked: bool) -> bool:
        """End a run's code. Whether this is to be answered now."""
        with self._lock:
            if run in self._stuck and not self._drop_at_once and not self._ending:
                self._held_evictions.add(run)
                return False
        instance, run.state = run.state, None
        if instance is None or self._drop_at_once:
            return True
        return self._end_code(run, instance, activation, asked=asked)

    def _end_code(
        self,
        run: _bridge.RunHandle,
        instance: WorkflowInstance,
        activation: border.Activation,
        *,
        asked: bool,
    ) -> bool:
        """Whether the core still waits for an answer: it has one if this took too long."""
        answered = False
        try:
            self._watched(run, instance, activation, evicting=True, asked=asked)
            self._unevictable.discard(run)
            return True
        except Abandoned:
            answered = True
        except BaseException as err:
            if run not in self._unevictable:
                self._unevictable.add(run)
                how = "Timed out" if isinstance(err, DeadlockError) else "Failed"
                logger.exception(
                    "%s running eviction job for run ID %s%s", how, run.run_id, _RETRIED
                )
        # Its slot is free: the core has its answer. Only the memory waits for this.
        if not self._ending:
            again = functools.partial(self._end_code, run, instance, _EVICTION, asked=False)
            retry = threading.Timer(_EVICTION_RETRY_SECONDS, self._threads.submit, (again,))
            retry.daemon = True
            retry.start()
        return not answered

    def notify_shutdown(self) -> None:
        if self._unevictable:
            logger.warning(
                "Shutting down workflow worker, but %s workflow(s) could not be evicted "
                "previously; their code is left behind",
                len(self._unevictable),
            )
        with self._lock:
            self._ending = True
            held, self._held_evictions = self._held_evictions, set()
        for run in held:
            self._complete(run, Completion([], [], []))

    def close(self) -> None:
        """After the core has drained."""
        self._ending = True
        self._threads.close()
        if self._bridge is not None:
            self._bridge.close()

    def _create(self, run: _bridge.RunHandle, activation: border.Activation) -> WorkflowInstance:
        job = _initialization_in(activation)
        if job is None:
            raise RuntimeError(
                "Missing initialize workflow, workflow could have unexpectedly been removed "
                "from cache"
            )
        workflow_type, started = run.workflow_type, job.started
        if isinstance(started, bytes):
            started = WorkflowExecutionStartedEventAttributes.FromString(started)
            activation.jobs[activation.jobs.index(job)] = job._replace(started=started)
        definition = self._definitions.get(workflow_type, self._dynamic)
        if definition is None:
            known = ", ".join(sorted(self._definitions))
            raise exceptions.ApplicationError(
                f"Workflow class {workflow_type} is not registered on this worker, "
                f"available workflows: {known}",
                type="NotFoundError",
            )
        info = self._info(run.run_id, job, started, activation.time)
        failure = started.continued_failure if started.HasField("continued_failure") else None
        last = started.last_completion_result
        return self._runner_of(definition).create_instance(
            WorkflowInstanceDetails(
                payload_converter_factory=self._payload_converters,
                failure_converter_class=self._converter.failure_converter_class,
                interceptor_classes=self._interceptor_classes,
                defn=definition,
                info=info,
                randomness_seed=job.randomness_seed,
                extern_functions=self._extern_functions,
                disable_eager_activity_execution=self._disable_eager,
                worker_level_failure_exception_types=self._failure_types,
                patch_activation_callback=self._patch_callback,
                # A part would keep the whole event.
                last_completion_result=last if last.payloads else _NO_PAYLOADS,
                last_failure=failure,
                messages_for_codec=self._codec is not None,
            )
        )

    def _info(
        self, run_id: str, job: border.InitializeWorkflow, started: Any, now_ns: int
    ) -> workflow.Info:
        def duration(name: str) -> Any:
            return getattr(started, name).ToTimedelta() if started.HasField(name) else None

        parent, root = None, None
        if started.HasField("parent_workflow_execution"):
            execution = started.parent_workflow_execution
            parent = workflow.ParentInfo(
                started.parent_workflow_namespace, execution.run_id, execution.workflow_id
            )
        if started.HasField("root_workflow_execution"):
            execution = started.root_workflow_execution
            root = workflow.RootInfo(execution.run_id, execution.workflow_id)
        policy = None
        if started.HasField("retry_policy"):
            policy = common.RetryPolicy.from_proto(started.retry_policy)
        return workflow.Info(
            attempt=started.attempt,
            continued_run_id=started.continued_execution_run_id or None,
            cron_schedule=started.cron_schedule or None,
            execution_timeout=duration("workflow_execution_timeout"),
            first_execution_run_id=started.first_execution_run_id,
            headers=dict(started.header.fields),
            namespace=self._namespace,
            original_execution_run_id=started.original_execution_run_id or run_id,
            parent=parent,
            root=root,
            priority=common.Priority._from_proto(started.priority),
            raw_memo=dict(started.memo.fields),
            retry_policy=policy,
            run_id=run_id,
            run_timeout=duration("workflow_run_timeout"),
            search_attributes=converter.decode_search_attributes(started.search_attributes),
            start_time=_time(now_ns),
            task_queue=self._task_queue,
            task_timeout=started.workflow_task_timeout.ToTimedelta(),
            typed_search_attributes=converter.decode_typed_search_attributes(
                started.search_attributes
            ),
            workflow_id=job.workflow_id,
            workflow_start_time=_time(job.start_time),
            workflow_type=started.workflow_type.name,
        )


_RETRIED = (
    ", continually retrying eviction. This is usually caused by catching BaseException, "
    "asyncio.CancelledError included, and going on with the work."
)


# An activation that nobody sent: the code is to end.
_EVICTION = border.Activation(
    time=0,
    is_replaying=True,
    history_length=0,
    history_size_bytes=0,
    continue_as_new_suggested=False,
    suggest_continue_as_new_reasons=[],
    target_worker_deployment_version_changed=False,
    deployment_version=None,
    available_internal_flags=[],
    jobs=[border.RemoveFromCache(0, "")],
)


def _eviction_in(activation: border.Activation) -> border.RemoveFromCache | None:
    jobs = activation.jobs
    return jobs[0] if jobs and isinstance(jobs[0], border.RemoveFromCache) else None


def _initialization_in(activation: border.Activation) -> border.InitializeWorkflow | None:
    for job in activation.jobs:
        if isinstance(job, border.InitializeWorkflow):
            return job
    return None


def _time(nanoseconds: int) -> datetime:
    # Whole microseconds, cut off as everywhere: a float would round some of them up.
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def _lists_nondeterminism(types: Sequence[type[BaseException]]) -> bool:
    return any(issubclass(workflow.NondeterminismError, each) for each in types)
