"""Sharing state with activities in other processes: names of the public interface."""

from __future__ import annotations

import concurrent.futures
import multiprocessing.managers
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any


class SharedHeartbeatSender(ABC):
    """Sends heartbeats out of another process."""

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

        Workers refuse process pools so far, so only its events are of use.
        """
        return _OverMultiprocessing(mgr)

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


class _OverMultiprocessing(SharedStateManager):
    def __init__(self, mgr: multiprocessing.managers.SyncManager) -> None:
        self._manager = mgr

    def new_event(self) -> threading.Event:
        return self._manager.Event()

    async def register_heartbeater(
        self, task_token: bytes, heartbeat: Callable[..., None]
    ) -> SharedHeartbeatSender:
        raise NotImplementedError("activities in other processes are not supported yet")

    async def unregister_heartbeater(self, task_token: bytes) -> None:
        raise NotImplementedError("activities in other processes are not supported yet")
