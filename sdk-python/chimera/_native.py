"""How results of the core reach an asyncio loop: one queue and one file descriptor for each loop.

A wake-up of the loop serves everything that the core left meanwhile.
"""

from __future__ import annotations

import asyncio
import os
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chimera import _bridge

_queues: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _bridge.Queue] = weakref.WeakKeyDictionary()

_process: int | None = None


def check_process(action: str) -> None:
    """Refuse what a forked child cannot do: the core's threads live on in its parent only."""
    global _process
    if _process is None:
        _process = os.getpid()
    if _process != os.getpid():
        raise AssertionError(
            f"Cannot {action} across forks: this process was forked from one that had connected. "
            "Connect after the fork only, or start processes by 'spawn'."
        )


def queue() -> _bridge.Queue:
    """The queue of the running loop."""
    from chimera import _bridge

    loop = asyncio.get_running_loop()
    found = _queues.get(loop)
    if found is None:
        for other in [each for each in _queues if each.is_closed()]:
            del _queues[other]  # What was left in its queue may lead back to it.
        found = _queues[loop] = _bridge.Queue()
        loop.add_reader(found.fileno(), _serve, found, weakref.ref(loop))
    return found


def _serve(items: _bridge.Queue, loop: weakref.ref[asyncio.AbstractEventLoop]) -> None:
    for callback, args in items.take():
        try:
            callback(*args)
        except Exception as err:
            if target := loop():
                target.call_exception_handler({"message": f"Exception in {callback!r}", "exception": err})


def settle(future: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    """Ends a future that its waiter may have given up."""
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)


async def result_of(start: Callable[[_bridge.Queue, Callable[[Any, Exception | None], None]], Any]) -> Any:
    """Awaits what `start(queue, done)` leads to, where done takes (result, error)."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    start(queue(), lambda result, error: settle(future, result, error))
    return await future


async def done_of(start: Callable[[_bridge.Queue, Callable[[Exception | None], None]], Any]) -> None:
    """Awaits what `start(queue, done)` leads to, where done takes only an error."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    start(queue(), lambda error: settle(future, None, error))
    await future
