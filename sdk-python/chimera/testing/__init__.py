"""Environments for tests: a server of one's own in the process, and activities without any."""

from chimera.testing._activity import ActivityEnvironment
from chimera.testing._environment import WorkflowEnvironment

__all__ = ["ActivityEnvironment", "WorkflowEnvironment"]
