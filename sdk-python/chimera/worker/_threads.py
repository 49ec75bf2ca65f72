"""Raising exceptions in other threads, and the watchdog over workflow code that does so."""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

_name = ("PyThreadState_SetAsyncExc", ctypes.pythonapi)
_set_async_exc = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_ulong, ctypes.py_object)(_name)
_unset_async_exc = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p)(_name)


def raise_in_thread(thread_id: int, exception: type[BaseException]) -> None:
    """Raise in a thread as soon as it runs Python code again."""
    _set_async_exc(thread_id, exception)


def _clear_pending(thread_id: int) -> None:
    _unset_async_exc(thread_id, None)


class ThreadCanceller:
    """Cancels one activity in its thread, unless shielded or over. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread_id: int | None = None
        self._pending: type[BaseException] | None = None
        self._shields = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """The block is the activity. Nothing is raised after it."""
        thread_id = threading.get_ident()
        with self._lock:
            self._thread_id = thread_id
        try:
            with self._lock:
                self._raise_if_due()
            yield None
        finally:
            with self._lock:
                self._thread_id = self._pending = None
                _clear_pending(thread_id)

    def cancel(self, exception: type[BaseException]) -> None:
        with self._lock:
            self._pending = exception
            self._raise_if_due()

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Hold the exception back until the outermost shield ends."""
        with self._lock:
            self._shields += 1
        try:
            yield None
        finally:
            with self._lock:
                self._shields -= 1
                self._raise_if_due()

    def _raise_if_due(self) -> None:
        if self._pending and self._shields == 0 and self._thread_id is not None:
            raise_in_thread(self._thread_id, self._pending)
            self._pending = None


class DeadlockError(Exception):
    """Workflow code did not come to a wait in time."""


class DeadlockInterrupt(BaseException):
    """Raised in such code. It is no Exception, so that handlers of those let it pass."""


class Watchdog:
    """Watches that activations end in time. It samples: an activation costs two assignments.

    Its thread sleeps while there is nothing to watch.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._lock = threading.Lock()
        self._deadline: float | None = None
        self._thread_id = 0
        self._error: DeadlockError | None = None
        self._awake = threading.Event()
        self._thread: threading.Thread | None = None
        self._closed = False

    def begin(self) -> None:
        """An activation begins on this thread."""
        self._thread_id = threading.get_ident()
        self._error = None
        self._deadline = time.monotonic() + self._timeout
        if not self._awake.is_set():
            self._awake.set()
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._watch, name="chimera_watchdog", daemon=True
                )
                self._thread.start()

    def end(self) -> DeadlockError | None:
        """It has ended; the error if it took too long."""
        with self._lock:
            self._deadline = None
            if self._error is not None:
                _clear_pending(self._thread_id)
        return self._error

    def close(self) -> None:
        """End the thread."""
        self._closed = True
        self._awake.set()

    def _watch(self) -> None:
        idle = 0
        while not self._closed:
            self._awake.wait()
            time.sleep(min(self._timeout / 4, 0.25))
            with self._lock:
                if self._deadline is None:
                    idle += 1
                    if idle > 20:
                        idle = 0
                        self._awake.clear()
                    continue
                idle = 0
                if time.monotonic() > self._deadline and self._error is None:
                    self._error = _deadlock_error(self._thread_id, self._timeout)
                    raise_in_thread(self._thread_id, DeadlockInterrupt)


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
