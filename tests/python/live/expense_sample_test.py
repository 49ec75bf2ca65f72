"""samples/python/expense: people who take their time, in a test that does not."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from live_support import sample

from chimera import activity
from chimera.client import Client, WorkflowFailureError, WorkflowUpdateFailedError
from chimera.exceptions import ApplicationError
from chimera.testing import WorkflowEnvironment
from chimera.worker import Worker

expense = sample("python/expense/expense.py")
TRAIN = expense.Expense("ann", 310_00, "train", ["bob", "cleo", "ann"])


@pytest.fixture
async def env() -> AsyncIterator[WorkflowEnvironment]:
    async with await WorkflowEnvironment.start_time_skipping() as environment:
        yield environment


@pytest.fixture
async def client(env: WorkflowEnvironment) -> AsyncIterator[Client]:
    async with expense.make_worker(env.client):
        yield env.client


async def report(client: Client, name: str, what: Any = TRAIN) -> Any:
    return await client.start_workflow(
        expense.ExpenseApproval.run, what, id=name, task_queue=expense.TASK_QUEUE
    )


def decide(handle: Any, approver: str, approve: bool = True, comment: str = "") -> Any:
    return handle.execute_update(expense.ExpenseApproval.decide, expense.Decision(approver, approve, comment))


async def test_what_is_approved_is_paid_once(client: Client, name: str) -> None:
    handle = await report(client, name)

    assert (await decide(handle, "bob")).state == "approved"

    done = await handle.result()
    assert (done.state, done.payment) == ("paid", f"payment-{name}")
    assert done.decision.approver == "bob"


async def test_small_expenses_need_nobody(client: Client, name: str) -> None:
    handle = await report(client, name, expense.Expense("ann", 25_00, "lunch", ["bob"]))

    assert (await handle.result()).asked == []


async def test_a_rejection_is_not_paid(client: Client, name: str) -> None:
    handle = await report(client, name)
    await decide(handle, "bob", approve=False, comment="take the bicycle")

    done = await handle.result()
    assert (done.state, done.payment) == ("rejected", "")


@pytest.mark.parametrize(
    ("approver", "approve", "problem"),
    [
        ("dan", True, "dan is no approver"),
        ("ann", True, "nobody approves their own"),
        ("bob", False, "a rejection needs a comment"),
    ],
)
async def test_wrong_decisions_are_refused(
    client: Client, name: str, approver: str, approve: bool, problem: str
) -> None:
    handle = await report(client, name)

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await decide(handle, approver, approve)

    assert problem in str(refused.value.cause)
    assert (await handle.query(expense.ExpenseApproval.status)).state == "waiting"


async def test_silence_is_followed_by_reminders_the_next_approver_and_the_end(
    env: WorkflowEnvironment, name: str
) -> None:
    asked: list[tuple[str, int]] = []

    @activity.defn(name="ask")
    async def note(approver: str, what: expense.Expense, reminder: int) -> None:
        asked.append((approver, reminder))

    async with Worker(
        env.client,
        task_queue=expense.TASK_QUEUE,
        workflows=[expense.ExpenseApproval],
        activities=[note, expense.pay, expense.tell],
    ):
        begin = await env.get_current_time()
        handle = await report(env.client, name)
        done = await handle.result()
        took = await env.get_current_time() - begin

    assert done.state == "expired"
    assert timedelta(days=30) <= took < timedelta(days=30, minutes=1)
    bob = [("bob", each) for each in range(4)]  # On days 0, 2, 4 and 6.
    assert asked[:8] == bob + [("cleo", each) for each in range(4)]
    rest = [approver for approver, _ in asked[8:]]  # From day 14 to day 28; on day 30 it expires.
    assert set(rest) == {"ann"} and len(rest) in (8, 9)


async def test_an_expense_that_nobody_could_approve_fails(client: Client, name: str) -> None:
    handle = await report(client, name, expense.Expense("ann", 310_00, "train", []))

    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert isinstance(failed.value.cause, ApplicationError) and failed.value.cause.type == "BadExpense"
