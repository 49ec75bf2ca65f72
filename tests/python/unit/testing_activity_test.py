"""ActivityEnvironment: what an activity sees of its worker, without a worker."""

import asyncio
import threading
import time

import pytest

from chimera import activity, exceptions
from chimera.testing import ActivityEnvironment


async def test_async_activity_sees_info_heartbeats_and_cancellation():
    env = ActivityEnvironment()
    beats = []
    env.on_heartbeat = lambda *details: beats.append(details)
    waiting = asyncio.Event()

    async def work(value: str) -> str:
        activity.heartbeat("at", value)
        waiting.set()
        try:
            await asyncio.Future()
        except asyncio.CancelledError:
            return f"{activity.info().activity_id} {activity.is_cancelled()} {activity.cancellation_details()}"
        return "not cancelled"

    task = asyncio.ensure_future(env.run(work, "x"))
    await waiting.wait()
    env.cancel()
    result = await task

    assert result.startswith("test True ActivityCancellationDetails(not_found=False, cancel_requested=True")
    assert beats == [("at", "x")]


def spin_until(predicate) -> None:
    deadline = time.monotonic() + 10
    while not predicate():
        assert time.monotonic() < deadline


def test_cancelling_a_thread_raises_in_it_after_its_shields():
    env = ActivityEnvironment()
    inside, seen = threading.Event(), []

    def work() -> None:
        try:
            with activity.shield_thread_cancel_exception():
                with activity.shield_thread_cancel_exception():
                    inside.set()
                    spin_until(activity.is_cancelled)
                seen.append("between the shields")
            seen.append("not reached")
        except exceptions.CancelledError:
            seen.append("cancelled")

    thread = threading.Thread(target=env.run, args=(work,))
    thread.start()
    inside.wait(10)
    env.cancel()
    thread.join(10)

    assert seen == ["between the shields", "cancelled"]


def test_context_is_only_inside():
    env = ActivityEnvironment()

    assert env.run(activity.in_activity) is True
    assert activity.in_activity() is False
    with pytest.raises(RuntimeError, match="Not in activity context"):
        activity.info()
