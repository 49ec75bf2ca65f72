"""How a workflow's own clock jumps ahead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class FastForwardConfig:
    """One jump of a workflow's clock."""

    id: str
    """Names the jump, for those who wait for its end."""

    duration: timedelta
    """How far the clock goes; after that it keeps the real time again."""


@dataclass(frozen=True)
class TimeSkippingConfig:
    """Whether and how the clock of a workflow jumps ahead while the workflow waits for timers."""

    enabled: bool = True

    fast_forward_config: FastForwardConfig | None = None
    """One jump; without it the clock jumps as often as there is something to skip."""

    disable_propagation: bool = False
    """Whether children keep the real time. Their clock begins where the parent's stands either way."""

    max_session_skip_count: int = 0
    """After so many jumps skipping ends; 0: the server's limit."""

    def __post_init__(self) -> None:
        """ValueError if there is a jump and skipping is off."""
        if self.fast_forward_config is not None and not self.enabled:
            raise ValueError("fast_forward_config cannot be set when enabled is False")
