"""samples/python/cart: updates that answer, refuse, pay once, and a cart that is left alone."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from live_support import sample

from chimera.client import WorkflowHandle, WorkflowUpdateFailedError
from chimera.testing import WorkflowEnvironment

cart = sample("python/cart/cart.py")
ShoppingCart = cart.ShoppingCart


@pytest.fixture
def shop() -> cart.Shop:
    return cart.Shop()


@pytest.fixture
async def env(shop: cart.Shop) -> AsyncIterator[WorkflowEnvironment]:
    async with await WorkflowEnvironment.start_time_skipping() as environment:
        async with cart.make_worker(environment.client, shop):
            yield environment


@pytest.fixture
async def filled(env: WorkflowEnvironment) -> WorkflowHandle:
    await cart.put(env.client, "ann", cart.Item("cup", 2, 4_50), "click-1")
    return env.client.get_workflow_handle_for(ShoppingCart.run, "cart-ann")


async def test_the_same_click_counts_once(env: WorkflowEnvironment, filled: WorkflowHandle) -> None:
    for _ in range(2):
        assert await cart.put(env.client, "ann", cart.Item("kettle", 1, 39_00), "click-2") == 48_00


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        (cart.Item("", 1), "needs a name"),
        (cart.Item("cup", 101), "from 0 to 100"),
        (cart.Item("spoon", 0), "there is no spoon"),
    ],
)
async def test_what_makes_no_sense_is_refused(filled: WorkflowHandle, item: cart.Item, problem: str) -> None:
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await filled.execute_update(ShoppingCart.put, item)

    assert problem in str(refused.value.cause)
    assert (await filled.query(ShoppingCart.contents)).total() == 9_00


async def test_a_refused_card_leaves_the_cart_open(filled: WorkflowHandle) -> None:
    with pytest.raises(WorkflowUpdateFailedError):
        await filled.execute_update(ShoppingCart.check_out, "4000-0000")

    assert (await filled.execute_update(ShoppingCart.check_out, "4111")).cents == 9_00
    assert (await filled.result()).cents == 9_00


async def test_two_who_pay_at_once_pay_once(filled: WorkflowHandle, shop: cart.Shop) -> None:
    pay = [asyncio.create_task(filled.execute_update(ShoppingCart.check_out, "4111")) for _ in range(2)]
    first = await filled.result()
    done = await asyncio.gather(*pay, return_exceptions=True)  # The second may find the cart closed.

    assert first in done
    assert list(shop.receipts.values()) == [first]


async def test_a_cart_that_is_left_alone_reminds_once_and_ends(
    env: WorkflowEnvironment, filled: WorkflowHandle, shop: cart.Shop
) -> None:
    await env.sleep(timedelta(days=14))
    assert (await filled.describe()).close_time is None

    await env.sleep(timedelta(days=2))

    assert await filled.result() is None
    assert shop.reminded == ["ann"]
