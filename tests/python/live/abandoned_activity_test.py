"""What becomes of an activity that the workflow has abandoned: its end comes to nobody, and the workflow goes on.

In the official core (1.35) a failure or a timeout of it fails the workflow task for ever.
"""

import asyncio
from datetime import timedelta

import pytest
from live_support import events, until, worker

from chimera import activity, workflow
from chimera.client import Client
from chimera.common import RetryPolicy
from chimera.exceptions import ActivityError, ApplicationError
from chimera.worker import Replayer

# How the activity ends, and the event that says so.
ENDS = {"completes": "activity_task_completed", "fails": "activity_task_failed", "times out": "activity_task_timed_out"}


@workflow.defn
class Abandons:
    def __init__(self) -> None:
        self.told: list[str] = []
        self.seen = ""

    @workflow.query
    def caught(self) -> str:
        return self.seen

    @workflow.signal
    def tell(self, text: str) -> None:
        self.told.append(text)

    @workflow.run
    async def run(self, end: str) -> str:
        handle: workflow.ActivityHandle[None] = workflow.start_activity(
            "work",
            end,
            start_to_close_timeout=timedelta(seconds=1 if end == "times out" else 30),
            retry_policy=RetryPolicy(maximum_attempts=1),
            cancellation_type=workflow.ActivityCancellationType.ABANDON,
        )
        await workflow.wait_condition(lambda: "begun" in self.told)
        handle.cancel()
        try:
            await handle
        except ActivityError as error:
            self.seen = type(error.cause).__name__
        await workflow.wait_condition(lambda: "ended" in self.told)
        return self.seen


@pytest.mark.parametrize("end", ENDS)
async def test_an_abandoned_activity(client: Client, name: str, cache: int, end: str):
    begun, go_on = asyncio.Event(), asyncio.Event()

    @activity.defn
    async def work(end: str) -> None:
        begun.set()
        if end == "times out":
            await asyncio.Event().wait()
        await go_on.wait()
        if end == "fails":
            raise ApplicationError("too late")

    async with worker(client, name, cache, Abandons, work):
        handle = await client.start_workflow(Abandons.run, end, id=name, task_queue=name)
        await asyncio.wait_for(begun.wait(), 20)
        await handle.signal(Abandons.tell, "begun")
        await until(lambda: handle.query(Abandons.caught))
        go_on.set()
        await until(lambda: events(handle, ENDS[end]))
        await handle.signal(Abandons.tell, "ended")

        assert await asyncio.wait_for(handle.result(), 20) == "CancelledError"

    assert not await events(handle, "workflow_task_failed")
    await Replayer(workflows=[Abandons]).replay_workflow(await handle.fetch_history())
