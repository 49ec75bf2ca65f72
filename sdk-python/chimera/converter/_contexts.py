"""Serialization contexts: what a converter or codec may know about the value's place."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import TypeVar

from typing_extensions import Self


class SerializationContext(ABC):
    """Root of the contexts."""


@dataclass(frozen=True)
class WorkflowSerializationContext(SerializationContext):
    """A value of a workflow."""

    namespace: str
    workflow_id: str


@dataclass(frozen=True)
class ActivitySerializationContext(SerializationContext):
    """A value of an activity."""

    namespace: str
    activity_id: str | None
    activity_type: str | None
    activity_task_queue: str | None
    workflow_id: str | None
    workflow_type: str | None
    is_local: bool


@dataclass(frozen=True)
class NexusSerializationContext(SerializationContext):
    """A value of a Nexus operation."""

    endpoint: str
    service: str
    operation: str


class WithSerializationContext(ABC):
    """A converter or codec that wants to know its context derives from this one."""

    def with_context(self, context: SerializationContext) -> Self:
        """A copy for a context, or the object itself if the context does not matter."""
        raise NotImplementedError


ConverterT = TypeVar("ConverterT")


def in_context(converter: ConverterT, context: SerializationContext) -> ConverterT:
    """The converter for a context; any object that takes no context is returned as it is."""
    if isinstance(converter, WithSerializationContext):
        return converter.with_context(context)
    return converter
