"""A shopping cart: a workflow for each customer, whose updates answer their callers: what the cart costs now, why a
thing was refused, or the receipt.

    python samples/python/cart/cart.py                  # a demonstration, with time that skips
    python samples/python/cart/cart.py localhost:7233   # the worker alone, on a running server
"""

import asyncio
import sys
from dataclasses import dataclass, field
from datetime import timedelta

from chimera import activity, workflow
from chimera.client import Client, WithStartWorkflowOperation, WorkflowUpdateFailedError
from chimera.common import WorkflowIDConflictPolicy
from chimera.exceptions import ApplicationError
from chimera.testing import WorkflowEnvironment
from chimera.worker import Worker

TASK_QUEUE = "carts"
REMIND_AFTER = timedelta(hours=24)  # Without a change, once.
GIVE_UP_AFTER = timedelta(days=14)  # Without a change.
UPDATES_PER_RUN = 200  # Then it continues as new; a history has its limits.
QUICK = timedelta(minutes=1)


@dataclass
class Item:
    name: str
    quantity: int = 1
    cents: int = 0  # Of one.


@dataclass
class Cart:
    customer: str
    items: dict[str, Item] = field(default_factory=dict)
    reminded: bool = False

    def total(self) -> int:
        return sum(item.quantity * item.cents for item in self.items.values())


@dataclass
class Receipt:
    number: str
    cents: int


class Shop:
    """The rest of the shop."""

    def __init__(self) -> None:
        self.receipts: dict[str, Receipt] = {}
        self.reminded: list[str] = []

    @activity.defn
    async def charge(self, key: str, card: str, cents: int) -> Receipt:
        """A second charge with the same key is the first one again."""
        if card == "4000-0000":
            raise ApplicationError("the card was refused", type="CardRefused", non_retryable=True)
        return self.receipts.setdefault(key, Receipt(f"receipt-{key}", cents))

    @activity.defn
    async def remind(self, customer: str) -> None:
        self.reminded.append(customer)


@workflow.defn
class ShoppingCart:
    @workflow.init
    def __init__(self, cart: Cart) -> None:
        self._cart = cart
        self._receipt: Receipt | None = None
        self._changes = 0
        self._paying = asyncio.Lock()

    @workflow.run
    async def run(self, cart: Cart) -> Receipt | None:
        """The receipt; none if the cart was left alone."""
        while self._receipt is None:
            if not await self._changed_within(GIVE_UP_AFTER if self._cart.reminded else REMIND_AFTER):
                if self._cart.reminded:
                    break
                self._cart.reminded = True
                await workflow.execute_activity(Shop.remind, self._cart.customer, start_to_close_timeout=QUICK)
            if self._changes >= UPDATES_PER_RUN and self._receipt is None:
                # An update that was accepted is answered by the run that accepted it.
                await workflow.wait_condition(
                    lambda: workflow.all_handlers_finished() or self._receipt is not None
                )
                if self._receipt is None:
                    workflow.continue_as_new(self._cart)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._receipt

    async def _changed_within(self, time: timedelta) -> bool:
        before = self._changes
        try:
            await workflow.wait_condition(
                lambda: self._receipt is not None or self._changes != before, timeout=time
            )
        except TimeoutError:
            return False
        return True

    @workflow.update
    def put(self, item: Item) -> int:
        """So many of a thing from now on; none takes it out. What the cart costs then."""
        if item.quantity == 0:
            del self._cart.items[item.name]
        else:
            self._cart.items[item.name] = item
        self._changes += 1
        self._cart.reminded = False
        return self._cart.total()

    @put.validator
    def check_put(self, item: Item) -> None:
        if self._receipt is not None:
            raise ApplicationError("this cart is paid", type="Paid")
        if not item.name:
            raise ApplicationError("a thing needs a name", type="BadItem")
        if not 0 <= item.quantity <= 100:
            raise ApplicationError(f"from 0 to 100 of a thing, not {item.quantity}", type="BadItem")
        if item.quantity == 0 and item.name not in self._cart.items:
            raise ApplicationError(f"there is no {item.name} in the cart", type="BadItem")

    @workflow.update
    async def check_out(self, card: str) -> Receipt:
        """Two that come at once are one: the second one gets the receipt of the first."""
        async with self._paying:
            if self._receipt is None:
                key = workflow.info().first_execution_run_id
                self._receipt = await workflow.execute_activity(
                    Shop.charge, args=[key, card, self._cart.total()], start_to_close_timeout=QUICK
                )
            return self._receipt

    @check_out.validator
    def check_check_out(self, card: str) -> None:
        if self._receipt is None and not self._cart.items:
            raise ApplicationError("the cart is empty", type="Empty")

    @workflow.query
    def contents(self) -> Cart:
        return self._cart


def make_worker(client: Client, shop: Shop) -> Worker:
    return Worker(
        client, task_queue=TASK_QUEUE, workflows=[ShoppingCart], activities=[shop.charge, shop.remind]
    )


async def put(client: Client, customer: str, item: Item, click: str) -> int:
    """Whether the customer has a cart or not: the first thing makes one.

    An update's id makes a click that was sent twice count once.
    """
    return await client.execute_update_with_start_workflow(
        ShoppingCart.put,
        item,
        id=click,
        start_workflow_operation=WithStartWorkflowOperation(
            ShoppingCart.run,
            Cart(customer),
            id=f"cart-{customer}",
            task_queue=TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        ),
    )


async def demonstrate(environment: WorkflowEnvironment, shop: Shop) -> None:
    client = environment.client
    await put(client, "ann", Item("kettle", 1, 39_00), "click-1")
    await put(client, "ann", Item("cup", 6, 4_50), "click-2")
    print("total:", await put(client, "ann", Item("cup", 6, 4_50), "click-2"))  # Pressed twice.
    handle = client.get_workflow_handle_for(ShoppingCart.run, "cart-ann")
    try:
        await handle.execute_update(ShoppingCart.put, Item("spoon", 1000, 1_00))
    except WorkflowUpdateFailedError as refused:
        print("refused:", refused.cause)
    await environment.sleep(timedelta(hours=30))  # She sleeps on it, and is reminded.
    print("reminded:", len(shop.reminded))
    receipt = await handle.execute_update(ShoppingCart.check_out, "4111-1111")
    print("paid:", receipt.cents)
    print("the cart's result is the receipt:", "yes" if await handle.result() == receipt else "no")


async def main() -> None:
    shop = Shop()
    if len(sys.argv) > 1:
        await make_worker(await Client.connect(sys.argv[1]), shop).run()
        return
    async with await WorkflowEnvironment.start_time_skipping() as environment:
        async with make_worker(environment.client, shop):
            await demonstrate(environment, shop)


if __name__ == "__main__":
    asyncio.run(main())
