"""What the cases of this folder share."""

import asyncio
import importlib.util
import pathlib
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from chimera.client import Client, WorkflowHandle
from chimera.common import SearchAttributeKey
from chimera.worker import Worker

EXECUTOR = ThreadPoolExecutor(8)

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = ROOT / "build/release"
CITY = SearchAttributeKey.for_keyword("City")
ORDERS = SearchAttributeKey.for_int("Orders")


def sample(path: str) -> Any:
    """A program of samples/, as a module."""
    program = ROOT / "samples" / path
    spec = importlib.util.spec_from_file_location(f"sample_{program.stem}", program)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # Where type hints are looked up.
    spec.loader.exec_module(module)
    return module


def worker(client: Client, task_queue: str, cache: int, *definitions: Any, **options: Any) -> Worker:
    """A worker of these workflow classes and activity functions."""
    workflows = [each for each in definitions if isinstance(each, type)]
    activities = [each for each in definitions if not isinstance(each, type)]
    options.setdefault("activity_executor", EXECUTOR)
    return Worker(
        client,
        task_queue=task_queue,
        workflows=workflows,
        activities=activities,
        max_cached_workflows=cache,
        **options,
    )


async def events(handle: WorkflowHandle[Any, Any], kind: str) -> list[Any]:
    """The attributes of all events of a kind in a history, in order."""
    wanted = f"{kind}_event_attributes"
    history = await handle.fetch_history()
    return [getattr(each, wanted) for each in history.events if each.WhichOneof("attributes") == wanted]


async def until(condition: Callable[[], Awaitable[Any]], seconds: float = 20) -> Any:
    """What the condition gives once it gives something true; the server is asked again and again."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not (seen := await condition()):
        assert asyncio.get_running_loop().time() < deadline, "it did not come true in time"
        await asyncio.sleep(0.02)
    return seen
