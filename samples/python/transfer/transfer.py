"""A money transfer: a saga of two bookings, of which either both are made in the end or none.

    python samples/python/transfer/transfer.py 17 ann bob 300                    # on an embedded server
    python samples/python/transfer/transfer.py 17 ann bob 300 localhost:7233     # on one that runs already
"""

import asyncio
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chimera import activity, workflow
from chimera.client import Client, WorkflowFailureError
from chimera.common import RetryPolicy, WorkflowIDReusePolicy
from chimera.exceptions import ActivityError, ApplicationError
from chimera.testing import WorkflowEnvironment
from chimera.worker import Worker

TASK_QUEUE = "transfer"


class NoSuchAccount(Exception):
    """Nothing is booked to or from it, however often one asks."""


class InsufficientFunds(Exception):
    """The account has less than that."""


@dataclass
class Booking:
    """`key` is the same whenever this booking is asked for again."""

    key: str
    account: str
    cents: int


class Bank:
    """A bank that honours idempotency keys. It stands for the services that a real transfer calls.

    What matters is that a call which is repeated under its key does nothing more.
    """

    def __init__(self, balances: dict[str, int]) -> None:
        self.balances = balances
        self._done: dict[str, tuple[int, str]] = {}  # What was booked and its confirmation, by key.

    @activity.defn
    async def withdraw(self, booking: Booking) -> str:
        return self._book(booking.key, booking.account, -booking.cents)

    @activity.defn
    async def deposit(self, booking: Booking) -> str:
        return self._book(booking.key, booking.account, booking.cents)

    @activity.defn
    async def refund(self, withdrawal: Booking) -> None:
        """Gives back what the withdrawal of this key took.

        If it took nothing, its key is used up, so that a straggling attempt of it will not take anything either.
        """
        cents, _ = self._done.setdefault(withdrawal.key, (0, ""))
        if cents:
            self._book(withdrawal.key + "-refund", withdrawal.account, -cents)

    def _book(self, key: str, account: str, cents: int) -> str:
        if key in self._done:
            return self._done[key][1]
        if account not in self.balances:
            raise NoSuchAccount(f"no account of {account}")
        if self.balances[account] + cents < 0:
            raise InsufficientFunds(f"{account} has only {self.balances[account]}")
        self.balances[account] += cents  # A real bank stores the effect and the key in one transaction.
        confirmation = f"B{len(self._done) + 1}"
        self._done[key] = (cents, confirmation)
        return confirmation


@dataclass
class Transfer:
    """What is to be moved."""

    sender: str
    receiver: str
    cents: int


@dataclass
class Receipt:
    """The bank's confirmations."""

    withdrawal: str
    deposit: str


# Tried until the bank says yes, or no for a reason that will not pass. No maximum_attempts: who gives up after a lost
# answer does not know whether the money has moved.
UNTIL_ANSWERED: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(milliseconds=200),
        maximum_interval=timedelta(seconds=30),
        non_retryable_error_types=[NoSuchAccount.__name__, InsufficientFunds.__name__],
    ),
}


@workflow.defn(name="Transfer")
class TransferWorkflow:
    """Withdraws, deposits, and refunds when the deposit fails for good."""

    def __init__(self) -> None:
        self._status = "withdrawing"

    @workflow.run
    async def run(self, transfer: Transfer) -> Receipt:
        if transfer.cents <= 0:
            raise ApplicationError("a transfer needs an amount", type="BadAmount")
        # Keys from the workflow's id, not its run's: a retry or a reset of it repeats the same bookings, which then
        # move nothing.
        key = workflow.info().workflow_id
        withdrawal = Booking(f"{key}-withdrawal", transfer.sender, transfer.cents)
        deposit = Booking(f"{key}-deposit", transfer.receiver, transfer.cents)
        try:
            withdrawn = await workflow.execute_activity_method(Bank.withdraw, withdrawal, **UNTIL_ANSWERED)
            self._status = "depositing"
            deposited = await self._see_through(
                workflow.start_activity_method(Bank.deposit, deposit, **UNTIL_ANSWERED)
            )
        except ActivityError:
            # Of a withdrawal that was cancelled, too: while it is under way only the bank knows whether it took place,
            # and refunding one that did not is harmless.
            self._status = "undoing"
            await self._see_through(workflow.start_activity_method(Bank.refund, withdrawal, **UNTIL_ANSWERED))
            self._status = "undone"
            raise
        self._status = "done"
        return Receipt(withdrawn, deposited)

    async def _see_through(self, handle: "workflow.ActivityHandle[str] | workflow.ActivityHandle[None]") -> Any:
        """Waits for an activity that a cancellation of the workflow must not stop.

        A deposit whose end we did not wait for must not be refunded beside. A workflow is cancelled once at most.
        """
        try:
            return await asyncio.shield(handle)
        except asyncio.CancelledError:
            return await handle

    @workflow.query
    def status(self) -> str:
        return self._status


def worker(client: Client, bank: Bank) -> Worker:
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[TransferWorkflow],
        activities=[bank.withdraw, bank.deposit, bank.refund],
    )


async def move(client: Client, number: str, transfer: Transfer) -> str:
    bank = Bank({"ann": 1000, "bob": 0})
    async with worker(client, bank):
        # The id is the transfer's, not one made up for this call: who presses the button twice starts nothing, and
        # who lost the answer finds the transfer under it.
        handle = await client.start_workflow(
            TransferWorkflow.run,
            transfer,
            id=f"transfer-{number}",
            task_queue=TASK_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )
        try:
            await handle.result()
        except WorkflowFailureError as error:
            cause = error.cause.cause if isinstance(error.cause, ActivityError) else error.cause
            return f"{await handle.query(TransferWorkflow.status)}: {cause}"
    return f"moved {transfer.cents} from {transfer.sender} to {transfer.receiver}, balances {bank.balances}"


async def main() -> None:
    number, sender, receiver, cents, *address = sys.argv[1:]
    transfer = Transfer(sender, receiver, int(cents))
    if address:
        print(await move(await Client.connect(address[0]), number, transfer))
        return
    async with await WorkflowEnvironment.start_local() as environment:
        print(await move(environment.client, number, transfer))


if __name__ == "__main__":
    asyncio.run(main())
