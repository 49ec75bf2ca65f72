"""Workers whose start is given up."""

import asyncio
import threading

import pytest
from live_support import until, worker

from chimera import workflow
from chimera.client import Client


@workflow.defn
class Nothing:
    @workflow.run
    async def run(self) -> None: ...


def serving() -> set[threading.Thread]:
    return {t for t in threading.enumerate() if t.name.startswith("temporal_workflow_")}


@pytest.mark.parametrize("turns", [1, 2, 3, 5, 50])
async def test_a_worker_whose_start_is_cancelled_ends(client: Client, name: str, turns: int):
    before = serving()
    starting = asyncio.create_task(worker(client, name, 10, Nothing).run())
    for _ in range(turns):
        await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting

    async def ended() -> bool:
        return serving() <= before  # Its threads end after the core's part of it.

    await until(ended)


async def test_a_worker_whose_namespace_is_not_there_leaves_no_thread(client: Client, name: str):
    before = serving()
    config = client.config()
    config["namespace"] = name
    with pytest.raises(RuntimeError, match="Worker validation failed"):
        await worker(Client(**config), name, 10, Nothing).run()

    async def ended() -> bool:
        return serving() <= before

    await until(ended)
