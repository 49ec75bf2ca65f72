"""The Python workflow Shipping; the activities that move the parcel are C++."""

from dataclasses import dataclass
from datetime import timedelta

from chimera import workflow
from chimera.exceptions import ActivityError, ApplicationError


@dataclass
class Parcel:
    """The same fields as the C++ struct Parcel."""

    order_id: str
    grams: int = 0


@dataclass
class Shipment:
    """What Shipping returns; the C++ client reads it into the struct Shipment."""

    truck: str
    label: str
    caught: str


@workflow.defn
class Shipping:
    """Reserves a truck in C++, and tells what it saw of a failure raised there."""

    @workflow.run
    async def run(self, parcel: Parcel) -> Shipment:
        options = {"start_to_close_timeout": timedelta(seconds=30)}
        label = await workflow.execute_activity(
            "print_label", {"id": parcel.order_id, "customer": "shipping"}, result_type=str, **options
        )
        caught = ""
        try:
            await workflow.execute_activity("reserve_truck", Parcel(parcel.order_id, 1_000_000), **options)
        except ActivityError as error:
            caught = describe(error.cause)
        truck = await workflow.execute_activity("reserve_truck", parcel, result_type=str, **options)
        return Shipment(truck=truck, label=label, caught=caught)


def describe(error: BaseException | None) -> str:
    """Type, message, details and cause of a failure that another language raised."""
    if not isinstance(error, ApplicationError):
        return f"unexpected {error!r}"
    return f"{error.type}: {error.message} {list(error.details)} <- {error.cause}"
