"""Waiting for something elsewhere that tells nobody when it is ready: three ways to ask again.

often        an activity that asks each second and beats; for seconds to minutes
seldom       an activity that fails until it is ready, tried again by its retry policy; for hours to weeks, at no cost
             in the history
in sequence  a child workflow that asks, waits and asks again with other arguments, and continues as new; where each
             question depends on the answer before

    python samples/python/polling/polling.py                  # a demonstration, with time that skips
    python samples/python/polling/polling.py localhost:7233   # the worker alone, on a running server
"""

import asyncio
import collections
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn

from chimera import activity, workflow
from chimera.client import Client
from chimera.common import RetryPolicy
from chimera.exceptions import ApplicationError
from chimera.testing import WorkflowEnvironment
from chimera.worker import Worker

TASK_QUEUE = "polling"
QUICK = timedelta(seconds=10)


@dataclass
class Page:
    """A page of a report that is being made; the last one has no next."""

    text: str
    next: str


class Reports:
    """What is asked: a service that makes reports in its own time."""

    def __init__(self, not_yet: int, pause: float = 1) -> None:
        self.asked: collections.Counter[str] = collections.Counter()
        self._not_yet = not_yet  # So many questions about a report are answered so.
        self._pause = pause  # In seconds.

    def _ask(self, what: str) -> str | None:
        self.asked[what] += 1
        return None if self.asked[what] <= self._not_yet else f"report {what}"

    @activity.defn
    async def wait_for(self, report: str) -> str:
        """Asks until it is there. Each attempt is alive as long as it beats."""
        while (text := self._ask(report)) is None:
            activity.heartbeat(report)
            await asyncio.sleep(self._pause)
        return text

    @activity.defn
    async def fetch(self, report: str) -> str:
        """Asks once."""
        text = self._ask(report)
        if text is None:
            raise ApplicationError(f"{report} is not ready", type="NotReady")
        return text

    @activity.defn
    async def fetch_page(self, page: str) -> Page | None:
        """Asks once for a page; None if it is not there yet."""
        text = self._ask(page)
        return None if text is None else Page(text, "" if page == "3" else str(int(page) + 1))


@workflow.defn
class OftenPolling:
    @workflow.run
    async def run(self, report: str) -> str:
        # The heartbeat timeout finds a worker that is gone; the other one says how long it may take.
        return await workflow.execute_activity(
            Reports.wait_for, report, start_to_close_timeout=timedelta(hours=1), heartbeat_timeout=QUICK
        )


@workflow.defn
class SeldomPolling:
    @workflow.run
    async def run(self, report: str) -> str:
        return await workflow.execute_activity(
            Reports.fetch,
            report,
            start_to_close_timeout=QUICK,
            retry_policy=RetryPolicy(initial_interval=timedelta(minutes=10), backoff_coefficient=1),
        )


@dataclass
class Sequence:
    """What a sequence has so far, from run to run."""

    page: str = "1"
    texts: str = ""
    questions_per_run: int = 10


@workflow.defn
class PollSequence:
    @workflow.run
    async def run(self, sequence: Sequence) -> str:
        for _ in range(sequence.questions_per_run):
            page = await workflow.execute_activity(
                Reports.fetch_page, sequence.page, start_to_close_timeout=QUICK
            )
            if page is None:
                await workflow.sleep(timedelta(minutes=1))
                continue
            sequence.texts += (", " if sequence.texts else "") + page.text
            sequence.page = page.next
            if not sequence.page:
                return sequence.texts
        return self._begin_anew(sequence)

    def _begin_anew(self, sequence: Sequence) -> NoReturn:
        workflow.continue_as_new(sequence)


@workflow.defn
class SequencePolling:
    """Its history has one child, however often that one asks."""

    @workflow.run
    async def run(self, questions_per_run: int) -> str:
        return await workflow.execute_child_workflow(
            PollSequence.run,
            Sequence(questions_per_run=questions_per_run),
            id=f"{workflow.info().workflow_id}/sequence",
        )


def make_worker(client: Client, reports: Reports) -> Worker:
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[OftenPolling, SeldomPolling, SequencePolling, PollSequence],
        activities=[reports.wait_for, reports.fetch, reports.fetch_page],
    )


async def main() -> None:
    if len(sys.argv) > 1:
        await make_worker(await Client.connect(sys.argv[1]), Reports(5)).run()
        return
    reports = Reports(5, pause=0.01)
    async with await WorkflowEnvironment.start_time_skipping() as environment:
        client = environment.client
        async with make_worker(client, reports):
            print(await client.execute_workflow(OftenPolling.run, "A", id="often", task_queue=TASK_QUEUE))
            print(await client.execute_workflow(SeldomPolling.run, "B", id="seldom", task_queue=TASK_QUEUE))
            print(await client.execute_workflow(SequencePolling.run, 10, id="sequence", task_queue=TASK_QUEUE))
            print("asked:", ", ".join(str(reports.asked[what]) for what in ("A", "B", "3")))


if __name__ == "__main__":
    asyncio.run(main())
