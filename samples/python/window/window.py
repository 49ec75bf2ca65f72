"""A batch by a sliding window: a child workflow for each record, and only so many of them at a time.

    python samples/python/window/window.py                  # 120 records, on a server in this process
    python samples/python/window/window.py localhost:7233   # the worker alone, on a running server
"""

import asyncio
import sys
from dataclasses import dataclass, field
from datetime import timedelta

from chimera import activity, workflow
from chimera.client import Client
from chimera.exceptions import ActivityError, ApplicationError, is_cancelled_exception
from chimera.testing import WorkflowEnvironment
from chimera.worker import Worker

TASK_QUEUE = "window"


@dataclass
class Batch:
    records: int = 0  # Numbered from 0.
    at_once: int = 10  # Children under way.
    starts_per_run: int = 50  # Then it continues as new, so that its history stays short.
    # Of the runs before.
    next: int = 0
    done: int = 0
    failed: int = 0
    runs: int = 1
    under_way: list[int] = field(default_factory=list)


@dataclass
class Report:
    record: int
    ok: bool = True


class Records:
    """What is done to a record."""

    def __init__(self) -> None:
        self.processed: list[int] = []
        self.broken: set[int] = set()

    @activity.defn
    async def process(self, record: int) -> None:
        if record in self.broken:
            raise ApplicationError(f"record {record} cannot be read", type="Unreadable", non_retryable=True)
        self.processed.append(record)


@workflow.defn
class SlidingWindow:
    @workflow.init
    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    @workflow.run
    async def run(self, batch: Batch) -> Batch:
        batch = self._batch
        workflow_id = workflow.info().workflow_id
        started = 0
        while batch.next < batch.records:
            await workflow.wait_condition(lambda: len(batch.under_way) < batch.at_once)
            if started == batch.starts_per_run:
                batch.runs += 1
                workflow.continue_as_new(batch)
            started += 1
            record = batch.next
            batch.next += 1
            batch.under_way.append(record)
            # Waits until it has started: what is started when this run ends goes on without it.
            await workflow.start_child_workflow(
                ProcessRecord.run,
                args=[workflow_id, record],
                id=f"{workflow_id}/{record}",
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            )
        await workflow.wait_condition(lambda: not batch.under_way)
        return batch

    @workflow.signal
    def report(self, report: Report) -> None:
        if report.record not in self._batch.under_way:
            return  # It has said so before.
        self._batch.under_way.remove(report.record)
        if report.ok:
            self._batch.done += 1
        else:
            self._batch.failed += 1

    @workflow.query
    def progress(self) -> Batch:
        return self._batch


@workflow.defn
class ProcessRecord:
    """One record. It outlives the run that started it, and reports to whichever is the current one."""

    @workflow.run
    async def run(self, batch_id: str, record: int) -> None:
        report = Report(record)
        try:
            await workflow.execute_activity(Records.process, record, start_to_close_timeout=timedelta(minutes=1))
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            report.ok = False
        await workflow.get_external_workflow_handle(batch_id).signal(SlidingWindow.report, report)


def make_worker(client: Client, records: Records) -> Worker:
    return Worker(
        client, task_queue=TASK_QUEUE, workflows=[SlidingWindow, ProcessRecord], activities=[records.process]
    )


async def main() -> None:
    records = Records()
    if len(sys.argv) > 1:
        await make_worker(await Client.connect(sys.argv[1]), records).run()
        return
    records.broken.add(17)
    async with await WorkflowEnvironment.start_time_skipping() as environment:
        async with make_worker(environment.client, records):
            batch = await environment.client.execute_workflow(
                SlidingWindow.run, Batch(records=120), id="batch-1", task_queue=TASK_QUEUE
            )
            print(f"done: {batch.done}, failed: {batch.failed}, runs: {batch.runs}")


if __name__ == "__main__":
    asyncio.run(main())
