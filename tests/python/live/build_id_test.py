"""Which build a run's current task belongs to, without worker versioning."""

from live_support import until, worker

from chimera import workflow
from chimera.client import Client


@workflow.defn
class Builds:
    def __init__(self) -> None:
        self.turns: list[str] = []
        self.wanted = 1

    @workflow.run
    async def run(self) -> list[str]:
        while len(self.turns) < 2:
            await workflow.wait_condition(lambda: len(self.turns) < self.wanted)
            self.turns.append(workflow.info().get_current_build_id())
        return self.turns

    @workflow.signal
    def more(self) -> None:
        self.wanted += 1

    @workflow.query
    def seen(self) -> list[str]:
        return self.turns


async def test_each_task_keeps_the_build_that_ran_it(client: Client, name: str):
    async with worker(client, name, 0, Builds, build_id="1.0"):
        handle = await client.start_workflow(Builds.run, id=name, task_queue=name)
        await until(lambda: handle.query(Builds.seen))
    async with worker(client, name, 0, Builds, build_id="1.1"):
        await handle.signal(Builds.more)
        assert await handle.result() == ["1.0", "1.1"]
