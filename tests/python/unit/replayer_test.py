"""Replays that nobody waits for any more, on a core that the test plays."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from fake_bridge import play_bridge

from chimera import workflow
from chimera.api.history.v1 import HistoryEvent
from chimera.client import WorkflowHistory
from chimera.worker import Replayer


@workflow.defn
class Nothing:
    @workflow.run
    async def run(self) -> None: ...


replays: list[Callable[[int, str], None]] = []


class FakeReplayer:
    def __init__(self, _options: dict, _bridge: Any) -> None: ...

    def replay(self, _workflow_id: str, _history: bytes, _queue: Any, done: Any) -> None:
        replays.append(done)


@pytest.fixture(autouse=True)
def fake_bridge(monkeypatch: pytest.MonkeyPatch) -> None:
    replays.clear()
    play_bridge(monkeypatch, Replayer=FakeReplayer, WorkflowBridge=lambda *_args: None)


def serving() -> set[threading.Thread]:
    return {t for t in threading.enumerate() if t.name.startswith("temporal_workflow_")}


async def until(condition: Callable[[], Any]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


HISTORY = WorkflowHistory("workflow", [HistoryEvent(event_id=1)])


def test_a_cancelled_replay_is_served_until_the_core_is_done_with_it() -> None:
    async def body() -> None:
        before = serving()  # Of cases whose code does not end.
        replaying = asyncio.ensure_future(Replayer(workflows=[Nothing]).replay_workflow(HISTORY))
        await until(lambda: replays)
        replaying.cancel()
        for _ in range(10):
            await asyncio.sleep(0)
        served = serving() - before

        replays[0](5, "")
        with pytest.raises(asyncio.CancelledError):
            await replaying
        await asyncio.wait_for(until(lambda: serving() <= before), 10)

        assert len(served) == 1

    asyncio.run(body())


def test_a_replay_gives_what_the_core_says() -> None:
    async def body() -> None:
        replaying = asyncio.ensure_future(Replayer(workflows=[Nothing]).replay_workflow(HISTORY))
        await until(lambda: replays)
        replays[0](3, "differs")
        with pytest.raises(workflow.NondeterminismError, match="differs"):
            await replaying

    asyncio.run(body())
