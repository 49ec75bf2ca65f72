"""samples/python/polling: what takes hours, in a test that does not."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from live_support import sample

from chimera.testing import WorkflowEnvironment

polling = sample("python/polling/polling.py")
QUEUE = {"task_queue": polling.TASK_QUEUE}


@pytest.fixture
def reports() -> polling.Reports:
    return polling.Reports(20, pause=0.001)


@pytest.fixture
async def env(reports: polling.Reports) -> AsyncIterator[WorkflowEnvironment]:
    async with await WorkflowEnvironment.start_time_skipping() as environment:
        async with polling.make_worker(environment.client, reports):
            yield environment


async def test_often_is_one_attempt(env: WorkflowEnvironment, reports: polling.Reports) -> None:
    assert await env.client.execute_workflow(polling.OftenPolling.run, "A", id="often", **QUEUE) == "report A"

    assert reports.asked["A"] == 21


async def test_seldom_asks_every_ten_minutes(env: WorkflowEnvironment, reports: polling.Reports) -> None:
    begin = await env.get_current_time()
    handle = await env.client.start_workflow(polling.SeldomPolling.run, "B", id="seldom", **QUEUE)

    assert await handle.result() == "report B"

    assert reports.asked["B"] == 21
    assert await env.get_current_time() - begin >= timedelta(minutes=200)
    assert (await handle.describe()).history_length == 11


async def test_in_sequence_goes_on_from_run_to_run(env: WorkflowEnvironment, reports: polling.Reports) -> None:
    texts = await env.client.execute_workflow(polling.SequencePolling.run, 7, id="sequence", **QUEUE)

    assert texts == "report 1, report 2, report 3"
    assert [reports.asked[page] for page in "123"] == [21, 21, 21]
