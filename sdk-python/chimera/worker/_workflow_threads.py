"""The threads of workflow code, and the watchdog over them.

One thread takes activations from the core and runs them, one after the other. Code that does not
come to a wait would stop all other runs: then another thread takes over the queue, and the first
goes on with what it does until it is interrupted, or abandoned if that has no effect, since Python
cannot interrupt code that blocks outside of it.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import os
import select
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from chimera._threads import clear_pending, raise_in_thread

if TYPE_CHECKING:
    from chimera import _bridge

logger = logging.getLogger("temporalio.worker._workflow")
ResultT = TypeVar("ResultT")

# An activation takes well below a millisecond; from here on, other runs need not wait for it.
_TAKE_OVER_SECONDS = 0.2
_SAMPLE_SECONDS = 0.25
# Samples without work after which the watchdog sleeps.
_IDLE_SAMPLES = 20
# For code that runs when the interpreter ends.
_PATIENCE_AT_EXIT = 0.5


class DeadlockError(Exception):
    """Workflow code did not come to a wait in time."""


class DeadlockInterrupt(BaseException):
    """Raised in such code. It is no Exception, so that handlers of those let it pass."""


class Abandoned(Exception):
    """The activation has ended, but it was answered without it."""


class _Thread(threading.local):
    """What one thread runs. The watchdog reads it."""

    def __init__(self) -> None:
        self.state = _State(threading.get_ident())


class _State:
    def __init__(self, thread_id: int) -> None:
        self.thread_id = thread_id
        self.began: float | None = None
        self.what: Any = None
        self.error: DeadlockError | None = None
        # Set while nobody waits for the code any more; the event, once somebody has answered for it.
        self.abandoned: threading.Event | None = None


class WorkflowThreads:
    """Owned by the workflow worker. `watched` and `submit` may be called on any thread."""

    def __init__(self, timeout: float, on_abandoned: Callable[[Any, DeadlockError], None]) -> None:
        self.timeout = timeout
        self._on_abandoned = on_abandoned
        self._queue: _bridge.Queue | None = None
        self._items: deque[tuple[Callable[..., Any], tuple]] = deque()
        self._lock = threading.Lock()
        self._thread = _Thread()
        self._busy: set[_State] = set()
        self._ran = False  # Since the watchdog looked.
        self._turn: Callable[[], None] | None = None
        self._serving: threading.Thread | None = None
        self._serving_id = 0
        self._count = 0
        self._closed = False
        self._awake = threading.Event()
        self._ended = threading.Event()
        self._watchdog: threading.Thread | None = None

    def open(self, loop: asyncio.AbstractEventLoop | None = None) -> _bridge.Queue:
        """The queue to whose items a thread listens from now on.

        `loop` turns within a quarter of a second after code has run: what it set of asyncio's, an Event or a
        Semaphore of the worker's loop, as tests do, wakes no loop from another thread.
        """
        from chimera import _bridge

        if loop is not None:
            self._turn = lambda: _turn(loop)
        if self._queue is None:
            self._queue = _bridge.Queue()
            _open_at_exit(self)
            self._serve_by_new_thread()
        return self._queue

    def close(self) -> None:
        """End the threads, those that are stuck excepted."""
        self._closed = True
        self._ended.set()
        self._awake.set()
        self._wake()

    def end_at_exit(self) -> None:
        """Close, and wait for the threads, so that the interpreter does not end beneath them; code
        that does not come to a wait is left behind."""
        self.close()
        for thread in (self._watchdog, self._serving):
            if thread is not None:
                thread.join(_PATIENCE_AT_EXIT)

    def submit(self, body: Callable[..., Any], *args: Any) -> None:
        """Call it on the thread, or right here where there is none."""
        if self._queue is None:
            body(*args)
        else:
            self._items.append((body, args))
            self._wake()

    async def run(self, body: Callable[..., ResultT], *args: Any) -> ResultT:
        """The result of calling it on the thread."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[ResultT] = loop.create_future()

        def settle(result: Any, error: BaseException | None) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)

        def call() -> None:
            try:
                result, error = body(*args), None
            except Exception as err:
                result, error = None, err
            loop.call_soon_threadsafe(settle, result, error)

        self.submit(call)
        return await future

    def watched(self, what: Any, body: Callable[[Any], ResultT], argument: Any) -> ResultT:
        """Run an activation. Raises DeadlockError if it was interrupted, Abandoned if it ended
        after `on_abandoned` was called with `what` and the error, and has returned."""
        state = self._thread.state
        state.error, state.abandoned, state.what = None, None, what
        state.began = time.monotonic()
        self._busy.add(state)
        if not self._awake.is_set():
            self._wake_watchdog()
        try:
            try:
                result = body(argument)
            except DeadlockInterrupt:
                pass
            finally:
                self._end(state)
        except DeadlockInterrupt:  # It came when the code had just ended.
            self._end(state)
        if state.abandoned is not None:
            state.abandoned.wait()
            raise Abandoned
        if state.error is not None:
            raise state.error
        return result  # Unbound only after an interruption.

    def _end(self, state: _State) -> None:
        with self._lock:
            state.began = None
            self._ran = True
            self._busy.discard(state)
            if state.error is not None:
                clear_pending(state.thread_id)

    # The thread

    def _serve_by_new_thread(self) -> None:
        self._count += 1
        name = f"temporal_workflow_{self._count}"
        self._serving = threading.Thread(target=self._serve, name=name, daemon=True)
        self._serving.start()

    def _serve(self) -> None:
        queue, items, me = self._queue, self._items, threading.current_thread()
        assert queue is not None
        self._serving_id = threading.get_ident()
        poll = select.poll()
        poll.register(queue.fileno(), select.POLLIN)
        while self._serving is me and not self._closed:
            if not items:
                poll.poll()
                items.extend(queue.take())
                continue
            body, args = items.popleft()
            try:
                body(*args)
            except BaseException:
                logger.exception("Failed in %r", body)
            body = args = None  # type: ignore  # Kept while waiting, they would keep what they lead to.

    def _wake(self) -> None:
        if self._queue is not None:
            os.eventfd_write(self._queue.fileno(), 1)

    # The watchdog. Its thread sleeps while there is nothing to watch.

    def _wake_watchdog(self) -> None:
        with self._lock:
            self._awake.set()
            if self._watchdog is None:
                self._watchdog = threading.Thread(
                    target=self._watch, name="chimera_watchdog", daemon=True
                )
                self._watchdog.start()

    def _watch(self) -> None:
        idle = 0
        while not self._closed:
            self._awake.wait()
            self._ended.wait(min(self.timeout / 4, _SAMPLE_SECONDS))
            idle = 0 if self._busy else idle + 1
            if idle > _IDLE_SAMPLES:
                idle = 0
                self._awake.clear()
                if self._busy:  # It began while this was decided.
                    self._awake.set()
            if self._ran:
                self._ran = False
                if self._turn is not None:
                    self._turn()
            for state in list(self._busy):
                self._sample(state)

    def _sample(self, state: _State) -> None:
        with self._lock:
            if state.began is None:
                return
            seconds = time.monotonic() - state.began
            slow = seconds > min(_TAKE_OVER_SECONDS, self.timeout)
            if slow and state.thread_id == self._serving_id:
                self._serving_id = 0
                self._serve_by_new_thread()
            if state.abandoned is not None or seconds <= self.timeout:
                return
            if state.error is None:
                state.error = _deadlock_error(state.thread_id, self.timeout)
                raise_in_thread(state.thread_id, DeadlockInterrupt)
                return
            answered = state.abandoned = threading.Event()
            what, error = state.what, state.error
        try:
            self._on_abandoned(what, error)
        except Exception:
            logger.exception("Failed answering for workflow code that does not come to a wait")
        finally:
            answered.set()


def _turn(loop: asyncio.AbstractEventLoop) -> None:
    with contextlib.suppress(RuntimeError):  # It has been closed.
        loop.call_soon_threadsafe(lambda: None)


_open: weakref.WeakSet[WorkflowThreads] = weakref.WeakSet()


def _open_at_exit(threads: WorkflowThreads) -> None:
    """Called after the bridge was imported: what is registered last ends first."""
    if not _open:
        atexit.unregister(_end_all)
        atexit.register(_end_all)
    _open.add(threads)


def _end_all() -> None:
    for threads in list(_open):
        threads.end_at_exit()


def _forget_all() -> None:
    """In a forked child, which has none of the threads, and where their locks may be held for ever."""
    _open.clear()


os.register_at_fork(after_in_child=_forget_all)


@contextlib.contextmanager
def debugger_that_goes_on() -> Iterator[None]:
    """Within it, quitting pdb lets the workflow go on: failing its task would only ask again."""
    before = sys.breakpointhook
    if before is not sys.__breakpointhook__ or "PYTHONBREAKPOINT" in os.environ:
        yield None  # The user has chosen a debugger.
        return
    sys.breakpointhook = _set_trace
    try:
        yield None
    finally:
        sys.breakpointhook = before


def _set_trace(*_args: Any, **_options: Any) -> None:
    import pdb

    class GoingOn(pdb.Pdb):
        def do_quit(self, arg: str) -> Any:
            return self.do_continue(arg)

        do_q = do_exit = do_EOF = do_quit

    GoingOn(nosigint=True).set_trace(sys._getframe(1))


def _deadlock_error(thread_id: int, timeout: float) -> DeadlockError:
    """The error, with the stack of the thread as its traceback."""
    error = DeadlockError(
        "[TMPRL1101] Potential deadlock detected: workflow didn't yield within "
        f"{timeout:g} second(s)."
    )
    frame = sys._current_frames().get(thread_id)
    trace: TracebackType | None = None
    while frame is not None:
        trace = TracebackType(trace, frame, frame.f_lasti, frame.f_lineno)
        frame = frame.f_back
    return error.with_traceback(trace)
