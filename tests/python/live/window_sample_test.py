"""samples/python/window: a record at a time for each place, and histories that stay short."""

from collections.abc import AsyncIterator

import pytest
from live_support import sample

from chimera.client import Client
from chimera.testing import WorkflowEnvironment

window = sample("python/window/window.py")


@pytest.fixture
def records() -> window.Records:
    return window.Records()


@pytest.fixture
async def client(records: window.Records) -> AsyncIterator[Client]:
    async with await WorkflowEnvironment.start_time_skipping() as environment:
        async with window.make_worker(environment.client, records):
            yield environment.client


async def run(client: Client, batch: window.Batch) -> window.Batch:
    return await client.execute_workflow(
        window.SlidingWindow.run, batch, id="batch", task_queue=window.TASK_QUEUE
    )


async def test_each_record_is_processed_once(client: Client, records: window.Records) -> None:
    done = await run(client, window.Batch(records=45, at_once=4, starts_per_run=20))

    assert (done.done, done.failed, done.runs, done.under_way) == (45, 0, 3, [])
    assert sorted(records.processed) == list(range(45))


async def test_a_record_that_fails_makes_room_too(client: Client, records: window.Records) -> None:
    records.broken.update(range(3))

    done = await run(client, window.Batch(records=6, at_once=3))

    assert (done.done, done.failed) == (3, 3)
