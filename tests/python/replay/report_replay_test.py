"""What a nondeterminism report says of Python code: both sides, the place in the code, the likely cause."""

import asyncio
import json
import pathlib
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chimera import workflow
from chimera.client import WorkflowHistory
from chimera.worker import Interceptor, Replayer, WorkflowInboundInterceptor, WorkflowOutboundInterceptor

# Three activities "a" at once and a memo, then a fourth, then the end.
RECORDED = json.loads(pathlib.Path(__file__).with_name("cut.json").read_text())
OPTIONS: Any = {"start_to_close_timeout": timedelta(seconds=10)}

line = 0


def here(after: int = 1) -> None:
    """Note the line that comes so much later."""
    global line
    line = sys._getframe(1).f_lineno + after


async def renamed() -> None:
    here()
    await workflow.execute_activity("b", 0, **OPTIONS)


async def nap() -> None:
    here()
    await asyncio.sleep(60)


async def child_instead() -> None:
    here()
    await workflow.execute_child_workflow("a", 0)


async def ends() -> None:
    return None


CASES: list[tuple[Callable, str, str, str]] = [
    (renamed, "ScheduleActivity b (id 1), task_queue=", "renamed", "activity 'a' was renamed to 'b'"),
    (child_instead, "StartChildWorkflowExecution a", "child_instead", "activity 'a' became a child workflow"),
    (ends, "the workflow's end (Workflow", "", "code ends here, where it went on to the activity 'a'"),
]


body: Callable = renamed


@workflow.defn(name="Cut")
class Changed:
    @workflow.run
    async def run(self) -> None:
        await body()


async def report_of(code: Callable, **options: Any) -> str:
    global body
    body = code
    with pytest.raises(workflow.NondeterminismError) as error:
        await Replayer(workflows=[Changed], **options).replay_workflow(WorkflowHistory.from_json("cut", RECORDED))
    return str(error.value)


@pytest.mark.parametrize("code, command, function, cause", CASES)
async def test_a_report(code: Callable, command: str, function: str, cause: str):
    report = await report_of(code)
    assert f"code:    command 1, {command}" in report
    assert f"Probably the {cause}" in report
    if function:
        assert f", at report_replay_test.py:{line} in {function}\n" in report
    else:
        assert ", at " not in report.split("code: ")[1].split("\n")[0]


async def test_a_command_of_asyncio_is_the_codes():
    report = await report_of(nap)
    assert f"StartTimer 1, start_to_fire_timeout=1m, at report_replay_test.py:{line} in nap\n" in report


class Passing(Interceptor):
    def workflow_interceptor_class(self, input: Any) -> type[WorkflowInboundInterceptor]:
        class Outbound(WorkflowOutboundInterceptor):
            def start_activity(self, input: Any) -> Any:
                return super().start_activity(input)

        class Inbound(WorkflowInboundInterceptor):
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(Outbound(outbound))

        return Inbound


async def test_interceptors_do_not_hide_the_place():
    report = await report_of(renamed, interceptors=[Passing()])
    assert f", at report_replay_test.py:{line} in renamed\n" in report
