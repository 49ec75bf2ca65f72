"""Python activities; the C++ workflow Order and the Python workflow Shipping call them."""

from dataclasses import dataclass

from chimera import activity
from chimera.exceptions import ApplicationError


@dataclass
class Order:
    """The same fields as the C++ struct Order."""

    id: str
    customer: str
    cents: int = 0
    wait_seconds: float = 0


@activity.defn
async def print_label(order: Order) -> str:
    """Prints a shipping label."""
    print(f"Python  activity print_label for {order.id}", flush=True)
    return f"label {order.id} for {order.customer}"


class AddressBookClosed(Exception):
    """Why check_address fails; it arrives in C++ as the cause."""


@activity.defn
def check_address(customer: str) -> str:
    """Fails for customer "nowhere", with a type, details and a cause that a C++ workflow can see."""
    print(f"Python  activity check_address for {customer}", flush=True)
    if customer != "nowhere":
        return f"{customer}, 1 Main Street"
    try:
        raise AddressBookClosed("the address book is closed")
    except AddressBookClosed as closed:
        raise ApplicationError(
            f"no address for {customer}", customer, 404, type="NoAddress", non_retryable=True
        ) from closed
