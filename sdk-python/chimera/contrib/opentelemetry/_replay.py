"""When telemetry of workflow code would be heard a second time."""

from __future__ import annotations

from typing import Any

from chimera import workflow


def repeats_history() -> bool:
    """Whether this is workflow code that a replay runs again; queries and update validators are not."""
    return workflow.in_workflow() and workflow.unsafe.is_replaying_history_events()


class Wrapper:
    """Gives away what it does not do itself."""

    def __init__(self, inner: Any) -> None:
        """Around one object of the real provider."""
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        """The real one's."""
        return getattr(self._inner, name)
