"""SimplePlugin: a plugin for clients, workers and replayers that is described by values instead of written as a class.

It only touches what it was given. A sequence is added to what is there, a single value takes its place, and a callable
gets what is there (or None) and returns what shall be.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import chimera.client
import chimera.worker

if TYPE_CHECKING:
    from chimera.client import ClientConfig, WorkflowHistory
    from chimera.converter import DataConverter
    from chimera.service import ConnectConfig, ServiceClient
    from chimera.worker import Replayer, ReplayerConfig, Worker, WorkerConfig, WorkflowReplayResult, WorkflowRunner

T = TypeVar("T")

PluginParameter: TypeAlias = T | Callable[[T | None], T] | None
"""Nothing to change, the new value, or a function from the old value to the new one."""


class SimplePlugin(chimera.client.Plugin, chimera.worker.Plugin):
    """Describes changes; see the module."""

    def __init__(
        self,
        name: str,
        *,
        data_converter: PluginParameter[DataConverter] = None,
        interceptors: Sequence[chimera.client.Interceptor | chimera.worker.Interceptor] | None = None,
        activities: PluginParameter[Sequence[Callable[..., Any]]] = None,
        nexus_service_handlers: PluginParameter[Sequence[Any]] = None,
        workflows: PluginParameter[Sequence[type]] = None,
        workflow_runner: PluginParameter[WorkflowRunner] = None,
        workflow_failure_exception_types: PluginParameter[Sequence[type[BaseException]]] = None,
        run_context: Callable[[], AbstractAsyncContextManager[None]] | None = None,
    ) -> None:
        """An interceptor of both kinds serves client and worker as one object; `run_context` makes what workers and
        replayers run in."""
        self._name = name
        self.data_converter = data_converter
        self.interceptors = interceptors
        self.activities = activities
        self.nexus_service_handlers = nexus_service_handlers
        self.workflows = workflows
        self.workflow_runner = workflow_runner
        self.workflow_failure_exception_types = workflow_failure_exception_types
        self.run_context = run_context

    def name(self) -> str:
        """The name that was given."""
        return self._name

    def configure_client(self, config: ClientConfig) -> ClientConfig:
        """Changes converter and interceptors."""
        self._replace(config, "data_converter")
        self._intercept(config, chimera.client.Interceptor, already=())
        return config

    async def connect_service_client(
        self, config: ConnectConfig, next: Callable[[ConnectConfig], Awaitable[ServiceClient]]
    ) -> ServiceClient:
        """Changes nothing."""
        return await next(config)

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """Changes what is registered, runner, interceptors, and the exceptions that fail a workflow."""
        for names in ("activities", "nexus_service_handlers", "workflows", "workflow_failure_exception_types"):
            self._append(config, names)
        self._replace(config, "workflow_runner")
        # The worker gets its client's interceptors anyway.
        of_client = config["client"].config(active_config=True).get("interceptors", [])
        self._intercept(config, chimera.worker.Interceptor, already=of_client)
        return config

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        """Changes converter, workflows, runner, interceptors, and the exceptions that fail a workflow."""
        for names in ("workflows", "workflow_failure_exception_types"):
            self._append(config, names)
        for name in ("data_converter", "workflow_runner"):
            self._replace(config, name)
        self._intercept(config, chimera.worker.Interceptor, already=())
        return config

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        """Runs it in the context."""
        async with self._context():
            await next(worker)

    @asynccontextmanager
    async def run_replayer(
        self,
        replayer: Replayer,
        histories: AsyncIterator[WorkflowHistory],
        next: Callable[
            [Replayer, AsyncIterator[WorkflowHistory]],
            AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]],
        ],
    ) -> AsyncIterator[AsyncIterator[WorkflowReplayResult]]:
        """Replays in the context."""
        async with self._context(), next(replayer, histories) as results:
            yield results

    def _context(self) -> AbstractAsyncContextManager[None]:
        return self.run_context() if self.run_context else nullcontext()

    def _replace(self, config: Any, name: str) -> None:
        given = getattr(self, name)
        if given is not None:
            config[name] = given(config.get(name)) if callable(given) else given

    def _append(self, config: Any, name: str) -> None:
        given = getattr(self, name)
        if given is not None:
            there = config.get(name)
            config[name] = given(there) if callable(given) else [*(there or []), *given]

    def _intercept(self, config: Any, kind: type, already: Sequence[Any]) -> None:
        if self.interceptors is not None:
            own = [each for each in self.interceptors if isinstance(each, kind) and each not in already]
            config["interceptors"] = [*(config.get("interceptors") or []), *own]
