"""A subscription: one workflow for each customer, which lives as long as the subscription does, and a schedule that
closes the books each month.

    python samples/python/subscription/subscription.py                  # a year, with time that skips
    python samples/python/subscription/subscription.py localhost:7233   # the worker alone, on a running server
"""

import asyncio
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn

from chimera import activity, workflow
from chimera.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
)
from chimera.common import RetryPolicy
from chimera.exceptions import ActivityError, ApplicationError, is_cancelled_exception
from chimera.testing import WorkflowEnvironment
from chimera.worker import Worker

TASK_QUEUE = "subscriptions"
MONTH = timedelta(days=30)
PERIODS_PER_RUN = 100  # Then the workflow continues as new, so that its history stays short.


@dataclass
class Subscription:
    customer: str
    cents: int
    trial_days: int = 0
    periods_paid: int = 0  # Of the runs before.


@dataclass
class Charge:
    customer: str
    cents: int
    key: str  # A second charge with the same key is the first one again.


@dataclass
class Books:
    charges: int
    cents: int


class Ledger:
    """What a company has elsewhere: who pays what."""

    def __init__(self) -> None:
        self.charges: dict[str, Charge] = {}
        self.closed: list[Books] = []
        self.broke: set[str] = set()

    @activity.defn
    async def charge(self, charge: Charge) -> None:
        if charge.customer in self.broke:
            raise ApplicationError(f"the card of {charge.customer} was refused", type="CardRefused")
        self.charges.setdefault(charge.key, charge)

    @activity.defn
    async def send(self, customer: str, text: str) -> None:
        activity.logger.info("To %s: %s", customer, text)

    @activity.defn
    async def close_books(self) -> Books:
        books = Books(len(self.charges), sum(each.cents for each in self.charges.values()))
        self.closed.append(books)
        return books


@workflow.defn
class SubscriptionWorkflow:
    """Charges each period, until it is cancelled or cannot be paid."""

    @workflow.init
    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._ends = False

    @workflow.run
    async def run(self, subscription: Subscription) -> int:
        """The periods that were paid."""
        try:
            if subscription.trial_days:
                await self._tell("Your trial has begun.")
                await self._wait(timedelta(days=subscription.trial_days))
            for _ in range(PERIODS_PER_RUN):
                if self._ends:
                    await self._tell("Goodbye.")
                    return self._subscription.periods_paid
                if not await self._charge():
                    await self._tell("Your subscription has ended: it could not be paid.")
                    return self._subscription.periods_paid
                self._subscription.periods_paid += 1
                await self._wait(MONTH)
        except BaseException as error:
            if is_cancelled_exception(error):
                await asyncio.shield(self._tell("Your subscription was cancelled."))
            raise
        return self._begin_anew()

    def _begin_anew(self) -> NoReturn:
        self._subscription.trial_days = 0
        workflow.continue_as_new(self._subscription)

    async def _wait(self, time: timedelta) -> None:
        """A period, or until the customer has had enough of it."""
        try:
            await workflow.wait_condition(lambda: self._ends, timeout=time)
        except TimeoutError:
            pass

    async def _charge(self) -> bool:
        number = self._subscription.periods_paid + 1
        charge = Charge(
            self._subscription.customer, self._subscription.cents, f"{workflow.info().workflow_id}-{number}"
        )
        try:
            await workflow.execute_activity(
                Ledger.charge,
                charge,
                start_to_close_timeout=timedelta(minutes=1),
                # A card that is refused today may be good in some days.
                retry_policy=RetryPolicy(
                    initial_interval=timedelta(days=1), backoff_coefficient=1, maximum_attempts=5
                ),
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return False
        return True

    async def _tell(self, text: str) -> None:
        await workflow.execute_activity(
            Ledger.send,
            args=[self._subscription.customer, text],
            start_to_close_timeout=timedelta(minutes=1),
        )

    @workflow.signal
    def change_price(self, cents: int) -> None:
        """From the next period on."""
        self._subscription.cents = cents

    @workflow.signal
    def end(self) -> None:
        """At the end of what has been paid; a trial ends at once."""
        self._ends = True

    @workflow.query
    def periods_paid(self) -> int:
        return self._subscription.periods_paid


@workflow.defn
class CloseBooks:
    @workflow.run
    async def run(self) -> Books:
        return await workflow.execute_activity(
            Ledger.close_books, start_to_close_timeout=timedelta(minutes=10)
        )


async def close_books_monthly(client: Client) -> None:
    """On the first of each month at three o'clock in Brussels, one after the other."""
    first_of_month = ScheduleCalendarSpec(day_of_month=[ScheduleRange(1)], hour=[ScheduleRange(3)])
    await client.create_schedule(
        "close-books",
        Schedule(
            action=ScheduleActionStartWorkflow(CloseBooks.run, id="close-books", task_queue=TASK_QUEUE),
            spec=ScheduleSpec(calendars=[first_of_month], time_zone_name="Europe/Brussels"),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ONE),
        ),
    )


def make_worker(client: Client, ledger: Ledger) -> Worker:
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[SubscriptionWorkflow, CloseBooks],
        activities=[ledger.charge, ledger.send, ledger.close_books],
    )


async def main() -> None:
    ledger = Ledger()
    if len(sys.argv) > 1:
        await make_worker(await Client.connect(sys.argv[1]), ledger).run()
        return
    async with await WorkflowEnvironment.start_time_skipping() as environment:
        client = environment.client
        async with make_worker(client, ledger):
            await close_books_monthly(client)
            handle = await client.start_workflow(
                SubscriptionWorkflow.run,
                Subscription("ann", cents=9_00, trial_days=14),
                id="subscription-ann",
                task_queue=TASK_QUEUE,
            )
            await environment.sleep(timedelta(days=180))
            await handle.signal(SubscriptionWorkflow.change_price, 10_00)
            await environment.sleep(timedelta(days=185))
            print("books closed:", len(ledger.closed), "times")
            await handle.signal(SubscriptionWorkflow.end)
            print("periods paid:", await handle.result())


if __name__ == "__main__":
    asyncio.run(main())
