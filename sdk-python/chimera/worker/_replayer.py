"""Replayer: runs workflow code on recorded histories and finds where they disagree."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import warnings
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

import chimera.common as common
import chimera.converter
import chimera.workflow
from chimera.worker._build_id import load_default_build_id
from chimera.worker._interceptor import Interceptor
from chimera.worker._plugin import Plugin
from chimera.worker._runner import WorkflowRunner
from chimera.worker._unsandboxed import UnsandboxedWorkflowRunner
from chimera.worker._workflow_worker import WorkflowWorker
from chimera.worker.workflow_sandbox import SandboxedWorkflowRunner

if TYPE_CHECKING:
    import chimera.client
    import chimera.runtime

logger = logging.getLogger("temporalio.worker._replayer")

# Reasons of an eviction, as the core gives them (its workflow_activation.proto).
_CACHE_FULL, _NONDETERMINISM, _LANG_REQUESTED = 1, 3, 5


class ReplayerConfig(TypedDict, total=False):
    """Options of a replayer, as plugins see them."""

    workflows: Sequence[type]
    workflow_task_executor: concurrent.futures.ThreadPoolExecutor | None
    workflow_runner: WorkflowRunner
    unsandboxed_workflow_runner: WorkflowRunner
    namespace: str
    data_converter: chimera.converter.DataConverter
    interceptors: Sequence[Interceptor]
    build_id: str | None
    identity: str | None
    workflow_failure_exception_types: Sequence[type[BaseException]]
    debug_mode: bool
    runtime: chimera.runtime.Runtime | None
    disable_safe_workflow_eviction: bool
    header_codec_behavior: common.HeaderCodecBehavior


@dataclass(frozen=True)
class WorkflowReplayResult:
    """What came of one history."""

    history: chimera.client.WorkflowHistory
    replay_failure: Exception | None


@dataclass(frozen=True)
class WorkflowReplayResults:
    """What came of several."""

    replay_failures: Mapping[str, Exception]
    """By run id."""


class Replayer:
    """Replays histories without a server."""

    def __init__(
        self,
        *,
        workflows: Sequence[type],
        workflow_task_executor: concurrent.futures.ThreadPoolExecutor | None = None,
        workflow_runner: WorkflowRunner = SandboxedWorkflowRunner(),
        unsandboxed_workflow_runner: WorkflowRunner = UnsandboxedWorkflowRunner(),
        namespace: str = "ReplayNamespace",
        data_converter: chimera.converter.DataConverter = chimera.converter.DataConverter.default,
        interceptors: Sequence[Interceptor] = [],
        plugins: Sequence[Plugin] = [],
        build_id: str | None = None,
        identity: str | None = None,
        workflow_failure_exception_types: Sequence[type[BaseException]] = [],
        debug_mode: bool = False,
        runtime: chimera.runtime.Runtime | None = None,
        disable_safe_workflow_eviction: bool = False,
        header_codec_behavior: common.HeaderCodecBehavior = common.HeaderCodecBehavior.NO_CODEC,
    ) -> None:
        """Check the options."""
        config: Any = {k: v for k, v in locals().items() if k not in ("self", "plugins")}
        self._initial_config: ReplayerConfig = dict(config)  # type: ignore
        self._plugins = list(plugins)
        for plugin in self._plugins:
            config = plugin.configure_replayer(config)
        self._config: ReplayerConfig = config
        if not config.get("workflows"):
            raise ValueError("At least one workflow must be specified")
        for name in ("identity", "runtime"):
            if config.get(name) is not None:
                warnings.warn(f"{name} has no effect on a replayer: nothing is sent, and nothing counted")

    def config(self, *, active_config: bool = False) -> ReplayerConfig:
        """The options given, or with `active_config` those that plugins made of them."""
        config: Any = dict(self._config if active_config else self._initial_config)
        config["workflows"] = list(config.get("workflows", []))
        return config

    async def replay_workflow(
        self,
        history: chimera.client.WorkflowHistory,
        *,
        raise_on_replay_failure: bool = True,
    ) -> WorkflowReplayResult:
        """Replay one history."""

        async def alone() -> AsyncIterator[chimera.client.WorkflowHistory]:
            yield history

        async with self.workflow_replay_iterator(alone()) as results:
            async for result in results:
                if raise_on_replay_failure and result.replay_failure:
                    raise result.replay_failure
                return result
        raise RuntimeError("No histories")

    async def replay_workflows(
        self,
        histories: AsyncIterator[chimera.client.WorkflowHistory],
        *,
        raise_on_replay_failure: bool = True,
    ) -> WorkflowReplayResults:
        """Replay histories; with `raise_on_replay_failure` only up to the first failure."""
        failures: dict[str, Exception] = {}
        async with self.workflow_replay_iterator(histories) as results:
            async for result in results:
                if result.replay_failure:
                    if raise_on_replay_failure:
                        raise result.replay_failure
                    failures[result.history.run_id] = result.replay_failure
        return WorkflowReplayResults(failures)

    def workflow_replay_iterator(
        self, histories: AsyncIterator[chimera.client.WorkflowHistory]
    ) -> AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]]:
        """Replay histories one by one as the results are asked for."""
        step: Any = Replayer._iterate
        for plugin in reversed(self._plugins):
            step = _around(plugin, step)
        return step(self, histories)

    @asynccontextmanager
    async def _iterate(
        self, histories: AsyncIterator[chimera.client.WorkflowHistory]
    ) -> AsyncIterator[AsyncIterator[WorkflowReplayResult]]:
        from chimera import _bridge, _native

        config = self._config
        build_id = config.get("build_id") or load_default_build_id()
        queue = _native.queue()
        worker = self._make_worker(f"replay-{build_id}")
        everywhere, types = worker.nondeterminism_failures()
        options = {
            "namespace": config["namespace"],
            "task_queue": f"replay-{build_id}",
            "nondeterminism_fails_workflow": everywhere,
            "nondeterminism_fails_workflow_types": types,
        }
        core = _bridge.Replayer(options, worker.open(queue))
        under_way: list[asyncio.Future] = []

        async def results() -> AsyncIterator[WorkflowReplayResult]:
            async for history in histories:
                under_way[:] = [_begin_replay(core, queue, history)]
                verdict = await asyncio.shield(under_way[0])
                yield WorkflowReplayResult(history, _failure_of(*verdict))

        try:
            yield results()
        finally:
            try:
                # A replay that nobody waits for any more still waits for the workflow's code.
                if under_way:
                    await asyncio.wait(under_way)
            finally:
                worker.close()

    def _make_worker(self, task_queue: str) -> WorkflowWorker:
        config = self._config
        return WorkflowWorker(
            namespace=config["namespace"],
            task_queue=task_queue,
            workflows=config["workflows"],
            workflow_runner=config["workflow_runner"],
            unsandboxed_workflow_runner=config["unsandboxed_workflow_runner"],
            data_converter=config["data_converter"],
            interceptors=config["interceptors"],
            workflow_failure_exception_types=config["workflow_failure_exception_types"],
            patch_activation_callback=None,
            debug_mode=config["debug_mode"],
            disable_eager_activity_execution=False,
            metric_meter=common.MetricMeter.noop,
            disable_safe_eviction=config["disable_safe_workflow_eviction"],
            enforce_versioning_behavior=False,
            assert_local_activity_valid=lambda name: None,
            code_headers=config["header_codec_behavior"] != common.HeaderCodecBehavior.NO_CODEC,
        )


def _around(plugin: Plugin, step: Any) -> Any:
    return lambda replayer, histories: plugin.run_replayer(replayer, histories, step)


def _begin_replay(core: Any, queue: Any, history: Any) -> asyncio.Future[tuple[int, str]]:
    """Gives the reason for which the core evicted the run at last, with its message."""
    from chimera.api.history.v1 import History

    future: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
    data = History(events=history.events).SerializeToString()

    def done(reason: int, message: str) -> None:
        if not future.done():
            future.set_result((reason, message))

    core.replay(history.workflow_id, data, queue, done)
    return future


def _failure_of(reason: int, message: str) -> Exception | None:
    if reason == _NONDETERMINISM:
        return chimera.workflow.NondeterminismError(message)
    if reason not in (_CACHE_FULL, _LANG_REQUESTED):
        return RuntimeError(f"{reason}: {message}")
    return None
