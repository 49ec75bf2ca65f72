"""Waiting for several things at once."""

from __future__ import annotations

import asyncio
from typing import Any

from fake_core import FakeCore, decode, names, signal

from chimera import workflow


@workflow.defn
class TwoTakers:
    """Two tasks take from one as_completed; the first gives up in the turn in which it is woken."""

    def __init__(self) -> None:
        self.open = False

    @workflow.run
    async def run(self) -> list[Any]:
        result: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        coming = list(workflow.as_completed([result, never]))
        first, second = [asyncio.ensure_future(each) for each in coming]
        await workflow.wait_condition(lambda: self.open)
        # In one turn: the result wakes the first, the next callback cancels it.
        result.set_result("kept")
        asyncio.get_running_loop().call_soon(first.cancel)
        return [await second, first.cancelled()]

    @workflow.signal
    def go(self) -> None:
        self.open = True


def test_a_result_whose_taker_is_cancelled_goes_to_the_next() -> None:
    core = FakeCore(TwoTakers)
    core.start()

    commands = core.send(signal("go"))

    assert names(commands) == ["CompleteWorkflowExecution"] and decode(commands[0].result) == ["kept", True]
