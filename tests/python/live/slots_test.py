"""Slots and polls that follow the machine's load, the server's advice, and users' own rules."""

import asyncio
from datetime import timedelta

from live_support import worker

from chimera import activity, workflow
from chimera.client import Client
from chimera.worker import (
    CustomSlotSupplier,
    FixedSizeSlotSupplier,
    PollerBehaviorAutoscaling,
    ResourceBasedSlotConfig,
    ResourceBasedSlotSupplier,
    ResourceBasedTunerConfig,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotReserveContext,
    WorkerTuner,
    WorkflowSlotInfo,
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


@activity.defn
async def double(value: int) -> int:
    return 2 * value


@workflow.defn
class Mixed:
    @workflow.run
    async def run(self) -> int:
        limit = timedelta(seconds=20)
        calls = [workflow.execute_activity(double, i, start_to_close_timeout=limit) for i in range(3)]
        local = [workflow.execute_local_activity(double, i, start_to_close_timeout=limit) for i in range(3)]
        return sum(await asyncio.gather(*calls, *local))


class Numbered(SlotPermit):
    def __init__(self, number: int) -> None:
        self.number = number


class Pool(CustomSlotSupplier):
    """So many at a time, of all kinds; counts what it is asked and told."""

    def __init__(self, slots: int) -> None:
        self.free = asyncio.Semaphore(slots)
        self.reserved: set[int] = set()
        self.released: set[int] = set()
        self.contexts: set[tuple] = set()
        self.used: set[tuple] = set()
        self.asked = 0

    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
        self.asked += 1
        if self.asked == 1:
            raise RuntimeError("not yet")
        self._note(ctx)
        await self.free.acquire()
        permit = Numbered(len(self.reserved))
        self.reserved.add(permit.number)
        return permit

    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:
        self._note(ctx)
        return None

    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:
        assert isinstance(ctx.permit, Numbered)
        info = ctx.slot_info
        name = info.workflow_type if isinstance(info, WorkflowSlotInfo) else info.activity_type
        self.used.add((name, getattr(info, "is_sticky", False)))
        raise ValueError("what it raises is logged")

    def release_slot(self, ctx: SlotReleaseContext) -> None:
        assert isinstance(ctx.permit, Numbered)
        assert ctx.permit.number not in self.released
        self.released.add(ctx.permit.number)
        self.free.release()

    def _note(self, ctx: SlotReserveContext) -> None:
        self.contexts.add((ctx.slot_type, ctx.is_sticky, ctx.task_queue))
        assert ctx.worker_identity and ctx.worker_build_id
        assert ctx.worker_deployment_version is None


async def test_a_users_own_supplier_gives_slots(client: Client, name: str, cache: int) -> None:
    pools = [Pool(8), Pool(2), Pool(1)]
    tuner = WorkerTuner.create_composite(
        workflow_supplier=pools[0],
        activity_supplier=pools[1],
        local_activity_supplier=pools[2],
        nexus_supplier=FixedSizeSlotSupplier(1),
    )
    async with worker(client, name, cache, Mixed, double, tuner=tuner):
        assert await client.execute_workflow(Mixed.run, id=name, task_queue=name) == 12

    for pool in pools:
        assert pool.reserved and pool.reserved == pool.released
    assert pools[0].used == {("Mixed", False)} | ({("Mixed", True)} if cache else set())
    assert pools[1].used == pools[2].used == {("double", False)}
    assert pools[0].contexts == {("workflow", False, name)} | ({("workflow", True, name)} if cache else set())
    assert pools[1].contexts == {("activity", False, name)}
    assert pools[2].contexts == {("local-activity", False, name)}
