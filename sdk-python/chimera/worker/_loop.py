"""The event loop of one run: a queue of callbacks in order, and durable timers.

Nothing here waits: the run fills the queue from its activation and drains it. Futures and tasks
are asyncio's own. Everything happens on the thread that activates the run.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from chimera._border import CancelTimer, StartTimer
from chimera.workflow._errors import ReadOnlyContextError

# In nanoseconds: 292 years, in whole seconds.
LONGEST = 9_223_372_036 * 1_000_000_000

if TYPE_CHECKING:
    from chimera.worker._run import Run

logger = logging.getLogger("temporalio.worker._workflow_instance")

# Summary of timers that asyncio itself starts (wait_for, timeout): travels with the task.
timer_metadata: contextvars.ContextVar[Any] = contextvars.ContextVar(
    "chimera_timer_metadata", default=None
)


class _WorkflowBeingEvictedError(BaseException):
    """Ends code that goes on doing things while its run is evicted."""


class Timer(asyncio.TimerHandle):
    """A durable timer. Cancelling it is a command, unless it has fired."""

    def __init__(self, seq: int, when: float, callback: Any, args: Any, loop: Any, context: Any):
        super().__init__(when, callback, args, loop, context)
        self.seq = seq


class WorkflowLoop(asyncio.AbstractEventLoop):
    """One run's loop. `chimera_run` leads from code that runs on it to the run."""

    def __init__(self, run: Run, task_suffix: str) -> None:
        self.chimera_run = run
        self.now_ns = 0
        self.read_only = False
        self.evicting = False
        self.ready: list[asyncio.Handle] = []  # Run in batches: a deque is of 600 bytes at least.
        self.tasks: set[asyncio.Task[Any]] = set()
        self.timers: dict[int, Timer] = {}
        self._task_suffix = task_suffix
        self._last_timer = 0
        self._exception_handler: Callable[..., Any] | None = None

    def check(self, action: str) -> None:
        """Refuse what queries, validators and evicted code may not do."""
        if self.evicting:
            raise _WorkflowBeingEvictedError(f"Ignoring {action} while evicting workflow. This is not an error.")
        if self.read_only:
            raise ReadOnlyContextError(f"While in read-only function, action attempted: {action}")

    def cancel_all_tasks(self) -> None:
        for task in list(self.tasks):
            task.cancel()

    # Timers

    def start_timer(
        self, delay: float, metadata: Any, callback: Any, args: Any, context: Any = None
    ) -> Timer:
        self.check("schedule timer")
        if delay < 0:
            raise RuntimeError("Attempting to schedule timer with negative delay")
        self._last_timer += 1
        timer = Timer(self._last_timer, self.time() + delay, callback, args, self, context)
        nanoseconds = min(int(delay * 1e9), LONGEST)
        self.chimera_run.add_command(StartTimer(timer.seq, nanoseconds, metadata))
        self.timers[timer.seq] = timer
        return timer

    def fire_timer(self, seq: int) -> None:
        """A timer that code has cancelled meanwhile is not known any more."""
        timer = self.timers.pop(seq, None)
        if timer is not None:
            self.ready.append(timer)

    def _timer_handle_cancelled(self, handle: Any) -> None:
        if not isinstance(handle, Timer):
            raise TypeError("Expected a timer of this loop")
        if self.timers.pop(handle.seq, None) is not None:
            self.chimera_run.add_command(CancelTimer(handle.seq))

    # asyncio's interface, as far as deterministic code can use it. The rest is the base class's
    # NotImplementedError.

    def time(self) -> float:
        return self.now_ns / 1e9

    def call_soon(  # type: ignore
        self, callback: Any, *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        if self.read_only and not self.evicting:
            self.check("schedule task")
        handle = asyncio.Handle(callback, args, self, context)
        self.ready.append(handle)
        return handle

    def call_later(  # type: ignore
        self, delay: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        return self.start_timer(delay, timer_metadata.get(), callback, args, context)

    def call_at(  # type: ignore
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        # Only differences make sense; the rounding takes away the noise of the subtraction.
        delay = round(when - self.time(), 3)
        return self.start_timer(delay, timer_metadata.get(), callback, args, context)

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Any, *, name: str | None = None, context: contextvars.Context | None = None
    ) -> asyncio.Task[Any]:
        if sys.version_info >= (3, 11):
            task = asyncio.Task(coro, loop=self, context=context)
        else:
            task = asyncio.Task(coro, loop=self)
        self.adopt(task, name)
        return task

    def adopt(self, task: asyncio.Task[Any], name: str | None) -> None:
        """Own a task until it is done. Its name tells where it belongs."""
        self.check("create task")
        task.set_name((name or task.get_name()) + self._task_suffix)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        if hasattr(task, "_log_destroy_pending"):
            task._log_destroy_pending = False

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def get_task_factory(self) -> None:
        return None

    def get_exception_handler(self) -> Any:
        return self._exception_handler

    def set_exception_handler(self, handler: Any) -> None:
        self._exception_handler = handler

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Log what nobody caught. It fails nothing."""
        lines = [context.get("message") or "Unhandled exception in event loop"]
        for key, value in sorted(context.items()):
            if key in ("source_traceback", "handle_traceback"):
                value = "\n" + "".join(traceback.format_list(value)).rstrip()
            elif key in ("message", "exception"):
                continue
            lines.append(f"{key}: {value if isinstance(value, str) else repr(value)}")
        logger.error("\n".join(lines), exc_info=context.get("exception"))

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if self.evicting:
            return
        try:
            if self._exception_handler is not None:
                self._exception_handler(self, context)
                return
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as err:
            context = {
                "message": "Unhandled error in exception handler",
                "exception": err,
                "context": context,
            }
        self.default_exception_handler(context)
