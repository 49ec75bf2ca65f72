"""Environments for tests: a server of one's own in the process, and activities without any."""

from typing import TYPE_CHECKING

from chimera._lazy import late_names as _late_names

if TYPE_CHECKING:
    from chimera.testing._activity import ActivityEnvironment
    from chimera.testing._environment import WorkflowEnvironment
    from chimera.testing._time_skipping import TimeSkipper, TimeSkippingConfig
else:
    # pytest loads chimera.testing.pytest in every project of an environment that has the package.
    __getattr__, __dir__ = _late_names(
        globals(), ["chimera.testing._activity", "chimera.testing._environment", "chimera.testing._time_skipping"]
    )

__all__ = ["ActivityEnvironment", "TimeSkipper", "TimeSkippingConfig", "WorkflowEnvironment"]
