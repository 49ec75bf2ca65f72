"""Expense approval: a workflow that waits for people, for days, and is asked and told by updates.

    python samples/python/expense/expense.py                  # a demonstration, with time that skips
    python samples/python/expense/expense.py localhost:7233   # the worker alone, on a server that runs already
"""

import asyncio
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from chimera import activity, workflow
from chimera.client import Client
from chimera.exceptions import ApplicationError
from chimera.testing import WorkflowEnvironment
from chimera.worker import Worker

TASK_QUEUE = "expenses"

REMIND_EVERY = timedelta(days=2)
ESCALATE_AFTER = timedelta(days=7)
GIVE_UP_AFTER = timedelta(days=30)
SELF_APPROVED_UP_TO = 25_00


class State(StrEnum):
    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    PAID = "paid"


@dataclass
class Expense:
    employee: str
    cents: int
    purpose: str
    approvers: list[str]  # The first is asked first; each next one when the one before stays silent.


@dataclass
class Decision:
    approver: str
    approve: bool
    comment: str = ""


@dataclass
class Status:
    state: State
    asked: list[str] = field(default_factory=list)
    decision: Decision | None = None
    payment: str = ""


# What a company has elsewhere: mail and payroll.


@activity.defn
async def ask(approver: str, expense: Expense, reminder: int) -> None:
    again = f" (reminder {reminder})" if reminder else ""
    activity.logger.info("To %s: %s asks for %d cents%s", approver, expense.employee, expense.cents, again)


@activity.defn
async def pay(expense: Expense, key: str) -> str:
    """The key makes a second payment of the same expense the first one again."""
    return f"payment-{key}"


@activity.defn
async def tell(employee: str, text: str) -> None:
    activity.logger.info("To %s: %s", employee, text)


@workflow.defn
class ExpenseApproval:
    """One expense, from its report to its payment."""

    @workflow.init
    def __init__(self, expense: Expense) -> None:
        if expense.cents <= 0 or not expense.approvers:
            raise ApplicationError("an expense needs an amount and somebody to approve it", type="BadExpense")
        self._expense = expense
        self._status = Status(State.WAITING)

    @workflow.run
    async def run(self, expense: Expense) -> Status:
        if expense.cents <= SELF_APPROVED_UP_TO:
            self._status.state = State.APPROVED
        else:
            asking = asyncio.create_task(self._ask())
            try:
                await workflow.wait_condition(
                    lambda: self._status.state != State.WAITING, timeout=GIVE_UP_AFTER
                )
            except TimeoutError:
                self._status.state = State.EXPIRED
            asking.cancel()
        if self._status.state == State.APPROVED:
            self._status.payment = await workflow.execute_activity(
                pay, args=[expense, workflow.info().workflow_id], start_to_close_timeout=timedelta(minutes=1)
            )
            self._status.state = State.PAID
        await workflow.execute_activity(
            tell,
            args=[expense.employee, f"Your expense is {self._status.state}."],
            start_to_close_timeout=timedelta(minutes=1),
        )
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._status

    async def _ask(self) -> None:
        """One approver after the other, each with reminders until the next one's turn."""
        for place, approver in enumerate(self._expense.approvers):
            self._status.asked.append(approver)
            last = place + 1 == len(self._expense.approvers)
            begin, reminder = workflow.now(), 0
            while last or workflow.now() - begin < ESCALATE_AFTER:
                await workflow.execute_activity(
                    ask, args=[approver, self._expense, reminder], start_to_close_timeout=timedelta(minutes=1)
                )
                reminder += 1
                left = GIVE_UP_AFTER if last else ESCALATE_AFTER - (workflow.now() - begin)
                await workflow.sleep(min(REMIND_EVERY, left))

    @workflow.update
    def decide(self, decision: Decision) -> Status:
        """What an approver says. Whoever comes second is told what was decided."""
        self._status.decision = decision
        self._status.state = State.APPROVED if decision.approve else State.REJECTED
        return self._status

    @decide.validator
    def check_decision(self, decision: Decision) -> None:
        if self._status.state != State.WAITING:
            raise ApplicationError(f"this expense is {self._status.state} already", type="Decided")
        if decision.approver not in self._expense.approvers:
            raise ApplicationError(f"{decision.approver} is no approver of this expense", type="NotAllowed")
        if decision.approver == self._expense.employee:
            raise ApplicationError("nobody approves their own expenses", type="NotAllowed")
        if not decision.approve and not decision.comment:
            raise ApplicationError("a rejection needs a comment", type="NoReason")

    @workflow.query
    def status(self) -> Status:
        return self._status


def make_worker(client: Client) -> Worker:
    return Worker(
        client, task_queue=TASK_QUEUE, workflows=[ExpenseApproval], activities=[ask, pay, tell]
    )


async def main() -> None:
    if len(sys.argv) > 1:
        await make_worker(await Client.connect(sys.argv[1])).run()
        return
    async with await WorkflowEnvironment.start_time_skipping() as environment:
        client = environment.client
        async with make_worker(client):
            expense = Expense("ann", 310_00, "train to Ghent", approvers=["bob", "cleo"])
            handle = await client.start_workflow(
                ExpenseApproval.run, expense, id="expense-ann-1", task_queue=TASK_QUEUE
            )
            await environment.sleep(timedelta(days=8))  # Bob says nothing: it is Cleo's turn.
            print("asked:", ", ".join((await handle.query(ExpenseApproval.status)).asked))
            await handle.execute_update(ExpenseApproval.decide, Decision("cleo", approve=True))
            done = await handle.result()
            print(done.state, done.payment)


if __name__ == "__main__":
    asyncio.run(main())
