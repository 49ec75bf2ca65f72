"""What mypy must refuse; each line that is wrong says with which error. Never run."""

from program import Order, Orders

from chimera.client import Client


async def main(client: Client) -> None:
    await client.start_workflow(Orders.run, "no order", id="1", task_queue="orders")  # wrong: misc
    await client.start_workflow(Orders.run, Order("1", 5), id="1")  # wrong: call-overload
    handle = await client.start_workflow(Orders.run, Order("1", 5), id="1", task_queue="orders")
    await handle.execute_update(Orders.add_tip, "five")  # wrong: arg-type
    number: int = await handle.result()  # wrong: assignment
    print(number)
