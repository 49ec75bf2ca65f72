"""samples/python/transfer: money is moved once or not at all, whatever happens on the way."""

import asyncio
from typing import Any

import pytest
from live_support import events, sample, until

from chimera import activity
from chimera.client import Client, WorkflowFailureError, WorkflowHandle
from chimera.exceptions import ActivityError, ApplicationError
from chimera.worker import Replayer, Worker

transfer = sample("python/transfer/transfer.py")
ANN_TO_BOB = transfer.Transfer("ann", "bob", 300)


def serving(client: Client, name: str, cache: int, bank: Any) -> Worker:
    return Worker(
        client,
        task_queue=name,
        workflows=[transfer.TransferWorkflow],
        activities=[bank.withdraw, bank.deposit, bank.refund],
        max_cached_workflows=cache,
    )


async def start(client: Client, name: str, what: Any) -> WorkflowHandle[Any, Any]:
    return await client.start_workflow(transfer.TransferWorkflow.run, what, id=name, task_queue=name)


async def ran(handle: WorkflowHandle[Any, Any]) -> list[str]:
    return [each.activity_type.name for each in await events(handle, "activity_task_scheduled")]


async def replays(handle: WorkflowHandle[Any, Any]) -> None:
    await Replayer(workflows=[transfer.TransferWorkflow]).replay_workflow(await handle.fetch_history())


async def refused(client: Client, name: str, cache: int, bank: Any, what: Any) -> tuple[WorkflowHandle[Any, Any], str]:
    """The type of the error that the bank, or the workflow, gave."""
    async with serving(client, name, cache, bank):
        handle = await start(client, name, what)
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()
        await replays(handle)
        error = raised.value.cause
        if isinstance(error, ActivityError):
            assert await handle.query("status") == "undone"
            error = error.cause
        assert isinstance(error, ApplicationError) and error.type
        return handle, error.type


async def test_moves_money(client: Client, name: str, cache: int):
    bank = transfer.Bank({"ann": 1000, "bob": 0})
    async with serving(client, name, cache, bank):
        handle = await start(client, name, ANN_TO_BOB)
        assert await handle.result() == transfer.Receipt("B1", "B2")
        assert await handle.query("status") == "done"

    assert bank.balances == {"ann": 700, "bob": 300}
    assert await ran(handle) == ["withdraw", "deposit"]
    await replays(handle)


async def test_refunds_what_cannot_be_deposited(client: Client, name: str, cache: int):
    bank = transfer.Bank({"ann": 1000})
    handle, why = await refused(client, name, cache, bank, ANN_TO_BOB)

    assert (why, bank.balances) == ("NoSuchAccount", {"ann": 1000})
    assert await ran(handle) == ["withdraw", "deposit", "refund"]


async def test_takes_nothing_where_there_is_too_little(client: Client, name: str, cache: int):
    bank = transfer.Bank({"ann": 299, "bob": 0})
    handle, why = await refused(client, name, cache, bank, ANN_TO_BOB)

    assert (why, bank.balances) == ("InsufficientFunds", {"ann": 299, "bob": 0})
    assert await ran(handle) == ["withdraw", "refund"]


async def test_refuses_no_amount(client: Client, name: str, cache: int):
    handle, why = await refused(client, name, cache, transfer.Bank({}), transfer.Transfer("ann", "bob", -5))

    assert (why, await ran(handle)) == ("BadAmount", [])


class Forgetful(transfer.Bank):
    """Whose first answer to these calls is lost, after the money has moved."""

    def __init__(self, balances: dict[str, int], *calls: str) -> None:
        super().__init__(balances)
        self.calls = calls

    def _book(self, key: str, account: str, cents: int) -> str:
        confirmation = super()._book(key, account, cents)
        if key.endswith(self.calls) and activity.info().attempt == 1:
            raise ConnectionError("the connection broke")
        return confirmation


async def test_what_is_done_twice_moves_money_once(client: Client, name: str, cache: int):
    bank = Forgetful({"ann": 1000, "bob": 0}, "withdrawal", "deposit")
    async with serving(client, name, cache, bank):
        handle = await start(client, name, ANN_TO_BOB)
        assert await handle.result() == transfer.Receipt("B1", "B2")

    assert bank.balances == {"ann": 700, "bob": 300}
    assert [each.attempt for each in await events(handle, "activity_task_started")] == [2, 2]
    await replays(handle)


async def test_a_refund_is_made_once(client: Client, name: str, cache: int):
    bank = Forgetful({"ann": 1000}, "refund")
    _, why = await refused(client, name, cache, bank, ANN_TO_BOB)

    assert (why, bank.balances) == ("NoSuchAccount", {"ann": 1000})


class Slow(transfer.Bank):
    """Which stops before or after one of its bookings until it is told to go on."""

    def __init__(self, balances: dict[str, int], at: str) -> None:
        super().__init__(balances)
        self.at = at
        self.reached, self.go_on, self.ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def pause(self, at: str) -> None:
        if self.at == at:
            self.reached.set()
            await self.go_on.wait()

    @activity.defn
    async def withdraw(self, booking: transfer.Booking) -> str:
        await self.pause("before withdrawing")
        confirmation = self._book(booking.key, booking.account, -booking.cents)
        await self.pause("after withdrawing")
        self.ended.set()
        return confirmation

    @activity.defn
    async def deposit(self, booking: transfer.Booking) -> str:
        await self.pause("before depositing")
        return self._book(booking.key, booking.account, booking.cents)


@pytest.mark.parametrize("at", ["before withdrawing", "after withdrawing"])
async def test_a_transfer_that_is_cancelled_while_it_withdraws(client: Client, name: str, cache: int, at: str):
    bank = Slow({"ann": 1000, "bob": 0}, at)
    async with serving(client, name, cache, bank):
        handle = await start(client, name, ANN_TO_BOB)
        await asyncio.wait_for(bank.reached.wait(), 20)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        bank.go_on.set()  # What the withdrawal does now comes after its refund.
        await asyncio.wait_for(bank.ended.wait(), 20)

    assert bank.balances == {"ann": 1000, "bob": 0}
    assert await ran(handle) == ["withdraw", "refund"]
    await replays(handle)


async def test_a_deposit_that_is_under_way_is_seen_through(client: Client, name: str, cache: int):
    bank = Slow({"ann": 1000, "bob": 0}, "before depositing")
    async with serving(client, name, cache, bank):
        handle = await start(client, name, ANN_TO_BOB)
        await asyncio.wait_for(bank.reached.wait(), 20)
        await handle.cancel()
        await until(lambda: asked_to_stop(handle))
        bank.go_on.set()
        assert await handle.result() == transfer.Receipt("B1", "B2")

    assert bank.balances == {"ann": 700, "bob": 300}
    await replays(handle)


async def asked_to_stop(handle: WorkflowHandle[Any, Any]) -> bool:
    """Whether the workflow has taken the request and waits on."""
    history = (await handle.fetch_history()).events
    kinds = [each.WhichOneof("attributes") for each in history]
    asked = "workflow_execution_cancel_requested_event_attributes"
    return asked in kinds and "workflow_task_completed_event_attributes" in kinds[kinds.index(asked) :]
