"""Whom the server tells how something has ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class NexusCallback:
    """Where an operation's end is told."""

    url: str
    headers: Mapping[str, str]


Callback = NexusCallback
