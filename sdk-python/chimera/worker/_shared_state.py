"""What activities in other processes share with their worker: events, and a way for heartbeats."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import multiprocessing.managers
import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

logger = logging.getLogger("temporalio.worker._activity")

# Heartbeats that wait for the worker, and how long a process waits for room among them.
_QUEUE_SIZE = 1000
_PUT_SECONDS = 30
# How long the end of an activity waits for its heartbeats to be taken.
_FLUSH_SECONDS = 5


class SharedHeartbeatSender(ABC):
    """Sends heartbeats out of another process. It is pickled on its way there."""

    @abstractmethod
    def send_heartbeat(self, task_token: bytes, *details: Any) -> None:
        """Send one."""


class SharedStateManager(ABC):
    """Makes what activities in other processes share with their worker."""

    @staticmethod
    def create_from_multiprocessing(
        mgr: multiprocessing.managers.SyncManager,
        queue_poller_executor: concurrent.futures.Executor | None = None,
    ) -> SharedStateManager:
        """A manager over one of multiprocessing.

        Args:
            mgr: Holds the events and the queue of heartbeats. It has to outlive the workers.
            queue_poller_executor: Where a thread reads that queue; an own one if not given.
        """
        return _OverMultiprocessing(mgr, queue_poller_executor)

    @abstractmethod
    def new_event(self) -> threading.Event:
        """An event that both sides see."""

    @abstractmethod
    async def register_heartbeater(
        self, task_token: bytes, heartbeat: Callable[..., None]
    ) -> SharedHeartbeatSender:
        """Begin to take heartbeats of a task."""

    @abstractmethod
    async def unregister_heartbeater(self, task_token: bytes) -> None:
        """End it, once all that were sent are taken."""


class _QueueSender(SharedHeartbeatSender):
    def __init__(self, heartbeats: Any) -> None:
        self._heartbeats = heartbeats

    def send_heartbeat(self, task_token: bytes, *details: Any) -> None:
        self._heartbeats.put((task_token, details), True, _PUT_SECONDS)


class _OverMultiprocessing(SharedStateManager):
    """One queue for the heartbeats of all tasks. A thread reads it while there is a task.

    An entry without details is the worker's own: the end of a task, behind its last heartbeat.
    """

    def __init__(
        self,
        manager: multiprocessing.managers.SyncManager,
        executor: concurrent.futures.Executor | None,
    ) -> None:
        self._manager = manager
        self._heartbeats: queue.Queue = manager.Queue(_QUEUE_SIZE)
        self._executor = executor or concurrent.futures.ThreadPoolExecutor(
            1, thread_name_prefix="chimera_heartbeats"
        )
        self._lock = threading.Lock()
        self._heartbeat_of: dict[bytes, Callable[..., None]] = {}
        self._ended: dict[bytes, Callable[[], object]] = {}
        self._polling = False

    def new_event(self) -> threading.Event:
        return self._manager.Event()

    async def register_heartbeater(
        self, task_token: bytes, heartbeat: Callable[..., None]
    ) -> SharedHeartbeatSender:
        with self._lock:
            if task_token in self._heartbeat_of:
                raise RuntimeError("Token already registered")
            self._heartbeat_of[task_token] = heartbeat
            if not self._polling:
                self._polling = True
                self._executor.submit(self._poll)
        return _QueueSender(self._heartbeats)

    async def unregister_heartbeater(self, task_token: bytes) -> None:
        loop = asyncio.get_running_loop()
        taken = asyncio.Event()
        with self._lock:
            self._ended[task_token] = lambda: loop.call_soon_threadsafe(taken.set)
        try:
            await asyncio.to_thread(self._heartbeats.put, (task_token, None), True, _PUT_SECONDS)
            await asyncio.wait_for(taken.wait(), _FLUSH_SECONDS)
        except Exception:  # A heartbeat that is lost must not cost the activity's result.
            logger.exception("The last heartbeats of an activity in another process are lost")
        finally:
            with self._lock:
                self._heartbeat_of.pop(task_token, None)
                self._ended.pop(task_token, None)

    def _poll(self) -> None:
        try:
            while self._take(*self._heartbeats.get()):
                pass
        except Exception:  # The manager's process is gone, and with it the queue.
            logger.exception("Reading heartbeats of activities in other processes has failed")
            with self._lock:
                self._polling = False

    def _take(self, task_token: bytes, details: Any) -> bool:
        """Whether to go on: not so after the end of the last task."""
        if details is not None:
            with self._lock:
                heartbeat = self._heartbeat_of.get(task_token)
            try:
                if heartbeat is not None:
                    heartbeat(*details)
            except Exception:
                logger.exception("Failed recording a heartbeat of an activity in another process")
            return True
        with self._lock:
            self._heartbeat_of.pop(task_token, None)
            tell = self._ended.pop(task_token, None)
            go_on = self._polling = bool(self._heartbeat_of)
        if tell is not None:
            tell()
        return go_on
