"""Slots and polls that follow the machine's load and the server's advice."""

import asyncio
from datetime import timedelta

from live_support import worker

from chimera import activity, workflow
from chimera.client import Client
from chimera.worker import (
    FixedSizeSlotSupplier,
    PollerBehaviorAutoscaling,
    ResourceBasedSlotConfig,
    ResourceBasedSlotSupplier,
    ResourceBasedTunerConfig,
    WorkerTuner,
)

running = 0
most = 0


@activity.defn
async def count() -> None:
    global running, most
    running += 1
    most = max(most, running)
    await asyncio.sleep(0.05)
    running -= 1


@workflow.defn
class Counts:
    @workflow.run
    async def run(self) -> None:
        calls = [workflow.execute_activity(count, start_to_close_timeout=timedelta(seconds=20)) for _ in range(12)]
        await asyncio.gather(*calls)


async def test_workers_follow_load_and_advice(client: Client, name: str, cache: int) -> None:
    global most
    most = 0
    load = ResourceBasedTunerConfig(target_memory_usage=1, target_cpu_usage=1)
    tuner = WorkerTuner.create_composite(
        workflow_supplier=ResourceBasedSlotSupplier(ResourceBasedSlotConfig(), load),
        activity_supplier=ResourceBasedSlotSupplier(ResourceBasedSlotConfig(minimum_slots=3, maximum_slots=3), load),
        local_activity_supplier=FixedSizeSlotSupplier(2),
        nexus_supplier=FixedSizeSlotSupplier(1),
    )
    polls = PollerBehaviorAutoscaling(minimum=1, maximum=10, initial=2)
    async with worker(
        client,
        name,
        cache,
        Counts,
        count,
        tuner=tuner,
        workflow_task_poller_behavior=polls,
        activity_task_poller_behavior=polls,
        disable_eager_activity_execution=True,
    ):
        await asyncio.gather(
            *[client.execute_workflow(Counts.run, id=f"{name}-{i}", task_queue=name) for i in range(4)]
        )

    assert 2 <= most <= 3
