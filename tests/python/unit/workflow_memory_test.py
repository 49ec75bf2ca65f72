"""What a cached run that waits is made of: a cache holds thousands, and each full collection visits all of it."""

from __future__ import annotations

import collections
import gc
import tracemalloc

from fake_core import FakeCore

from chimera import workflow

RUNS = 100


@workflow.defn
class Wait:
    def __init__(self) -> None:
        self.done = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.done)
        return "done"


def waiting() -> FakeCore:
    core = FakeCore(Wait)
    core.start()
    return core


def test_objects_and_bytes_of_a_waiting_run() -> None:
    """The official package's run of this workflow is of 80 objects."""
    kept = [waiting()]  # What the first of all leaves in caches counts for none.
    gc.collect()
    before = collections.Counter(type(each).__name__ for each in gc.get_objects())
    tracemalloc.start()
    kept += [waiting() for _ in range(RUNS)]
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    after = collections.Counter(type(each).__name__ for each in gc.get_objects())

    each = {name: (after[name] - before[name]) / RUNS for name in after if after[name] - before[name] >= RUNS // 2}
    assert sum(each.values()) < 52, each
    assert size / RUNS < 8_500
    assert len(kept) == RUNS + 1
