"""Environments for tests: a server of one's own in the process, and activities without any."""

from chimera.testing._activity import ActivityEnvironment
from chimera.testing._environment import WorkflowEnvironment
from chimera.testing._time_skipping import TimeSkippingConfig

__all__ = ["ActivityEnvironment", "TimeSkippingConfig", "WorkflowEnvironment"]
