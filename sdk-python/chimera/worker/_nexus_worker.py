"""The Nexus half of a worker: runs handlers of operations on the loop or in threads."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import nexusrpc
from nexusrpc.handler import (
    CancelOperationContext,
    Handler,
    OperationHandler,
    OperationTaskCancellation,
    StartOperationContext,
    StartOperationResultAsync,
    StartOperationResultSync,
)

import chimera._border as border
import chimera.common as common
import chimera.converter as converter
from chimera.api.failure.v1 import Failure
from chimera.api.nexus.v1 import Request, Response
from chimera.nexus._operation_context import Info, _Cancelling, _Starting, logger
from chimera.nexus._operation_handlers import is_async_callable
from chimera.worker._interceptor import (
    ExecuteNexusOperationCancelInput,
    ExecuteNexusOperationStartInput,
    Interceptor,
    NexusOperationInboundInterceptor,
)
from chimera.worker._nexus_errors import handler_error, input_error, operation_failure

if TYPE_CHECKING:
    from chimera import _bridge
    from chimera.client import Client

_EPOCH = datetime.fromtimestamp(0, timezone.utc)
_REASONS = ("TIMED_OUT", "WORKER_SHUTDOWN")  # coresdk.nexus.NexusTaskCancelReason


class _TaskCancellation(OperationTaskCancellation):
    """Set on the loop; seen by any thread."""

    def __init__(self) -> None:
        self._event = common._CompositeEvent(threading.Event(), asyncio.Event())
        self._reason: str | None = None

    def cancel(self, reason: str) -> None:
        self._reason = reason
        self._event.set()

    def is_cancelled(self) -> bool:
        return self._event.is_set()

    def cancellation_reason(self) -> str | None:
        return self._reason

    def wait_until_cancelled_sync(self, timeout: float | None = None) -> bool:
        self._event.wait_sync(timeout)
        return self.is_cancelled()

    async def wait_until_cancelled(self) -> None:
        await self._event.wait()


class _Task:
    """A request under way."""

    def __init__(self, token: bytes, request: Request, deadline: datetime | None) -> None:
        self.token = token
        self.request = request
        self.deadline = deadline
        self.cancellation = _TaskCancellation()
        self.began = False
        self.task: asyncio.Task[None] | None = None

    @property
    def starts(self) -> bool:
        return self.request.HasField("start_operation")

    @property
    def target(self) -> Any:
        """What has the names of service and operation."""
        return self.request.start_operation if self.starts else self.request.cancel_operation

    def cancel(self, reason: str) -> None:
        self.cancellation.cancel(reason)
        # A task that is cancelled before its first step runs nothing at all, so nobody would report its end.
        if self.began and self.task:
            self.task.cancel(f"Nexus task cancelled: {reason}")


class NexusWorker:
    """Used on the worker's loop."""

    def __init__(
        self,
        *,
        task_queue: str,
        service_handlers: Sequence[Any],
        executor: concurrent.futures.Executor | None,
        data_converter: converter.DataConverter,
        interceptors: Sequence[Interceptor],
        metric_meter: common.MetricMeter,
        client: Client,
        on_fatal: Callable[[BaseException], None],
    ) -> None:
        self.client = client
        self._task_queue = task_queue
        self._executor = executor
        self._converter = data_converter
        self._interceptors = interceptors
        self._metric_meter = metric_meter
        self._on_fatal = on_fatal
        # It checks the services, and that there is an executor for those that need one.
        self._services = Handler(service_handlers, executor).service_handlers
        self._tasks: dict[bytes, _Task] = {}
        self._bridge: _bridge.NexusBridge | None = None
        self._shutdown: common._CompositeEvent | None = None

    def register_with(self, core: _bridge.Worker, queue: _bridge.Queue) -> None:
        """Register all services with the core's worker."""
        from chimera import _bridge

        self._shutdown = common._CompositeEvent(threading.Event(), asyncio.Event())
        self._bridge = _bridge.NexusBridge(queue, self._start, self._cancel)
        for name in self._services:
            core.add_nexus_service(name, self._bridge)

    def notify_shutdown(self) -> None:
        if self._shutdown:
            self._shutdown.set()

    def close(self) -> None:
        """After the core has drained."""
        if self._bridge is not None:
            self._bridge.close()

    async def wait_all_completed(self) -> None:
        """Until no handler is under way."""
        if tasks := [each.task for each in self._tasks.values() if each.task]:
            await asyncio.wait(tasks)

    # Called by the bridge

    def _start(self, given: border.NexusTask) -> None:
        deadline = None
        if given.deadline is not None:
            deadline = _EPOCH + timedelta(microseconds=given.deadline // 1000)
        task = _Task(given.token, Request.FromString(given.request), deadline)
        self._tasks[given.token] = task
        task.task = asyncio.get_running_loop().create_task(self._handle(task))

    def _cancel(self, token: bytes, reason: int) -> None:
        if (task := self._tasks.get(token)) is not None:  # It may have just ended.
            task.cancel(_REASONS[reason])

    # One request

    async def _handle(self, task: _Task) -> None:
        assert self._bridge
        status, value = await self._outcome(task)
        self._tasks.pop(task.token, None)
        try:
            self._bridge.complete(task.token, status, value)
        except Exception:
            logger.exception("Failed to send Nexus task completion")

    async def _outcome(self, task: _Task) -> tuple[str, bytes | None]:
        data = self._converter
        task.began = True
        try:
            data = data.with_context(
                converter.NexusSerializationContext(
                    task.request.endpoint, task.target.service, task.target.operation
                )
            )
            if task.cancellation.is_cancelled():
                return "cancelled", None
            response = await (self._start_operation if task.starts else self._cancel_operation)(task, data)
            return "completed", response.SerializeToString()
        except asyncio.CancelledError:
            return "cancelled", None
        except BaseException as err:
            return await self._failed(task, data, err)

    async def _failed(
        self, task: _Task, data: converter.DataConverter, err: BaseException
    ) -> tuple[str, bytes | None]:
        kind = "start" if task.starts else "cancel"
        logger.warning(f"Failed to execute Nexus {kind} operation method", exc_info=err)
        failure = Failure()
        try:
            if isinstance(err, concurrent.futures.BrokenExecutor):
                fatal = RuntimeError("Nexus worker failed")
                fatal.__cause__ = err
                self._on_fatal(fatal)
            await data.encode_failure(handler_error(err), failure)
        except asyncio.CancelledError:
            return "cancelled", None
        except Exception as inner:
            logger.exception("Failed building Nexus failure, original error: %s", err)
            failure = Failure(message=f"Failed building exception result: {inner}")
            failure.nexus_handler_failure_info.type = nexusrpc.HandlerErrorType.INTERNAL.name
        return "failed", failure.SerializeToString()

    def _handler_of(self, task: _Task) -> tuple[NexusOperationInboundInterceptor, Any]:
        """What calls the operation, and the type of its input."""
        service = self._services[task.target.service]
        handler = service.get_operation_handler(task.target.operation)
        chain: NexusOperationInboundInterceptor = _InboundEnd(handler, self._executor)
        for interceptor in reversed(self._interceptors):
            chain = interceptor.intercept_nexus_operation(chain)
        return chain, service.service.operation_definitions[task.target.operation].input_type

    def _running(self, kind: Any, context: Any, task: _Task) -> Any:
        assert self._shutdown
        info = Info(task.request.endpoint, self.client.namespace, self._task_queue)
        return kind(context, info, self.client, self._metric_meter, self._shutdown)

    def _common(self, task: _Task) -> dict[str, Any]:
        return {
            "service": task.target.service,
            "operation": task.target.operation,
            "headers": dict(task.request.header),
            "task_cancellation": task.cancellation,
            "request_deadline": task.deadline,
        }

    async def _cancel_operation(self, task: _Task, data: converter.DataConverter) -> Response:
        context = CancelOperationContext(**self._common(task))
        with self._running(_Cancelling, context, task).entered():
            chain, _ = self._handler_of(task)
            token = task.request.cancel_operation.operation_token
            await chain.execute_nexus_operation_cancel(ExecuteNexusOperationCancelInput(context, token))
        response = Response()
        response.cancel_operation.SetInParent()
        return response

    async def _start_operation(self, task: _Task, data: converter.DataConverter) -> Response:
        request = task.request.start_operation
        context = StartOperationContext(
            request_id=request.request_id,
            callback_url=request.callback,
            callback_headers=dict(request.callback_header),
            inbound_links=[nexusrpc.Link(url=link.url, type=link.type) for link in request.links],
            **self._common(task),
        )
        response = Response()
        try:
            with self._running(_Starting, context, task).entered():
                chain, input_type = self._handler_of(task)
                value = await _input_of(request.payload, input_type, data)
                result: Any = await chain.execute_nexus_operation_start(
                    ExecuteNexusOperationStartInput(context, value)
                )
            if isinstance(result, StartOperationResultAsync):
                answer: Any = response.start_operation.async_success
                answer.operation_token = result.token
            elif isinstance(result, StartOperationResultSync):
                answer = response.start_operation.sync_success
                (payload,) = await data.encode([result.value])
                answer.payload.CopyFrom(payload)
            else:
                raise TypeError(
                    "Operation start method must return either nexusrpc.handler.StartOperationResultSync or "
                    f"nexusrpc.handler.StartOperationResultAsync, not {type(result)}."
                )
            for link in context.outbound_links:
                answer.links.add(url=link.url, type=link.type)
        except nexusrpc.OperationError as err:
            response = Response()
            await data.encode_failure(operation_failure(err), response.start_operation.failure)
        return response


async def _input_of(payload: Any, input_type: Any, data: converter.DataConverter) -> Any:
    """The operation's input; a HandlerError says at which step it could not be had."""
    payloads = [payload]
    for step, message, options in (
        (
            data._inbound_references,
            "Payload codec failed to decode Nexus operation input storage reference",
            {},
        ),
        (
            data._inbound_retrieved,
            "Failed to retrieve Nexus operation input from external storage",
            {"retryable_override": True},
        ),
        (data._inbound_decoded, "Payload codec failed to decode Nexus operation input", {}),
    ):
        try:
            payloads = await step(payloads)
        except Exception as err:
            raise input_error(err, message, nexusrpc.HandlerErrorType.INTERNAL, **options) from err
    try:
        hints = [input_type] if input_type else None
        (value,) = data.payload_converter.from_payloads(payloads, hints)
        return value
    except Exception as err:
        raise input_error(
            err,
            "Payload converter failed to decode Nexus operation input",
            nexusrpc.HandlerErrorType.BAD_REQUEST,
            retryable_override=False,
        ) from err


class _InboundEnd(NexusOperationInboundInterceptor):
    """Calls the user's handler: on the loop, or in a thread if it is no `async def`."""

    def __init__(self, handler: OperationHandler[Any, Any], executor: concurrent.futures.Executor | None) -> None:
        self._handler = handler
        self._executor = executor

    async def execute_nexus_operation_start(self, input: ExecuteNexusOperationStartInput) -> Any:
        return await self._call(self._handler.start, input.ctx, input.input)

    async def execute_nexus_operation_cancel(self, input: ExecuteNexusOperationCancelInput) -> None:
        await self._call(self._handler.cancel, input.ctx, input.token)

    async def _call(self, function: Callable[..., Any], *args: Any) -> Any:
        if is_async_callable(function):
            return await function(*args)
        own = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._executor, own.run, function, *args)
