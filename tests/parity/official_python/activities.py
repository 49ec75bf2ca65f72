"""The activities of all scenarios."""

import asyncio

from temporalio import activity
from temporalio.exceptions import ApplicationError


@activity.defn
async def echo(value: str) -> str:
    return value


@activity.defn
async def succeed_at(attempt: int) -> int:
    now = activity.info().attempt
    if now < attempt:
        raise ApplicationError(f"attempt {now} of {attempt}", type="NotYet")
    return now


@activity.defn
async def decline_card(order: str) -> None:
    try:
        raise ApplicationError("the bank said no", "code 51", type="BankError")
    except ApplicationError as bank:
        raise ApplicationError("card declined", order, 42, type="CardDeclined", non_retryable=True) from bank


@activity.defn
async def heartbeat_then_hang(detail: str) -> str:
    """Beats once and hangs; an attempt that finds an earlier beat returns it."""
    details = activity.info().heartbeat_details
    if details:
        return f"attempt {activity.info().attempt} found {details[0]}"
    activity.heartbeat(detail)
    await asyncio.Event().wait()
    return "never"


@activity.defn
async def heartbeat_until_cancelled(signal_to: str) -> str:
    """Tells the workflow that it runs, then beats until the server says that it was cancelled."""
    await activity.client().get_workflow_handle(signal_to).signal("begun")
    try:
        while True:
            activity.heartbeat("beat")
            await asyncio.sleep(0.1)
    except asyncio.CancelledError:
        if not activity.is_cancelled():
            raise
        raise asyncio.CancelledError("cleaned up") from None


@activity.defn
async def answer_later() -> str:
    activity.raise_complete_async()
    return "never"


ALL = [echo, succeed_at, decline_card, heartbeat_then_hang, heartbeat_until_cancelled, answer_later]
