"""The activity half of a worker: runs activities on the loop, in threads or in processes."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import functools
import inspect
import logging
import pickle
import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import chimera.activity as activity
import chimera.common as common
import chimera.converter as converter
import chimera.exceptions as exceptions
from chimera._threads import ThreadCanceller
from chimera.api.failure.v1 import Failure
from chimera.api.workflowservice.v1 import PollActivityTaskQueueResponse
from chimera.worker._interceptor import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)
from chimera.worker._shared_state import SharedHeartbeatSender, SharedStateManager

if TYPE_CHECKING:
    from chimera import _bridge
    from chimera.client import Client

logger = logging.getLogger("temporalio.worker._activity")

# How long a thread waits for the loop to take its heartbeat.
_HEARTBEAT_SECONDS = 10


@dataclass
class Running:
    """An activity under way."""

    token: bytes
    is_local: bool = False
    task: asyncio.Task | None = None
    cancelled_event: common._CompositeEvent | None = None
    canceller: ThreadCanceller | None = None
    in_thread: bool = False
    began: bool = False
    cancelled_unbegun: bool = False
    done: bool = False
    cancelled_by_request: bool = False
    heartbeat_error: BaseException | None = None
    pending_heartbeat: Sequence[Any] | None = None
    heartbeat_task: asyncio.Task | None = None
    converter: Any = None
    details: activity._ActivityCancellationDetailsHolder = field(
        default_factory=activity._ActivityCancellationDetailsHolder
    )

    def cancel(self, *, by_request: bool = False, error: BaseException | None = None) -> None:
        self.cancelled_by_request = by_request
        self.heartbeat_error = error
        if self.cancelled_event:
            self.cancelled_event.set()
        if self.done:
            return
        if not self.began:
            # A task that is cancelled before its first step runs nothing at all, so nobody would report its end.
            self.cancelled_unbegun = True
            return
        if self.canceller:
            self.canceller.cancel(exceptions.CancelledError)
        if not self.in_thread and self.task:
            self.task.cancel("Activity cancelled")


class ActivityWorker:
    """Used on the worker's loop; heartbeats of plain functions come from their threads."""

    def __init__(
        self,
        *,
        task_queue: str,
        activities: Sequence[Callable],
        activity_executor: concurrent.futures.Executor | None,
        shared_state_manager: SharedStateManager | None,
        data_converter: converter.DataConverter,
        interceptors: Sequence[Interceptor],
        metric_meter: common.MetricMeter,
        client: Client,
        code_headers: bool,
        on_fatal: Callable[[BaseException], None],
    ) -> None:
        self.client = client
        self._task_queue = task_queue
        self._executor = activity_executor
        self._shared_state = shared_state_manager
        self._converter = data_converter
        self._interceptors = interceptors
        self._metric_meter = metric_meter
        self._code_headers = code_headers
        self._on_fatal = on_fatal
        self._running_activities: dict[bytes, Running] = {}
        self._bridge: _bridge.ActivityBridge | None = None
        self._shutdown: common._CompositeEvent | None = None
        self._definitions: dict[str, activity._Definition] = {}
        self._dynamic: activity._Definition | None = None
        for fn in activities:
            self._register(fn)

    def _register(self, fn: Callable) -> None:
        definition = activity._Definition.must_from_callable(fn)
        name = definition.name
        if name in self._definitions:
            raise ValueError(f"More than one activity named {name}")
        if inspect.isclass(fn):
            raise TypeError(f"Activity named {name} is a class instead of an instance")
        if inspect.isfunction(fn) and next(iter(inspect.signature(fn).parameters), "") == "self":
            warnings.warn(
                f"Activity named {name} has a first parameter named self but is not bound to an "
                "instance, did you mean to register it from an instance of the class?"
            )
        if not definition.is_async:
            self._check_executor(name, fn)
        if name is not None:
            self._definitions[name] = definition
        elif self._dynamic is not None:
            raise TypeError("More than one dynamic activity")
        else:
            self._dynamic = definition

    def _check_executor(self, name: str | None, fn: Callable) -> None:
        executor = self._executor
        if not executor:
            raise ValueError(
                f"Activity {name} is not async so an activity_executor must be present"
            )
        interpreters = getattr(concurrent.futures, "InterpreterPoolExecutor", None)
        if interpreters and isinstance(executor, interpreters):
            raise ValueError(f"Activity {name} cannot run in an InterpreterPoolExecutor")
        if isinstance(executor, concurrent.futures.ThreadPoolExecutor):
            return
        if not self._shared_state:
            raise ValueError(
                f"Activity {name} is not async and executor is not thread-pool executor, so a "
                "shared_state_manager must be present"
            )
        try:
            pickle.dumps(fn)
        except Exception as err:
            raise TypeError(
                f"Activity {name} must be picklable when using a process executor"
            ) from err

    def check_registered(self, name: str) -> None:
        """ValueError for a type that this worker cannot run."""
        if name not in self._definitions and self._dynamic is None:
            raise ValueError(
                f"Activity function {name} is not registered on this worker, "
                f"available activities: {self._known()}"
            )

    def _known(self) -> str:
        return ", ".join(sorted(self._definitions))

    def register_with(self, core: _bridge.Worker, queue: _bridge.Queue) -> None:
        """Register all types with the core's worker."""
        from chimera import _bridge

        self._shutdown = common._CompositeEvent(self._new_event(), asyncio.Event())
        self._bridge = _bridge.ActivityBridge(queue, self._start, self._cancel)
        for name in self._definitions:
            core.add_activity(name, self._bridge)
        if self._dynamic is not None:
            core.add_dynamic_activity(self._bridge)

    @property
    def _in_processes(self) -> bool:
        executor = self._executor
        return executor is not None and not isinstance(
            executor, concurrent.futures.ThreadPoolExecutor
        )

    def _new_event(self) -> threading.Event:
        """An event for plain functions, wherever they run."""
        if self._in_processes and self._shared_state:
            return self._shared_state.new_event()
        return threading.Event()

    def notify_shutdown(self) -> None:
        if self._shutdown:
            self._shutdown.set()

    def close(self) -> None:
        """After the core has drained."""
        if self._bridge is not None:
            self._bridge.close()

    async def wait_all_completed(self) -> None:
        """Until no activity is under way."""
        tasks = [running.task for running in self._running_activities.values() if running.task]
        if tasks:
            await asyncio.wait(tasks)

    # Called by the bridge

    def _start(self, token: bytes, data: bytes, is_local: bool) -> None:
        running = self._running_activities[token] = Running(token, is_local)
        body = self._handle(running, PollActivityTaskQueueResponse.FromString(data))
        running.task = asyncio.get_running_loop().create_task(body)

    def _cancel(self, token: bytes, flags: tuple) -> None:
        running = self._running_activities.get(token)
        if running is None:
            return  # It has just ended.
        not_found, cancelled, paused, timed_out, worker_shutdown, reset = flags
        running.details.details = activity.ActivityCancellationDetails(
            not_found=not_found,
            cancel_requested=cancelled,
            paused=paused,
            reset=reset,
            timed_out=timed_out,
            worker_shutdown=worker_shutdown,
        )
        running.cancel(by_request=cancelled or worker_shutdown)

    # One activity

    async def _handle(self, running: Running, task: PollActivityTaskQueueResponse) -> None:
        status, value = await self._outcome(running, task)
        if running.heartbeat_task:
            try:
                await running.heartbeat_task
            except BaseException:
                activity.logger.exception("Final heartbeat task didn't trap error")
        assert self._bridge
        try:
            self._bridge.complete(running.token, status, value)
        except Exception:
            activity.logger.exception("Failed completing activity task")
        self._running_activities.pop(running.token, None)

    async def _outcome(
        self, running: Running, task: PollActivityTaskQueueResponse
    ) -> tuple[str, Any]:
        data = self._converter
        running.began = True
        try:
            data = self._converter_of(running, task)
            try:
                if running.cancelled_unbegun:
                    raise asyncio.CancelledError("Activity cancelled")
                result = await self._execute(running, task, data)
            finally:
                running.done = True
            if data._changes_payloads:
                payloads = await data.encode([result])
            else:
                payloads = data.payload_converter.to_payloads([result])
            if len(payloads) != 1:
                raise ValueError(f"Expected 1 result payload, got {len(payloads)}")
            return "completed", payloads[0].SerializeToString()
        except BaseException as err:
            return await self._failed(running, data, err)

    async def _failed(
        self, running: Running, data: converter.DataConverter, err: BaseException
    ) -> tuple[str, Any]:
        if isinstance(err, activity._CompleteAsyncError):
            activity.logger.debug("Completing asynchronously")
            return "async", None
        failure = Failure()
        try:
            if isinstance(err, (asyncio.CancelledError, exceptions.CancelledError)):
                replaced = self._cancellation(running)
                if replaced is None and running.cancelled_by_request:
                    activity.logger.debug("Completing as cancelled")
                    return "cancelled", []
                err = replaced or err
            if not running.heartbeat_error:
                _log_failure(err)
            await data.encode_failure(err, failure)
            if isinstance(err, concurrent.futures.BrokenExecutor):
                fatal = RuntimeError("Activity worker failed")
                fatal.__cause__ = err
                self._on_fatal(fatal)
        except Exception as inner:
            activity.logger.exception("Exception handling failed, original error: %s", err)
            failure = Failure(message=f"Failed building exception result: {inner}")
            failure.application_failure_info.SetInParent()
        return "failed", failure.SerializeToString()

    def _cancellation(self, running: Running) -> BaseException | None:
        """What a cancelled activity fails with instead; None: nothing else is known."""
        details = running.details.details
        if running.heartbeat_error is not None:
            error = running.heartbeat_error
            activity.logger.warning(
                f"Completing as failure during heartbeat with error of type {type(error)}: {error}"
            )
            return error
        for name in ("pause", "reset"):
            if details and (details.paused if name == "pause" else details.reset):
                text = f"Unhandled activity cancel error produced by activity {name}"
                return exceptions.ApplicationError(text, type=f"Activity{name.title()}")
        return None

    def _converter_of(
        self, running: Running, task: PollActivityTaskQueueResponse
    ) -> converter.DataConverter:
        """For its arguments and its end; that for heartbeats is kept in `running`."""
        plain = self._converter.with_context(self._context_of(task, running.is_local))
        namespace = task.workflow_namespace or self.client.namespace
        activity_type = task.activity_type.name
        running.converter = plain._storing_for_activity(
            namespace, task.activity_id, task.activity_run_id, activity_type
        )
        workflow = task.workflow_execution
        if not workflow.workflow_id:  # It was started by a client, on its own.
            return running.converter
        return plain._storing_for_workflow(
            namespace, workflow.workflow_id, workflow.run_id, task.workflow_type.name
        )

    def _context_of(
        self, task: PollActivityTaskQueueResponse, is_local: bool
    ) -> converter.ActivitySerializationContext:
        return converter.ActivitySerializationContext(
            namespace=task.workflow_namespace or self.client.namespace,
            activity_id=task.activity_id,
            activity_type=task.activity_type.name,
            activity_task_queue=self._task_queue,
            workflow_id=task.workflow_execution.workflow_id,
            workflow_type=task.workflow_type.name,
            is_local=is_local,
        )

    async def _execute(
        self, running: Running, task: PollActivityTaskQueueResponse, data: converter.DataConverter
    ) -> Any:
        name = task.activity_type.name
        definition = self._definitions.get(name, self._dynamic)
        if definition is None:
            raise exceptions.ApplicationError(
                f"Activity function {name} for workflow {task.workflow_execution.workflow_id} is "
                f"not registered on this worker, available activities: {self._known()}",
                type="NotFoundError",
            )
        running.in_thread = not definition.is_async
        in_process = running.in_thread and self._in_processes
        running.cancelled_event = common._CompositeEvent(
            self._new_event() if running.in_thread else threading.Event(),
            None if running.in_thread else asyncio.Event(),
        )
        if running.in_thread and not in_process and not definition.no_thread_cancel_exception:
            running.canceller = ThreadCanceller()
        args = await self._arguments(definition, task, data)
        info = await self._info(task, running, data)
        if self._code_headers:
            for payload in task.header.fields.values():
                payload.CopyFrom((await data._inbound([payload]))[0])
        assert self._shutdown
        activity._Context.set(
            activity._Context(
                info=lambda: info,
                heartbeat=None,
                cancelled_event=running.cancelled_event,
                worker_shutdown_event=self._shutdown,
                shield_thread_cancel_exception=(
                    running.canceller.shielded if running.canceller else None
                ),
                payload_converter_class_or_instance=data.payload_converter,
                runtime_metric_meter=self._metric_meter,
                client=None if running.in_thread else self.client,
                cancellation_details=running.details,
            )
        )
        activity.logger.debug("Starting activity")
        shared = self._shared_state if in_process else None
        converter_class = self._converter.payload_converter_class
        chain: ActivityInboundInterceptor = _InboundEnd(running, shared, converter_class)
        for interceptor in reversed(self._interceptors):
            chain = interceptor.intercept_activity(chain)
        chain.init(_OutboundEnd(self, running, info))
        executor = self._executor if running.in_thread else None
        headers = dict(task.header.fields)
        return await chain.execute_activity(
            ExecuteActivityInput(definition.fn, args, executor, headers)
        )

    async def _arguments(
        self, definition: activity._Definition, task: Any, data: converter.DataConverter
    ) -> list[Any]:
        payloads = task.input.payloads
        hints: Any = definition.arg_types
        if definition.name is None:
            hints = [common.RawValue] * len(payloads)
        elif hints is not None and len(hints) != len(payloads):
            hints = None
        try:
            args = await data.decode(payloads, hints) if payloads else []
        except Exception as err:
            raise exceptions.ApplicationError("Failed decoding arguments") from err
        return args if definition.name is not None else [args]

    async def _info(
        self, task: Any, running: Running, data: converter.DataConverter
    ) -> activity.Info:
        def duration(name: str) -> timedelta | None:
            return getattr(task, name).ToTimedelta() or None

        def time(name: str) -> datetime:
            return getattr(task, name).ToDatetime(timezone.utc)

        try:
            details = await data.decode_wrapper(task.heartbeat_details)
        except Exception as err:
            raise exceptions.ApplicationError(
                "Failed decoding heartbeat details", non_retryable=True
            ) from err
        workflow_id = task.workflow_execution.workflow_id or None
        policy = common.RetryPolicy.from_proto(task.retry_policy)
        return activity.Info(
            activity_id=task.activity_id,
            activity_type=task.activity_type.name,
            attempt=task.attempt,
            current_attempt_scheduled_time=time("current_attempt_scheduled_time"),
            heartbeat_details=details,
            heartbeat_timeout=duration("heartbeat_timeout"),
            is_local=running.is_local,
            namespace=task.workflow_namespace or self.client.namespace,
            schedule_to_close_timeout=duration("schedule_to_close_timeout"),
            scheduled_time=time("scheduled_time"),
            start_to_close_timeout=duration("start_to_close_timeout"),
            started_time=time("started_time"),
            task_queue=self._task_queue,
            task_token=running.token,
            workflow_id=workflow_id,
            workflow_namespace=task.workflow_namespace or None,
            workflow_run_id=task.workflow_execution.run_id or None,
            workflow_type=task.workflow_type.name or None,
            priority=common.Priority._from_proto(task.priority),
            retry_policy=policy if task.HasField("retry_policy") else None,
            activity_run_id=None if workflow_id else task.activity_run_id or None,
        )

    # Heartbeats

    def heartbeat(self, running: Running, details: Sequence[Any]) -> None:
        """Send the newest details; those that were not sent yet are forgotten."""
        if running.done:
            return
        running.pending_heartbeat = details
        task = running.heartbeat_task
        if task is None or task.done():
            loop = asyncio.get_running_loop()
            running.heartbeat_task = loop.create_task(self._send_heartbeats(running))

    async def _send_heartbeats(self, running: Running) -> None:
        assert self._bridge
        while running.pending_heartbeat is not None:
            details, running.pending_heartbeat = running.pending_heartbeat, None
            try:
                payloads = await running.converter.encode(details) if details else []
                encoded = [payload.SerializeToString() for payload in payloads]
                self._bridge.heartbeat(running.token, encoded)
            except Exception as err:
                if running.done:
                    logger.exception(
                        "Failed recording heartbeat (activity already done, cannot error)"
                    )
                    return
                logger.warning(
                    "Cancelling activity because failed recording heartbeat", exc_info=True
                )
                running.cancel(error=err)


def _log_failure(err: BaseException) -> None:
    category = getattr(err, "category", None)
    benign = category is exceptions.ApplicationErrorCategory.BENIGN
    activity.logger.log(
        logging.DEBUG if benign else logging.WARNING,
        "Completing activity as failed",
        exc_info=err,
        extra={"__temporal_error_identifier": "ActivityFailure"},
    )


class _InboundEnd(ActivityInboundInterceptor):
    """Runs the function: on the loop, in a thread, or with `shared` in another process."""

    def __init__(
        self,
        running: Running,
        shared: SharedStateManager | None,
        converter_class: type[converter.PayloadConverter],
    ) -> None:
        self._running = running
        self._shared = shared
        self._converter_class = converter_class

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        context = activity._Context.current()
        context.info = outbound.info
        context.heartbeat = outbound.heartbeat

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        fn: Any = input.fn
        if inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(fn.__call__):
            return await fn(*input.args)
        context = activity._Context.current()
        heartbeat = self._heartbeat_from_threads(context)
        if self._shared is not None:
            return await self._in_process(self._shared, input, context, heartbeat)
        context.heartbeat = heartbeat
        return await self._in_thread(input)

    def _heartbeat_from_threads(self, context: activity._Context) -> Callable[..., None]:
        """What hands heartbeats to the loop, and waits until it has taken them."""
        loop = asyncio.get_running_loop()
        on_loop = context.heartbeat
        own = contextvars.copy_context()

        async def call(details: Sequence[Any]) -> None:
            assert on_loop
            own_copy = own.copy()
            own_copy.run(on_loop, *details)

        def heartbeat(*details: Any) -> None:
            sent = asyncio.run_coroutine_threadsafe(call(details), loop)
            sent.result(_HEARTBEAT_SECONDS)

        return heartbeat

    async def _in_thread(self, input: ExecuteActivityInput) -> Any:
        canceller = self._running.canceller

        def run() -> Any:
            if canceller is None:
                return input.fn(*input.args)
            with canceller.running():
                return input.fn(*input.args)

        own = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(input.executor, own.run, run)

    async def _in_process(
        self,
        shared: SharedStateManager,
        input: ExecuteActivityInput,
        context: activity._Context,
        heartbeat: Callable[..., None],
    ) -> Any:
        token = self._running.token
        cancelled, shutting_down = context.cancelled_event.thread_event, context.worker_shutdown_event.thread_event
        assert cancelled is not None and shutting_down is not None  # Of the shared state: events of another process.
        body = functools.partial(
            _run_in_process,
            context.info(),
            cancelled,
            shutting_down,
            await shared.register_heartbeater(token, heartbeat),
            self._converter_class,
            input.fn,
            *input.args,
        )
        try:
            return await asyncio.get_running_loop().run_in_executor(input.executor, body)
        finally:
            await shared.unregister_heartbeater(token)


def _run_in_process(
    info: activity.Info,
    cancelled: threading.Event,
    worker_shutdown: threading.Event,
    heartbeats: SharedHeartbeatSender,
    converter_class: type[converter.PayloadConverter],
    fn: Callable[..., Any],
    *args: Any,
) -> Any:
    """Run a function in this process, which is not its worker's."""
    activity._Context.set(
        activity._Context(
            info=lambda: info,
            heartbeat=functools.partial(heartbeats.send_heartbeat, info.task_token),
            cancelled_event=common._CompositeEvent(cancelled, None),
            worker_shutdown_event=common._CompositeEvent(worker_shutdown, None),
            shield_thread_cancel_exception=None,
            payload_converter_class_or_instance=converter_class,
            runtime_metric_meter=None,
            client=None,
            cancellation_details=activity._ActivityCancellationDetailsHolder(),
        )
    )
    return fn(*args)


class _OutboundEnd(ActivityOutboundInterceptor):
    """Answers what the function asks for."""

    def __init__(self, worker: ActivityWorker, running: Running, info: activity.Info) -> None:
        self._worker = worker
        self._running = running
        self._info = info

    def info(self) -> activity.Info:
        return self._info

    def heartbeat(self, *details: Any) -> None:
        self._worker.heartbeat(self._running, details)
