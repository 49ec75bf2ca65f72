"""A queue of jobs without workflows: each job is an activity that a client starts by itself.

The server keeps it, hands it to a worker, tries it again, and says how far it is. One job for each image, however often
it is asked for; urgent ones first; one that was interrupted goes on where it stopped.

    python samples/python/jobs/jobs.py                              # a demonstration, on a server in this process
    python samples/python/jobs/jobs.py worker localhost:7233        # the worker alone, on a running server
    python samples/python/jobs/jobs.py cat.png 200 localhost:7233   # one job
"""

import asyncio
import sys
from dataclasses import dataclass
from datetime import timedelta

from chimera import activity
from chimera.client import ActivityHandle, Client
from chimera.common import ActivityIDConflictPolicy, Priority
from chimera.exceptions import ApplicationError
from chimera.testing import WorkflowEnvironment
from chimera.worker import Worker

TASK_QUEUE = "jobs"
STEPS = 10


@dataclass
class Image:
    name: str
    width: int


class Studio:
    """What makes thumbnails."""

    def __init__(self, step: float = 0.1) -> None:
        self.steps = 0
        self._step = step  # In seconds.

    @activity.defn
    async def render(self, image: Image) -> str:
        """Each step is told to the server: the next attempt begins there."""
        if image.width < 1:
            raise ApplicationError("no width", type="BadImage", non_retryable=True)
        done = activity.info().heartbeat_details
        for step in range(done[0] if done else 0, STEPS):
            await asyncio.sleep(self._step)
            self.steps += 1
            activity.heartbeat(step + 1)
        return f"{image.name}@{image.width}"


async def submit(client: Client, image: Image, urgent: bool = False) -> ActivityHandle[str]:
    """The job of this image: a new one, or the one that is under way."""
    return await client.start_activity_method(
        Studio.render,
        image,
        id=f"thumbnail-{image.name}",
        task_queue=TASK_QUEUE,
        schedule_to_close_timeout=timedelta(hours=1),
        heartbeat_timeout=timedelta(seconds=30),
        id_conflict_policy=ActivityIDConflictPolicy.USE_EXISTING,
        priority=Priority(priority_key=1 if urgent else 3),
    )


async def progress(job: ActivityHandle[str]) -> int:
    """How many steps are done."""
    told = await (await job.describe(include_heartbeat_details=True)).heartbeat_details([int])
    return told[0] if told else 0


async def overview(client: Client) -> dict[str, int]:
    """How many jobs there are, by status."""
    counted = await client.count_activities("ActivityType = 'render' GROUP BY ExecutionStatus")
    return {str(group.group_values[0]): group.count for group in counted.groups}


def make_worker(client: Client, studio: Studio) -> Worker:
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        activities=[studio.render],
        max_heartbeat_throttle_interval=timedelta(milliseconds=100),
    )


async def demonstrate() -> None:
    async with await WorkflowEnvironment.start_local() as env:
        async with make_worker(env.client, Studio(0.01)):
            jobs = [await submit(env.client, Image(name, 200)) for name in ("cat.png", "dog.png", "cat.png")]
            print([await job.result() for job in jobs])
        print(await overview(env.client))


async def main(words: list[str]) -> None:
    if not words:
        await demonstrate()
    elif words[0] == "worker":
        await make_worker(await Client.connect(words[-1]), Studio()).run()
    else:
        job = await submit(await Client.connect(words[-1]), Image(words[0], int(words[1])))
        print(await job.result())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
