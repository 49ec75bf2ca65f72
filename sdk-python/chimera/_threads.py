"""Exceptions that are raised in another thread, for activities that run in one."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class ThreadCanceller:
    """Raises an exception in the thread that it was made for, unless that has shielded itself or is done.

    Made and closed by the thread that runs the activity; any thread may cancel.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: int | None = None
        self._shields = 0
        self._pending: type[BaseException] | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Around the activity's function. Nothing is raised in the thread once this has ended."""
        with self._lock:
            self._thread = threading.get_ident()
        try:
            yield
        finally:
            with self._lock:
                thread, self._thread, self._pending = self._thread, None, None
                # One that was set but has not been raised yet must not hit the thread's next work.
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), None)

    def cancel(self, error: type[BaseException]) -> None:
        """Raises the error in the thread: now, or when its outermost shield ends."""
        with self._lock:
            if self._thread is None:
                return
            if self._shields:
                self._pending = error
            else:
                self._raise(error)

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """What is inside is not interrupted. May be nested."""
        with self._lock:
            self._shields += 1
        try:
            yield
        finally:
            with self._lock:
                self._shields -= 1
                pending = self._pending if self._shields == 0 else None
                if pending is not None:
                    self._pending = None
            if pending is not None:
                raise pending()

    def _raise(self, error: type[BaseException]) -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread or 0), ctypes.py_object(error))
