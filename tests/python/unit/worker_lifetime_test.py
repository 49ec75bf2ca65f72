"""A worker whose start or end does not go as planned, on a core that the test plays."""

from __future__ import annotations

import asyncio
import threading
import types
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fake_bridge import play_bridge

from chimera import common, converter, workflow
from chimera.worker import Worker


@workflow.defn
class Nothing:
    @workflow.run
    async def run(self) -> None: ...


class FakeCore:
    """Its start and its end come when the test says so."""

    def __init__(self, _connection: Any, _options: dict) -> None:
        self.calls: list[str] = []
        self.started = self.ended = lambda error: None
        self.refuses: Exception | None = None

    def add_workflow(self, _name: str, _bridge: Any) -> None:
        if self.refuses:
            raise self.refuses

    def announce(self) -> None: ...

    def start(self, _queue: Any, done: Callable[[Any], None]) -> None:
        self.calls.append("start")
        self.started = done

    def initiate_shutdown(self) -> None:
        self.calls.append("initiate_shutdown")

    def wait(self, _queue: Any, done: Callable[[Any], None]) -> None:
        self.calls.append("wait")
        self.ended = done


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Any:
    import chimera.service

    play_bridge(monkeypatch, Worker=FakeCore, WorkflowBridge=lambda *_args: None)
    service: Any = chimera.service._BridgeServiceClient(
        chimera.service.ConnectConfig(target_host="host:1")
    )
    service._runtime = types.SimpleNamespace(metric_meter=common.MetricMeter.noop, _worker_options={})
    service._connection = object()
    active = {
        "plugins": [],
        "interceptors": [],
        "data_converter": converter.default(),
        "header_codec_behavior": common.HeaderCodecBehavior.NO_CODEC,
    }
    client: Any = types.SimpleNamespace(
        config=lambda active_config=False: active, service_client=service, namespace="default"
    )
    return Worker(client, task_queue="queue", workflows=[Nothing])


async def until(condition: Callable[[], Any]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def threads_of_workflows() -> set[threading.Thread]:
    return {t for t in threading.enumerate() if t.name.startswith("temporal_workflow_")} - of_others


# What earlier cases have left, because their code does not end.
of_others: set[threading.Thread] = set()


def play(case: Callable[[], Awaitable[None]]) -> None:
    of_others.update(threads_of_workflows())

    async def body() -> None:
        await case()
        await asyncio.wait_for(until(lambda: not threads_of_workflows()), 10)

    asyncio.run(body())


def test_a_start_that_fails_leaves_no_thread(worker: Any) -> None:
    async def case() -> None:
        running = asyncio.ensure_future(worker.run())
        await until(lambda: "start" in worker._core.calls)
        worker._core.started(RuntimeError("no such namespace"))
        with pytest.raises(RuntimeError, match="Worker validation failed: no such namespace"):
            await running

    play(case)


def test_a_type_that_the_core_refuses_leaves_no_thread(worker: Any) -> None:
    async def case() -> None:
        worker._core.refuses = RuntimeError("registered twice")
        with pytest.raises(RuntimeError, match=r"^registered twice"):
            await worker.run()

    play(case)


def test_a_start_that_is_cancelled_ends_the_core_as_soon_as_that_has_started(worker: Any) -> None:
    async def case() -> None:
        running = asyncio.ensure_future(worker.run())
        await until(lambda: "start" in worker._core.calls)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

        at_once = list(worker._core.calls)
        worker._core.started(None)
        await until(lambda: "wait" in worker._core.calls)
        serving = threads_of_workflows()  # Until its end the core has something to ask.
        worker._core.ended(None)

        assert at_once == ["start", "initiate_shutdown"] and serving
        assert worker.is_shutdown

    play(case)


def test_an_end_that_is_cancelled_leaves_no_thread_behind_the_core(worker: Any) -> None:
    async def case() -> None:
        running = asyncio.ensure_future(worker.run())
        await until(lambda: "start" in worker._core.calls)
        worker._core.started(None)
        await until(lambda: "wait" in worker._core.calls)
        running.cancel()
        await until(lambda: "initiate_shutdown" in worker._core.calls)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

        serving = threads_of_workflows()
        worker._core.ended(None)

        assert serving and worker.is_shutdown
        await worker.shutdown()

    play(case)
