"""samples/python/jobs: jobs that are done once, and go on where they stopped."""

import pytest
from live_support import sample, until

from chimera.client import ActivityFailureError
from chimera.testing import WorkflowEnvironment

jobs = sample("python/jobs/jobs.py")


async def test_an_image_is_rendered_once_however_often_it_is_asked_for() -> None:
    async with await WorkflowEnvironment.start_local() as env:
        studio = jobs.Studio(0.001)
        first = await jobs.submit(env.client, jobs.Image("cat.png", 200))
        again = await jobs.submit(env.client, jobs.Image("cat.png", 200), urgent=True)
        assert first.run_id == again.run_id
        assert await jobs.progress(first) == 0
        async with jobs.make_worker(env.client, studio):
            assert await first.result() == await again.result() == "cat.png@200"
            assert studio.steps == jobs.STEPS
            with pytest.raises(ActivityFailureError):
                await (await jobs.submit(env.client, jobs.Image("dog.png", 0))).result()

        async def both() -> bool:
            return await jobs.overview(env.client) == {"Completed": 1, "Failed": 1}

        await until(both)


async def test_a_job_that_is_interrupted_goes_on_where_it_stopped() -> None:
    async with await WorkflowEnvironment.start_local() as env:
        studio = jobs.Studio(0.03)
        job = await jobs.submit(env.client, jobs.Image("bird.png", 100))
        async with jobs.make_worker(env.client, studio):

            async def three() -> bool:
                return await jobs.progress(job) >= 3

            await until(three)
        async with jobs.make_worker(env.client, studio):
            assert await job.result() == "bird.png@100"
        assert studio.steps <= jobs.STEPS + 8  # Steps that were told are not done again.
        assert (await job.describe()).attempt > 1
