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
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import chimera._border as border
import chimera.activity as activity
import chimera.common as common
import chimera.converter as converter
import chimera.exceptions as exceptions
from chimera._threads import ThreadCanceller
from chimera.api.common.v1 import Payload, Payloads, Priority as PriorityProto, RetryPolicy as RetryPolicyProto
from chimera.api.failure.v1 import Failure
from chimera.converter import _plain
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
_EPOCH = datetime.fromtimestamp(0, timezone.utc)


class Running:
    """An activity under way, and what its function asks for."""

    __slots__ = (
        "_info", "_worker", "attempt", "began", "cancelled_by_request", "cancelled_event", "cancelled_unbegun",
        "canceller", "converter", "details", "done", "heartbeat_details", "heartbeat_error", "heartbeat_task",
        "in_thread", "pending_heartbeat", "task",
    )

    def __init__(self, worker: ActivityWorker, attempt: border.ActivityTask) -> None:
        self._worker = worker
        self._info: activity.Info | None = None
        self.attempt = attempt
        self.task: asyncio.Task | None = None
        self.cancelled_event: common._CompositeEvent | None = None
        self.canceller: ThreadCanceller | None = None
        self.in_thread = False
        self.began = False
        self.cancelled_unbegun = False
        self.done = False
        self.cancelled_by_request = False
        self.heartbeat_error: BaseException | None = None
        self.pending_heartbeat: Sequence[Any] | None = None
        self.heartbeat_task: asyncio.Task | None = None
        self.heartbeat_details: Sequence[Any] = []
        self.converter = worker._converter  # For heartbeats.
        self.details = activity._ActivityCancellationDetailsHolder()

    @property
    def token(self) -> bytes:
        return self.attempt.token

    def info(self) -> activity.Info:
        if self._info is None:
            self._info = self._worker._info(self)
        return self._info

    def heartbeat(self, *details: Any) -> None:
        self._worker.heartbeat(self, details)

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
        # Payload converters and the like may be others for each activity; simple values may pass them by.
        self._converter_varies = data_converter._takes_context or data_converter.external_storage is not None
        self._is_plain = data_converter._is_plain
        self._running_activities: dict[bytes, Running] = {}
        # Ends that the core is to hear of, and how many begin in this turn of the loop and may bring more of them.
        self._ends: list[tuple[bytes, str, Any]] = []
        self._beginning = 0
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
        self._report()

    # Called by the bridge

    def _start(self, attempt: border.ActivityTask) -> None:
        running = self._running_activities[attempt.token] = Running(self, attempt)
        self._beginning += 1
        running.task = asyncio.get_running_loop().create_task(self._handle(running))

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

    async def _handle(self, running: Running) -> None:
        self._beginning -= 1
        status, value = await self._outcome(running)
        if running.heartbeat_task:
            try:
                await running.heartbeat_task
            except BaseException:
                activity.logger.exception("Final heartbeat task didn't trap error")
        running.task = None  # It leads here.
        self._running_activities.pop(running.token, None)
        self._ends.append((running.token, status, value))
        if not self._beginning:
            self._report()
        elif len(self._ends) == 1:
            asyncio.get_running_loop().call_soon(self._report)

    def _report(self) -> None:
        """Tell the core of all ends at once: each call gives the GIL to other threads."""
        ends, self._ends = self._ends, []
        if not ends:
            return
        assert self._bridge
        try:
            self._bridge.complete(ends)
        except Exception:
            activity.logger.exception("Failed completing activity task")

    async def _outcome(self, running: Running) -> tuple[str, Any]:
        data = self._converter
        running.began = True
        try:
            if self._converter_varies:
                data = self._converter_of(running)
            try:
                if running.cancelled_unbegun:
                    raise asyncio.CancelledError("Activity cancelled")
                result = await self._execute(running, data)
            finally:
                running.done = True
            if self._is_plain and (payload := _plain.encode(result)) is not None:
                return "completed", payload
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

    def _converter_of(self, running: Running) -> converter.DataConverter:
        """For its arguments and its end; that for heartbeats is kept in `running`."""
        attempt = running.attempt
        plain = self._converter.with_context(self._context_of(attempt))
        namespace = self._namespace_of(attempt)
        running.converter = plain._storing_for_activity(
            namespace, attempt.activity_id, attempt.activity_run_id, attempt.activity_type
        )
        if not attempt.workflow_id:  # It was started by a client, on its own.
            return running.converter
        return plain._storing_for_workflow(
            namespace, attempt.workflow_id, attempt.workflow_run_id, attempt.workflow_type
        )

    def _context_of(self, attempt: border.ActivityTask) -> converter.ActivitySerializationContext:
        return converter.ActivitySerializationContext(
            namespace=self._namespace_of(attempt),
            activity_id=attempt.activity_id,
            activity_type=attempt.activity_type,
            activity_task_queue=self._task_queue,
            workflow_id=attempt.workflow_id,
            workflow_type=attempt.workflow_type,
            is_local=attempt.is_local,
        )

    def _namespace_of(self, attempt: border.ActivityTask) -> str:
        return attempt.workflow_namespace or self.client.namespace

    async def _execute(self, running: Running, data: converter.DataConverter) -> Any:
        attempt = running.attempt
        name = attempt.activity_type
        definition = self._definitions.get(name, self._dynamic)
        if definition is None:
            raise exceptions.ApplicationError(
                f"Activity function {name} for workflow {attempt.workflow_id} is "
                f"not registered on this worker, available activities: {self._known()}",
                type="NotFoundError",
            )
        in_process = False
        if definition.is_async:
            running.cancelled_event = common._LateEvent()
        else:
            running.in_thread = True
            in_process = self._in_processes
            running.cancelled_event = common._CompositeEvent(self._new_event(), None)
            if not in_process and not definition.no_thread_cancel_exception:
                running.canceller = ThreadCanceller()
        args = await self._arguments(definition, attempt, data)
        if attempt.heartbeat_details:
            running.heartbeat_details = await self._heartbeat_details(attempt, data)
        headers = await self._headers(attempt, data) if attempt.headers else {}
        alone = definition.is_async and not self._interceptors
        self._set_context(running, data, alone)
        if activity.logger.base_logger.isEnabledFor(logging.DEBUG):
            activity.logger.debug("Starting activity")
        if alone:
            return await definition.fn(*args)
        shared = self._shared_state if in_process else None
        converter_class = self._converter.payload_converter_class
        chain: ActivityInboundInterceptor = _InboundEnd(running, shared, converter_class)
        for interceptor in reversed(self._interceptors):
            chain = interceptor.intercept_activity(chain)
        chain.init(_OutboundEnd(running))
        executor = self._executor if running.in_thread else None
        return await chain.execute_activity(
            ExecuteActivityInput(definition.fn, args, executor, headers)
        )

    def _set_context(self, running: Running, data: converter.DataConverter, alone: bool) -> None:
        """What the functions of chimera.activity find; with interceptors, their `init` adds to it."""
        assert self._shutdown and running.cancelled_event
        canceller = running.canceller
        activity._Context.set(
            activity._Context(
                info=running.info,
                heartbeat=running.heartbeat if alone else None,
                cancelled_event=running.cancelled_event,
                worker_shutdown_event=self._shutdown,
                shield_thread_cancel_exception=canceller.shielded if canceller else None,
                payload_converter_class_or_instance=data.payload_converter,
                runtime_metric_meter=self._metric_meter,
                client=None if running.in_thread else self.client,
                cancellation_details=running.details,
            )
        )

    async def _arguments(
        self, definition: activity._Definition, attempt: border.ActivityTask, data: converter.DataConverter
    ) -> list[Any]:
        given = attempt.input
        hints: Any = definition.arg_types
        if definition.name is None:
            hints = [common.RawValue] * len(given)
        elif hints is not None and len(hints) != len(given):
            hints = None
        if self._is_plain and (simple := _plain.decode_all(given, hints)) is not None:
            return simple if definition.name is not None else [simple]
        try:
            args = await data.decode([Payload.FromString(each) for each in given], hints) if given else []
        except Exception as err:
            raise exceptions.ApplicationError("Failed decoding arguments") from err
        return args if definition.name is not None else [args]

    async def _heartbeat_details(
        self, attempt: border.ActivityTask, data: converter.DataConverter
    ) -> Sequence[Any]:
        payloads = [Payload.FromString(each) for each in attempt.heartbeat_details]
        try:
            return await data.decode_wrapper(Payloads(payloads=payloads))
        except Exception as err:
            raise exceptions.ApplicationError(
                "Failed decoding heartbeat details", non_retryable=True
            ) from err

    async def _headers(
        self, attempt: border.ActivityTask, data: converter.DataConverter
    ) -> dict[str, Payload]:
        headers = {name: Payload.FromString(each) for name, each in attempt.headers.items()}
        if self._code_headers:
            for payload in headers.values():
                payload.CopyFrom((await data._inbound([payload]))[0])
        return headers

    def _info(self, running: Running) -> activity.Info:
        attempt = running.attempt
        policy, priority = attempt.retry_policy, common.Priority.default
        if attempt.priority:
            priority = common.Priority._from_proto(PriorityProto.FromString(attempt.priority))
        return activity.Info(
            activity_id=attempt.activity_id,
            activity_type=attempt.activity_type,
            attempt=attempt.attempt,
            current_attempt_scheduled_time=_time(attempt.current_attempt_scheduled_time),
            heartbeat_details=running.heartbeat_details,
            heartbeat_timeout=_duration(attempt.heartbeat_timeout) or None,
            is_local=attempt.is_local,
            namespace=self._namespace_of(attempt),
            schedule_to_close_timeout=_duration(attempt.schedule_to_close_timeout) or None,
            scheduled_time=_time(attempt.scheduled_time),
            start_to_close_timeout=_duration(attempt.start_to_close_timeout) or None,
            started_time=_time(attempt.started_time),
            task_queue=self._task_queue,
            task_token=attempt.token,
            workflow_id=attempt.workflow_id or None,
            workflow_namespace=attempt.workflow_namespace or None,
            workflow_run_id=attempt.workflow_run_id or None,
            workflow_type=attempt.workflow_type or None,
            priority=priority,
            retry_policy=(
                None
                if policy is None
                else common.RetryPolicy.from_proto(RetryPolicyProto.FromString(policy))
            ),
            activity_run_id=None if attempt.workflow_id else attempt.activity_run_id or None,
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


def _duration(nanoseconds: int) -> timedelta:
    return timedelta(microseconds=nanoseconds // 1000)


def _time(nanoseconds: int) -> datetime:
    return _EPOCH + _duration(nanoseconds)


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

    def __init__(self, running: Running) -> None:
        self._running = running

    def info(self) -> activity.Info:
        return self._running.info()

    def heartbeat(self, *details: Any) -> None:
        self._running.heartbeat(*details)
