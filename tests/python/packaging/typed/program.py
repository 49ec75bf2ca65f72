"""What a user writes; mypy --strict must pass it and know the types that assert_type names. Never run."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import assert_type

from chimera import activity, workflow
from chimera.client import Client, WithStartWorkflowOperation, WorkflowHandle, WorkflowUpdateStage
from chimera.common import RetryPolicy, WorkflowIDConflictPolicy
from chimera.worker import Worker


@dataclass
class Order:
    id: str
    cents: int


@activity.defn
async def charge(order: Order) -> int:
    activity.heartbeat(order.id)
    return order.cents


@activity.defn
def label(order: Order, copies: int) -> str:
    return order.id * copies


@workflow.defn
class Orders:
    def __init__(self) -> None:
        self.tip = 0

    @workflow.run
    async def run(self, order: Order) -> str:
        cents = await workflow.execute_activity(
            charge,
            order,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(maximum_attempts=3),
        )
        text = await workflow.execute_activity(
            label, args=[order, 2], start_to_close_timeout=timedelta(seconds=10)
        )
        await workflow.wait_condition(lambda: self.tip > 0, timeout=timedelta(minutes=1))
        return f"{text}: {cents + self.tip}"

    @workflow.signal
    def approve(self) -> None: ...

    @workflow.query
    def so_far(self) -> int:
        return self.tip

    @workflow.update
    async def add_tip(self, cents: int) -> int:
        self.tip += cents
        return self.tip

    @add_tip.validator
    def check_tip(self, cents: int) -> None:
        if cents < 0:
            raise ValueError("negative")


async def main() -> None:
    client = await Client.connect("localhost:7233", namespace="default")
    async with Worker(client, task_queue="orders", workflows=[Orders], activities=[charge, label]):
        handle = await client.start_workflow(Orders.run, Order("1", 5), id="1", task_queue="orders")
        assert_type(handle, WorkflowHandle[Orders, str])
        await handle.signal(Orders.approve)
        assert_type(await handle.query(Orders.so_far), int)
        assert_type(await handle.execute_update(Orders.add_tip, 5), int)
        update = await handle.start_update(
            Orders.add_tip, 5, wait_for_stage=WorkflowUpdateStage.ACCEPTED
        )
        assert_type(await update.result(), int)
        assert_type(await handle.result(), str)
        text = await client.execute_workflow(Orders.run, Order("2", 5), id="2", task_queue="orders")
        assert_type(text, str)
        start = WithStartWorkflowOperation(
            Orders.run,
            Order("3", 5),
            id="3",
            task_queue="orders",
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        )
        tip = await client.execute_update_with_start_workflow(
            Orders.add_tip, 5, start_workflow_operation=start
        )
        assert_type(tip, int)
        assert_type(client.get_workflow_handle_for(Orders.run, "1"), WorkflowHandle[Orders, str])
        untyped: WorkflowHandle[object, object] = await client.start_workflow(
            "Orders", Order("4", 5), id="4", task_queue="orders", result_type=str
        )
        print(await untyped.result())


asyncio.run(main())
