"""One topic of a stream, with the type of its values."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

from chimera.contrib.workflow_streams._types import WorkflowStreamItem

if TYPE_CHECKING:
    from chimera.api.common.v1 import Payload
    from chimera.contrib.workflow_streams._client import WorkflowStreamClient
    from chimera.contrib.workflow_streams._stream import WorkflowStream

T = TypeVar("T")


class TopicHandle(Generic[T]):
    """A topic as seen from outside of the workflow; from WorkflowStreamClient.topic."""

    def __init__(self, client: WorkflowStreamClient, name: str, type: type[T]) -> None:
        """Use WorkflowStreamClient.topic, which sees to it that a topic has one type."""
        self._client = client
        self._name = name
        self._type = type

    @property
    def name(self) -> str:
        """Which topic."""
        return self._name

    @property
    def type(self) -> type[T]:
        """What its values are."""
        return self._type

    def publish(self, value: T | Payload, *, force_flush: bool = False) -> None:
        """Puts the value into the next batch, and asks for that to be sent now if `force_flush`. Does not wait."""
        self._client._publish_to_topic(self._name, value, force_flush=force_flush)

    async def subscribe(
        self, from_offset: int = 0, *, poll_cooldown: timedelta = timedelta(milliseconds=100)
    ) -> AsyncIterator[WorkflowStreamItem[T]]:
        """The topic's items from the offset on, for as long as the workflow runs."""
        items = self._client.subscribe(
            [self._name], from_offset, result_type=self._type, poll_cooldown=poll_cooldown
        )
        async for item in items:
            yield item


class WorkflowTopicHandle(Generic[T]):
    """A topic as seen from inside of the workflow; from WorkflowStream.topic."""

    def __init__(self, stream: WorkflowStream, name: str, type: type[T]) -> None:
        """Use WorkflowStream.topic, which sees to it that a topic has one type."""
        self._stream = stream
        self._name = name
        self._type = type

    @property
    def name(self) -> str:
        """Which topic."""
        return self._name

    @property
    def type(self) -> type[T]:
        """What its values are."""
        return self._type

    def publish(self, value: T | Payload) -> None:
        """Appends the value to the stream."""
        self._stream._publish_to_topic(self._name, value)
