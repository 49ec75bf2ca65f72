"""A history that the official worker made with its flag 2 on: each activation's jobs are one batch.

A signal and a cancellation came in one task; without the flag, the condition would win over the cancellation.
"""

import asyncio
import pathlib

from chimera import workflow
from chimera.client import WorkflowHistory
from chimera.worker import Replayer

HISTORY = pathlib.Path(__file__).with_name("single_batch.json")


@workflow.defn(name="SB")
class SingleBatch:
    def __init__(self) -> None:
        self.log: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        try:
            await workflow.wait_condition(lambda: "s" in self.log, timeout=600)
            self.log.append("result")
        except asyncio.CancelledError:
            self.log.append("cancelled")
            await workflow.sleep(0.01)
        return self.log

    @workflow.signal
    def s(self) -> None:
        self.log.append("s")


async def test_a_history_with_the_single_batch_flag_replays():
    history = WorkflowHistory.from_json("sb", HISTORY.read_text())
    tasks = [e.workflow_task_completed_event_attributes for e in history.events]
    assert any(2 in task.sdk_metadata.lang_used_flags for task in tasks)

    await Replayer(workflows=[SingleBatch]).replay_workflow(history)
