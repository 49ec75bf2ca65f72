"""Runs whose history says that all jobs of an activation are applied before any code runs (flag 2)."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest
from fake_core import FakeCore, decode, query, signal

import chimera._border as border
from chimera import workflow

SINGLE_BATCH = 2


@workflow.defn
class Waits:
    def __init__(self) -> None:
        self.log: list[str] = []

    @workflow.run
    async def run(self, how: str) -> list[str]:
        try:
            if how == "condition":
                await workflow.wait_condition(lambda: "signal" in self.log, timeout=60)
            elif how == "signal":
                await workflow.get_external_workflow_handle("other").signal("poke")
            elif how == "timers":
                await workflow.sleep(1)
                self.log.append(f"slept beside {self.log}")
                return self.log
            self.log.append("result")
        except asyncio.CancelledError:
            self.log.append("cancelled")
        return self.log

    @workflow.signal
    def say(self) -> None:
        self.log.append("signal")

    @workflow.signal
    async def spread(self) -> None:
        self.log.append("began")
        for _ in range(5):
            await asyncio.sleep(0)
        self.log.append("ended")

    @workflow.query
    def peek(self) -> list[str]:
        return self.log


def result(core: FakeCore) -> Any:
    (ending,) = [command for command in core.last.commands if isinstance(command, border.CompleteWorkflowExecution)]
    return decode(ending.result)


@pytest.mark.parametrize(
    "flags, expected",
    [((), "slept beside ['began', 'ended']"), ((SINGLE_BATCH,), "slept beside ['began']")],
)
def test_the_rest_is_applied_before_the_code_of_signals_runs(flags: Any, expected: str) -> None:
    core = FakeCore(Waits)
    core.start("timers")

    core.send(signal("spread"), border.FireTimer(1), flags=flags)

    assert result(core)[1 if flags else 2] == expected


@pytest.mark.parametrize(
    "flags, expected", [((), ["signal", "result"]), ((SINGLE_BATCH,), ["signal", "cancelled"])]
)
def test_a_cancellation_wins_over_a_condition_that_comes_true_beside_it(
    flags: Any, expected: list[str]
) -> None:
    core = FakeCore(Waits)
    core.start("condition")

    core.send(signal("say"), border.CancelWorkflow("why"), flags=flags)

    assert result(core) == expected


def test_a_cancellation_wins_over_an_answer_that_comes_beside_it() -> None:
    core = FakeCore(Waits)
    core.start("signal")

    core.send(border.ResolveSignalExternalWorkflow(1, None), border.CancelWorkflow("why"), flags=(SINGLE_BATCH,))

    assert result(core) == ["cancelled"]


def test_a_cancellation_that_comes_before_the_run_waits_for_it() -> None:
    core = FakeCore(Waits)
    job = core.initialize("condition")

    core.send(border.CancelWorkflow("why"), job, flags=(SINGLE_BATCH,))

    assert result(core) == ["cancelled"]


def test_queries_still_answer() -> None:
    core = FakeCore(Waits)
    core.start("condition")

    assert decode(core.send(query("peek"), flags=(SINGLE_BATCH,))[0].result) == []


def test_a_run_is_marked_only_where_its_worker_has_the_flag_on() -> None:
    core = FakeCore(Waits)
    core.start("condition")
    assert core.last.used_internal_flags == []

    core = FakeCore(Waits)
    core.run._details = dataclasses.replace(
        core.run._details, default_workflow_logic_flags=frozenset({SINGLE_BATCH})
    )
    core.start("condition")
    assert core.last.used_internal_flags == [SINGLE_BATCH]
    core.send(query("peek"), flags=(SINGLE_BATCH,))
    assert core.last.used_internal_flags == []  # The history has it.
    core.send(signal("say"), replaying=True)
    assert core.last.used_internal_flags == []
