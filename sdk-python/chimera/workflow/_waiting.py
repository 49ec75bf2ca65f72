"""Waiting for several things at once, with results in the order of the arguments.

`asyncio.wait` and `asyncio.as_completed` keep sets, whose order differs from run to run.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar, overload

from chimera.types import AnyType

if TYPE_CHECKING:
    _FT = TypeVar("_FT", bound=asyncio.Future[Any])
else:
    _FT = TypeVar("_FT", bound=asyncio.Future)


def _check(fs: Any, text: str) -> None:
    if asyncio.isfuture(fs) or asyncio.iscoroutine(fs):
        raise TypeError(f"{text}, not {type(fs).__name__}")


def as_completed(
    fs: Iterable[Awaitable[AnyType]], *, timeout: float | None = None
) -> Iterator[Awaitable[AnyType]]:
    """As `asyncio.as_completed`; what is done at the same time comes in the order given."""
    _check(fs, "expect an iterable of futures")
    loop = asyncio.get_event_loop()
    open_ = [asyncio.ensure_future(f, loop=loop) for f in fs]
    finished: deque[asyncio.Future[Any] | None] = deque()
    waiting: deque[asyncio.Future[Any]] = deque()
    total = len(open_)

    def deliver(future: asyncio.Future[Any] | None) -> None:
        finished.append(future)
        wake_one()

    def wake_one() -> None:
        while waiting:
            waiter = waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                break

    def on_done(future: asyncio.Future[Any]) -> None:
        if future in open_:
            open_.remove(future)
            deliver(future)
            if not open_ and timer:
                timer.cancel()

    def on_timeout() -> None:
        for future in open_:
            future.remove_done_callback(on_done)
        late, open_[:] = len(open_), []
        for _ in range(late):
            deliver(None)

    async def next_result() -> Any:
        while not finished:
            waiter = loop.create_future()
            waiting.append(waiter)
            try:
                await waiter
            except BaseException:  # The result that woke it, if one did, is the next one's.
                if finished and not waiter.cancelled():
                    wake_one()
                raise
        future = finished.popleft()
        if future is None:
            raise asyncio.TimeoutError
        return future.result()

    for future in open_:
        future.add_done_callback(on_done)
    timer = loop.call_later(timeout, on_timeout) if open_ and timeout is not None else None
    for _ in range(total):
        yield next_result()


@overload
async def wait(
    fs: Iterable[_FT], *, timeout: float | None = None, return_when: str = asyncio.ALL_COMPLETED
) -> tuple[list[_FT], list[_FT]]: ...


@overload
async def wait(
    fs: Iterable[asyncio.Task[AnyType]],
    *,
    timeout: float | None = None,
    return_when: str = asyncio.ALL_COMPLETED,
) -> tuple[list[asyncio.Task[AnyType]], list[asyncio.Task[AnyType]]]: ...


async def wait(
    fs: Iterable[Any], *, timeout: float | None = None, return_when: str = asyncio.ALL_COMPLETED
) -> tuple[Any, ...]:
    """As `asyncio.wait`, but done and pending are lists in the order given."""
    _check(fs, "Expect an iterable of Tasks/Futures")
    futures = list(fs)
    if not futures:
        raise ValueError("Sequence of Tasks/Futures must not be empty.")
    if return_when not in (
        asyncio.FIRST_COMPLETED,
        asyncio.FIRST_EXCEPTION,
        asyncio.ALL_COMPLETED,
    ):
        raise ValueError(f"Invalid return_when value: {return_when}")
    if any(asyncio.iscoroutine(f) for f in futures):
        raise TypeError("Passing coroutines is forbidden, use tasks explicitly.")
    await _until(futures, timeout, return_when)
    return [f for f in futures if f.done()], [f for f in futures if not f.done()]


async def _until(futures: list[asyncio.Future[Any]], timeout: float | None, return_when: str) -> None:
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()
    left = len(futures)

    def release() -> None:
        if not waiter.done():
            waiter.set_result(None)

    def on_done(future: asyncio.Future[Any]) -> None:
        nonlocal left
        left -= 1
        failed = not future.cancelled() and future.exception() is not None
        first = return_when == asyncio.FIRST_COMPLETED
        if left <= 0 or first or (failed and return_when == asyncio.FIRST_EXCEPTION):
            if timer:
                timer.cancel()
            release()

    timer = None if timeout is None else loop.call_later(timeout, release)
    for future in futures:
        future.add_done_callback(on_done)
    try:
        await waiter
    finally:
        if timer:
            timer.cancel()
        for future in futures:
            future.remove_done_callback(on_done)
