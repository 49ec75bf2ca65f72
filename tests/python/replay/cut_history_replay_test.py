"""Histories that end before their run did. Cut between tasks they replay, within one they are called cut."""

import asyncio
import json
import pathlib
from datetime import timedelta
from typing import Any

import pytest

from chimera import workflow
from chimera.client import WorkflowHistory
from chimera.worker import Replayer

RECORDED = json.loads(pathlib.Path(__file__).with_name("cut.json").read_text())["events"]


@workflow.defn
class Cut:
    @workflow.run
    async def run(self) -> int:
        options: Any = {"start_to_close_timeout": timedelta(seconds=10)}
        handles = [workflow.start_activity("a", i, **options) for i in range(3)]
        workflow.upsert_memo({"x": 1})
        await asyncio.gather(*handles)
        await workflow.execute_activity("a", 4, **options)
        return 1


def cut_after(events: int) -> WorkflowHistory:
    return WorkflowHistory.from_json("cut", {"events": RECORDED[:events]})


def within_a_task(events: int) -> bool:
    """Whether the next event is a command's."""
    following = RECORDED[events]["eventType"] if events < len(RECORDED) else ""
    return following.endswith(("ACTIVITY_TASK_SCHEDULED", "PROPERTIES_MODIFIED", "EXECUTION_COMPLETED"))


@pytest.mark.parametrize("events", range(1, len(RECORDED) + 1))
async def test_a_cut_history(events: int):
    replayer = Replayer(workflows=[Cut])
    if within_a_task(events):
        with pytest.raises(RuntimeError, match=f"ends at event {events}, within what a completed task commanded"):
            await replayer.replay_workflow(cut_after(events))
    else:
        await replayer.replay_workflow(cut_after(events))
