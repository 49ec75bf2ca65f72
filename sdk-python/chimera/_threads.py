"""Raising exceptions in other threads."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_name = ("PyThreadState_SetAsyncExc", ctypes.pythonapi)
_set_async_exc = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_ulong, ctypes.py_object)(_name)
_unset_async_exc = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p)(_name)


def raise_in_thread(thread_id: int, exception: type[BaseException]) -> None:
    """Raise in a thread as soon as it runs Python code again."""
    _set_async_exc(thread_id, exception)


def clear_pending(thread_id: int) -> None:
    """Take back what was to be raised, unless it has been."""
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
                clear_pending(thread_id)

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
