"""A native module that the test plays."""

from __future__ import annotations

import contextlib
import os
import sys
import types
from typing import Any

import pytest


class FakeQueue:
    """Wakes who listens to it, and holds nothing."""

    def __init__(self) -> None:
        self._fd = os.eventfd(0, os.EFD_NONBLOCK)

    def fileno(self) -> int:
        return self._fd

    def take(self) -> list:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._fd)
        return []


def play_bridge(monkeypatch: pytest.MonkeyPatch, **names: Any) -> None:
    """Until the test ends, `chimera._bridge` has these names and a queue, and nothing else."""
    import chimera

    module = types.ModuleType("chimera._bridge")
    vars(module).update({"Queue": FakeQueue, **names})
    monkeypatch.setitem(sys.modules, "chimera._bridge", module)
    monkeypatch.setattr(chimera, "_bridge", module, raising=False)
