"""ActivityEnvironment: runs an activity's function without any server."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import ParamSpec

import chimera.activity
import chimera.common
import chimera.converter
import chimera.exceptions
from chimera._threads import ThreadCanceller
from chimera.activity import ActivityCancellationDetails

if TYPE_CHECKING:
    from chimera.client import Client

_Params = ParamSpec("_Params")
_Return = TypeVar("_Return")


class ActivityEnvironment:
    """What an activity sees of its worker; every attribute may be replaced before run()."""

    __test__ = False

    def __init__(self, client: Client | None = None) -> None:
        """`client` is what async activities get from activity.client()."""
        self.info = self.default_info()
        self.on_heartbeat: Callable[..., None] = lambda *args: None
        self.payload_converter = chimera.converter.DataConverter.default.payload_converter
        self.metric_meter = chimera.common.MetricMeter.noop
        self._client = client
        self._cancelled = False
        self._worker_shutdown = False
        self._running: set[_Activity] = set()
        self._cancellation_details = chimera.activity._ActivityCancellationDetailsHolder()

    @staticmethod
    def default_info() -> chimera.activity.Info:
        """What info is at first; dataclasses.replace makes another one."""
        zero = datetime.fromtimestamp(0, timezone.utc)
        return chimera.activity.Info(
            activity_id="test",
            activity_type="unknown",
            attempt=1,
            current_attempt_scheduled_time=zero,
            heartbeat_details=[],
            heartbeat_timeout=None,
            is_local=False,
            namespace="default",
            schedule_to_close_timeout=timedelta(seconds=1),
            scheduled_time=zero,
            start_to_close_timeout=timedelta(seconds=1),
            started_time=zero,
            task_queue="test",
            task_token=b"test",
            workflow_id="test",
            workflow_namespace="default",
            workflow_run_id="test-run",
            workflow_type="test",
            priority=chimera.common.Priority.default,
            retry_policy=None,
            activity_run_id=None,
        )

    def cancel(
        self, cancellation_details: ActivityCancellationDetails = ActivityCancellationDetails(cancel_requested=True)
    ) -> None:
        """Cancels what runs, and what is run later. Only the first call has an effect."""
        if self._cancelled:
            return
        self._cancelled = True
        self._cancellation_details.details = cancellation_details
        for activity in list(self._running):
            activity.cancel()

    def worker_shutdown(self) -> None:
        """Tells what runs, and what is run later, that the worker ends. Only the first call has an effect."""
        self._worker_shutdown = True
        for activity in list(self._running):
            activity.context.worker_shutdown_event.set()

    def run(self, fn: Callable[_Params, _Return], *args: _Params.args, **kwargs: _Params.kwargs) -> _Return:
        """Calls the function in an activity's context; of an async one the result is to be awaited."""
        activity = _Activity(self, fn)
        if activity.is_async:
            return activity.run_async(*args, **kwargs)  # type: ignore[return-value]
        return activity.run_in_thread(*args, **kwargs)


class _Activity:
    """One call of run()."""

    def __init__(self, env: ActivityEnvironment, fn: Callable[..., Any]) -> None:
        call = getattr(fn, "__call__", None)  # noqa: B004 - the method itself is wanted
        self.is_async = inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(call)
        self._env = env
        self._fn = fn
        self._task: asyncio.Task[Any] | None = None
        definition = chimera.activity._Definition.from_callable(fn)
        raises = not self.is_async and not (definition and definition.no_thread_cancel_exception)
        self._canceller = ThreadCanceller() if raises else None
        self.context = chimera.activity._Context(
            info=lambda: env.info,
            heartbeat=lambda *details: env.on_heartbeat(*details),
            cancelled_event=self._event(),
            worker_shutdown_event=self._event(),
            shield_thread_cancel_exception=self._canceller.shielded if self._canceller else None,
            payload_converter_class_or_instance=env.payload_converter,
            runtime_metric_meter=env.metric_meter,
            client=env._client if self.is_async else None,
            cancellation_details=env._cancellation_details,
        )

    def _event(self) -> chimera.common._CompositeEvent:
        return chimera.common._CompositeEvent(threading.Event(), asyncio.Event() if self.is_async else None)

    @contextmanager
    def _in_context(self) -> Iterator[None]:
        if self._env._cancelled:
            self.context.cancelled_event.set()
        if self._env._worker_shutdown:
            self.context.worker_shutdown_event.set()
        self._env._running.add(self)
        token = chimera.activity._Context.set(self.context)
        try:
            yield
        finally:
            chimera.activity._Context.reset(token)
            self._env._running.discard(self)

    async def run_async(self, *args: Any, **kwargs: Any) -> Any:
        with self._in_context():
            self._task = asyncio.ensure_future(self._fn(*args, **kwargs))
            if self._env._cancelled:
                self._task.cancel()
            return await self._task

    def run_in_thread(self, *args: Any, **kwargs: Any) -> Any:
        with self._in_context(), self._canceller.running() if self._canceller else nullcontext():
            return self._fn(*args, **kwargs)

    def cancel(self) -> None:
        self.context.cancelled_event.set()
        if self._canceller:
            self._canceller.cancel(chimera.exceptions.CancelledError)
        if self._task and not self._task.done():
            self._task.cancel()
