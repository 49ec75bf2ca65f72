"""OpenTelemetry's context for a block of code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import opentelemetry.context
from opentelemetry.context import Context

_ATTACHED: ContextVar[Context | None] = ContextVar("chimera_opentelemetry_attached", default=None)


@contextmanager
def attached_context(context: Context | None) -> Iterator[None]:
    """Makes it current in the block; None leaves what is current.

    The block of a run that has left the cache may end wherever its frames are collected, in the contextvars of other
    code. Nothing is to be put back there, and OpenTelemetry would log an error: a variable of our own tells.
    """
    if context is None:
        yield
        return
    mark = _ATTACHED.set(context)
    token = opentelemetry.context.attach(context)
    try:
        yield
    finally:
        try:
            _ATTACHED.reset(mark)
        except ValueError:  # Set in other contextvars.
            pass
        else:
            if opentelemetry.context.get_current() is context:
                opentelemetry.context.detach(token)
