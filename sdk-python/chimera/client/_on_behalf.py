"""On whose behalf calls are made: of a Nexus operation, while its handler runs.

The operation adds to requests what leads back to its caller, and hears of what they led to.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any


class Requester:
    """Somebody who adds nothing."""

    def asks(self, request: Any) -> None:
        """A request is complete and will be sent, perhaps more than once."""

    def has(self, request: Any, reply: Any) -> None:
        """Its reply has come."""


_NOBODY = Requester()
_requester: ContextVar[Requester | None] = ContextVar("temporal-requester", default=None)


def requester() -> Requester:
    """On whose behalf this code calls."""
    return _requester.get() or _NOBODY


@contextlib.contextmanager
def on_behalf_of(who: Requester) -> Iterator[None]:
    """What is called within is called for `who`."""
    token = _requester.set(who)
    try:
        yield
    finally:
        _requester.reset(token)
