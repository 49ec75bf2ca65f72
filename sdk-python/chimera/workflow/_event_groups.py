"""Event groups: names of the public interface. The core does not carry their markers yet."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from chimera.workflow._runtime import current


class EventGroup(ABC):
    """Groups commands in the history."""

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Commands of the block belong to the group."""
        refuse_event_groups([self])
        yield None


def create_event_group(id: str, *, label: str | None = None) -> EventGroup:
    """Not supported yet."""
    current()
    raise NotImplementedError(f"event group {id!r}: event groups are not supported yet")


def refuse_event_groups(groups: Sequence[Any] | None) -> None:
    """Raise where a caller asks for what is not there."""
    if groups:
        raise NotImplementedError("event_groups: event groups are not supported yet")
