"""Finds the run whose code is running: the workflow loop that is current on this thread knows it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from chimera.workflow._errors import NotInWorkflowError

if TYPE_CHECKING:
    from chimera.worker._run import Run


def maybe_current() -> Run | None:
    """The run, or None outside of workflow code."""
    return getattr(asyncio._get_running_loop(), "chimera_run", None)


def current() -> Run:
    """The run; an error outside of workflow code."""
    run = maybe_current()
    if run is None:
        raise NotInWorkflowError()
    return run
