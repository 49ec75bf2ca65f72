"""samples/python/subscription: years of it, and the schedule beside it."""

import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from live_support import BUILD, sample, until

from chimera.client import Client, WorkflowFailureError
from chimera.exceptions import CancelledError
from chimera.testing import WorkflowEnvironment

subscription = sample("python/subscription/subscription.py")
Workflow = subscription.SubscriptionWorkflow


@pytest.fixture
async def env() -> AsyncIterator[WorkflowEnvironment]:
    async with await WorkflowEnvironment.start_time_skipping() as environment:
        yield environment


@pytest.fixture
async def ledger(env: WorkflowEnvironment) -> AsyncIterator[Any]:
    ledger = subscription.Ledger()
    async with subscription.make_worker(env.client, ledger):
        yield ledger


async def subscribe(client: Client, name: str, **options: Any) -> Any:
    return await client.start_workflow(
        Workflow.run,
        subscription.Subscription("ann", cents=9_00, **options),
        id=name,
        task_queue=subscription.TASK_QUEUE,
    )


async def test_a_year_is_charged_by_the_month(env: WorkflowEnvironment, ledger: Any, name: str) -> None:
    await subscription.close_books_monthly(env.client)
    handle = await subscribe(env.client, name, trial_days=14)

    await env.sleep(timedelta(days=180))
    await handle.signal(Workflow.change_price, 10_00)
    await env.sleep(timedelta(days=185))
    closed = list(ledger.closed)
    await handle.signal(Workflow.end)

    assert await handle.result() == 12
    assert list(ledger.charges) == [f"{name}-{month}" for month in range(1, 13)]
    assert [each.cents for each in ledger.charges.values()] == [9_00] * 6 + [10_00] * 6
    # So many firsts of a month are in 365 days; one less where a leap day is among them.
    assert len(closed) in (11, 12)
    assert [each.charges for each in closed] == sorted(each.charges for each in closed)
    assert closed[-1].charges >= 11


async def test_a_trial_that_is_ended_costs_nothing(env: WorkflowEnvironment, ledger: Any, name: str) -> None:
    handle = await subscribe(env.client, name, trial_days=14)
    await env.sleep(timedelta(days=3))
    await handle.signal(Workflow.end)

    assert await handle.result() == 0
    assert not ledger.charges


async def test_a_card_that_is_refused_gets_five_days(env: WorkflowEnvironment, ledger: Any, name: str) -> None:
    ledger.broke.add("ann")
    begin = await env.get_current_time()
    handle = await subscribe(env.client, name)

    assert await handle.result() == 0
    assert await env.get_current_time() - begin >= timedelta(days=4)


async def test_a_card_may_be_good_again(env: WorkflowEnvironment, ledger: Any, name: str) -> None:
    ledger.broke.add("ann")
    handle = await subscribe(env.client, name)
    await env.sleep(timedelta(days=2, hours=1))
    ledger.broke.clear()
    await env.sleep(timedelta(days=2))

    assert await handle.query(Workflow.periods_paid) == 1
    await handle.terminate()


async def test_ten_years_are_several_runs(env: WorkflowEnvironment, ledger: Any, name: str) -> None:
    handle = await subscribe(env.client, name)
    await env.sleep(timedelta(days=30 * 150 + 1))

    assert len(ledger.charges) == 151
    current = env.client.get_workflow_handle(name)
    assert (await current.describe()).run_id != handle.first_execution_run_id
    assert await current.query(Workflow.periods_paid) == 151
    await current.terminate()


async def test_a_cancelled_subscription_says_so(env: WorkflowEnvironment, ledger: Any, name: str) -> None:
    handle = await subscribe(env.client, name)
    await env.sleep(timedelta(days=1))
    await handle.cancel()

    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert isinstance(failed.value.cause, CancelledError)
    assert "was cancelled" in str(await handle.fetch_history())


async def test_the_cpp_worker_serves_it_too(name: str) -> None:
    async with await WorkflowEnvironment.start_local() as environment:
        address = environment.client.service_client.config.target_host
        worker = subprocess.Popen([BUILD / "samples/subscription", "worker", address])
        try:
            handle = await subscribe(environment.client, name)

            async def is_paid() -> bool:
                return await handle.query(Workflow.periods_paid) == 1

            await until(is_paid)
            await handle.signal(Workflow.change_price, 10_00)
            await handle.signal(Workflow.end)
            assert await handle.result() == 1

            await subscription.close_books_monthly(environment.client)
            schedule = environment.client.get_schedule_handle("close-books")
            await schedule.trigger()

            async def is_closed() -> Any:
                return (await schedule.describe()).info.recent_actions

            action = (await until(is_closed))[0].action
            books = environment.client.get_workflow_handle_for(subscription.CloseBooks.run, action.workflow_id)
            assert await books.result() == subscription.Books(charges=1, cents=9_00)
        finally:
            worker.terminate()
            assert worker.wait(30) == 0
