"""Plugins of workers and replayers."""

from __future__ import annotations

import abc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chimera.client import WorkflowHistory
    from chimera.worker._replayer import Replayer, ReplayerConfig, WorkflowReplayResult
    from chimera.worker._worker import Worker, WorkerConfig


class Plugin(abc.ABC):
    """Changes how workers are made and run. Earlier plugins wrap later ones."""

    def name(self) -> str:
        """Its name: module and class."""
        return type(self).__module__ + "." + type(self).__qualname__

    @abc.abstractmethod
    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """The options that the worker is made with."""

    @abc.abstractmethod
    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        """Run the worker: call `next` and do what belongs around it."""

    @abc.abstractmethod
    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        """The options that the replayer is made with."""

    @abc.abstractmethod
    def run_replayer(
        self,
        replayer: Replayer,
        histories: AsyncIterator[WorkflowHistory],
        next: Callable[
            [Replayer, AsyncIterator[WorkflowHistory]],
            AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]],
        ],
    ) -> AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]]:
        """Replay: call `next` and do what belongs around it."""
